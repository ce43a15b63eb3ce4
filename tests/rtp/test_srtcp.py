"""Secure RTCP against a packet of libsrtp, losses and forgeries."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import RemoteProtocolError
from ansam.rtp.srtcp import SrtcpReceiver, SrtcpSender
from ansam.rtp.srtp import WINDOW, NotAuthenticRtp

SUITE = "AES_CM_128_HMAC_SHA1_80"
KEY = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6")
PLAIN = bytes.fromhex("81c8000bcafebabe") + b"\xab" * 16
LIBSRTP = bytes.fromhex("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798")
"""The known answer that libsrtp's test driver checks itself against; its first index is 1."""


def packet(k: int, ssrc: int = 7) -> bytes:
    return struct.pack("!BBHIII", 0x80, 201, 3, ssrc, k, k)


@pytest.mark.parametrize("suite", [SUITE, "AES_CM_128_HMAC_SHA1_32"])
def test_known_answer(suite: str) -> None:
    sender, receiver = SrtcpSender(suite, KEY), SrtcpReceiver(suite, KEY)
    sender.protect(PLAIN)
    assert sender.protect(PLAIN) == LIBSRTP
    assert receiver.unprotect(LIBSRTP) == PLAIN


def test_out_of_order_once_each_and_no_older_than_the_window() -> None:
    sender, receiver = SrtcpSender(SUITE, KEY), SrtcpReceiver(SUITE, KEY)
    made = [sender.protect(packet(k)) for k in range(WINDOW + 10)]
    for k in (3, 1, 2, 9, 4):
        assert receiver.unprotect(made[k]) == packet(k)
        with pytest.raises(NotAuthenticRtp):
            receiver.unprotect(made[k])
    assert receiver.unprotect(made[-1]) == packet(WINDOW + 9)
    with pytest.raises(NotAuthenticRtp):
        receiver.unprotect(made[5])


def test_sources_have_windows_of_their_own_and_few_are_kept() -> None:
    sender, receiver = SrtcpSender(SUITE, KEY), SrtcpReceiver(SUITE, KEY)
    for ssrc in range(100):
        assert receiver.unprotect(sender.protect(packet(0, ssrc))) == packet(0, ssrc)
    assert len(receiver._windows) == 8


def test_unencrypted_but_signed_is_read() -> None:
    sender = SrtcpSender(SUITE, KEY)
    signed = packet(5) + struct.pack("!I", 3)
    made = signed + sender._transform.digest(signed)[:10]
    assert SrtcpReceiver(SUITE, KEY).unprotect(made) == packet(5)


@given(st.binary(max_size=80), st.integers(0, 37), st.integers(1, 255))
def test_forgeries(junk: bytes, at: int, flip: int) -> None:
    receiver = SrtcpReceiver(SUITE, KEY)
    bent = bytearray(LIBSRTP)
    bent[at] ^= flip
    for data in (junk, bytes(bent)):
        with pytest.raises(RemoteProtocolError):
            receiver.unprotect(data)
    assert receiver.unprotect(LIBSRTP) == PLAIN
