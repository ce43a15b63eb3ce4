"""A TCP listener as a serial port: raw bytes, one terminal at a time, its connection is DTR."""

import asyncio
import contextlib
import socket

import structlog

from ansam.io.dte import CHUNK, DtePort, FdPump
from ansam.io.sip import bind_socket

TAKEN = b"\r\nBUSY\r\n"
"""What a second terminal is told before its connection is closed."""

_log = structlog.get_logger("ansam.io.tcp")


class TcpDte:
    """A DTE endpoint on a TCP port.

    Args:
        host: Local IP address.
        port: 0 for any.

    Attributes:
        name: ``tcp:HOST:PORT``, with the real port once open.
        address: Where it listens, once open.
    """

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.name = f"tcp:{host}:{port}"
        self._port: DtePort | None = None
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self._pump: FdPump | None = None

    async def open(self, port: DtePort) -> None:
        """Listen; see `DteEndpoint.open`."""
        listener = bind_socket(socket.SOCK_STREAM, *self.address, "DTE over tcp")
        listener.listen(5)
        self.address = listener.getsockname()[:2]
        self.name = f"tcp:{self.address[0]}:{self.address[1]}"
        self._port, self._listener = port, listener
        port.set_dtr(False)
        asyncio.get_running_loop().add_reader(listener, self._accept)

    def resume(self) -> None:
        """See `DteEndpoint.resume`."""
        if self._pump is not None:
            self._pump.resume()

    def output_ready(self) -> None:
        """See `DteEndpoint.output_ready`; what nobody listens to is lost, as on a cable."""
        if self._pump is not None:
            self._pump.output_ready()
        elif self._port is not None:
            while self._port.take(CHUNK):
                pass

    async def close(self) -> None:
        """See `DteEndpoint.close`."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        self._drop_client()

    def _accept(self) -> None:
        assert self._listener is not None
        assert self._port is not None
        try:
            client, peer = self._listener.accept()
        except OSError:
            return  # It gave up before we came to it.
        client.setblocking(False)
        if self._client is not None:
            with contextlib.suppress(OSError):
                client.send(TAKEN)
            client.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        _log.info("terminal connected", port=self.name, peer=f"{peer[0]}:{peer[1]}")
        self._client = client
        self._pump = FdPump(self._port, client.fileno(), client.fileno(), self._client_gone)
        self._port.set_dtr(True)
        self._pump.start()

    def _client_gone(self) -> None:
        _log.info("terminal disconnected", port=self.name)
        self._drop_client()
        if self._port is not None:
            self._port.set_dtr(False)

    def _drop_client(self) -> None:
        if self._pump is not None:
            self._pump.stop()
            self._pump = None
        if self._client is not None:
            self._client.close()
            self._client = None
