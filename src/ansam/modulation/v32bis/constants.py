"""Numbers and tables of V.32bis (02/91) and V.32 (03/93), each beside its clause.

All signal points stand on one scale: the figures' coordinates times a factor that gives the training states
A, B, C and D the power 1, so that gain and equaliser learnt in training fit the data that follow.
"""

import math
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ansam.modulation.base import ModulationSpec, Opening, Role
from ansam.units import SAMPLE_RATE

BAUD = 2400
"""V.32bis (02/91) §2.1."""
SAMPLES_PER_SYMBOL = SAMPLE_RATE / BAUD
SYMBOL_PHASES = 10
"""One symbol is 10/3 samples: three symbols are exactly 10."""
PHASES_PER_SAMPLE = 3
CARRIER_HZ = 1800.0
"""§2.1: the same in both directions, which an echo canceller tells apart."""
MAX_OFFSET_HZ = 7.0
"""§2.1."""
ROLL_OFF = 0.2
"""§2.2 only asks for -4.5 ± 2.5 dB at the band edges, 600 and 3000 Hz; the square root of a raised cosine has
-3 dB there. With 20 % the spectrum ends at 360 and 3240 Hz, within the telephone channel."""

SCRAMBLER_TAPS = {Role.CALLING: (18, 23), Role.ANSWERING: (5, 23)}
"""§4: exponents of GPC and GPA, by the role that *sends*; a receiver takes those of the other role."""


class Coding(IntEnum):
    """How bits become points: one value per signal space diagram, in the order of choice.

    V.32 (03/93) §2.4.1 has two codings at 9600 bit/s; V.32bis only the one with a trellis.
    """

    UNCODED_4800 = 0
    TRELLIS_7200 = 1
    UNCODED_9600 = 2
    TRELLIS_9600 = 3
    TRELLIS_12000 = 4
    TRELLIS_14400 = 5

    @property
    def bits(self) -> int:
        """Data bits per symbol."""
        return int(BITS_PER_SYMBOL[self])

    @property
    def rate(self) -> int:
        """Data signalling rate, bit/s."""
        return BAUD * self.bits

    @property
    def trellis(self) -> bool:
        """Whether there is a redundant bit Y0."""
        return self not in (Coding.UNCODED_4800, Coding.UNCODED_9600)

    @property
    def points(self) -> NDArray[np.complex128]:
        """The signal points by label (Y0 Y1 Y2 Q3 …, without Y0 where there is no trellis; Y0 is the MSB)."""
        return POINT_TABLE[self, : 1 << (self.bits + self.trellis)]


BITS_PER_SYMBOL = np.array([2, 3, 4, 4, 5, 6], np.int64)
"""By `Coding`."""
TRELLIS = np.array([0, 1, 0, 1, 1, 1], np.int64)
"""By `Coding`: 1 with a redundant bit."""
TRELLIS_RATES = {
    7200: Coding.TRELLIS_7200,
    9600: Coding.TRELLIS_9600,
    12000: Coding.TRELLIS_12000,
    14400: Coding.TRELLIS_14400,
}

SCALE = 1 / math.sqrt(40)
"""Of the coordinates of figures 2-1 and 2-2; those of the other figures are worth twice as much, since A is
(-6, -2) in the former and (-3, -1) in the latter. Mean power: 41/40 at 14 400 bit/s (+0.11 dB), 42/40 at
12 000 (+0.21 dB), 1 elsewhere; both modems of a recorded call rise by 0.10 dB from TRN to 14 400 bit/s."""

