"""Secure RTP (RFC 3711): AES-128 in counter mode and HMAC-SHA1, keys from signalling (SDES, RFC 4568).

```
 master key, salt ──AES-CM──► cipher key, salt, authentication key        (§4.3, no key derivation rate)
 packet ─► header │ payload ⊕ AES-CM(key, salt, SSRC, index) │ tag = HMAC-SHA1(packet, ROC)
```

The index of a packet is its sequence number counted on beyond 16 bits; both ends guess the upper part, the
roll-over counter, from what they have seen. It starts at 0 with each source.
"""

import hmac
import struct
from collections import OrderedDict
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.rtp.packet import HEADER, MAX_PACKET

KEY_OCTETS = 30
"""Master key (16) and master salt (14)."""

SUITES = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4}
"""Octets of the tag by the suite's name (RFC 4568 §6.2)."""

WINDOW = 128
"""Packets behind the newest that are still told from replays (RFC 3711 §3.3.2 asks for 64 or more)."""

MAX_SOURCES = 8
"""SSRCs of a far end that are followed; the one not heard of for longest is forgotten."""


class NotAuthenticRtp(RemoteProtocolError):
    """A packet with a wrong tag, or one that came before."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What signalling agreed on.

    Attributes:
        suite: A key of `SUITES`.
        local: Master key and salt of what we send.
        remote: Of what we receive.
    """

    suite: str
    local: bytes
    remote: bytes


class Transform:
    """The session keys of one direction, and what is done with them.

    Args:
        suite: A key of `SUITES`.
        master: 30 octets.
        labels: Of the cipher key, the authentication key and the salt (§4.3.1); SRTCP has others.
    """

    def __init__(self, suite: str, master: bytes, labels: tuple[int, int, int] = (0, 1, 2)) -> None:
        if len(master) != KEY_OCTETS or suite not in SUITES:
            raise LocalProtocolError(f"SRTP suite {suite} with {len(master)} octets of key and salt")
        key, salt = master[:16], master[16:]
        self._key = derive(key, salt, labels[0], 16)
        self._authentication = derive(key, salt, labels[1], 20)
        self._salt = int.from_bytes(derive(key, salt, labels[2], 14), "big") << 16

    def crypt(self, packet: bytes, start: int, ssrc: int, index: int) -> bytes:
        """Encrypt or decrypt from octet `start` on (§4.1.1)."""
        counter = self._salt ^ ssrc << 64 ^ index << 16
        cipher = Cipher(AES(self._key), CTR(counter.to_bytes(16, "big"))).encryptor()
        return packet[:start] + cipher.update(packet[start:])

    def digest(self, data: bytes) -> bytes:
        """Return HMAC-SHA1, whose first octets are the tag (§4.2)."""
        return hmac.digest(self._authentication, data, "sha1")


class _Session(Transform):
    """The transform of RTP packets: SSRC and roll-over counter are not written twice."""

    def __init__(self, suite: str, master: bytes) -> None:
        super().__init__(suite, master)
        self.tag = SUITES[suite]

    def sign(self, packet: bytes, index: int) -> bytes:
        """Return the tag of an encrypted packet (§4.2)."""
        return self.digest(packet + (index >> 16).to_bytes(4, "big"))[: self.tag]


def derive(key: bytes, salt: bytes, label: int, octets: int) -> bytes:
    """Return a session key (§4.3.1, §4.3.3) for a key derivation rate of 0.

    Args:
        key: Master key, 16 octets.
        salt: Master salt, 14 octets.
        label: 0 cipher key, 1 authentication key, 2 salt.
        octets: Length wanted.
    """
    counter = (int.from_bytes(salt, "big") ^ label << 48) << 16
    return Cipher(AES(key), CTR(counter.to_bytes(16, "big"))).encryptor().update(bytes(octets))


