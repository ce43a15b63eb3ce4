"""Packet captures become recordings: who sent what stands in its channel, at its time."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.captures import ENDS, ethernet, packets_of, pcap, pcapng, two_tones

from ansam.errors import ConfigError
from ansam.listen import Sound, read
from ansam.listen.capture_sound import read_capture
from ansam.units import Audio


def hertz(audio: Audio) -> int:
    return round(float(np.argmax(np.abs(np.fft.rfft(audio[:8000])))))


@pytest.mark.parametrize("form", ["pcap", "big", "pcapng"])
def test_a_call_becomes_two_channels_at_their_times(form: str, tmp_path: Path) -> None:
    one, other = two_tones()
    packets = packets_of(one, 0) + packets_of(other, 1, start=0.5, lost=(10,))
    packets.append((0.1, ethernet(b"SIP/2.0 200 OK\r\n\r\n", *ENDS)))
    data = pcapng(packets) if form == "pcapng" else pcap(packets, ">" if form == "big" else "<")
    path = tmp_path / "call.pcap"
    path.write_bytes(data)
    sound = read(path)
    assert isinstance(sound, Sound)
    assert [len(channel) for channel in sound.channels] == [20000, 20000]
    assert hertz(sound.channels[0]) == 1000
    assert not sound.channels[1][:4000].any()
    assert hertz(sound.channels[1][6000:14000]) == 1500
    assert not sound.channels[1][4000 + 1600 : 4000 + 1760].any()


def test_one_end_alone_says_so() -> None:
    channels, remarks = read_capture(pcap(packets_of(two_tones()[0], 0)), "x")
    assert len(channels) == 2
    assert remarks == ("only one end's packets are in the capture",)


def test_a_capture_without_a_call_is_refused() -> None:
    with pytest.raises(ConfigError, match="holds no call"):
        read_capture(pcap([(0.0, ethernet(b"hello", *ENDS))] * 100), "x")


ONE, OTHER = two_tones(1.2)
CAPTURES = [make(packets_of(ONE, 0) + packets_of(OTHER, 1)) for make in (pcap, pcapng)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CAPTURES), st.integers(0, 40_000), st.binary(max_size=8), st.integers(0, 400))
def test_broken_captures_end_in_a_clear_word(whole: bytes, cut: int, noise: bytes, at: int) -> None:
    data = whole[:at] + noise + whole[at + len(noise) : max(cut, 4)]
    refused = contextlib.suppress(ConfigError)
    with refused:
        channels, _ = read_capture(data, "x")
        assert len(channels) == 2
