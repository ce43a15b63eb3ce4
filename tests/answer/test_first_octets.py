import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansam.answer.first_octets import LCP_STARTS, LcpEar

REQUEST = bytes.fromhex("7eff7d23c0217d217d217d207d347d22")


def hear(data: bytes) -> tuple[bytes, bytes | None]:
    """What is left for the name reader, and what the peer was known by."""
    ear, free = LcpEar(), b""
    for octet in data:
        more, peer = ear.feed(octet)
        free += more
        if peer is not None:
            return free, peer.octets
    return free, None


def test_a_peer_as_pppd_begins() -> None:
    assert hear(REQUEST) == (b"", bytes.fromhex("7eff7d23c021"))


@pytest.mark.parametrize("start", sorted(LCP_STARTS))
@pytest.mark.parametrize("before", [b"", b"\x7e", b"\x7e\xff", b"gu", b"\x7e\x7e"])
def test_every_form_after_anything(start: bytes, before: bytes) -> None:
    assert hear(before + start) == (before, start)


def test_a_person_who_types_tildes() -> None:
    assert hear(b"~ali~\r") == (b"~ali~\r", None)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0x7E, 0xFF, 0x7D, 0xDF, 0x03, 0x23, 0xC0, 0x21, 0x41]), max_size=40))
def test_nothing_is_lost_and_nothing_is_missed(octets: list[int]) -> None:
    data = bytes(octets)
    free, peer = hear(data)
    if peer is None:
        assert data.startswith(free)
        assert not any(start in data for start in LCP_STARTS)
    else:
        assert data.startswith(free + peer)
