"""Dialogues (RFC 3261 §12): the state two user agents share, and the requests made from it."""

import ipaddress
from dataclasses import dataclass

from ansam.errors import RemoteProtocolError
from ansam.sip.core import tagged
from ansam.sip.events import Flow
from ansam.sip.fields import CSeq
from ansam.sip.headers import Headers
from ansam.sip.message import Message, Request, Response, cseq_of, from_of, to_of
from ansam.sip.uri import NameAddr, parse_name_addr, parse_uri

DialogId = tuple[str, str, str]
"""Call-ID, our tag, the peer's tag."""

MAX_ROUTES = 32


@dataclass(slots=True)
class Dialog:
    """One dialogue.

    Attributes:
        call_id: Call-ID.
        local: Our From or To, without tag.
        local_tag: Our tag.
        remote: The peer's, without tag.
        remote_tag: The peer's tag, "" for a peer of RFC 2543.
        target: The peer's Contact: the URI requests are for.
        flow: The path its messages came by.
        contact: Our Contact URI.
        routes: The route set, the next hop first.
        local_seq: Number of our last request.
        remote_seq: Number of the peer's last request; None before the first.
        follow_contact: See `UserAgentConfig`.
    """

    call_id: str
    local: NameAddr
    local_tag: str
    remote: NameAddr
    remote_tag: str
    target: str
    flow: Flow
    contact: str
    routes: tuple[str, ...] = ()
    local_seq: int = 0
    remote_seq: int | None = None
    follow_contact: bool = True

    @property
    def identity(self) -> DialogId:
        """Its identity, seen from us."""
        return self.call_id, self.local_tag, self.remote_tag

    def next_seq(self) -> int:
        """Return the number of our next request."""
        self.local_seq += 1
        return self.local_seq

    def request(
        self,
        method: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        number: int | None = None,
    ) -> Request:
        """Return a request within the dialogue, without Via (RFC 3261 §12.2.1.1).

        Args:
            method: ACK takes the number of the INVITE it acknowledges.
            headers: Further fields.
            body: A session description or b"".
            number: Of CSeq, for an ACK; None: the next.
        """
        number = self.next_seq() if number is None else number
        uri, routes = self._route()
        fields = [("Route", route) for route in routes]
        fields += [
            ("From", tagged(self.local, self.local_tag)),
            ("To", tagged(self.remote, self.remote_tag)),
            ("Call-ID", self.call_id),
            ("CSeq", str(CSeq(number, method))),
            ("Max-Forwards", "70"),
        ]
        if method in ("INVITE", "UPDATE"):
            fields.append(("Contact", f"<{self.contact}>"))
        fields += headers
        if body:
            fields.append(("Content-Type", "application/sdp"))
        return Request(method, uri, Headers.of(fields), body)

    def _route(self) -> tuple[str, tuple[str, ...]]:
        """Return the Request-URI and the Route values; a strict router (no ``lr``) takes the URI's place."""
        if not self.routes:
            return self.target, ()
        first = parse_name_addr(self.routes[0]).uri
        try:
            if parse_uri(first).parameter("lr") is not None:
                return self.target, self.routes
        except RemoteProtocolError:
            pass
        return first, (*self.routes[1:], f"<{self.target}>")

    def next_hop(self) -> Flow:
        """Return where a request goes: to the first route or target if it is an IP address, else the flow."""
        if self.flow.reliable or not self.follow_contact:
            return self.flow
        try:
            uri = parse_uri(parse_name_addr(self.routes[0]).uri if self.routes else self.target)
            address = str(ipaddress.ip_address(uri.address))
        except (RemoteProtocolError, ValueError):
            return self.flow
        return Flow("udp", self.flow.local, (address, uri.port or 5060))

    def refresh(self, message: Message) -> None:
        """Take a new Contact from a target refresh (INVITE, UPDATE or a 2xx to one)."""
        contact = contact_of(message)
        if contact:
            self.target = contact

    def in_order(self, request: Request) -> bool:
        """Note a request's number; False if it is not above the last (RFC 3261 §12.2.2: answer 500)."""
        number = cseq_of(request).number
        if self.remote_seq is not None and number <= self.remote_seq:
            return False
        self.remote_seq = number
        return True


def contact_of(message: Message) -> str:
    """Return the URI of the first Contact, "" if there is none that can be read."""
    values = message.headers.listed("Contact")
    try:
        return parse_name_addr(values[0]).uri if values else ""
    except RemoteProtocolError:
        return ""


def _routes(message: Message, backwards: bool) -> tuple[str, ...]:
    values = message.headers.listed("Record-Route")
    if len(values) > MAX_ROUTES:
        raise RemoteProtocolError(f"{len(values)} Record-Route values", "RFC 3261 §12.1")
    routes = tuple(str(parse_name_addr(value)) for value in values)
    return routes[::-1] if backwards else routes


def _bare(address: NameAddr) -> NameAddr:
    return NameAddr(
        address.uri, address.display, tuple(pair for pair in address.parameters if pair[0].lower() != "tag")
    )


def dialog_of_caller(invite: Request, response: Response, flow: Flow, contact: str, follow: bool) -> Dialog:
    """Return the dialogue that a response to our INVITE makes (RFC 3261 §12.1.2)."""
    local, remote = from_of(invite), to_of(response)
    return Dialog(
        call_id=invite.headers.one("Call-ID"),
        local=_bare(local),
        local_tag=local.tag,
        remote=_bare(remote),
        remote_tag=remote.tag,
        target=contact_of(response) or invite.uri,
        flow=flow,
        contact=contact,
        routes=_routes(response, backwards=True),
        local_seq=cseq_of(invite).number,
        follow_contact=follow,
    )


def dialog_of_callee(invite: Request, tag: str, flow: Flow, contact: str, follow: bool) -> Dialog:
    """Return the dialogue that our response to an INVITE makes (RFC 3261 §12.1.1)."""
    local, remote = to_of(invite), from_of(invite)
    return Dialog(
        call_id=invite.headers.one("Call-ID"),
        local=_bare(local),
        local_tag=tag,
        remote=_bare(remote),
        remote_tag=remote.tag,
        target=contact_of(invite) or remote.uri,
        flow=flow,
        contact=contact,
        routes=_routes(invite, backwards=False),
        remote_seq=cseq_of(invite).number,
        follow_contact=follow,
    )
