"""Numbers that the exchange answers itself: an echo, a reference tone, silence.

::

    caller          exchange
      | INVITE         |
      |--------------->|      session description to io's `ServiceMedia`, which opens a socket
      |         200 OK |
      |<---------------|      its answer
      |<==== audio ===>|      played in the exchange's process, until either side hangs up
      | BYE            |
      |--------------->|

A new service is a member of `settings.Service` and what io plays for it. Two are played nothing: the numbers
that are always busy and always congested are refused by `routing`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ansam.pbx.bridge import BridgeState
from ansam.pbx.media import Side
from ansam.pbx.partings import facts_in
from ansam.pbx.records import CallRecord, Cause, OpenCall
from ansam.pbx.settings import Service
from ansam.pbx.trunks import Caller
from ansam.sip.events import CallEnded, CallId, Cancelled, Event, IncomingCall, Reinvite
from ansam.sip.ua import UserAgent
from ansam.units import Seconds


@dataclass(frozen=True, slots=True)
class ServiceSession:
    """The audio of one call.

    Attributes:
        identity: Names it.
        answer: Session description for the caller.
    """

    identity: int
    answer: bytes


class ServiceMedia(Protocol):
    """What io lends the engine to play services. None of these waits.

    Attributes:
        ready: Services can be played: what they need has been loaded.
    """

    ready: bool

    def open(self, service: Service, local_ip: str, offer: bytes) -> ServiceSession | None:
        """Begin to play towards who offered; None where nothing in the offer can be used."""

    def follow(self, session: ServiceSession, offer: bytes) -> bytes | None:
        """Follow a re-INVITE; return the answer, or None where the audio goes on as it was."""

    def close(self, session: ServiceSession) -> str:
        """Stop playing; return what the service found, for the record, or ""."""


class ServiceCall:
    """One call to a service; what `Bridge` is to a call between extensions.

    Args:
        ua: The exchange's user agent.
        incoming: The caller's INVITE.
        caller: Who calls.
        number: What was dialled.
        service: What is called.
        media: Plays it.
        now: The present.
        connected: Called once when the call is answered.
    """

    def __init__(
        self,
        ua: UserAgent,
        incoming: IncomingCall,
        caller: Caller,
        number: str,
        service: Service,
        media: ServiceMedia,
        now: Seconds,
        connected: Callable[[OpenCall], None],
    ) -> None:
        self.state = BridgeState.CALLING
        self.record: CallRecord | None = None
        self.caller = caller
        self.session: ServiceSession | None = None
        self._number = number
        self._ua = ua
        self._incoming = incoming
        self._service = service
        self._media = media
        self._started = now
        self._answered: Seconds | None = None
        self._connected = connected
        self._facts: dict[str, Any] = {}
        self._note = ""

    @property
    def open_call(self) -> OpenCall:
        """The call as it stands."""
        return OpenCall(
            *(int(self._incoming.call), self.caller.number, self._number, self._started, self._answered),
            answered_by="" if self._answered is None else self._number,
            trunk="" if self.caller.trunk is None else self.caller.trunk.name,
        )

    @property
    def parting(self) -> dict[CallId, Side]:
        """Dialogues whose last word is still to come; `Bridge.parting`."""
        return {}

    @property
    def calls(self) -> set[CallId]:
        """The identity of the dialogue whose events belong here."""
        return {self._incoming.call}

    @property
    def group(self) -> str:
        """Return "": no group."""
        return ""

    @property
    def ringing(self) -> tuple[str, ...]:
        """Return nothing: a service answers at once."""
        return ()

    def involves(self, number: str) -> bool:
        """Return whether an extension takes part."""
        return self.caller.is_extension(number)

    def over_trunk(self, name: str) -> bool:
        """Return whether the call is one of a trunk."""
        return self.open_call.trunk == name

    def start(self, now: Seconds) -> None:
        """Answer at once."""
        host = self._incoming.flow.local[0]
        self.session = self._media.open(self._service, host, self._incoming.sdp)
        if self.session is None:
            self._ua.reject(self._incoming.call, 488, now)
            self._end(Cause.REJECTED, 488, now)
            return
        self.state, self._answered = BridgeState.ANSWERED, now
        self._ua.answer(self._incoming.call, self.session.answer, now)
        self._connected(self.open_call)

    def handle(self, event: Event, now: Seconds) -> None:
        """Take an event of the dialogue."""
        if self.state is BridgeState.OVER:
            return
        match event:
            case Cancelled():
                self._answered = None
                self._end(Cause.CANCELLED, 487, now)
            case CallEnded():
                self._facts = {} if self.caller.extension is None else facts_in(event)
                lost = event.by_us or event.status != 200
                self._end(Cause.LOST if lost else Cause.CALLER_HUNG_UP, 200, now)
            case Reinvite():
                self._reinvite(event, now)
            case _:
                pass

    def _reinvite(self, event: Reinvite, now: Seconds) -> None:
        answer = None if self.session is None else self._media.follow(self.session, event.sdp)
        if answer is None:
            self._ua.reject_reinvite(event.call, now, 488)
        else:
            self._ua.accept_reinvite(event.call, answer, now)

    def is_session(self, identity: int) -> bool:
        """Return whether the audio of this call has that identity."""
        return self.session is not None and self.session.identity == identity

    def hang_up(self, cause: Cause, now: Seconds, reason: str = "") -> None:
        """End the call from our side; see `Bridge.hang_up`."""
        if self.state is not BridgeState.OVER:
            self._end(cause, 200, now)

    def _end(self, cause: Cause, status: int, now: Seconds) -> None:
        self._ua.hang_up(self._incoming.call, now)
        if self.session is not None:
            self._note = self._media.close(self.session)
        self.state = BridgeState.OVER
        self.record = CallRecord(
            *(self.caller.number, self._number, self._started, self._answered, now, cause, status),
            answered_by=self.open_call.answered_by,
            identity=self.open_call.identity,
            trunk=self.open_call.trunk,
            caller_modem=self._facts,
            note=self._note,
        )

    def deadline(self) -> Seconds | None:
        """Return None: a service waits for nothing."""
        return None

    def handle_timer(self, now: Seconds) -> None:
        """Do nothing; see `deadline`."""
