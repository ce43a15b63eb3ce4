"""The values of offer and answer: laws, what may be agreed on beside them, both ends of a stream."""

from dataclasses import dataclass, field, replace
from enum import Enum

from ansam.errors import LocalProtocolError
from ansam.sdp.crypto import KEY_OCTETS, SUITES, Crypto


@dataclass(frozen=True, slots=True)
class Codec:
    """A payload format at 8000 Hz.

    Attributes:
        name: In rtpmap.
        payload_type: The static one (RFC 3551 §6).
        vbd_type: The dynamic one that our offers mark for voice-band data.
    """

    name: str
    payload_type: int
    vbd_type: int = 96


PCMU = Codec("PCMU", 0, 97)
PCMA = Codec("PCMA", 8, 96)

RED_TYPE = 121
"""Payload type of redundancy in our offers."""

MAX_REDUNDANCY = 4


class Secure(Enum):
    """Whether audio is encrypted (SRTP with keys in the description, RFC 4568)."""

    NO = "off"
    ACCEPT = "accept"
    """Where the peer's offer wants it; our offers do not."""
    REQUIRE = "require"
    """Offered, and nothing else is accepted."""


@dataclass(frozen=True, slots=True)
class Features:
    """What may be agreed on beside the bare law.

    Attributes:
        vbd: Mark a payload type for voice-band data (V.152).
        redundancy: Earlier frames that each packet repeats (RFC 2198), 0 to `MAX_REDUNDANCY`; 0: neither
            offered nor accepted.
        secure: Encryption; it needs `LocalMedia.keys`.
        rtcp: Exchange reports (RFC 3550 §6); in the packets' own port where the peer's offer wants it so
            (RFC 5761).
    """

    vbd: bool = False
    redundancy: int = 0
    secure: Secure = Secure.NO
    rtcp: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.redundancy <= MAX_REDUNDANCY:
            raise LocalProtocolError(f"redundancy of {self.redundancy} frames")


PLAIN = Features()

PTIME_MS = 20


class Direction(Enum):
    """Who may send, seen from the description's author (RFC 3264 §5.1)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    def mirrored(self) -> "Direction":
        """Return the answer's direction for a side that would like to send and receive."""
        swap = {Direction.SENDONLY: Direction.RECVONLY, Direction.RECVONLY: Direction.SENDONLY}
        return swap.get(self, self)


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Our side of a session: where we receive, and how far its description has come.

    Attributes:
        address: IP address we receive on.
        port: RTP port, 1–65535.
        session_id: A number unique to this session (RFC 8866 §5.2), drawn by the owner.
        version: Of the next description. `offer` and `negotiate` use it as it stands: pass `next_version()`
            for a changed session.
        keys: Random octets for the master keys of what we send, `KEY_OCTETS` for each of `SUITES`; b""
            without encryption. They stay the same for the whole session.
    """

    address: str
    port: int
    session_id: int
    version: int = 1
    keys: bytes = field(default=b"", repr=False)

    def cryptos(self) -> list[Crypto]:
        """Return what our offers say of encryption: a key of its own for each suite (RFC 4568 §6.1)."""
        if len(self.keys) != KEY_OCTETS * len(SUITES):
            raise LocalProtocolError(f"{len(self.keys)} octets for the keys of {len(SUITES)} suites")
        cut = [self.keys[at : at + KEY_OCTETS] for at in range(0, len(self.keys), KEY_OCTETS)]
        return [
            Crypto(index + 1, suite, key) for index, (suite, key) in enumerate(zip(SUITES, cut, strict=True))
        ]

    def next_version(self) -> "LocalMedia":
        """Return the same side, one version on (RFC 3264 §8)."""
        return replace(self, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """What the peer's description means to us.

    Attributes:
        address: Where to send RTP; "" if the peer gave no usable address (hold the old way, c=0.0.0.0).
        port: RTP port.
        codec: The agreed codec.
        payload_type: The number to *send* with: the peer's choice.
        direction: The peer's, so SENDONLY means that it will not listen.
        vbd_type: The number for voice-band data, None where V.152 was not agreed on.
        red_type: The number of redundant packets, None where RFC 2198 was not agreed on.
        redundancy: Frames to repeat: the smaller of what both ends named.
        crypto: The peer's line that was taken; None: nothing is encrypted.
        our_crypto: The key and suite of what we send.
        control: Where to send RTCP; None: nowhere.
        mux: RTCP shares the RTP port.
    """

    address: str
    port: int
    codec: Codec
    payload_type: int
    direction: Direction
    vbd_type: int | None = None
    red_type: int | None = None
    redundancy: int = 0
    crypto: Crypto | None = field(default=None, repr=False)
    our_crypto: Crypto | None = field(default=None, repr=False)
    control: tuple[str, int] | None = None
    mux: bool = False

    @property
    def on_hold(self) -> bool:
        """True if the peer does not listen: a=sendonly, a=inactive or c=0.0.0.0 (RFC 3264 §8.4)."""
        return not self.address or self.direction in (Direction.SENDONLY, Direction.INACTIVE)
