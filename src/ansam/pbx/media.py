"""Session descriptions of relayed calls: addresses and ports are replaced, everything else stays as it is.

The description is not parsed and written anew, because an attribute this program does not know must cross the
exchange as well as one it knows.
"""

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ansam.pbx.records import Carried
from ansam.sip.events import Address

_MEDIA = re.compile(rb"m=(\S+) (\d{1,5})((?:/\d+)? .*)", re.DOTALL)
_CONNECTION = re.compile(rb"c=IN (IP[46]) ([^\s/]+)(.*)", re.DOTALL)

_BYPASS = (b"a=candidate:", b"a=remote-candidates:", b"a=rtcp:")
"""Attributes that name addresses of their own; ends that followed them would bypass the relay."""

_ON_HOLD = (b"0.0.0.0", b"::")


class Side(Enum):
    """The end of a call a relay socket faces."""

    CALLER = "caller"
    CALLEE = "callee"


@dataclass(frozen=True, slots=True)
class RelayPorts:
    """The two sockets of one relayed call, as its ends see them.

    Attributes:
        caller: Where the caller sends its packets.
        callee: Where the callee sends its packets.
    """

    caller: Address
    callee: Address

    def facing(self, side: Side) -> Address:
        """Return the socket that faces one side."""
        return self.caller if side is Side.CALLER else self.callee


class MediaRelay(Protocol):
    """What io lends the engine to carry media: pairs of sockets. None of these waits."""

    def open(self, caller_sees: str, callee_sees: str) -> RelayPorts | None:
        """Open the sockets of one call on the addresses the ends see; None where there are no more ports."""

    def move(self, ports: RelayPorts, callee_sees: str) -> RelayPorts | None:
        """Open other sockets for a call's callee; None where there are no more ports, and all is as before.

        The caller's stay: it may have been told where to send.
        """

    def aim(self, ports: RelayPorts, side: Side, target: Address) -> None:
        """Say where packets for one side go from now on."""

    def close(self, ports: RelayPorts) -> tuple[Carried, Carried] | None:
        """Close the sockets of a call; return what caller and callee sent, or None: not known."""


def redirect(sdp: bytes, relay: Address) -> tuple[bytes, Address | None]:
    """Put the relay's address in place of an end's own.

    The first media description that is in use is relayed; further ones are switched off (port 0), for there
    is one pair of sockets for each call.

    Args:
        sdp: Offer or answer.
        relay: Address and port to put in.

    Returns:
        The description to pass on, and where its sender wants its packets (None: it has no media in use, or
        names no address).

    Spec: RFC 4566 §5.7, §5.14; RFC 3264 §5.1 (port 0), §8.4 (hold by 0.0.0.0).
    """
    family = b"IP6" if ":" in relay[0] else b"IP4"
    host: str | None = None
    target: Address | None = None
    taken = relaying = in_media = False
    out: list[bytes] = []
    for line in sdp.splitlines(keepends=True):
        if line.startswith(_BYPASS):
            continue
        media = _MEDIA.fullmatch(line)
        connection = _CONNECTION.fullmatch(line)
        if media:
            in_media, port = True, int(media[2])
            relaying = port != 0 and not taken
            if relaying:
                taken, target = True, (host or "", port)
            line = b"m=%s %d%s" % (media[1], relay[1] if relaying else 0, media[3])
        elif connection:
            address = connection[2].decode("ascii", "replace")
            if not in_media:
                host = address
            elif relaying and target is not None:
                target = (address, target[1])
            if connection[2] not in _ON_HOLD:
                line = b"c=IN %s %s%s" % (family, relay[0].encode(), connection[3])
        out.append(line)
    return b"".join(out), target if target is not None and _can_be_sent_to(target) else None


def _can_be_sent_to(target: Address) -> bool:
    """A name would be looked up with each packet, while all calls wait; RTCP's port is the one above."""
    try:
        ipaddress.ip_address(target[0])
    except ValueError:
        return False
    return target[1] < 65535
