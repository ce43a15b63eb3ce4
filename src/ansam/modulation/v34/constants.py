"""Numbers and tables of V.34 (10/96), each beside its clause; what follows from a formula is made by it."""

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

from ansam.modulation.base import Role

SUPERFRAME_SECONDS = Fraction(28, 100)
"""§8.1."""
SYMBOLS_PER_FRAME = 8
"""2D symbols of a mapping frame (§8.1): four 4D symbols of two."""
FRAME_BITS = 79
"""The largest b in Table 8."""


@dataclass(frozen=True, slots=True)
class SymbolRate:
    """One of the six symbol rates.

    Attributes:
        index: The number INFO sequences use, 0 to 5 (§10.1.2.3.5).
        name: Its rounded value, symbols per second.
        baud: Its exact value, 2400 a/c (Table 1).
        low: Low carrier as a fraction of the symbol rate, d/e (Table 2).
        high: High carrier likewise.
        data_frames: J, data frames in a superframe (Table 7).
        mapping_frames: P, mapping frames in a data frame (Table 7).
        auxiliary_bits: W, auxiliary channel bits in a data frame (§8.3).
        top_rate: Highest data rate without the auxiliary channel, bit/s (Table 8).
    """

    index: int
    name: int
    baud: Fraction
    low: Fraction
    high: Fraction
    data_frames: int
    mapping_frames: int
    auxiliary_bits: int
    top_rate: int

    @property
    def bottom_rate(self) -> int:
        """Lowest data rate, bit/s: 2400 exists at 2400 symbols per second alone (Table 8)."""
        return 2400 if self.name == 2400 else 4800

    @property
    def rates(self) -> tuple[int, ...]:
        """The data rates without the auxiliary channel, bit/s, rising (Table 8)."""
        return tuple(range(self.bottom_rate, self.top_rate + 1, 2400))

    def carrier_hz(self, high: bool) -> float:
        """Return a carrier frequency (§5.3)."""
        return float(self.baud * (self.high if high else self.low))


def _rate(
    index: int, name: int, ac: tuple[int, int], carriers: tuple[int, int, int, int], jp: str, top: int
) -> SymbolRate:
    a, c = ac
    d_low, e_low, d_high, e_high = carriers
    j, p = (int(number) for number in jp.split())
    return SymbolRate(
        index=index,
        name=name,
        baud=Fraction(2400 * a, c),
        low=Fraction(d_low, e_low),
        high=Fraction(d_high, e_high),
        data_frames=j,
        mapping_frames=p,
        auxiliary_bits=56 // j,  # 200 bit/s for 280 ms
        top_rate=top,
    )


SYMBOL_RATES = (
    _rate(0, 2400, (1, 1), (2, 3, 3, 4), "7 12", 21600),
    _rate(1, 2743, (8, 7), (3, 5, 2, 3), "8 12", 26400),
    _rate(2, 2800, (7, 6), (3, 5, 2, 3), "7 14", 26400),
    _rate(3, 3000, (5, 4), (3, 5, 2, 3), "7 15", 28800),
    _rate(4, 3200, (4, 3), (4, 7, 3, 5), "7 16", 31200),
    _rate(5, 3429, (10, 7), (4, 7, 4, 7), "8 15", 33600),
)
"""Tables 1, 2, 7 and 8, by the index of INFO sequences."""


def symbol_rate(name: int) -> SymbolRate:
    """Return the symbol rate with a rounded value.

    Raises:
        KeyError: There is none such.
    """
    return {rate.name: rate for rate in SYMBOL_RATES}[name]


RATE_STEP = 2400
"""Data rates are multiples of it (§5.1), bit/s."""
TOP_RATE = 33600
AUXILIARY_RATE = 200
"""§5.1, bit/s."""

INVERSIONS = {7: "01110111111110", 8: "0111011111111010"}
"""Table 12, by J: bit inversions V0, one per half data frame, the first bit first."""

SCRAMBLER_TAPS = {Role.CALLING: (18, 23), Role.ANSWERING: (5, 23)}
"""(7-1) and (7-2), by the role of the modem that sends."""


class Trellis(IntEnum):
    """The convolutional encoder; the value is that of MP bits 29:30 (§10.1.3.9)."""

    STATES_16 = 0
    STATES_32 = 1
    STATES_64 = 2

    @property
    def states(self) -> int:
        """How many states it has."""
        return 16 << self.value


THETA = 0.3125
"""The non-linear encoder's constant where it is not 0 (§9.7)."""

J_4 = "0000100110010001"
J_16 = "0000110110010001"
"""Table 18."""
J_PRIME = "1111100110010001"
"""Table 19."""
E_BITS = 20
"""§10.1.3.2."""
S_SYMBOLS = 128
S_BAR_SYMBOLS = 16
"""§11.3, §11.4."""
TRN_SYMBOLS = 512
"""§11.3.1: the least length of TRN."""
PP_SYMBOLS = 288
"""§10.1.3.6."""
MD_STEP_SECONDS = Fraction(35, 1000)
"""Tables 15 and 16: unit of the length of MD."""
