"""Patterns of dialled numbers, and the rules that make other numbers of them.

=========  ======================================
``5``      itself; so are ``*``, ``#`` and ``+``
``X``      one digit, 0 to 9
``Z``      one digit, 1 to 9
``N``      one digit, 2 to 9
``[1-58]`` one of these digits
``.``      one or more signs, whichever; at the end alone
=========  ======================================
"""

import re
from dataclasses import dataclass, field

from ansam.errors import ConfigError
from ansam.pbx.dialplan import NUMBER

FORM = "write digits * # + X Z N [1-5], and . at the end"

_SIGNS = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]"}
_PIECE = re.compile(r"(?P<set>\[(?:[0-9](?:-[0-9])?)+\])|(?P<sign>[XZN])|(?P<literal>[0-9*#+])|(?P<rest>\.$)")
_RANGE = re.compile(r"([0-9])-([0-9])")


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern, for `fullmatch`.

    Raises:
        ConfigError: It is no pattern; the text says from which sign on.
    """
    out, at = [], 0
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None or any(low > high for low, high in _RANGE.findall(piece[0])):
            raise ConfigError(f"pattern {pattern!r} is wrong from {pattern[at:]!r} on", FORM)
        if piece["rest"]:
            out.append(".+")
        else:
            out.append(piece["set"] or _SIGNS.get(piece[0]) or re.escape(piece[0]))
        at = piece.end()
    if not out or "\n" in pattern:
        raise ConfigError(f"pattern {pattern!r} is empty" if not out else f"pattern {pattern!r}", FORM)
    return re.compile("".join(out))


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of numbers of a form that are none themselves.

    Attributes:
        pattern: The form.
        number: What is called instead; "" to make it of what was dialled.
        strip: Signs taken away in front.
        prefix: Then put in front.
        trunks: Names of trunks that the number is called over, the first that can takes it; none: it is ours.
        callers: Numbers of the extensions that may use the rule; none: all of them.
        unchanged: The number may stay as it was dialled.
    """

    pattern: str
    number: str = ""
    strip: int = 0
    prefix: str = ""
    trunks: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    unchanged: bool = False
    _form: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_form", compile_pattern(self.pattern))
        if self.number and (self.strip or self.prefix):
            raise ConfigError(
                f"rule {self.pattern}: number stands beside strip or prefix", "keep one of them"
            )
        if not (self.number or self.strip or self.prefix or self.trunks or self.unchanged):
            raise ConfigError(f"rule {self.pattern} changes nothing", "set number, strip, prefix or trunks")
        for key, value in (("number", self.number), ("prefix", self.prefix)):
            if value and not NUMBER.fullmatch(value):
                raise ConfigError(
                    f"rule {self.pattern}: {key} {value!r}", "use 1 to 32 of 0-9 A-Z a-z * # _ . + -"
                )
        if self.strip < 0:
            raise ConfigError(f"rule {self.pattern} has strip = {self.strip}", "set it to 0 or more")

    def apply(self, dialled: str) -> str | None:
        """Return the number to call instead, or None where the rule is not for what was dialled."""
        if not self._form.fullmatch(dialled):
            return None
        return self.number or self.prefix + dialled[self.strip :]
