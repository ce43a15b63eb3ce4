"""A call that the exchange begins: it rings the one, and when that answers, the other."""

from collections.abc import Callable
from dataclasses import replace

from ansam.pbx.bridge import Bridge, BridgeState, Parties
from ansam.pbx.callbacks import AS_CALLING, Order
from ansam.pbx.legs import invite_place
from ansam.pbx.media import MediaRelay, RelayPorts, Side
from ansam.pbx.records import CallRecord, Cause, OpenCall
from ansam.pbx.refusals import refusal_of
from ansam.pbx.routing import Board
from ansam.pbx.search import NO_ANSWER, Place, Refusal, Round, Search
from ansam.pbx.settings import Service
from ansam.pbx.trunks import Caller, only
from ansam.sip.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallId,
    Event,
    IncomingCall,
)
from ansam.sip.headers import Headers
from ansam.sip.ua import UserAgent
from ansam.units import Seconds

PCMA = "8"


def _offer(address: tuple[str, int]) -> bytes:
    """Return the description of a relay's socket: A-law alone, every 20 ms."""
    family = "IP6" if ":" in address[0] else "IP4"
    return (
        f"v=0\r\no=- 1 1 IN {family} {address[0]}\r\ns=-\r\nc=IN {family} {address[0]}\r\nt=0 0\r\n"
        f"m=audio {address[1]} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
        "a=silenceSupp:off - - - -\r\n"
    ).encode()


class _Connection(Bridge):
    """The call once the first end has answered: its leg is up already."""

    def __init__(
        self, *args: "UserAgent | IncomingCall | Parties | MediaRelay | Seconds | Callable[[OpenCall], None]",
        ports: RelayPorts, started: Seconds, role: tuple[tuple[str, str], ...],
    ) -> None:  # fmt: skip
        super().__init__(*args)  # type: ignore[arg-type]
        self._ports = ports
        self._started = started
        self._further = role

    def _tell_ringing(self, status: int, sdp: bytes, now: Seconds) -> None:
        """Its telephone hears nothing until somebody answers."""

    def _tell_answered(self, sdp: bytes, now: Seconds) -> None:
        """It has its answer already: the relay's address."""

    def _tell_refused(self, refusal: Refusal, now: Seconds) -> None:
        self._ua.hang_up(self._caller, now, refusal.reason)


