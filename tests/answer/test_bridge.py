"""Callers who are put through: tokens, and whose session is whose."""

import pytest
from tests.support.answer import place

from ansam.answer.bridge import BridgeService, BridgeVisit, Holding
from ansam.answer.events import HoldCommand, OpenBridge, Reattach, StopCommand
from ansam.answer.service_url import BridgeTarget
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
