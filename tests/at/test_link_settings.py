"""+ES, +DS, +DS44 and the short forms &M, &K, \\N, %C say the same things."""

import pytest
from tests.support.at import HIGH_SPEED, Terminal

from ansam.at.link_settings import LinkSettings
from ansam.at.settings import Settings


def test_defaults():
    link = LinkSettings()
    assert link.wanted(calling=True)
    assert link.wanted(calling=False)
    assert not link.required(calling=True)
    assert link.detection


@pytest.mark.parametrize(
    ("line", "es", "ds", "m", "k"),
    [
        ("AT&M0", (1, 0, 1), 3, 0, 1),
        ("AT&M5", (3, 3, 5), 3, 5, 1),
        ("AT\\N0", (1, 0, 1), 3, 0, 1),
        ("AT\\N3", (3, 0, 2), 3, 4, 1),
        ("AT\\N4", (3, 3, 5), 3, 5, 1),
        ("AT&K0", (3, 0, 2), 0, 4, 0),
        ("AT%C0", (3, 0, 2), 0, 4, 0),
        ("AT%C0%C3", (3, 0, 2), 3, 4, 1),
        ("AT+ES=2,2,4", (2, 2, 4), 3, 5, 1),
        ("AT+ES=1", (1, 0, 2), 3, 0, 1),
        ("AT+DS=0;+DS44=0", (3, 0, 2), 0, 4, 0),
        ("AT+DS=1,,1024,16", (3, 0, 2), 1, 4, 1),
    ],
)
def test_what_each_writes(line, es, ds, m, k):
    terminal = Terminal(HIGH_SPEED)
    assert terminal.type(line) == "OK"
    settings = terminal.modem.settings
    assert (settings.link.es, settings.link.ds[0], settings["&M"], settings["&K"]) == (es, ds, m, k)


@pytest.mark.parametrize(
    "line",
    [
        *("AT+ES=4", "AT+ES=3,4", "AT+ES=3,0,6", "AT+ES=3,0,2,1", "AT+ES=x"),
        *("AT+DS=4", "AT+DS=3,0,511", "AT+DS=3,0,512,5", "AT+DS44=3,0,0,255", "AT\\N8", "AT%C4"),
    ],
)
def test_refused(line):
    terminal = Terminal(HIGH_SPEED)
    before = terminal.modem.settings.link
    assert terminal.type(line) == "ERROR"
    assert terminal.modem.settings.link == before


def test_queries():
    terminal = Terminal(HIGH_SPEED)
    assert terminal.type("AT+ES?") == "+ES: 3,0,2 | OK"
    assert terminal.type("AT+DS=?") == "+DS: (0-3),(0-1),(512-65535),(6-250) | OK"


def test_stored_in_a_profile():
    settings = Settings()
    settings["&M"] = 5
    assert Settings.from_dict(settings.to_dict()).link == settings.link
