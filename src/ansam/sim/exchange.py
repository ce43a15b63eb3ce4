"""The exchange between two modems: what SIP does in a real call, reduced to what the modems see of it.

```
 calling ── PlaceCall ──► (delay) ──► incoming_call ── answering
         ◄── RINGING / BUSY ── (delay) ──┤
         ◄── CONNECTED ─────── (delay) ──┤ AcceptCall ► CONNECTED at once
         ◄── either hangs up ─ (delay) ──►
```

News for an end waits until that end's next tick at or after the instant it arrives.
"""

from collections import deque
from collections.abc import Callable

from ansam.dce.causes import Source
from ansam.dce.dce import Dce
from ansam.dce.progress import AcceptCall, EndCall, LineAction, PlaceCall, Progress
from ansam.line import End
from ansam.units import Samples

News = Callable[[Samples], None]

CALLER_NUMBER = "07"


class Exchange:
    """Carries one call.

    Args:
        modems: Both.
        delay: One way, samples.

    Attributes:
        talking: Which ends have a talking path.
        placed: A call was asked for.
        off_hook: Instant at which the answerer accepted the call, or None.
    """

    def __init__(self, modems: dict[End, Dce], delay: float) -> None:
        self.talking = dict.fromkeys(End, False)
        self.placed = False
        self.off_hook: float | None = None
        self._modems = modems
        self._delay = delay
        self._in_call = dict.fromkeys(End, False)
        self._news: dict[End, deque[tuple[float, News]]] = {end: deque() for end in End}

    def deliver(self, end: End, t: float, now: Samples) -> None:
        """Give an end the news that has arrived by instant `t`, its clock showing `now`."""
        news = self._news[end]
        while news and news[0][0] <= t:
            news.popleft()[1](now)

    def act(self, end: End, action: LineAction, t: float, now: Samples) -> None:
        """Do what a modem asks of the line at instant `t`."""
        match action:
            case PlaceCall() if end is End.CALLING:
                self.placed = True
                self._in_call[end] = True
                self._tell(end.other, t, lambda at: self._ring(t + self._delay, at))
            case AcceptCall() if self._in_call[end]:
                self.off_hook = t
                self._talk(end, now)
                self._tell(end.other, t, lambda at: self._talk(end.other, at))
            case EndCall(reason):
                self._end(end, t, reason)
            case _:
                # There is no third telephone to call, and nothing to accept.
                self._modems[end].progress(Progress.NO_SUCH_NUMBER, now)

    def _tell(self, end: End, t: float, news: News) -> None:
        self._news[end].append((t + self._delay, news))

    def _ring(self, t: float, now: Samples) -> None:
        free = self._modems[End.ANSWERING].incoming_call(CALLER_NUMBER, now)
        self._in_call[End.ANSWERING] = free
        answer = Progress.RINGING if free else Progress.BUSY
        self._tell(End.CALLING, t, lambda at: self._modems[End.CALLING].progress(answer, at))

    def _talk(self, end: End, now: Samples) -> None:
        if self._in_call[end]:
            self.talking[end] = True
            self._modems[end].progress(Progress.CONNECTED, now)

    def _end(self, end: End, t: float, reason: str) -> None:
        if not self._in_call[end]:
            return
        self._in_call[end] = self.talking[end] = False
        self._tell(end.other, t, lambda at: self._ended(end.other, at, reason))

    def _ended(self, end: End, now: Samples, reason: str) -> None:
        if not self._in_call[end]:
            return
        self._in_call[end] = False
        # As the Reason of a BYE or CANCEL says it (RFC 3326).
        self._modems[end].observed(Source.SIGNALLING, f"the far end says: {reason}", "RFC 3326", now)
        if self.talking[end] or end is End.CALLING:
            self.talking[end] = False
            self._modems[end].far_end_hung_up(now)
        else:
            self._modems[end].incoming_stopped(now)
