"""The board's dialogues: who gets in, what is read and written, who sees what."""

from pathlib import Path

import pytest
from tests.support.answer import HASH
from tests.support.bbs import Call, World, settings

from ansam.answer.bbs.settings import NewUsers
from ansam.answer.events import LoggedIn, LoginFailed, Trouble
from ansam.answer.users import Bbs, User

PASSWORD = "sesame"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(settings(tmp_path, detect_ansi=False))


def join(world: World, name: str) -> Call:
    """Make an account; return the call, at the main menu."""
    call = world.call()
    call.log_on("new")
    for answer in (f"{name}\r", f"{PASSWORD}\r", f"{PASSWORD}\r", "8"):
        call.types(answer)
    return call


def test_a_new_user_joins_and_comes_back(world: World) -> None:
    call = join(world, "Bob")
    assert call.named(LoggedIn) == [LoggedIn("Bob")]
    assert "Goodbye, Bob." in call.types("G")
    assert call.over
    again = world.call()
    assert "Your last call was on 03 Aug 2026 14:0" in again.log_on("BOB", PASSWORD)
    assert world.store.account("bob").calls == 2  # type: ignore[union-attr]
    assert world.users.find("Bob") == User("Bob", "$argon2id$of " + PASSWORD, Bbs())


@pytest.mark.parametrize("name", ["ALI", "guest", "sysop", "all", "mail"])
def test_names_that_are_taken(world: World, name: str) -> None:
    call = world.call()
    call.log_on("new")
    assert f"{name} is taken." in call.types(f"{name}\r")


def test_new_users_wait_for_the_sysop(tmp_path: Path) -> None:
    world = World(settings(tmp_path, detect_ansi=False, new_users=NewUsers.SYSOP))
    call = join(world, "Bob")
    assert call.over
    assert call.named(Trouble) == [Trouble("bbs: Bob wants to join; let in by: ansam user approve Bob")]
    waiting = world.call()
    assert "has not let you in yet" in waiting.log_on("Bob", PASSWORD)
    assert waiting.over
    world.store.approve("bob")
    assert "Welcome, Bob." in world.call().log_on("Bob", PASSWORD)


def test_no_new_users(tmp_path: Path) -> None:
    world = World(settings(tmp_path, detect_ansi=False, new_users=NewUsers.NONE))
    call = world.call()
    assert "NEW" not in call.log_on("stranger")
    assert call.screen.endswith(b"Password: ")


def test_wrong_passwords_are_held_back_and_end_the_call(world: World) -> None:
    call = world.call()
    began = world.now
    call.log_on("ali", "wrong")
    for _ in range(2):
        call.wait(10.0)
        call.types("ali\rwrong\r")
    call.wait(10.0)
    assert b"Too many tries" in call.screen
    assert call.over
    assert world.now - began > 14.0
    assert call.named(LoginFailed) == [LoginFailed("ali")] * 3


def test_a_user_of_the_configuration_has_its_password_there(world: World) -> None:
    assert HASH == "$argon2id$of sesame"
    assert "Welcome, ali." in world.call().log_on("Ali", PASSWORD)
    assert world.store.accounts() == []


def test_a_user_of_the_login_prompt_is_known(world: World) -> None:
    assert "Welcome, ali." in world.call(user=User("ali", HASH, Bbs())).rest().decode()
    gone = world.call(user=User("Bob", "$argon2id$of old", Bbs()))
    assert "The board has changed" in gone.rest().decode()
    assert gone.over


def test_posting_reading_answering_and_deleting(world: World) -> None:
    bob = join(world, "Bob")
    bob.types("MP\rFirst\r")
    assert "Saved as number 1." in bob.types("Hello\r\r/Q\r/S\r")
    ali = world.call()
    assert "New messages: 1." in ali.log_on("ali", PASSWORD)
    seen = ali.types("N")
    assert "From Bob\r\nTo   all\r\nSubj First\r\n\r\nHello\r\n" in seen
    ali.types("R/Q\rI am here\r")
    assert "1: > Hello" in ali.types("/L\r")
    assert "Saved as number 2." in ali.types("/S\r")
    assert "Re: First" in ali.types("N")
    assert "answers 1" in ali.screen.decode()
    ali.types("Q")
    bob.types("QNN")
    assert b"Re: First" in bob.screen
    assert bob.screen.endswith(b"Next, Prev, Reply, Again, Quit (N): ")
    assert "Delete it?" in ali.types("MG1\rD")
    ali.types("Y")
    assert world.store.message("general", "ali", 1) is None


