"""Numbers and tables of V.22bis (11/88) and V.22 (11/88), each beside its clause."""

import numpy as np

from ansam.modulation.base import ModulationSpec, Role
from ansam.units import SAMPLE_RATE, Samples, samples

BAUD = 600
"""V.22bis (11/88) §2.5.1."""
SAMPLES_PER_SYMBOL = SAMPLE_RATE / BAUD
SYMBOL_PHASES = 40
"""One symbol is 40/3 samples: three symbols are exactly 40."""
PHASES_PER_SAMPLE = 3
ROLL_OFF = 0.75
"""§2.4: square root of a raised cosine with 75 % roll-off."""

CARRIER_LOW_HZ = 1200.0
CARRIER_HIGH_HZ = 2400.0
"""§2.1, §6.1.1: the calling modem transmits in the low channel."""
TX_CARRIER_HZ = {Role.CALLING: CARRIER_LOW_HZ, Role.ANSWERING: CARRIER_HIGH_HZ}
MAX_OFFSET_HZ = 7.0
"""§2.6."""

GUARD_TONE_BELOW_DATA_DB = {1800: 6.0, 550: 3.0}
"""§2.2: level of the guard tone below the data signal."""

SCRAMBLER_TAPS = (14, 17)
SCRAMBLER_GUARD = 64
"""§5.1."""

POINTS = np.array([1 + 1j, 3 + 1j, 1 + 3j, 3 + 3j], np.complex128)
"""Figure 2, quadrant 1, by the last two bits of the quadbit; quadrant q + 1 is quadrant q turned by +90
degrees."""
POINT_1200 = 1
"""§2.5.2.2: at 1200 bit/s the point labelled 01."""
MEAN_ENERGY = 10.0
"""Mean square of the constellation, the same at both rates."""
QUADRANT_CHANGE = np.array([1, 0, 2, 3], np.int64)
"""Table 1: quarter turns by dibit 00, 01, 10, 11 (first bit is the left one)."""
DIBIT = np.array([1, 0, 2, 3], np.int64)
"""Table 1 inverted: the dibit by quarter turns 0, 1, 2, 3."""

CIRCUIT_109_ON_DBM0 = -43.0
CIRCUIT_109_OFF_DBM0 = -48.0
"""§3.3."""

MARK_HEARD = samples(0.155)
"""§6.3.1.1.1 b): unscrambled binary 1 must have been heard this long."""
MARK_PAUSE = samples(0.456)
"""§6.3.1.1.1 b): then the calling modem stays silent this long."""
S1_LENGTH = samples(0.100)
"""§6.3.1.1.1 b): 60 symbols."""
SCRAMBLED_HEARD = samples(0.270)
"""§6.3.1.1.1 c)."""
START_16WAY = samples(0.450)
START_2400 = samples(0.600)
"""§6.3.1.1.1 d), after circuit 112 went ON."""
CONFIRM_2400 = samples(0.200)
"""§6.3.1.1.1 e)."""
CONFIRM_1200 = samples(0.765)
"""§6.3.1.2.1 d)."""
ONES_TO_UNCLAMP = 32
"""§6.3.1.1.1 f), bits."""
RETRAIN_REPEAT = samples(1.2)
"""§6.4: longest two-way propagation expected; an unanswered retrain signal is sent again after it."""
CLAMP_AFTER_DROPOUT: Samples = samples(0.100)
"""§6.5."""

BELL_MARK_HEARD = samples(4.3)
"""Longer than any V.25 answer tone (3300 + 700 ms): 2225 Hz that still goes on is the mark of a Bell 212A
answerer (Note to §6.3.1.2.2), no longer an answer tone before one."""

V22_SPEC = ModulationSpec(
    name="V.22",
    recommendation="V.22 (11/88)",
    ms_name="V22",
    data_rates=(1200,),
    symbol_rates=(600.0,),
    carriers_hz=TX_CARRIER_HZ,
)
V22BIS_SPEC = ModulationSpec(
    name="V.22bis",
    recommendation="V.22bis (11/88)",
    ms_name="V22B",
    data_rates=(1200, 2400),
    symbol_rates=(600.0, 600.0),
    carriers_hz=TX_CARRIER_HZ,
)
