"""Keeping one address of record registered (RFC 3261 §10.2).

::

    REGISTERING ── 200 ──> REGISTERED ── before expiry ──> REGISTERING
         └─ failure ──> WAITING ── back-off over ──> REGISTERING
    any ── unregister ──> UNREGISTERING ── answer or silence ──> GONE
"""

from collections.abc import Callable
from enum import Enum, auto

from ansam.errors import RemoteProtocolError
from ansam.sip.core import Alarm, Core
from ansam.sip.digest import DigestClient
from ansam.sip.events import Flow, Registered, RegistrationFailed, RegistrationId, Unregistered
from ansam.sip.fields import CSeq, parse_number
from ansam.sip.headers import Headers
from ansam.sip.message import Request, Response
from ansam.sip.requester import Requester
from ansam.sip.status import reason_for
from ansam.sip.uri import parse_name_addr, parse_uri
from ansam.units import Seconds

RETRY_FIRST = 2.0
"""First back-off, s; it doubles, with 20 % of chance (RFC 5626 §4.5 in small)."""

RETRY_MAX = 300.0

_LASTING = frozenset({401, 403, 404, 405, 407, 420})
"""Refusals that patience will not change soon: they are retried at `RETRY_MAX` only."""

MAX_EXPIRES = (1 << 32) - 1


KEEP_ALIVE = b"\r\n\r\n"
"""Holds the binding of a NAT on the way, or shows that a connection is dead (RFC 5626 §3.5.1)."""


class RegistrationState(Enum):
    """Where a registration stands."""

    REGISTERING = auto()
    REGISTERED = auto()
    WAITING = auto()
    UNREGISTERING = auto()
    GONE = auto()


