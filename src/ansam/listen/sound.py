"""Reads a WAV file, or the call in a packet capture, into channels at 8000 Hz.

PCM of 8, 16, 24 and 32 bits, floats, A-law and µ-law are read; any other sample rate is converted. A file
that breaks off is read as far as it goes, and says so.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ansam.codec import Law
from ansam.errors import ConfigError, ResourceError
from ansam.listen.bundle import Told, is_bundle, unpack
from ansam.listen.capture import is_capture
from ansam.listen.capture_sound import read_capture
from ansam.units import SAMPLE_RATE, Audio

MAX_SECONDS = 4 * 3600
"""Longest recording; beyond it memory would run short."""
RATES = (4000, 400_000)

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_HALF_WIDTH = 24
"""Half the interpolator's length, in samples of the lower rate."""
_BETA = 8.0
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording.

    Attributes:
        channels: One array per channel, all of one length, float32 at 8000 Hz, full scale ±1.
        rate: Sample rate of the file.
        remarks: What is wrong with the file, for people.
        told: What the modem itself told of the call, where the page saved it, in order.
    """

    channels: tuple[Audio, ...]
    rate: int
    remarks: tuple[str, ...] = field(default=())
    told: tuple[Told, ...] = field(default=())

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.channels[0]) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class _Format:
    code: int
    channels: int
    rate: int
    width: int
    """Octets per sample."""


def read(path: Path) -> Sound:
    """Read a WAV file, the call in a packet capture, or a bundle that the page has saved.

    Raises:
        ResourceError: It cannot be read.
        ConfigError: It is neither, or one of a kind that is not known.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ResourceError(f"{str(path)!r}: {error.strerror}", "name a WAV file or a capture") from error
    told: tuple[Told, ...] = ()
    remarks: list[str] = []
    if is_bundle(data):
        data, told, said = unpack(data, str(path))
        remarks += said
    if is_capture(data):
        channels, heard = read_capture(data, str(path))
        return Sound(channels, SAMPLE_RATE, heard)
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        remedy = "record as WAV, one channel per direction, or capture packets as pcap"
        raise ConfigError(f"{str(path)!r} is no WAV file and no capture", remedy)
    form: _Format | None = None
    body: bytes | None = None
    for name, chunk, cut in _chunks(data):
        if name == b"fmt ":
            form = _format(chunk, path)
        elif name == b"data" and body is None:
            body = chunk
            if cut:
                remarks.append("the file breaks off: what is there was read")
    if form is None or not body or len(body) < form.channels * form.width:
        raise ConfigError(f"{str(path)!r} holds no sound", "the file is empty or breaks off in its header")
    samples = _samples(body, form, path)
    if len(samples) > MAX_SECONDS * form.rate:
        raise ConfigError(f"{str(path)!r} is longer than {MAX_SECONDS // 3600} hours", "cut out the call")
    if form.channels > 2:
        remarks.append(f"{form.channels} channels: only the first two were heard")
    parts = [np.ascontiguousarray(samples[:, k]) for k in range(min(form.channels, 2))]
    return Sound(tuple(convert(part, form.rate) for part in parts), form.rate, tuple(remarks), told)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield (name, contents, breaks off)."""
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        # A recorder that never closed its file, or wrote to a pipe, leaves 0 or all ones there.
        if name == b"data" and (size == 0 or size >= 0xFFFFFF00):
            size = len(data) - at - 8
        yield name, data[at + 8 : at + 8 + size], at + 8 + size > len(data)
        at += 8 + size + (size & 1)


def _format(chunk: bytes, path: Path) -> _Format:
    if len(chunk) < 16:
        raise ConfigError(f"{str(path)!r} breaks off in its header", "record it again")
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if code == _EXTENSIBLE and len(chunk) >= 26:
        code = int.from_bytes(chunk[24:26], "little")
    if not channels or not RATES[0] <= rate <= RATES[1]:
        raise ConfigError(f"{str(path)!r}: {channels} channels at {rate} Hz", "a call needs 8000 Hz or more")
    return _Format(code, channels, rate, (bits + 7) // 8)


def _samples(body: bytes, form: _Format, path: Path) -> Audio:
    """Return shape (n, channels), full scale ±1."""
    whole = len(body) // (form.channels * form.width) * form.channels * form.width
    body = body[:whole]
    kind = (form.code, form.width)
    flat: NDArray[np.floating]
    if kind == (_PCM, 1):
        flat = (np.frombuffer(body, np.uint8).astype(np.float32) - 128) / 128
    elif kind == (_PCM, 2):
        flat = np.frombuffer(body, "<i2").astype(np.float32) / 32768
    elif kind == (_PCM, 3):
        octets = np.frombuffer(body, np.uint8).reshape(-1, 3).astype(np.int32)
        value = octets[:, 0] << 8 | octets[:, 1] << 16 | octets[:, 2] << 24
        flat = value.astype(np.float32) / np.float32(1 << 31)
    elif kind == (_PCM, 4):
        flat = np.frombuffer(body, "<i4").astype(np.float32) / np.float32(1 << 31)
    elif kind in ((_FLOAT, 4), (_FLOAT, 8)):
        # Full scale is 1; what lies far beyond is no sound, and would overflow in every square.
        flat = np.nan_to_num(np.frombuffer(body, f"<f{form.width}")).clip(-1000, 1000).astype(np.float32)
    elif kind in ((_ALAW, 1), (_ULAW, 1)):
        law = Law.ALAW if form.code == _ALAW else Law.ULAW
        flat = law.decode(np.frombuffer(body, np.uint8))
    else:
        raise ConfigError(
            f"{str(path)!r}: format {form.code} with {8 * form.width} bits", "convert it to 16-bit PCM"
        )
    return np.asarray(flat, np.float32).reshape(-1, form.channels)


def convert(audio: Audio, rate: int) -> Audio:
    """Return a sound at 8000 Hz; windowed sinc, pass band to 0.45 of the lower of both rates.

    Args:
        audio: Shape (n,).
        rate: Its sample rate.
    """
    if rate == SAMPLE_RATE:
        return np.ascontiguousarray(audio, np.float32)
    ratio = rate / SAMPLE_RATE
    stretch = max(ratio, 1.0)
    half = int(np.ceil(_HALF_WIDTH * stretch))
    count = int(len(audio) / ratio)
    padded = np.concatenate([np.zeros(half, np.float32), audio, np.zeros(half + 1, np.float32)])
    out = np.zeros(count, np.float32)
    k = np.arange(-half + 1, half + 1)
    for begin in range(0, count, _CHUNK):
        t = np.arange(begin, min(begin + _CHUNK, count)) * ratio
        whole = np.floor(t).astype(np.int64)
        u = (k[None, :] - (t - whole)[:, None]) / stretch
        window = np.i0(_BETA * np.sqrt(np.clip(1 - (u / _HALF_WIDTH) ** 2, 0, None))) / np.i0(_BETA)
        weight = 0.95 * np.sinc(0.95 * u) * window / stretch
        out[begin : begin + len(t)] = np.sum(padded[whole[:, None] + k[None, :] + half] * weight, axis=1)
    return out
