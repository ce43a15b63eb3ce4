"""From a packet capture to a recording: the two RTP streams of a call, one channel each.

A stream's samples stand where its timestamps say, what never came is silence; the two streams stand to each
other as their first packets arrived. Only G.711 of the static payload types 0 and 8 carries a modem.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ansam.codec import Law
from ansam.errors import ConfigError, RemoteProtocolError
from ansam.listen.capture import Datagram, datagrams
from ansam.rtp.packet import parse
from ansam.units import SAMPLE_RATE, Audio, Samples

LEAST_PACKETS = 50
"""Packets of a stream that is believed to be one: a second."""

MAX_SECONDS = 4 * 3600
MAX_STREAMS = 4096
JUMP: Samples = 60 * SAMPLE_RATE
"""A timestamp that moves by more is that of another stream."""

_LAWS = {0: Law.ULAW, 8: Law.ALAW}


@dataclass(slots=True)
class _Stream:
    """What one source sent to one place."""

    law: Law
    ssrc: int
    began: float
    source: tuple[bytes, int]
    target: tuple[bytes, int]
    first: int
    last: int = 0
    lowest: Samples = 0
    pieces: dict[Samples, bytes] = field(default_factory=dict)

    def add(self, timestamp: int, payload: bytes) -> None:
        """Take a packet; what is far from those before is left out."""
        ahead = (timestamp - self.first - self.last) & 0xFFFFFFFF
        place = self.last + (ahead - (1 << 32) if ahead >= 1 << 31 else ahead)
        if abs(place - self.last) <= JUMP:
            self.last = place
            self.pieces[place] = payload
            self.lowest = min(self.lowest, place)


def read_capture(data: bytes, name: str) -> tuple[tuple[Audio, ...], tuple[str, ...]]:
    """Return the channels of the call in a capture, float32 at 8000 Hz, all of one length, and remarks.

    Args:
        data: The file.
        name: Of the file, for messages.

    Raises:
        ConfigError: There is no call in it, or it is too long.
    """
    streams = _streams(datagrams(data, name))
    if not streams:
        raise ConfigError(
            f"{name!r} holds no call", "capture the RTP packets (G.711) of a whole call, unencrypted"
        )
    chosen, remarks = _pair(streams)
    start = min(one.began + one.lowest / SAMPLE_RATE for one in chosen)
    offsets = [round((one.began - start) * SAMPLE_RATE) for one in chosen]
    length = max(
        offset + place + len(piece)
        for one, offset in zip(chosen, offsets, strict=True)
        for place, piece in one.pieces.items()
    )
    if length > MAX_SECONDS * SAMPLE_RATE:
        raise ConfigError(f"{name!r} is longer than {MAX_SECONDS // 3600} hours", "cut out the call")
    channels = [_audio(one, offset, length) for one, offset in zip(chosen, offsets, strict=True)]
    if len(channels) == 1:
        channels.append(np.zeros(length, np.float32))
    return tuple(channels), tuple(remarks)


def _streams(found: Iterable[Datagram]) -> list[_Stream]:
    streams: dict[tuple[object, ...], _Stream] = {}
    for one in found:
        try:
            packet = parse(one.payload)
        except RemoteProtocolError:
            continue
        law = _LAWS.get(packet.payload_type)
        if law is None or not packet.payload:
            continue
        key = (one.source, one.target, packet.ssrc)
        stream = streams.get(key)
        if stream is None:
            if len(streams) >= MAX_STREAMS:
                continue
            first = packet.timestamp
            stream = streams[key] = _Stream(law, packet.ssrc, one.at, one.source, one.target, first)
        stream.add(packet.timestamp, packet.payload)
    return [stream for stream in streams.values() if len(stream.pieces) >= LEAST_PACKETS]


def _pair(streams: list[_Stream]) -> tuple[list[_Stream], list[str]]:
    """Return the longest stream and the longest that answers it; a relay's copies are left out."""
    ordered = sorted(streams, key=lambda one: -len(one.pieces))
    longest = ordered[0]
    others = [one for one in ordered[1:] if one.ssrc != longest.ssrc]
    back = [one for one in others if one.source == longest.target and one.target == longest.source]
    back = back or [one for one in others if one.source[0] == longest.target[0]] or others
    remarks = [] if back else ["only one end's packets are in the capture"]
    if len({one.ssrc for one in streams}) > 2:
        remarks.append(f"{len(streams)} streams: the longest and its answer were heard")
    return sorted([longest, *back[:1]], key=lambda one: one.began), remarks


def _audio(stream: _Stream, offset: Samples, length: Samples) -> Audio:
    out = np.zeros(length, np.float32)
    for place, piece in stream.pieces.items():
        sound = stream.law.decode(np.frombuffer(piece, np.uint8))
        out[offset + place : offset + place + len(sound)] = sound
    return out