def test_lines_are_edited(world: World) -> None:
    call = join(world, "Bob")
    call.types("MP\rEdit\r")
    call.types("one\rtwo\rthree\r/D 2\r/I 1\rzero\r/E 2\r\x15eins\r/D 99\r/?\r")
    assert "/L  list" in call.screen.decode()
    call.types("/S\r")
    assert world.store.message("general", "bob", 1).body == "zero\neins\nthree"  # type: ignore[union-attr]
    call.types("P\rNever\rx\r/A\rY")
    assert world.store.headers("general", "bob", 1) == []


def test_long_words_and_lines_are_wrapped(world: World) -> None:
    call = join(world, "Bob")
    call.types("MP\rWrap\r")
    text = " ".join(["syllables"] * 20)
    call.types(f"{text}\r{'x' * 100}\r/S\r")
    lines = world.store.message("general", "bob", 1).body.split("\n")  # type: ignore[union-attr]
    assert " ".join(lines[:3]) == text
    assert lines[3:] == ["x" * 74, "x" * 26]


def test_mail_is_seen_by_both_ends_alone(world: World) -> None:
    bob = join(world, "Bob")
    bob.types("EW")
    assert "Eve is not known here." in bob.types("Eve\r")
    bob.types("WALI\rSecret\rpsst\r/S\r")
    eve = join(world, "Eve")
    assert "There are no more messages." in eve.types("EG1\r")
    assert "New messages: 0." in eve.screen.decode()
    ali = world.call()
    assert "There is new mail for you: 1." in ali.log_on("ali", PASSWORD)
    assert "psst" in ali.types("ER")


def test_only_sysops_post_in_some_areas(world: World) -> None:
    bob = join(world, "Bob")
    bob.types("MA2\r")
    assert "Only the sysop posts here." in bob.types("P")
    ali = world.call()
    ali.log_on("ali", PASSWORD)
    ali.types("MA2\rP\rNews\rRead all about it\r/S\r")
    assert world.store.headers("news", "bob", 0)[0].author == "ali"


def test_steering_characters_of_posters_are_left_out(world: World) -> None:
    call = join(world, "Bob")
    call.types(b"MP\rA\x1b[2J\x9bB\x07\r")
    call.types(b"text\x1b[31m\x01\x02 more\r/S\r")
    message = world.store.message("general", "bob", 1)
    assert message is not None
    assert (message.subject, message.body) == ("A\u00a2B", "text more")


def test_last_callers_and_who(world: World) -> None:
    bob = join(world, "Bob")
    bob.types("G")
    ali = world.call("33600/ARQ/V34/LAPM")
    ali.log_on("ali", PASSWORD)
    first, second = [line for line in ali.types("L").splitlines() if line.startswith(("ali", "Bob"))]
    assert first.startswith("ali            03 Aug 2026")
    assert second.endswith("min")
    assert "33600/ARQ/V34/LAPM" in ali.types("W")


def test_chat(world: World) -> None:
    ali, bob = world.call("33600"), world.call("33600")
    ali.log_on("ali", PASSWORD)
    bob.log_on("guest")
    ali.types("C")
    assert "Chat: ali." in bob.types("C")
    ali.types("hello\r")
    assert "ali: hello" in bob.rest().decode()
    bob.types(".\r")
    assert "guest (ttyUSB0) has left" in ali.rest().decode()
    assert "Main" in bob.screen.decode().rpartition("Chat:")[2]


