"""From a line URL to the line, and from a DTE's name to the endpoint."""

from ansam.call.line_url import RawLineUrl, SipLineUrl, parse_address, parse_line
from ansam.errors import ConfigError
from ansam.io.clock import FramePacer
from ansam.io.dte import DteEndpoint
from ansam.io.dte_pty import PtyDte
from ansam.io.dte_stdio import StdioDte
from ansam.io.dte_tcp import TcpDte
from ansam.io.line import Line
from ansam.io.line_raw import RawLine
from ansam.io.line_sip import SipLine
from ansam.io.rtp_socket import RtpPorts


def make_line(
    url: str | SipLineUrl | RawLineUrl,
    pacer: FramePacer,
    ports: RtpPorts | None = None,
    *,
    must_register: bool = False,
) -> Line:
    """Return the line a URL names, not yet open.

    Args:
        url: See `ansam.call.line_url`.
        pacer: Of this process.
        ports: Where RTP sockets come from.
        must_register: See `SipLine`.

    Raises:
        ConfigError: The URL can not be understood.
    """
    parsed = parse_line(url) if isinstance(url, str) else url
    if isinstance(parsed, SipLineUrl):
        return SipLine(parsed, pacer, ports, must_register=must_register)
    return RawLine(parsed)


def make_dte(text: str) -> DteEndpoint:
    """Return the endpoint ``pty:PATH``, ``tcp:HOST:PORT`` or ``stdio`` names, not yet open.

    Raises:
        ConfigError: It can not be understood.
    """
    kind, _, rest = text.partition(":")
    if kind == "pty" and rest:
        return PtyDte(rest)
    if kind == "tcp":
        return TcpDte(*parse_address(rest, f"dte {text}"))
    if text == "stdio":
        return StdioDte()
    if kind == "serial":
        raise ConfigError(
            f"dte {text}: serial ports are not available yet", "use pty:PATH, tcp:HOST:PORT or stdio"
        )
    raise ConfigError(f"dte {text!r} is not known", "write pty:PATH, tcp:HOST:PORT or stdio")
