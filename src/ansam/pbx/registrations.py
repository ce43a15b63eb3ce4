"""Who can be reached where: the location service of RFC 3261 §10.

A binding keeps the flow its REGISTER came over, because only that way leads back through a NAT or to a client
that opened a TCP connection. Where the client's Contact names the address it sent from, the Contact's port is
taken instead: such a client stands behind no NAT and may well listen elsewhere than it sends from.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ansam.errors import RemoteProtocolError
from ansam.pbx.settings import ExchangeSettings
from ansam.sip.events import Flow, RegisterContact, RegisterReceived
from ansam.sip.uri import parse_uri
from ansam.units import Seconds


@dataclass(frozen=True, slots=True)
class Binding:
    """One place an extension can be reached at.

    Attributes:
        number: The extension.
        contact: The URI as the client wrote it; the Request-URI of calls to it.
        flow: The way there.
        expires_at: End, in the engine's clock.
        q: Preference, 0.0–1.0.
        call_id: Of the REGISTER, to see requests that arrive out of order.
        cseq: Likewise.
        user_agent: The client's product text.
    """

    number: str
    contact: str
    flow: Flow
    expires_at: Seconds
    q: float = 1.0
    call_id: str = ""
    cseq: int = 0
    user_agent: str = ""

    def as_contact(self, now: Seconds) -> RegisterContact:
        """Return the binding as it stands in the answer to a REGISTER, with the seconds that are left."""
        return RegisterContact(self.contact, max(1, round(self.expires_at - now)), self.q)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a REGISTER is answered: a status, and with 200 the bindings there are now."""

    status: int
    contacts: tuple[RegisterContact, ...] = ()


def reachable_by(contact: str, flow: Flow) -> Flow | None:
    """Return the flow to a contact that does not depend on the socket its REGISTER came from.

    Returns:
        None where the contact names another address than the one it sent from: a NAT lies between. None over
        TLS as well: the exchange could not tell whom it reaches, and few telephones have certificates.
    """
    try:
        uri = parse_uri(contact)
    except RemoteProtocolError:
        return None
    if uri.address != flow.remote[0] or flow.transport == "tls":
        return None
    return replace(flow, remote=(uri.address, uri.port or 5060))


