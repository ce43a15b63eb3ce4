"""Callers who are put through: tokens, and whose session is whose."""

from dataclasses import replace

import pytest
from tests.support.answer import HASH, Bench, place

from ansam.answer.bridge import BridgeService, BridgeVisit, Holding
from ansam.answer.events import CallEnded, HoldCommand, LoggedIn, OpenBridge, Reattach, StopCommand
from ansam.answer.getty_state import GettyState
from ansam.answer.house import House
from ansam.answer.service_url import BridgeTarget
from ansam.answer.users import User, UserBook
from ansam.answer.visit import SessionState

HELD = BridgeTarget("telnet", "bbs", 23, hold=300)


class Lines:
    """Lines with one service; tokens are T1, T2 and so on."""

    def __init__(self, target: BridgeTarget = HELD) -> None:
        self._numbers = iter(range(1, 100))
        self.holding = Holding()
        self.service = BridgeService(target, self.holding, lambda: f"T{next(self._numbers)}")

    def call(self, caller: str, now: float = 0.0) -> BridgeVisit:
        visit = self.service(place(), "33600/ARQ/V34/LAPM", caller, now)
        assert isinstance(visit, BridgeVisit)
        return visit

    def lose(self, caller: str) -> HoldCommand | StopCommand:
        """A call whose line breaks."""
        visit = self.call(caller)
        visit.take_events()
        visit.carrier_lost()
        assert visit.state is SessionState.OVER
        (event,) = visit.take_events()
        assert isinstance(event, HoldCommand | StopCommand)
        return event


@pytest.fixture
def lines() -> Lines:
    return Lines()


def said(visit: BridgeVisit) -> str:
    return visit.take_output(0.0).decode()


def test_a_new_session_has_a_token_and_begins_at_once(lines: Lines) -> None:
    visit = lines.call("07")
    assert "your token is T1" in said(visit)
    (order,) = visit.take_events()
    assert isinstance(order, OpenBridge)
    assert order.environment["CALLER_ID"] == "07"
    assert order.environment["CONNECT"] == "33600/ARQ/V34/LAPM"


@pytest.mark.parametrize("caller", ["", "none", "P", "O"])
def test_a_caller_without_a_number_has_none(lines: Lines, caller: str) -> None:
    assert said(lines.call(caller)) == ""
    assert isinstance(lines.lose(caller), StopCommand)


def test_nothing_is_held_where_nothing_is_to_be() -> None:
    assert isinstance(Lines(BridgeTarget("telnet", "bbs", 23)).lose("07"), StopCommand)


def test_the_same_caller_with_the_token_is_back(lines: Lines) -> None:
    event = lines.lose("07")
    assert isinstance(event, HoldCommand)
    assert (event.token, event.seconds, event.instead) == ("T1", 300, ())
    visit = lines.call("07")
    assert "Token (Enter: a new session)" in said(visit)
    assert visit.take_events() == []
    visit.receive(b"t1\rrest", 1.0)
    assert visit.take_events() == [Reattach("T1")]
    assert visit.take_command_input() == b"rest"
    assert not lines.holding.awaits("07")
    # And its line may break again.
    visit.carrier_lost()
    (again,) = visit.take_events()
    assert isinstance(again, HoldCommand)
    assert again.token == "T1"


def test_another_caller_is_offered_nothing_whatever_the_token(lines: Lines) -> None:
    lines.lose("07")
    assert "your token is T2" in said(lines.call("08"))
    assert lines.holding.find("T1", "08") is None


def test_three_wrong_tokens_and_a_new_session_begins(lines: Lines) -> None:
    lines.lose("07")
    visit = lines.call("07")
    visit.receive(b"x\ry\r", 0.0)
    assert visit.take_events() == []
    visit.receive(b"T3\x08\x08T2\r", 0.0)
    (order,) = visit.take_events()
    assert isinstance(order, OpenBridge)
    assert lines.holding.awaits("07")  # it goes on waiting


@pytest.mark.parametrize("way", ["enter", "time"])
def test_no_token_is_a_new_session(lines: Lines, way: str) -> None:
    lines.lose("07")
    visit = lines.call("07", 100.0)
    if way == "enter":
        visit.receive(b"\r", 101.0)
    else:
        due = visit.deadline()
        assert due == 160.0
        visit.handle_timer(due)
    (order,) = visit.take_events()
    assert isinstance(order, OpenBridge)
    assert visit.deadline() is None


def test_two_sessions_of_a_caller_wait_at_most(lines: Lines) -> None:
    held = []
    for _ in range(3):
        visit = lines.call("07")
        visit.receive(b"\r", 0.0)
        visit.take_events()
        visit.carrier_lost()
        held += visit.take_events()
    assert [event.instead for event in held if isinstance(event, HoldCommand)] == [(), (), ("T1",)]
    assert lines.holding.find("T1", "07") is None
    assert lines.holding.find("T2", "07") == "T2"


