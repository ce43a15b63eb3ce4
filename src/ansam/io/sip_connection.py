"""One connection of a SIP user agent, TCP or TLS, opened by either side."""

import asyncio
import ssl
from collections import deque
from typing import Protocol

import structlog

from ansam.errors import ResourceError
from ansam.sip.events import Address, Flow, Transport

MAX_UNSENT = 262_144
"""Octets waiting for a peer that does not read; beyond it the connection is given up."""

CONNECT_TIMEOUT = 5.0

SILENT_TIMEOUT = 32.0
"""Seconds an accepted connection may stand without a single octet."""

_log = structlog.get_logger("ansam.io.sip")


class ConnectionOwner(Protocol):
    """What a connection asks of its node."""

    async def connect(self, connection: "SipConnection", flow: Flow) -> None:
        """Open the connection of a flow.

        Raises:
            OSError: Refused, unreachable, or a certificate that does not prove its owner.
        """

    def accepted(self, connection: "SipConnection", flow: Flow) -> bool:
        """Take on a connection that a peer opened; False: there are too many."""

    def received(self, data: bytes, flow: Flow) -> None:
        """Take octets."""

    def lost(self, connection: "SipConnection", flow: Flow, trouble: str = "") -> None:
        """Learn that a connection is gone, or was never made.

        Args:
            connection: Which.
            flow: Its flow.
            trouble: Why TLS failed, for people.
        """


class SipConnection(asyncio.Protocol):
    """One connection, TCP or TLS, opened by either side.

    Args:
        node: Whose it is.
        kind: ``tcp`` or ``tls``.
        local: Our address.
        flow: Where to connect to; None: a peer has connected to us.

    Attributes:
        open_task: The attempt to connect.
    """

    def __init__(
        self, node: ConnectionOwner, kind: Transport, local: Address, flow: Flow | None = None
    ) -> None:
        self._node = node
        self._kind: Transport = kind
        self._local = local
        self._flow = flow
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._unsent = 0
        self._silent: asyncio.TimerHandle | None = None
        self.open_task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect to the flow's peer."""
        assert self._flow is not None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._node.connect(self, self._flow)
        except ssl.SSLError as error:
            verdict = getattr(error, "verify_message", "")
            reason = f"certificate: {verdict}" if verdict else error.reason or str(error)
            _log.warning("no TLS connection", peer=self._flow.remote[0], reason=reason)
            self._node.lost(self, self._flow, reason)
        except (OSError, TimeoutError, ResourceError):
            self._node.lost(self, self._flow)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol.connection_made`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._flow is None:
            peer = transport.get_extra_info("peername")
            self._flow = Flow(self._kind, self._local, (peer[0], peer[1]))
            if not self._node.accepted(self, self._flow):
                transport.abort()
                return
            self._silent = asyncio.get_running_loop().call_later(SILENT_TIMEOUT, self.abort)
        while self._waiting:
            self.send(*self._waiting.popleft())

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol.data_received`."""
        assert self._flow is not None
        self._heard()
        self._node.received(data, self._flow)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol.connection_lost`."""
        self._heard()
        if self._flow is not None:
            self._node.lost(self, self._flow)

    def _heard(self) -> None:
        if self._silent is not None:
            self._silent.cancel()
            self._silent = None

    def send(self, data: bytes, close: bool) -> None:
        """Send octets now, or once the connection stands."""
        if self._transport is None:
            self._unsent += len(data)
            if self._unsent <= MAX_UNSENT:
                self._waiting.append((data, close))
            return
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._transport.abort()
        elif close:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection."""
        if self.open_task is not None:
            self.open_task.cancel()
        if self._transport is not None:
            self._transport.abort()
