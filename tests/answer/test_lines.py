import pytest

from ansam.answer.lines import EndOfInput, Interrupt, Line, LineEditor


def feed(editor: LineEditor, data: bytes) -> tuple[bytes, list[object]]:
    echo, done = bytearray(), []
    for octet in data:
        said, result = editor.feed(octet)
        echo += said
        if result:
            done.append(result)
    return bytes(echo), done


@pytest.mark.parametrize(
    ("data", "echo", "done"),
    [
        (b"ab\r\ncd\n\n\r", b"ab\r\ncd\r\n\r\n\r\n", [Line(b"ab"), Line(b"cd"), Line(b""), Line(b"")]),
        (b"ab\x08\x7f\x7fc\r", b"ab\b \b\b \bc\r\n", [Line(b"c")]),
        (b"ab\x15c\r", b"ab\b \b\b \bc\r\n", [Line(b"c")]),
        (b"a bc \x17d\r", b"a bc \b \b\b \b\b \bd\r\n", [Line(b"a d")]),
        ("aü\x7f\x7fb\r".encode(), b"a\xc3\xbc\b \b\b \bb\r\n", [Line(b"b")]),
        (b"ab\x03", b"ab^C\r\n", [Interrupt()]),
        (b"\x04", b"\r\n", [EndOfInput()]),
        (b"a\x04\x1b\x01\r", b"a\r\n", [Line(b"a")]),
        (b"ab\x12\r", b"ab\r\nab\r\n", [Line(b"ab")]),
    ],
)
def test_editing(data: bytes, echo: bytes, done: list[object]) -> None:
    assert feed(LineEditor(), data) == (echo, done)


def test_passwords_are_not_echoed() -> None:
    assert feed(LineEditor(echo=False), b"ab\x7f\x15xy\x12\r") == (b"\r\n", [Line(b"xy")])
    assert feed(LineEditor(echo=False), b"ab\x03") == (b"\r\n", [Interrupt()])


def test_line_feed_after_the_return_before_is_no_line() -> None:
    assert feed(LineEditor(after_cr=True), b"\na\r") == (b"a\r\n", [Line(b"a")])


def test_line_has_a_limit() -> None:
    echo, done = feed(LineEditor(), b"x" * 242 + b"\r")
    assert done == [Line(b"x" * 240)]
    assert echo == b"x" * 240 + b"\a\a\r\n"
