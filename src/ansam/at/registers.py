"""S-registers: what each is, its default and its range.

Sources: US Robotics 56K Voice Faxmodem user's guide (1.024.1644-00) p. 74 and Courier V.Everything manual
p. 147-152; V.250 (07/2003) §6.2.1-§6.3.10 for S0 and S3 to S10. Where the two families differ, the consumer
56K has its way. A register whose meaning is a bit map is set bit by bit with `Sr.b=n`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Register:
    """One S-register.

    Attributes:
        default: Factory value.
        meaning: For the help screen and the manual.
        high: Largest value accepted; the smallest is 0.
        volatile: Not stored by &W (a counter, a test).
    """

    default: int
    meaning: str
    high: int = 255
    volatile: bool = False


USR_REGISTERS: Mapping[int, Register] = {
    0: Register(0, "Rings before the modem answers (0: does not answer)"),
    1: Register(0, "Rings counted so far", volatile=True),
    2: Register(43, "Escape character (128 and above: no escape)"),
    3: Register(13, "Carriage return character", high=127),
    4: Register(10, "Line feed character", high=127),
    5: Register(8, "Backspace character", high=127),
    6: Register(2, "Seconds to wait for dial tone, or before dialling blind"),
    7: Register(60, "Seconds to wait for a carrier"),
    8: Register(2, "Seconds a comma pauses in a dial string"),
    9: Register(6, "Carrier detect time, 1/10 s"),
    10: Register(7, "Carrier loss time before hang-up, 1/10 s"),
    11: Register(70, "Length of a DTMF tone, ms"),
    12: Register(50, "Guard time of the escape sequence, 1/50 s"),
    13: Register(0, "Bits: DTR drop 1 resets, 8 dials; 64 no quick retrain, 128 +++ ends"),
    14: Register(1, "Reserved"),
    15: Register(0, "Bits: 1 no HF equaliser, 2 no fall-back"),
    16: Register(0, "Test mode", volatile=True),
    17: Register(0, "Reserved"),
    18: Register(0, "Test timer, s", volatile=True),
    19: Register(0, "Minutes of silence before hang-up (0: never)"),
    20: Register(0, "Reserved"),
    21: Register(10, "Length of a break, 1/100 s"),
    22: Register(17, "XON character"),
    23: Register(19, "XOFF character"),
    24: Register(150, "DSR pulse, 1/50 s"),
    25: Register(20, "DTR recognition time, 1/100 s"),
    26: Register(1, "RTS to CTS delay, 1/100 s"),
    27: Register(0, "Bits: 1 V.21, 2 V.32 uncoded; no 4 V.32, 8 2100 Hz, 32 V.32bis"),
    28: Register(8, "V.32 answer tones, 1/10 s (0: none, 255: V.32 at 9600 only)"),
    29: Register(20, "V.21 fall-back time, 1/10 s"),
    30: Register(0, "Reserved"),
    31: Register(128, "Reserved"),
    32: Register(2, "Bits: 1 CI, 2 V.8; no 8 V.FC, 16 V.34, 32 V.34+, 128 V.90"),
    33: Register(0, "V.34 symbol rate mask"),
    34: Register(0, "Bits: 8 V.23, 64 no busy message"),
    35: Register(1, "Calling tone"),
    36: Register(14, "Reserved"),
    37: Register(0, "Line rate"),
    38: Register(0, "Seconds between DTR drop and hang-up"),
    **{n: Register(0, "Reserved") for n in (39, 40)},
    41: Register(0, "Remote access tries"),
    42: Register(126, "Remote escape character"),
    43: Register(200, "Remote escape guard time, 1/50 s"),
    44: Register(15, "Leased line reconnect, s"),
    **{n: Register(0, "Reserved") for n in range(45, 51)},
    51: Register(0, "Bits: no error control in 1 V.22, 2 V.22bis, 4 V.32; 64 no SREJ"),
    52: Register(0, "Reserved"),
    53: Register(0, "Dial security"),
    54: Register(0, "No 1 2400, 2 2743, 4 2800, 8 3000, 16 3200, 32 3429, 64 CI, 128 V.8"),
    55: Register(0, "Bits: no 1 8S-2D, 2 16S-4D, 4 32S-4D, 8 64S-4D"),
    56: Register(0, "No 1 nonlinear, 2 level, 4 preemphasis, 8 precoding, 16 shape, 64 V.34"),
    **{n: Register(0, "Reserved") for n in range(57, 71)},
}


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
        return self._values[number]

    def __setitem__(self, number: int, value: int) -> None:
        self._values[number] = min(max(value, 0), 255)

    def __contains__(self, number: int) -> bool:
        return number in self._values

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    def accepts(self, number: int, value: int) -> bool:
        """Return whether register `number` exists and takes `value`."""
        register = self._table.get(number)
        return register is not None and 0 <= value <= register.high

    def stored(self) -> dict[int, int]:
        """Return what &W keeps."""
        return {n: value for n, value in self._values.items() if not self._table[n].volatile}
