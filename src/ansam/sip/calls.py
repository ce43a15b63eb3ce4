"""All calls of one user agent: which identity, dialogue and INVITE belongs to which.

A call is an `OutgoingCall` or a `RingingCall` until its answer and a `Session` from then on; the identity
stays.
"""

from dataclasses import dataclass
from typing import TypeVar

from ansam.errors import LocalProtocolError
from ansam.sip.core import ACCEPT, Core
from ansam.sip.dialog import DialogId
from ansam.sip.digest import DigestClient
from ansam.sip.events import CallId, Flow, IncomingCall
from ansam.sip.fields import CSeq
from ansam.sip.headers import Headers
from ansam.sip.incoming import RingingCall
from ansam.sip.message import Request, from_of, to_of
from ansam.sip.outgoing import EarlyDialog, OutgoingCall
from ansam.sip.session import Session
from ansam.sip.session_timer import MIN_SE, Interval, asking_fields
from ansam.sip.transaction import Key
from ansam.sip.uas import max_forwards
from ansam.sip.uri import NameAddr, user_of
from ansam.units import Seconds

Call = OutgoingCall | RingingCall | Session
C = TypeVar("C", OutgoingCall, RingingCall, Session)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a call of ours says; the fields are those of `UserAgent.invite`."""

    target: str
    from_: str
    sdp: bytes
    display: str
    to: str
    headers: tuple[tuple[str, str], ...]
    max_forwards: int


class Calls:
    """The tables and what changes them.

    Args:
        core: The user agent's services.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._calls: dict[CallId, Call] = {}
        self._dialogs: dict[DialogId, RingingCall | EarlyDialog | Session] = {}
        self._ringing: dict[Key, RingingCall] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def idle(self) -> bool:
        """Return True if there is no call."""
        return not (self._calls or self._dialogs or self._ringing)

    # --- look-up -------------------------------------------------------------------------------------------
    def find(self, call: CallId) -> Call | None:
        """Return a call, None for one that is over.

        Raises:
            LocalProtocolError: The identity was never given out.
        """
        if not self._core.issued(call):
            raise LocalProtocolError(f"call {call} was never given out")
        return self._calls.get(call)

    def expect(self, call: CallId, kind: type[C], what: str) -> C | None:
        """Return a call that must be of a kind, None for one that is over.

        Raises:
            LocalProtocolError: It is of another kind: `what` says what it is not.
        """
        found = self.find(call)
        if found is not None and not isinstance(found, kind):
            raise LocalProtocolError(f"call {call} is not {what}")
        return found

    # --- beginnings ----------------------------------------------------------------------------------------
    def place(self, invitation: Invitation, flow: Flow, digest: DigestClient | None, now: Seconds) -> CallId:
        """Send an INVITE."""
        core = self._core
        call = CallId(core.next_id())
        contact = core.contact(user_of(invitation.from_), flow)
        asked = None if core.config.session_expires is None else Interval(core.config.session_expires)
        fields = [
            ("From", str(NameAddr(invitation.from_, invitation.display).with_tag(core.new_tag()))),
            ("To", str(NameAddr(invitation.to))),
            ("Call-ID", core.new_call_id()),
            ("CSeq", str(CSeq(1, "INVITE"))),
            ("Max-Forwards", str(invitation.max_forwards)),
            ("Contact", f"<{contact}>"),
            ("Allow", core.allow),
            ("Supported", "timer"),
            *asking_fields(asked, MIN_SE),
            *invitation.headers,
        ]
        if invitation.sdp:
            fields.append(("Content-Type", ACCEPT))
        outgoing = OutgoingCall(
            core, call, flow, digest, contact, self._answered, self._call_over, self._session_over
        )
        outgoing.on_early = self._early
        self._calls[call] = outgoing
        outgoing.start(Request("INVITE", invitation.target, Headers.of(fields), invitation.sdp), now)
        return call

    def receive(self, key: Key, request: Request, flow: Flow, user: str | None, now: Seconds) -> None:
        """Take a new INVITE that may pass: 100 at once, then the event.

        Args:
            key: Its transaction.
            request: The INVITE.
            flow: Where it came from.
            user: Who proved to have sent it.
            now: The time.

        Raises:
            RemoteProtocolError: A field that the dialogue needs cannot be read.
        """
        config = self._core.config
        hops = max_forwards(request)
        if len(self._calls) >= config.max_calls:
            self._core.respond(key, request, 503 if config.registrar else 486, now)
            return
        call = CallId(self._core.next_id())
        ringing = RingingCall(self._core, call, key, request, flow, self._call_over, self._session_over)
        self._core.respond(key, request, 100, now)
        self._calls[call] = ringing
        self._ringing[key] = ringing
        self._dialogs[ringing.dialog.identity] = ringing
        caller = from_of(request)
        self._core.emit(
            IncomingCall(
                call=call,
                uri=request.uri,
                from_=caller.uri,
                to=to_of(request).uri,
                display=caller.display,
                sdp=request.body,
                flow=flow,
                authenticated_user=user,
                max_forwards=hops,
                headers=request.headers,
            )
        )

    def answer(self, ringing: RingingCall, sdp: bytes, now: Seconds) -> None:
        """Answer a call to us."""
        self._ringing.pop(ringing.key, None)
        self._answered(ringing.answer(sdp, now))

    # --- messages within dialogues -------------------------------------------------------------------------
    def on_request(self, key: Key, request: Request, now: Seconds) -> None:
        """Take a request with a To tag: 481 if its dialogue is unknown (RFC 3261 §12.2.2)."""
        dialog = self._dialogs.get(_dialog_id(request))
        if dialog is None:
            self._core.respond(key, request, 481, now)
        else:
            dialog.on_request(key, request, now)

    def on_ack(self, request: Request, now: Seconds) -> None:
        """Take the ACK to a 2xx."""
        session = self._dialogs.get(_dialog_id(request))
        if isinstance(session, Session):
            session.on_ack(request, now)

    def on_cancel(self, key: Key, request: Request, now: Seconds) -> None:
        """Take a CANCEL (§9.2): it is answered in any case, and has an effect only before the answer."""
        invite = self._core.layer.matching_invite(key)
        if invite is None:
            self._core.respond(key, request, 481, now)
            return
        ringing = self._ringing.get(invite)
        self._core.respond(key, request, 200, now, tag=ringing.tag if ringing is not None else "")
        if ringing is not None:
            ringing.cancelled(now)
            return
        for dialog in list(self._dialogs.values()):
            if isinstance(dialog, Session) and dialog.on_cancel(invite, now):
                return

    # --- ends ----------------------------------------------------------------------------------------------
    def _answered(self, session: Session) -> None:
        former = self._calls.get(session.call)
        if isinstance(former, OutgoingCall):
            self._forget_early(former)
        self._calls[session.call] = session
        self._dialogs[session.dialog.identity] = session

    def _early(self, early: EarlyDialog) -> None:
        self._dialogs[early.dialog.identity] = early

    def _call_over(self, call: OutgoingCall | RingingCall) -> None:
        self._calls.pop(call.call, None)
        if isinstance(call, OutgoingCall):
            self._forget_early(call)
        if isinstance(call, RingingCall):
            self._ringing.pop(call.key, None)
            self._dialogs.pop(call.dialog.identity, None)

    def _forget_early(self, call: OutgoingCall) -> None:
        for early in call.early.values():
            if self._dialogs.get(early.dialog.identity) is early:
                del self._dialogs[early.dialog.identity]

    def _session_over(self, session: Session) -> None:
        self._calls.pop(session.call, None)
        self._dialogs.pop(session.dialog.identity, None)


def _dialog_id(request: Request) -> DialogId:
    return request.headers.first("Call-ID"), to_of(request).tag, from_of(request).tag