def test_what_has_ended_is_not_offered(lines: Lines) -> None:
    event = lines.lose("07")
    assert isinstance(event, HoldCommand)
    event.gone(event.token)
    assert "your token is T2" in said(lines.call("07"))


def test_a_host_that_does_not_answer_is_not_named(lines: Lines) -> None:
    visit = lines.call("07")
    said(visit)
    visit.command_ended(127, "bbs:23: connection refused")
    assert "does not answer now" in said(visit)
    assert visit.reason == "bbs:23: connection refused"
    assert visit.state is SessionState.OVER


def test_a_token_is_typed_as_every_other_line(lines: Lines) -> None:
    lines.lose("07")
    visit = lines.call("07")
    said(visit)
    visit.receive(b"t2\x7f1", 0.0)
    assert said(visit) == "**\b \b*"
    visit.receive(b"\x15\x03", 0.0)
    assert said(visit) == "\b \b\b \b\r\nToken (Enter: a new session): "
    visit.receive(b"t1\r", 0.0)
    assert visit.take_events() == [Reattach("T1")]


def test_who_leaves_at_the_token_leaves_the_session_waiting(lines: Lines) -> None:
    lines.lose("07")
    visit = lines.call("07")
    visit.receive(b"\x04", 0.0)
    assert (visit.state, visit.take_events()) == (SessionState.OVER, [])
    assert lines.holding.awaits("07")


IDLE = BridgeTarget("telnet", "bbs", 23, idle=600)


def test_a_call_on_which_nothing_passes_ends() -> None:
    bench = Bench(replace(place(), service=Lines(IDLE).service))
    bench.call()
    begun = bench.now
    bench.modem(b"x")
    bench.getty.count_output(b"y" * 100, bench.now)
    bench.wait(599.0)
    assert bench.getty.state is GettyState.SESSION
    bench.getty.count_output(b"z", bench.now)
    bench.wait(599.0)
    bench.modem(b"\r")
    bench.wait(599.0)
    assert bench.getty.state is GettyState.SESSION
    assert b"Nothing typed or shown for 10 minutes. Goodbye.\r\n" in bench.wait(30.0)
    assert bench.now - begun > 1800
    assert StopCommand() in bench.events
    assert CallEnded("idle") in bench.events


def test_the_time_runs_from_when_a_slow_line_has_carried_everything() -> None:
    visit = Lines(replace(IDLE, idle=10)).call("07", 0.0)
    visit.command_spoke(68.0)  # 2048 octets at 300 bit/s
    visit.receive(b"x", 1.0)
    assert visit.deadline() == 78.0
    visit.handle_timer(77.9)
    assert visit.state is SessionState.COMMAND
    visit.handle_timer(78.0)
    assert "for 10 seconds" in said(visit)


def test_without_a_limit_no_time_runs(lines: Lines) -> None:
    visit = lines.call("07")
    visit.receive(b"x", 5.0)
    assert visit.deadline() is None


def logged_in(lines: Lines, user: User) -> Bench:
    where = replace(place(House()), users=UserBook([user]), bridge=lambda target: lines.service)
    bench = Bench(where)
    bench.call()
    bench.modem(user.name.encode() + b"\r" + (b"sesame\r" if user.password_hash else b""))
    return bench


def test_a_user_is_put_through_after_the_login_and_known_by_name(lines: Lines) -> None:
    user = User("ali", HASH, HELD)
    bench = logged_in(lines, user)
    assert LoggedIn("ali") in bench.events
    assert b"your token is T1" in bench.sent
    (order,) = [event for event in bench.events if isinstance(event, OpenBridge)]
    assert (order.target, order.environment["USER"]) == (HELD, "ali")
    house = bench.getty._place.house
    assert len(house) == 1
    bench.getty.carrier_changed(True, bench.now)
    bench.getty.carrier_changed(False, bench.now)
    bench.drain()
    assert len(house) == 0
    assert lines.holding.awaits("user ali")
    again = logged_in(lines, user)
    again.modem(b"T1\r")
    assert Reattach("T1") in again.events
    # Whoever has not proved a password is known by number alone.
    assert not any(isinstance(e, HoldCommand) for e in logged_in(lines, User("guest", "", HELD)).events)


def test_where_nothing_puts_users_through_they_find_the_menu() -> None:
    bench = Bench(replace(place(), users=UserBook([User("ali", "", HELD)])))
    bench.call()
    assert b"Command: " in bench.modem(b"ali\r")
