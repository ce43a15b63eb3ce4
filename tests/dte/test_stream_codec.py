"""Raw, telnet, and telnet found out; PETSCII."""

import random

import pytest

from ansam.dte.petscii import Petscii
from ansam.dte.stream_codec import AUTO_OCTETS, Protocol, StreamCodec
from ansam.dte.telnet import BINARY, DO, ECHO, IAC, SUPPRESS_GO_AHEAD, WILL


def octets(*values: int) -> bytes:
    return bytes(values)


def test_auto_stays_raw_for_whatever_is_no_request() -> None:
    codec = StreamCodec(Protocol.AUTO)
    data = b"\xff\xff\xff\x00\xff\xfd\xee" + bytes(range(256)) * 20
    out = b"".join(codec.receive(data[i : i + 7]) for i in range(0, len(data), 7)) + codec.finish()
    assert out == data
    assert not codec.telnet
    assert codec.send(b"\r\xff") == b"\r\xff"


@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_auto_turns_to_telnet_at_the_far_ends_request(step: int) -> None:
    codec = StreamCodec(Protocol.AUTO)
    data = (
        b"Hello \xff\xfd\x18" + octets(IAC, WILL, ECHO, IAC, WILL, BINARY, IAC, DO, BINARY) + b"there\xff\xff"
    )
    out = b"".join(codec.receive(data[i : i + step]) for i in range(0, len(data), step))
    assert out == b"Hello there\xff"
    replies = codec.take_replies()
    assert octets(IAC, DO, ECHO) in replies
    assert octets(IAC, WILL, BINARY) in replies
    assert replies.count(octets(IAC, WILL, BINARY)) == 1
    assert codec.send(b"\r\xff") == b"\r\xff\xff"


def test_a_file_later_on_is_data() -> None:
    codec = StreamCodec(Protocol.AUTO)
    codec.receive(bytes(AUTO_OCTETS))
    assert codec.receive(b"\xff\xfd\x01") == b"\xff\xfd\x01"
    assert not codec.telnet


def test_what_might_have_been_a_request_is_not_lost_at_the_end() -> None:
    codec = StreamCodec(Protocol.AUTO)
    assert codec.receive(b"end\xff") == b"end"
    assert codec.finish() == b"\xff"


def test_answering_telnet_takes_over_echo_and_line() -> None:
    codec = StreamCodec(Protocol.TELNET, answering=True)
    asked = codec.take_replies()
    for wanted in ((WILL, ECHO), (WILL, SUPPRESS_GO_AHEAD), (WILL, BINARY), (DO, BINARY)):
        assert octets(IAC, *wanted) in asked


def test_two_telnet_ends_come_to_binary() -> None:
    calling, answering = StreamCodec(Protocol.TELNET), StreamCodec(Protocol.TELNET, answering=True)
    for _ in range(4):
        assert answering.receive(calling.take_replies()) == b""
        assert calling.receive(answering.take_replies()) == b""
    data = random.Random(1).randbytes(5000) + b"\r\n\r\0\r"
    assert answering.receive(calling.send(data)) == data
    assert calling.receive(answering.send(data)) == data


def test_petscii_letters_keys_and_line_ends() -> None:
    codec = StreamCodec(Protocol.RAW, petscii=True)
    assert codec.send(b"HELLO \xc8I\x14\r") == b"hello Hi\x08\r"
    assert codec.receive(b"Hello\r") == b"\xc8ELLO\r"
    assert codec.receive(b"\nnext\nlast\x0c\x08\xc4\x1b") == b"NEXT\rLAST\x93\x14"


def test_petscii_text_goes_there_and_back() -> None:
    one = Petscii()
    text = bytes(range(0x20, 0x7B)).replace(b"`", b"")
    assert one.to_ascii(one.from_ascii(text)) == text
    assert all(code < 128 for code in one.to_ascii(bytes(range(256))))
