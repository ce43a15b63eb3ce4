"""What the user agent tells its owner, and the small values both sides exchange.

A call has one identity, `CallId`, from `invite` (or `IncomingCall`) until exactly one of its three ends:
`CallFailed` (never answered), `Cancelled` (the caller gave up before we answered) or `CallEnded` (it was up).
After that event the identity is forgotten.
"""

from dataclasses import dataclass, field
from typing import Literal, NewType, TypeAlias

from ansam.sip.headers import Headers

Address: TypeAlias = tuple[str, int]
"""An IP address as text (IPv6 without brackets) and a port."""

Transport: TypeAlias = Literal["udp", "tcp", "tls"]

CallId = NewType("CallId", int)
RegistrationId = NewType("RegistrationId", int)
RequestId = NewType("RequestId", int)


@dataclass(frozen=True, slots=True)
class Flow:
    """A path to one peer: a pair of UDP addresses, or one connection.

    Attributes:
        transport: ``udp``, ``tcp``, or ``tls`` over TCP.
        local: Our listening address, as the peer is to see it in Via and Contact (never 0.0.0.0).
        remote: The peer. For a connection the peer opened: its ephemeral port.
    """

    transport: Transport
    local: Address
    remote: Address

    @property
    def reliable(self) -> bool:
        """True where the transport resends by itself, so that SIP's retransmission timers rest."""
        return self.transport != "udp"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Octets to send.

    Attributes:
        data: One datagram, or a piece of a stream.
        flow: Where. A TCP or TLS flow without a connection is to be opened to `flow.remote` (failure:
            `UserAgent.transport_failed`).
        close: Close the TCP connection after the data (its stream cannot be read any further).
    """

    data: bytes
    flow: Flow
    close: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """The registrar accepted us (first time or refresh) for `expires` seconds."""

    registration: RegistrationId
    expires: int


@dataclass(frozen=True, slots=True)
class RegistrationFailed:
    """A registration or refresh failed; it is tried again `retry_in` seconds from now."""

    registration: RegistrationId
    status: int
    reason: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class Unregistered:
    """`unregister` is complete (or its answer did not come in time); the identity is forgotten."""

    registration: RegistrationId


@dataclass(frozen=True, slots=True)
class CallProgress:
    """A provisional response other than 100 to our INVITE; `sdp` is b"" without early media."""

    call: CallId
    status: int
    reason: str
    sdp: bytes


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Our INVITE got its 2xx, which has been acknowledged; `sdp` is the answer (b"" if none came)."""

    call: CallId
    sdp: bytes


@dataclass(frozen=True, slots=True)
class CallFailed:
    """Our INVITE ended without an answer; `ansam.sip.status.outcome` maps the status.

    It is a final status of the peer, 408 for silence, 503 for a dead transport, or 487 after our own
    `cancel`.
    """

    call: CallId
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """An answered call is over.

    Attributes:
        call: The call.
        by_us: True if our own side ended it (`bye`, or the engine because of an error).
        reason: Text for a log: the Reason header of the BYE, or what went wrong.
        status: 200 for a BYE; 408 for an ACK or a BYE response that never came; 481 for a dialogue lost.
        headers: All header fields of the peer's BYE, or of its answer to ours; none where neither came.
    """

    call: CallId
    by_us: bool
    reason: str
    status: int
    headers: Headers = field(default_factory=Headers, compare=False)


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A new INVITE; 100 Trying has been sent. Answer by `ringing`, `answer` or `reject`.

    Attributes:
        call: The call.
        uri: The Request-URI.
        from_: The URI of From.
        to: The URI of To.
        display: The caller's display name, "" if none.
        sdp: The offer; b"" if the INVITE has none (then `answer` carries our offer, `CallConfirmed` the
            answer).
        flow: Where it came from.
        authenticated_user: The user name proved by digest, None where none was demanded.
        max_forwards: Hops left; a back-to-back agent refuses at 0 with 483 and forwards with one less.
        headers: All header fields.
    """

    call: CallId
    uri: str
    from_: str
    to: str
    display: str
    sdp: bytes
    flow: Flow
    authenticated_user: str | None
    max_forwards: int
    headers: Headers


@dataclass(frozen=True, slots=True)
class CallConfirmed:
    """The ACK to our 2xx arrived; `sdp` is b"" unless the offer was ours (an INVITE without one)."""

    call: CallId
    sdp: bytes


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The caller gave up before we answered; the call is over."""

    call: CallId


@dataclass(frozen=True, slots=True)
class Reinvite:
    """The peer asks to change the session: `accept_reinvite` or `reject_reinvite` must follow.

    `sdp` is b"" where the peer wants our offer.
    """

    call: CallId
    sdp: bytes


@dataclass(frozen=True, slots=True)
class ReinviteAnswered:
    """Our `reinvite` was accepted with this answer."""

    call: CallId
    sdp: bytes


@dataclass(frozen=True, slots=True)
class ReinviteFailed:
    """Our `reinvite` was refused; the session goes on as it was; 491 is retried by the engine."""

    call: CallId
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class RegisterContact:
    """One Contact of a received REGISTER, or one binding of its answer.

    Attributes:
        uri: The URI as the client wrote it.
        expires: Seconds asked for (None: the client left it to us) or granted; 0 removes.
        q: Preference 0.0–1.0.
    """

    uri: str
    expires: int | None
    q: float = 1.0


@dataclass(frozen=True, slots=True)
class RegisterReceived:
    """A REGISTER (authenticated where the configuration demands it): answer by `respond_register`.

    Attributes:
        request: Handle for `respond_register`.
        aor: The address of record: the URI of To without parameters.
        user: Its user part.
        contacts: The bindings to add, refresh or remove; empty: a query.
        remove_all: ``Contact: *`` with expiry 0.
        call_id: For the order of requests of one client (RFC 3261 §10.3 step 7).
        cseq: Likewise.
        authenticated_user: The user name proved by digest, None where none was demanded.
        flow: Where it came from, and thus where calls for this user can be sent (also through a NAT).
        user_agent: The client's product text, "" if none.
    """

    request: RequestId
    aor: str
    user: str
    contacts: tuple[RegisterContact, ...]
    remove_all: bool
    call_id: str
    cseq: int
    authenticated_user: str | None
    flow: Flow
    user_agent: str


@dataclass(frozen=True, slots=True)
class AuthenticationFailed:
    """Credentials were wrong (not merely missing or stale): for the log and for a guard against guessing."""

    method: str
    username: str
    flow: Flow


Event: TypeAlias = (
    Registered
    | RegistrationFailed
    | Unregistered
    | CallProgress
    | CallAnswered
    | CallFailed
    | CallEnded
    | IncomingCall
    | CallConfirmed
    | Cancelled
    | Reinvite
    | ReinviteAnswered
    | ReinviteFailed
    | RegisterReceived
    | AuthenticationFailed
)
