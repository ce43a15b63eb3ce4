"""Sockets around the SIP engine: UDP, TCP and TLS, one timer.

The pattern for every call into the engine: call one method, send what it wants sent, hand out its events,
arm one timer for its deadline. `SipNode.do` is that pattern; handlers of events may call it again.

All methods run on the event loop's thread and none blocks.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from ansam.io.sip_connection import SipConnection
from ansam.io.sockets import bind_socket
from ansam.sip.events import Address, Event, Flow, Outgoing, Transport
from ansam.sip.ua import UserAgent
from ansam.units import Seconds

MAX_DATAGRAM = 65535
DATAGRAMS_AT_ONCE = 64
"""Read in one go before other work gets its turn."""

MAX_CONNECTIONS = 1024
"""Connections that peers have opened."""

MAX_FROM_SOURCE = 64
"""The same from one address: the telephones behind one NAT."""

HANDSHAKE_TIMEOUT = 5.0

__all__ = ["SipNode", "bind_socket"]

T = TypeVar("T")
_log = structlog.get_logger("ansam.io.sip")


class SipNode:
    """One user agent on the network.

    Args:
        agent: The engine.
        on_event: Takes its events, in order.
        clock: Monotonic seconds.
        tls: For the TLS connections we open; None: there are none.
        tls_name: What the certificates of their far ends must name; "" where `tls` does not check names.
        on_trouble: Told why a TLS connection of ours failed, for people.

    Attributes:
        agent: The engine; call its methods through `do`.
        trouble: Why the last TLS connection of ours failed, for people; "": none did.
    """

    def __init__(
        self,
        agent: UserAgent,
        on_event: Callable[[Event], None],
        clock: Callable[[], Seconds] = time.monotonic,
        tls: ssl.SSLContext | None = None,
        tls_name: str = "",
        on_trouble: Callable[[Flow, str], None] = lambda flow, trouble: None,
    ) -> None:
        self.agent = agent
        self._on_event, self._on_trouble = on_event, on_trouble
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._udp: dict[Address, socket.socket] = {}
        self._listeners: dict[Address, asyncio.Server] = {}
        self._tls: dict[Address, asyncio.Server | socket.socket] = {}
        self._tls_default = (tls, tls_name)
        self._tls_towards: dict[Address, tuple[ssl.SSLContext, str]] = {}
        self._connections: dict[tuple[Transport, Address], SipConnection] = {}
        self._accepted: dict[SipConnection, Flow] = {}
        self.trouble = ""
        self._draining = False
        self._closed = False

    # -- addresses -------------------------------------------------------------------------------------------

    def open_udp(self, host: str, port: int = 0) -> Address:
        """Listen for datagrams; return the address.

        Raises:
            ResourceError: The address can not be had.
        """
        sock = bind_socket(socket.SOCK_DGRAM, host, port, "SIP over udp")
        if sock.family == socket.AF_INET:
            # Ask for ICMP errors: a dead registrar is known at once, not after 32 s.
            sock.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_RECVERR", 11), 1)
        address: Address = sock.getsockname()[:2]
        self._udp[address] = sock
        self._loop.add_reader(sock, self._read_datagrams, sock, address)
        return address

    async def open_tcp(self, host: str, port: int = 0) -> Address:
        """Listen for connections; return the address.

        Raises:
            ResourceError: The address can not be had.
        """
        sock = bind_socket(socket.SOCK_STREAM, host, port, "SIP over tcp")
        address: Address = sock.getsockname()[:2]
        server = await self._loop.create_server(lambda: SipConnection(self, "tcp", address), sock=sock)
        self._listeners[address] = server
        return address

    async def open_tls(self, host: str, port: int, context: ssl.SSLContext) -> Address:
        """Listen for TLS connections with the certificate of `context`; return the address.

        Raises:
            ResourceError: The address can not be had.
        """
        sock = bind_socket(socket.SOCK_STREAM, host, port, "SIP over tls")
        address: Address = sock.getsockname()[:2]
        self._tls[address] = await self._loop.create_server(
            lambda: SipConnection(self, "tls", address),
            sock=sock,
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
        )
        return address

    def open_tls_client(self, host: str) -> Address:
        """Name an address for TLS connections that only we open, from it: nobody can connect to it.

        Raises:
            ResourceError: The address can not be had.
        """
        sock = bind_socket(socket.SOCK_STREAM, host, 0, "SIP over tls")
        address: Address = sock.getsockname()[:2]
        self._tls[address] = sock
        return address

    def trust(self, remote: Address, context: ssl.SSLContext, name: str) -> None:
        """Say how TLS connections of ours to a peer are made; `name` is what its certificate must name."""
        self._tls_towards[remote] = context, name

    def flow(self, transport: Transport, remote: Address) -> Flow:
        """Return a path to a peer from the first address of that transport that was opened."""
        opened = {"udp": list(self._udp), "tcp": list(self._listeners), "tls": list(self._tls)}
        return Flow(transport, opened[transport][0], remote)

    async def close(self) -> None:
        """Close all sockets; nothing is sent any more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for sock in self._udp.values():
            self._loop.remove_reader(sock)
            sock.close()
        for server in (*self._listeners.values(), *self._tls.values()):
            server.close()
        for connection in list(self._connections.values()):
            connection.abort()
        self._udp.clear()
        self._connections.clear()
        await asyncio.sleep(0)

    # -- the pattern -----------------------------------------------------------------------------------------

    def do(self, call: Callable[[UserAgent, Seconds], T]) -> T:
        """Call the engine and act on what it wants; see the module's text."""
        result = call(self.agent, self._clock())
        self._drain()
        return result

    def _drain(self) -> None:
        if self._draining or self._closed:
            return
        self._draining = True
        try:
            again = True
            while again and not self._closed:
                again = False
                for outgoing in self.agent.take_outgoing():
                    self._send(outgoing)
                for event in self.agent.take_events():
                    again = True
                    self._hand_out(event)
        finally:
            self._draining = False
            self._arm()

    def _hand_out(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception as error:
            # A bug over one call may not take the others' signalling with it.
            _log.error("event not handled", sip_event=type(event).__name__, exc_info=error)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.agent.deadline()
        if deadline is not None and not self._closed:
            delay = max(0.0, deadline - self._clock())
            self._timer = self._loop.call_later(delay, self._timer_fired)

    def _timer_fired(self) -> None:
        self.do(lambda agent, now: agent.handle_timer(now))

    # -- octets ----------------------------------------------------------------------------------------------

    def _send(self, outgoing: Outgoing) -> None:
        flow = outgoing.flow
        if flow.reliable:
            self._connection(flow).send(outgoing.data, outgoing.close)
            return
        sock = self._udp.get(flow.local)
        if sock is None:
            self._fail_later(flow)
            return
        try:
            sock.sendto(outgoing.data, flow.remote)
        except BlockingIOError:
            pass  # A full socket is a lost datagram: the engine's retransmission makes up for it.
        except OSError as error:
            self._take_errors(sock, flow.local)
            if error.errno != errno.ECONNREFUSED:
                # ECONNREFUSED belongs to an earlier datagram; anything else to this one.
                self._fail_later(flow)
            else:
                with contextlib.suppress(OSError):
                    sock.sendto(outgoing.data, flow.remote)

    def _read_datagrams(self, sock: socket.socket, local: Address) -> None:
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                data, source = sock.recvfrom(MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                self._take_errors(sock, local)
                return
            self.received(data, Flow("udp", local, (source[0], source[1])))

    def _take_errors(self, sock: socket.socket, local: Address) -> None:
        """Read whom ICMP says is unreachable: the queue names the destination (Linux ip(7), IP_RECVERR)."""
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                _, _, _, destination = sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            if destination:
                self._fail_later(Flow("udp", local, (destination[0], destination[1])))

    def _fail_later(self, flow: Flow) -> None:
        # Not from within a drain: the engine's lists are being walked.
        self._loop.call_soon(self._failed, flow)

    def _failed(self, flow: Flow) -> None:
        if not self._closed:
            self.do(lambda agent, now: agent.transport_failed(flow, now))

    # -- tcp -------------------------------------------------------------------------------------------------

    def _connection(self, flow: Flow) -> "SipConnection":
        key = (flow.transport, flow.remote)
        connection = self._connections.get(key)
        if connection is None:
            connection = SipConnection(self, flow.transport, flow.local, flow)
            self._connections[key] = connection
            connection.open_task = self._loop.create_task(connection.open())
        return connection

    def accepted(self, connection: "SipConnection", flow: Flow) -> bool:
        """See `ConnectionOwner.accepted`."""
        host = flow.remote[0]
        same = sum(known.remote[0] == host for known in self._accepted.values())
        if len(self._accepted) >= MAX_CONNECTIONS or same >= MAX_FROM_SOURCE or self._closed:
            _log.warning("connection refused: too many", peer=f"{host}:{flow.remote[1]}", from_there=same)
            return False
        self._accepted[connection] = flow
        self._connections[flow.transport, flow.remote] = connection
        return True

    async def connect(self, connection: "SipConnection", flow: Flow) -> None:
        """See `ConnectionOwner.connect`."""
        secure = flow.transport == "tls"
        context, name = self._tls_towards.get(flow.remote, self._tls_default)
        if secure and context is None:
            raise OSError("no TLS connections are opened here")
        sock = await self._connected_socket(flow)
        await self._loop.create_connection(
            lambda: connection,
            sock=sock,
            ssl=context if secure else None,
            server_hostname=(name or flow.remote[0]) if secure else None,
        )

    async def _connected_socket(self, flow: Flow) -> socket.socket:
        """Connect; where nobody can connect to us, from the port that our Contact names.

        Registrars look for a connection to the Contact's address, and find the one that is there. A port that
        was used a moment ago may still rest (TIME_WAIT): then any other.
        """
        ports = [flow.local[1], 0] if isinstance(self._tls.get(flow.local), socket.socket) else [0]
        for port in ports:
            sock = bind_socket(socket.SOCK_STREAM, flow.local[0], port, "SIP")
            try:
                await self._loop.sock_connect(sock, flow.remote)
            except OSError as error:
                sock.close()
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EADDRINUSE) or port == 0:
                    raise
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise OSError(errno.EADDRNOTAVAIL, "no port to connect from")

    def received(self, data: bytes, flow: Flow) -> None:
        """Take a datagram, or a piece of a stream."""
        if not self._closed:
            self.do(lambda agent, now: agent.receive(data, flow, now))

    def lost(self, connection: "SipConnection", flow: Flow, trouble: str = "") -> None:
        """See `ConnectionOwner.lost`."""
        if trouble:
            self.trouble = trouble
            self._on_trouble(flow, trouble)
        self._accepted.pop(connection, None)
        key = (flow.transport, flow.remote)
        if self._connections.get(key) is connection:
            del self._connections[key]
            self._fail_later(flow)
