"""The channel that phase 2 talks over: 600 bit/s, binary DPSK, and the tones A and B (V.34 (10/96) §10.1.2).

The calling end sends at 1200 Hz, the answering end at 2400 Hz with a guard tone at 1800 Hz; both may talk at
once. A tone is the same signal with zeros for bits, so that a sequence passes into a tone without a break.
"""

from enum import IntFlag

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.dsp.pulse import shaping_table
from ansam.modulation.base import Role
from ansam.modulation.v34 import tones
from ansam.modulation.v34.info import Info, decode
from ansam.units import SAMPLE_RATE, Audio, Bits, Samples, dbm0_from_power, rms_from_dbm0

CARRIER_HZ = {Role.CALLING: 1200.0, Role.ANSWERING: 2400.0}
"""Tone B and tone A (V.34 (10/96) §10.1.2.1, §10.1.2.2)."""
ANSWERING_BELOW_DB = 1.0
GUARD_BELOW_DB = 7.0
"""§10.1.2.3.1; together with the guard tone the answering end then has the nominal power.

Unclear: beside tone A, §10.1.2.1 has the guard tone *at* the nominal power, 2.5 dB too much in all.
Deviation: we keep it 7 dB below there too, so that the power does not jump between INFO0a and A.
"""
MIN_TONE_DBM0 = -46.0

HALF_SPAN = 3
"""Symbols on either side of the shaping pulse."""
_PHASES = 40
"""A symbol is 40/3 samples."""
_PULSE = shaping_table(tones.ROLL_OFF, HALF_SPAN, 2.0, _PHASES)
_PULSE /= _PULSE.sum(axis=1, keepdims=True)
SEQUENCE_TAIL: Samples = round((HALF_SPAN + 0.5) * _PHASES / 3)
"""From the instant at which the last queued bit is used up to the end of that bit on the line."""

_SENDER = np.dtype(
    [
        ("phase", "i8"),  # symbol clock, fortieths of a symbol
        ("carrier", "i8"),
        ("carrier_step", "i8"),
        ("guard", "i8"),
        ("level", "f8"),
        ("guard_level", "f8"),
        ("sign", "f8"),  # of the carrier: turned by reversals
        ("point", "f8"),  # the newest point, +1 or -1
        ("newest", "i8"),
    ]
)
_SENDERS = types.Array(from_dtype(_SENDER), 1, "C")
_COSINE = np.cos(2 * np.pi * np.arange(tones.TONE_STEPS) / tones.TONE_STEPS)


@njit(types.int64(_SENDERS, types.float64[::1], types.uint8[::1], types.float32[::1]), cache=True, nogil=True)
def _send(state: tones.Record, line: NDArray[np.float64], bits: Bits, out: Audio) -> int:
    """Add samples to `out`; return the bits used up, zeros following where they end."""
    s = state[0]
    size = line.size // 2
    taken = 0
    for n in range(out.size):
        if s.phase < 3:
            if taken < bits.size:
                if bits[taken]:
                    s.point = -s.point
                taken += 1
            s.newest = (s.newest + 1) % size
            line[s.newest] = line[s.newest + size] = s.point
        envelope = 0.0
        for j in range(size):
            envelope += _PULSE[s.phase, j] * line[s.newest + size - j]
        out[n] += s.level * s.sign * envelope * _COSINE[s.carrier] + s.guard_level * _COSINE[s.guard]
        s.carrier = (s.carrier + s.carrier_step) % _COSINE.size
        s.guard = (s.guard + 9) % _COSINE.size
        s.phase = (s.phase + 3) % _PHASES
    return taken


