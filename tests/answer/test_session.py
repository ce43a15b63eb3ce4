import pytest
from tests.support.answer import Bench, place

from ansam.answer.events import CallEnded, LoggedIn, LoginFailed, RunCommand, StopCommand
from ansam.answer.house import House
from ansam.answer.visit import SessionState

PROMPT = b"\r\ncl-002 ttyUSB0 login: "
ISSUE = b"\rDebian GNU/Linux ttyUSB0 57600 (2400/NONE)\n\r"


def connected(**settings: object) -> Bench:
    bench = Bench(place(**settings))
    bench.call()
    return bench


def test_empty_name_shows_the_issue_again() -> None:
    assert connected().modem(b"\r") == b"\r\n" + ISSUE + PROMPT


def test_interrupt_shows_the_prompt_again() -> None:
    assert connected().modem(b"ab\x03") == b"ab" + PROMPT
    assert connected().modem(b"ab\x15") == b"ab" + PROMPT


def test_guest_needs_no_password() -> None:
    bench = connected()
    assert bench.modem(b"guest\r\n").startswith(b"guest\r\nWelcome, guest.")
    assert bench.named(LoggedIn) == [LoggedIn("guest")]
    assert bench.modem(b"\n") == b"\r\n\r\nCommand: "


def test_password_is_hidden_and_checked() -> None:
    bench = connected()
    assert bench.modem(b"ali\r") == b"ali\r\nPassword: "
    assert bench.modem(b"\nsesame\r").startswith(b"\r\nWelcome, ali.")


def test_wrong_passwords_cost_time_and_then_the_call() -> None:
    bench = connected()
    for penalty in (2.0, 4.0):
        assert bench.modem(b"ali\rwrong\r") == b"ali\r\nPassword: \r\n"
        assert bench.wait(penalty - 0.1) == b""
        assert bench.modem(b"typed in between\r") == b""
        assert bench.wait(0.2) == b"\r\nLogin incorrect\r\n" + PROMPT
    bench.modem(b"ali\rwrong\r")
    assert bench.wait(8.1) == b"\r\nLogin incorrect\r\nToo many tries. Goodbye.\r\n"
    bench.wait(3.0)
    assert bench.named(LoginFailed) == [LoginFailed("ali")] * 3
    assert bench.named(CallEnded) == [CallEnded("too many wrong passwords")]


def test_unknown_user_looks_like_a_wrong_password() -> None:
    bench = connected()
    assert bench.modem(b"nobody\rx\r") == b"nobody\r\nPassword: \r\n"
    assert bench.wait(2.1) == b"\r\nLogin incorrect\r\n" + PROMPT


def test_right_password_is_never_held_back() -> None:
    bench = connected()
    bench.modem(b"ali\rwrong\r")
    bench.wait(2.1)
    assert b"Welcome, ali." in bench.modem(b"ali\rsesame\r")
    assert bench.getty._place.house.password_failed("ali") == 2.0


def test_interrupt_and_end_at_the_password() -> None:
    bench = connected()
    assert bench.modem(b"ali\rse\x03") == b"ali\r\nPassword: \r\n" + PROMPT
    bench.modem(b"ali\r\x04")
    bench.wait(3.0)
    assert bench.named(CallEnded) == [CallEnded("caller left at the password")]


def test_no_password_in_time() -> None:
    bench = connected()
    bench.modem(b"ali\r")
    assert bench.wait(61.0).startswith(b"\r\nNo password within 60 seconds. Goodbye.\r\n")


@pytest.mark.parametrize("key", [b"\x04", b"\x1c", b"NO CARRIER\r", b"ERROR\r"])
def test_ways_out_of_the_name(key: bytes) -> None:
    bench = connected()
    bench.modem(key)
    bench.wait(3.0)
    assert len(bench.named(CallEnded)) == 1


