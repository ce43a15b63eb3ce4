"""A call of ours until its answer (RFC 3261 §13.2) and its withdrawal (§9.1)."""

from collections.abc import Callable
from enum import Enum, auto

from ansam.sip.core import SUPPORTED, Alarm, Core
from ansam.sip.dialog import Dialog, dialog_of_caller
from ansam.sip.digest import DigestClient
from ansam.sip.events import CallAnswered, CallFailed, CallId, CallProgress, Flow
from ansam.sip.fields import CSeq, parse_cseq
from ansam.sip.machines import TIMEOUT
from ansam.sip.message import Request, Response, cseq_of, to_of
from ansam.sip.reliable import rseq
from ansam.sip.requester import Requester
from ansam.sip.session import Session
from ansam.sip.session_timer import granted_by, min_se
from ansam.sip.status import reason_for
from ansam.sip.transaction import Key
from ansam.units import Seconds

MAX_EARLY = 16
"""Early dialogues of one INVITE: forks that ring."""

MAX_REVISIONS = 3
"""Times an INVITE is sent again because of 421 or 422."""


class OutgoingState(Enum):
    """Where the INVITE stands."""

    CALLING = auto()
    PROCEEDING = auto()
    CANCELLING = auto()
    ANSWERED = auto()
    OVER = auto()


class EarlyDialog:
    """One fork that has answered provisionally; all it can ask for is little.

    Args:
        core: The user agent's services.
        dialog: Its dialogue.

    Attributes:
        rseq: Number of its last reliable response.
    """

    def __init__(self, core: Core, dialog: Dialog) -> None:
        self._core = core
        self.dialog = dialog
        self.rseq: int | None = None

    def on_request(self, key: Key, request: Request, now: Seconds) -> None:
        """Take a request within the early dialogue."""
        if not self.dialog.in_order(request):
            self._core.respond(key, request, 500, now, reason="CSeq Out Of Order")
        elif request.method == "INVITE" or (request.method == "UPDATE" and request.body):
            # RFC 3311 §5.2, RFC 3261 §14.2: our own offer is not settled before the 2xx.
            self._core.respond(key, request, 491, now)
        elif request.method in ("UPDATE", "OPTIONS"):
            if request.method == "UPDATE":
                self.dialog.refresh(request)
            contact = (("Contact", f"<{self.dialog.contact}>"), ("Allow", self._core.allow))
            self._core.respond(key, request, 200, now, headers=contact)
        else:
            self._core.respond(key, request, 481, now)


