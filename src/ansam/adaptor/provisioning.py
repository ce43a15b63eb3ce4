"""The provisioning server without its sockets: who may have which profile.

Adaptors ask over HTTP for the path in their *Profile Rule*, in which they expand ``$MA`` (MAC address, small
letters), ``$MAU`` (capitals) and ``$PSN`` (name of the model). A path with a MAC address is answered by it,
one without (``/spa.xml``, ``/PAP2T.xml``) by the address the request comes from. Either way the adaptor must
be known, and its profile leaves for an allowed address only; nothing lists what there is, and all refusals of
a path look alike.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from ansam.adaptor.profile import Account, spa_xml
from ansam.adaptor.settings import LawName, Model
from ansam.errors import ConfigError

REQUEST_LIMIT = 4096
"""Octets of a request with its headers; an adaptor's has some 200."""

_MAC = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}(?![0-9a-f])")
_PATHS = re.compile(r"/(?:init-config/|spa)?[\w.:$-]{1,64}", re.ASCII)
_WORDS = ("spa", *(model.value for model in Model), *(model.value.removeprefix("spa") for model in Model))


@dataclass(frozen=True, slots=True)
class Adaptor:
    """An adaptor that may fetch its profile.

    Attributes:
        mac: Twelve hexadecimal digits, small.
        accounts: Its extensions.
        model: Its make.
        address: The only IP address it is served at; "" for any that is allowed.
        law: Of its calls.
    """

    mac: str
    accounts: tuple[Account, ...] = field(repr=False)
    model: Model = Model.PAP2T
    address: str = ""
    law: LawName = "alaw"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{12}", self.mac):
            raise ConfigError(f"mac {self.mac!r}", "twelve hexadecimal digits, as on the label")
        if self.address:
            parse_address(self.address)
        spa_xml(self.accounts, self.model, self.law)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request gets.

    Attributes:
        status: HTTP status.
        body: Empty but for 200.
        why: For the log, without secrets.
        mac: Of the adaptor that is served, or "".
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    why: str = ""
    mac: str = ""

    def octets(self, head_only: bool = False) -> bytes:
        """Return the response as sent."""
        reasons = {
            200: "OK",
            400: "Bad Request",
            403: "Forbidden",
            404: "Not Found",
            405: "Method Not Allowed",
        }
        head = (
            f"HTTP/1.0 {self.status} {reasons[self.status]}\r\nContent-Type: text/xml; charset=UTF-8\r\n"
            f"Content-Length: {len(self.body)}\r\nCache-Control: no-store\r\nConnection: close\r\n"
        )
        if self.status == 405:
            head += "Allow: GET, HEAD\r\n"
        return head.encode("ascii") + b"\r\n" + (b"" if head_only else self.body)


def clean_mac(text: str) -> str:
    """Return a MAC address as twelve small digits, however it is written."""
    return re.sub(r"[:.\s-]", "", text).lower()


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an IP address; IPv4 written as IPv6 is IPv4.

    Raises:
        ConfigError: It is none.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        raise ConfigError(f"{text!r} is no IP address") from None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address


class Provisioner:
    """Answers requests.

    Args:
        adaptors: Each MAC address once.
        allow: Networks that may ask, such as ``192.168.1.0/24``.

    Raises:
        ConfigError: A network is none.
    """

    def __init__(self, adaptors: Sequence[Adaptor], allow: Sequence[str]) -> None:
        self._adaptors = {one.mac: one for one in adaptors}
        if len(self._adaptors) < len(adaptors):
            raise ConfigError("a mac is there twice", "remove one")
        self._networks = []
        for text in allow:
            try:
                self._networks.append(ipaddress.ip_network(text))
            except ValueError:
                raise ConfigError(
                    f"allow: {text!r} is no network", "192.168.1.0/24, or one address"
                ) from None

    def answer(self, request: bytes, peer: str) -> tuple[Reply, bytes]:
        """Answer one request.

        Args:
            request: Its octets up to the empty line.
            peer: IP address it comes from.

        Returns:
            What is logged, and what is sent.
        """
        method, path = _request_line(request)
        reply = self._reply(method, path, peer)
        return reply, reply.octets(head_only=method == "HEAD")

    def _reply(self, method: str, path: str, peer: str) -> Reply:
        source = parse_address(peer)
        if not any(source in network for network in self._networks):
            return Reply(403, why="address not in allow")
        if not method:
            return Reply(400, why="no HTTP request")
        if method not in ("GET", "HEAD"):
            return Reply(405, why=f"method {method}")
        adaptor, why = self._find(path, source)
        if adaptor is None:
            return Reply(404, why=why)
        body = spa_xml(adaptor.accounts, adaptor.model, adaptor.law).encode("utf-8")
        return Reply(200, body, "profile sent", adaptor.mac)

    def _find(
        self, path: str, source: ipaddress.IPv4Address | ipaddress.IPv6Address
    ) -> tuple[Adaptor | None, str]:
        if not _PATHS.fullmatch(path):
            return None, "no such path"
        # The a of spa is a hexadecimal digit too.
        name = re.sub(r"^/(init-config/)?(spa(?=[0-9a-f]{2}|spa|pap))?", "", path.lower())
        macs = [clean_mac(found) for found in _MAC.findall(name)]
        if macs:
            adaptor = self._adaptors.get(macs[-1])
            if adaptor is None:
                return None, "mac not in the configuration"
            if adaptor.address and parse_address(adaptor.address) != source:
                return None, f"adaptor {adaptor.mac} is not at this address"
            return adaptor, ""
        if not re.fullmatch(rf"({'|'.join(_WORDS)})(\.\w{{1,8}})?", name):
            return None, "no such path"
        here = [
            one for one in self._adaptors.values() if one.address and parse_address(one.address) == source
        ]
        return (here[0], "") if len(here) == 1 else (None, "no mac in the path, no adaptor with this address")


def _request_line(request: bytes) -> tuple[str, str]:
    """Return method and path, empty where the request is none."""
    line = request.split(b"\n", 1)[0].rstrip(b"\r")
    found = re.fullmatch(rb"([A-Z]{1,16}) (/[\x21-\x7e]{0,255}) HTTP/1\.[01]", line)
    if found is None:
        return "", ""
    path = unquote(found[2].partition(b"?")[0].decode("ascii"))
    return found[1].decode("ascii"), path if path.isascii() and path.isprintable() else ""
