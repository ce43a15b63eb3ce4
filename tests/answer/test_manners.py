"""What an mgetty.config can ask of a line, seen from the modem; and who may call."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.answer import Bench, place

from ansam.answer.chat import parse_chat
from ansam.answer.events import (
    Answered,
    CallEnded,
    JudgeCaller,
    LoggedIn,
    Refused,
    RunCommand,
    SetDtr,
    SetSpeed,
    Trouble,
)
from ansam.answer.getty_state import GettyState
from ansam.answer.login_config import parse_login_config
from ansam.answer.manners import CallerRules, Manners, parse_dialin

RING = b"\r\nRING\r\n"
CND = b"\r\nNMBR = 4161234\r\n"
LOGINS = """
U* uucp @ /usr/sbin/uucico -u @ \\I \\Y \\P \\S
/FIDO/ uucp fido /usr/lib/fnet/ifcico @
/AutoPPP/ - a_ppp /usr/sbin/pppd +pap
* - - /bin/login @
"""


def bench(logins: str = "", texts: dict[str, object] | None = None, **manners: object) -> Bench:
    where = replace(place(**texts or {}), manners=Manners(**manners))  # type: ignore[arg-type]
    return Bench(replace(where, logins=parse_login_config(logins, "login.config")))


def test_dtr_is_toggled_before_the_set_up() -> None:
    line = bench(toggle_dtr=True, dtr_low=0.25)
    assert line.wait(0.2) == b""
    assert line.named(SetDtr) == [SetDtr(False)]
    assert line.wait(2.0).startswith(b"ATQ0V1H0\r")
    assert line.named(SetDtr) == [SetDtr(False), SetDtr(True)]


def test_init_chat_is_said_with_its_pauses() -> None:
    line = bench(init=parse_chat('"" \\dATZ OK AT&F OK'))
    assert line.wait(0.9) == b""
    assert line.wait(0.2) == b"ATZ\rAT&F\r"
    assert line.getty.state is GettyState.WAITING


def test_force_init_chat_brings_a_modem_back() -> None:
    line = bench(init=parse_chat('"" ATZ OK'), force_init=parse_chat('"" +++\\c "" \\dATH0 OK'))
    line.answers[b"ATZ\r"] = b""
    line.wait(10.6)
    assert line.named(Trouble) == [Trouble("ttyUSB0: modem answers nothing to ATZ")]
    line.answers.clear()
    assert line.wait(5.0) == b"+++ATH0\rATZ\r"
    assert line.getty.state is GettyState.WAITING


def test_answer_chat() -> None:
    line = bench(answer=parse_chat('"" AT+FCLASS=0 OK ATS0=1')[:2])
    line.wait(2.0)
    assert line.modem(RING) == b"AT+FCLASS=0\r"
    assert line.modem(b"\r\nOK\r\n") == b"ATS0=1\r"
    line.modem(b"\r\nCONNECT 2400/NONE\r\n")
    assert line.named(Answered) == [Answered("2400/NONE", "none")]


def test_answer_chat_that_is_not_answered() -> None:
    line = bench(answer=parse_chat('"" AT+FCLASS=0 OK ATA'))
    line.answers[b"AT+FCLASS=0\r"] = b""
    line.wait(2.0)
    line.modem(RING)
    line.wait(81.0)
    assert line.named(CallEnded) == [CallEnded("no CONNECT within 80 s of ATA")]


def test_a_waiting_modem_is_asked_whether_it_is_there() -> None:
    line = bench(check_time=60.0)
    line.wait(2.0)
    assert line.wait(120.0) == b"AT\rAT\r"
    line.answers[b"AT\r"] = b""
    line.wait(60.0)
    assert line.getty.state is GettyState.CHECKING
    assert line.modem(RING) == b"ATA\r"
    line.modem(b"\r\nNO CARRIER\r\n")
    line.wait(75.0)
    assert line.named(Trouble) == [Trouble("ttyUSB0: modem answers nothing to AT")]


def test_ringback_answers_the_second_call() -> None:
    line = bench(ringback=True, ringback_time=30.0)
    line.wait(2.0)
    for _ in range(3):
        assert line.modem(RING) == b""
        line.wait(4.0)
    line.wait(12.0)
    assert line.modem(RING) == b"ATA\r"
    line.modem(b"\r\nNO CARRIER\r\n")
    line.wait(2.0)


def test_ringback_forgets() -> None:
    line = bench(ringback=True, ringback_time=30.0)
    line.wait(2.0)
    for _ in range(2):
        assert line.modem(RING) == b""
        line.wait(35.0)


def test_a_caller_who_may_not_call_goes_on_ringing() -> None:
    line = bench(texts={"rings": 2}, callers=CallerRules(("!416",)))
    line.wait(2.0)
    assert line.modem(RING + CND + RING) == b""
    assert line.modem(RING + RING) == b""
    assert line.named(Refused) == [Refused("4161234")]
    line.wait(11.0)
    assert line.modem(RING) == b""
    assert line.modem(RING) == b"ATA\r"


@pytest.mark.parametrize(("accepted", "said"), [(True, b"ATA\r"), (False, b"")])
def test_a_program_judges_the_caller(accepted: bool, said: bytes) -> None:
    line = bench(texts={"rings": 2}, caller_program="/bin/judge")
    line.wait(2.0)
    assert line.modem(RING + CND + RING + RING) == b""
    assert line.named(JudgeCaller) == [JudgeCaller(("/bin/judge", "ttyUSB0", "4161234", "", "0", ""), 1)]
    line.getty.caller_judged(1, accepted, line.now)
    assert line.drain() == said
    assert len(line.named(Refused)) == (not accepted)
    line.getty.caller_judged(1, True, line.now)
    assert line.modem(RING) == b""


def test_filler_in_a_number_is_not_told_to_a_program() -> None:
    line = bench(caller_program="/bin/judge")
    line.wait(2.0)
    line.modem(b"\r\n\0NMBR = 416\x001234\r\n" + RING)
    (order,) = line.named(JudgeCaller)
    assert isinstance(order, JudgeCaller)
    assert order.argv[2] == "4161234"


def test_a_verdict_that_comes_late_says_nothing_about_the_next_caller() -> None:
    line = bench(texts={"rings": 1}, caller_program="/bin/judge")
    line.wait(2.0)
    line.modem(CND + RING)
    line.wait(11.0)
    line.modem(b"\r\nNMBR = 5551212\r\n" + RING)
    first, second = line.named(JudgeCaller)
    assert isinstance(first, JudgeCaller)
    assert isinstance(second, JudgeCaller)
    line.getty.caller_judged(first.serial, accepted=True, now=line.now)
    assert line.drain() == b""
    line.getty.caller_judged(second.serial, accepted=False, now=line.now)
    assert line.drain() == b""
    assert line.named(Refused) == [Refused("5551212")]


def test_autobauding_follows_the_connection_and_goes_back() -> None:
    line = bench(autobaud=True)
    assert b"ttyUSB0 2400 (2400/NONE)" in line.call()
    assert line.named(SetSpeed) == [SetSpeed(2400)]
    line.modem(b"\r\nNO CARRIER\r\n")
    line.modem(b"guest\r\nNO CARRIER\r\n")
    line.wait(3.0)
    assert line.named(SetSpeed) == [SetSpeed(2400), SetSpeed(57600)]


def test_carrier_may_be_told_to_mean_nothing() -> None:
    line = bench(ignore_carrier=True)
    line.getty.carrier_changed(True, line.now)
    line.call()
    line.getty.carrier_changed(False, line.now)
    line.drain()
    assert not line.named(CallEnded)


def test_a_rule_serves_a_name() -> None:
    line = bench(LOGINS)
    line.call()
    line.modem(b"Uhost\r")
    (order,) = line.named(RunCommand)
    assert isinstance(order, RunCommand)
    argv = ("/usr/sbin/uucico", "-u", "Uhost", "2400/NONE", "none", "ttyUSB0", "57600")
    assert (order.argv, order.run_as, order.raw) == (argv, "uucp", False)
    assert [seat.user for seat in line.getty._place.house] == ["Uhost"]


def test_bin_login_is_ours_unless_it_is_to_be_the_systems() -> None:
    line = bench(LOGINS)
    line.call()
    line.modem(b"guest\r")
    assert line.named(LoggedIn) == [LoggedIn("guest")]
    line = bench(LOGINS, {"system_login": True})
    line.call()
    line.modem(b"guest\r")
    (order,) = line.named(RunCommand)
    assert isinstance(order, RunCommand)
    assert (order.argv, order.run_as) == (("/bin/login", "guest"), "root")


def test_a_ppp_peer_is_known_and_loses_nothing() -> None:
    line = bench(LOGINS)
    line.call()
    request = bytes.fromhex("7eff7d23c0217d217d217d207d347d22")
    assert line.modem(request) == b""
    (order,) = line.named(RunCommand)
    assert isinstance(order, RunCommand)
    assert (order.argv, order.raw) == (("/usr/sbin/pppd", "+pap"), True)
    assert line.getty.take_command_input() == request
    assert [seat.user for seat in line.getty._place.house] == ["a_ppp"]


def test_without_a_rule_ppp_is_only_noise() -> None:
    line = bench()
    line.call()
    line.modem(b"\x7e\xff\x7d\x23\xc0\x21")
    assert not line.named(RunCommand)


@pytest.mark.parametrize(
    ("said", "told"), [(b"\xae", "tsync"), (b"\xf1", "yoohoo"), (b"**EMSI_INQC816\r", "**EMSI_INQC816")]
)
def test_a_mailer_is_known(said: bytes, told: str) -> None:
    line = bench(LOGINS)
    line.call()
    line.modem(said)
    (order,) = line.named(RunCommand)
    assert isinstance(order, RunCommand)
    assert order.argv == ("/usr/lib/fnet/ifcico", told)


def test_dialin_rules() -> None:
    rules = parse_dialin("# friends\n3433535, 7445343,\t555\n!416\n!none\nall")
    assert rules.rules == ("3433535", "7445343", "555", "!416", "!none", "all")
    assert rules.allow("5551212")
    assert not rules.allow("4161")
    assert not rules.allow("none")
    assert rules.allow("832")
    assert CallerRules().allow("none")
    assert not CallerRules(("832", "!all")).allow("555")


@pytest.mark.skipif(not Path("/etc/mgetty/dialin.config").exists(), reason="no mgetty of Debian")
def test_debians_own_dialin_config() -> None:
    assert parse_dialin(Path("/etc/mgetty/dialin.config").read_text()) == CallerRules()
