"""A telnet client that tells who calls, octet by octet."""

from ansam.dte.telnet_caller import TelnetCaller, Terminal

IAC, SB, SE, WILL, DO = 255, 250, 240, 251, 253


def test_answers_what_is_asked() -> None:
    caller = TelnetCaller(Terminal("ansi", 4800, user="ali", environment={"CALLER_ID": "07"}))
    begun = caller.take_replies()
    assert bytes((IAC, WILL, 0)) in begun
    assert bytes((IAC, DO, 0)) in begun
    assert caller.receive(bytes((IAC, DO, 31))) == b""
    assert caller.take_replies() == bytes((IAC, WILL, 31, IAC, SB, 31, 0, 80, 0, 24, IAC, SE))
    for option, answer in (
        (24, b"\0ANSI"),
        (32, b"\0" + b"4800,4800"),
        (39, b"\0\0USER\1ali\3CALLER_ID\1" + b"07"),
    ):
        caller.receive(bytes((IAC, DO, option)))
        caller.take_replies()
        caller.receive(bytes((IAC, SB, option, 1, IAC, SE)))
        assert caller.take_replies() == bytes((IAC, SB, option)) + answer + bytes((IAC, SE))


def test_what_would_end_a_value_is_escaped() -> None:
    caller = TelnetCaller(Terminal(environment={"CONNECT": "a\0b\1c\2d\3"}))
    caller.receive(bytes((IAC, DO, 39, IAC, SB, 39, 1, IAC, SE)))
    assert b"\3CONNECT\1a\2\0b\2\1c\2\2d\2\3" in caller.take_replies()


def test_nothing_is_told_that_was_not_asked_for() -> None:
    caller = TelnetCaller(Terminal(user="ali"))
    caller.receive(bytes((IAC, SB, 39, 0, IAC, SE)) + b"text\xff\xff")
    assert b"ali" not in caller.take_replies()
    assert caller.send(b"\xff") == b"\xff\xff"
