"""The provisioning server on the network: profiles for adaptors over HTTP.

Our own few lines of HTTP/1.0 over asyncio: adaptors send one small GET, and what is served are secrets,
so every size and time is ours to limit. The standard library's `http.server` waits for headers without a
limit of time, in a thread for each caller; a web framework would be a dependency for one path.
"""

import asyncio
import contextlib

import structlog

from ansam.adaptor.provisioning import REQUEST_LIMIT, Provisioner, Reply
from ansam.errors import ResourceError
from ansam.units import Seconds

REQUEST_TIME: Seconds = 5.0
"""For a request to come, and for its answer to leave."""

CONNECTIONS_LIMIT = 32
"""At the same time; one more is closed at once."""

_log = structlog.get_logger("ansam.provisioning")


class ProvisioningServer:
    """Serves profiles.

    Args:
        host: IP address to listen on.
        port: Port; 0 for one the system chooses.
        provisioner: Answers the requests.
        request_time: For a request to come.

    Attributes:
        provisioner: May be replaced while the server runs.
    """

    def __init__(
        self, host: str, port: int, provisioner: Provisioner, *, request_time: Seconds = REQUEST_TIME
    ) -> None:
        self.provisioner = provisioner
        self._place = host, port
        self._time = request_time
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, once started."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(port)

    async def start(self) -> None:
        """Listen.

        Raises:
            ResourceError: The address is not ours, or in use.
        """
        host, port = self._place
        try:
            self._server = await asyncio.start_server(self._accept, host, port, limit=REQUEST_LIMIT)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise ResourceError(f"provisioning on {host}:{port}: {why}", "choose another listen") from None
        _log.info("provisioning ready", address="{}:{}".format(*self.address))

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._tasks) < CONNECTIONS_LIMIT:
                self._tasks.add(task)
                with contextlib.suppress(TimeoutError, OSError, asyncio.CancelledError):
                    await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str(writer.get_extra_info("peername")[0])
        try:
            async with asyncio.timeout(self._time):
                request = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            request = b""
        except TimeoutError:
            _log.info("no request in time", peer=peer)
            return
        reply, octets = self.provisioner.answer(request, peer)
        _tell(reply, request, peer)
        writer.write(octets)
        async with asyncio.timeout(self._time):
            await writer.drain()


def _tell(reply: Reply, request: bytes, peer: str) -> None:
    line = request.split(b"\r\n", 1)[0][:100].decode("ascii", "replace")
    shown = "".join(mark if mark.isprintable() else "?" for mark in line)
    say = _log.info if reply.status == 200 else _log.warning
    say(reply.why, status=reply.status, peer=peer, request=shown, mac=reply.mac)
