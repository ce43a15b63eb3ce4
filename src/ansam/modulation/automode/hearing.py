"""What an unknown far end sounds like before any modulation is certain of it: the tones, by name."""

from ansam.dsp.goertzel import ToneMeter, ToneWatch
from ansam.modulation.base import Role
from ansam.tones.v25 import ANSWER_TONE_HZ, BELL_ANSWER_TONE_HZ, AnswerToneDetector
from ansam.units import Audio

CERTAIN_HOPS = 15
"""150 ms of steady tone: V.25 (10/96) §5 has the answer tone recognised 100 … 600 ms after its arrival."""

WATCHED = {
    Role.CALLING: (
        (ANSWER_TONE_HZ, 22.0, "2100 Hz answer tone"),
        (BELL_ANSWER_TONE_HZ, 12.0, "2225 Hz"),
        (2250.0, 12.0, "2250 Hz (unscrambled ones)"),
        (1650.0, 20.0, "1650 Hz (V.21 mark)"),
        (600.0, 12.0, "600 Hz (AC of V.32)"),
    ),
    Role.ANSWERING: (
        (980.0, 20.0, "980 Hz (V.21 mark)"),
        (1270.0, 12.0, "1270 Hz (Bell 103 mark)"),
        (1300.0, 12.0, "1300 Hz (calling tone)"),
        (1800.0, 12.0, "1800 Hz (AA of V.32)"),
    ),
}
"""Frequency, tolerance in hertz, and what to call it when start-up fails."""


class Hearing:
    """Listens for the tones of the far end.

    Args:
        role: Ours.
    """

    def __init__(self, role: Role) -> None:
        watched = WATCHED[role]
        self._meter = ToneMeter([frequency for frequency, _, _ in watched])
        self._watches = [ToneWatch(self._meter, i, w[1]) for i, w in enumerate(watched)]
        self._names = [name for _, _, name in watched]
        self._heard: dict[str, None] = {}
        self.answer_tone = AnswerToneDetector(self._meter, 0) if role is Role.CALLING else None

    def room(self) -> int:
        """Return how many samples are missing until the next hop."""
        return self._meter.room()

    def feed(self, rx: Audio, erased: bool) -> bool:
        """Take at most `room()` samples; return True where they completed a hop: all is judged anew."""
        if not self._meter.feed(rx, erased):
            return False
        for watch, name in zip(self._watches, self._names, strict=True):
            watch.update()
            if watch.hops >= CERTAIN_HOPS:
                self._heard[name] = None
        if self.answer_tone is not None:
            self.answer_tone.update()
        return True

    def hops(self, frequency_hz: float) -> int:
        """Return how many hops (10 ms) a watched tone has been there; 0 when absent or not yet certain."""
        hops = self._watches[self._meter.frequencies_hz.index(frequency_hz)].hops
        return hops if hops >= CERTAIN_HOPS else 0

    @property
    def modulated(self) -> bool:
        """Whether the 2100 Hz that is there is ANSam."""
        return self.answer_tone is not None and self.answer_tone.modulated

    def describe(self) -> str:
        """Return the tones heard so far, in words."""
        return ", ".join(self._heard) or "no known tone"
