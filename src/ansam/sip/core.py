"""What the parts of a user agent share: the transaction layer, alarms, identities, responses.

The parts (registrations, calls, the receiving side) know this class and not each other.
"""

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ansam.errors import RemoteProtocolError
from ansam.sip.auth import AuthServer
from ansam.sip.events import CallId, Event, Flow
from ansam.sip.headers import Headers
from ansam.sip.message import Request, Response, to_of
from ansam.sip.status import reason_for
from ansam.sip.transaction import Key, TransactionLayer
from ansam.sip.uri import NameAddr, make_uri
from ansam.trace import Sink
from ansam.units import Seconds

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK"
"""Methods we serve; an exchange adds REGISTER."""

ACCEPT = "application/sdp"

SUPPORTED = frozenset({"timer", "100rel"})
"""Extensions a peer may require of us: RFC 4028, RFC 3262."""

_DIALOG_FORMING = frozenset({"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"})


@dataclass(frozen=True, slots=True)
class UserAgentConfig:
    """How a user agent behaves.

    Attributes:
        user: User part of Contact where From or the called URI gives none.
        product: Text of User-Agent and Server.
        auth: Demands digest from callers and registering clients; None: everyone is let in.
        authenticate: Methods for which it is demanded.
        registrar: Whether REGISTER is served (`RegisterReceived`) or refused with 405.
        max_calls: Calls at once; an INVITE beyond them gets 486 (503 from an exchange).
        follow_contact: Send requests within a call over UDP to the peer's Contact when that is an IP address;
            False: always back along the flow it came from (peers behind a NAT).
        session_expires: Interval of the session timer, s, that our INVITE asks for and our 2xx sets where the
            peer asks for none; None: only what the peer asks for.
        admit: Says of a flow whether calls along it need no credentials although `auth` demands them.
        parting: Returns header fields for our BYE of a call, or for our answer to the peer's.
    """

    user: str = "ansam"
    product: str = "ansam"
    auth: AuthServer | None = None
    authenticate: frozenset[str] = frozenset({"INVITE", "REGISTER"})
    registrar: bool = False
    max_calls: int = 256
    follow_contact: bool = True
    session_expires: int | None = None
    admit: Callable[[Flow], bool] | None = None
    parting: Callable[[CallId], Iterable[tuple[str, str]]] | None = None


class ClientHandler(Protocol):
    """Who hears of a client transaction."""

    def on_response(self, response: Response, now: Seconds) -> None:
        """Take a response other than a retransmission."""

    def on_failure(self, status: int, now: Seconds) -> None:
        """Learn that no answer came: 408 or 503."""


class Alarm:
    """A call to make at a time, until cancelled."""

    __slots__ = ("action", "at")

    def __init__(self, at: Seconds, action: Callable[[Seconds], None]) -> None:
        self.at = at
        self.action: Callable[[Seconds], None] | None = action

    def cancel(self) -> None:
        """Forget the action."""
        self.action = None


