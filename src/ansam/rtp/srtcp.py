"""Secure RTCP (RFC 3711 §3.4): the control packets of an encrypted call.

```
 packet ─► header, SSRC │ rest ⊕ AES-CM(key, salt, SSRC, index) │ E, index │ tag = HMAC-SHA1(all before)
```

The index stands in the packet, so nothing has to be guessed. Tags have 80 bits in both suites (RFC 4568
§6.2.2).
"""

import hmac
import struct
from collections import OrderedDict

from ansam.errors import RemoteProtocolError
from ansam.rtp.rtcp import MAX_RTCP
from ansam.rtp.srtp import MAX_SOURCES, NotAuthenticRtp, Transform, Window

CLEAR = 8
"""Octets in front that stay readable: the first packet's header, and the SSRC."""

TAG = 10
ENCRYPTED = 0x80000000
INDEX = 0x7FFFFFFF


class SrtcpSender:
    """Protects the control packets of our one source.

    Args:
        suite: A key of `SUITES`.
        master: 30 octets.
    """

    def __init__(self, suite: str, master: bytes) -> None:
        self._transform = Transform(suite, master, labels=(3, 4, 5))
        self._index = 0

    def protect(self, packet: bytes) -> bytes:
        """Return the SRTCP packet of an RTCP packet."""
        index, self._index = self._index, self._index + 1 & INDEX
        (ssrc,) = struct.unpack_from("!I", packet, 4)
        encrypted = self._transform.crypt(packet, CLEAR, ssrc, index)
        signed = encrypted + struct.pack("!I", ENCRYPTED | index)
        return signed + self._transform.digest(signed)[:TAG]


class SrtcpReceiver:
    """Checks and decrypts what comes.

    Args:
        suite: A key of `SUITES`.
        master: 30 octets.
    """

    def __init__(self, suite: str, master: bytes) -> None:
        self._transform = Transform(suite, master, labels=(3, 4, 5))
        self._windows: OrderedDict[int, Window] = OrderedDict()

    def unprotect(self, packet: bytes) -> bytes:
        """Return the RTCP packet of an SRTCP packet.

        Raises:
            NotAuthenticRtp: The tag is wrong, or the packet came before.
            RemoteProtocolError: It is none.
        """
        if not CLEAR + 4 + TAG <= len(packet) <= MAX_RTCP + 4 + TAG:
            raise RemoteProtocolError(f"SRTCP packet of {len(packet)} octets", "RFC 3711 §3.4", packet)
        signed, tag = packet[:-TAG], packet[-TAG:]
        (ssrc,) = struct.unpack_from("!I", signed, 4)
        (word,) = struct.unpack_from("!I", signed, len(signed) - 4)
        index = word & INDEX
        window = self._windows.get(ssrc)
        if window is not None and window.has(index):
            raise NotAuthenticRtp("SRTCP packet came before", "RFC 3711 §3.3.2", packet)
        if not hmac.compare_digest(tag, self._transform.digest(signed)[:TAG]):
            raise NotAuthenticRtp("SRTCP packet with a wrong tag", "RFC 3711 §3.4", packet)
        if window is None:
            window = self._windows[ssrc] = Window(index)
            if len(self._windows) > MAX_SOURCES:
                self._windows.popitem(last=False)
        self._windows.move_to_end(ssrc)
        window.note(index)
        body = signed[:-4]
        return self._transform.crypt(body, CLEAR, ssrc, index) if word & ENCRYPTED else body