class Registrations:
    """The bindings of all extensions.

    Args:
        settings: Limits of expiry and of bindings for each extension.
        changed: Called with the number of an extension whose bindings changed.
    """

    def __init__(
        self, settings: ExchangeSettings, changed: Callable[[str], None] = lambda number: None
    ) -> None:
        self._settings = settings
        self._changed = changed
        self._bindings: dict[str, dict[str, Binding]] = {}
        self._due: Seconds | None = None

    def find(self, number: str, now: Seconds) -> tuple[Binding, ...]:
        """Return the living bindings of an extension: best preference first, newest first among equals."""
        living = [b for b in self._bindings.get(number, {}).values() if b.expires_at > now]
        return tuple(sorted(reversed(living), key=lambda binding: -binding.q))

    def __iter__(self) -> Iterator[Binding]:
        for bindings in self._bindings.values():
            yield from bindings.values()

    def __len__(self) -> int:
        return sum(map(len, self._bindings.values()))

    def register(self, number: str, request: RegisterReceived, now: Seconds) -> Verdict:
        """Carry out a REGISTER for an extension whose right to it has been proved.

        All its contacts take effect, or none does.

        Spec: RFC 3261 §10.3 steps 6 to 8.
        """
        bindings = dict(self._bindings.get(number, {}))
        if request.remove_all:
            if any(self._out_of_order(binding, request) for binding in bindings.values()):
                return Verdict(500)
            bindings = {}
        for contact in request.contacts:
            status = self._bind(bindings, number, contact, request, now)
            if status != 200:
                return Verdict(status)
        self._store(number, bindings, now)
        return Verdict(200, tuple(binding.as_contact(now) for binding in self.find(number, now)))

    def _bind(
        self,
        bindings: dict[str, Binding],
        number: str,
        contact: RegisterContact,
        request: RegisterReceived,
        now: Seconds,
    ) -> int:
        """Put one contact into `bindings`, or take it out; return the status."""
        limits = self._settings
        old = bindings.get(contact.uri)
        if old is not None and self._out_of_order(old, request):
            return 500
        expires = limits.max_expires if contact.expires is None else min(contact.expires, limits.max_expires)
        if expires == 0:
            bindings.pop(contact.uri, None)
            return 200
        if expires < limits.min_expires:
            return 423
        # Re-inserted at the end, so that the order of the dictionary is the order of the last refresh.
        bindings.pop(contact.uri, None)
        self._make_room(bindings, now)
        bindings[contact.uri] = Binding(
            number,
            contact.uri,
            self._flow_to(contact.uri, request.flow),
            now + expires,
            contact.q,
            request.call_id,
            request.cseq,
            request.user_agent,
        )
        return 200

    @staticmethod
    def _out_of_order(binding: Binding, request: RegisterReceived) -> bool:
        return binding.call_id == request.call_id and binding.cseq >= request.cseq

    @staticmethod
    def _flow_to(contact: str, flow: Flow) -> Flow:
        """Return the way to a contact: a TCP connection that is there is used as long as it lives."""
        if flow.reliable:
            return flow
        return reachable_by(contact, flow) or flow

    def _make_room(self, bindings: dict[str, Binding], now: Seconds) -> None:
        """Let the binding refreshed longest ago go where the extension has all it may have.

        A client that restarts behind a NAT leaves a binding behind each time; refusing the new one would lock
        it out until the old ones expire.
        """
        for uri in [uri for uri, binding in bindings.items() if binding.expires_at <= now]:
            del bindings[uri]
        while len(bindings) >= self._settings.contacts_limit:
            del bindings[next(iter(bindings))]

    def restore(self, kept: Iterable[Binding], now: Seconds) -> None:
        """Take over bindings that outlived a restart; expired ones and lost TCP connections are left out."""
        for binding in kept:
            flow = binding.flow
            if flow.reliable:
                again = reachable_by(binding.contact, flow)
                if again is None:
                    continue
                flow = again
            bindings = dict(self._bindings.get(binding.number, {}))
            bindings[binding.contact] = replace(binding, flow=flow)
            self._store(binding.number, bindings, now, quiet=True)

    def flow_closed(self, flow: Flow, now: Seconds) -> None:
        """A TCP connection is gone: bindings over it move to a new connection, or end behind a NAT."""
        for number in [binding.number for binding in self if binding.flow == flow]:
            bindings = {}
            for uri, binding in self._bindings.get(number, {}).items():
                way = reachable_by(binding.contact, flow) if binding.flow == flow else binding.flow
                if way is not None:
                    bindings[uri] = replace(binding, flow=way)
            self._store(number, bindings, now)

    def forget(self, number: str, now: Seconds) -> None:
        """Remove all bindings of an extension."""
        self._store(number, {}, now)

    def _store(self, number: str, bindings: dict[str, Binding], now: Seconds, quiet: bool = False) -> None:
        living = {uri: binding for uri, binding in bindings.items() if binding.expires_at > now}
        if living == self._bindings.get(number, {}):
            return
        if living:
            self._bindings[number] = living
            first = min(binding.expires_at for binding in living.values())
            self._due = first if self._due is None else min(self._due, first)
        else:
            self._bindings.pop(number, None)
        if not quiet:
            self._changed(number)

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` is due: not after the next expiry, perhaps before it."""
        return self._due

    def handle_timer(self, now: Seconds) -> None:
        """Remove what has expired."""
        if self._due is None or now < self._due:
            return
        for number, bindings in list(self._bindings.items()):
            if any(binding.expires_at <= now for binding in bindings.values()):
                self._store(number, bindings, now)
        self._due = min((binding.expires_at for binding in self), default=None)
