"""A recorded call of two V.32bis modems at 14 400 bit/s: our receiver listens to each channel.

`banksia-mymodem144-V32bis-14400-14400.wav` of ../shared/recordings: the caller on channel 0, the answering
modem on channel 1, 8000 Hz, without each other's echo to speak of.
"""

import wave
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ansam.link import hdlc
from ansam.modulation.base import Role
from ansam.modulation.v32bis.constants import S_BAR_SYMBOLS, Coding
from ansam.modulation.v32bis.hearing import Pattern
from ansam.modulation.v32bis.rate_signal import RateSignal
from ansam.modulation.v32bis.receiver import Receiver
from ansam.modulation.v32bis.training import MATURE
from ansam.units import SAMPLE_RATE, Bits

FILE = Path(__file__).parents[3] / "shared/recordings/banksia-mymodem144-V32bis-14400-14400.wav"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"no {FILE}")
GRID = 40
CALLER, ANSWERER = 0, 1
DATA_AT = 24 * SAMPLE_RATE
"""Instant in the middle of the data."""


@dataclass
class Heard:
    """What one channel held."""

    words: list[int] = field(default_factory=list)
    snr_db: list[float] = field(default_factory=list)
    offset_hz: float = 0.0
    timing_ppm: float = 0.0
    data_snr_db: float = 0.0
    bits: Bits = field(default_factory=lambda: np.zeros(0, np.uint8))
    frames: list[bytes] = field(default_factory=list)


@cache
def channel(number: int) -> Heard:
    """Train on each S and TRN, read the rate signal, and decode data after the E that follows the choice."""
    with wave.open(str(FILE)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    x = np.ascontiguousarray(data[:, number], np.float32) / 32768
    receiver = Receiver(Role.ANSWERING if number == CALLER else Role.CALLING)
    heard, bits, trn = Heard(), [], None
    for t in range(0, x.size - GRID, GRID):
        bits.append(receiver.process(x[t : t + GRID], False))
        hearing = receiver.hearing
        if hearing.reversals and hearing.runs[Pattern.S].windows >= 6 and not receiver.in_data:
            trn = hearing.reversals[-1] + S_BAR_SYMBOLS * 10 / 3
            receiver.idle()
        hearing.reversals.clear()
        if trn is not None and t > trn + MATURE:
            assert receiver.train(trn - 40, trn + 40)
            heard.snr_db.append(receiver.snr_db or 0.0)
            trn = None
        if t == DATA_AT:
            heard.offset_hz, heard.timing_ppm = receiver.carrier_offset_hz, receiver.timing_offset_ppm
            heard.data_snr_db = receiver.snr_db or 0.0
        word = receiver.rate_word
        if word is not None and word not in heard.words:
            heard.words.append(word)
            if number == CALLER or len(RateSignal.parse(word).rates) == 1:
                receiver.await_end(Coding.TRELLIS_14400, 0)
    heard.bits = np.concatenate(bits)
    heard.frames = list(hdlc.Receiver().receive(heard.bits))
    return heard


def test_rate_signals():
    assert [f"{word:016b}" for word in channel(ANSWERER).words] == ["0000111111111001", "0000100110011001"]
    assert [f"{word:016b}" for word in channel(CALLER).words] == ["0000111111111001"]


@pytest.mark.parametrize("number", [CALLER, ANSWERER])
def test_training(number: int):
    heard = channel(number)
    assert min(heard.snr_db) > 29
    assert abs(heard.offset_hz) < 0.3
    assert abs(heard.timing_ppm) < 80
    assert heard.data_snr_db > 28


def test_b1_is_all_ones():
    """128 symbols of it; the answerer's from the very first bit on, the caller's scrambler begins afresh."""
    assert channel(CALLER).bits[30 : 128 * 6].all()
    assert channel(ANSWERER).bits[: 128 * 6].all()


def test_the_caller_s_frames():
    """XID twice, SABME, and RR: every one with a good FCS."""
    frames = channel(CALLER).frames
    assert [frame[1] for frame in frames[:3]] == [0xAF, 0xAF, 0x7F]
    assert len(frames) == 11
    assert {frame[:2] for frame in frames[3:]} == {b"\x01\x01"}


def test_the_answerer_s_frames():
    """XID, UA and RR: ten, which is all there is between flags until the carrier ends."""
    frames = channel(ANSWERER).frames
    assert [frame[1] for frame in frames[:2]] == [0xAF, 0x73]
    assert len(frames) == 10
    assert {frame[:2] for frame in frames[2:]} == {b"\x01\x01"}
    # Pieces of four octets and more between flags, up to the last RR.
    line = "".join(map(str, channel(ANSWERER).bits))
    rr = line.rindex("10000000100000001000001000101001")
    pieces = [piece for piece in line[line.index("01111110") : rr + 32].split("01111110") if len(piece) >= 32]
    assert len(pieces) == 10
