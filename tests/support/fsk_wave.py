"""Start-stop characters as a real UART sends them: edges at any instant, not on the modem's bit grid."""

from collections.abc import Callable, Sequence

import numpy as np

from ansam.dsp.fsk import FskChannel
from ansam.units import SAMPLE_RATE, Audio, Bits

OVERSAMPLED = 16


def wave(channel: FskChannel, runs: Sequence[tuple[int, float]], rms: float = 0.1) -> Audio:
    """Return the phase-continuous signal of (bit, samples) runs; the lengths need not be whole."""
    ends = np.cumsum([length for _, length in runs])
    steps = np.round(ends * OVERSAMPLED).astype(int)
    frequency = np.repeat(
        [channel.mark_hz if bit else channel.space_hz for bit, _ in runs], np.diff(steps, prepend=0)
    )
    phase = 2 * np.pi * np.cumsum(frequency) / (SAMPLE_RATE * OVERSAMPLED)
    return (rms * np.sqrt(2) * np.sin(phase[::OVERSAMPLED])).astype(np.float32)


def characters(
    data: bytes, bit: float, gap: Callable[[], float], lead: float = 40, tail: float = 20
) -> list[tuple[int, float]]:
    """Return 8N1 characters as runs; `gap()` bits of mark follow each stop element."""
    runs: list[tuple[int, float]] = [(1, lead * bit)]
    for octet in data:
        runs.append((0, bit))
        runs += [((octet >> k) & 1, bit) for k in range(8)]
        runs.append((1, (1 + gap()) * bit))
    return [*runs, (1, tail * bit)]


def read_8n1(bits: Bits) -> bytes:
    """Return the characters in a bit stream; one without stop element is skipped."""
    out = bytearray()
    at = 0
    while at <= len(bits) - 10:
        if bits[at]:
            at += 1
            continue
        octet = int(np.packbits(bits[at + 1 : at + 9], bitorder="little")[0])
        if bits[at + 9]:
            out.append(octet)
            at += 10
        else:
            at += 1
    return bytes(out)
