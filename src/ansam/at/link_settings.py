r"""What the terminal asks of error control and compression: +ES, +DS, +DS44 and their short forms.

Two families of commands set the same things. +ES and +DS (V.250 (07/2003) §6.5.1, §6.6.1) say all that can
be said and are what is kept; &M and &K (US Robotics), \N and %C (Rockwell, SmartLink) are short forms that
write them. V.250 is not among our Recommendations on file: the values are those of its tables as modem
manuals quote them. Those that call for an alternative protocol (MNP) or a synchronous link are refused.
"""

from dataclasses import astuple, dataclass, replace

from ansam.at.grammar import CommandRefused, Extended

BUFFERED, LAPM_AT_ONCE, LAPM = 1, 2, 3
"""+ES, first value: no error control; V.42 without its detection phase; V.42 with it."""

_ES_ALLOWED = ((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3, 4, 5))


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Error control and compression as wanted.

    Attributes:
        es: +ES: originating request, originating fall-back, answering fall-back.
        ds: +DS: direction (0 none, 1 sent, 2 received, 3 both), 1 to hang up without it, P1, P2.
        ds44: +DS44: direction, 1 to hang up without it, capability, P1T, P1R, P2T, P2R, P3T, P3R. Off until
            asked for: the modem of the original session has no V.44. The large dictionaries are what makes
            it better than V.42bis (docs/spec/v44.md); the lesser of both ends' values holds.
    """

    es: tuple[int, int, int] = (LAPM, 0, 2)
    ds: tuple[int, int, int, int] = (3, 0, 2048, 32)
    ds44: tuple[int, ...] = (0, 0, 0, 65535, 65535, 255, 255, 65535, 65535)

    def wanted(self, *, calling: bool) -> bool:
        """Return whether error control is tried."""
        return self.es[0] >= LAPM_AT_ONCE if calling else self.es[2] >= 2

    def required(self, *, calling: bool) -> bool:
        """Return whether a call without error control ends."""
        return self.es[1] >= 2 if calling else self.es[2] >= 4

    @property
    def detection(self) -> bool:
        """Whether the detection phase of V.42 takes place."""
        return self.es[0] != LAPM_AT_ONCE


ES_OF_M = {0: (BUFFERED, 0, 1), 4: (LAPM, 0, 2), 5: (LAPM, 3, 5)}
"""What &M writes into +ES."""

_DS44_ALLOWED = (
    *(range(4), range(2), range(1)),
    *(range(256, 65536),) * 2,
    *(range(32, 256),) * 2,
    *(range(512, 65536),) * 2,
)
"""V.44 (11/2000): 256 codewords, strings of 32 (of 255 at most) and a history of 512 are the least."""

_ALLOWED: dict[str, tuple[tuple[int, ...] | range, ...]] = {
    "+ES": _ES_ALLOWED,
    "+DS": (range(4), range(2), range(512, 65536), range(6, 251)),
    "+DS44": _DS44_ALLOWED,
}

FIELDS = {"+ES": "es", "+DS": "ds", "+DS44": "ds44"}
"""Command to attribute."""


def m_of_es(es: tuple[int, int, int]) -> int:
    """Return the &M that comes nearest to +ES."""
    if es[0] < LAPM_AT_ONCE:
        return 0
    return 5 if es[1] >= 2 else 4


def execute(command: Extended, settings: LinkSettings) -> tuple[LinkSettings, str | None]:
    """Execute +ES, +DS or +DS44; values left out stay as they are.

    Returns:
        The new settings, and the information text to show, if any.

    Raises:
        CommandRefused: A value is not supported.
    """
    name, allowed = command.name, _ALLOWED[command.name]
    values: tuple[int, ...] = getattr(settings, FIELDS[name])
    if command.operation == "?":
        return settings, f"{name}: {','.join(map(str, values))}"
    if command.operation == "=?":
        return settings, f"{name}: {','.join(map(_describe, allowed))}"
    if command.operation == "" or len(command.values) > len(allowed):
        raise CommandRefused(f"{name} takes up to {len(allowed)} values")
    new = list(values)
    for index, text in enumerate(command.values):
        if not text:
            continue
        if not (text.isascii() and text.isdigit()) or int(text) not in allowed[index]:
            raise CommandRefused(f"{name}: {text!r} is not supported as value {index + 1}")
        new[index] = int(text)
    return from_values(settings, {FIELDS[name]: new}), None


def _describe(values: tuple[int, ...] | range) -> str:
    if isinstance(values, range) and len(values) > 1:
        return f"({values[0]}-{values[-1]})"
    return f"({','.join(map(str, values))})"


def from_values(settings: LinkSettings, values: dict[str, list[int]]) -> LinkSettings:
    """Return the settings with some attributes replaced by lists of numbers.

    Raises:
        ValueError: A list has the wrong length.
    """
    for name, given in values.items():
        if len(given) != len(getattr(settings, name)):
            raise ValueError(f"{name}: {len(given)} values")
    return replace(settings, **{name: tuple(map(int, given)) for name, given in values.items()})  # type: ignore[arg-type]


def to_values(settings: LinkSettings) -> dict[str, list[int]]:
    """Return the settings as plain JSON values."""
    return {name: list(value) for name, value in zip(("es", "ds", "ds44"), astuple(settings), strict=True)}