_FIGURE_2_1 = """
    -8,-3  8,-3  4,-3  4,-7 -4,-3 -4,-7  0,-3  0,-7 -8,1   8,1   4,1   4,5  -4,1  -4,5   0,1   0,5
     8,3  -8,3  -4,3  -4,7   4,3   4,7   0,3   0,7   8,-1 -8,-1 -4,-1 -4,-5  4,-1  4,-5  0,-1  0,-5
     2,-9  2,7   2,3   6,3   2,-5  6,-5  2,-1  6,-1 -2,-9 -2,7  -2,3  -6,3  -2,-5 -6,-5 -2,-1 -6,-1
    -2,9  -2,-7 -2,-3 -6,-3 -2,5  -6,5  -2,1  -6,1   2,9   2,-7  2,-3  6,-3  2,5   6,5   2,1   6,1
     9,2  -7,2  -3,2  -3,6   5,2   5,6   1,2   1,6   9,-2 -7,-2 -3,-2 -3,-6  5,-2  5,-6  1,-2  1,-6
    -9,-2  7,-2  3,-2  3,-6 -5,-2 -5,-6 -1,-2 -1,-6 -9,2   7,2   3,2   3,6  -5,2  -5,6  -1,2  -1,6
    -3,8  -3,-8 -3,-4 -7,-4 -3,4  -7,4  -3,0  -7,0   1,8   1,-8  1,-4  5,-4  1,4   5,4   1,0   5,0
     3,-8  3,8   3,4   7,4   3,-4  7,-4  3,0   7,0  -1,-8 -1,8  -1,4  -5,4  -1,-4 -5,-4 -1,0  -5,0
"""
"""Figure 2-1, 14 400 bit/s. A row per Y0 Y1 Y2, a column per Q3 Q4 Q5 Q6."""
_FIGURE_2_2 = """
     7,1   3,5   7,-7 -5,5   3,-3 -1,1  -1,-7 -5,-3
    -7,-1 -3,-5 -7,7   5,-5 -3,3   1,-1  1,7   5,3
    -1,5  -5,1   7,5  -5,-7  3,1  -1,-3  7,-3  3,-7
     1,-5  5,-1 -7,-5  5,7  -3,-1  1,3  -7,3  -3,7
    -5,-1 -1,-5 -5,7   7,-5 -1,3   3,-1  3,7   7,3
     5,1   1,5   5,-7 -7,5   1,-3 -3,1  -3,-7 -7,-3
     1,-7  5,-3 -7,-7  5,5  -3,-3  1,1  -7,1  -3,5
    -1,7  -5,3   7,7  -5,-5  3,3  -1,-1  7,-1  3,-5
"""
"""Figure 2-2, 12 000 bit/s. A column per Q3 Q4 Q5."""
_FIGURE_2_3 = """
    -4,1   0,-3  0,1   4,1
     4,-1  0,3   0,-1 -4,-1
    -2,3  -2,-1  2,3   2,-1
     2,-3  2,1  -2,-3 -2,1
    -3,-2  1,-2 -3,2   1,2
     3,2  -1,2   3,-2 -1,-2
     1,4  -3,0   1,0   1,-4
    -1,-4  3,0  -1,0  -1,4
"""
"""Figure 2-3, 9600 bit/s with trellis; the same as V.32 (03/93) table 3. A column per Q3 Q4."""
_FIGURE_2_4 = "3,-3 -1,1 -3,3 1,-1 3,1 -1,-3 -3,-1 1,3 -1,3 3,-1 1,-3 -3,1 -3,-3 1,1 3,3 -1,-1"
"""Figure 2-4, 7200 bit/s, by Y0 Y1 Y2 Q3."""
_FIGURE_2_5 = "-3,-1 1,-3 -1,3 3,1"
"""Figure 2-5, 4800 bit/s, by Y1 Y2."""
_TABLE_3_V32 = "-1,-1 -3,-1 -1,-3 -3,-3 1,-1 1,-3 3,-1 3,-3 -1,1 -1,3 -3,1 -3,3 1,1 3,1 1,3 3,3"
"""V.32 (03/93) table 3, nonredundant coding at 9600 bit/s, by Y1 Y2 Q3 Q4."""


def _points(figure: str, units: int) -> NDArray[np.complex128]:
    """Return a figure's points on the common scale; one of its units is `units` of those of figure 2-1."""
    pairs = [pair.split(",") for pair in figure.split()]
    return np.array([complex(int(x), int(y)) * units * SCALE for x, y in pairs], np.complex128)


