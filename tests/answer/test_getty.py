import pytest
from tests.support.answer import Bench, place

from ansam.answer.events import Answered, CallEnded, SetDtr, Trouble
from ansam.answer.getty_state import GettyState
from ansam.answer.line_time import MODEM_BUFFER

FIRST = b"\rDebian GNU/Linux ttyUSB0 57600 (2400/NONE)\n\r\r\ncl-002 ttyUSB0 login: "


def test_first_call_byte_for_byte() -> None:
    bench = Bench()
    assert bench.wait(2.0) == b"ATQ0V1H0\rATS0=0Q0&D2&C1\r"
    assert bench.getty.state is GettyState.WAITING
    assert bench.modem(b"\r\nRING\r\n") == b"ATA\r"
    assert bench.modem(b"ATA\r\r\nCONNECT 2400/NONE\r\n") == b""
    assert bench.wait(0.79) == b""
    assert bench.wait(0.02) == FIRST
    assert bench.named(Answered) == [Answered("2400/NONE", "none")]


def test_emsi_as_debians_mgetty() -> None:
    bench = Bench(place(emsi=True))
    assert bench.call() == FIRST.replace(b"\r\ncl-002", b"**EMSI_REQA77E\r\x11              \r\r\ncl-002")


def test_rings_are_counted_and_forgotten() -> None:
    bench = Bench(place(rings=3))
    bench.wait(2.0)
    assert bench.modem(b"\r\nRING\r\n\r\nRING\r\n") == b""
    bench.wait(11.0)
    assert bench.getty.state is GettyState.WAITING
    assert bench.modem(b"\r\nRING\r\n\r\nRING\r\n") == b""
    bench.wait(6.0)
    assert bench.modem(b"\r\nRING\r\n") == b"ATA\r"


def test_caller_id_and_bare_connect() -> None:
    bench = Bench()
    bench.wait(2.0)
    bench.modem(b"\r\nNMBR = 07\r\n\r\nRING\r\n")
    bench.modem(b"\r\nCONNECT\r\n")
    assert b" ()\n" in bench.wait(1.0)
    assert bench.named(Answered) == [Answered("", "07")]


@pytest.mark.parametrize("word", [b"CONNECT/NONE", b"CONNECT/ARQ/LAPM"])
def test_a_call_at_300_has_no_rate_in_its_result_code(word: bytes) -> None:
    bench = Bench()
    assert b"login: " in bench.call(word)
    assert bench.named(Answered) == [Answered(word.decode().removeprefix("CONNECT"), "none")]


def test_modem_that_answers_by_itself() -> None:
    bench = Bench()
    bench.wait(2.0)
    bench.modem(b"\r\nCONNECT 1200/NONE\r\n")
    assert b"(1200/NONE)" in bench.wait(1.0)


def test_noise_after_connect_is_thrown_away_and_the_prompt_waits_for_quiet() -> None:
    bench = Bench()
    bench.wait(2.0)
    bench.modem(b"\r\nRING\r\n")
    bench.modem(b"\r\nCONNECT 2400/NONE\r\n~~")
    for _ in range(5):
        assert bench.wait(0.2) == b""
        bench.modem(b"x~\r")
    assert bench.wait(1.0) == FIRST


def test_line_that_is_never_quiet_is_served() -> None:
    bench = Bench()
    bench.wait(2.0)
    bench.modem(b"\r\nRING\r\n")
    bench.modem(b"\r\nCONNECT 2400/NONE\r\n~~")
    seen = b""
    for _ in range(60):
        seen += bench.wait(0.2)
        if seen:
            break
        if bench.getty.state is GettyState.SETTLING:
            bench.modem(b"x~\r")
    assert FIRST in seen


def test_keys_in_the_pause_are_kept() -> None:
    bench = Bench()
    bench.wait(2.0)
    bench.modem(b"\r\nRING\r\n")
    bench.modem(b"\r\nCONNECT 2400/NONE\r\n")
    bench.wait(0.4)
    assert bench.getty.state is GettyState.PAUSE
    assert bench.getty.receive(b"guest", bench.now) == 0
    assert bench.modem(b"guest\r").endswith(b"Command: ")


@pytest.mark.parametrize("word", [b"NO CARRIER", b"ERROR", b"BUSY"])
def test_answering_fails(word: bytes) -> None:
    bench = Bench()
    bench.wait(2.0)
    bench.modem(b"\r\nRING\r\n")
    bench.modem(b"\r\n" + word + b"\r\n")
    assert bench.named(CallEnded) == [CallEnded(f"modem said {word.decode()} to ATA")]
    bench.wait(2.0)
    assert bench.getty.state is GettyState.WAITING


def test_answering_times_out() -> None:
    bench = Bench()
    bench.wait(2.0)
    bench.modem(b"\r\nRING\r\n")
    bench.wait(85.0)
    assert bench.named(CallEnded) == [CallEnded("no CONNECT within 80 s of ATA")]
    assert bench.named(SetDtr) == [SetDtr(False), SetDtr(True)]
    assert bench.getty.state is GettyState.WAITING


@pytest.mark.parametrize("answer", [b"", b"\r\nERROR\r\n"])
def test_modem_that_does_not_play_along(answer: bytes) -> None:
    bench = Bench()
    bench.answers[b"ATQ0V1H0\r"] = answer
    bench.wait(12.0)
    word = "ERROR" if answer else "nothing"
    assert bench.named(Trouble)[0] == Trouble(f"ttyUSB0: modem answers {word} to ATQ0V1H0")
    bench.answers.clear()
    bench.wait(12.0)
    assert bench.getty.state is GettyState.WAITING