class Registration:
    """One address of record at one registrar.

    Args:
        core: The user agent's services.
        identity: For the events.
        aor: Address of record.
        registrar: Request-URI.
        flow: Where to.
        digest: Signs, None without credentials.
        expires: Seconds to ask for.
        on_gone: Called once after `Unregistered`.
        keep_alive: Time between keep-alives, s; None: none.
    """

    def __init__(
        self,
        core: Core,
        identity: RegistrationId,
        aor: str,
        registrar: str,
        flow: Flow,
        digest: DigestClient | None,
        expires: int,
        on_gone: Callable[[RegistrationId], None],
        keep_alive: Seconds | None = None,
    ) -> None:
        self._core = core
        self._identity = identity
        self._aor = aor
        self._registrar = registrar
        self._flow = flow
        self._digest = digest
        self._expires = expires
        self._on_gone = on_gone
        self._contact = core.contact(parse_uri(aor).user, flow)
        self._call_id = core.new_call_id()
        self._seq = 0
        self._failures = 0
        self._alarm: Alarm | None = None
        self._keep_alive = keep_alive
        self._ping: Alarm | None = None
        self._requester: Requester | None = None
        self.state = RegistrationState.WAITING

    def start(self, now: Seconds) -> None:
        """Send a REGISTER."""
        self._set_alarm(None)
        self.state = RegistrationState.REGISTERING
        self._send(self._expires, now)

    def move(self, flow: Flow, now: Seconds) -> None:
        """Register over another flow, at once; one that is being removed is left alone."""
        if self.state in (RegistrationState.UNREGISTERING, RegistrationState.GONE):
            return
        self._flow = flow
        self._contact = self._core.contact(parse_uri(self._aor).user, flow)
        self.start(now)

    def stop(self, now: Seconds) -> None:
        """Remove the binding."""
        if self.state in (RegistrationState.UNREGISTERING, RegistrationState.GONE):
            return
        self._set_alarm(None)
        self.state = RegistrationState.UNREGISTERING
        self._send(0, now)

    def flow_failed(self, flow: Flow, now: Seconds) -> None:
        """Register again when the connection that the binding stands on is lost (RFC 5626 §4.2.1)."""
        if flow == self._flow and flow.reliable and self.state is RegistrationState.REGISTERED:
            self._fail(503, "connection lost", 0.0, now)

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def _send(self, expires: int, now: Seconds) -> None:
        fields = [
            ("From", f"<{self._aor}>;tag={self._core.new_tag()}"),
            ("To", f"<{self._aor}>"),
            ("Call-ID", self._call_id),
            ("CSeq", str(CSeq(self._next_seq(), "REGISTER"))),
            ("Max-Forwards", "70"),
            ("Contact", f"<{self._contact}>"),
            ("Expires", str(expires)),
        ]
        request = Request("REGISTER", self._registrar, Headers.of(fields))
        requester = Requester(
            self._core,
            self._flow,
            self._digest,
            self._next_seq,
            lambda response, at: self._answered(requester, response, at),
            lambda status, at: self._unanswered(requester, status, at),
        )
        self._requester = requester
        requester.send(request, now)

    def _answered(self, requester: Requester, response: Response, now: Seconds) -> None:
        if response.status < 200 or requester is not self._requester:
            return
        if self.state is RegistrationState.UNREGISTERING:
            self._gone()
        elif response.status < 300:
            self._succeed(response, now)
        elif response.status == 423 and self._ask_longer(response):
            self.start(now)  # §10.2.8
        else:
            reason = response.reason or reason_for(response.status)
            self._fail(response.status, reason, _retry_after(response), now)

    def _unanswered(self, requester: Requester, status: int, now: Seconds) -> None:
        if requester is not self._requester:
            return
        if self.state is RegistrationState.UNREGISTERING:
            self._gone()
        else:
            self._fail(status, reason_for(status), 0.0, now)

    def _succeed(self, response: Response, now: Seconds) -> None:
        granted = self._granted(response)
        self.state = RegistrationState.REGISTERED
        self._failures = 0
        # Refresh early enough for one whole time-out of 32 s where the time allows it, and spread by chance.
        share = granted * self._core.rng.uniform(0.75, 0.85)
        self._set_alarm(now + max(1.0, min(share, max(granted - 40.0, granted * 0.5))))
        self._core.emit(Registered(self._identity, granted))
        if self._keep_alive is not None and self._ping is None:
            self._ping = self._core.alarm(now + self._keep_alive, self._send_keep_alive)

    def _send_keep_alive(self, now: Seconds) -> None:
        # RFC 5626 §4.4.1: two line ends; over UDP, where it asks for STUN, registrars pass over them as well.
        assert self._keep_alive is not None
        self._ping = None
        if self.state in (RegistrationState.REGISTERED, RegistrationState.REGISTERING):
            self._core.layer.send_raw(KEEP_ALIVE, self._flow)
            self._ping = self._core.alarm(now + self._keep_alive, self._send_keep_alive)

    def _granted(self, response: Response) -> int:
        """Return the time granted to our Contact (§10.2.4), else Expires, else what we asked for."""
        ours = parse_uri(self._contact)
        for value in response.headers.listed("Contact"):
            try:
                contact = parse_name_addr(value)
                if parse_uri(contact.uri).same_resource(ours):
                    text = contact.parameter("expires") or ""
                    return max(1, parse_number(text, "expires", MAX_EXPIRES))
            except RemoteProtocolError:
                continue
        try:
            return max(1, parse_number(response.headers.first("Expires"), "Expires", MAX_EXPIRES))
        except RemoteProtocolError:
            return self._expires

    def _ask_longer(self, response: Response) -> bool:
        try:
            minimum = parse_number(response.headers.first("Min-Expires"), "Min-Expires", MAX_EXPIRES)
        except RemoteProtocolError:
            return False
        longer = minimum > self._expires
        self._expires = max(self._expires, minimum)
        return longer

    def _fail(self, status: int, reason: str, retry_after: float, now: Seconds) -> None:
        self.state = RegistrationState.WAITING
        delay = min(RETRY_FIRST * 2.0 ** min(self._failures, 10), RETRY_MAX)
        if status in _LASTING:
            delay = RETRY_MAX
        delay = max(delay * self._core.rng.uniform(0.8, 1.2), retry_after)
        self._failures += 1
        self._set_alarm(now + delay)
        self._core.emit(RegistrationFailed(self._identity, status, reason, delay))

    def _gone(self) -> None:
        self.state = RegistrationState.GONE
        if self._ping is not None:
            self._ping.cancel()
        self._core.emit(Unregistered(self._identity))
        self._on_gone(self._identity)

    def _set_alarm(self, at: Seconds | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None if at is None else self._core.alarm(at, self.start)


def _retry_after(response: Response) -> float:
    """Return Retry-After in s, at most an hour; 0 if there is none."""
    text = response.headers.first("Retry-After").partition(";")[0].partition("(")[0]
    try:
        return min(3600.0, float(parse_number(text, "Retry-After", MAX_EXPIRES)))
    except RemoteProtocolError:
        return 0.0
