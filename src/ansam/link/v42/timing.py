"""How long to wait for an acknowledgement: T401 from the line rate and the measured round trip.

V.42 (03/2002) §9.2.1 leaves T401 to each end; Appendix IV lists what it is made of: sending the frame, the
way there, a frame the far end is in the middle of, its answer, the way back. The first guess allows for a
VoIP path of 1.5 s; from then on the waits themselves are measured, as TCP does it (RFC 6298 §2), a
retransmitted frame never (its acknowledgement may be that of the first copy).
"""

from ansam.units import SAMPLE_RATE, Samples

FIRST_GUESS: Samples = 3 * SAMPLE_RATE // 2
LEAST: Samples = SAMPLE_RATE // 5
"""Never below 0.2 s: two packets each way and a far end that looks at its frames every 20 ms."""

GUESS_MARGIN: Samples = SAMPLE_RATE // 2
"""Beyond the bare way there and back: a far end that is sending its own first frames when ours arrives."""

GRAIN: Samples = SAMPLE_RATE // 25
"""Both ends look at their timers once a packet."""

LONGEST_BACKOFF = 16

MOST: Samples = 4 * SAMPLE_RATE
"""Longest wait, unless the line itself is slower. TCP backs off further because its own traffic may be what
congests the way; here a frame was lost to noise or with a packet, and the next one has the same chance."""


class RoundTrip:
    """Estimates the time from the end of a frame to its acknowledgement.

    Args:
        bit_rate: Of the line, bit/s; `far_bit_rate` is the far end's, the same until told otherwise.
        first: Round trip of the line alone, in samples, where the modulation measured it (None: unknown).
    """

    def __init__(self, bit_rate: int, first: Samples | None = None) -> None:
        self.bit_rate = self.far_bit_rate = bit_rate
        self._smoothed: float | None = None
        self._deviation = 0.0
        self._least: Samples | None = None
        self._first = FIRST_GUESS if first is None else first + GUESS_MARGIN
        self._backoff = 1

    def duration(self, octets: int) -> Samples:
        """Return how long a frame with this many octets takes on the line, FCS and flag included."""
        return (octets + 6) * 8 * SAMPLE_RATE // self.bit_rate

    def far_duration(self, octets: int) -> Samples:
        """Return the same for a frame of the far end."""
        return (octets + 6) * 8 * SAMPLE_RATE // self.far_bit_rate

    def guess(self, wait: Samples) -> None:
        """Replace the first guess by what the detection phase took, while nothing is measured yet."""
        self._first = wait + GUESS_MARGIN

    def measured(self, wait: Samples) -> None:
        """Take one measured wait, from the end of our frame to the arrival of the answer."""
        self._backoff = 1
        self._least = wait if self._least is None else min(wait, self._least)
        if self._smoothed is None:
            self._smoothed, self._deviation = float(wait), wait / 2
            return
        error = wait - self._smoothed
        self._smoothed += error / 8
        self._deviation += (abs(error) - self._deviation) / 4

    def expired(self) -> None:
        """T401 ran out: wait twice as long the next time (RFC 6298 §5.5), up to a limit."""
        self._backoff = min(2 * self._backoff, LONGEST_BACKOFF)

    def progressed(self) -> None:
        """An answer came: the line lives, no back-off is called for."""
        self._backoff = 1

    @property
    def estimate(self) -> Samples:
        """The round trip as known now, the far end's delays included."""
        return round(self._smoothed) if self._smoothed is not None else self._first

    def t401(self, octets: int, far_octets: int) -> Samples:
        """Return T401 for a frame sent now.

        Args:
            octets: Information field of our frame.
            far_octets: Information field the far end may be in the middle of sending.
        """
        answer = self.answer(far_octets)
        return self.duration(octets) + min(answer * self._backoff, max(MOST, answer))

    def answer(self, far_octets: int) -> Samples:
        """Return when an answer should be here after the end of our frame, whatever went wrong before."""
        least = self._first if self._least is None else self._least
        wait = max(self.estimate + round(4 * self._deviation), least + self.far_duration(far_octets))
        return max(wait + GRAIN, LEAST)