class RingBack:
    """One such call; what `Bridge` is to others.

    Args:
        ua: The exchange's user agent.
        order: Who is called back, and for whom.
        board: Returns the exchange as it is at the moment.
        relay: Carries the media.
        now: The present.
        connected: Called once when the second end has answered.

    Attributes:
        state: As of `Bridge`.
        record: As of `Bridge`.
    """

    def __init__(
        self,
        ua: UserAgent,
        order: Order,
        board: Callable[[], Board],
        relay: MediaRelay,
        now: Seconds,
        connected: Callable[[OpenCall], None],
    ) -> None:
        self.record: CallRecord | None = None
        self._state = BridgeState.CALLING
        self._ua = ua
        self._order = order
        self._board = board
        self._relay = relay
        self._connected = connected
        self._started = now
        self._trying: dict[CallId, Place] = {}
        self._failures: list[CallFailed] = []
        self._identity = -1
        self._until: Seconds | None = None
        self._ports: RelayPorts | None = None
        self._inner: _Connection | None = None

    @property
    def state(self) -> BridgeState:
        """How far it has come."""
        return self._state if self._inner is None else self._inner.state

    def start(self, now: Seconds) -> bool:
        """Ring who wants to be called back; return False where that can not be."""
        board, who = self._board(), self._order.who
        target = board.callee(Caller(self._order.wanted), who)
        if target is None or isinstance(target, Service):
            return False
        first = Search(board.office(), Caller(self._order.wanted), target).next(now)
        if isinstance(first, Refusal):
            return False
        host = first.places[0].flow.local[0]
        self._ports = self._relay.open(host, host)
        if self._ports is None:
            return False
        self._until = now + first.ring_seconds
        self._ring(first, _offer(self._ports.caller), now)
        self._identity = min(int(call) for call in self._trying)
        return True

    def _ring(self, step: Round, offer: bytes, now: Seconds) -> None:
        caller = Caller(self._order.wanted)
        for place in step.places:
            further = AS_CALLING if self._order.camping else ()
            call = invite_place(self._ua, place, caller, offer, now, headers=further)
            self._trying[call] = place

    # -- what a bridge is asked ------------------------------------------------------------------------------

    @property
    def calls(self) -> set[CallId]:
        """See `Bridge.calls`."""
        return set(self._trying) if self._inner is None else self._inner.calls

    @property
    def group(self) -> str:
        """See `Bridge.group`."""
        return "" if self._inner is None else self._inner.group

    @property
    def ringing(self) -> tuple[str, ...]:
        """See `Bridge.ringing`."""
        if self._inner is not None:
            return self._inner.ringing
        return tuple(dict.fromkeys(place.number for place in self._trying.values()))

    @property
    def parting(self) -> dict[CallId, Side]:
        """See `Bridge.parting`."""
        return {} if self._inner is None else self._inner.parting

    @property
    def open_call(self) -> OpenCall:
        """See `Bridge.open_call`."""
        if self._inner is not None:
            return replace(self._inner.open_call, identity=self._identity)
        return OpenCall(self._identity, self._order.who, self._order.wanted, self._started)

    def involves(self, number: str) -> bool:
        """See `Bridge.involves`."""
        if self._inner is not None:
            return self._inner.involves(number)
        return any(place.number == number and place.trunk is None for place in self._trying.values())

    def over_trunk(self, name: str) -> bool:
        """See `Bridge.over_trunk`."""
        if self._inner is not None:
            return self._inner.over_trunk(name)
        return any(place.trunk is not None and place.trunk.name == name for place in self._trying.values())

    def deadline(self) -> Seconds | None:
        """See `Bridge.deadline`."""
        return self._until if self._inner is None else self._inner.deadline()

    def handle_timer(self, now: Seconds) -> None:
        """See `Bridge.handle_timer`."""
        if self._inner is not None:
            self._inner.handle_timer(now)
            self._follow()
        elif self._until is not None and now >= self._until:
            self._end(NO_ANSWER.cause, NO_ANSWER.status, now)

    def hang_up(self, cause: Cause, now: Seconds, reason: str = "") -> None:
        """See `Bridge.hang_up`."""
        if self._inner is None:
            self._end(cause, 503, now)
        else:
            self._inner.hang_up(cause, now, reason)
            self._follow()

    def handle(self, event: Event, now: Seconds) -> None:
        """See `Bridge.handle`."""
        if self._inner is not None:
            self._inner.handle(event, now)
            self._follow()
            return
        match event:
            case CallAnswered(call=call) if call in self._trying:
                self._answered(event, now)
            case CallFailed(call=call) if call in self._trying:
                del self._trying[call]
                self._failures.append(event)
                if not self._trying:
                    refusal = refusal_of(self._failures)
                    self._end(refusal.cause, refusal.status, now)
            case CallEnded(call=call) if call in self._trying:
                del self._trying[call]
            case _:
                pass

    def _answered(self, event: CallAnswered, now: Seconds) -> None:
        """The one is there: ring the other with what the one has answered."""
        assert self._ports is not None
        place = self._trying.pop(event.call)
        for other in self._trying:
            self._ua.hang_up(other, now)
        self._trying.clear()
        board = self._board()
        extension = None if place.trunk is not None else board.plan.find(place.number)
        caller = Caller(self._order.who, extension.name if extension else "", extension, place.trunk)
        target, offer = board.plan.target(self._order.wanted), only(event.sdp, [PCMA])
        if target is None or not offer:
            self._drop(event.call, now)
            return
        search = Search(board.office(), caller, target)
        first = search.next(now)
        if isinstance(first, Refusal):
            self._drop(event.call, now)
            return
        incoming = IncomingCall(
            *(event.call, "", "", "", "", offer, place.flow, None, 70, Headers()),
        )
        parties = Parties(caller, self._order.wanted, search, first, offer)
        role = () if self._order.camping else AS_CALLING
        self._inner = _Connection(
            *(self._ua, incoming, parties, self._relay, now, self._told),
            ports=self._ports, started=self._started, role=role,
        )  # fmt: skip
        self._inner.start(now)
        self._follow()

    def _told(self, call: OpenCall) -> None:
        self._connected(replace(call, identity=self._identity))

    def _drop(self, call: CallId, now: Seconds) -> None:
        self._ua.hang_up(call, now, "not available any more")
        self._end(Cause.UNREACHABLE, 480, now)

    def _follow(self) -> None:
        """Take the record over, with the identity by which the call became known."""
        if self._inner is not None and self._inner.record is not None:
            self.record = replace(self._inner.record, identity=self._identity, note="called back")

    def _end(self, cause: Cause, status: int, now: Seconds) -> None:
        for call in self._trying:
            self._ua.hang_up(call, now)
        self._trying.clear()
        if self._ports is not None:
            self._relay.close(self._ports)
        self._state, self._until = BridgeState.OVER, None
        self.record = CallRecord(
            *(self._order.who, self._order.wanted, self._started, None, now, cause, status),
            identity=self._identity,
            note="called back",
        )
