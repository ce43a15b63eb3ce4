"""A listening socket as a serial port: one terminal at a time; its connection is DTR unless it tells more.

A second terminal is told so and sent away; one that comes back finds the modem as it was left.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

import structlog

from ansam.dte.circuits import Circuits
from ansam.dte.port_url import PortUrl
from ansam.dte.rfc2217 import ComPortWire
from ansam.dte.telnet_wire import TelnetWire
from ansam.dte.wire import Ip232Wire, RawWire, Wire
from ansam.errors import ResourceError
from ansam.io.dte import DtePort, FdPump, PumpedEndpoint
from ansam.io.sockets import bind_socket, remove_dead_socket

TAKEN = b"\r\nBUSY\r\n"
"""What a second terminal is told before its connection is closed."""

WIRES: dict[str, Callable[[], Wire]] = {
    "tcp": RawWire,
    "unix": RawWire,
    "telnet": TelnetWire,
    "rfc2217": ComPortWire,
    "ip232": Ip232Wire,
}

_log = structlog.get_logger("ansam.io.dte")


class SocketDte(PumpedEndpoint):
    """A DTE endpoint on a listening socket.

    Args:
        url: ``tcp:``, ``telnet:``, ``rfc2217:``, ``ip232:`` or ``unix:``. Option ``dtr=on``: DTR is ON even
            without a terminal, so that the modem answers. ``carrier=close``: the connection ends when circuit
            109 goes OFF.

    Attributes:
        name: As the URL, with the real port once open.
        address: Where it listens, once open; ("", 0) on a Unix socket.
    """

    def __init__(self, url: PortUrl) -> None:
        self.address = url.address or ("", 0)
        self.name = url.name
        self._url = url
        self._always_dtr = url.options.get("dtr") == "on"
        self._close_on_carrier = url.options.get("carrier") == "close"
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self._wire: Wire = RawWire()
        self._circuits = Circuits()

    async def open(self, port: DtePort) -> None:
        """Listen; see `DteEndpoint.open`."""
        if self._url.kind == "unix":
            listener = _bind_unix(self._url.path)
        else:
            listener = bind_socket(socket.SOCK_STREAM, *self.address, f"DTE over {self._url.kind}")
            self.address = listener.getsockname()[:2]
            self.name = PortUrl(self._url.kind, address=self.address).name
        listener.listen(5)
        listener.setblocking(False)
        self._port, self._listener = port, listener
        port.set_dtr(self._always_dtr)
        asyncio.get_running_loop().add_reader(listener, self._accept)

    def show(self, circuits: Circuits) -> None:
        """See `DteEndpoint.show`."""
        before, self._circuits = self._circuits, circuits
        if self._pump is None:
            return
        self._wire.show(circuits)
        self._pump.output_ready()
        if self._close_on_carrier and before.circuit_109 and not circuits.circuit_109:
            self._client_gone()

    def set_rate(self, rate: int) -> None:
        """See `DteEndpoint.set_rate`."""
        self._wire.set_rate(rate)
        self.output_ready()

    def send_break(self, milliseconds: int) -> None:
        """See `DteEndpoint.send_break`."""
        self._wire.send_break(milliseconds)
        self.output_ready()

    async def close(self) -> None:
        """See `DteEndpoint.close`."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
            if self._url.kind == "unix":
                with contextlib.suppress(OSError):
                    os.unlink(self._url.path)
        self._drop_client()

    def _accept(self) -> None:
        assert self._listener is not None
        assert self._port is not None
        try:
            client, peer = self._listener.accept()
        except OSError:
            return  # It gave up before we came to it.
        client.setblocking(False)
        if self._client is not None or not self._port.claim():
            with contextlib.suppress(OSError):
                client.send(TAKEN)
            client.close()
            return
        if self._url.kind != "unix":
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        _log.info("terminal connected", port=self.name, peer=f"{peer[0]}:{peer[1]}" if peer else "")
        self._client = client
        self._wire = WIRES[self._url.kind]()
        self._pump = FdPump(self._port, client.fileno(), client.fileno(), self._client_gone, wire=self._wire)
        self._port.set_dtr(True)
        self._pump.start()
        self.show(self._circuits)

    def _client_gone(self) -> None:
        _log.info("terminal disconnected", port=self.name)
        self._drop_client()
        if self._port is not None:
            # What its terminal set ends with the connection.
            self._port.set_rts(True)
            self._port.set_port_rate(0)
            self._port.set_dtr(self._always_dtr)
            self._port.release()

    def _drop_client(self) -> None:
        self._stop_pump()
        if self._client is not None:
            self._client.close()
            self._client = None
        self._wire = RawWire()


def _bind_unix(path: str) -> socket.socket:
    """Return a bound Unix socket; one that a dead process left is replaced.

    Raises:
        ResourceError: The path can not be had, or somebody listens there.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        remove_dead_socket(path, "DTE on unix socket")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        sock.bind(path)
    except OSError as error:
        sock.close()
        reason = (error.strerror or str(error)).lower()
        raise ResourceError(f"DTE on unix socket {path}: {reason}", "choose another path") from error
    except ResourceError:
        sock.close()
        raise
    return sock
