"""The user agent: registrations and calls over transport octets, without sockets or clocks.

One engine serves a modem's line (registers as a client, calls in and out) and the exchange (many calls at
once, the receiving side of REGISTER). Call a method, then drain `take_outgoing`, `take_events`, and re-arm
one timer for `deadline`; only then call the next method.

A call can end by the peer's hand while its owner still has earlier events to work through. A method called
for such a call does nothing; one that its state never allowed, or for an identity never given out, raises
`LocalProtocolError`.
"""

import random
from collections.abc import Iterable, Sequence

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.sip.auth import AuthServer, Verdict
from ansam.sip.calls import Calls, Invitation
from ansam.sip.core import ACCEPT, SUPPORTED, Core, UserAgentConfig
from ansam.sip.digest import Credentials, DigestClient
from ansam.sip.events import (
    AuthenticationFailed,
    CallId,
    Event,
    Flow,
    Outgoing,
    RegisterContact,
    RegistrationId,
    RequestId,
)
from ansam.sip.incoming import RingingCall
from ansam.sip.message import (
    Request,
    to_of,
)
from ansam.sip.outgoing import OutgoingCall
from ansam.sip.reading import Reading
from ansam.sip.registrar import Registrar
from ansam.sip.registration import Registration
from ansam.sip.session import Session
from ansam.sip.transaction import (
    AckArrived,
    Finished,
    Indication,
    Key,
    RequestArrived,
    RequestFailed,
    ResponseArrived,
)
from ansam.sip.uas import inspect
from ansam.sip.uri import parse_uri
from ansam.trace import Sink, null_sink
from ansam.units import Seconds

__all__ = ["UserAgent", "UserAgentConfig"]


