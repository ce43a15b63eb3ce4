"""The board's database: SQLite and PostgreSQL pass the same tests."""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.postgres import Cluster, cluster

from ansam.answer.bbs.board import Account, Count, Message
from ansam.answer.bbs.screen import COMMODORE, PLAIN
from ansam.answer.bbs.settings import MAIL
from ansam.errors import ConfigError, ResourceError
from ansam.io.bbs_store import BbsStore

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.peer("postgresql"))]


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[], Cluster]]:
    """Start a cluster when the first test asks for it."""
    with ExitStack() as stack:
        yield functools.cache(lambda: stack.enter_context(cluster()))


@pytest.fixture(params=KINDS)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[], Cluster]
) -> Iterator[BbsStore]:
    database = str(tmp_path / "a" / "b.sqlite") if request.param == "sqlite" else servers().database()
    made = BbsStore(database)
    yield made
    made.close()


def post(store: BbsStore, area: str, author: str, to: str = "", text: str = "text") -> int:
    return store.post(Message(area, author, to, "subject", text, posted=1e9))


def test_accounts(store: BbsStore) -> None:
    account = Account("Bob", "$argon2id$x", created=1e9, look=COMMODORE, approved=False)
    assert store.create(account)
    assert not store.create(replace(account, name="BOB"))
    assert store.account("bob") == account
    store.save(replace(account, password_hash="$argon2id$new", look=PLAIN), ["password_hash", "look"])
    store.save(replace(account, calls=3, last_call=1.5e9), ["calls", "last_call"])
    kept = replace(account, calls=3, last_call=1.5e9, password_hash="$argon2id$new", look=PLAIN)
    assert store.account("BOB") == kept
    store.save(Account("ali", own=False), ["calls"])
    assert [one.name for one in store.accounts()] == ["Bob"]
    store.approve("bOB")
    assert store.account("bob").approved  # type: ignore[union-attr]
    assert store.remove("bob")
    assert not store.remove("ali")
    with pytest.raises(ConfigError, match="the board knows no bob"):
        store.approve("bob")


def test_calls(store: BbsStore) -> None:
    first = store.call_began("ali", "ttyUSB0", "300", 1e9)
    store.call_began("bob", "x" * 300, "y" * 300, 2e9)
    store.call_ended(first, 1e9 + 60)
    second, one = store.last_calls(5)
    assert (one.name, one.ended) == ("ali", 1e9 + 60)
    assert (second.name, second.ended, len(second.port)) == ("bob", None, 64)


def test_messages_and_marks(store: BbsStore) -> None:
    numbers = [post(store, "general", "ali", text=f"text {n}") for n in range(3)]
    post(store, "other", "ali")
    assert store.counts(["other"], "ALI")["other"] == Count(1, 0, 0)
    assert store.counts(["general", "none"], "Bob") == {"general": Count(3, 3, 0), "none": Count()}
    store.mark("general", "Bob", numbers[1])
    store.mark("general", "BOB", numbers[0])
    assert store.counts(["general"], "bob")["general"] == Count(3, 1, numbers[1])
    assert [one.number for one in store.headers("general", "bob", numbers[0])] == numbers[1:]
    assert store.message("general", "bob", numbers[2]).body == "text 2"  # type: ignore[union-attr]
    assert store.neighbour("general", "bob", numbers[2], forward=False).number == numbers[1]  # type: ignore[union-attr]
    store.delete("other", numbers[0])
    assert store.message("general", "bob", numbers[0]) is not None
    store.delete("general", numbers[0])
    assert store.message("general", "bob", numbers[0]) is None


def test_mail_has_two_readers(store: BbsStore) -> None:
    number = post(store, MAIL, "ali", "Bob")
    for reader, count in (("BOB", 1), ("ali", 1), ("eve", 0)):
        assert store.counts([MAIL], reader)[MAIL].total == count
        assert (store.message(MAIL, reader, number) is not None) == bool(count)


@pytest.mark.parametrize("text", ["nul \0 in it", "half \ud800 a pair", "x" * 100_000, "\u20ac \U0001f600"])
def test_nothing_a_poster_writes_is_refused(store: BbsStore, text: str) -> None:
    number = store.post(Message("general", "ali", text, text, text))
    assert store.message("general", "ali", number) is not None


@pytest.mark.parametrize("number", [-(10**12), 10**12])
def test_numbers_that_no_column_holds(store: BbsStore, number: int) -> None:
    assert store.message("general", "ali", number) is None
    assert store.headers("general", "ali", number) == []


def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no database" * 100)
    with pytest.raises(ResourceError, match="file is not a database"):
        BbsStore(str(tmp_path / "x"))
