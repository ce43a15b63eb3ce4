"""Result codes: words and numbers under X, &A, V and Q."""

import pytest
from tests.support.at import Terminal, plain

from ansam.at.codes import connect_number, connect_words, shown
from ansam.at.personalities import USR_56K
from ansam.at.results import Connect, Result

V22BIS = Connect(2400)
ORIGINAL = Connect(4800, "V34", "LAPM", "V42BIS")


@pytest.mark.parametrize(
    ("connect", "x", "detail", "words", "number"),
    [
        (V22BIS, 4, 3, "CONNECT 2400/NONE", 10),
        (V22BIS, 4, 2, "CONNECT 2400", 10),
        (V22BIS, 1, 0, "CONNECT 2400", 10),
        (V22BIS, 0, 3, "CONNECT", 1),
        (Connect(1200), 4, 3, "CONNECT 1200/NONE", 5),
        (Connect(300), 4, 3, "CONNECT/NONE", 1),
        (Connect(300), 4, 0, "CONNECT", 1),
        (Connect(2400, "", "LAPM", "V42BIS"), 4, 3, "CONNECT 2400/ARQ/LAPM/V42BIS", 16),
        (Connect(2400, "", "LAPM"), 4, 1, "CONNECT 2400/ARQ", 16),
        (ORIGINAL, 4, 3, "CONNECT 4800/ARQ/V34/LAPM/V42BIS", 126),
        (ORIGINAL, 4, 2, "CONNECT 4800/ARQ/V34", 126),
        (ORIGINAL, 4, 1, "CONNECT 4800/ARQ", 19),
        (ORIGINAL, 4, 0, "CONNECT 4800", 18),
        (ORIGINAL, 0, 1, "CONNECT/ARQ", 14),
        (ORIGINAL, 0, 0, "CONNECT", 1),
        (Connect(4800, "V34"), 4, 3, "CONNECT 4800/V34/NONE", 124),
        (Connect(14400, "V32", "LAPM", "V42BIS"), 7, 3, "CONNECT 14400/ARQ/V32/LAPM/V42BIS", 46),
        (Connect(28800, "VFC", "LAPM", "V42BIS"), 7, 3, "CONNECT 28800/ARQ/VFC/LAPM/V42BIS", 110),
        (Connect(33600, "V34", "LAPM", "V44"), 7, 3, "CONNECT 33600/ARQ/V34/LAPM/V44", 158),
        (Connect(31200), 7, 0, "CONNECT 31200", 151),
        (Connect(53333, "x2", "LAPM", "V42BIS"), 4, 3, "CONNECT 53333/ARQ/x2/LAPM/V42BIS", 227),
        (Connect(9600, "", "SYNC"), 4, 3, "CONNECT 9600/SYNC", 13),
        (Connect(2400, "V32", "LAPM"), 4, 2, "CONNECT 2400/ARQ/V32", 16),
        (Connect(300, "", "LAPM"), 4, 2, "CONNECT/ARQ", 14),
        (Connect(75), 4, 0, "CONNECT", 1),
    ],
)
def test_connect(connect: Connect, x: int, detail: int, words: str, number: int) -> None:
    assert connect_words(connect, x, detail) == words
    assert connect_number(connect, x, detail) == number


@pytest.mark.parametrize(
    ("result", "levels"),
    [
        (Result.NO_DIAL_TONE, "2467"),
        (Result.BUSY, "34567"),
        (Result.NO_ANSWER, "34567"),
        (Result.RINGING, "567"),
        (Result.VOICE, "56"),
        *((result, "01234567") for result in (Result.OK, Result.RING, Result.NO_CARRIER, Result.ERROR)),
    ],
)
def test_which_level_of_x_shows_a_result(result: Result, levels: str) -> None:
    instead = None if result is Result.RINGING else Result.NO_CARRIER
    for x in range(8):
        assert shown(result, x, USR_56K.results) is (result if str(x) in levels else instead)


