"""One call between two ends, extensions or trunks: a back-to-back user agent of two dialogues.

::

    caller          exchange           callee
      | INVITE         | INVITE          |        one for each telephone of the present round
      |--------------->|---------------->|
      |            180 |             180 |
      |<---------------|<----------------|        nobody in time, or all refuse: CANCEL, next round
      |         200 OK |          200 OK |        the first wins, the others get CANCEL
      |<---------------|<----------------|
      |<============ speech ============>|        or through the relay
      | BYE            | BYE             |        either way
      |--------------->|---------------->|

Two dialogues instead of a proxy's one, because the exchange then can say who really calls, end calls itself
and hide one end's network from the other. What the ends say to each other about the session passes unread: a
re-INVITE is put to the other end and its answer, 488 too, comes back. Who rings in which round is found by
`search`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ansam.pbx.legs import invite_place
from ansam.pbx.media import MediaRelay, RelayPorts, Side, redirect
from ansam.pbx.partings import facts_in
from ansam.pbx.records import CallRecord, Cause, OpenCall
from ansam.pbx.refusals import refusal_of
from ansam.pbx.search import NO_ANSWER, SILENT, Place, Refusal, Round, Search
from ansam.pbx.trunks import Caller, Trunk
from ansam.sip.events import (
    Address,
    CallAnswered,
    CallEnded,
    CallFailed,
    CallId,
    CallProgress,
    Cancelled,
    Event,
    IncomingCall,
    Reinvite,
    ReinviteAnswered,
    ReinviteFailed,
)
from ansam.sip.ua import UserAgent
from ansam.units import Seconds


class BridgeState(Enum):
    """How far a call has come."""

    CALLING = "the callee's telephones are being called"
    ANSWERED = "both ends talk"
    OVER = "the call has ended"


@dataclass(frozen=True, slots=True)
class Parties:
    """Who calls whom.

    Attributes:
        caller: The authenticated extension, or who calls over a trunk.
        number: What was dialled.
        search: Finds who rings.
        first: Who rings first.
        offer: The caller's session description as the callee is to see it.
    """

    caller: Caller
    number: str
    search: Search
    first: Round
    offer: bytes


class Bridge:
    """One call. Its owner passes it the events of its dialogues.

    Args:
        ua: The exchange's user agent.
        incoming: The caller's INVITE.
        parties: Who calls whom.
        relay: Sockets for the media, or None where it goes straight between the ends.
        now: The present.
        connected: Called once when somebody answers.

    Attributes:
        callee: Who answered, or None.
        parting: Dialogues of extensions whose answer to our BYE is still to come after the end.
    """

    def __init__(
        self,
        ua: UserAgent,
        incoming: IncomingCall,
        parties: Parties,
        relay: MediaRelay | None,
        now: Seconds,
        connected: Callable[[OpenCall], None],
    ) -> None:
        self.state = BridgeState.CALLING
        self.record: CallRecord | None = None
        self.parties = parties
        self.callee: Place | None = None
        self.parting: dict[CallId, Side] = {}
        self._facts: dict[Side, Mapping[str, Any]] = {}
        self._sign_until: Seconds | None = None
        self._tried_trunk = ""
        self._further: tuple[tuple[str, str], ...] = ()
        self._ua = ua
        self._incoming = incoming
        self._caller = incoming.call
        self._callee: CallId | None = None
        self._trying: dict[CallId, Place] = {}
        self._failures: list[CallFailed] = []
        self._ring_until: Seconds | None = None
        self._relay = relay
        self._ports: RelayPorts | None = None
        self._asker: CallId | None = None
        self._asker_target: Address | None = None
        self._started = now
        self._answered: Seconds | None = None
        self._connected = connected

    @property
    def calls(self) -> set[CallId]:
        """The identities of the dialogues whose events belong here."""
        legs = {self._caller, *self._trying}
        return legs if self._callee is None else legs | {self._callee}

    @property
    def group(self) -> str:
        """Number of the group whose member rings or talks, or ""."""
        return self.parties.search.group

    def involves(self, number: str) -> bool:
        """Return whether an extension takes part: calls, rings or talks."""
        if self.parties.caller.is_extension(number):
            return True
        return any(place.number == number and place.trunk is None for place in self._places())

    def over_trunk(self, name: str) -> bool:
        """Return whether the call comes, or goes, over a trunk."""
        return any(trunk.name == name for trunk in self._trunks())

    def _places(self) -> list[Place]:
        """Return where it rings, or who talks."""
        return list(self._trying.values()) if self.callee is None else [self.callee]

    def _trunks(self) -> list[Trunk]:
        trunks = [self.parties.caller.trunk, *(place.trunk for place in self._places())]
        return [trunk for trunk in trunks if trunk is not None]

    @property
    def ringing(self) -> tuple[str, ...]:
        """Numbers that ring."""
        return tuple(dict.fromkeys(place.number for place in self._trying.values()))

    @property
    def open_call(self) -> OpenCall:
        """The call as it stands."""
        trunks = self._trunks()
        return OpenCall(
            int(self._caller),
            self.parties.caller.number,
            self.parties.number,
            self._started,
            self._answered,
            answered_by="" if self.callee is None else self.callee.number,
            trunk=trunks[0].name if trunks else "",
        )

    # -- from the caller -------------------------------------------------------------------------------------

    def start(self, now: Seconds) -> None:
        """Call those who ring first."""
        self._ring(self.parties.first, now)

    def _ring(self, step: Round | Refusal, now: Seconds) -> None:
        """Begin a round, or end the call where there is none left."""
        if isinstance(step, Refusal):
            self._refuse(step, now)
            return
        self._failures.clear()
        if not self._open_relay(step.places[0].flow.local[0]):
            self._refuse(Refusal(503, "No Relay Ports", Cause.CONGESTION), now)
            return
        self._ring_until = now + step.ring_seconds
        self._sign_until = now + step.sign_seconds if step.sign_seconds else None
        sdp = self._redirected(self.parties.offer, Side.CALLER)
        for place in step.places:
            hops = self._incoming.max_forwards - 1
            call = invite_place(self._ua, place, self.parties.caller, sdp, now, hops, self._further)
            self._trying[call] = place

    def _open_relay(self, host: str) -> bool:
        """Open sockets where those called see them at `host`; return False where there are none."""
        if self._relay is None or (self._ports is not None and self._ports.callee[0] == host):
            return True
        if self._ports is None:
            self._ports = self._relay.open(self._incoming.flow.local[0], host)
            return self._ports is not None
        moved = self._relay.move(self._ports, host)
        self._ports = moved or self._ports
        return moved is not None

    def _next_round(self, failure: Refusal, now: Seconds) -> None:
        for call in self._trying:
            self._ua.hang_up(call, now)
        self._trying.clear()
        self._ring(self.parties.search.next(now, failure), now)

    def handle(self, event: Event, now: Seconds) -> None:
        """Take an event of one of the call's dialogues.

        A dialogue may have ended in an event that is still to come; orders to it are void until then.
        """
        if self.state is BridgeState.OVER:
            return
        match event:
            case CallProgress(call=call) if call in self._trying:
                self._progress(event, now)
            case CallAnswered(call=call) if call in self._trying:
                self._answer(event, now)
            case CallFailed(call=call) if call in self._trying:
                self._failed(event, now)
            case Cancelled():
                self._answered = None  # an answer that crossed the CANCEL has not reached the caller
                self._end(Cause.CANCELLED, 487, now)
            case CallEnded():
                self._ended(event, now)
            case Reinvite():
                self._reinvite(event, now)
            case ReinviteAnswered() | ReinviteFailed():
                self._reinvite_over(event, now)

    def _progress(self, event: CallProgress, now: Seconds) -> None:
        self._sign_until = None
        if 180 <= event.status <= 183:
            self._tell_ringing(event.status, self._redirected(event.sdp, Side.CALLEE), now)

    def _answer(self, event: CallAnswered, now: Seconds) -> None:
        self.callee = self._trying.pop(event.call)
        self._callee = event.call
        for other in self._trying:
            self._ua.hang_up(other, now)
        self._trying.clear()
        self._ring_until = self._sign_until = None
        self.state = BridgeState.ANSWERED
        self._answered = now
        self._tell_answered(self._redirected(event.sdp, Side.CALLEE), now)
        self._connected(self.open_call)

    def _failed(self, event: CallFailed, now: Seconds) -> None:
        failed = self._trying.pop(event.call)
        self._failures.append(event)
        if failed.trunk is not None:
            self._tried_trunk = failed.trunk.name
        if event.status >= 600:
            # It speaks for the whole extension; other members of a group go on ringing.
            for call in [call for call, place in self._trying.items() if place.same_end(failed)]:
                del self._trying[call]
                self._ua.hang_up(call, now)
        if not self._trying:
            self._next_round(refusal_of(self._failures), now)

    def _refuse(self, refusal: Refusal, now: Seconds) -> None:
        self._tell_refused(refusal, now)
        self._end(refusal.cause, refusal.status, now, refusal.reason)

    # -- what the caller is told -----------------------------------------------------------------------------

    def _tell_ringing(self, status: int, sdp: bytes, now: Seconds) -> None:
        self._ua.ringing(self._caller, now, status, sdp)

    def _tell_answered(self, sdp: bytes, now: Seconds) -> None:
        self._ua.answer(self._caller, sdp, now)

    def _tell_refused(self, refusal: Refusal, now: Seconds) -> None:
        self._ua.reject(self._caller, refusal.status, now, refusal.reason)

    # -- within the call -------------------------------------------------------------------------------------

    def _other(self, call: CallId) -> CallId | None:
        return self._callee if call == self._caller else self._caller

    def _reinvite(self, event: Reinvite, now: Seconds) -> None:
        other = self._other(event.call)
        if self.state is not BridgeState.ANSWERED or other is None or self._asker is not None:
            self._ua.reject_reinvite(event.call, now, 491, "Request Pending")
            return
        if not event.sdp:
            # The answer would travel in the ACK, when the other end's offer has long been accepted for it.
            self._ua.reject_reinvite(event.call, now, 488, "Offer Required")
            return
        side = self._side(event.call)
        self._asker = event.call
        sdp = event.sdp
        if self._ports is not None:
            sdp, self._asker_target = redirect(sdp, self._ports.facing(_opposite(side)))
        self._ua.reinvite(other, sdp, now)

    def _reinvite_over(self, event: ReinviteAnswered | ReinviteFailed, now: Seconds) -> None:
        asker, self._asker = self._asker, None
        if asker is None:
            return
        if isinstance(event, ReinviteFailed):
            self._ua.reject_reinvite(asker, now, event.status, event.reason)
            return
        if self._relay is not None and self._ports is not None and self._asker_target is not None:
            self._relay.aim(self._ports, self._side(asker), self._asker_target)
        self._ua.accept_reinvite(asker, self._redirected(event.sdp, self._side(event.call)), now)

    def _side(self, call: CallId) -> Side:
        return Side.CALLER if call == self._caller else Side.CALLEE

    def _redirected(self, sdp: bytes, of: Side) -> bytes:
        """Return what the other side is to see of a description, and aim the relay at its sender."""
        if self._relay is None or self._ports is None or not sdp:
            return sdp
        sdp, target = redirect(sdp, self._ports.facing(_opposite(of)))
        if target is not None:
            self._relay.aim(self._ports, of, target)
        return sdp

    # -- the end ---------------------------------------------------------------------------------------------

    def _ended(self, event: CallEnded, now: Seconds) -> None:
        if event.call not in (self._caller, self._callee):
            return
        side = self._side(event.call)
        if self._is_ours(side):
            self._facts[side] = facts_in(event)
        if event.by_us or event.status != 200:
            cause = Cause.LOST
        elif event.call == self._caller:
            cause = Cause.CALLER_HUNG_UP
        else:
            cause = Cause.CALLEE_HUNG_UP
        self._end(cause, 200, now, event.reason, gone=event.call)

    def _is_ours(self, side: Side) -> bool:
        """Return whether an end is an extension: strangers' words of their modems are not taken."""
        if side is Side.CALLER:
            return self.parties.caller.extension is not None
        return self.callee is not None and self.callee.trunk is None

    def hang_up(self, cause: Cause, now: Seconds, reason: str = "") -> None:
        """End the call from our side, whatever its state; the ends are told the reason."""
        if self.state is BridgeState.CALLING:
            self._refuse(Refusal(503, reason, cause), now)
        elif self.state is BridgeState.ANSWERED:
            self._end(cause, 200, now, reason)

    def _end(
        self, cause: Cause, status: int, now: Seconds, reason: str = "", gone: CallId | None = None
    ) -> None:
        """Take down all dialogues that are left, tell them the reason, and write the record.

        Args:
            cause: Why.
            status: What the caller saw.
            now: The time.
            reason: What the end that hung up, or refused, said about it.
            gone: The dialogue that is over by itself.
        """
        open_call = self.open_call
        if self.state is BridgeState.ANSWERED:
            legs = {self._caller: Side.CALLER}
            if self._callee is not None:
                legs[self._callee] = Side.CALLEE
            self.parting = {leg: side for leg, side in legs.items() if leg != gone and self._is_ours(side)}
        text = re.search(r'text="([^"]*)"', reason)
        for call in self.calls:
            self._ua.hang_up(call, now, text[1] if text else reason)
        carried = None
        if self._relay is not None and self._ports is not None:
            carried = self._relay.close(self._ports)
            self._ports = None
        from_caller, from_callee = carried or (None, None)
        self.state = BridgeState.OVER
        self._ring_until = self._sign_until = None
        self.record = CallRecord(
            open_call.caller,
            open_call.callee,
            self._started,
            self._answered,
            now,
            cause,
            status,
            reason,
            answered_by=open_call.answered_by,
            from_caller=from_caller,
            from_callee=from_callee,
            identity=open_call.identity,
            trunk=open_call.trunk or self._tried_trunk,
            caller_modem=self._facts.get(Side.CALLER, {}),
            callee_modem=self._facts.get(Side.CALLEE, {}),
        )

    def deadline(self) -> Seconds | None:
        """Return when the present round of ringing ends, or None."""
        return min((due for due in (self._ring_until, self._sign_until) if due is not None), default=None)

    def handle_timer(self, now: Seconds) -> None:
        """Go on where nobody has answered in time."""
        due = self.deadline()
        if due is not None and now >= due:
            self._next_round(NO_ANSWER if self._sign_until is None else SILENT, now)


def _opposite(side: Side) -> Side:
    return Side.CALLEE if side is Side.CALLER else Side.CALLER
