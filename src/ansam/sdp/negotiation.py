"""Offer and answer (RFC 3264) for a line that carries a modem.

A modem survives only G.711, unprocessed. So an offer names A-law (and µ-law where configured) and nothing
else: no telephone events, no comfort noise, ``silenceSupp:off`` (RFC 3108 §5.6.2.4: what adaptors look at
before they turn voice activity detection on). Whatever else the peer offers — T.38, a compressed codec — is
not
accepted: `negotiate` returns None, the caller of this module says 488, and the call goes on as it was.
"""

import ipaddress
from dataclasses import dataclass, replace
from enum import Enum

from ansam.errors import LocalProtocolError
from ansam.sdp.description import Attribute, MediaDescription, Origin, SessionDescription


@dataclass(frozen=True, slots=True)
class Codec:
    """A payload format at 8000 Hz: its name in rtpmap and its static payload type (RFC 3551 §6)."""

    name: str
    payload_type: int


PCMU = Codec("PCMU", 0)
PCMA = Codec("PCMA", 8)

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
    """

    address: str
    port: int
    session_id: int
    version: int = 1

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
    """

    address: str
    port: int
    codec: Codec
    payload_type: int
    direction: Direction
    ptime_ms: int = PTIME_MS

    @property
    def on_hold(self) -> bool:
        """True if the peer does not listen: a=sendonly, a=inactive or c=0.0.0.0 (RFC 3264 §8.4)."""
        return not self.address or self.direction in (Direction.SENDONLY, Direction.INACTIVE)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The outcome of `negotiate`: our answer and what the offer means."""

    answer: SessionDescription
    remote: RemoteMedia


def offer(local: LocalMedia, codecs: tuple[Codec, ...] = (PCMA,)) -> SessionDescription:
    """Return our offer.

    Args:
        local: Our side.
        codecs: In order of preference, at least one.

    Returns:
        A description with one audio line, ptime 20, sendrecv, silence suppression off.
    """
    if not codecs:
        raise LocalProtocolError("an offer needs a codec")
    formats = [(codec, codec.payload_type) for codec in codecs]
    return _describe(local, (_audio(local.port, formats, Direction.SENDRECV),))


def negotiate(
    offered: SessionDescription, local: LocalMedia, codecs: tuple[Codec, ...] = (PCMA,)
) -> Agreement | None:
    """Answer an offer, or find that nothing in it can carry a modem.

    The first usable audio line is taken with *our* most preferred codec in it; every other line is refused
    with port 0, in its position (RFC 3264 §6).

    Args:
        offered: The peer's offer.
        local: Our side.
        codecs: What we accept, in order of preference.

    Returns:
        The agreement, or None: answer 488 (RFC 3261 §13.3.1.3).
    """
    chosen: tuple[int, RemoteMedia] | None = None
    for index, medium in enumerate(offered.media):
        remote = _usable(offered, medium, codecs)
        if remote is not None:
            chosen = index, remote
            break
    if chosen is None:
        return None
    position, remote = chosen
    direction = remote.direction.mirrored() if remote.address else Direction.SENDRECV
    media = tuple(
        _audio(local.port, [(remote.codec, remote.payload_type)], direction)
        if index == position
        else replace(medium, port=0, port_count=1, connection=None, attributes=(), other=())
        for index, medium in enumerate(offered.media)
    )
    answer = replace(_describe(local, media), times=offered.times)
    return Agreement(answer, remote)


def accept(answer: SessionDescription, codecs: tuple[Codec, ...] = (PCMA,)) -> RemoteMedia | None:
    """Read the answer to our `offer`.

    Args:
        answer: The peer's answer; its first line answers ours.
        codecs: What we offered.

    Returns:
        The peer's side, or None if it refused or answered with something we did not offer: end the call.
    """
    return _usable(answer, answer.media[0], codecs) if answer.media else None


def _usable(
    session: SessionDescription, medium: MediaDescription, codecs: tuple[Codec, ...]
) -> RemoteMedia | None:
    if medium.kind != "audio" or medium.port == 0 or medium.protocol.upper() != "RTP/AVP":
        return None
    numbers = _payload_types(medium)
    for codec in codecs:
        if codec in numbers:
            return RemoteMedia(
                address=_address(session, medium),
                port=medium.port,
                codec=codec,
                payload_type=numbers[codec],
                direction=_direction(session, medium),
                ptime_ms=_ptime(medium),
            )
    return None


def _payload_types(medium: MediaDescription) -> dict[Codec, int]:
    """Return the payload type of each G.711 law in the line, static or mapped (RFC 8866 §6.6)."""
    mapped: dict[str, str] = {}
    for attribute in medium.attributes:
        if attribute.name == "rtpmap" and attribute.value:
            number, _, encoding = attribute.value.partition(" ")
            mapped[number.strip()] = encoding.strip().upper()
    found: dict[Codec, int] = {}
    for text in medium.formats:
        if not (text.isascii() and text.isdigit()) or len(text) > 3 or int(text) > 127:
            continue
        static = {"0": "PCMU/8000", "8": "PCMA/8000"}
        encoding = mapped.get(text, static.get(text, ""))
        for codec in (PCMA, PCMU):
            if encoding in (f"{codec.name}/8000", f"{codec.name}/8000/1"):
                found.setdefault(codec, int(text))
    return found


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


def _audio(port: int, formats: list[tuple[Codec, int]], direction: Direction) -> MediaDescription:
    attributes = [Attribute("rtpmap", f"{number} {codec.name}/8000") for codec, number in formats]
    attributes += [
        Attribute("ptime", str(PTIME_MS)),
        Attribute("silenceSupp", "off - - - -"),
        Attribute(direction.value),
    ]
    numbers = tuple(str(number) for _, number in formats)
    return MediaDescription("audio", port, "RTP/AVP", numbers, attributes=tuple(attributes))


def _describe(local: LocalMedia, media: tuple[MediaDescription, ...]) -> SessionDescription:
    family = "IP6" if ipaddress.ip_address(local.address).version == 6 else "IP4"
    origin = Origin("-", str(local.session_id), local.version, "IN", family, local.address)
    return SessionDescription(origin, connection=f"IN {family} {local.address}", media=media)
