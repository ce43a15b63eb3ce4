"""A TCP listener as a serial port: raw bytes, one terminal at a time, its connection is DTR."""

from ansam.dte.port_url import PortUrl
from ansam.io.dte_socket import SocketDte


class TcpDte(SocketDte):
    """A DTE endpoint on a TCP port.

    Args:
        host: Local IP address.
        port: 0 for any.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__(PortUrl("tcp", address=(host, port)))
