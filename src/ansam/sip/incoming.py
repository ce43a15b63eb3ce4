"""A call to us until we answer, refuse, or its caller gives up (RFC 3261 §13.3)."""

from collections.abc import Callable, Iterable

from ansam.errors import LocalProtocolError
from ansam.sip.core import Alarm, Core
from ansam.sip.dialog import Dialog, dialog_of_callee
from ansam.sip.events import CallId, Cancelled, Flow
from ansam.sip.message import Request, Response
from ansam.sip.reliable import EXTENSION, ReliableProvisionals
from ansam.sip.session import Session
from ansam.sip.session_timer import grant, granting_fields
from ansam.sip.transaction import Key
from ansam.sip.uri import user_of
from ansam.units import Seconds

PROVISIONAL_INTERVAL = 60.0
"""A provisional response is repeated so often, lest a proxy gives up (RFC 3261 §13.3.1.1)."""


class RingingCall:
    """One INVITE received, 100 sent.

    Args:
        core: The user agent's services.
        call: Its identity.
        key: The server transaction.
        request: The INVITE.
        flow: Where it came from.
        on_over: Called once when it is refused or cancelled, after the event if there is one.
        on_end: Given to the session.
    """

    def __init__(
        self,
        core: Core,
        call: CallId,
        key: Key,
        request: Request,
        flow: Flow,
        on_over: Callable[["RingingCall"], None],
        on_end: Callable[[Session], None],
    ) -> None:
        self._core = core
        self.call = call
        self.key = key
        self._request = request
        self._on_over = on_over
        self._on_end = on_end
        contact = core.contact(user_of(request.uri), flow)
        self.tag = core.new_tag()
        self.dialog: Dialog = dialog_of_callee(request, self.tag, flow, contact, core.config.follow_contact)
        self._repeat: Alarm | None = None
        self._reliable: ReliableProvisionals | None = None
        if EXTENSION in request.headers.tokens("Require"):
            self._reliable = ReliableProvisionals(core, key, request, self._no_prack)

    def progress(self, status: int, sdp: bytes, now: Seconds) -> None:
        """Send a provisional response, and again every minute."""
        if not 101 <= status <= 199:
            raise LocalProtocolError(f"status {status} is not provisional")
        self._cancel_repeat()
        self._send(status, now, body=sdp)
        self._repeat = self._core.alarm(now + PROVISIONAL_INTERVAL, lambda at: self.progress(status, sdp, at))

    def answer(self, sdp: bytes, now: Seconds) -> Session:
        """Send the 2xx and return the session."""
        self._stop()
        session = Session(self._core, self.call, self.dialog, None, False, self._on_end)
        granted = grant(self._request, self._core.config.session_expires)
        headers = (*self._contact(), ("Supported", "timer"), *granting_fields(granted))
        response = self._core.respond(
            self.key, self._request, 200, now, tag=self.tag, headers=headers, body=sdp
        )
        session.await_ack(self.key, response, now)
        session.begin(self._request, sdp)
        session.timer.start(granted, "uas", now)
        return session

    def reject(self, status: int, reason: str, headers: Iterable[tuple[str, str]], now: Seconds) -> None:
        """Send a final refusal."""
        if not 300 <= status <= 699:
            raise LocalProtocolError(f"status {status} is no refusal")
        self._stop()
        self._core.respond(
            self.key, self._request, status, now, tag=self.tag, reason=reason, headers=tuple(headers)
        )
        self._on_over(self)

    def cancelled(self, now: Seconds) -> None:
        """The caller gave up: 487 (§9.2)."""
        self._stop()
        self._core.respond(self.key, self._request, 487, now, tag=self.tag)
        self._core.emit(Cancelled(self.call))
        self._on_over(self)

    def on_request(self, key: Key, request: Request, now: Seconds) -> None:
        """Take a request within the early dialogue; a BYE ends it (RFC 3261 §15)."""
        if not self.dialog.in_order(request):
            self._core.respond(key, request, 500, now, reason="CSeq Out Of Order")
        elif request.method == "BYE":
            self._core.respond(key, request, 200, now)
            self.cancelled(now)
        elif request.method == "PRACK":
            good = self._reliable is not None and self._reliable.acknowledge(request, now)
            # Its body could only be an offer: the INVITE's stands and has no answer yet (RFC 3262 §5).
            self._core.respond(key, request, (488 if request.body else 200) if good else 481, now)
        elif request.method == "INVITE" or (request.method == "UPDATE" and request.body):
            # §14.2, RFC 3311 §5.2: another offer before the first is answered.
            delay = str(self._core.rng.randrange(11))
            self._core.respond(key, request, 500, now, headers=(("Retry-After", delay),))
        else:
            if request.method == "UPDATE":
                self.dialog.refresh(request)
            self._core.respond(key, request, 200, now, headers=self._contact())

    def _send(self, status: int, now: Seconds, body: bytes = b"") -> None:
        def respond(further: tuple[tuple[str, str], ...]) -> Response:
            headers = (*self._contact(), *further)
            return self._core.respond(
                self.key, self._request, status, now, tag=self.tag, headers=headers, body=body
            )

        if self._reliable is None:
            respond(())
        else:
            self._reliable.send(respond, now)

    def _no_prack(self, now: Seconds) -> None:
        # RFC 3262 §3: the INVITE is to be refused with a 5xx.
        self._stop()
        self._core.respond(self.key, self._request, 504, now, tag=self.tag)
        self._core.emit(Cancelled(self.call))
        self._on_over(self)

    def _contact(self) -> tuple[tuple[str, str], ...]:
        return (("Contact", f"<{self.dialog.contact}>"), ("Allow", self._core.allow))

    def _stop(self) -> None:
        self._cancel_repeat()
        if self._reliable is not None:
            self._reliable.stop()

    def _cancel_repeat(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None
