"""Framing and mapping parameters of a data rate: V.34 (10/96) §8.2, §8.3 and §9.2, from their formulas.

Tables 8, 9 and 10 print what these give for each of the 130 pairs of symbol rate and data rate.
"""

from dataclasses import dataclass

from ansam.errors import LocalProtocolError
from ansam.modulation.v34.constants import AUXILIARY_RATE, SUPERFRAME_SECONDS, SymbolRate


def _pattern(step: int, period: int) -> tuple[int, ...]:
    """Spread `step` ones over `period` places with the counter of §8.2 and §8.3; the last one is 1."""
    counter = 0
    pattern = []
    for _ in range(period):
        counter += step
        pattern.append(1 if counter >= period else 0)
        counter -= period * pattern[-1]
    return tuple(pattern)


def _smallest_root_above(bits: int) -> int:
    """Return the smallest integer no less than 2^(bits/8), in whole numbers."""
    m = 1
    while m**8 < 1 << bits:
        m += 1
    return m


def _expanded_rings(bits: int) -> int:
    """Return the integer nearest to 1.25 * 2^(bits/8), halves up (§9.2), in whole numbers."""
    m = _smallest_root_above(bits)
    while (4 * m + 2) ** 8 <= 5**8 << bits:  # m + 1/2 <= 1.25 * 2^(bits/8)
        m += 1
    return m


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one direction's data mode that follow from its rates.

    Attributes:
        symbol_rate: S.
        rate: Primary channel data rate, bit/s.
        auxiliary: Whether the auxiliary channel of 200 bit/s is there.
        expanded: Whether the constellation is the expanded one, which allows shaping gain (MP bit 32).
    """

    symbol_rate: SymbolRate
    rate: int
    auxiliary: bool = False
    expanded: bool = False

    def __post_init__(self) -> None:
        if self.rate not in self.symbol_rate.rates:
            raise LocalProtocolError(
                f"V.34 has no {self.rate} bit/s at {self.symbol_rate.name} symbols per second"
            )

    @property
    def data_frame_bits(self) -> int:
        """N, bits of both channels in a data frame (8-1)."""
        aggregate = self.rate + AUXILIARY_RATE * self.auxiliary
        return int(aggregate * SUPERFRAME_SECONDS / self.symbol_rate.data_frames)

    @property
    def b(self) -> int:
        """Bits of both channels in a high mapping frame; a low one has one less (§8.2)."""
        return -(-self.data_frame_bits // self.symbol_rate.mapping_frames)

    @property
    def r(self) -> int:
        """High mapping frames in a data frame (8-2)."""
        return self.data_frame_bits - (self.b - 1) * self.symbol_rate.mapping_frames

    @property
    def swp(self) -> tuple[int, ...]:
        """The switching pattern: 1 for a high mapping frame (§8.2, Table 8)."""
        return _pattern(self.r, self.symbol_rate.mapping_frames)

    @property
    def amp(self) -> tuple[int, ...]:
        """Mapping frames whose first I1 is an auxiliary channel bit (§8.3, Table 9); none without it."""
        if not self.auxiliary:
            return (0,) * self.symbol_rate.mapping_frames
        return _pattern(self.symbol_rate.auxiliary_bits, self.symbol_rate.mapping_frames)

    @property
    def q(self) -> int:
        """Uncoded bits of a 2D symbol: the smallest number that makes K less than 32 (9-1)."""
        return max(0, -(-(self.b - 12 - 31) // 8))

    @property
    def k(self) -> int:
        """K, bits into the shell mapper (9-1)."""
        return max(0, self.b - 12 - 8 * self.q)

    @property
    def rings(self) -> int:
        """M, minimum or expanded as `expanded` says (§9.2)."""
        return _expanded_rings(self.k) if self.expanded else _smallest_root_above(self.k)

    @property
    def points(self) -> int:
        """L, points of the 2D constellation (9-2)."""
        return 4 * self.rings << self.q

    @property
    def w(self) -> int:
        """The precoder's quantising step is 2^w (9-29)."""
        return 1 if self.b < 56 else 2

    @property
    def superframe(self) -> int:
        """Mapping frames in a superframe."""
        return self.symbol_rate.data_frames * self.symbol_rate.mapping_frames
