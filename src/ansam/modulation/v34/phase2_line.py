"""What phase 2 has on the line: what it sends, what it hears, and what it keeps of L2."""

import numpy as np

from ansam.modulation.base import Role
from ansam.modulation.v34.info_channel import Hearing, InfoReceiver, InfoSender
from ansam.modulation.v34.phase2_steps import Sends
from ansam.modulation.v34.probing import LineProbe, ProbeSender, analyse
from ansam.modulation.v34.tones import BAUD
from ansam.units import SAMPLE_RATE, Audio, Samples, samples

GAP_BEFORE_END: Samples = samples(0.110)
"""The end of a tone is known so long after a gap that hid it, at the latest."""
_NO_GAP = (-samples(60), -samples(60))


class Phase2Line:
    """One end's line.

    Args:
        role: Of this end.
        level_dbm0: Nominal power.

    Attributes:
        sender: INFO sequences and the tone.
        receiver: Of the far end's.
    """

    def __init__(self, role: Role, level_dbm0: float) -> None:
        self._role = role
        self._level = level_dbm0
        self._sends = Sends.SILENCE
        self._prober = ProbeSender(level_dbm0)
        self.sender = InfoSender(role, level_dbm0)
        self.restart()

    def restart(self) -> None:
        """Listen afresh; the next samples are the first."""
        self.receiver = InfoReceiver(self._role.other)
        self._origin: Samples | None = None
        self._gap = _NO_GAP
        self._capturing = False
        self._captured: list[Audio] = []
        self._captured_erased: list[bool] = []

    def switch(self, sends: Sends) -> None:
        """Change the signal from the next sample on; a tone goes on through states that send it."""
        before, self._sends = self._sends, sends
        if sends is Sends.TONE and before is not Sends.TONE:
            if before is Sends.MARKS:
                self.sender.drop()
            else:
                self.sender.begin()
        elif sends is Sends.MARKS and before is not Sends.MARKS:
            self.sender.begin()
        elif sends is Sends.SILENCE:
            self.sender.stop()
        elif sends is Sends.PROBE and before is not Sends.PROBE:
            self._prober.restart(self._level)

    def send_marks(self, count: Samples) -> None:
        """Send INFOMARKS, which are ones (§10.1.2.3.6), for at least so long."""
        self.sender.queue(np.ones(count * BAUD // SAMPLE_RATE + 1, np.uint8))

    def send(self, out: Audio) -> None:
        """Fill `out`, zeros so far, with the next samples."""
        if self._sends is Sends.PROBE:
            self._prober.add_to(out)
        else:
            self.sender.add_to(out)

    def hear(self, rx: Audio, now: Samples, erased: bool) -> tuple[int, Hearing]:
        """Take samples up to the first happening; return (samples taken, what was heard)."""
        self._origin = now if self._origin is None else self._origin
        taken, heard = self.receiver.process(rx, erased)
        if erased and taken:
            begin = self._gap[0] if self._gap[1] == now else now
            self._gap = (begin, now + taken)
        if self._capturing:
            self._captured.append(rx[:taken].copy())
            self._captured_erased.append(erased)
        return taken, heard

    def instant(self, at: float) -> Samples:
        """Return the call's time of an instant of the receiver's stream."""
        return round(at) + (self._origin or 0)

    def gap_before(self, now: Samples) -> Samples | None:
        """Return the middle of a gap that may have hidden the end of a tone that is known now."""
        begin, end = self._gap
        return (begin + end) // 2 if now - end < GAP_BEFORE_END else None

    def capture(self) -> None:
        """Keep what is heard from now on."""
        self._captured.clear()
        self._captured_erased.clear()
        self._capturing = True

    def analyse(self) -> LineProbe | None:
        """Return what was captured says, and keep no more."""
        audio = np.concatenate([np.zeros(0, np.float32), *self._captured])
        erased = np.repeat(self._captured_erased, [part.size for part in self._captured])
        self._capturing = False
        self._captured.clear()
        self._captured_erased.clear()
        return analyse(audio, np.asarray(erased, np.bool_))
