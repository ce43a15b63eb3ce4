"""What a telephone line is to the modem on it, and the modem to the line.

Everything here runs on the event loop's thread, except that audio (`LineUser.process`, `frame_done`) may
run in the pacer's, with the line's lock held.
"""

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, Protocol, runtime_checkable

from ansam.call.statistics import CallStatistics
from ansam.dce.causes import Source
from ansam.dce.progress import Progress, Stream
from ansam.units import Audio, Samples


class LineUser(Protocol):
    """The modem on a line, a `call.party.Party`.

    Attributes:
        lock: Guards the modem and the media of its call; never held across a blocking operation.
    """

    lock: RLock

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Exchange audio; see `Party.process`. The lock is held."""

    def media_started(self) -> Samples:
        """A talking path exists: return the sample clock at its first frame."""

    def media_stopped(self) -> None:
        """The talking path is gone."""

    def frame_done(self) -> None:
        """A frame was exchanged: look for output. May be called from any thread."""

    def line_ready(self, ready: bool) -> None:
        """Whether calls can be placed now."""

    def incoming(self, caller: str, name: str = "") -> bool:
        """A call rings, from this number and name; False refuses it as busy."""

    def incoming_stopped(self) -> None:
        """The caller gave up before the call was accepted."""

    def progress(self, progress: Progress) -> None:
        """What became of the call that was placed or accepted; CONNECTED before its first frame."""

    def far_end_hung_up(self) -> None:
        """The far end ended the call."""


@runtime_checkable
class NetworkUser(LineUser, Protocol):
    """A modem that also takes calls without audio, whose characters cross a network."""

    def call_failed(self, progress: Progress, cause: str) -> None:
        """Likewise `progress`, of a call that was placed; `cause` is what is known beyond it, for people."""

    def stream_connected(self, stream: Stream, look: Callable[[], None]) -> None:
        """The call has no audio: characters flow over a network, from now on through the methods below.

        Args:
            stream: What the modem should know about it.
            look: Called whenever the modem may have room, or octets.
        """

    def stream_offer(self, data: bytes) -> int:
        """Give octets of the far end; return how many were taken."""

    def stream_take(self, limit: int) -> bytes:
        """Return at most `limit` octets for the far end."""

    def stream_ended(self, reason: str) -> None:
        """The far end has closed; everything it sent was offered before."""


@runtime_checkable
class Observer(LineUser, Protocol):
    """A modem that wants to know what the line noticed, for why a call ended."""

    def observed(self, source: Source, text: str, clause: str = "") -> None:
        """Take what was noticed in the present call; before what follows from it."""

    def line_not_ready(self, why: str) -> None:
        """Likewise `line_ready(False)`, and why calls can not be placed."""


@runtime_checkable
class Reversible(LineUser, Protocol):
    """A modem that can answer a call and behave as the calling one."""

    def expect_reversed(self) -> None:
        """The call that `incoming` tells of next is to be answered so: the far end was called back."""


@runtime_checkable
class Reporter(LineUser, Protocol):
    """A modem that can say what the line was like."""

    def call_report(self) -> Mapping[str, Any]:
        """Return facts of the present call, or of the one that has just ended; see `call.modem_facts`."""


def tell(user: LineUser, source: Source, text: str, clause: str = "") -> None:
    """Tell a modem what was noticed, if it wants to know."""
    if isinstance(user, Observer):
        user.observed(source, text, clause)


class Line(Protocol):
    """A telephone line: one call at a time.

    Attributes:
        name: For logs.
    """

    name: str

    async def open(self, user: LineUser) -> None:
        """Be ready for calls; raises an `AnsamError` that names what is wrong."""

    def place_call(self, number: str) -> None:
        """Call a number; `LineUser.progress` follows."""

    def accept_call(self) -> None:
        """Answer the call that rings; `LineUser.progress` follows."""

    def end_call(self, reason: str) -> None:
        """End whatever call there is; nothing follows."""

    def statistics(self) -> CallStatistics | None:
        """Return how the media of the present call (or else the last) fared; None where there was none."""

    async def close(self) -> None:
        """End the call, sign off and release everything, within a few seconds."""
