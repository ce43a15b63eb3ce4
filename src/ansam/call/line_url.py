"""Line URLs: how a person says which telephone line a modem hangs on.

```
sip:USER:SECRET@HOST[:PORT][;transport=udp|tcp|tls][;bind=IP][;law=alaw|ulaw][;playout=MS][;expires=S]
    [;callers=any|registrar][;vbd=on|off][;red=FRAMES][;srtp=off|accept|require]
    [;proxy=HOST[:PORT]][;srv=on|off][;keepalive=S][;ca=FILE][;verify=on|off]
    [;rtcp=on|off]
tcp:HOST:PORT[;law=…][;clock=auto|here|far]      dialling connects there
tcp-listen:HOST:PORT[;…]                         an accepted connection rings
unix:/path[;…]   unix-listen:/path[;…]           the same over a Unix socket
net:[IP:PORT[,IP:PORT…]]                         calls over the network; callers ring at the ports
    [;phonebook=FILE][;protocol=auto|raw|telnet][;petscii=off|on][;pace=on|off][;busy=TEXT][;verify=on|off]
```

USER, SECRET, FILE and TEXT may hold %XX escapes. Error texts never repeat the secret.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from ansam.codec.g711 import Law
from ansam.dte.stream_codec import Protocol
from ansam.errors import ConfigError
from ansam.rtp.redundancy import MAX_DEPTH
from ansam.sdp.negotiation import Secure
from ansam.units import SAMPLE_RATE, Samples

LAWS = {"alaw": Law.ALAW, "ulaw": Law.ULAW}
SIP_PORT = 5060
BUSY_TEXT, TEXT_LIMIT = "BUSY", 200
SIPS_PORT = 5061

FORMS = "sip:USER:SECRET@HOST, tcp:HOST:PORT, tcp-listen:HOST:PORT, unix:/path, unix-listen:/path or net:"


@dataclass(frozen=True, slots=True)
class SipLineUrl:
    """A registered extension.

    Attributes:
        user: Extension.
        secret: Its password.
        host: Registrar.
        port: Registrar's port.
        transport: ``udp``, ``tcp`` or ``tls``.
        bind: Local IP address, "" for the one that leads to the registrar.
        law: The only law offered and accepted.
        playout: Fixed playout delay, samples.
        expires: Registration time to ask for, seconds.
        vbd: Mark our audio as voice-band data for gateways that know V.152.
        red: Earlier frames that each packet repeats (RFC 2198) where the peer can do that too; 0: none.
        srtp: Encryption of the audio, keys in the session descriptions.
        proxy: Where everything is sent instead of to the registrar itself: an IP address or name, and a port.
        srv: Ask for the servers of the host's (or proxy's) domain by SRV records; try one after the other.
        keepalive: Seconds between keep-alives that hold a NAT's binding or a connection; 0: none.
        ca: File of certificates that may vouch for the registrar (TLS); "": those of the system.
        verify: Whether its certificate must prove its name (TLS).
        rtcp: Send reports of how the audio arrives, and read the far end's.
        callers: Whose calls ring: ``any`` address's, or only those that come from the registrar's.
    """

    user: str
    secret: str
    host: str
    port: int = SIP_PORT
    transport: Literal["udp", "tcp", "tls"] = "udp"
    bind: str = ""
    law: Law = Law.ALAW
    playout: Samples = 480
    expires: int = 3600
    callers: Literal["any", "registrar"] = "any"
    vbd: bool = True
    red: int = 0
    srtp: Secure = Secure.NO
    proxy: tuple[str, int] | None = None
    srv: bool = False
    keepalive: int = 25
    ca: str = ""
    verify: bool = True
    rtcp: bool = True

    def __str__(self) -> str:
        return f"sip:{self.user}@{self.host}:{self.port}"

    @property
    def default_port(self) -> int:
        """Port that need not be written in URIs."""
        return SIPS_PORT if self.transport == "tls" else SIP_PORT


@dataclass(frozen=True, slots=True)
class RawLineUrl:
    """A raw G.711 stream in lock step.

    Attributes:
        address: (host, port) of TCP or the path of a Unix socket.
        listen: True where a connection is accepted and rings; False where dialling makes one.
        law: What the octets are.
        clock: Who sends the first frame and sets the pace: ``far`` (one of ours for each of theirs), ``here``
            (the other way round), or ``auto``: the far side if it speaks first.
    """

    address: tuple[str, int] | str
    listen: bool = False
    law: Law = Law.ALAW
    clock: Literal["auto", "here", "far"] = "auto"

    def __str__(self) -> str:
        where = self.address if isinstance(self.address, str) else "{}:{}".format(*self.address)
        return f"{'unix' if isinstance(self.address, str) else 'tcp'}{'-listen' * self.listen}:{where}"


@dataclass(frozen=True, slots=True)
class NetworkLineUrl:
    """Calls over TCP, telnet and SSH; see `ansam.call.phonebook`.

    Attributes:
        listen: Local addresses and ports where callers ring.
        phonebook: File with the numbers, or "".
        protocol: How callers' octets travel.
        petscii: The terminal is a Commodore and callers are not.
        pace: Characters take the time that a modem of the agreed speed needs.
        busy: What a caller reads when the modem is engaged.
        verify: The key of an SSH host must be known.
    """

    listen: tuple[tuple[str, int], ...] = ()
    phonebook: str = ""
    protocol: Protocol = Protocol.AUTO
    petscii: bool = False
    pace: bool = True
    busy: str = BUSY_TEXT
    verify: bool = True

    def __str__(self) -> str:
        return "net:" + ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.listen
        )


LineUrl = SipLineUrl | RawLineUrl | NetworkLineUrl


def parse_line(text: str) -> LineUrl:
    """Return what a line URL says.

    Raises:
        ConfigError: It can not be understood; the text names the part.
    """
    scheme, colon, rest = text.partition(":")
    body, *parameters = rest.split(";")
    options = _Options(scheme, parameters)
    if scheme == "sip" and colon:
        line: LineUrl = _sip(body, options)
    elif scheme in ("tcp", "tcp-listen"):
        line = _raw(parse_address(body, f"line {scheme}:{body}"), scheme, options)
    elif scheme in ("unix", "unix-listen"):
        if not body.startswith("/"):
            raise ConfigError(f"line {scheme}:{body}: the path is not absolute", "write unix:/path")
        line = _raw(body, scheme, options)
    elif scheme == "net" and colon:
        line = _network(body, options)
    else:
        raise ConfigError(f"line URL of unknown kind {scheme[:20]!r}", f"write {FORMS}")
    options.finish()
    return line


def parse_network(text: str) -> NetworkLineUrl | None:
    """Return what the URL of a network line beside another line says; None for "".

    Raises:
        ConfigError: It is no ``net:`` URL.
    """
    url = parse_line(text) if text else None
    if url is None or isinstance(url, NetworkLineUrl):
        return url
    raise ConfigError("a line beside another one is net:", "write net:[IP:PORT][;phonebook=FILE]")


def parse_address(text: str, what: str) -> tuple[str, int]:
    """Return (host, port) of ``HOST:PORT`` or ``[IPv6]:PORT``.

    Args:
        text: As a person wrote it.
        what: How an error names it.

    Raises:
        ConfigError: No host, no port, or a port out of 0..65535.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ConfigError(f"{what}: {text!r} is not HOST:PORT", "for example 127.0.0.1:2323")
    return host, int(port)


