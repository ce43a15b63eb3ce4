"""+A8E: what is accepted has an effect, the rest is ERROR."""

import pytest
from tests.support.at import HIGH_SPEED, Terminal

from ansam.at.settings import Settings
from ansam.at.v8_settings import V8Settings


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("AT+A8E=0", V8Settings(originating=False)),
        ("AT+A8E=,0", V8Settings(answering=False)),
        ("AT+A8E=1,1,C1", V8Settings(indicator=True)),
        ("AT+A8E=,,c1,0", V8Settings(indicator=True)),
        ("AT+A8E=0,0,00,0", V8Settings(False, False, False)),
    ],
)
def test_sets(line: str, expected: V8Settings) -> None:
    terminal = Terminal(HIGH_SPEED)
    assert terminal.type(line) == "OK"
    assert terminal.modem.settings.v8 == expected


@pytest.mark.parametrize(
    "line",
    ["AT+A8E", "AT+A8E=6", "AT+A8E=1,5", "AT+A8E=1,1,21", "AT+A8E=1,1,00,1", "AT+A8E=1,1,00,0,0", "AT+A8E=x"],
)
def test_refused(line: str) -> None:
    terminal = Terminal(HIGH_SPEED)
    assert terminal.type(line) == "ERROR"
    assert terminal.modem.settings.v8 == V8Settings()


def test_queries() -> None:
    terminal = Terminal(HIGH_SPEED)
    assert terminal.type("AT+A8E?") == "+A8E: 1,1,00,0 | OK"
    assert terminal.type("AT+A8E=0,1,C1;+A8E?") == "+A8E: 0,1,C1,0 | OK"
    assert terminal.type("AT+A8E=?") == "+A8E: (0,1),(0,1),(00,C1),(0) | OK"


def test_stored() -> None:
    settings = Settings()
    settings.v8 = V8Settings(False, True, True)
    assert Settings.from_dict(settings.to_dict()).v8 == settings.v8
    other = Settings()
    other.assign(settings)
    assert other.v8 == settings.v8
