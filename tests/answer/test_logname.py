import pytest

from ansam.answer.logname import CaseFolder, Leave, Name, NameReader, StartAgain, Typed


def feed(reader: NameReader, data: bytes) -> tuple[bytes, list[Typed]]:
    echo, typed = bytearray(), []
    for octet in data:
        said, done = reader.feed(octet)
        echo += said
        if done:
            typed.append(done)
    return bytes(echo), typed


@pytest.mark.parametrize(
    ("data", "echo", "typed"),
    [
        (b"ab\r", b"ab\r\n", [Name("ab", True)]),
        (b"ab\n", b"ab\n\r", [Name("ab", False)]),
        (b"ab\x7f\x08\x08c\r", b"ab\b \b\b \bc\r\n", [Name("c", True)]),
        # As captured from mgetty 1.2.1.
        (b" -x\x1b[Aq\x00\x01\x11\n", b" \b \b-\b \bx[Aq\n\r", [Name("x[Aq", False)]),
        (b"AB CD\x03", b"AB CD", [StartAgain()]),
        (b"ab\x15c\r", b"abc\r\n", [StartAgain(), Name("c", True)]),
        (b"a\x04b\r", b"ab\r\n", [Name("ab", True)]),
        (b"\x04", b"", [Leave()]),
        (b"abc\x1c", b"abc", [Leave()]),
        (b"\xe1\xe2\x8d", b"ab\r\n", [Name("ab", True)]),
        (b"\r", b"\r\n", [Name("", True)]),
    ],
)
def test_keys(data: bytes, echo: bytes, typed: list[Typed]) -> None:
    assert feed(NameReader(), data) == (echo, typed)


def test_name_has_a_limit() -> None:
    echo, typed = feed(NameReader(), b"x" * 130 + b"\r")
    assert typed == [Name("x" * 128, True)]
    assert echo == b"x" * 128 + b"x\b \b" * 2 + b"\r\n"


def test_capitals_are_asked_for_once_more() -> None:
    case = CaseFolder()
    assert case.fold("Guest") == "Guest"
    assert case.fold("GUEST") is None
    assert case.fold("GUEST") == "guest"
    assert case.fold("123") == "123"
