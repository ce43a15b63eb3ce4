"""The phone book: places, TOML there and back, the lists of other programs."""

import pytest

from ansam.call.phonebook import Entry, PhoneBook, Target, is_address, parse_book, parse_target, write_book
from ansam.call.phonebook_import import read_list
from ansam.dte.stream_codec import Protocol
from ansam.errors import ConfigError

ADDRESSES = ("a.b:1", "localhost:1", "telehack.com", "192.168.1.5", "ssh://u@h", "[::1]:2")
NUMBERS = ("5551234", "sip:05@host", "sips:a", "joe@example.org", "1.800.555.1234", "05")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("bbs.example.org", Target("bbs.example.org", 23, Protocol.TELNET)),
        ("bbs.example.org:23", Target("bbs.example.org", 23, Protocol.TELNET)),
        ("bbs.example.org:6400", Target("bbs.example.org", 6400, Protocol.AUTO)),
        ("192.0.2.7:1", Target("192.0.2.7", 1, Protocol.AUTO)),
        ("[2001:db8::1]:6400", Target("2001:db8::1", 6400, Protocol.AUTO)),
        ("TELNET://a.b:99/", Target("a.b", 99, Protocol.TELNET)),
        ("telnet://a.b", Target("a.b", 23, Protocol.TELNET)),
        ("tcp://a.b:23", Target("a.b", 23, Protocol.RAW)),
        ("ssh://joe@a.b", Target("a.b", 22, Protocol.SSH, "joe")),
        ("ssh://joe:p%40ss@a.b:2222", Target("a.b", 2222, Protocol.SSH, "joe", "p@ss")),
    ],
)
def test_places(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert "p@ss" not in str(target)
    assert parse_target(str(target)) == Target(target.host, target.port, target.protocol, target.user)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no HOST:PORT"),
        ("a.b:0", "no HOST:PORT"),
        ("a.b:65536", "no HOST:PORT"),
        ("tcp://a.b", "no HOST:PORT"),
        ("ftp://a.b", "ftp is not known"),
        ("joe@a.b", "only ssh has a user"),
        ("ssh://a.b", "ssh needs a user"),
    ],
)
def test_no_places(text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        parse_target(text)


@pytest.mark.parametrize("text", ADDRESSES)
def test_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_and_sip_addresses(text: str) -> None:
    assert not is_address(text)


def test_a_book_is_written_and_read_again() -> None:
    book = PhoneBook(
        [
            Entry("5551234", "telnet://bbs.example.org:6400", 2400, True, 'A "board"', "back\\slash, ü"),
            Entry("42", "sip:05"),
        ]
    )
    again = parse_book(write_book(book), "book.toml")
    assert again.entries == book.entries
    assert again.find("5551234") == book.entries[0]
    assert again.find("43") is None
    assert book.entries[1].telephone == "05"
    again.remove("42")
    with pytest.raises(ConfigError, match="no number 42"):
        again.remove("42")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x = ", "book.toml: not TOML"),
        ("[[entries]]\n", "entries is not known"),
        ("entry = 3\n", "entry is not known"),
        ('[[entry]]\nnumber = "1"\n', "number or to is missing"),
        ('[[entry]]\nnumber = 1\nto = "a:1"\n', "number = 1"),
        ('[[entry]]\nnumber = "1"\nto = "a:1"\nbaud = 3\n', "baud = 3 is not known"),
        ('[[entry]]\nnumber = "1"\nto = "a:1"\nrate = true\n', "rate = True"),
        ('[[entry]]\nnumber = "1"\nto = "a:1"\nrate = -1\n', "out of range"),
        ('[[entry]]\nnumber = "one"\nto = "a:1"\n', "'one' is no number"),
        ('[[entry]]\nnumber = "1"\nto = "a"\n' * 2, "1 stands twice"),
        ('[[entry]]\nnumber = "1"\nto = "a:b"\n', "no HOST:PORT"),
        ('[[entry]]\nnumber = "1"\nto = "a:1"\nnotes = "\\u0007"\n', "control characters"),
    ],
)
def test_books_with_faults(text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        parse_book(text, "book.toml")


def test_tcpser() -> None:
    text = (
        "tcpser -v 25232 -p 6400 -n5551234=bbs.example.org:6400 -n 42=192.0.2.7\n"
        "# Image\n-n ci1=cib.example.net:6400\t\t\\ # Image 1.2\n7=a.example:7\n"
    )
    assert read_list(text) == [
        Entry("5551234", "bbs.example.org:6400"),
        Entry("42", "192.0.2.7"),
        Entry("241", "cib.example.net:6400", name="ci1"),
        Entry("7777777", "a.example:7"),
    ]


def test_zimodem() -> None:
    text = "ATP\r\n5551212 q-link.example:5190\r\n5550000 PT c64.example:6502 The board, of course\r\nOK\r\n"
    assert read_list(text) == [
        Entry("5551212", "q-link.example:5190"),
        Entry("5550000", "telnet://c64.example:6502", petscii=True, name="The board, of course"),
    ]
    assert read_list('ATPP"5550001=c64.example:6502,Notes"\nATP"5550002=x.example:1"\n') == [
        Entry("5550001", "c64.example:6502", petscii=True, name="Notes"),
        Entry("5550002", "x.example:1"),
    ]


def test_retro_wifi_modem() -> None:
    text = "AT&Z2=particles.example:6400,particles\n3:host.example:23,three\n&Z4=five.example\n"
    assert read_list(text) == [
        Entry("2222222", "particles.example:6400", name="particles"),
        Entry("3333333", "host.example:23", name="three"),
        Entry("4444444", "five.example"),
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("hello world", "line 1: 'hello world' is no entry"),
        ("\n-n1=a:b", "line 2: 'a:b'"),
        ("11=a:1\n11=b:1", "twice"),
    ],
)
def test_lists_with_faults(text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        read_list(text)