class UserAgent:
    """RFC 3261 user agent client and server in one.

    Args:
        config: Behaviour.
        rng: Tags, branches, identities; seed it in tests, `random.SystemRandom()` in service.
        trace: Sink for changes of transaction state.
    """

    def __init__(self, config: UserAgentConfig, rng: random.Random, trace: Sink = null_sink) -> None:
        self._config = config
        self._core = Core(config, rng, trace)
        self._reading = Reading(self._core, self._pump)
        self._registrar = Registrar(self._core)
        self._calls = Calls(self._core)
        self._registrations: dict[RegistrationId, Registration] = {}
        self._bad_requests = 0

    @property
    def malformed(self) -> int:
        """Messages dropped or refused because they could not be read."""
        return self._bad_requests + self._reading.malformed

    # --- transport -----------------------------------------------------------------------------------------
    def receive(self, data: bytes, flow: Flow, now: Seconds) -> None:
        """Take one datagram (udp) or any piece of a stream (tcp)."""
        self._reading.receive(data, flow, now)
        self._pump(now)

    def transport_failed(self, flow: Flow, now: Seconds) -> None:
        """Learn that a flow is dead: ICMP unreachable, connection refused or closed."""
        self._reading.forget(flow)
        self._core.layer.transport_failed(flow, now)
        for registration in list(self._registrations.values()):
            registration.flow_failed(flow, now)
        self._pump(now)

    def close(self, flow: Flow) -> None:
        """Close a TCP connection; what it has sent in part is forgotten."""
        self._reading.close(flow)

    def take_outgoing(self) -> list[Outgoing]:
        """Drain what is to be sent, in order."""
        return self._core.layer.take_outgoing()

    def take_events(self) -> list[Event]:
        """Drain what happened, in order."""
        events, self._core.events = self._core.events, []
        return events

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` must be called, or None."""
        return self._core.deadline()

    def handle_timer(self, now: Seconds) -> None:
        """Let every timer due at `now` fire."""
        self._core.layer.handle_timer(now)
        self._pump(now)
        self._core.fire_alarms(now)
        self._pump(now)

    def idle(self) -> bool:
        """Return True if no call, registration or transaction is left: safe to throw away."""
        own = self._calls.idle() and self._registrar.idle() and not self._registrations
        return own and self._core.idle()

    # --- client registration -------------------------------------------------------------------------------
    def register(
        self,
        aor: str,
        flow: Flow,
        now: Seconds,
        *,
        registrar: str | None = None,
        credentials: Credentials | None = None,
        expires: int = 3600,
        keep_alive: Seconds | None = None,
    ) -> RegistrationId:
        """Register an address of record and keep it registered until `unregister`.

        Args:
            aor: Such as ``sip:07@example.net``.
            flow: The way to the registrar.
            now: The time.
            registrar: Request-URI; None: ``sip:`` and the domain of `aor`.
            credentials: To answer challenges with.
            expires: Seconds to ask for.
            keep_alive: Time between keep-alives along the flow while the registration stands, s; None: none.

        Raises:
            RemoteProtocolError: `aor` is no SIP URI.
        """
        address = parse_uri(aor)
        port = "" if address.port is None else f":{address.port}"
        identity = RegistrationId(self._core.next_id())
        registration = Registration(
            self._core,
            identity,
            aor,
            registrar or f"{address.scheme}:{address.host}{port}",
            flow,
            self._digest(credentials),
            expires,
            self._registration_gone,
            keep_alive,
        )
        self._registrations[identity] = registration
        registration.start(now)
        self._pump(now)
        return identity

    def move_registration(self, registration: RegistrationId, flow: Flow, now: Seconds) -> None:
        """Try another server of the same registrar, at once."""
        self._known(registration)
        found = self._registrations.get(registration)
        if found is not None:
            found.move(flow, now)
        self._pump(now)

    def unregister(self, registration: RegistrationId, now: Seconds) -> None:
        """Remove the binding; `Unregistered` follows."""
        self._known(registration)
        found = self._registrations.get(registration)
        if found is not None:
            found.stop(now)
        self._pump(now)

    def _registration_gone(self, identity: RegistrationId) -> None:
        del self._registrations[identity]

    # --- calls ---------------------------------------------------------------------------------------------
    def invite(
        self,
        target: str,
        flow: Flow,
        now: Seconds,
        *,
        from_: str,
        sdp: bytes,
        display: str = "",
        to: str | None = None,
        credentials: Credentials | None = None,
        headers: Iterable[tuple[str, str]] = (),
        max_forwards: int = 70,
    ) -> CallId:
        """Call someone.

        Args:
            target: The Request-URI.
            flow: The way: to the exchange, or to the far end itself.
            now: The time.
            from_: Our URI.
            sdp: The offer.
            display: Our display name.
            to: The URI of To; None: `target`.
            credentials: To answer challenges with.
            headers: Further fields.
            max_forwards: Hops the call may still take.
        """
        invitation = Invitation(target, from_, sdp, display, to or target, tuple(headers), max_forwards)
        call = self._calls.place(invitation, flow, self._digest(credentials), now)
        self._pump(now)
        return call

    def ringing(self, call: CallId, now: Seconds, status: int = 180, sdp: bytes = b"") -> None:
        """Send a provisional response to an incoming call."""
        found = self._calls.expect(call, RingingCall, "ringing here")
        if found is not None:
            found.progress(status, sdp, now)
        self._pump(now)

    def answer(self, call: CallId, sdp: bytes, now: Seconds) -> None:
        """Answer an incoming call with 200."""
        found = self._calls.expect(call, RingingCall, "ringing here")
        if found is not None:
            self._calls.answer(found, sdp, now)
        self._pump(now)

    def reject(
        self,
        call: CallId,
        status: int,
        now: Seconds,
        reason: str = "",
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Refuse an incoming call with a status 300–699; the identity is forgotten, no event follows."""
        found = self._calls.expect(call, RingingCall, "ringing here")
        if found is not None:
            found.reject(status, reason, headers, now)
        self._pump(now)

    def cancel(self, call: CallId, now: Seconds, reason: str = "") -> None:
        """Give up our own call before its answer; `CallFailed` 487 follows, even if the answer crossed.

        A call whose `CallAnswered` is already on its way to the owner is ended as by `bye`, for `reason`.
        """
        found = self._calls.find(call)
        if isinstance(found, OutgoingCall):
            found.cancel(now)
        elif isinstance(found, Session):
            found.bye(now, reason)
        elif found is not None:
            raise LocalProtocolError(f"call {call} is not ours to cancel")
        self._pump(now)

    def bye(self, call: CallId, now: Seconds, reason: str = "") -> None:
        """End an answered call; `CallEnded(by_us=True)` follows once the peer confirms, or after 32 s."""
        found = self._calls.expect(call, Session, "answered")
        if found is not None:
            found.bye(now, reason)
        self._pump(now)

    def hang_up(self, call: CallId, now: Seconds, reason: str = "") -> None:
        """End a call in whatever state it is: cancel, reject (480) or bye; one that is over is ignored.

        Args:
            call: Which.
            now: When.
            reason: What the Reason of a BYE is to say (RFC 3326), "" for none.
        """
        if isinstance(self._calls.find(call), RingingCall):
            self.reject(call, 480, now)
        else:
            self.cancel(call, now, reason)

    def reinvite(self, call: CallId, sdp: bytes, now: Seconds) -> None:
        """Offer a new session within an answered call; glare is settled by the engine (RFC 3261 §14.1)."""
        session = self._calls.expect(call, Session, "answered")
        if session is not None:
            session.reinvite(sdp, now)
        self._pump(now)

    def accept_reinvite(self, call: CallId, sdp: bytes, now: Seconds) -> None:
        """Answer `Reinvite`."""
        session = self._calls.expect(call, Session, "answered")
        if session is not None:
            session.accept_reinvite(sdp, now)
        self._pump(now)

    def reject_reinvite(self, call: CallId, now: Seconds, status: int = 488, reason: str = "") -> None:
        """Refuse `Reinvite`; the session goes on as it was."""
        session = self._calls.expect(call, Session, "answered")
        if session is not None:
            session.reject_reinvite(status, reason, now)
        self._pump(now)

    # --- registrar -----------------------------------------------------------------------------------------
    def respond_register(
        self,
        request: RequestId,
        status: int,
        now: Seconds,
        contacts: Sequence[RegisterContact] = (),
        *,
        reason: str = "",
        min_expires: int | None = None,
    ) -> None:
        """Answer `RegisterReceived`.

        Args:
            request: Its handle.
            status: 200, or 403, 404, 423 (with `min_expires`), 500.
            now: The time.
            contacts: All bindings that now stand, for 200.
            reason: Text; "" for the standard one.
            min_expires: Value of Min-Expires.
        """
        self._known(request)
        self._registrar.respond(request, status, now, contacts, reason, min_expires)
        self._pump(now)

    # --- dispatch ------------------------------------------------------------------------------------------
    def _pump(self, now: Seconds) -> None:
        """Work off what the transaction layer reports, until it has nothing more to say."""
        while indications := self._core.layer.take_indications():
            for indication in indications:
                self._dispatch(indication, now)

    def _dispatch(self, indication: Indication, now: Seconds) -> None:
        match indication:
            case RequestArrived(key, request, flow):
                try:
                    self._on_request(key, request, flow, now)
                except RemoteProtocolError as error:
                    self._bad_requests += 1
                    self._core.respond(key, request, 400, now, reason=_reason_of(error))
            case AckArrived(request, _):
                self._calls.on_ack(request, now)
            case ResponseArrived(key, response):
                handler = self._core.handlers.get(key)
                if handler is not None:
                    try:
                        handler.on_response(response, now)
                    except RemoteProtocolError:
                        self._bad_requests += 1
                        if response.status >= 200:
                            handler.on_failure(502, now)
            case RequestFailed(key, status):
                handler = self._core.handlers.get(key)
                if handler is not None:
                    handler.on_failure(status, now)
            case Finished(key):
                self._core.handlers.pop(key, None)

    def _on_request(self, key: Key, request: Request, flow: Flow, now: Seconds) -> None:
        if request.method == "CANCEL":
            self._calls.on_cancel(key, request, now)
            return
        in_dialog = bool(to_of(request).tag)
        refusal = inspect(self._core, request, in_dialog)
        if refusal is not None:
            self._core.respond(
                key, request, refusal.status, now, reason=refusal.reason, headers=refusal.headers
            )
        elif in_dialog:
            self._calls.on_request(key, request, now)
        elif self._core.layer.is_merged(request, key):
            self._core.respond(key, request, 482, now)  # §8.2.2.2
        elif request.method == "INVITE":
            self._on_invite(key, request, flow, now)
        elif request.method == "REGISTER":
            self._on_register(key, request, flow, now)
        elif request.method == "OPTIONS":
            headers = (
                ("Allow", self._core.allow),
                ("Accept", ACCEPT),
                ("Supported", ", ".join(sorted(SUPPORTED))),
            )
            self._core.respond(key, request, 200, now, headers=headers)
        else:
            self._core.respond(key, request, 481, now)

    def _authenticate(self, key: Key, request: Request, flow: Flow, now: Seconds) -> tuple[bool, str | None]:
        """Return whether a request may pass and, where digest was demanded, who sent it."""
        auth: AuthServer | None = self._config.auth
        if auth is None or request.method not in self._config.authenticate:
            return True, None
        if request.method == "INVITE" and self._config.admit is not None and self._config.admit(flow):
            return True, None
        check = auth.check(request, now, flow.remote[0])
        if check.verdict is Verdict.ACCEPTED:
            return True, check.username
        if check.verdict is Verdict.WRONG:
            self._core.emit(AuthenticationFailed(request.method, check.username, flow))
        values = auth.challenges(now, check.verdict is Verdict.STALE, flow.remote[0])
        headers = [("WWW-Authenticate", value) for value in values]
        if request.method == "INVITE" and not flow.reliable:
            self._core.layer.respond_once(key, self._core.make_response(request, 401, headers=headers), now)
        else:
            self._core.respond(key, request, 401, now, headers=headers)
        return False, None

    def _on_invite(self, key: Key, request: Request, flow: Flow, now: Seconds) -> None:
        passed, user = self._authenticate(key, request, flow, now)
        if passed:
            self._calls.receive(key, request, flow, user, now)

    def _on_register(self, key: Key, request: Request, flow: Flow, now: Seconds) -> None:
        passed, user = self._authenticate(key, request, flow, now)
        if passed:
            self._registrar.on_register(key, request, flow, user, now)

    # --- bookkeeping ---------------------------------------------------------------------------------------
    def _digest(self, credentials: Credentials | None) -> DigestClient | None:
        return None if credentials is None else DigestClient(credentials, self._core.rng)

    def _known(self, identity: int) -> None:
        if not self._core.issued(identity):
            raise LocalProtocolError(f"identity {identity} was never given out")


def _reason_of(error: RemoteProtocolError) -> str:
    """Return a Reason-Phrase that tells the peer what was wrong, printable ASCII only."""
    text = "".join(char if " " <= char <= "~" else "?" for char in error.message)
    return f"Bad Request: {text[:80]}"
