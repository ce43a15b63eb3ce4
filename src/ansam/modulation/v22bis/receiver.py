"""The receiver as an object: what it is to watch for, what it decides, what it knows about the line."""

import math
from collections import deque
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from ansam.modulation.base import Role
from ansam.modulation.v22bis import receiver_kernel, receiver_state
from ansam.modulation.v22bis.constants import (
    BAUD,
    BELL_MARK_HEARD,
    CIRCUIT_109_OFF_DBM0,
    CIRCUIT_109_ON_DBM0,
    CLAMP_AFTER_DROPOUT,
    MARK_HEARD,
    MEAN_ENERGY,
    SAMPLES_PER_SYMBOL,
    SCRAMBLED_HEARD,
    TX_CARRIER_HZ,
)
from ansam.units import SAMPLE_RATE, Audio, Bits, Samples, dbm0_from_power, rms_from_dbm0, samples

DETECTOR_DELAY: Samples = receiver_state.HALF_TAPS + 60
"""From a pattern's end on the line to `Heard.S1_END`: the matched filter, and the decay of the
correlation."""
_FOUR_WAY_ERROR = 1.0
"""Mean square error with 4-way decisions that a signal of sixteen points always exceeds."""
_ERASURES = 64
"""Erasures remembered; a second of line has at most 25 apart from each other."""
_RAMP = 100
"""Samples by which the run of a pattern is counted short, because the correlation must first build up."""
_SCRAMBLED_RAMP = 280
"""The same for a scrambled signal, and the filters of both ends."""
_S1_PLACE = (samples(0.2), samples(0.8))
"""How long ago S1 was, at least and at most, when scrambled ones after it have been heard for long enough."""
_S1_HIDDEN = samples(0.03)
"""Of lost packets that could hide it; a single one could not."""
_ONES = 160
"""Ones (or zeros) that must have been counted when the time is over; acquisition took the rest."""


class Heard(IntFlag):
    """What the receiver can report; it stops at the sample where one that is watched for becomes certain."""

    NONE = 0
    MARK = receiver_state.MARK
    """Unscrambled binary 1 at 1200 bit/s for 155 ms (V.22bis (11/88) §6.3.1.1.1 b)."""
    BELL_MARK = receiver_state.BELL_MARK
    """2225 Hz for longer than an answer tone lasts."""
    S1 = receiver_state.S1
    """Unscrambled double dibit 00 and 11."""
    S1_END = receiver_state.S1_END
    """The end of it."""
    ONES_1200 = receiver_state.ONES_1200
    """Scrambled binary 1 (or 0) at 1200 bit/s for 270 ms."""
    ONES_2400 = receiver_state.ONES_2400
    """32 consecutive binary ones, descrambled at 2400 bit/s."""
    CARRIER_GONE = receiver_state.CARRIER_GONE
    """No carrier for as long as S10 allows."""
    BAD_SIGNAL = receiver_state.BAD_SIGNAL
    """Decisions have been mere guesses for a second: equalisation is lost."""
    FOUR_WAY = receiver_state.FOUR_WAY
    """With 16-way decisions: the far end sends the four points of 1200 bit/s, steadily."""


def _matched_power(level_dbm0: float) -> float:
    """Return the mean square of the matched filter's complex output for a data signal of that level."""
    return 2 * receiver_state.MATCHED_POWER_SHARE * rms_from_dbm0(level_dbm0) ** 2