@pytest.mark.parametrize("result", list(Result))
def test_words_and_numbers_of_unsolicited_results(result: Result) -> None:
    terminal = Terminal()
    terminal.type("ATX5")
    if result is Result.NO_DIAL_TONE:
        terminal.type("ATX7")
    number, words = result.value
    terminal.modem.unsolicited(result, 0)
    assert terminal.modem.take_output() == f"\r\n{words}\r\n".encode()
    terminal.type("ATV0")
    terminal.modem.unsolicited(result, 0)
    assert terminal.modem.take_output() == f"{number}\r".encode()
    terminal.type("ATQ1")
    terminal.modem.unsolicited(result, 0)
    assert terminal.modem.take_output() == b""


def test_q2_is_quiet_when_answering_only() -> None:
    terminal = Terminal()
    terminal.type("ATQ2")
    modem = terminal.modem
    modem.unsolicited(Result.RING, 0)
    terminal.type("ATA")
    modem.finish(V22BIS, 0)
    modem.unsolicited(Result.NO_CARRIER, 0)
    assert modem.take_output() == b""
    assert terminal.type("AT") == "OK"
    assert terminal.type("ATJ") == "ERROR"
    terminal.type("ATD5")
    modem.finish(V22BIS, 0)
    modem.unsolicited(Result.NO_CARRIER, 0)
    assert plain(modem.take_output()) == "CONNECT 2400/NONE | NO CARRIER"


def test_reports_before_connect() -> None:
    terminal = Terminal()
    terminal.type("AT+MR=1;+ER=1;+DR=1;D5")
    terminal.modem.finish(Connect(2400, carrier="V22B"), 0)
    expected = "+MCR: V22B | +MRR: 2400 | +ER: NONE | +DR: NONE | CONNECT 2400/NONE"
    assert plain(terminal.modem.take_output()) == expected
    terminal.type("ATD5")
    terminal.modem.finish(ORIGINAL, 0)
    expected = "+MRR: 4800 | +ER: LAPM | +DR: V42B | CONNECT 4800/ARQ/V34/LAPM/V42BIS"
    assert plain(terminal.modem.take_output()) == expected


RATES = {"V32": (4800, 7200, 9600, 12000, 14400), "V34": tuple(range(2400, 33601, 2400))}


@pytest.mark.parametrize("x", range(8))
def test_every_rate_has_a_number_of_its_own_at_every_level(x: int) -> None:
    """A program that reads numbers can tell the rate and whether there is error control."""
    for detail in range(4):
        seen: dict[int, str] = {}
        for name, rates in RATES.items():
            for rate in rates:
                for protocol in ("NONE", "LAPM"):
                    connect = Connect(rate, name, protocol)
                    number = connect_number(connect, x, detail)
                    words = connect_words(connect, x, min(detail, 2))
                    assert seen.setdefault(number, words) == words
                    if x and detail == 0:
                        assert words == f"CONNECT {rate}"
        assert len(set(seen.values())) == len(seen)


def test_old_software_sees_9600() -> None:
    terminal = Terminal()
    terminal.type("ATS27=128+MR=1;D5")
    terminal.modem.finish(Connect(14400, "V32", "LAPM", tx_rate=14400), 0)
    assert plain(terminal.modem.take_output()) == "+MRR: 9600 | CONNECT 9600/ARQ/V32/LAPM"
    terminal.type("ATV0D5")
    terminal.modem.finish(Connect(7200, "V34", "LAPM"), 0)
    assert terminal.modem.take_output().endswith(b"134\r")
    terminal.type("ATD5")
    terminal.modem.finish(Connect(4800, "V34", "LAPM"), 0)
    assert terminal.modem.take_output().endswith(b"126\r")


def test_s34_hides_busy() -> None:
    terminal = Terminal()
    terminal.type("ATS34=64X7")
    terminal.modem.unsolicited(Result.BUSY, 0)
    assert plain(terminal.modem.take_output()) == "NO CARRIER"
