"""The user agent: registrations and calls over transport octets, without sockets or clocks.

One engine serves a modem's line (registers as a client, calls in and out) and the exchange (many calls at
once, the receiving side of REGISTER). Call a method, then drain `take_outgoing`, `take_events`, and re-arm
one timer for `deadline`; only then call the next method.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansam.sip.auth import AuthServer, Credentials
from ansam.sip.events import (
    CallId,
    Event,
    Flow,
    Outgoing,
    RegisterContact,
    RegistrationId,
    RequestId,
)
from ansam.trace import Sink, null_sink
from ansam.units import Seconds


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
        follow_contact: Send requests within a call to the peer's Contact when that is an IP address; False:
            always back along the flow it came from (peers behind a NAT).
    """

    user: str = "ansam"
    product: str = "ansam"
    auth: AuthServer | None = None
    authenticate: frozenset[str] = frozenset({"INVITE", "REGISTER"})
    registrar: bool = False
    max_calls: int = 256
    follow_contact: bool = True


class UserAgent:
    """RFC 3261 user agent client and server in one."""

    def __init__(self, config: UserAgentConfig, rng: random.Random, trace: Sink = null_sink) -> None: ...

    # --- transport -----------------------------------------------------------------------------------------
    def receive(self, data: bytes, flow: Flow, now: Seconds) -> None:
        """Take one datagram (udp) or any piece of a stream (tcp)."""

    def transport_failed(self, flow: Flow, now: Seconds) -> None:
        """Learn that a flow is dead: ICMP unreachable, connection refused or closed."""

    def take_outgoing(self) -> list[Outgoing]:
        """Drain what is to be sent, in order."""

    def take_events(self) -> list[Event]:
        """Drain what happened, in order."""

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` must be called, or None."""

    def handle_timer(self, now: Seconds) -> None:
        """Let every timer due at `now` fire."""

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
    ) -> RegistrationId:
        """Register `aor` ("sip:07@host") along `flow` and keep it registered.

        `registrar` is the Request-URI; None: the domain of `aor`.
        """

    def unregister(self, registration: RegistrationId, now: Seconds) -> None:
        """Remove the binding; `Unregistered` follows."""

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
        """Call the URI `target` along `flow`."""

    def ringing(self, call: CallId, now: Seconds, status: int = 180, sdp: bytes = b"") -> None:
        """Send a provisional response to an incoming call."""

    def answer(self, call: CallId, sdp: bytes, now: Seconds) -> None:
        """Answer an incoming call with 200."""

    def reject(
        self,
        call: CallId,
        status: int,
        now: Seconds,
        reason: str = "",
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Refuse an incoming call with a final status 300–699; the identity is forgotten, no event follows."""

    def cancel(self, call: CallId, now: Seconds) -> None:
        """Give up our own call before its answer; `CallFailed` 487 follows (or `CallEnded` if the answer crossed)."""

    def bye(self, call: CallId, now: Seconds, reason: str = "") -> None:
        """End an answered call; `CallEnded(by_us=True)` follows when the peer confirms or is silent."""

    def hang_up(self, call: CallId, now: Seconds) -> None:
        """End a call in whatever state it is: cancel, reject (480) or bye. Unknown identities are ignored."""

    def reinvite(self, call: CallId, sdp: bytes, now: Seconds) -> None:
        """Offer a new session within an answered call."""

    def accept_reinvite(self, call: CallId, sdp: bytes, now: Seconds) -> None:
        """Answer `Reinvite`."""

    def reject_reinvite(self, call: CallId, now: Seconds, status: int = 488, reason: str = "") -> None:
        """Refuse `Reinvite`; the session goes on as it was."""

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
        """Answer `RegisterReceived`: 200 with all current bindings, or 403, 404, 423 (with `min_expires`), 500."""
