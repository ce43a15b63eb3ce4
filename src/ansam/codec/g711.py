"""G.711: A-law and µ-law, exact and by table.

A modem's data lives in the rounding of single samples, so the tables are the Recommendation's own and not an
approximation of its logarithm. They are built from the closed form that reproduces all 128 rows of V.90
(09/98) Table 1, where s is the step (4 bits) and c the chord (3 bits) of a codeword without sign:

```
 A-law    8 · (2s + 1)               c = 0      octet = (0x80 | U) xor 0x55
          8 · (2s + 33) · 2^(c-1)    c > 0
 µ-law    4 · ((2s + 33) · 2^c - 33)            octet = 0xFF - U        U = 16c + s, positive values
```

in units of a 16-bit sample; 32768 of these are the float scale's 1.0 (`ansam.units`).

Encoding asks between which decision values a sample lies (G.711 (11/88) Tables 1a and 2a). A codeword's
interval begins half a step below its output, the step being 16 · 2^(c-1) or 8 · 2^c; at the end of a chord
that is not half way to the neighbour, whose step is smaller. All decision values of A-law are even numbers of
13-bit PCM, and all of µ-law but zero odd numbers of 14-bit PCM: hence the whole part of the sample in that
unit decides, and one look-up of 8192 or 16384 entries is exact for *every* real amplitude. For samples that
hit a decision value G.711 §3.6 leaves the choice open; here they go up (towards +∞).

µ-law has two zeros. The decoder gives 0.0 for both 0xFF and 0x7F; the encoder sends 0xFF for 0.0 and 0x7F
for small negative amplitudes. So decoding and encoding again is the identity on all 256 A-law octets and on
all of µ-law but 0x7F, which comes back as 0xFF.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ansam.errors import LocalProtocolError
from ansam.units import Audio, Codewords

_Int = NDArray[np.int64]

_FULL_SCALE = 32768
"""16-bit value of amplitude 1.0."""


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    """The tables of one law.

    Attributes:
        scale: Whole-number steps per amplitude 1.0 at which decision values lie on whole numbers.
        encode: Octet of each step from 0 to scale - 1, then from -scale to -1; shape (2 · scale,).
        decode: Amplitude of each octet; shape (256,) float32.
        linear: The same as 16-bit PCM; shape (256,) int16.
    """

    scale: int
    encode: Codewords
    decode: Audio
    linear: NDArray[np.int16]


def _tables(positive: Codewords, magnitudes: _Int, lowest: _Int, scale: int) -> _Tables:
    """Build the tables of a law.

    Args:
        positive: Octet of each positive codeword, from the quietest; shape (128,). Bit 0x80 is the sign.
        magnitudes: 16-bit output value of each; shape (128,).
        lowest: 16-bit decision value at which each begins; shape (128,).
        scale: Steps per amplitude 1.0.
    """
    linear = np.zeros(256, np.int16)
    linear[positive] = magnitudes
    linear[positive ^ 0x80] = -magnitudes
    codeword = np.searchsorted(lowest * scale // _FULL_SCALE, np.arange(scale), side="right") - 1
    up = positive[codeword]
    # Step -1 is the interval [-1, 0) and mirrors step 0, so the negative half is the positive one reversed.
    # It stands behind that one, where a negative index finds it.
    encode = np.concatenate([up, (up ^ 0x80)[::-1]])
    return _Tables(scale, encode, (linear / _FULL_SCALE).astype(np.float32), linear)


def _alaw() -> _Tables:
    u = np.arange(128)
    chord, step = np.maximum(u >> 4, 1), np.where(u < 16, u & 15, 16 + (u & 15))
    magnitudes = 8 * (2 * step + 1) << (chord - 1)
    return _tables(((u | 0x80) ^ 0x55).astype(np.uint8), magnitudes, 16 * step << (chord - 1), 4096)


def _ulaw() -> _Tables:
    u = np.arange(128)
    chord, step = u >> 4, u & 15
    magnitudes = 4 * (((2 * step + 33) << chord) - 33)
    lowest = np.maximum(4 * (((2 * step + 32) << chord) - 33), 0)
    return _tables((0xFF - u).astype(np.uint8), magnitudes, lowest, 8192)


_ALAW = _alaw()
_ULAW = _ulaw()


def _encode(audio: Audio, tables: _Tables) -> Codewords:
    step = np.asarray(audio, np.float32) * np.float32(tables.scale)
    np.floor(step, out=step)
    # Twice as fast as np.clip, and every octet of every call comes by here.
    np.maximum(step, -tables.scale, out=step)
    np.minimum(step, tables.scale - 1, out=step)
    octets: Codewords = tables.encode[step.astype(np.int32)]
    return octets


def encode_alaw(audio: Audio) -> Codewords:
    """Return the A-law octets (even bits inverted, as sent) of audio; amplitudes beyond ±1.0 are clipped.

    Args:
        audio: Shape (n,), finite.

    Spec: G.711 (11/88) Table 1a.
    """
    return _encode(audio, _ALAW)


def decode_alaw(codewords: Codewords) -> Audio:
    """Return the audio of A-law octets; the largest amplitude is 4032/4096.

    Spec: G.711 (11/88) Table 1a.
    """
    audio: Audio = _ALAW.decode[codewords]
    return audio


def encode_ulaw(audio: Audio) -> Codewords:
    """Return the µ-law octets of audio; amplitudes beyond ±1.0 are clipped.

    Args:
        audio: Shape (n,), finite.

    Spec: G.711 (11/88) Table 2a, without the suppression of the all-zero octet (§3.2).
    """
    return _encode(audio, _ULAW)


def decode_ulaw(codewords: Codewords) -> Audio:
    """Return the audio of µ-law octets; the largest amplitude is 8031/8192, and 0x7F is 0.0 as 0xFF is.

    Spec: G.711 (11/88) Table 2a.
    """
    audio: Audio = _ULAW.decode[codewords]
    return audio


class Law(Enum):
    """How audio becomes octets, or that it does not."""

    ALAW = "alaw"
    ULAW = "ulaw"
    LINEAR = "linear"
    """No companding: for simulated circuits only; it has no octets."""

    @property
    def silence(self) -> int:
        """The octet of amplitude zero (A-law has none: the smallest positive value)."""
        return {Law.ALAW: 0xD5, Law.ULAW: 0xFF}[self._companding]

    @property
    def payload_type(self) -> int:
        """The static RTP payload type (RFC 3551 §6, Table 4)."""
        return {Law.ALAW: 8, Law.ULAW: 0}[self._companding]

    @property
    def sdp_name(self) -> str:
        """The encoding name in SDP (RFC 3551 §4.5.14)."""
        return {Law.ALAW: "PCMA", Law.ULAW: "PCMU"}[self._companding]

    @property
    def linear_pcm(self) -> NDArray[np.int16]:
        """The 16-bit PCM value of each octet, shape (256,); do not write to it."""
        return (_ALAW if self._companding is Law.ALAW else _ULAW).linear

    def encode(self, audio: Audio) -> Codewords:
        """Return the octets of audio.

        Raises:
            LocalProtocolError: The law is `LINEAR`.
        """
        return _encode(audio, _ALAW if self._companding is Law.ALAW else _ULAW)

    def decode(self, codewords: Codewords) -> Audio:
        """Return the audio of octets.

        Raises:
            LocalProtocolError: The law is `LINEAR`.
        """
        audio: Audio = (_ALAW if self._companding is Law.ALAW else _ULAW).decode[codewords]
        return audio

    def through(self, audio: Audio) -> Audio:
        """Return audio as it comes out of coding and decoding; `LINEAR` leaves it alone."""
        return audio if self is Law.LINEAR else self.decode(self.encode(audio))

    @property
    def _companding(self) -> "Law":
        if self is Law.LINEAR:
            raise LocalProtocolError("the linear law has no octets")
        return self