def test_a_modem_still_on_line_is_called_back_and_hung_up() -> None:
    bench = Bench()
    bench.answers[b"ATQ0V1H0\r"] = b""
    bench.wait(10.6)
    assert bench.named(SetDtr) == [SetDtr(False)]
    assert bench.wait(1.0) == b""
    assert bench.named(SetDtr) == [SetDtr(False), SetDtr(True)]
    assert bench.wait(1.1) == b""
    assert bench.wait(0.2) == b"+++"
    assert bench.wait(1.0) == b""
    bench.answers.clear()
    assert bench.wait(0.3) == b"ATH0\r"
    bench.wait(4.0)
    assert bench.getty.state is GettyState.WAITING


def test_a_port_at_the_wrong_speed_is_named() -> None:
    bench = Bench()
    bench.answers[b"ATQ0V1H0\r"] = b"\xe0\x80\xff\x00\xfe"
    bench.wait(12.0)
    assert bench.named(Trouble) == [
        Trouble("ttyUSB0: modem answers what is no text to ATQ0V1H0: does its port run at 57600 bit/s?")
    ]


def test_no_carrier_in_words_cut_anywhere() -> None:
    for cut in range(1, 14):
        bench = Bench()
        bench.call()
        bench.modem(b"guest\r")
        words = b"\r\nNO CARRIER\r\n"
        bench.modem(words[:cut])
        bench.modem(words[cut:])
        assert bench.named(CallEnded) == [CallEnded("no carrier")]
        assert len(bench.getty._place.house) == 0


def test_no_carrier_in_words_means_nothing_where_circuit_109_is_known() -> None:
    bench = Bench()
    bench.getty.carrier_changed(False, bench.now)
    bench.wait(2.0)
    bench.modem(b"\r\nRING\r\n")
    bench.getty.carrier_changed(True, bench.now)
    bench.modem(b"\r\nCONNECT 2400/NONE\r\n")
    bench.wait(1.0)
    bench.modem(b"guest\r\r\nNO CARRIER\r\n")
    assert not bench.named(CallEnded)
    bench.getty.carrier_changed(False, bench.now)
    bench.drain()
    assert bench.named(CallEnded) == [CallEnded("no carrier")]


@pytest.mark.parametrize("moment", [0.1, 0.5, 1.0])
def test_carrier_lost_at_any_moment_and_the_next_call_is_served(moment: float) -> None:
    bench = Bench()
    bench.wait(2.0)
    for _ in range(3):
        bench.getty.carrier_changed(True, bench.now)
        bench.modem(b"\r\nRING\r\n")
        bench.modem(b"\r\nCONNECT 2400/NONE\r\n")
        bench.wait(moment)
        bench.getty.carrier_changed(False, bench.now)
        bench.drain()
        assert bench.events[-1] == SetDtr(False)
        bench.wait(4.0)
        assert bench.getty.state is GettyState.WAITING


def test_last_words_get_their_time_before_dtr_drops() -> None:
    bench = Bench()
    bench.call()
    # 1200 octets typed at once: the line at 2400 bit/s is busy with their echo for 5 s.
    bench.modem(b"guest\r" + b"x" * 239 + b"\r" + b"bye\r")
    assert bench.getty.state is GettyState.LINGERING
    waited = 0.0
    while SetDtr(False) not in bench.events:
        bench.wait(0.1)
        waited += 0.1
    octets = len(bench.sent) - len(b"ATQ0V1H0\rATS0=0Q0&D2&C1\rATA\r")
    assert octets / 240 - 1 < waited < octets / 240 + 0.8


def test_a_modem_that_tells_it_is_done_is_not_waited_for() -> None:
    """With V.42bis a listing crosses in a quarter of the time that ten bits an octet would take."""
    bench = Bench()
    bench.call()
    bench.modem(b"guest\r" + b"x" * 239 + b"\r" + b"bye\r")
    bench.wait(0.5)
    bench.getty.line_drained(bench.now)
    bench.wait(0.5)
    assert SetDtr(False) not in bench.events
    bench.getty.line_drained(bench.now)
    bench.wait(0.2)
    assert SetDtr(False) in bench.events


def test_no_more_is_reckoned_than_a_modem_holds() -> None:
    bench = Bench()
    bench.call()
    bench.getty.receive(b"guest\r", bench.now)
    bench.getty.count_output(bytes(100_000), bench.now)
    bench.modem(b"bye\r")
    bench.wait(10 * MODEM_BUFFER / 2400 + 1)
    assert SetDtr(False) in bench.events


def test_port_gone_and_back() -> None:
    bench = Bench()
    bench.call()
    bench.modem(b"guest\r")
    bench.getty.port_gone(bench.now)
    bench.drain()
    assert bench.named(CallEnded) == [CallEnded("no carrier")]
    assert bench.wait(2.0) == b"ATQ0V1H0\rATS0=0Q0&D2&C1\r"
    bench.getty.port_gone(bench.now)
    assert bench.wait(2.0) == b"ATQ0V1H0\rATS0=0Q0&D2&C1\r"


def test_cut_does_not_matter() -> None:
    script = b"gues\x7f\x7fest\rwho\rfiles\rread short.txt\rti\x15paging off\rread story.txt\rbye\r"
    seen = []
    for size in (1, 3, 1000):
        bench = Bench()
        out = bench.call()
        for at in range(0, len(script), size):
            out += bench.modem(script[at : at + size])
        out += bench.wait(10.0)
        seen.append(out)
    assert seen[0] == seen[1] == seen[2]
