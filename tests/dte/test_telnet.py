"""Telnet: octets exactly as RFC 854, 855, 856 and 1143 have them, and two ends that agree."""

import random

import pytest

from ansam.dte.telnet import (
    AYT,
    BINARY,
    BRK,
    COM_PORT,
    DO,
    DONT,
    ECHO,
    IAC,
    SB,
    SE,
    SUBNEGOTIATION_LIMIT,
    SUPPRESS_GO_AHEAD,
    WILL,
    WONT,
    CommandReceived,
    OptionChanged,
    Subnegotiation,
    Telnet,
)


def binary_pair() -> tuple[Telnet, Telnet]:
    """Two ends that have agreed on binary both ways."""
    one, two = (Telnet((BINARY,), (BINARY,)) for _ in range(2))
    for ours in (True, False):
        one.request(BINARY, ours=ours)
    for _ in range(3):
        two.receive(one.take_replies())
        one.receive(two.take_replies())
    return one, two


def cut(data: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.randrange(len(data) + 1) for _ in range(len(data) // 2))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def test_binary_is_agreed_on_once_and_both_ways() -> None:
    one, two = binary_pair()
    for end in (one, two):
        assert end.performs(BINARY, ours=True)
        assert end.performs(BINARY, ours=False)
        assert end.take_replies() == b""
    assert one.take_events() == [OptionChanged(BINARY, True, True), OptionChanged(BINARY, False, True)]


def test_exact_octets_of_a_request_and_its_refusal() -> None:
    one = Telnet()
    one.request(BINARY, ours=True)
    one.request(BINARY, ours=True)
    assert one.take_replies() == bytes((IAC, WILL, BINARY))
    assert one.receive(bytes((IAC, DONT, BINARY))) == b""
    assert not one.performs(BINARY, ours=True)
    assert one.take_replies() == b""


@pytest.mark.parametrize(("asked", "reply"), [(DO, WONT), (WILL, DONT)])
def test_what_we_do_not_know_is_refused_every_time_and_never_twice_for_one_request(
    asked: int, reply: int
) -> None:
    one = Telnet()
    one.receive(bytes((IAC, asked, 31)))
    assert one.take_replies() == bytes((IAC, reply, 31))
    one.receive(bytes((IAC, WONT if asked == WILL else DONT, 31)))
    assert one.take_replies() == b""


def test_an_option_ends_when_the_far_end_says_so() -> None:
    one = Telnet((BINARY,), (ECHO, SUPPRESS_GO_AHEAD))
    one.receive(bytes((IAC, WILL, ECHO)))
    assert one.take_replies() == bytes((IAC, DO, ECHO))
    one.receive(bytes((IAC, WILL, ECHO)))
    assert one.take_replies() == b""
    one.receive(bytes((IAC, WONT, ECHO)))
    assert one.take_replies() == bytes((IAC, DONT, ECHO))
    assert one.take_events() == [OptionChanged(ECHO, False, True), OptionChanged(ECHO, False, False)]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_every_octet_arrives_however_it_was_cut(seed: int, binary: bool) -> None:
    rng = random.Random(seed)
    one, two = binary_pair() if binary else (Telnet(), Telnet())
    data = bytes(rng.choice(b"\r\n\0\xffa\xf0\xfd") for _ in range(2000)) + rng.randbytes(500)
    crossing = b"".join(one.encode(piece) for piece in cut(data, rng))
    assert b"".join(two.receive(piece) for piece in cut(crossing, rng)) == data
    assert two.take_replies() == b""


def test_cr_is_cr_nul_on_a_terminal_and_bare_in_binary() -> None:
    assert Telnet().encode(b"a\r\n\xff") == b"a\r\0\n\xff\xff"
    assert binary_pair()[0].encode(b"a\r\n\xff") == b"a\r\n\xff\xff"
    assert Telnet().receive(b"a\r\nb\r\0c\rd") == b"a\r\nb\rc\rd"
    assert binary_pair()[1].receive(b"a\r\0b") == b"a\r\0b"


def test_commands_in_the_middle_of_text() -> None:
    one = Telnet()
    assert one.receive(bytes((65, IAC, BRK, 66, IAC, 241, 67, IAC, AYT))) == b"ABC"
    assert one.take_events() == [CommandReceived(BRK), CommandReceived(AYT)]


def test_subnegotiations_both_ways() -> None:
    one, two = Telnet(), Telnet()
    one.subnegotiate(COM_PORT, b"\x01\x00\xff\x00")
    octets = one.take_replies()
    assert octets == bytes((IAC, SB, COM_PORT, 1, 0, IAC, IAC, 0, IAC, SE))
    assert b"".join(two.receive(bytes((octet,))) for octet in octets) == b""
    assert two.take_events() == [Subnegotiation(COM_PORT, b"\x01\x00\xff\x00")]


def test_subnegotiation_too_long_or_without_its_end() -> None:
    one = Telnet()
    long = bytes((IAC, SB, COM_PORT)) + bytes(SUBNEGOTIATION_LIMIT + 9) + bytes((IAC, SE))
    assert one.receive(long + b"x") == b"x"
    assert one.receive(bytes((IAC, SB, COM_PORT, 1, IAC, WILL, ECHO, 65))) == b"A"
    assert one.take_replies() == bytes((IAC, DONT, ECHO))
    assert one.take_events() == []


def test_any_octets_leave_it_alive() -> None:
    rng = random.Random(7)
    one = Telnet((BINARY,), (BINARY, ECHO))
    for _ in range(300):
        one.receive(bytes(rng.choice((IAC, SB, SE, WILL, DO, 0, 13, 44, 65)) for _ in range(50)))
        assert len(one.take_replies()) <= 150
    assert len(one.take_events()) <= 64
