"""Extensions and their numbers."""

import pytest

from ansam.errors import ConfigError
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.settings import ExchangeSettings


def test_leading_zeros_count() -> None:
    plan = DialPlan([Extension("05", "a"), Extension("5", "b")])
    assert plan.secret("05") == "a"
    assert plan.secret("5") == "b"
    assert plan.find("005") is None
    assert plan.secret("005") is None
    assert [extension.number for extension in plan] == ["05", "5"]
    assert len(plan) == 2


def test_the_secret_is_not_shown() -> None:
    assert "hush" not in repr(Extension("05", "hush"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "", "secret": "x"},
        {"number": "0 5", "secret": "x"},
        {"number": "05@h", "secret": "x"},
        {"number": "0" * 33, "secret": "x"},
        {"number": "05", "secret": ""},
        {"number": "05", "secret": "x", "call_limit": 0},
        {"number": "05", "secret": "x", "name": "a\r\nb"},
    ],
)
def test_what_is_no_extension(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        Extension(**wrong)


def test_a_number_twice() -> None:
    with pytest.raises(ConfigError, match="05 is there twice"):
        DialPlan([Extension("05", "a"), Extension("05", "b")])


@pytest.mark.parametrize(
    "wrong", [{"realm": ""}, {"realm": 'a"'}, {"ring_seconds": 0}, {"min_expires": 0}, {"max_expires": 10}]
)
def test_settings_out_of_range(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        ExchangeSettings(**wrong)
