"""Corners of the sections: scanning, going back, settings, the board without this or that."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tests.support.bbs import Call, World, settings

from ansam.answer.bbs.board import Message
from ansam.answer.bbs.doors import DropFacts, door32, door_sys, dorinfo
from ansam.answer.bbs.screen import wrap
from ansam.answer.bbs.settings import Door
from ansam.answer.events import RunCommand
from ansam.errors import ResourceError


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(settings(tmp_path, detect_ansi=False))
    for number in range(3):
        world.store.post(Message("general", "ali", "", f"Subject {number}", f"text {number}", posted=1e9))
    return world


@pytest.fixture
def call(world: World) -> Call:
    call = world.call()
    call.log_on()
    return call


def test_scanning_titles(call: Call) -> None:
    seen = call.types("MS2\r")
    assert "     2 09 Sep 01 ali              all              Subject 1\r\n" in seen
    assert "Subject 0" not in seen
    assert "Subject 0" in call.types("S\r")
    assert "There are none." in call.types("S99\r")


def test_going_back_and_again(call: Call) -> None:
    assert "text 1" in call.types("MG2\r")
    assert "text 0" in call.types("P")
    assert "There is none before it." in call.types("P")
    assert "text 0" in call.types("A")
    assert "text 2" in call.types("NN")
    assert "That was the last one." in call.types("N")
    assert "There are no more messages." in call.types("G9\r")


def test_a_mark_stays_where_reading_stopped(world: World, call: Call) -> None:
    call.types("MRNQ")
    assert "1 General: 3, 1 new" in call.types("A\r")
    call.types("QN")
    assert call.screen.endswith(b"Next, Prev, Reply, Again, Quit (N): ")
    assert b"text 2" in call.screen


def test_mail_is_answered_to_its_author_and_deleted_by_its_reader(world: World) -> None:
    world.store.post(Message("mail", "guest", "ali", "Question", "What?", posted=1e9))
    ali = world.call()
    ali.log_on("ali", "sesame")
    ali.types("ERR")
    ali.types("Because.\r/S\r")
    answer = world.store.message("mail", "guest", 5)
    assert answer is not None
    assert (answer.recipient, answer.subject, answer.reply_to) == ("guest", "Re: Question", 4)
    ali.types("DY")
    assert world.store.message("mail", "ali", 4) is None
    assert "Question" in ali.types("QS1\r")


@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        ("TA", "Terminal ansi, 80 x 24"),
        ("TC", "40 X 25"),
        ("TF", "Terminal ascii (found by itself)"),
        ("R50\r", "80 x 50"),
        ("R500\r", "80 x 24"),
        ("P-", "Protocol asked for"),
        ("WX", "Your password is the sysop's to change."),
    ],
)
def test_settings(call: Call, keys: str, seen: str) -> None:
    assert seen in call.types("S" + keys)


def test_a_password_is_changed_by_who_knows_it(world: World) -> None:
    call = world.call()
    call.log_on("new")
    for answer in ("Bob\r", "abc\r", "abcd\r", "abce\r", "abcd\r", "abcd\r", "8"):
        call.types(answer)
    assert "At least 4 characters" in call.screen.decode()
    call.types("SWwrong\r")
    call.wait(10.0)
    assert b"That is not right." in call.screen
    assert "It was not changed." in call.types("Wabcd\rxyz\r")
    assert "It was not changed." in call.types("Wabcd\rwxyz\rwxy\r")


def test_a_board_that_has_little(tmp_path: Path) -> None:
    call = World(settings(tmp_path, detect_ansi=False, messages=(), files=())).call()
    call.log_on()
    assert "There are no message areas." in call.types("M")
    assert "There are no file areas." in call.types("F")
    assert "There are no doors." in call.types("D")
    assert "There are no bulletins." in call.types("B")


def test_what_can_not_be_looked_up_is_said_and_the_call_goes_on(
    world: World, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[object]:
        raise ResourceError("disk full")

    monkeypatch.setattr(world.store, "last_calls", broken)
    assert "That can not be had at the moment." in call.types("L")
    assert not call.over
    monkeypatch.setattr(world.store, "account", broken)
    lost = world.call()
    assert "The board can not be reached at the moment. Goodbye." in lost.log_on()
    assert lost.over


def test_a_door_that_can_not_be_started(tmp_path: Path) -> None:
    door = Door("game", ("prog", "%U", "%T", "x%U"), "Game", minutes=5)
    call = World(settings(tmp_path, detect_ansi=False, doors=(door,))).call()
    call.log_on()
    call.types("DGAME\r")
    (order,) = [event for event in call.events if isinstance(event, RunCommand)]
    assert order.argv == ("prog", "guest", "5", "x%U")
    assert order.environment["DROP"] == order.directory
    call.visit.command_ended(127, "can not start prog")  # type: ignore[attr-defined]
    assert "That door is stuck." in call.rest().decode()


FACTS = DropFacts(
    *("Bob_Brown", "Board", "Jane Doe", 10, 42, 2, 9600, True, 24, 7, 1, 3),
    previous=datetime(2026, 8, 1, 12, 0),
    began=datetime(2026, 8, 3, 14, 5),
    error_control=True,
)


def test_drop_files() -> None:
    lines = door_sys(FACTS).decode().split("\r\n")
    assert len(lines) == 53
    assert lines[:10] == ["COM0:", "9600", "8", "2", "9600", "Y", "N", "Y", "Y", "Bob_Brown"]
    assert lines[14:22] == ["10", "7", "08/01/26", "2520", "42", "GR", "24", "N"]
    assert lines[34:36] == ["Jane Doe", "Bob_Brown"]
    assert (lines[43], lines[44]) == ("14:05", "12:00")
    assert dorinfo(FACTS).decode().split("\r\n") == [
        *(
            "Board",
            "Jane",
            "Doe",
            "COM0",
            "9600 BAUD,N,8,1",
            "0",
            "Bob",
            "Brown",
            "",
            "1",
            "10",
            "42",
            "-1",
            "",
        )
    ]
    assert door32(replace(FACTS, ansi=False)).decode().split("\r\n") == [
        *("0", "0", "9600", "ansam", "1", "Bob_Brown", "Bob_Brown", "10", "42", "0", "2", "")
    ]


def test_wrapping() -> None:
    assert list(wrap("one two three", 7)) == ["one two", "three"]
    assert list(wrap("x" * 10, 4)) == ["xxxx", "xxxx", "xx"]
    assert list(wrap("", 4)) == [""]
    assert list(wrap("ab cd", 2)) == ["ab", "cd"]
