"""From the text of a command line to commands, one at a time.

Basic commands follow V.250 (07/2003) §5.3 (a letter, or & and a letter, and a number; a number left out is
0), extended ones §5.4 (+NAME, =, ?, =?, separated by semicolons). The line is cut lazily: a command is
executed before the next one is read, so everything up to the first mistake takes effect, as on a real modem.
"""

import re
from dataclasses import dataclass

from ansam.at.personality import Personality
from ansam.errors import AnsamError


class CommandRefused(AnsamError):
    """A command line gets ERROR; the text says why (it goes to the trace, the terminal sees ERROR only)."""


@dataclass(frozen=True, slots=True)
class Basic:
    r"""A letter (or &, \ or % and a letter, or Z!) and its number.

    Attributes:
        name: Upper case, ``E`` or ``&C``.
        number: None where none was written.
    """

    name: str
    number: int | None

    @property
    def value(self) -> int:
        """The number; 0 where none was written (V.250 (07/2003) §5.3.1)."""
        return self.number or 0


@dataclass(frozen=True, slots=True)
class SRegister:
    """Sr=n, Sr?, Sr=?, Sr.b=n or Sr.b?; a query has no value.

    Attributes:
        register: r; None where ``?`` or ``=n`` stands alone: the register chosen last.
        bit: b.
        value: n; None asks.
        choose: ``Sr`` alone.
    """

    register: int | None
    bit: int | None = None
    value: int | None = None
    choose: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A command that holds a text, such as %P0=secret or %P0?.

    Attributes:
        name: Without its number, upper case.
        index: The number, 0 where none was written.
        text: None asks.
    """

    name: str
    index: int
    text: str | None = None


@dataclass(frozen=True, slots=True)
class DialString:
    """D and all that belongs to it, up to a semicolon or the end of the line.

    Attributes:
        text: Modifiers and number, as written but without spaces.
        semicolon: A semicolon ended it.
    """

    text: str
    semicolon: bool = False


@dataclass(frozen=True, slots=True)
class StoredNumber:
    """&Zn=s or &Zn?.

    Attributes:
        index: n; None for L, the last number dialled.
        text: s; None asks.
    """

    index: int | None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """``$``, ``&$``, ``S$`` ...; `topic` is what stands before the dollar sign."""

    topic: str


@dataclass(frozen=True, slots=True)
class Extended:
    """+NAME (also #NAME) with ``""``, ``?``, ``=?`` or ``=`` and values.

    Attributes:
        name: Upper case, with its sign.
        operation: ``""``, ``?``, ``=?`` or ``=``.
        values: For ``=``: as written, quotation marks taken off.
    """

    name: str
    operation: str
    values: tuple[str, ...] = ()


Command = Basic | SRegister | Text | DialString | StoredNumber | Help | Extended

_REGISTER = re.compile(r"S(?P<n>\d*)(?:\.(?P<bit>\d*))?(?P<op>=\?|\?|=(?P<value>\d*))", re.IGNORECASE)
_STORED = re.compile(
    r"&Z(?:(?P<last>L)|(?P<n>\d*))(?:(?P<query>\?)|=(?P<text>.*))", re.IGNORECASE | re.DOTALL
)
_POINTER = re.compile(r"S(?P<n>\d*)", re.IGNORECASE)
_POINTED = re.compile(r"=\?|\?|=(?P<value>\d*)")
_HELP = re.compile(r"(?P<topic>[&SD%#]?)\$", re.IGNORECASE)
_ERASE = re.compile(r"(?P<name>%E)=(?P<number>\d+)", re.IGNORECASE)
_BASIC = re.compile(r"(?P<name>Z!|[&\\%*-]?[A-Z])(?P<number>\d*)", re.IGNORECASE)
_TEXT = re.compile(
    r"(?P<name>%[A-Z])(?P<index>\d?)(?:(?P<query>\?)|=(?P<text>.*))", re.IGNORECASE | re.DOTALL
)
_MAKERS = re.compile(r"(?P<name>[#-][A-Z]{2,})(?P<op>=\?|\?|=|)(?P<value>\d*);?", re.IGNORECASE)
_EXTENDED = re.compile(
    r"(?P<name>[+#][A-Z][A-Z0-9!%\-./:_]*)"
    r"(?P<op>=\?|\?|=|)(?P<rest>(?:\"[^\"]*\"|[^;\"])*)(?:;|$)",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED_OR_NOT = re.compile(r"(?:\"[^\"]*(?:\"|$)|[^;\"])*", re.DOTALL)


def next_command(text: str, position: int, personality: Personality) -> tuple[Command, int]:
    """Return the command that begins at `position` and where the next one begins.

    Args:
        text: The line without AT and without spaces.
        position: Less than len(text).
        personality: Says which commands take a text, and whether a register can be chosen.

    Raises:
        CommandRefused: No command can be read there.
    """
    lead = text[position].upper()
    if lead == ";":
        raise CommandRefused("a semicolon without a command before it")
    if match := _HELP.match(text, position):
        return Help(match["topic"].upper()), match.end()
    if lead == "+":
        return _extended(text, position)
    if lead in "#-" and (match := _MAKERS.match(text, position)):
        # The makers' own commands need no semicolon behind them.
        values = (match["value"],) if match["op"] == "=" else ()
        return Extended(match["name"].upper(), match["op"], values), match.end()
    if lead == "D":
        return _dial(text, position)
    if lead in "S=?":
        return _s_register(text, position, personality.register_pointer)
    if text[position : position + 2].upper() == "&Z" and (match := _STORED.match(text, position)):
        index = None if match["last"] else int(match["n"] or 0)
        return StoredNumber(index, None if match["query"] else match["text"]), match.end()
    if text[position : position + 2].upper() in personality.texts and (match := _TEXT.match(text, position)):
        return Text(match["name"].upper(), int(match["index"] or 0), match["text"]), match.end()
    if match := _ERASE.match(text, position) or _BASIC.match(text, position):
        number = int(match["number"]) if match["number"] else None
        return Basic(match["name"].upper(), number), match.end()
    raise CommandRefused(f"no command begins with {text[position]!r}")


def _s_register(text: str, position: int, pointer: bool) -> tuple[Command, int]:
    match = _REGISTER.match(text, position)
    if match is not None:
        bit = None if match["bit"] is None else int(match["bit"] or 0)
        value = None if match["value"] is None else int(match["value"] or 0)
        return SRegister(int(match["n"] or 0), bit, value), match.end()
    if pointer and (match := _POINTER.match(text, position)):
        return SRegister(int(match["n"] or 0), choose=True), match.end()
    if pointer and (match := _POINTED.match(text, position)):
        return SRegister(
            None, None, None if match["value"] is None else int(match["value"] or 0)
        ), match.end()
    raise CommandRefused("S needs = or ?")


def _dial(text: str, position: int) -> tuple[Command, int]:
    match = _QUOTED_OR_NOT.match(text, position + 1)
    end = match.end() if match else len(text)
    semicolon = end < len(text)
    return DialString(text[position + 1 : end], semicolon), end + semicolon


def _extended(text: str, position: int) -> tuple[Command, int]:
    match = _EXTENDED.match(text, position)
    if match is None:
        raise CommandRefused(f"malformed extended command {text[position:]!r}")
    operation, rest = match["op"], match["rest"]
    if operation != "=" and rest:
        raise CommandRefused(f"{match['name']}: {rest!r} where a semicolon or the end was expected")
    values = tuple(value.strip('"') for value in rest.split(",")) if operation == "=" else ()
    return Extended(match["name"].upper(), operation, values), match.end()