def test_login_time() -> None:
    bench = connected(login_time=60.0)
    # Connected 0.2 s ago; keys and empty names do not win time.
    bench.wait(30.0)
    bench.modem(b"\rab")
    assert bench.wait(29.0) == b""
    assert bench.wait(1.0) == b"\r\n\a\r\nHey! Please login now. You have one minute left\r\n" + PROMPT
    assert bench.wait(59.0) == b""
    said = bench.wait(1.1)
    assert said.startswith(b"\r\n\a\r\nYour login time (2 minutes) ran out. Goodbye.\r\n")
    bench.wait(3.0)
    assert bench.named(CallEnded) == [CallEnded("login time-out")]


def test_login_time_may_be_endless() -> None:
    assert connected(login_time=0.0).wait(10_000.0) == b""


def test_capitals() -> None:
    bench = connected()
    assert b"small letters" in bench.modem(b"GUEST\r")
    assert b"Welcome, guest." in bench.modem(b"GUEST\r")


def test_command_gets_its_environment_and_the_keys() -> None:
    bench = connected(term="vt220")
    bench.modem(b"cmd\rhello")
    (run,) = bench.named(RunCommand)
    assert isinstance(run, RunCommand)
    assert run.argv == ("prog", "cmd", "2400/NONE", "none", "x")
    assert run.environment["TERM"] == "vt220"
    assert {key: run.environment[key] for key in ("USER", "CALLER_ID", "CONNECT", "SPEED")} == {
        "USER": "cmd",
        "CALLER_ID": "none",
        "CONNECT": "2400/NONE",
        "SPEED": "57600",
    }
    assert bench.getty.take_command_input() == b"hello"
    bench.getty.count_output(b"x" * 2400, bench.now)
    bench.getty.command_ended(0, bench.now)
    assert bench.getty.deadline() == pytest.approx(bench.now + 10.0 + 0.6, abs=1.0)
    bench.wait(12.0)
    assert bench.named(CallEnded) == [CallEnded("command ended with status 0")]


def test_command_that_does_not_read_holds_the_caller_back() -> None:
    bench = connected()
    bench.modem(b"cmd\r")
    assert bench.getty.receive(b"x" * 5000, bench.now) == 4096
    assert bench.getty.receive(b"x", bench.now) == 0
    assert len(bench.getty.take_command_input()) == 4096
    assert bench.getty.receive(b"x", bench.now) == 1


def test_command_that_can_not_start() -> None:
    bench = connected()
    bench.modem(b"cmd\r")
    bench.getty.command_ended(127, bench.now, "prog: not found")
    assert bench.drain() == b"\r\nprog: not found\r\n"


def test_lost_caller_stops_the_command() -> None:
    bench = connected()
    bench.modem(b"cmd\r")
    bench.modem(b"\r\nNO CARRIER\r\n")
    assert bench.named(StopCommand) == [StopCommand()]


def test_system_login() -> None:
    bench = connected(system_login=True)
    bench.modem(b"whoever\r")
    (run,) = bench.named(RunCommand)
    assert isinstance(run, RunCommand)
    assert (run.argv, run.run_as) == (("/bin/login", "whoever"), "root")


def test_output_is_bounded() -> None:
    bench = connected()
    bench.modem(b"guest\r")
    taken = bench.getty.receive(b"help\r" * 2000, bench.now)
    assert taken < 1000
    assert len(bench.getty.take_output(bench.now)) < 10_000


def test_idle_caller_is_sent_away() -> None:
    bench = connected(idle_time=120.0)
    bench.modem(b"guest\r")
    bench.wait(119.0)
    bench.modem(b"time\r")
    assert bench.wait(119.0) == b""
    assert bench.wait(2.0).startswith(b"\r\nNo key for 2 minutes. Goodbye.\r\n")


def test_late_answers_change_nothing() -> None:
    bench = connected()
    assert bench.getty.session is not None
    bench.getty.password_checked(True, bench.now)
    bench.getty.command_ended(0, bench.now)
    assert bench.getty.session.state is SessionState.NAME


def test_penalties_are_bounded() -> None:
    house = House()
    assert [house.password_failed("a") for _ in range(7)] == [2, 4, 8, 16, 30, 30, 30]
    for number in range(2000):
        house.password_failed(f"x{number}")
    assert house.password_failed("a") == 2
