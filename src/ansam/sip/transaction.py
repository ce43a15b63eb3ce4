"""The transaction layer: matches messages to state machines, runs their timers, resends.

Above it a request is sent once and answered once; loss, duplicates and silence are dealt with here.
"""

import heapq
import random
from dataclasses import dataclass, field
from typing import TypeAlias

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.sip.events import Flow, Outgoing
from ansam.sip.fields import MAGIC_COOKIE, CSeq, Via
from ansam.sip.headers import Headers
from ansam.sip.machines import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    RETRANSMISSION,
    SERVER,
    Action,
    Input,
    Machine,
    Received,
    State,
    Timer,
    first_interval,
    next_interval,
)
from ansam.sip.message import Message, Request, Response, cseq_of, from_of, serialise, top_via
from ansam.trace import Sink, null_sink
from ansam.units import Seconds

MAX_TRANSACTIONS = 20_000
"""Server transactions at once; a request beyond them gets 503 without state."""

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """A new request (never an ACK, never a retransmission)."""

    transaction: Key
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class AckArrived:
    """An ACK that belongs to no transaction: it acknowledges a 2xx."""

    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class ResponseArrived:
    """A response to our request (any provisional one; the final one; each 2xx to INVITE)."""

    transaction: Key
    response: Response


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """Our request got no answer: 408 (time-out) or 503 (transport), as RFC 3261 §8.1.3.1 has it."""

    transaction: Key
    status: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A client transaction is over; nothing more will come for this key."""

    transaction: Key


Indication: TypeAlias = RequestArrived | AckArrived | ResponseArrived | RequestFailed | Finished


@dataclass(slots=True)
class _Transaction:
    """One running machine."""

    machine: Machine
    key: Key
    flow: Flow
    request: Request
    state: State
    sent: bytes = b""
    deadlines: dict[Timer, Seconds] = field(default_factory=dict)
    interval: float = 0.0


class TransactionLayer:
    """All transactions of one user agent.

    Args:
        rng: For branches.
        trace: Gets one event for each change of state.
    """

    def __init__(self, rng: random.Random, trace: Sink = null_sink) -> None:
        self._rng = rng
        self._trace = trace
        self._running: dict[Key, _Transaction] = {}
        self._heap: list[tuple[Seconds, int, Key, Timer]] = []
        self._serial = 0
        self._outgoing: list[Outgoing] = []
        self._indications: list[Indication] = []
        self._servers = 0
        self._identities: dict[tuple[str, ...], Key] = {}

    # --- outputs -------------------------------------------------------------------------------------------
    def take_outgoing(self) -> list[Outgoing]:
        """Drain what is to be sent."""
        out, self._outgoing = self._outgoing, []
        return out

    def take_indications(self) -> list[Indication]:
        """Drain what the transaction user must hear."""
        out, self._indications = self._indications, []
        return out

    def idle(self) -> bool:
        """Return True if no transaction runs."""
        return not self._running and not self._identities and not self._servers

    def deadline(self) -> Seconds | None:
        """Return the time of the next timer, or None."""
        while self._heap:
            at, _, key, timer = self._heap[0]
            transaction = self._running.get(key)
            if transaction is not None and transaction.deadlines.get(timer) == at:
                return at
            heapq.heappop(self._heap)
        return None

    # --- client side ---------------------------------------------------------------------------------------
    def request(self, request: Request, flow: Flow, now: Seconds) -> Key:
        """Start a client transaction; Via is put in front here.

        Returns:
            Its key, found again in the indications.
        """
        return self._start_client(self._with_via(request, flow), flow, now)

    def send_ack(self, ack: Request, flow: Flow) -> bytes:
        """Send an ACK to a 2xx, which is no transaction; return its octets to be sent again."""
        data = serialise(self._with_via(ack, flow))
        self.send_raw(data, flow)
        return data

    def send_raw(self, data: bytes, flow: Flow) -> None:
        """Send octets outside any transaction."""
        self._outgoing.append(Outgoing(data, flow))

    def close(self, flow: Flow) -> None:
        """Ask for a TCP connection to be closed, after what is queued for it."""
        self._outgoing.append(Outgoing(b"", flow, close=True))

    def cancel(self, key: Key, now: Seconds) -> Key | None:
        """Start the CANCEL of a running INVITE (RFC 3261 §9.1); None if it has its final response already."""
        invite = self._running.get(key)
        if invite is None or invite.state is not State.PROCEEDING:
            return None
        headers = invite.request.headers
        kept = [("Via", str(top_via(invite.request)))]
        kept += [("Route", value) for value in headers.all("Route")]
        kept += [(name, headers.first(name)) for name in ("From", "To", "Call-ID")]
        kept += [("CSeq", str(CSeq(cseq_of(invite.request).number, "CANCEL"))), ("Max-Forwards", "70")]
        request = Request("CANCEL", invite.request.uri, Headers.of(kept))
        return self._start_client(request, invite.flow, now)

    def abandon(self, key: Key) -> None:
        """Stop a client transaction without a word (RFC 3261 §9.1: a cancelled INVITE left unanswered)."""
        self._running.pop(key, None)

    def new_branch(self) -> str:
        """Return a fresh branch: the cookie and 80 random bits."""
        return f"{MAGIC_COOKIE}{self._rng.getrandbits(80):020x}"

    def _with_via(self, request: Request, flow: Flow) -> Request:
        host, port = flow.local
        host = f"[{host}]" if ":" in host else host
        # rport: RFC 3581 §3; the answer comes back to the port it was sent from.
        parameters = (("rport", None), ("branch", self.new_branch()))
        via = Via(flow.transport.upper(), host, port, parameters)
        return Request(request.method, request.uri, request.headers.before(("Via", str(via))), request.body)

    def _start_client(self, request: Request, flow: Flow, now: Seconds) -> Key:
        machine = INVITE_CLIENT if request.method == "INVITE" else CLIENT
        key = ("client", top_via(request).branch, request.method)
        transaction = _Transaction(machine, key, flow, request, machine.start, serialise(request))
        self._running[key] = transaction
        self._outgoing.append(Outgoing(transaction.sent, flow))
        self._enter(transaction, machine.start, now)
        return key

    # --- server side ---------------------------------------------------------------------------------------
    def respond(self, key: Key, response: Response, now: Seconds) -> None:
        """Send a response within a server transaction; one that is over (or already answered) ignores it."""
        transaction = self._running.get(key)
        if transaction is None:
            return
        if response.status < 200:
            what = Received.SEND_PROVISIONAL
        elif response.status < 300:
            what = Received.SEND_SUCCESS
        else:
            what = Received.SEND_FAILURE
        if (
            transaction.state in (State.ACCEPTED, State.COMPLETED, State.CONFIRMED)
            and (
                transaction.state,
                what,
            )
            not in transaction.machine.table
        ):
            return
        transaction.sent = serialise(response)
        self._step(transaction, what, now)

    def respond_once(self, key: Key, response: Response, now: Seconds) -> None:
        """Answer within a server transaction and forget it: a repetition of the request is a new one.

        For challenges over UDP (RFC 3261 §26.3.2.4): who forges the source of an INVITE gets one datagram
        sent there and not a dozen, as nothing is resent until an ACK comes.
        """
        transaction = self._running.get(key)
        if transaction is not None:
            self._outgoing.append(Outgoing(serialise(response), transaction.flow))
            self._enter(transaction, State.TERMINATED, now)

    def refuse(self, request: Request, flow: Flow, response: Response) -> None:
        """Answer a request without any state."""
        if request.method != "ACK":
            self._outgoing.append(Outgoing(serialise(response), response_flow(request, flow)))

    def matching_invite(self, cancel: Key) -> Key | None:
        """Return the INVITE server transaction that a CANCEL with that key aims at (RFC 3261 §9.2)."""
        key = (*cancel[:-1], "INVITE")
        return key if key in self._running else None

    def is_merged(self, request: Request, own: Key) -> bool:
        """Return True if an earlier transaction carries the same request by another path.

        Spec: RFC 3261 §8.2.2.2.
        """
        return self._identities.get(_identity(request), own) != own

    # --- inputs --------------------------------------------------------------------------------------------
    def receive(self, message: Message, flow: Flow, now: Seconds) -> None:
        """Take a parsed message.

        Raises:
            RemoteProtocolError: Its Via or CSeq cannot be read.
        """
        if isinstance(message, Response):
            self._receive_response(message, now)
        else:
            self._receive_request(message, flow, now)

    def _receive_response(self, response: Response, now: Seconds) -> None:
        key = ("client", top_via(response).branch, cseq_of(response).method)
        transaction = self._running.get(key)
        if transaction is None:
            return
        if response.status < 200:
            what = Received.PROVISIONAL
        else:
            what = Received.SUCCESS if response.status < 300 else Received.FAILURE
        self._step(transaction, what, now, response)

    def _receive_request(self, request: Request, flow: Flow, now: Seconds) -> None:
        via = top_via(request).stamped(flow.remote)
        method = "INVITE" if request.method == "ACK" else request.method
        key = _server_key(request, via, method)
        transaction = self._running.get(key)
        if transaction is not None:
            what = Received.ACK if request.method == "ACK" else Received.REQUEST
            accepted = transaction.state is State.ACCEPTED
            self._step(transaction, what, now)
            if not (what is Received.ACK and accepted):
                return
        if request.method == "ACK":
            self._indications.append(AckArrived(request, flow))
            return
        if self._servers >= MAX_TRANSACTIONS:
            headers = Headers.of([(n, v) for n, v in request.headers if n in _COPIED])
            self.refuse(request, flow, Response(503, "Service Unavailable", headers))
            return
        machine = INVITE_SERVER if request.method == "INVITE" else SERVER
        stamped = Request(request.method, request.uri, _restamped(request.headers, via), request.body)
        destination = response_flow(request, flow)
        self._running[key] = _Transaction(machine, key, destination, stamped, machine.start)
        self._servers += 1
        self._identities.setdefault(_identity(stamped), key)
        self._indications.append(RequestArrived(key, stamped, flow))

    def transport_failed(self, flow: Flow, now: Seconds) -> None:
        """Tell every transaction of that flow."""
        for transaction in [t for t in self._running.values() if t.flow == flow]:
            self._step(transaction, Received.TRANSPORT_ERROR, now)

    def handle_timer(self, now: Seconds) -> None:
        """Fire every timer due at `now`."""
        while (at := self.deadline()) is not None and at <= now:
            _, _, key, timer = heapq.heappop(self._heap)
            transaction = self._running[key]
            del transaction.deadlines[timer]
            self._step(transaction, timer, now)
            if timer in RETRANSMISSION and key in self._running:
                transaction.interval = next_interval(timer, transaction.interval, transaction.state)
                self._start_timer(transaction, timer, now + transaction.interval)

    # --- the machine ---------------------------------------------------------------------------------------
    def _step(
        self, transaction: _Transaction, what: Input, now: Seconds, response: Response | None = None
    ) -> None:
        try:
            actions, state = transaction.machine.table[transaction.state, what]
        except KeyError:
            raise LocalProtocolError(
                f"{transaction.machine.name} transaction: {what.name} in {transaction.state.name}"
            ) from None
        for action in actions:
            self._act(transaction, action, response)
        if state is not transaction.state:
            self._trace(now, "sip.transaction", "state", machine=transaction.machine.name, state=state.name)
            self._enter(transaction, state, now)

    def _act(self, transaction: _Transaction, action: Action, response: Response | None) -> None:
        if action is Action.SEND:
            if transaction.sent:
                self._outgoing.append(Outgoing(transaction.sent, transaction.flow))
        elif action is Action.ACK and response is not None:
            self._outgoing.append(Outgoing(_ack_failure(transaction.request, response), transaction.flow))
        elif action is Action.DELIVER and response is not None:
            self._indications.append(ResponseArrived(transaction.key, response))
        elif action is Action.TIMED_OUT:
            self._indications.append(RequestFailed(transaction.key, 408))
        elif action is Action.UNREACHABLE:
            self._indications.append(RequestFailed(transaction.key, 503))

    def _enter(self, transaction: _Transaction, state: State, now: Seconds) -> None:
        transaction.state = state
        if state is State.TERMINATED:
            if self._running.get(transaction.key) is transaction:
                del self._running[transaction.key]
                if transaction.key[0] == "client":
                    self._indications.append(Finished(transaction.key))
                else:
                    self._servers -= 1
                    if self._identities.get(_identity(transaction.request)) == transaction.key:
                        del self._identities[_identity(transaction.request)]
            return
        wanted = transaction.machine.timers.get(state, ())
        for timer in [timer for timer in transaction.deadlines if timer not in wanted]:
            del transaction.deadlines[timer]
        for timer in wanted:
            interval = first_interval(timer, transaction.flow.reliable)
            if timer not in transaction.deadlines and interval is not None:
                if timer in RETRANSMISSION:
                    transaction.interval = interval
                self._start_timer(transaction, timer, now + interval)

    def _start_timer(self, transaction: _Transaction, timer: Timer, at: Seconds) -> None:
        transaction.deadlines[timer] = at
        self._serial += 1
        heapq.heappush(self._heap, (at, self._serial, transaction.key, timer))


_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")


def response_flow(request: Request, flow: Flow) -> Flow:
    """Return where a response goes.

    TCP: the same connection. UDP: the packet's source if the request has rport (RFC 3581 §4), else its
    address with the port of sent-by (RFC 3261 §18.2.2).

    Deviation: `maddr` is ignored; it would let anyone aim our responses at third parties.
    """
    if flow.reliable:
        return flow
    try:
        via = top_via(request)
    except RemoteProtocolError:
        return flow
    if via.parameter("rport") is not None:
        return flow
    return Flow("udp", flow.local, (flow.remote[0], via.port or 5060))


def _restamped(headers: Headers, via: Via) -> Headers:
    others = headers.listed("Via")[1:]
    vias = [("Via", str(via)), *(("Via", value) for value in others)]
    return headers.without("Via").before(*vias)


def _server_key(request: Request, via: Via, method: str) -> Key:
    if via.branch.startswith(MAGIC_COOKIE) and via.branch != MAGIC_COOKIE:
        return ("server", via.branch, via.sent_by, method)
    # §17.2.3, for clients of RFC 2543: what an INVITE, its ACK and its CANCEL have in common.
    parts = (request.uri, from_of(request).tag, request.headers.first("Call-ID"))
    return ("server", *parts, str(cseq_of(request).number), via.sent_by, via.branch, method)


def _identity(request: Request) -> tuple[str, ...]:
    headers = request.headers
    return request.method, headers.first("From"), headers.first("Call-ID"), headers.first("CSeq")


def _ack_failure(invite: Request, response: Response) -> bytes:
    """Return the ACK to a 300–699 (RFC 3261 §17.1.1.3)."""
    headers = invite.headers
    kept = [("Via", str(top_via(invite)))]
    kept += [("Route", value) for value in headers.all("Route")]
    kept += [("From", headers.first("From")), ("To", response.headers.first("To"))]
    kept += [("Call-ID", headers.first("Call-ID"))]
    kept += [("CSeq", str(CSeq(cseq_of(invite).number, "ACK"))), ("Max-Forwards", "70")]
    return serialise(Request("ACK", invite.uri, Headers.of(kept)))
