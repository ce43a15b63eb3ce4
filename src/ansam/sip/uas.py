"""What every received request is checked for (RFC 3261 §8.2), and the reading of REGISTER (§10.3)."""

from dataclasses import dataclass

from ansam.errors import RemoteProtocolError
from ansam.sip.core import ACCEPT, SUPPORTED, Core
from ansam.sip.events import RegisterContact
from ansam.sip.fields import parse_number, parse_via
from ansam.sip.message import Message, Request, Response, cseq_of, from_of, to_of
from ansam.sip.registration import MAX_EXPIRES
from ansam.sip.reliable import EXTENSION
from ansam.sip.session_timer import MIN_SE, too_short
from ansam.sip.uri import NameAddr, parse_name_addr, scheme_of

KNOWN_METHODS = frozenset({"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "INFO", "PRACK"})
KNOWN_METHODS |= {"UPDATE", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH"}

MAX_CONTACTS = 16
"""Contacts in one REGISTER."""

MAX_VIAS = 70


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer decided by the checks alone."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = ""


def check_message(message: Message) -> None:
    """Make sure that everything the engine reads without asking is there.

    Raises:
        RemoteProtocolError: A mandatory field is missing or unreadable (RFC 3261 §8.1.1), CSeq names another
            method, or a response has more than one Via (§8.1.3.3).
    """
    vias = message.headers.listed("Via")
    if not vias or len(vias) > MAX_VIAS:
        raise RemoteProtocolError(f"{len(vias)} Via values", "RFC 3261 §8.1.1")
    parse_via(vias[0])
    cseq = cseq_of(message)
    from_of(message)
    to_of(message)
    if not message.headers.one("Call-ID"):
        raise RemoteProtocolError("empty Call-ID", "RFC 3261 §8.1.1.4")
    if isinstance(message, Response):
        if len(vias) > 1:
            raise RemoteProtocolError("a response meant for someone else", "RFC 3261 §8.1.3.3")
    elif cseq.method != message.method:
        raise RemoteProtocolError(f"CSeq for {cseq.method} in {message.method}", "RFC 3261 §8.1.1.5")


def inspect(core: Core, request: Request, in_dialog: bool) -> Refusal | None:
    """Check method, URI, extensions and content of a request that is neither ACK nor CANCEL.

    Returns:
        Why it is refused, or None.

    Spec: RFC 3261 §8.2.1 to §8.2.3.
    """
    allow = ("Allow", core.allow)
    if request.method not in core.allow.replace(",", "").split() or (
        request.method == "REGISTER" and in_dialog
    ):
        return Refusal(405 if request.method in KNOWN_METHODS else 501, (allow,))
    if scheme_of(request.uri) not in ("sip", "sips", "tel"):
        return Refusal(416)
    known = SUPPORTED
    if request.method == "INVITE" and not request.body:
        # RFC 3262 §5: our first reliable response would have to carry an offer, long before anyone answers.
        known -= {EXTENSION}
    unknown = [name for name in request.headers.tokens("Require") if name not in known]
    if unknown:
        return Refusal(420, (("Unsupported", ", ".join(unknown)),))
    if request.method in ("INVITE", "UPDATE") and too_short(request):
        return Refusal(422, (("Min-SE", str(MIN_SE)),))
    if request.body and request.method in ("INVITE", "UPDATE", "PRACK"):
        kind = request.headers.first("Content-Type").partition(";")[0].strip().lower()
        coding = request.headers.first("Content-Encoding", "identity").lower()
        if kind != ACCEPT or coding != "identity":
            return Refusal(415, (("Accept", ACCEPT), ("Accept-Encoding", "identity")))
    return None


def max_forwards(request: Request) -> int:
    """Return Max-Forwards, 70 where there is none.

    Raises:
        RemoteProtocolError: Not a number from 0 to 255.
    """
    if "Max-Forwards" not in request.headers:
        return 70
    return parse_number(request.headers.one("Max-Forwards"), "Max-Forwards", 255)


@dataclass(frozen=True, slots=True)
class Bindings:
    """What a REGISTER asks for."""

    contacts: tuple[RegisterContact, ...]
    remove_all: bool


def read_bindings(request: Request) -> Bindings:
    """Read Contact and Expires of a REGISTER.

    Raises:
        RemoteProtocolError: Too many contacts, an unreadable one, or a ``*`` that does not stand alone with
            expiry 0.
    """
    values = request.headers.listed("Contact")
    default = _seconds(request.headers.first("Expires"))
    if "*" in values:
        if len(values) != 1 or default != 0:
            raise RemoteProtocolError("Contact: * without Expires: 0", "RFC 3261 §10.3 step 6")
        return Bindings((), True)
    if len(values) > MAX_CONTACTS:
        raise RemoteProtocolError(f"{len(values)} contacts", "RFC 3261 §10.3")
    contacts = []
    for value in values:
        contact = parse_name_addr(value)
        expires = contact.parameter("expires")
        seconds = default if expires is None else _seconds(expires)
        contacts.append(RegisterContact(contact.uri, seconds, _preference(contact)))
    return Bindings(tuple(contacts), False)


def _seconds(text: str) -> int | None:
    """Return a time; None for none, and for a malformed one (§10.2.1.1: to be taken as the default)."""
    try:
        return parse_number(text, "expires", MAX_EXPIRES)
    except RemoteProtocolError:
        return None


def _preference(contact: NameAddr) -> float:
    text = contact.parameter("q") or ""
    try:
        value = float(text)
    except ValueError:
        return 1.0
    return value if 0.0 <= value <= 1.0 else 1.0
