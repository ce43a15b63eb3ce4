"""From a line URL to the line, and (`make_dte`) from a DTE's name to the endpoint."""

from ansam.call.line_url import LineUrl, NetworkLineUrl, SipLineUrl, parse_line
from ansam.io.clock import FramePacer
from ansam.io.dte_ports import make_dte
from ansam.io.line import Line
from ansam.io.line_listen import CallPorts
from ansam.io.line_raw import RawLine
from ansam.io.line_sip import SipLine
from ansam.io.line_tcp import NetworkLine
from ansam.io.rtp_socket import RtpPorts

__all__ = ["make_dte", "make_line"]


def make_line(
    url: str | LineUrl,
    pacer: FramePacer,
    ports: RtpPorts | None = None,
    *,
    must_register: bool = False,
    network: NetworkLineUrl | None = None,
    call_ports: CallPorts | None = None,
) -> Line:
    """Return the line a URL names, not yet open.

    Args:
        url: See `ansam.call.line_url`.
        pacer: Of this process.
        ports: Where RTP sockets come from.
        must_register: See `SipLine`.
        network: A network line beside it: numbers of its phone book and addresses go there.
        call_ports: Of this process, where modems share a port for callers from the network.

    Raises:
        ConfigError: The URL can not be understood.
    """
    parsed = parse_line(url) if isinstance(url, str) else url
    if isinstance(parsed, NetworkLineUrl):
        return NetworkLine(parsed, ports=call_ports)
    line: Line
    if isinstance(parsed, SipLineUrl):
        line = SipLine(parsed, pacer, ports, must_register=must_register)
    else:
        line = RawLine(parsed)
    return NetworkLine(network, line, call_ports) if network else line