class _Options:
    """The ;name=value parameters; each may be read once, and none may be left over."""

    def __init__(self, scheme: str, parameters: list[str]) -> None:
        self._scheme = scheme
        self._values: dict[str, str] = {}
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name in self._values:
                raise ConfigError(f"line {scheme}: parameter ;{name} stands twice", "keep one of them")
            self._values[name] = value

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """Return one of `allowed`; the first is the default."""
        value = self._values.pop(name, allowed[0])
        if value not in allowed:
            raise ConfigError(
                f"line {self._scheme}: ;{name}={value} is not known", f"choose {' or '.join(allowed)}"
            )
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a number in [low, high]."""
        value = self._values.pop(name, str(default))
        if not re.fullmatch(r"[0-9]{1,7}", value) or not low <= int(value) <= high:
            raise ConfigError(f"line {self._scheme}: ;{name}={value}", f"choose {low} to {high}")
        return int(value)

    def text(self, name: str) -> str:
        """Return a value as it stands, "" where it is absent."""
        return self._values.pop(name, "")

    def finish(self) -> None:
        """Refuse what nobody read."""
        if self._values:
            unknown = ", ".join(f";{name}" for name in self._values)
            raise ConfigError(f"line {self._scheme}: unknown parameter {unknown}", "check its spelling")


def _sip(body: str, options: _Options) -> SipLineUrl:
    account, at, where = body.rpartition("@")
    user, colon, secret = account.partition(":")
    if not at or not colon or not user:
        raise ConfigError("line sip: user, secret or host is missing", "write sip:USER:SECRET@HOST[:PORT]")
    transport = _transport(options.choice("transport", ("udp", "tcp", "tls")))
    standard = SIPS_PORT if transport == "tls" else SIP_PORT
    host, port = _host_port(where, standard, "line sip")
    proxy = options.text("proxy")
    if not host:
        raise ConfigError("line sip: the host is missing", "write sip:USER:SECRET@HOST[:PORT]")
    return SipLineUrl(
        user=unquote(user),
        secret=unquote(secret),
        host=host,
        port=port,
        transport=transport,
        bind=options.text("bind"),
        law=LAWS[options.choice("law", ("alaw", "ulaw"))],
        playout=options.number("playout", 60, 20, 1000) * SAMPLE_RATE // 1000,
        expires=options.number("expires", 3600, 30, 86400),
        callers="registrar" if options.choice("callers", ("any", "registrar")) == "registrar" else "any",
        vbd=options.choice("vbd", ("on", "off")) == "on",
        red=options.number("red", 0, 0, MAX_DEPTH),
        rtcp=options.choice("rtcp", ("on", "off")) == "on",
        proxy=_host_port(proxy, standard, "line sip: ;proxy") if proxy else None,
        srv=options.choice("srv", ("off", "on")) == "on",
        keepalive=options.number("keepalive", 25, 0, 3600),
        ca=options.text("ca"),
        verify=options.choice("verify", ("on", "off")) == "on",
        srtp=Secure(options.choice("srtp", tuple(secure.value for secure in Secure))),
    )


def _network(body: str, options: _Options) -> NetworkLineUrl:
    listen = tuple(parse_address(text, "line net") for text in body.split(",") if text)
    busy = unquote(options.text("busy")) or BUSY_TEXT
    if len(busy) > TEXT_LIMIT or not busy.isprintable():
        raise ConfigError("line net: ;busy is too long or has control characters", f"at most {TEXT_LIMIT}")
    return NetworkLineUrl(
        listen=listen,
        phonebook=unquote(options.text("phonebook")),
        protocol=Protocol(options.choice("protocol", ("auto", "raw", "telnet"))),
        petscii=options.choice("petscii", ("off", "on")) == "on",
        pace=options.choice("pace", ("on", "off")) == "on",
        busy=busy,
        verify=options.choice("verify", ("on", "off")) == "on",
    )


def _transport(text: str) -> Literal["udp", "tcp", "tls"]:
    return "tcp" if text == "tcp" else "tls" if text == "tls" else "udp"


def _host_port(text: str, standard: int, what: str) -> tuple[str, int]:
    """Read ``HOST`` or ``HOST:PORT``; an IPv6 address in brackets, or bare without a port."""
    host, port = text, standard
    if re.search(r":[^:\]]*$", text) and (text.count(":") == 1 or "]:" in text):
        host, port = parse_address(text, what)
    return host.removeprefix("[").removesuffix("]"), port


def _raw(address: tuple[str, int] | str, scheme: str, options: _Options) -> RawLineUrl:
    clock = options.choice("clock", ("auto", "here", "far"))
    law = LAWS[options.choice("law", ("alaw", "ulaw"))]
    listen = scheme.endswith("-listen")
    return RawLineUrl(
        address, listen, law, "here" if clock == "here" else "far" if clock == "far" else "auto"
    )
