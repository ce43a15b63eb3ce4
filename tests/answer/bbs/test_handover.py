"""From the login prompt, or straight from CONNECT, to the board on an answering line."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.answer import HASH, Bench
from tests.support.bbs import World, settings

from ansam.answer.bbs.main import BbsService
from ansam.answer.events import CallEnded, DoWork, LoggedIn
from ansam.answer.getty_state import GettyState
from ansam.answer.users import Bbs, User, UserBook


class BoardBench(Bench):
    """A bench that looks things up for the board."""

    def drain(self) -> bytes:
        out = bytearray()
        while True:
            out += super().drain()
            work = [event for event in self.events if isinstance(event, DoWork)]
            self.events = [event for event in self.events if not isinstance(event, DoWork)]
            if not work:
                return bytes(out)
            for event in work:
                result = event.work()
                if event.answered:
                    self.getty.work_done(result)


@pytest.fixture
def bench(tmp_path: Path) -> BoardBench:
    world = World(settings(tmp_path, detect_ansi=False))
    users = UserBook([User("guest"), User("bbs", "", Bbs()), User("ali", HASH, Bbs())])
    board = BbsService(world.settings, world.backing)
    return BoardBench(replace(world.place(), users=users, bbs=board))


def test_a_door_without_a_password_asks_who_comes(bench: BoardBench) -> None:
    bench.call(b"CONNECT 9600/ARQ")
    bench.modem(b"bbs\r\nguest\r")
    bench.wait(10.0)
    assert b"Your name or NEW: guest\r\n\r\nWelcome, guest.\r\n" in bench.sent
    bench.modem(b"G")
    bench.wait(10.0)
    assert bench.named(LoggedIn) == [LoggedIn("guest")]
    assert bench.named(CallEnded) == [CallEnded("guest logged off")]
    assert bench.sent.rstrip().endswith(b"ATQ0V1H0\rATS0=0Q0&D2&C1")


def test_a_user_with_a_password_is_known_to_the_board(bench: BoardBench) -> None:
    bench.call(b"CONNECT 9600/ARQ")
    bench.modem(b"ali\rsesame\r")
    bench.wait(5.0)
    assert b"Welcome, ali.\r\n" in bench.sent
    bench.getty.carrier_changed(True, bench.now)
    bench.getty.carrier_changed(False, bench.now)
    bench.wait(5.0)
    assert bench.named(CallEnded) == [CallEnded("no carrier")]
    assert bench.getty.state is GettyState.WAITING


def test_a_line_may_be_the_boards_alone(tmp_path: Path) -> None:
    world = World(settings(tmp_path, detect_ansi=False))
    board = BbsService(world.settings, world.backing)
    bench = BoardBench(replace(world.place(), service=board))
    bench.call()
    bench.wait(5.0)
    assert b"login:" not in bench.sent
    assert bench.sent.endswith(b"Your name or NEW: ")
