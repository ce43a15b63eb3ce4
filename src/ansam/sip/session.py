"""An answered call: what happens within its dialogue until a BYE.

::

    UP ── bye ──> ENDING ── BYE answered ──> OVER
     │  (while our 2xx awaits its ACK the BYE waits too, RFC 3261 §15)
     └── BYE received, ACK or BYE or re-INVITE without an answer ──> OVER

Two exchanges of INVITE may run meanwhile, one from each side; when they cross both are refused with 491 and
tried again at different times (§14.1). An UPDATE (RFC 3311) of the peer counts as its re-INVITE; ours only
refreshes the session (RFC 4028), and where the peer does not know it, a re-INVITE with what stands does.
"""

from collections.abc import Callable
from enum import Enum, auto

from ansam.errors import LocalProtocolError
from ansam.sip.ack_wait import AckWait
from ansam.sip.core import ACCEPT, Alarm, Core
from ansam.sip.dialog import Dialog
from ansam.sip.digest import DigestClient
from ansam.sip.events import (
    CallConfirmed,
    CallEnded,
    CallId,
    Reinvite,
    ReinviteAnswered,
    ReinviteFailed,
)
from ansam.sip.headers import Headers, quote
from ansam.sip.message import Message, Request, Response, cseq_of
from ansam.sip.requester import Requester
from ansam.sip.session_timer import (
    SessionTimer,
    asking_fields,
    grant,
    granted_by,
    granting_fields,
    min_se,
)
from ansam.sip.transaction import Key
from ansam.units import Seconds

REFRESH_AGAIN = 5.0
"""Seconds until a refresh that met another exchange is tried again."""

MAX_GLARES = 8
"""Attempts of one re-INVITE that meets 491."""


class SessionState(Enum):
    """Where an answered call stands."""

    UP = auto()
    ENDING = auto()
    OVER = auto()