POINT_TABLE = np.zeros((len(Coding), 128), np.complex128)
"""Points by `Coding` and label, filled up with zeros; for kernels."""
for _coding, _figure, _units in (
    (Coding.UNCODED_4800, _FIGURE_2_5, 2),
    (Coding.TRELLIS_7200, _FIGURE_2_4, 2),
    (Coding.UNCODED_9600, _TABLE_3_V32, 2),
    (Coding.TRELLIS_9600, _FIGURE_2_3, 2),
    (Coding.TRELLIS_12000, _FIGURE_2_2, 1),
    (Coding.TRELLIS_14400, _FIGURE_2_1, 1),
):
    _row = _points(_figure, _units)
    POINT_TABLE[_coding, : _row.size] = _row

STATE_A, STATE_B, STATE_C, STATE_D = 0, 1, 3, 2
"""Table 4: the training states as labels Y1 Y2 of figure 2-5; each is the one before it turned by +90
degrees."""
TRAINING_POINTS = Coding.UNCODED_4800.points
"""Points of the states A, B, C, D by their labels."""

DIFFERENTIAL = np.array([[1, 0, 3, 2], [3, 1, 2, 0], [0, 2, 1, 3], [2, 3, 0, 1]], np.int64)
"""Table 2 (table 1 of V.32): Y1 Y2 by the previous Y1 Y2 and Q1 Q2, without a trellis."""
DIFFERENTIAL_TRELLIS = np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 1, 0], [3, 2, 0, 1]], np.int64)
"""Table 1 (table 2 of V.32): the same with a trellis."""


def _inverted(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the table that gives Q1 Q2 by the previous and the present Y1 Y2."""
    return np.argsort(table, axis=1)


DIFFERENTIAL_INVERSE = _inverted(DIFFERENTIAL)
DIFFERENTIAL_TRELLIS_INVERSE = _inverted(DIFFERENTIAL_TRELLIS)

WORD_SYMBOLS = 8
"""§5.3: a rate sequence of 16 bits at 4800 bit/s."""
S_SYMBOLS = 256
S_BAR_SYMBOLS = 16
"""§5.2.1, §5.2.2."""
TRN_TWO_STATE = 256
TRN_MIN = 1280
TRN_MAX = 8192
"""§5.2.3, symbols: those of states A and C only, and the length of all."""
TRN_USUAL = 3072
"""What we send, 1.3 s: a vendor's receiver, which learns step by step, missed the only E in two calls of 20
after 1280 symbols, and in none of 40 after 3072 or more. Modems of the time trained for 3 s."""
B1_SYMBOLS = 128
"""§6.1, §6.2: scrambled ones before data, symbols."""
RENEGOTIATION_TONE = 56
RENEGOTIATION_REVERSED = 8
"""§8: the preamble, symbols."""
RENEGOTIATION_RATE_MIN = 64
"""§8.1, §8.2: R4 and R5 last so long, symbols."""
RENEGOTIATION_B1 = 24
"""§8.1, §8.2, symbols."""
CLEARDOWN_MIN = 64
"""§6 note 6, §8 note 2: a cleardown is repeated for so long, symbols."""

V32_SPEC = ModulationSpec(
    name="V.32",
    recommendation="V.32 (03/93)",
    ms_name="V32",
    data_rates=(4800, 9600),
    symbol_rates=(2400.0, 2400.0),
    carriers_hz={Role.CALLING: CARRIER_HZ, Role.ANSWERING: CARRIER_HZ},
    connect_name="V32",
    opening=Opening.CALLING,
)
V32BIS_SPEC = ModulationSpec(
    name="V.32bis",
    recommendation="V.32bis (02/91)",
    ms_name="V32B",
    data_rates=(4800, 7200, 9600, 12000, 14400),
    symbol_rates=(2400.0,) * 5,
    carriers_hz={Role.CALLING: CARRIER_HZ, Role.ANSWERING: CARRIER_HZ},
    connect_name="V32",
    opening=Opening.CALLING,
)
