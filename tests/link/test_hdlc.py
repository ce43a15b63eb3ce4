import binascii
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.coding.crc import crc16, crc32
from ansam.link.hdlc import FLAG, Receiver, Transmitter


def line(frames, *, fcs32=False, extra=40):
    queue = list(frames)
    transmitter = Transmitter(lambda: queue.pop(0) if queue else None)
    transmitter.fcs32 = fcs32
    bits = [FLAG]
    while queue:
        bits.append(transmitter.pull(17))
    bits.append(transmitter.pull(extra + 12000))
    return np.concatenate(bits)


def test_check_sequences_against_known_values():
    assert crc16(b"123456789") == 0x906E  # CRC-16/X-25, Greg Cook's catalogue of CRC algorithms
    assert crc32(b"123456789") == zlib.crc32(b"123456789") == binascii.crc32(b"123456789")


@given(st.lists(st.binary(min_size=2, max_size=60), max_size=6), st.booleans(), st.integers(1, 50))
def test_frames_cross_however_cut(frames, fcs32, cut):
    receiver = Receiver()
    receiver.fcs16, receiver.fcs32 = not fcs32, fcs32
    bits = line(frames, fcs32=fcs32)
    got = []
    for start in range(0, len(bits), cut):
        got += receiver.receive(bits[start : start + cut])
    assert got == frames
    assert receiver.bad_frames == 0


def test_no_six_ones_but_flags():
    bits = line([b"\xff" * 40])
    text = "".join(map(str, bits.tolist()))
    inside = text[8 : text.rindex("1111110", 0, 8 + 44 * 8 + 80)]
    assert "111111" not in inside[: 40 * 8]


def test_both_check_sequences_at_once():
    receiver = Receiver()
    receiver.fcs32 = True
    assert list(receiver.receive(line([b"one"]))) == [b"one"]
    assert list(receiver.receive(line([b"two"], fcs32=True))) == [b"two"]


@given(st.binary(min_size=4, max_size=40), st.data())
def test_one_wrong_bit_is_noticed(frame, data):
    bits = line([frame], extra=0)
    end = 8 + (len(frame) + 2) * 8
    position = data.draw(st.integers(8, end - 1))
    bits[position] ^= 1
    assert frame not in list(Receiver().receive(bits))


@given(st.lists(st.integers(0, 1), max_size=3000))
def test_noise_yields_no_frame_and_keeps_no_memory(bits):
    receiver = Receiver(max_octets=64)
    list(receiver.receive(np.array(bits, np.uint8)))
    assert receiver._state[3] <= 64
    # After noise and an abort, the next frame is found.
    tail = np.concatenate((np.ones(16, np.uint8), line([b"after"])))
    assert list(receiver.receive(tail)) == [b"after"]


def test_shared_flags_and_abort():
    receiver = Receiver()
    bits = line([b"first", b"second"])
    assert list(receiver.receive(bits)) == [b"first", b"second"]
    start = np.concatenate((FLAG, np.array([0, 1, 0, 1] * 6, np.uint8), np.ones(9, np.uint8)))
    receiver = Receiver()
    assert list(receiver.receive(start)) == []
    assert receiver.bad_frames == 1


@pytest.mark.parametrize("length", [63, 200])
def test_too_long_a_frame_is_dropped(length):
    receiver = Receiver(max_octets=64)
    assert list(receiver.receive(line([bytes(length), b"ok"]))) == [b"ok"]


def test_flags_are_counted():
    receiver = Receiver()
    list(receiver.receive(np.tile(FLAG, 20)))
    assert receiver.flags == 20
    list(receiver.receive(np.ones(20, np.uint8)))
    assert receiver.flags == 0