class InfoSender:
    """One end's sender of INFO sequences and of its tone.

    Begins and ends on the very sample, and so does a reversal: nothing shapes those (§10.1.2.1, Note).

    Args:
        role: Of this end.
        level_dbm0: Nominal power, guard tone included.
    """

    def __init__(self, role: Role, level_dbm0: float) -> None:
        self.role = role
        self._state = np.zeros(1, _SENDER).view(np.recarray)
        self._line = np.zeros(4 * HALF_SPAN)
        self._bits = np.zeros(0, np.uint8)
        self.on = False
        self.set_level(level_dbm0)
        self._state[0].carrier_step = round(CARRIER_HZ[role] * tones.TONE_STEPS / SAMPLE_RATE)

    def set_level(self, level_dbm0: float) -> None:
        """Change the nominal power."""
        s = self._state[0]
        answering = self.role is Role.ANSWERING
        s.level = np.sqrt(2) * rms_from_dbm0(level_dbm0 - ANSWERING_BELOW_DB * answering)
        s.guard_level = np.sqrt(2) * rms_from_dbm0(level_dbm0 - GUARD_BELOW_DB) if answering else 0.0

    def begin(self) -> None:
        """Send the tone from the next sample on; the point that precedes a first sequence is part of it."""
        s = self._state[0]
        s.phase, s.newest, s.point, s.sign = 0, 0, 1.0, 1.0
        self._line[:] = 1.0
        self._bits = np.zeros(0, np.uint8)
        self.on = True

    def stop(self) -> None:
        """Be silent from the next sample on."""
        self.on = False

    def queue(self, bits: Bits) -> None:
        """Send bits after those that are queued, then the tone again."""
        self._bits = np.concatenate((self._bits, np.asarray(bits, np.uint8)))

    def drop(self) -> None:
        """Forget the bits that are queued: the tone again."""
        self._bits = self._bits[:0]

    def reverse(self) -> None:
        """Turn the phase by 180 degrees, at once."""
        self._state[0].sign *= -1

    @property
    def time_left(self) -> Samples:
        """Samples until the queued bits have been used up; their last ends `SEQUENCE_TAIL` later."""
        if not len(self._bits):
            return 0
        phase = int(self._state[0].phase)
        ahead = _PHASES * (len(self._bits) - (phase < 3)) - phase
        return -(-ahead // 3) + 1

    def add_to(self, out: Audio) -> None:
        """Add the next samples to `out`, shape (n,) float32."""
        if self.on and len(out):
            self._bits = self._bits[_send(self._state, self._line, self._bits, out) :]


class Hearing(IntFlag):
    """What the receiver can report; it stops at the sample where one that is watched for becomes certain."""

    NONE = 0
    FRAME = tones.FRAME
    """An INFO sequence."""
    MARKS = tones.MARKS
    """INFOMARKS: 32 ones in a row."""
    TONE = tones.TONE
    """The far end's tone, for as long as was asked for."""
    TONE_GONE = tones.TONE_GONE
    """It is over."""
    REVERSAL = tones.REVERSAL
    """Its phase has been reversed."""
    QUIET = tones.QUIET
    """After something in the band there is nothing any more."""


class InfoReceiver:
    """Hears what one end sends in phase 2.

    Args:
        far: The role of that end.

    Attributes:
        reversal_at: Instant of the last reversal on the line, in samples of the stream.
        steady_before: Samples of steady tone before it, 120 at least.
        reversal_certain: False where erased samples hid it: then the instant is the middle of the gap.
        frame: The last sequence.
        frame_filled: A lost packet hid bits of it, which the CRC gave back: it proves little then.
        frame_end: When its last CRC bit ended on the line.
    """

    DELAY: Samples = tones.HALF_TAPS
    """From the line to the decision."""

    def __init__(self, far: Role) -> None:
        self.reversal_at = 0.0
        self.reversal_certain = True
        self.steady_before: Samples = 0
        self.frame: Info | None = None
        self.frame_end = 0.0
        self.frame_filled = False
        self._pieced: Info | None = None
        self._pieced_end = 0.0
        self._mix = tones.mixing_table(CARRIER_HZ[far])
        self._ring = np.zeros(2 * tones.RING, np.complex64)
        self._history = np.zeros(tones.HISTORY, np.complex128)
        self._turned = np.zeros(tones.HISTORY, np.complex128)
        self._registers, self._doubts = tones.registers()
        self._valid = np.zeros(tones.STEPS, np.int64)
        self._ones = np.zeros(tones.STEPS, np.int64)
        self._state = np.zeros(1, tones.STATE).view(np.recarray)
        self._state[0].power_min = 2 * rms_from_dbm0(MIN_TONE_DBM0) ** 2
        self.watch(Hearing.FRAME)

    def watch(
        self,
        what: Hearing,
        tone: Samples = 400,
        beside_probe: bool = False,
        quiet: Samples = 480,
        fill: int = 0,
    ) -> None:
        """Set what to stop at.

        Args:
            what: Any of them.
            tone: How long a tone must have been there without a reversal; 50 ms at least.
            beside_probe: L1 or L2 are being sent, and their echo may be louder than the tone.
            quiet: How long the band must have been silent, for one that was not since this call.
            fill: Span of the sequences of which to work out what a lost packet has hidden; 0: none.
        """
        s = self._state[0]
        s.watch = int(what)
        s.tone_limit = round(tone / tones.STEP_SAMPLES)
        s.beside_probe = int(beside_probe)
        s.quiet_limit = round(quiet / tones.STEP_SAMPLES)
        s.quiet, s.peak = 0, s.power
        s.fill = fill

    def process(self, rx: Audio, erased: bool = False) -> tuple[int, Hearing]:
        """Take samples until the end or the first watched happening; return (samples taken, what was heard).

        Args:
            rx: Shape (n,) float32.
            erased: They never arrived.
        """
        s = self._state[0]
        s.events = 0
        taken = tones.listen(
            self._state,
            rx,
            erased,
            self._mix,
            self._ring,
            self._history,
            self._turned,
            self._registers,
            self._doubts,
            self._valid,
            self._ones,
        )
        heard = Hearing(int(s.events))
        if Hearing.FRAME in heard and not self._take_frame():
            heard &= ~Hearing.FRAME
        if Hearing.REVERSAL in heard:
            self.reversal_at = float(s.instant)
            self.reversal_certain = bool(s.certain)
            self.steady_before = round(int(s.steady) * tones.STEP_SAMPLES)
        return int(taken), heard

    def _take_frame(self) -> bool:
        """Read the sequence found; one with a gap must look the same with two timings of the eight."""
        s = self._state[0]
        frame, end = decode(self._registers[tones.STEPS, -int(s.span) :].copy()), float(s.frame_end)
        if frame is None:
            # The beginning of a longer one: its bits still belong together.
            self._valid[:] = s.span
            return False
        if s.filled:
            same = frame == self._pieced and end - self._pieced_end < tones.STEPS * tones.STEP_SAMPLES
            self._pieced, self._pieced_end = frame, end
            if not same:
                return False
            self._valid[:] = 0
        self.frame, self.frame_end, self.frame_filled = frame, end, bool(s.filled)
        return True

    def forget_tone(self) -> None:
        """A tone that is there counts from now on only."""
        s = self._state[0]
        s.run, s.pure, s.good, s.bad, s.judged = 0, 0, 0, 0, 0

    @property
    def tone_for(self) -> Samples:
        """For how long the tone has been there; 0: it is not, or not for certain."""
        s = self._state[0]
        return round(int(s.run) * tones.STEP_SAMPLES) if s.good >= tones.SURE else 0

    @property
    def tone_dbm0(self) -> float:
        """Its level, as last heard."""
        return dbm0_from_power(float(self._state[0].tone_power) / 2)

    @property
    def marking(self) -> bool:
        """Whether the last 32 bits are ones for some timing, as in INFOMARKS."""
        return int(self._ones.max()) >= tones.MARK_BITS

    @property
    def level_dbm0(self) -> float:
        """Level in the band of the last 10 ms."""
        return dbm0_from_power(float(self._state[0].power) / 2)

    @property
    def offset_hz(self) -> float:
        """How much higher the carrier is than its nominal frequency."""
        return float(self._state[0].turn) * tones.BAUD * tones.STEPS / (2 * np.pi)
