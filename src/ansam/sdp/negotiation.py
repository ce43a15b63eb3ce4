"""Offer and answer (RFC 3264) for a line that carries a modem.

A modem survives only G.711, unprocessed. So an offer names A-law (and µ-law where configured) and nothing
else: no telephone events, no comfort noise, ``silenceSupp:off`` and ``ecan:b off`` (RFC 3108 §5.6.3: what
adaptors look at before they turn voice activity detection and echo cancelling on). Two further formats of
the same law may be agreed on, see `Features`: voice-band data (V.152), which tells a gateway outright that a
modem speaks, and redundancy (RFC 2198). Whatever else the peer offers — T.38, a compressed codec — is not
accepted: `negotiate` returns None, the caller of this module says 488, and the call goes on as it was.
"""

import ipaddress
from dataclasses import dataclass, field, replace
from enum import Enum

from ansam.errors import LocalProtocolError
from ansam.sdp.crypto import KEY_OCTETS, SUITES, Crypto, cryptos
from ansam.sdp.description import Attribute, MediaDescription, Origin, SessionDescription


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
    """

    vbd: bool = False
    redundancy: int = 0
    secure: Secure = Secure.NO

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
        ptime_ms: What the peer would like to receive, `PTIME_MS` where it does not say.
        vbd_type: The number for voice-band data, None where V.152 was not agreed on.
        red_type: The number of redundant packets, None where RFC 2198 was not agreed on.
        redundancy: Frames to repeat: the smaller of what both ends named.
        crypto: The peer's line that was taken; None: nothing is encrypted.
        our_crypto: The key and suite of what we send.
    """

    address: str
    port: int
    codec: Codec
    payload_type: int
    direction: Direction
    ptime_ms: int = PTIME_MS
    vbd_type: int | None = None
    red_type: int | None = None
    redundancy: int = 0
    crypto: Crypto | None = field(default=None, repr=False)
    our_crypto: Crypto | None = field(default=None, repr=False)

    @property
    def on_hold(self) -> bool:
        """True if the peer does not listen: a=sendonly, a=inactive or c=0.0.0.0 (RFC 3264 §8.4)."""
        return not self.address or self.direction in (Direction.SENDONLY, Direction.INACTIVE)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The outcome of `negotiate`: our answer and what the offer means."""

    answer: SessionDescription
    remote: RemoteMedia


def offer(
    local: LocalMedia, codecs: tuple[Codec, ...] = (PCMA,), features: Features = PLAIN
) -> SessionDescription:
    """Return our offer.

    Args:
        local: Our side.
        codecs: In order of preference, at least one.
        features: What to offer beside them.

    Returns:
        A description with one audio line, ptime 20, sendrecv, silence suppression off.
    """
    if not codecs:
        raise LocalProtocolError("an offer needs a codec")
    formats = [
        _Formats(
            codec,
            codec.payload_type,
            codec.vbd_type if features.vbd else None,
            RED_TYPE if features.redundancy and index == 0 else None,
            features.redundancy,
        )
        for index, codec in enumerate(codecs)
    ]
    lines = local.cryptos() if features.secure is Secure.REQUIRE else []
    return _describe(local, (_audio(local.port, formats, Direction.SENDRECV, lines),))


def negotiate(
    offered: SessionDescription,
    local: LocalMedia,
    codecs: tuple[Codec, ...] = (PCMA,),
    features: Features = PLAIN,
) -> Agreement | None:
    """Answer an offer, or find that nothing in it can carry a modem.

    The first usable audio line is taken with *our* most preferred codec in it; every other line is refused
    with port 0, in its position (RFC 3264 §6).

    Args:
        offered: The peer's offer.
        local: Our side.
        codecs: What we accept, in order of preference.
        features: What we accept beside them.

    Returns:
        The agreement, or None: answer 488 (RFC 3261 §13.3.1.3).
    """
    chosen: tuple[int, RemoteMedia] | None = None
    for index, medium in enumerate(offered.media):
        remote = _usable(offered, medium, codecs, features)
        if remote is not None and remote.crypto is not None:
            # RFC 4568 §5.1.2: the answer repeats the tag and gives the key of our own packets.
            ours = next(one for one in local.cryptos() if one.suite == remote.crypto.suite)
            remote = replace(remote, our_crypto=replace(ours, tag=remote.crypto.tag))
        if remote is not None:
            chosen = index, remote
            break
    if chosen is None:
        return None
    position, remote = chosen
    direction = remote.direction.mirrored() if remote.address else Direction.SENDRECV
    media = tuple(
        _audio(
            local.port,
            [_Formats.of(remote)],
            direction,
            [] if remote.our_crypto is None else [remote.our_crypto],
        )
        if index == position
        else replace(medium, port=0, port_count=1, connection=None, attributes=(), other=())
        for index, medium in enumerate(offered.media)
    )
    answer = replace(_describe(local, media), times=offered.times)
    return Agreement(answer, remote)


def accept(
    answer: SessionDescription,
    codecs: tuple[Codec, ...] = (PCMA,),
    features: Features = PLAIN,
    local: LocalMedia | None = None,
) -> RemoteMedia | None:
    """Read the answer to our `offer`.

    Args:
        answer: The peer's answer; its first line answers ours.
        codecs: What we offered.
        features: Likewise.
        local: Our side, where encryption was offered.

    Returns:
        The peer's side, or None if it refused or answered with something we did not offer: end the call.
    """
    remote = _usable(answer, answer.media[0], codecs, features) if answer.media else None
    if remote is None or remote.crypto is None:
        return remote
    taken = remote.crypto
    ours = [
        one for one in (local.cryptos() if local else []) if (one.tag, one.suite) == (taken.tag, taken.suite)
    ]
    return replace(remote, our_crypto=ours[0]) if ours else None


def _usable(
    session: SessionDescription, medium: MediaDescription, codecs: tuple[Codec, ...], features: Features
) -> RemoteMedia | None:
    protocol = medium.protocol.upper()
    secure = protocol == "RTP/SAVP"
    crypto = next(iter(cryptos(medium)), None) if secure else None
    wanted = features.secure
    if medium.kind != "audio" or medium.port == 0 or protocol not in ("RTP/AVP", "RTP/SAVP"):
        return None
    if (crypto is None or wanted is Secure.NO) if secure else wanted is Secure.REQUIRE:
        return None
    numbers = _payload_types(medium)
    marked = _vbd_types(medium)
    for codec in codecs:
        found = numbers.get(codec.name)
        if found:
            vbd = next((number for number in found if number in marked), None) if features.vbd else None
            red, depth = _redundancy(medium, numbers, found, features.redundancy)
            return RemoteMedia(
                address=_address(session, medium),
                port=medium.port,
                codec=codec,
                # What is marked for voice-band data comes second, so that both kinds stay apart.
                payload_type=next((number for number in found if number not in marked), found[0]),
                direction=_direction(session, medium),
                ptime_ms=_ptime(medium),
                vbd_type=vbd,
                red_type=red,
                redundancy=depth,
                crypto=crypto,
            )
    return None


def _payload_types(medium: MediaDescription) -> dict[str, list[int]]:
    """Return the payload types of each encoding at 8000 Hz, static or mapped (RFC 8866 §6.6), in order."""
    mapped = {"0": "PCMU/8000", "8": "PCMA/8000"}
    for attribute in medium.attributes:
        if attribute.name == "rtpmap" and attribute.value:
            number, _, encoding = attribute.value.partition(" ")
            mapped[number.strip()] = encoding.strip().upper()
    found: dict[str, list[int]] = {}
    for text in medium.formats:
        if not (text.isascii() and text.isdigit()) or len(text) > 3 or int(text) > 127:
            continue
        encoding = mapped.get(text, "")
        name, _, rate = encoding.partition("/")
        if rate in ("8000", "8000/1"):
            found.setdefault(name, []).append(int(text))
    return found


def _vbd_types(medium: MediaDescription) -> set[int]:
    """Return the payload types marked for voice-band data.

    Spec: V.152 (09/2010) §7.1.0.1: ``a=gpmd:<format> <parameter>=<value>;…``
    """
    marked = set()
    for attribute in medium.attributes:
        number, _, parameters = (attribute.value or "").partition(" ")
        pairs = {pair.replace(" ", "").lower() for pair in parameters.split(";")}
        if attribute.name == "gpmd" and "vbd=yes" in pairs and number.isascii() and number.isdigit():
            marked.add(int(number[:4]))
    return marked


def _redundancy(
    medium: MediaDescription, numbers: dict[str, list[int]], own: list[int], wanted: int
) -> tuple[int | None, int]:
    """Return the payload type of redundancy over this law alone, and the frames to repeat.

    Spec: RFC 2198 §5: ``a=fmtp:121 8/8`` is one frame beside the primary.
    """
    if not wanted or "RED" not in numbers:
        return None, 0
    number = numbers["RED"][0]
    for attribute in medium.attributes:
        kind, _, value = (attribute.value or "").partition(" ")
        layers = value.strip().split("/")
        if attribute.name == "fmtp" and kind == str(number) and set(layers) <= {str(one) for one in own}:
            return number, min(wanted, len(layers) - 1)
    return None, 0


def _direction(session: SessionDescription, medium: MediaDescription) -> Direction:
    for level in (medium, session):
        for direction in Direction:
            if level.attribute(direction.value) is not None:
                return direction
    return Direction.SENDRECV


def _ptime(medium: MediaDescription) -> int:
    text = medium.attribute("ptime") or ""
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 200 else PTIME_MS


def _address(session: SessionDescription, medium: MediaDescription) -> str:
    connection = medium.connection if medium.connection is not None else session.connection
    parts = (connection or "").split()
    if len(parts) != 3 or parts[0] != "IN":
        return ""
    address = parts[2].partition("/")[0]
    return "" if address in ("0.0.0.0", "::") else address


@dataclass(frozen=True, slots=True)
class _Formats:
    """The numbers one law has in a description."""

    codec: Codec
    payload_type: int
    vbd_type: int | None
    red_type: int | None
    redundancy: int

    @classmethod
    def of(cls, remote: RemoteMedia) -> "_Formats":
        """Return what an answer repeats."""
        return cls(remote.codec, remote.payload_type, remote.vbd_type, remote.red_type, remote.redundancy)

    def numbers(self) -> list[int]:
        """Return them, the preferred one first."""
        found = [self.red_type, self.payload_type, self.vbd_type]
        return list(dict.fromkeys(number for number in found if number is not None))

    def attributes(self) -> list[Attribute]:
        """Return what explains them."""
        laws = dict.fromkeys(n for n in (self.payload_type, self.vbd_type) if n is not None)
        out = [Attribute("rtpmap", f"{number} {self.codec.name}/8000") for number in laws]
        if self.vbd_type is not None:
            out.append(Attribute("gpmd", f"{self.vbd_type} vbd=yes"))
        if self.red_type is not None:
            carried = str(self.payload_type if self.vbd_type is None else self.vbd_type)
            layers = "/".join([carried] * (self.redundancy + 1))
            out += [
                Attribute("rtpmap", f"{self.red_type} red/8000"),
                Attribute("fmtp", f"{self.red_type} {layers}"),
            ]
        return out


def _audio(port: int, formats: list[_Formats], direction: Direction, lines: list[Crypto]) -> MediaDescription:
    numbers = tuple(str(number) for each in formats for number in each.numbers())
    attributes = [attribute for each in formats for attribute in each.attributes()]
    attributes.append(Attribute("ptime", str(PTIME_MS)))
    if any(each.vbd_type is not None for each in formats):
        # V.152 (09/2010) §7.1.0.2: an entry for each format.
        attributes.append(Attribute("maxmptime", " ".join([str(PTIME_MS)] * len(numbers))))
    attributes += [
        Attribute("silenceSupp", "off - - - -"),
        Attribute("ecan", "b off -"),
        *(line.attribute() for line in lines),
        Attribute(direction.value),
    ]
    protocol = "RTP/SAVP" if lines else "RTP/AVP"
    return MediaDescription("audio", port, protocol, numbers, attributes=tuple(attributes))


def _describe(local: LocalMedia, media: tuple[MediaDescription, ...]) -> SessionDescription:
    family = "IP6" if ipaddress.ip_address(local.address).version == 6 else "IP4"
    origin = Origin("-", str(local.session_id), local.version, "IN", family, local.address)
    return SessionDescription(origin, connection=f"IN {family} {local.address}", media=media)
