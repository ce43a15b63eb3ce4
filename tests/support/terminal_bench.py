"""A modem in data mode whose line is a pair of buffers, for tests of its terminal's side."""

import numpy as np

from ansam.at.nvram import Profile
from ansam.at.personalities import load
from ansam.dce.dce import Dce, LineState
from ansam.dce.progress import Progress
from ansam.link.base import LinkStatistics, LinkUp
from ansam.modulation.base import Ready, SignalReport

FRAME = np.zeros(160, np.float32)
LIMIT = 2048


class BufferLink:
    """Takes up to `LIMIT` octets; what the test moves out of `queue` is on the line."""

    def __init__(self) -> None:
        self.queue = bytearray()
        self.received = bytearray()
        self.breaks: list[int] = []
        self.ended = False

    def send(self, data: bytes) -> int:
        taken = min(len(data), self.room())
        self.queue += data[:taken]
        return taken

    def room(self) -> int:
        return LIMIT - len(self.queue)

    def pending(self) -> int:
        return len(self.queue)

    def take_data(self, limit: int | None = None) -> bytes:
        out = bytes(self.received[:limit])
        del self.received[:limit]
        return out

    def send_break(self, milliseconds: int, now: int) -> None:
        self.breaks.append(milliseconds)

    def statistics(self) -> LinkStatistics:
        return LinkStatistics()

    def disconnect(self, now: int) -> None:
        self.ended = True

    def take_events(self) -> list[object]:
        return []


class BufferSession:
    """Connects with its first frame."""

    protocol = "LAPM"
    made: "list[BufferSession]" = []  # noqa: RUF012

    def __init__(self, *arguments: object) -> None:
        self.link: BufferLink | None = None
        self.ready: Ready | None = None
        self.events: list[object] = []
        BufferSession.made.append(self)

    def start(self, now: int) -> None:
        pass

    def process(self, rx, now, erased):  # type: ignore[no-untyped-def]
        if self.ready is None:
            self.ready = Ready("V.22bis", 2400, 2400)
            self.link = BufferLink()
            self.events += [self.ready, LinkUp(self.protocol)]
        return np.zeros(len(rx), np.float32)

    @property
    def modulation(self) -> str:
        return "V.22bis"

    def connect(self, link: LinkUp):  # type: ignore[no-untyped-def]
        from ansam.at.results import Connect

        return Connect(2400, "", link.protocol, "", "V22B", 2400)

    def clear_down(self, now: int) -> None:
        pass

    def report(self) -> SignalReport:
        return SignalReport()

    def take_events(self) -> list[object]:
        events, self.events = self.events, []
        return events


class TerminalBench:
    """One modem, with a call up if `init` did not say otherwise.

    Args:
        init: Command line before the call.
        protocol: ``LAPM`` or ``NONE``.
        answering: The call comes in.
        make: Of modem.
    """

    def __init__(
        self, init: bytes = b"", protocol: str = "LAPM", *, answering: bool = False, make: str = "usr-56k"
    ) -> None:
        BufferSession.protocol = protocol
        self.dce = Dce(Profile(load(make)))
        self.now = 0
        if init:
            self.dce.receive_dte(init + b"\r", self.now)
            assert b"OK" in self.dce.take_dte()
        self.answering = answering

    def connect(self) -> BufferLink:
        """Bring a call up; return its link."""
        if self.answering:
            self.dce.incoming_call("07", self.now)
            self.dce.receive_dte(b"ATA\r", self.now)
        else:
            self.dce.receive_dte(b"ATDT05\r", self.now)
            self.wait(5)
        self.dce.progress(Progress.CONNECTED, self.now)
        self.talk(0.02)
        assert self.dce.state is LineState.DATA
        self.dce.take_dte()
        self.dce.take_events()
        link = BufferSession.made[-1].link
        assert link is not None
        return link

    def wait(self, seconds: float) -> None:
        end = self.now + round(seconds * 8000)
        while (due := self.dce.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.dce.handle_timer(self.now)
        self.now = end
        self.dce.handle_timer(end)

    def talk(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds * 50))):
            self.dce.process(FRAME, self.now)
            self.now += 160
