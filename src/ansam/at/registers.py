"""S-registers: their values, and what a make of modem says of each.

Which registers there are, their defaults and meanings stand in the personality files. S0 to S12 mean the same
on every make (V.250 (07/2003) §6.2.1-§6.3.10); above them each make has its own. The modem asks for those by
their US Robotics meaning (`Registers.usr`), and gets the default where the make at hand means something else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

COMMON = 12
"""Up to here a register means the same on every make; S25 does so too."""

USR_DEFAULTS: Mapping[int, int] = {
    **{13: 0, 15: 0, 16: 0, 18: 0, 19: 0, 21: 10, 22: 17, 23: 19, 24: 150, 26: 1, 27: 0, 28: 8, 29: 20},
    **{32: 2, 33: 0, 34: 0, 38: 0, 51: 0, 53: 0, 54: 0, 55: 0, 56: 0, 70: 0, 95: 0},
}
"""What the modem asks for by its US Robotics meaning, with the value that changes nothing."""


@dataclass(frozen=True, slots=True)
class Register:
    """One S-register.

    Attributes:
        default: Factory value.
        meaning: For the help screen and the manual.
        high: Largest value accepted; the smallest is 0.
        volatile: Not stored by &W (a counter, a test).
        acts: It has an effect on this modem; otherwise it is kept and shown, and the help says so.
        usr: It means what it means on US Robotics modems.
        part: What of it acts, for the help screen, where not all of it does.
    """

    default: int
    meaning: str
    high: int = 255
    volatile: bool = False
    acts: bool = True
    usr: bool = True
    part: str = ""


class Registers:
    """The values of one modem's S-registers; `s[n]` reads and writes.

    Args:
        table: The registers there are.
    """

    __slots__ = ("_table", "_values")

    def __init__(self, table: Mapping[int, Register]) -> None:
        self._table = table
        self._values = {number: register.default for number, register in table.items()}

    def __getitem__(self, number: int) -> int:
        return self._values[number] if number in self._values else USR_DEFAULTS[number]

    def __setitem__(self, number: int, value: int) -> None:
        self._values[number] = min(max(value, 0), 255)

    def __contains__(self, number: int) -> bool:
        return number in self._values

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    def usr(self, number: int) -> int:
        """Return what register `number` says where it has its US Robotics meaning, else the neutral value."""
        register = self._table.get(number)
        if register is None or not register.usr:
            return USR_DEFAULTS[number]
        return self._values[number]

    def accepts(self, number: int, value: int) -> bool:
        """Return whether register `number` exists and takes `value`."""
        register = self._table.get(number)
        return register is not None and 0 <= value <= register.high

    def stored(self) -> dict[int, int]:
        """Return what &W keeps."""
        return {n: value for n, value in self._values.items() if not self._table[n].volatile}
