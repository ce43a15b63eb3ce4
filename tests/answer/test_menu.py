from tests.support.answer import STORY, Bench, place

from ansam.answer.events import CallEnded
from ansam.answer.house import INBOX_LIMIT, House, Seat

PROMPT = b"\r\nCommand: "
AS_SENT = STORY.replace(b"\n", b"\r\n")


def guest(house: House | None = None, port: str = "ttyUSB0") -> Bench:
    bench = Bench(place(house, port=port))
    bench.call()
    bench.modem(b"guest\r")
    return bench


def test_help_who_time_files() -> None:
    bench = guest()
    assert b"read NAME" in bench.modem(b"help\r")
    bench.now += 125
    assert b"guest            ttyUSB0       2 min  2400/NONE\r\n" in bench.modem(b"who\r")
    assert b"2026-08-03 14:05:09, 2:05 on line\r\n" in bench.modem(b"time\r")
    assert bench.modem(b"files\r") == (
        b"files\r\n        0  empty\r\n        9  short.txt\r\n%9d  story.txt\r\n" % len(STORY) + PROMPT
    )
    assert b"nonsense: no such command" in bench.modem(b"nonsense x\r")
    assert b"read what?" in bench.modem(b"read\r")
    assert bench.modem(b"\r") == b"\r\n" + PROMPT


def test_terminal_of_nobody_can_be_steered() -> None:
    assert b"\x1b" not in guest().modem(b"\x1b[2Jfoo\x9b1m\r")


def test_file_arrives_octet_for_octet() -> None:
    bench = guest()
    bench.modem(b"paging off\r")
    assert bench.modem(b"read story.txt\r") == b"read story.txt\r\n" + AS_SENT + PROMPT
    assert bench.modem(b"read short.txt\r") == b"read short.txt\r\none\r\ntwo\r\n" + PROMPT
    assert bench.modem(b"read empty\r") == b"read empty\r\n" + PROMPT


def test_only_listed_names_are_read() -> None:
    for name in (b"../etc/passwd", b"/etc/passwd", b".", b"nothing"):
        assert b"no such file" in guest().modem(b"read " + name + b"\r")


def test_paging() -> None:
    bench = guest()
    more = b"-- more: Enter, or q --"
    wiped = b"\r" + b" " * len(more) + b"\r"
    lines = AS_SENT.splitlines(keepends=True)
    assert bench.modem(b"read story.txt\r") == b"read story.txt\r\n" + b"".join(lines[:22]) + more
    assert bench.modem(b"\r\n") == wiped + b"".join(lines[22:44]) + more
    assert bench.modem(b" ") == wiped + b"".join(lines[44:]) + PROMPT
    bench.modem(b"read story.txt\r")
    assert bench.modem(b"q") == wiped + PROMPT


def test_file_is_read_as_the_line_takes_it_and_can_be_stopped() -> None:
    bench = guest()
    bench.modem(b"paging off\r")
    getty, now = bench.getty, bench.now
    getty.receive(b"read story.txt\r", now)
    got = bytearray()
    for _ in range(3):
        piece = getty.take_output(now)
        assert len(piece) <= 1100
        got += piece
    getty.receive(b"who\r\x03", now)
    rest = bench.drain()
    assert rest.endswith(b"^C\r\n" + PROMPT)
    assert len(got) + len(rest) < len(AS_SENT)


def test_what_is_typed_ahead_is_done_after_the_file() -> None:
    bench = guest()
    out = bench.modem(b"paging off\rread story.txt\r\nread short.txt\r\nbogus\r")
    assert out.index(AS_SENT) < out.index(b"one\r\ntwo\r\n") < out.index(b"bogus: no such command")
    bench.modem(b"")
    bench.getty.receive(b"read story.txt\r" + b"z" * 1100, bench.now)
    assert b"\a" in bench.drain()


def test_bye() -> None:
    bench = guest()
    bench.now += 61
    assert bench.modem(b"bye\r") == b"bye\r\nGoodbye, guest. 1:01 on line.\r\n"
    bench.wait(5.0)
    assert bench.named(CallEnded) == [CallEnded("guest logged off")]
    assert len(bench.getty._place.house) == 0


def test_end_and_interrupt_at_the_prompt() -> None:
    bench = guest()
    assert bench.modem(b"abc\x03") == b"abc^C\r\n" + PROMPT
    assert b"Goodbye, guest." in bench.modem(b"\x04")


def test_chat() -> None:
    house = House()
    one, two = guest(house), guest(house, "ttyUSB1")
    assert b"nobody else yet" in one.modem(b"chat\r")
    assert b"nobody is here to hear you" in one.modem(b"hello?\r")
    assert b"Chat: guest (ttyUSB0)." in two.modem(b"chat\r")
    assert one.drain() == b"\r\r*** guest (ttyUSB1) is here\r\n"
    one.modem(b"half")
    two.modem("hi \x1b[2J ü\r".encode())
    assert one.drain() == b"\r    \rguest: hi [2J \xc3\xbc\r\nhalf"
    assert b"(chat)" in two.modem(b".\rwho\r")
    assert b"has left" in one.drain()
    assert one.modem(b"\r.\r").endswith(PROMPT)
    assert two.modem(b"chat\r").endswith(b"leaves.\r\n")
    two.modem(b"\x03")
    assert not any(seat.chatting for seat in house)


def test_lost_caller_leaves_the_chat() -> None:
    house = House()
    one, two = guest(house), guest(house, "ttyUSB1")
    one.modem(b"chat\r")
    two.modem(b"chat\r")
    two.modem(b"\r\nNO CARRIER\r\n")
    assert b"*** guest (ttyUSB1) has left" in one.drain()
    assert len(house) == 1


def test_inbox_is_bounded_and_wakes() -> None:
    woken = []
    seat = Seat("a", "p", "", 0.0, wake=lambda: woken.append(1))
    for number in range(INBOX_LIMIT + 5):
        seat.deliver(str(number))
    messages = seat.take_messages()
    assert (len(messages), messages[0], seat.lost, len(woken)) == (INBOX_LIMIT, "5", 5, INBOX_LIMIT + 5)
    assert seat.take_messages() == []