def _payload_start(packet: bytes) -> int:
    """Return where encryption begins: behind CSRC list and header extension (§3.1).

    Raises:
        RemoteProtocolError: The packet is too short for its header.
    """
    start = HEADER
    if len(packet) >= HEADER:
        start += 4 * (packet[0] & 15)
        if packet[0] & 0x10 and start + 4 <= len(packet):
            (words,) = struct.unpack_from("!H", packet, start + 2)
            start += 4 + 4 * words
    if start > len(packet):
        raise RemoteProtocolError("SRTP packet shorter than its header", "RFC 3711 §3.1", packet)
    return start


class SrtpSender:
    """Protects the packets of our one source, which are given in order.

    Args:
        suite: A key of `SUITES`.
        master: 30 octets.
    """

    def __init__(self, suite: str, master: bytes) -> None:
        self._session = _Session(suite, master)
        self._roc = 0
        self._last: int | None = None

    def protect(self, packet: bytes) -> bytes:
        """Return the SRTP packet of an RTP packet."""
        (sequence,) = struct.unpack_from("!H", packet, 2)
        if self._last is not None and sequence < self._last:
            self._roc += 1
        self._last = sequence
        index = self._roc << 16 | sequence
        (ssrc,) = struct.unpack_from("!I", packet, 8)
        encrypted = self._session.crypt(packet, _payload_start(packet), ssrc, index)
        return encrypted + self._session.sign(encrypted, index)


class Window:
    """What has come of one source: the highest index, and a bit for each of those below it (§3.3.2).

    Args:
        highest: The first index.

    Attributes:
        highest: The highest one.
    """

    def __init__(self, highest: int) -> None:
        self.highest = highest
        self._seen = 1

    def has(self, index: int) -> bool:
        """Return whether a packet came before, or is too old to tell."""
        behind = self.highest - index
        return behind >= WINDOW or (behind >= 0 and bool(self._seen >> behind & 1))

    def note(self, index: int) -> None:
        """Mark a packet that has proved itself."""
        ahead = index - self.highest
        if ahead > 0:
            # A jump empties the window; shifting by it could take for ever.
            self._seen = (self._seen << ahead | 1) & (1 << WINDOW) - 1 if ahead < WINDOW else 1
            self.highest = index
        else:
            self._seen |= 1 << -ahead


class SrtpReceiver:
    """Checks and decrypts what comes.

    Args:
        suite: A key of `SUITES`.
        master: 30 octets.
    """

    def __init__(self, suite: str, master: bytes) -> None:
        self._session = _Session(suite, master)
        self._sources: OrderedDict[int, Window] = OrderedDict()

    def unprotect(self, packet: bytes) -> bytes:
        """Return the RTP packet of an SRTP packet.

        Raises:
            NotAuthenticRtp: The tag is wrong, or the packet came before (§3.3.2).
            RemoteProtocolError: It is none.
        """
        body, tag = packet[: -self._session.tag], packet[-self._session.tag :]
        if not HEADER <= len(body) <= MAX_PACKET:
            raise RemoteProtocolError(f"SRTP packet of {len(packet)} octets", "RFC 3711 §3.1", packet)
        start = _payload_start(body)
        sequence, ssrc = struct.unpack_from("!H4xI", body, 2)
        source = self._sources.get(ssrc)
        index = sequence if source is None else _guess(source.highest, sequence)
        if source is not None and source.has(index):
            raise NotAuthenticRtp("SRTP packet came before", "RFC 3711 §3.3.2", packet)
        if not hmac.compare_digest(tag, self._session.sign(body, index)):
            raise NotAuthenticRtp("SRTP packet with a wrong tag", "RFC 3711 §3.3", packet)
        self._note(ssrc, source, index)
        return self._session.crypt(body, start, ssrc, index)

    def _note(self, ssrc: int, source: Window | None, index: int) -> None:
        if source is None:
            self._sources[ssrc] = Window(index)
            if len(self._sources) > MAX_SOURCES:
                self._sources.popitem(last=False)
            return
        self._sources.move_to_end(ssrc)
        source.note(index)


def _guess(highest: int, sequence: int) -> int:
    """Return the index nearest to the highest one so far with that sequence number (§3.3.1, appendix A)."""
    step = (sequence - highest + 0x8000 & 0xFFFF) - 0x8000
    return max(highest + step, sequence)
