"""Sockets that carry the media of relayed calls, octet for octet.

Each side of a call has a pair of ports: RTP on the even one, RTCP on the odd one above (RFC 3550 §11). A
packet that comes from one side leaves through the other side's socket, unchanged and unread.

Where packets go is what the session descriptions say, until the end itself sends: then to where it sends
from, so that an end behind a NAT is reached. That is learnt once for each description, from the first packet;
later packets from elsewhere are dropped, so nobody can take a running call over. Only the address the
description itself names is always believed.
"""

import asyncio
import contextlib
import ipaddress
import socket
from dataclasses import dataclass, field

from ansam.errors import ResourceError
from ansam.io.sockets import bind_socket
from ansam.pbx.media import RelayPorts, Side
from ansam.pbx.records import Carried
from ansam.sip.events import Address

MAX_PACKET = 2048
PACKETS_AT_ONCE = 64
"""Read from one socket in one go before other work gets its turn."""

_OTHER = {Side.CALLER: Side.CALLEE, Side.CALLEE: Side.CALLER}


_RTCP = range(72, 77)
"""Payload types that RTCP's packet types would be: RFC 5761 §4."""


@dataclass(slots=True)
class PacketCount:
    """Counts RTP packets and those missing; a new SSRC begins a new sequence."""

    packets: int = 0
    _ssrc: bytes = b""
    _highest: int = 0
    _expected: int = 0

    def take(self, packet: bytes) -> None:
        """Count a packet; what is no RTP is none."""
        if len(packet) < 12 or packet[0] >> 6 != 2 or packet[1] & 0x7F in _RTCP:
            return
        self.packets += 1
        sequence, ssrc = int.from_bytes(packet[2:4], "big"), packet[8:12]
        if ssrc != self._ssrc:
            self._ssrc, self._highest = ssrc, sequence
            self._expected += 1
            return
        ahead = (sequence - self._highest) & 0xFFFF
        if ahead < 0x8000:  # RFC 3550 A.1; else it is late or came twice
            self._highest = sequence
            self._expected += ahead

    def carried(self) -> Carried:
        """Return the count; packets that came twice may hide some that are missing."""
        return Carried(self.packets, max(0, self._expected - self.packets))


@dataclass(slots=True, eq=False)
class _Port:
    """One socket of one side: RTP (offset 0) or RTCP (offset 1)."""

    sock: socket.socket
    side: Side
    offset: int
    signalled: Address | None = None
    target: Address | None = None
    learnt: bool = False
    count: PacketCount = field(default_factory=PacketCount)


@dataclass(slots=True, eq=False)
class _Relayed:
    """One call."""

    ports: list[_Port] = field(default_factory=list)

    def of(self, side: Side, offset: int) -> _Port:
        return next(port for port in self.ports if port.side is side and port.offset == offset)


class SocketRelay:
    """A `MediaRelay` over UDP sockets of a port range; lives on the running event loop.

    Args:
        first: First port of the range.
        last: Last port, inclusive.

    Attributes:
        forwarded: Packets carried by calls that are over and by those in progress.
        dropped: Packets with nowhere to go.
    """

    def __init__(self, first: int, last: int) -> None:
        self.forwarded = 0
        self.dropped = 0
        self._loop = asyncio.get_running_loop()
        self._pairs = list(range(first + first % 2, last, 2))
        self._next = 0
        self._calls: dict[RelayPorts, _Relayed] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def open(self, caller_sees: str, callee_sees: str) -> RelayPorts | None:
        """See `MediaRelay.open`."""
        call = _Relayed()
        if not self._face(call, Side.CALLER, caller_sees):
            return None
        if not self._face(call, Side.CALLEE, callee_sees):
            self._close(call.ports)
            return None
        return self._keep(call)

    def move(self, ports: RelayPorts, callee_sees: str) -> RelayPorts | None:
        """See `MediaRelay.move`."""
        call = self._calls[ports]
        old = [port for port in call.ports if port.side is Side.CALLEE]
        if not self._face(call, Side.CALLEE, callee_sees):
            return None
        call.ports = [port for port in call.ports if port not in old]
        self._close(old)
        del self._calls[ports]
        return self._keep(call)

    def _face(self, call: _Relayed, side: Side, host: str) -> bool:
        """Open the sockets of one side; return False where there are no more ports."""
        pair = self._open_pair(host)
        for offset, sock in enumerate(pair or ()):
            port = _Port(sock, side, offset)
            call.ports.append(port)
            self._loop.add_reader(sock, self._readable, call, port)
        return pair is not None

    def _keep(self, call: _Relayed) -> RelayPorts:
        caller, callee = (call.of(side, 0).sock.getsockname()[:2] for side in (Side.CALLER, Side.CALLEE))
        ports = RelayPorts(caller, callee)
        self._calls[ports] = call
        return ports

    def _close(self, ports: list[_Port]) -> None:
        for port in ports:
            self._loop.remove_reader(port.sock)
            port.sock.close()

    def _open_pair(self, host: str) -> tuple[socket.socket, socket.socket] | None:
        for _ in self._pairs:
            port = self._pairs[self._next]
            # The next call takes other ports: late packets of the call before find nobody.
            self._next = (self._next + 1) % len(self._pairs)
            with contextlib.suppress(ResourceError):
                rtp = bind_socket(socket.SOCK_DGRAM, host, port, "relay")
                try:
                    return rtp, bind_socket(socket.SOCK_DGRAM, host, port + 1, "relay")
                except ResourceError:
                    rtp.close()
        return None

    def aim(self, ports: RelayPorts, side: Side, target: Address) -> None:
        """See `MediaRelay.aim`; the same target as before changes nothing that has been learnt."""
        call = self._calls.get(ports)
        if call is None:
            return
        for offset in (0, 1):
            port = call.of(side, offset)
            wanted = (target[0], target[1] + offset)
            if port.signalled != wanted:
                # On hold by 0.0.0.0 it wants none; the kernel would send them to ourselves.
                held = ipaddress.ip_address(target[0]).is_unspecified
                port.signalled, port.target = wanted, None if held else wanted
                port.learnt = False

    def close(self, ports: RelayPorts) -> tuple[Carried, Carried] | None:
        """See `MediaRelay.close`."""
        call = self._calls.pop(ports, None)
        if call is None:
            return None
        self._close(call.ports)
        return call.of(Side.CALLER, 0).count.carried(), call.of(Side.CALLEE, 0).count.carried()

    def close_all(self) -> None:
        """Close the sockets of all calls."""
        for ports in list(self._calls):
            self.close(ports)

    def _readable(self, call: _Relayed, port: _Port) -> None:
        away = call.of(_OTHER[port.side], port.offset)
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet, source = port.sock.recvfrom(MAX_PACKET)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier packet: the end is not there (yet)
            if not self._accept(port, (source[0], source[1])) or away.target is None:
                self.dropped += 1
                continue
            if port.offset == 0:
                port.count.take(packet)
            try:
                away.sock.sendto(packet, away.target)
                self.forwarded += 1
            except OSError:
                self.dropped += 1

    @staticmethod
    def _accept(port: _Port, source: Address) -> bool:
        """Return whether a packet comes from the end this socket faces; learn where that is."""
        if port.signalled is None or (port.learnt and source not in (port.target, port.signalled)):
            return False
        port.target, port.learnt = source, True
        return True