class Receiver:
    """One end's receiver.

    Args:
        role: Of this end; the receiver listens in the other's channel.
        carrier_loss: Samples without carrier until `Heard.CARRIER_GONE` (S10).
    """

    def __init__(self, role: Role, carrier_loss: Samples) -> None:
        self._carrier_hz = TX_CARRIER_HZ[role.other]
        angle = 2 * np.pi * self._carrier_hz / SAMPLE_RATE * np.arange(receiver_state.TONE_STEPS)
        self._mix = (2 * np.cos(angle), -2 * np.sin(angle))
        self._ring = (
            np.zeros(2 * receiver_state.RING, np.float32),
            np.zeros(2 * receiver_state.RING, np.float32),
        )
        self._line = np.zeros(2 * receiver_state.EQUALISER_TAPS, np.complex128)
        self._taps = np.zeros(receiver_state.EQUALISER_TAPS, np.complex128)
        self._points = np.zeros(receiver_state.HISTORY, np.complex128)
        self._bits = np.zeros(0, np.uint8)
        self._heard_for: Samples = 0
        self._erasures: deque[tuple[Samples, Samples]] = deque(maxlen=_ERASURES)
        self._state = np.zeros(1, receiver_state.STATE).view(np.recarray)
        s = self._state[0]
        s.power_on = _matched_power(CIRCUIT_109_ON_DBM0)
        s.power_off = _matched_power(CIRCUIT_109_OFF_DBM0)
        s.gone_limit = carrier_loss
        half = SAMPLES_PER_SYMBOL / 2
        s.mark_limit = round((MARK_HEARD - _RAMP) / half)
        s.bell_limit = round((BELL_MARK_HEARD - _RAMP) / half)
        s.ones_limit = _ONES
        s.signal_limit = round((SCRAMBLED_HEARD - _SCRAMBLED_RAMP) / half)
        s.clamp_limit = round(CLAMP_AFTER_DROPOUT / half)
        s.bad_limit = BAUD
        s.gain = 1.0
        s.acquire = 1
        receiver_state.restart_acquisition(self._state, self._taps)
        self.decide(2)

    def process(self, rx: Audio, erased: bool) -> tuple[int, Heard, Bits]:
        """Take samples until the end or the first watched event.

        Returns:
            (samples taken, what was heard, bits delivered).
        """
        room = 4 * (round(rx.size / SAMPLES_PER_SYMBOL) + 2)
        if self._bits.size < room:
            self._bits = np.zeros(room, np.uint8)
        s = self._state[0]
        s.bits = 0
        s.events = 0
        taken = receiver_kernel.receive(
            self._state, rx, erased, *self._ring, *self._mix, self._line, self._taps, self._points, self._bits
        )
        self._note_erasure(int(taken), erased)
        return int(taken), Heard(int(s.events)), self._bits[: int(s.bits)].copy()

    def _note_erasure(self, taken: Samples, erased: bool) -> None:
        begin = self._heard_for
        self._heard_for += taken
        if erased and taken:
            joined = self._erasures and self._erasures[-1][1] == begin
            first = self._erasures.pop()[0] if joined else begin
            self._erasures.append((first, self._heard_for))

    def watch(self, events: Heard) -> None:
        """Set what to stop at."""
        self._state[0].watch = int(events)

    def decide(self, bits_per_symbol: int) -> None:
        """Make 4-way (2 bits) or 16-way (4 bits) decisions from the next symbol on."""
        s = self._state[0]
        s.sixteen = int(bits_per_symbol == 4)
        s.ones_run = 0
        s.four_score = 0
        s.bad_run = 0
        # The error of mere guesses is 2.0 with 4-way and 0.67 with 16-way decisions.
        s.bad_error = 0.42 if bits_per_symbol == 4 else 1.6

    def deliver(self, on: bool) -> None:
        """Clamp circuit 104 (False), or let bits out (True)."""
        self._state[0].deliver = int(on)

    def learn(self, on: bool) -> None:
        """Let a new signal reset gain, timing, carrier and equaliser (start-up), or not (data)."""
        s = self._state[0]
        s.acquire = int(on)
        s.relative = int(not on)
        s.usual = s.power

    def restart(self) -> None:
        """Forget what was learnt and acquire the signal on the line afresh."""
        receiver_state.restart_acquisition(self._state, self._taps)
        s = self._state[0]
        s.acquire = 1
        s.bad_run = 0

    @property
    def guessing(self) -> bool:
        """Whether decisions are little better than guesses, and the equaliser's taps worthless."""
        s = self._state[0]
        return bool(s.error > s.bad_error)

    @property
    def hears_four_way(self) -> bool:
        """Whether decisions are certain, and among the four points of 1200 bit/s."""
        s = self._state[0]
        if s.sixteen:
            return bool(s.four_score >= receiver_state.FOUR_WAY_SCORE)
        return bool(s.carrier and s.trained > receiver_state.HISTORY and s.error < _FOUR_WAY_ERROR)

    @property
    def s1_may_be_lost(self) -> bool:
        """Whether lost packets could have hidden an S1 before the scrambled ones just recognised."""
        least, most = (self._heard_for - ago for ago in _S1_PLACE)
        hidden = sum(max(0, min(end, least) - max(begin, most)) for begin, end in self._erasures)
        return hidden >= _S1_HIDDEN

    @property
    def snr_db(self) -> float | None:
        """Es/N0 at the decision (8.2 dB above the SNR in 0 to 4 kHz); None until trained."""
        s = self._state[0]
        if s.trained < receiver_state.HISTORY:
            return None
        return 10 * math.log10(MEAN_ENERGY / max(float(s.error), 1e-6))

    @property
    def level_dbm0(self) -> float | None:
        """Level in our receive channel; None without carrier."""
        s = self._state[0]
        if not s.carrier:
            return None
        power = float(s.usual if s.relative else s.power)
        return dbm0_from_power(power / (2 * receiver_state.MATCHED_POWER_SHARE))

    @property
    def carrier_offset_hz(self) -> float:
        """Received carrier less its nominal frequency."""
        return float(self._state[0].frequency) * BAUD / (2 * math.pi)

    @property
    def timing_offset_ppm(self) -> float:
        """How much faster than ours the far end's symbol clock is."""
        return -float(self._state[0].drift) / SAMPLES_PER_SYMBOL * 1e6

    @property
    def equaliser(self) -> NDArray[np.complex128]:
        """Taps of the equaliser, in order of time."""
        return self._taps

    @property
    def mse(self) -> float:
        """Mean square error of the decisions by the mean power of the points."""
        snr = self.snr_db
        return 1.0 if snr is None else float(10 ** (-snr / 10))

    def constellation(self) -> list[complex]:
        """Return the last points, oldest first, in the scale of the constellation (odd integers)."""
        return [complex(p) for p in np.roll(self._points, -int(self._state[0].history))]
