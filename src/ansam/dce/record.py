"""The record of a call: what is counted while it lasts, and what is said of it afterwards.

The modem tells it everything in the order in which it happens; it decides nothing.
"""

from ansam.at.settings import Settings
from ansam.dce.causes import Cause, Source
from ansam.dce.diagnostics import CallRecord, duration, link_screen, response_screen, signal_screen
from ansam.dce.idle import IdleWatch
from ansam.dce.session import Session
from ansam.dce.state import Ended
from ansam.dce.stream import StreamSession
from ansam.dce.witness import Witness
from ansam.link.base import LinkStatistics
from ansam.modulation.base import Ready, Renegotiating, Retraining
from ansam.units import Audio, Samples

CALL_DURATION, LINK_DIAGNOSTICS, SIGNAL_DIAGNOSTICS = 3, 6, 11
"""ATI3 (of a Courier), ATI6 and ATI11."""


class Record:
    """Of one modem; it keeps the last call until the next one.

    Attributes:
        call: Counters of this connection or the last.
        retrains: Retrains of this connection or the last.
        disconnect_reason: How the last call ended, ...
        causes: ... and why: the root first, that reason last.
    """

    def __init__(self) -> None:
        self.call = CallRecord()
        self.retrains = 0
        self.disconnect_reason = "No connection"
        self.causes: tuple[Cause, ...] = ()
        self._ended_began: Samples = 0
        self._witness = Witness()
        self._idle = IdleWatch()

    @property
    def began(self) -> Samples:
        """When the call there is, or the last, was dialled or first rang."""
        return self._witness.began

    # -- what happens ----------------------------------------------------------------------------------------

    def begin(self, now: Samples) -> None:
        """A call is dialled, or rings for the first time."""
        self._witness.begin(now)

    def ringing(self, now: Samples) -> None:
        """The far end rings."""
        self._witness.ringing(now)

    def talking(self, now: Samples) -> None:
        """There is a talking path, and start-up begins."""
        self._witness.talking(now)

    def observed(self, source: Source, text: str, clause: str, now: Samples, *, lasting: bool = True) -> None:
        """Take what somebody else noticed; see `Witness.observed`."""
        self._witness.observed(source, text, clause, now, lasting=lasting)

    def audio(self, session: Session, rx: Audio, tx: Audio, now: Samples, erased: bool) -> None:
        """Take what was received and sent from `now` on, both of shape (n,); look at the link's counters."""
        self._witness.audio(rx, tx, now, erased)
        if session.link is not None and self._witness.wants_link(now):
            self._witness.link(session.link.statistics(), now)

    def event(self, event: object, now: Samples, *, connected: bool) -> None:
        """Take an event of the session.

        Args:
            event: Any.
            now: When.
            connected: The CONNECT result was given: what is ready now was ready before.
        """
        self._witness.event(event, now)
        match event:
            case Ready() if connected:
                self.call.follow(event)
            case Retraining():
                self.retrains += 1
            case Renegotiating():
                self.call.renegotiations += 1
            case _:
                pass

    def connected(self, call: CallRecord) -> None:
        """A connection begins: count anew."""
        self.retrains = 0
        self.call = call

    def count(self, session: Session | StreamSession) -> None:
        """Take over what link and modulation counted."""
        if session.link is not None and self.call.began is not None and self.call.ended is None:
            self.call.link = session.link.statistics()
            report = self.call.signal = session.report()
            self.call.retrains_requested = report.retrains_requested
            self.call.retrains_granted = report.retrains_granted

    def end(self, symptom: Cause, statistics: LinkStatistics | None) -> Ended:
        """The call is over, for the reason that `symptom` names.

        Args:
            symptom: When, who noticed it, the reason, and where it stands.
            statistics: The link's counters at the end, where there is one.
        """
        if self.call.began is not None and self.call.ended is None:
            self.call.ended = symptom.at
        self.disconnect_reason, self._ended_began = symptom.text, self._witness.began
        self.causes = self._witness.end(symptom, statistics)
        return Ended(symptom.text, self.causes, self._ended_began)

    # -- what is said of it ----------------------------------------------------------------------------------

    def idle_due(self, settings: Settings, now: Samples) -> Samples | None:
        """Return when the connection there is will have been without data for too long (S19), or None."""
        call = self.call
        self._idle.follow((call.began, call.characters_sent, call.characters_received), now)
        return self._idle.due(settings.idle_seconds)

    def screen(self, number: int, now: Samples) -> str | None:
        """Return the text of ATIn where it is about the line."""
        if number == LINK_DIAGNOSTICS:
            causes, began = self.causes, self._ended_began
            return "\n".join(link_screen(self.call, self.disconnect_reason, now, causes, began))
        if number == CALL_DURATION:
            return duration(self.call.seconds(now))
        return "\n".join(signal_screen(self.call)) if number == SIGNAL_DIAGNOSTICS else None

    def response(self) -> str | None:
        """Return the text of ATY11, or None where the line was not probed."""
        lines = response_screen(self.call)
        return None if lines is None else "\n".join(lines)
