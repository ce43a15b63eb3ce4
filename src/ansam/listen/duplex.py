"""What the followers of two directions share: two ends, the echo of each in the other's channel, the frames.

Once both modems send, each channel of a recording also holds the other one's signal, come back from its far
end 20 to 40 dB down. That is what a modem's own echo canceller takes out, so ours does it here as well: what
is sent is the other channel. As in a call, it learns while only one modem trains.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from ansam.dsp.echo import Adapt, EchoCanceller
from ansam.link import hdlc
from ansam.link.v42.frames import Frame, FrameError, decode
from ansam.listen.timeline import Entry
from ansam.modulation.base import Role
from ansam.units import Audio, Bits, Samples

STEP: Samples = 10
"""Both directions are heard in turn, so many samples at a time: one grid point of a modem's own procedure."""
SHOWN = 12
"""Frames shown one by one, besides the polls."""


class Frames:
    """Reads LAPM frames in one direction's user bits.

    Args:
        role: Of the modem that sends them; the calling one is V.42's originator.
    """

    def __init__(self, role: Role) -> None:
        self._role = role
        self._receiver = hdlc.Receiver()
        self.counts: Counter[str] = Counter()
        self.shown: list[tuple[Samples, str]] = []

    def feed(self, bits: Bits, now: Samples) -> None:
        """Take bits received by an instant."""
        for octets in self._receiver.receive(bits):
            try:
                frame = decode(octets, self._role is Role.CALLING)
            except FrameError:
                frame = None
            name = frame.kind.name if frame is not None else "?"
            self.counts[name] += 1
            if frame is not None and name not in ("RR", "I") and len(self.shown) < SHOWN:
                self.shown.append((now, _words(frame)))

    @property
    def good(self) -> int:
        """Frames with a good check sequence."""
        return sum(self.counts.values())

    @property
    def bad(self) -> int:
        """Pieces between flags that are none."""
        return self._receiver.bad_frames

    def text(self) -> str:
        """Return what there was in words."""
        return ", ".join(f"{count} {name}" for name, count in self.counts.most_common()) or "no LAPM frames"


def _words(frame: Frame) -> str:
    return f"{frame.kind.name}{f', {len(frame.information)} octets' if frame.information else ''}"


class Follower:
    """One direction as its receiver hears it.

    Args:
        role: Of the modem that sends.

    Attributes:
        role: Likewise.
        entries: What was heard.
        frames: Of the data.
    """

    def __init__(self, role: Role) -> None:
        self.role = role
        self.entries: list[Entry] = []
        self.frames = Frames(role)
        self._echo = EchoCanceller(STEP)
        self._learn_from: Samples | None = None
        self._learning = False
        self._learnt = False

    def cancel(self, heard: Audio, other: Audio, now: Samples) -> Audio:
        """Return the next samples of this direction without the echo of the other one."""
        if self._learn_from is not None and now >= self._learn_from:
            self._learn_from = None
            self._learning = True
            self._echo.begin_training()
        rest = self._echo.cancel(heard)
        self._echo.sent(other)
        return rest

    def learn_echo(self, begin: Samples) -> None:
        """Learn the echo from an instant on, the first time only: from there only the other modem sends."""
        if not self._learnt:
            self._learnt = True
            self._learn_from = begin

    def stop_learning(self) -> None:
        """End that, and take the echo out from now on."""
        self._learn_from = None
        if self._learning:
            self._learning = False
            self._echo.end_training()
            self._echo.adapt(Adapt.SLOW)

    def note(self, start: float, end: float, what: str, text: str = "", **details: object) -> None:
        """Add an entry."""
        self.entries.append(Entry(round(start), round(end), self.role, what, text, details))

    def note_data(
        self, start: Samples, end: Samples, text: str, points: Sequence[complex], **details: object
    ) -> None:
        """Add what there was in data mode, and the last points of its constellation."""
        frames = self.frames
        for at, words in frames.shown:
            self.note(at, at, "LAPM", words)
        counts = {"frames_good": frames.good, "frames_bad": frames.bad, "frames": dict(frames.counts)}
        pairs = [[round(p.real, 4), round(p.imag, 4)] for p in points]
        text = f"{text}; {frames.text()}"
        self.note(start, end, "data", text, **details, **counts, constellation=pairs)


def run(
    calling: Audio, answering: Audio, begin: Samples, step: Callable[[Role, Audio, Audio, Samples], None]
) -> None:
    """Feed both directions in turn.

    Args:
        calling: What the calling modem sent, shape (n,).
        answering: What the answering modem sent, shape (n,).
        begin: Where to begin.
        step: Called with (who sent, that piece, the other's piece, instant of the end of the piece).
    """
    for at in range(begin, min(calling.size, answering.size) - STEP + 1, STEP):
        up = np.ascontiguousarray(calling[at : at + STEP], np.float32)
        down = np.ascontiguousarray(answering[at : at + STEP], np.float32)
        step(Role.CALLING, up, down, at + STEP)
        step(Role.ANSWERING, down, up, at + STEP)