class Session:
    """One answered call.

    Args:
        core: The user agent's services.
        call: Its identity.
        dialog: Its dialogue.
        digest: Signs our requests, None without credentials.
        we_called: We own the Call-ID (RFC 3261 §14.1: decides who waits longer after a glare).
        on_over: Called once when the call is over, after its event; None: an unwanted dialogue that ends
            without an event.
    """

    def __init__(
        self,
        core: Core,
        call: CallId,
        dialog: Dialog,
        digest: DigestClient | None,
        we_called: bool,
        on_over: Callable[["Session"], None] | None,
    ) -> None:
        self._core = core
        self.call = call
        self.dialog = dialog
        self._digest = digest
        self._we_called = we_called
        self._on_over = on_over
        self.state = SessionState.UP
        self._ack_wait: AckWait | None = None
        self._bye_wanted: str | None = None
        self._offered: tuple[Key, Request] | None = None
        self._offering: Requester | None = None
        self._retry: Alarm | None = None
        self._glares = 0
        self._acks: dict[int, bytes] = {}
        self._ours = b""
        self._theirs = b""
        self._peer_updates = False
        self._refreshing = False
        self.timer = SessionTimer(core, self._refresh, self._expired)

    def begin(self, message: Message, sdp: bytes) -> None:
        """Note what stands at the answer.

        Args:
            message: The peer's INVITE or 2xx.
            sdp: Our description.
        """
        self._ours, self._theirs = sdp, message.body
        self._peer_updates = "update" in message.headers.tokens("Allow")

    # --- our 2xx and its ACK -------------------------------------------------------------------------------
    def await_ack(self, key: Key, response: Response, now: Seconds) -> None:
        """Resend a 2xx of ours until `on_ack`."""
        number = cseq_of(response).number
        self._ack_wait = AckWait(self._core, key, response, number, self._no_ack, now)

    def on_ack(self, request: Request, now: Seconds) -> None:
        """Take an ACK within the dialogue."""
        wait = self._ack_wait
        if wait is None or cseq_of(request).number != wait.number:
            return
        wait.stop()
        self._ack_wait = None
        if self.state is not SessionState.UP:
            return
        self._theirs = request.body or self._theirs
        self._core.emit(CallConfirmed(self.call, request.body))
        if self._bye_wanted is not None:
            self._send_bye(self._bye_wanted, now)

    def _no_ack(self, now: Seconds) -> None:
        # §13.3.1.4: the dialogue stands, but the session is to be ended with a BYE.
        if self._ack_wait is not None:
            self._ack_wait.stop()
            self._ack_wait = None
        self._give_up(408, "no ACK", now)

    # --- the end -------------------------------------------------------------------------------------------
    def bye(self, now: Seconds, reason: str) -> None:
        """End the call; while our 2xx awaits its ACK, right after that."""
        if self.state is not SessionState.UP:
            return
        if self._ack_wait is not None:
            self._bye_wanted = reason
        else:
            self._send_bye(reason, now)

    def _send_bye(self, reason: str, now: Seconds) -> None:
        self.state = SessionState.ENDING
        self._drop_offers(now)
        requester = self._requester(self._bye_answered, self._bye_failed)
        requester.send(self.dialog.request("BYE", (*_reason_field(reason), *self._parting())), now)

    def _bye_answered(self, response: Response, now: Seconds) -> None:
        if response.status >= 200:
            reason = "" if response.status < 300 else response.reason
            self._end(True, reason, response.status, response.headers)

    def _bye_failed(self, status: int, now: Seconds) -> None:
        self._end(True, "no answer to BYE" if status == 408 else "transport failed", status)

    def _give_up(self, status: int, reason: str, now: Seconds) -> None:
        """End the call because the peer is lost; a BYE is sent for its sake, its answer interests nobody."""
        if self.state is SessionState.OVER:
            return
        self._drop_offers(now)
        bye = self.dialog.request("BYE", (*_reason_field(reason), *self._parting()))
        self._core.send_request(bye, self.dialog.next_hop(), None, now)
        self._end(True, reason, status)

    def _parting(self) -> tuple[tuple[str, str], ...]:
        parting = self._core.config.parting
        return () if parting is None else tuple(parting(self.call))

    def _end(self, by_us: bool, reason: str, status: int, headers: Headers | None = None) -> None:
        if self.state is SessionState.OVER:
            return
        self.state = SessionState.OVER
        self.timer.stop()
        if self._ack_wait is not None:
            self._ack_wait.stop()
        if self._on_over is not None:
            self._core.emit(CallEnded(self.call, by_us, reason, status, headers or Headers()))
            self._on_over(self)

    def _drop_offers(self, now: Seconds) -> None:
        self.timer.stop()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._offered is not None:
            key, request = self._offered
            self._offered = None
            self._core.respond(key, request, 487, now, tag=self.dialog.local_tag)

    # --- requests of the peer ------------------------------------------------------------------------------
    def on_request(self, key: Key, request: Request, now: Seconds) -> None:
        """Take a request within the dialogue, already checked after RFC 3261 §8.2."""
        if not self.dialog.in_order(request):
            self._core.respond(key, request, 500, now, reason="CSeq Out Of Order")
        elif request.method == "BYE":
            self._on_bye(key, request, now)
        elif request.method == "INVITE" or (request.method == "UPDATE" and request.body):
            self._on_reinvite(key, request, now)
        elif request.method == "UPDATE":
            self.dialog.refresh(request)
            self._respond_success(key, request, b"", now)
        else:
            self._core.respond(
                key, request, 200, now, headers=(("Allow", self._core.allow), ("Accept", ACCEPT))
            )

    def _on_bye(self, key: Key, request: Request, now: Seconds) -> None:
        self._core.respond(key, request, 200, now, headers=self._parting())
        by_us = self.state is SessionState.ENDING or self._bye_wanted is not None
        self._drop_offers(now)
        self._end(by_us, request.headers.first("Reason"), 200, request.headers)

    def _on_reinvite(self, key: Key, request: Request, now: Seconds) -> None:
        if self.state is not SessionState.UP:
            self._core.respond(key, request, 481, now)
        elif self._offered is not None or self._ack_wait is not None:
            # §14.2: a second offer before the first is settled.
            delay = str(self._core.rng.randrange(11))
            self._core.respond(key, request, 500, now, headers=(("Retry-After", delay),))
        elif self._offering is not None:
            self._core.respond(key, request, 491, now)
        else:
            if request.method == "INVITE":
                self._core.respond(key, request, 100, now)
            self._offered = key, request
            self._core.emit(Reinvite(self.call, request.body))

    def on_cancel(self, key: Key, now: Seconds) -> bool:
        """Take the CANCEL of a re-INVITE; False if it aims at none that is open."""
        if self._offered is None or self._offered[0] != key:
            return False
        self._drop_offers(now)
        return True

    def accept_reinvite(self, sdp: bytes, now: Seconds) -> None:
        """Answer the open re-INVITE; nothing happens if the peer has taken it back."""
        if self._offered is None:
            return
        key, request = self._offered
        self._offered = None
        self.dialog.refresh(request)
        self._ours, self._theirs = sdp, request.body
        response = self._respond_success(key, request, sdp, now)
        if request.method == "INVITE":
            self.await_ack(key, response, now)

    def _respond_success(self, key: Key, request: Request, sdp: bytes, now: Seconds) -> Response:
        """Answer a target refresh with 200, and run the session timer anew."""
        granted = grant(request, self._core.config.session_expires)
        headers = (
            ("Contact", f"<{self.dialog.contact}>"),
            ("Allow", self._core.allow),
            ("Supported", "timer"),
            *granting_fields(granted),
        )
        response = self._core.respond(key, request, 200, now, headers=headers, body=sdp)
        self.timer.start(granted, "uas", now)
        return response

    def reject_reinvite(self, status: int, reason: str, now: Seconds) -> None:
        """Refuse the open re-INVITE; nothing happens if the peer has taken it back."""
        if self._offered is not None:
            key, request = self._offered
            self._offered = None
            self._core.respond(key, request, status, now, reason=reason)

    # --- session timer -------------------------------------------------------------------------------------
    def _refresh(self, now: Seconds) -> None:
        if self.state is not SessionState.UP:
            return
        busy = (self._offered, self._ack_wait, self._offering, self._retry)
        if any(other is not None for other in busy):
            self.timer.again(now, REFRESH_AGAIN)
        elif self._peer_updates:
            requester = self._requester(
                self._refresh_answered,
                lambda status, at: self._give_up(status, "no answer to a session refresh", at),
            )
            requester.send(self.dialog.request("UPDATE", self._asking()), now)
        else:
            self._refreshing = True
            self._offer(self._ours, now)

    def _refresh_answered(self, response: Response, now: Seconds) -> None:
        if response.status < 200 or self.state is not SessionState.UP:
            return
        if response.status < 300:
            self.dialog.refresh(response)
            self.timer.start(granted_by(response), "uac", now)
        elif response.status in (408, 481):
            self._give_up(response.status, response.reason, now)  # RFC 4028 §10
        elif response.status in (405, 501):
            self._peer_updates = False
            self._refresh(now)
        else:
            self._refresh_refused(response, now)

    def _refresh_refused(self, response: Response, now: Seconds) -> None:
        """Try again: at once with a longer interval, else a little later; the end stays where it is."""
        longer = min_se(response) if response.status == 422 else 0
        if longer > self.timer.minimum:
            self.timer.minimum = longer
            self._refresh(now)
        else:
            self.timer.again(now, REFRESH_AGAIN)

    def _expired(self, now: Seconds) -> None:
        self._give_up(408, "session expired", now)

    # --- our re-INVITE -------------------------------------------------------------------------------------
    def reinvite(self, sdp: bytes, now: Seconds) -> None:
        """Offer a new session."""
        if self._refreshing:
            self._offer_later(sdp, now)
            return
        if self._offering is not None or self._retry is not None:
            raise LocalProtocolError("a re-INVITE of ours is still open")
        self._glares = 0
        self._offer(sdp, now)

    def _offer(self, sdp: bytes, now: Seconds) -> None:
        self._retry = None
        if self.state is not SessionState.UP:
            return
        if self._offered is not None or self._ack_wait is not None or self._offering is not None:
            self._offer_later(sdp, now)
            return
        requester = self._requester(
            lambda response, at: self._offer_answered(requester, sdp, response, at),
            lambda status, at: self._offer_failed(status, at),
        )
        self._offering = requester
        requester.send(self.dialog.request("INVITE", self._asking(), sdp), now)

    def _asking(self) -> tuple[tuple[str, str], ...]:
        timer = asking_fields(self.timer.wanted(), self.timer.minimum)
        return (("Allow", self._core.allow), ("Supported", "timer"), *timer)

    def _offer_later(self, sdp: bytes, now: Seconds) -> None:
        # §14.1: the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
        steps = self._core.rng.randrange(210, 401) if self._we_called else self._core.rng.randrange(0, 201)
        self._retry = self._core.alarm(now + steps / 100, lambda at: self._offer(sdp, at))

    def _offer_answered(self, requester: Requester, sdp: bytes, response: Response, now: Seconds) -> None:
        if response.status < 200:
            return
        if response.status < 300:
            self.acknowledge(response)
        if self._offering is not requester:
            return
        self._offering = None
        if self.state is not SessionState.UP:
            return
        if response.status < 300:
            self.dialog.refresh(response)
            self.timer.start(granted_by(response), "uac", now)
            refreshed = self._refreshing and response.body == self._theirs
            self._ours, self._theirs, self._refreshing = sdp, response.body, False
            if not refreshed:
                self._core.emit(ReinviteAnswered(self.call, response.body))
        elif self._refreshing and response.status not in (408, 481):
            self._refreshing = False
            self._refresh_refused(response, now)
        elif response.status == 491 and self._glares < MAX_GLARES:
            self._glares += 1
            self._offer_later(sdp, now)
        elif response.status in (408, 481):
            self._give_up(response.status, response.reason, now)  # §12.2.1.2
        else:
            self._core.emit(ReinviteFailed(self.call, response.status, response.reason))

    def _offer_failed(self, status: int, now: Seconds) -> None:
        self._offering = None
        if self.state is SessionState.UP:
            self._give_up(status, "no answer to re-INVITE", now)

    def acknowledge(self, response: Response) -> None:
        """Send the ACK to a 2xx of our INVITE, or the same ACK to its retransmission."""
        number = cseq_of(response).number
        if number not in self._acks:
            ack = self.dialog.request("ACK", number=number)
            # Only the last INVITE's 2xx can still come again.
            self._acks = {number: self._core.layer.send_ack(ack, self.dialog.next_hop())}
        else:
            self._core.layer.send_raw(self._acks[number], self.dialog.next_hop())

    def _requester(
        self, on_response: Callable[[Response, Seconds], None], on_failure: Callable[[int, Seconds], None]
    ) -> Requester:
        return Requester(
            self._core, self.dialog.next_hop(), self._digest, self.dialog.next_seq, on_response, on_failure
        )


def _reason_field(reason: str) -> tuple[tuple[str, str], ...]:
    """Return a Reason field (RFC 3326) with that text, nothing for no text."""
    return (("Reason", f"SIP;cause=200;text={quote(reason)}"),) if reason else ()