def test_paging_tells_the_log_and_a_sysop_on_line(world: World) -> None:
    ali, bob = world.call(), world.call()
    ali.log_on("ali", PASSWORD)
    bob.log_on("guest")
    assert "The sysop is on line" in bob.types("Phelp\r")
    assert bob.named(Trouble) == [Trouble("bbs: guest pages the sysop: help")]
    assert "guest pages the sysop: help" in ali.types("T")


def test_the_days_time_is_used_up(tmp_path: Path) -> None:
    world = World(settings(tmp_path, detect_ansi=False, call_minutes=30, day_minutes=20))
    call = world.call()
    call.log_on()
    assert "Main 20 min" in call.screen.decode()
    for _ in range(8):
        call.types("T")
        call.wait(180.0)
    assert call.over
    again = world.call()
    assert "You have used your time for today" in again.log_on()
    assert again.over
    world.now += 86400.0
    assert "Main 20 min" in world.call().log_on()


def test_expert_mode_stays_and_slow_lines_have_no_menus(world: World) -> None:
    call = world.call()
    assert "M Messages" in call.log_on()
    call.types("X")
    call.types("G")
    assert "M Messages" not in world.call().log_on()
    slow = world.call("300")
    seen = slow.log_on("ali", PASSWORD)
    assert "[MENFBDWLCPSTXG?]" in seen
    assert "M Messages" in slow.types("?")


def test_settings_are_kept(world: World) -> None:
    call = join(world, "Bob")
    assert "40 x 24" in call.types("SC40\r")
    assert "Protocol YMODEM" in call.types("PY")
    assert "It is changed." in call.types(f"W{PASSWORD}\rother\rother\r")
    call.types("HU")
    call.types("QG")
    again = world.call()
    assert "Welcome" in again.log_on("Bob", "other")
    look = world.store.account("Bob").look  # type: ignore[union-attr]
    assert (look.columns, look.charset) == (40, "utf-8")


def test_display_files_reach_the_caller_as_they_are(tmp_path: Path) -> None:
    world = World(settings(tmp_path))
    octets = bytes(range(0x80, 0x100)) + b"\xc9\xcd\xbb"
    texts = tmp_path / "texts"
    (texts / "welcome.ans").write_bytes(
        b"\x1b[1;31m" + octets + b" @BBS@ @BAUD@ @NOSUCH@ a@b @X1F!\n\x1aSAUCE00"
    )
    (texts / "welcome.txt").write_bytes(b"plain @BBS@ @X1Fhere\n")
    call = world.call()
    call.wait(0.5)
    call.types(b"\x1b[1;1R")
    assert b"\x1b[1;31m" + octets + b" Test Board 2400 @NOSUCH@ a@b \x1b[0;1;37;44m!\r\n" in call.screen
    assert b"SAUCE" not in call.screen
    plain = world.call()
    assert "plain Test Board here\r\n" in plain.rest().decode("cp437")


def test_bulletins(tmp_path: Path, world: World) -> None:
    (tmp_path / "texts" / "bulletin2.txt").write_bytes(b"Second @USER@\n")
    call = world.call()
    call.log_on()
    assert "Bulletin 2 or Q (Q): " in call.types("B")
    assert "Second guest" in call.types("2")


def test_a_commodore(world: World) -> None:
    call = world.call("300")
    call.rest()
    call.types(b"\x14GUEST\r")
    seen = bytes(call.screen)
    assert b"\xd7ELCOME, GUEST." in seen
    assert b"\n" not in seen.partition(b"\x14")[2].partition(b"GUEST\r")[2].partition(b"\xd7ELCOME")[2]
    call.types(b"G")
    assert call.over


@pytest.mark.parametrize(
    "keys",
    ["", "guest\r", "guest\rM", "guest\rMP\rSubject\rtext\r", "guest\rB", "guest\rC", "guest\rS", "new\r"],
)
def test_a_call_that_breaks_off_leaves_nobody_in_the_house(world: World, keys: str) -> None:
    call = world.call()
    call.rest()
    call.types(keys)
    call.visit.carrier_lost()  # type: ignore[attr-defined]
    call.drain()
    assert call.over
    assert len(world.house) == 0
    assert all(past.ended is not None for past in world.store.last_calls(5))