class Core:
    """Shared services of one user agent.

    Args:
        config: Behaviour.
        rng: Tags, branches, Call-IDs.
        trace: Sink of the layer's events.
    """

    def __init__(self, config: UserAgentConfig, rng: random.Random, trace: Sink) -> None:
        self.config = config
        self.rng = rng
        self.layer = TransactionLayer(rng, trace)
        self.events: list[Event] = []
        self.handlers: dict[Key, ClientHandler] = {}
        self._alarms: list[tuple[Seconds, int, Alarm]] = []
        self._alarm_serial = 0
        self._serial = 0

    # --- identities ----------------------------------------------------------------------------------------
    def next_id(self) -> int:
        """Return a number never given out before, for `CallId` and the like."""
        self._serial += 1
        return self._serial

    def issued(self, identity: int) -> bool:
        """Return True if `next_id` has given that number out."""
        return 0 < identity <= self._serial

    def new_tag(self) -> str:
        """Return a tag of 64 random bits (RFC 3261 §19.3 asks for 32)."""
        return f"{self.rng.getrandbits(64):016x}"

    def new_call_id(self) -> str:
        """Return a Call-ID of 128 random bits."""
        return f"{self.rng.getrandbits(128):032x}"

    def contact(self, user: str, flow: Flow) -> str:
        """Return the URI under which a peer of that flow reaches us."""
        return make_uri(user or self.config.user, flow.local[0], flow.local[1], flow.transport)

    @property
    def allow(self) -> str:
        """Value of Allow."""
        return ALLOW + (", REGISTER" if self.config.registrar else "")

    # --- messages ------------------------------------------------------------------------------------------
    def emit(self, event: Event) -> None:
        """Queue an event for the owner."""
        self.events.append(event)

    def send_request(self, request: Request, flow: Flow, handler: ClientHandler | None, now: Seconds) -> Key:
        """Start a client transaction; without a handler its outcome interests nobody."""
        headers = request.headers
        if "User-Agent" not in headers and self.config.product:
            headers = headers.plus(("User-Agent", self.config.product))
        key = self.layer.request(Request(request.method, request.uri, headers, request.body), flow, now)
        if handler is not None:
            self.handlers[key] = handler
        return key

    def respond(
        self,
        key: Key,
        request: Request,
        status: int,
        now: Seconds,
        *,
        tag: str = "",
        reason: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """Answer a request within its transaction; return the response."""
        response = self.make_response(request, status, tag=tag, reason=reason, headers=headers, body=body)
        self.layer.respond(key, response, now)
        return response

    def make_response(
        self,
        request: Request,
        status: int,
        *,
        tag: str = "",
        reason: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """Return a response after RFC 3261 §8.2.6; a missing tag is drawn for all but 100."""
        kept = [("Via", value) for value in request.headers.all("Via")]
        single = {name: request.headers.first(name) for name in ("From", "To", "Call-ID", "CSeq")}
        if status > 100 and single["To"] and not _has_tag(request):
            single["To"] += f";tag={tag or self.new_tag()}"
        # What a request lacks (RFC 4475 §3.3.1) its refusal cannot have either.
        kept += [(name, value) for name, value in single.items() if value]
        if status == 100:
            kept += [("Timestamp", value) for value in request.headers.all("Timestamp")]
        if status < 300 and request.method in _DIALOG_FORMING:
            # §12.1.1: the route set is copied in order into whatever may form a dialogue.
            kept += [("Record-Route", value) for value in request.headers.all("Record-Route")]
        kept += headers
        if body:
            kept.append(("Content-Type", "application/sdp"))
        if self.config.product:
            kept.append(("Server", self.config.product))
        return Response(status, reason or reason_for(status), Headers.of(kept), body)

    # --- time ----------------------------------------------------------------------------------------------
    def alarm(self, at: Seconds, action: Callable[[Seconds], None]) -> Alarm:
        """Call `action(now)` when the time has come."""
        alarm = Alarm(at, action)
        self._alarm_serial += 1
        heapq.heappush(self._alarms, (at, self._alarm_serial, alarm))
        return alarm

    def deadline(self) -> Seconds | None:
        """Return the time of the next alarm or transaction timer."""
        while self._alarms and self._alarms[0][2].action is None:
            heapq.heappop(self._alarms)
        times = [self._alarms[0][0]] if self._alarms else []
        timer = self.layer.deadline()
        if timer is not None:
            times.append(timer)
        return min(times, default=None)

    def idle(self) -> bool:
        """Return True if nothing runs and nobody waits."""
        return not self.handlers and self.layer.idle()

    def fire_alarms(self, now: Seconds) -> None:
        """Run every alarm due at `now`."""
        while self._alarms and self._alarms[0][0] <= now:
            _, _, alarm = heapq.heappop(self._alarms)
            action, alarm.action = alarm.action, None
            if action is not None:
                action(now)


def _has_tag(request: Request) -> bool:
    try:
        return bool(to_of(request).tag)
    except RemoteProtocolError:
        return "tag=" in request.headers.first("To")


def tagged(address: NameAddr, tag: str) -> str:
    """Return the text of From or To with that tag, or as it is for no tag (RFC 2543 peers)."""
    return str(address.with_tag(tag)) if tag else str(address)
