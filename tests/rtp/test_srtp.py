"""Secure RTP against the vectors of RFC 3711 and packets of libsrtp."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.rtp.packet import RtpPacket, build
from ansam.rtp.srtp import WINDOW, NotAuthenticRtp, SrtpReceiver, SrtpSender, derive

LONG, SHORT = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
KEY = bytes(range(30))

LIBSRTP = [
    "8008fffe009ffec0decafbad29f071c67816cffb13c41ed0a1259082271a21094e843e4c403aafc8e271",
    "8008ffff009fff60decafbadb4956789c3034f6142dc896d70e36befa2b5d4da338a04bc30e63ab8b1ae",
    "8008000000000000decafbad20d6b6b4b94c0b9b6220611183b43b6e71af403a1d5a6978b4c7ea634c0a",
]
"""Made by libsrtp (pylibsrtp 1.0.0, `Session.protect`) with `KEY`; the sequence number rolls over."""


def plain(sequence: int) -> bytes:
    head = struct.pack("!BBHII", 0x80, 8, sequence, sequence * 160 & 0xFFFFFFFF, 0xDECAFBAD)
    return head + bytes(range(20))


def rtp(k: int, ssrc: int = 7) -> bytes:
    return build(RtpPacket(8, k & 0xFFFF, k * 160 & 0xFFFFFFFF, ssrc, bytes([k & 0xFF]) * 160))


def test_key_derivation_of_rfc_3711_b_3() -> None:
    key = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
    salt = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
    assert derive(key, salt, 0, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derive(key, salt, 2, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    assert derive(key, salt, 1, 20).hex().upper() == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"


def test_packets_of_libsrtp() -> None:
    for suite, tag in ((LONG, 10), (SHORT, 4)):
        sender, receiver = SrtpSender(suite, KEY), SrtpReceiver(suite, KEY)
        for sequence, text in zip((65534, 65535, 0), LIBSRTP, strict=True):
            theirs = bytes.fromhex(text)[: 32 + tag]
            assert sender.protect(plain(sequence)) == theirs
            assert receiver.unprotect(theirs) == plain(sequence)


def test_csrc_and_extension_stay_readable() -> None:
    packet = build(RtpPacket(8, 1, 2, 3, b"secret", csrc=(5, 6), extension=(7, b"abcd")))
    made = SrtpSender(LONG, KEY).protect(packet)
    assert made[: len(packet) - 6] == packet[:-6]
    assert SrtpReceiver(LONG, KEY).unprotect(made) == packet


@pytest.mark.parametrize("seed", range(5))
def test_loss_and_reordering_over_roll_overs(seed: int) -> None:
    rng = random.Random(seed)
    sender, receiver = SrtpSender(SHORT, KEY), SrtpReceiver(SHORT, KEY)
    # Now and then a packet keeps the counters going: 67,000 lost between two roll-overs would be too many.
    first, between, last = range(65000, 66500), range(66500, 133_500, 5000), range(133_500, 135_000)
    packets = {k: sender.protect(rtp(k)) for k in (*first, *between, *last)}
    numbers = sorted(first, key=lambda k: k + rng.uniform(0, 20)) + list(between)
    numbers += sorted(last, key=lambda k: k + rng.uniform(0, 20))
    order = [(k, packets[k]) for k in numbers]
    for k, packet in order:
        if rng.random() > 0.1:
            assert receiver.unprotect(packet) == rtp(k)


def test_replays_and_forgeries() -> None:
    sender, receiver = SrtpSender(LONG, KEY), SrtpReceiver(LONG, KEY)
    packets = [sender.protect(rtp(k)) for k in range(WINDOW + 50)]
    for packet in packets[10:]:
        receiver.unprotect(packet)
    for replayed in (packets[-1], packets[60], packets[5]):
        with pytest.raises(NotAuthenticRtp, match="before"):
            receiver.unprotect(replayed)
    fresh = sender.protect(rtp(WINDOW + 50))
    for at in (0, 3, 9, 40, len(fresh) - 1):
        bent = bytearray(fresh)
        bent[at] ^= 1
        with pytest.raises(RemoteProtocolError):
            receiver.unprotect(bytes(bent))
    with pytest.raises(NotAuthenticRtp, match="tag"):
        SrtpReceiver(LONG, KEY[::-1]).unprotect(fresh)
    assert receiver.unprotect(fresh) == rtp(WINDOW + 50), "forgeries have left no trace"


def test_sources_are_told_apart_and_few_are_kept() -> None:
    receiver = SrtpReceiver(LONG, KEY)
    for ssrc in range(30):
        assert receiver.unprotect(SrtpSender(LONG, KEY).protect(rtp(5, ssrc))) == rtp(5, ssrc)
    assert len(receiver._sources) == 8


@given(st.binary(max_size=80))
def test_any_octets(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        SrtpReceiver(SHORT, KEY).unprotect(data)


def test_what_we_do_wrong_ourselves() -> None:
    with pytest.raises(LocalProtocolError):
        SrtpSender(LONG, bytes(29))
    with pytest.raises(LocalProtocolError):
        SrtpSender("AES_256", KEY)
