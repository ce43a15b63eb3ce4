import pytest

from ansam.answer.settings import AnswerSettings
from ansam.answer.users import Command, User, UserBook
from ansam.errors import ConfigError


@pytest.mark.parametrize("name", ["", "a b", "-f", "x" * 33, "ü", "a\tb"])
def test_bad_names(name: str) -> None:
    with pytest.raises(ConfigError, match="user name"):
        User(name)


def test_bad_entries() -> None:
    with pytest.raises(ConfigError, match="not an argon2 hash"):
        User("a", "secret")
    with pytest.raises(ConfigError, match="empty"):
        User("a", "", Command(()))
    with pytest.raises(ConfigError, match="twice"):
        UserBook([User("a"), User("a")])


@pytest.mark.parametrize(
    "bad", [{"rings": 0}, {"tries": 0}, {"login_time": -1.0}, {"prompt_wait": -1.0}, {"idle_time": -1.0}]
)
def test_bad_settings(bad: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        AnswerSettings(**bad)


def test_book() -> None:
    book = UserBook([User("a"), User("b")])
    assert len(book) == 2
    assert book.find("a") == User("a")
    assert book.find("c") is None