class OutgoingCall:
    """One INVITE of ours and everything that comes back for it.

    Args:
        core: The user agent's services.
        call: Its identity.
        flow: Where to.
        digest: Signs it, None without credentials.
        contact: Our Contact URI.
        on_session: Takes over when the first 2xx has come.
        on_over: Called once when the call has failed, after its event.
        on_end: Given to the session.

    Attributes:
        early: Forks that ring, by their tag.
        on_early: Called for each of them.
    """

    def __init__(
        self,
        core: Core,
        call: CallId,
        flow: Flow,
        digest: DigestClient | None,
        contact: str,
        on_session: Callable[[Session], None],
        on_over: Callable[["OutgoingCall"], None],
        on_end: Callable[[Session], None],
    ) -> None:
        self._core = core
        self.call = call
        self._flow = flow
        self._digest = digest
        self._contact = contact
        self._on_session = on_session
        self._on_over = on_over
        self._on_end = on_end
        self.state = OutgoingState.CALLING
        self._seq = 0
        self._early_sdp = b""
        self._session: Session | None = None
        self._session_tag = ""
        self._strays: dict[str, Session] = {}
        self._give_up: Alarm | None = None
        self._revisions = 0
        self.early: dict[str, EarlyDialog] = {}
        self.on_early: Callable[[EarlyDialog], None] = lambda early: None
        self._requester = self._new_requester()

    def _new_requester(self) -> Requester:
        return Requester(
            self._core, self._flow, self._digest, self._next_seq, self._on_response, self._on_failure
        )

    def start(self, invite: Request, now: Seconds) -> None:
        """Send the INVITE."""
        self._seq = parse_cseq(invite.headers.first("CSeq")).number
        self._requester.send(invite, now)

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq

    # --- withdrawal ----------------------------------------------------------------------------------------
    def cancel(self, now: Seconds) -> None:
        """Give up. Before a provisional response no CANCEL may be sent (§9.1): it follows the first one."""
        if self.state not in (OutgoingState.CALLING, OutgoingState.PROCEEDING):
            return
        proceeding = self.state is OutgoingState.PROCEEDING
        self.state = OutgoingState.CANCELLING
        self._requester.may_repeat = False
        if proceeding:
            self._send_cancel(now)

    def _send_cancel(self, now: Seconds) -> None:
        if self._give_up is None:
            self._core.layer.cancel(self._requester.key, now)
            # §9.1: after 64*T1 without a final response the INVITE counts as cancelled.
            self._give_up = self._core.alarm(now + TIMEOUT, self._no_final)

    def _no_final(self, now: Seconds) -> None:
        self._core.layer.abandon(self._requester.key)
        self._core.handlers.pop(self._requester.key, None)
        self._fail(487, reason_for(487))

    # --- responses -----------------------------------------------------------------------------------------
    def _on_response(self, response: Response, now: Seconds) -> None:
        if response.status < 200:
            self._on_provisional(response, now)
        elif response.status < 300:
            self._on_success(response, now)
        elif self.state is OutgoingState.CANCELLING:
            self._fail(487, reason_for(487))
        elif response.status not in (421, 422) or not self._revise(response, now):
            self._fail(response.status, response.reason or reason_for(response.status))

    def _revise(self, response: Response, now: Seconds) -> bool:
        """Send the INVITE again as its refusal demands it: a longer interval, or a named extension."""
        last = self._requester.request
        if last is None or self._revisions >= MAX_REVISIONS:
            return False
        headers = last.headers
        if response.status == 422:
            # RFC 4028 §7.4
            asked = (("Session-Expires", str(min_se(response))), ("Min-SE", str(min_se(response))))
            headers = headers.without("Session-Expires", "Min-SE").plus(*asked)
        else:
            wanted = set(response.headers.tokens("Require"))
            if not wanted or not wanted <= SUPPORTED:
                return False
            headers = headers.replaced("Supported", ", ".join(sorted(wanted | {"timer"})))
        self._revisions += 1
        headers = headers.replaced("CSeq", str(CSeq(self._next_seq(), "INVITE")))
        self._requester = self._new_requester()
        self._requester.send(Request("INVITE", last.uri, headers, last.body), now)
        return True

    def _on_provisional(self, response: Response, now: Seconds) -> None:
        if not self._note_early(response, now):
            return
        if self.state is OutgoingState.CANCELLING:
            self._send_cancel(now)
        elif self.state in (OutgoingState.CALLING, OutgoingState.PROCEEDING):
            self.state = OutgoingState.PROCEEDING
            if response.status > 100:
                self._early_sdp = response.body or self._early_sdp
                event = CallProgress(self.call, response.status, response.reason, response.body)
                self._core.emit(event)

    def _note_early(self, response: Response, now: Seconds) -> bool:
        """Keep the early dialogue and acknowledge a reliable response; False for one that came before."""
        tag = to_of(response).tag
        if response.status == 100 or not tag:
            return True
        invite = self._requester.request
        assert invite is not None
        early = self.early.get(tag)
        if early is None:
            if len(self.early) >= MAX_EARLY:
                return True
            early = EarlyDialog(self._core, self._make_dialog(invite, response))
            self.early[tag] = early
            self.on_early(early)
        number = rseq(response)
        if number is None:
            return True
        if early.rseq is not None and number != early.rseq + 1:
            return False  # RFC 3262 §4: a retransmission, or one that overtook another
        early.rseq = number
        rack = f"{number} {cseq_of(invite).number} INVITE"
        Requester(
            self._core,
            early.dialog.next_hop(),
            self._digest,
            early.dialog.next_seq,
            lambda response, at: None,
            lambda status, at: None,
        ).send(early.dialog.request("PRACK", (("RAck", rack),)), now)
        return True

    def _on_success(self, response: Response, now: Seconds) -> None:
        tag = to_of(response).tag
        if self._session is not None and tag == self._session_tag:
            self._session.acknowledge(response)
        elif tag in self._strays:
            self._strays[tag].acknowledge(response)
        elif self.state in (OutgoingState.CALLING, OutgoingState.PROCEEDING):
            self._session = self._make_session(response, self._on_end)
            self._session_tag = tag
            self.state = OutgoingState.ANSWERED
            self._session.acknowledge(response)
            self._session.timer.start(granted_by(response), "uac", now)
            self._on_session(self._session)
            self._core.emit(CallAnswered(self.call, response.body or self._early_sdp))
        else:
            self._decline_answer(tag, response, now)

    def _decline_answer(self, tag: str, response: Response, now: Seconds) -> None:
        """Acknowledge and end a dialogue nobody wants: a second fork, or an answer across our CANCEL."""
        stray = self._make_session(response, None)
        self._strays[tag] = stray
        stray.acknowledge(response)
        stray.bye(now, "")
        if self.state is OutgoingState.CANCELLING:
            self._fail(487, reason_for(487))

    def _make_session(self, response: Response, on_end: Callable[[Session], None] | None) -> Session:
        invite = self._requester.request
        assert invite is not None
        dialog = self._make_dialog(invite, response)
        early = self.early.get(dialog.remote_tag)
        if early is not None:
            # The numbers go on (§12.2.1.1).
            dialog.local_seq, dialog.remote_seq = early.dialog.local_seq, early.dialog.remote_seq
        session = Session(self._core, self.call, dialog, self._digest, True, on_end)
        session.begin(response, invite.body)
        return session

    def _make_dialog(self, invite: Request, response: Response) -> Dialog:
        follow = self._core.config.follow_contact
        return dialog_of_caller(invite, response, self._flow, self._contact, follow)

    def _on_failure(self, status: int, now: Seconds) -> None:
        status = 487 if self.state is OutgoingState.CANCELLING else status
        self._fail(status, reason_for(status))

    def _fail(self, status: int, reason: str) -> None:
        if self._give_up is not None:
            self._give_up.cancel()
        if self.state in (OutgoingState.ANSWERED, OutgoingState.OVER):
            return
        self.state = OutgoingState.OVER
        self._core.emit(CallFailed(self.call, status, reason))
        self._on_over(self)
