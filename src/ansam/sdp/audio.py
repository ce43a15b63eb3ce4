"""One line of audio in a description: what the peer's means, and ours in writing."""

import ipaddress
from dataclasses import dataclass

from ansam.sdp.crypto import Crypto, cryptos
from ansam.sdp.description import Attribute, MediaDescription, Origin, SessionDescription
from ansam.sdp.media import PTIME_MS, Codec, Direction, Features, LocalMedia, RemoteMedia, Secure


def usable(
    session: SessionDescription, medium: MediaDescription, codecs: tuple[Codec, ...], features: Features
) -> RemoteMedia | None:
    """Return what one m= line means to us, None if it cannot carry a modem.

    Args:
        session: The description it stands in.
        medium: The line and its attributes.
        codecs: What we speak, in order of preference.
        features: What may be agreed on beside them.
    """
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
                vbd_type=vbd,
                red_type=red,
                redundancy=depth,
                crypto=crypto,
                control=_control(session, medium) if features.rtcp else None,
                mux=features.rtcp and medium.attribute("rtcp-mux") is not None,
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


def _address(session: SessionDescription, medium: MediaDescription) -> str:
    return _host((medium.connection if medium.connection is not None else session.connection) or "")


def _host(connection: str) -> str:
    parts = connection.split()
    if len(parts) != 3 or parts[0] != "IN":
        return ""
    address = parts[2].partition("/")[0]
    try:
        held = ipaddress.ip_address(address).is_unspecified
    except ValueError:
        # A name (RFC 4566 §5.7) would be looked up with each packet, while all calls wait.
        return ""
    return "" if held else address


def _control(session: SessionDescription, medium: MediaDescription) -> tuple[str, int]:
    """Return where the peer takes RTCP: ``a=rtcp:PORT [IN IP4 HOST]`` (RFC 3605), or the port above RTP's."""
    address = _address(session, medium)
    port, _, connection = (medium.attribute("rtcp") or "").strip().partition(" ")
    above = address, min(medium.port + 1, 65535)
    if len(port) <= 5 and port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        own = _host(connection) if connection else address
        # Only the media's own host: reports are not for aiming at third parties.
        return (address, int(port)) if own == address else above
    return above


@dataclass(frozen=True, slots=True)
class Formats:
    """The numbers one law has in a description."""

    codec: Codec
    payload_type: int
    vbd_type: int | None
    red_type: int | None
    redundancy: int

    @classmethod
    def of(cls, remote: RemoteMedia) -> "Formats":
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


def write_audio(
    port: int, formats: list[Formats], direction: Direction, lines: list[Crypto], *, mux: bool = False
) -> MediaDescription:
    """Return our m= line.

    Args:
        port: Where we receive.
        formats: The laws, the preferred one first.
        direction: Ours.
        lines: What it says of encryption; none: it is not encrypted.
        mux: RTCP shares the port.
    """
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
        *([Attribute("rtcp-mux")] if mux else []),
        Attribute(direction.value),
    ]
    protocol = "RTP/SAVP" if lines else "RTP/AVP"
    return MediaDescription("audio", port, protocol, numbers, attributes=tuple(attributes))


def describe(local: LocalMedia, media: tuple[MediaDescription, ...]) -> SessionDescription:
    """Return the whole description around our m= lines."""
    family = "IP6" if ipaddress.ip_address(local.address).version == 6 else "IP4"
    origin = Origin("-", str(local.session_id), local.version, "IN", family, local.address)
    return SessionDescription(origin, connection=f"IN {family} {local.address}", media=media)
