"""The terminal's rate, found from what a UART at another rate makes of its letters."""

import itertools
import random

import pytest
from tests.support.uart import Line, received

from ansam.dte.autobaud import RATES, RateFinder
from ansam.dte.parity import PortParity, with_parity

PARITIES = [PortParity.NONE, PortParity.EVEN, PortParity.ODD, PortParity.MARK]
LINES_NEEDED = {115200: 0, 57600: 1, 38400: 1, 19200: 1, 9600: 1, 4800: 2, 2400: 2, 1200: 2, 600: 2, 300: 3}
"""Lines lost before the first that is understood."""


def say(finder: RateFinder, rate: float, octets: bytes, resynchronises: bool, pause: float = 0.0) -> bytes:
    """Send octets at a rate to the finder's port, which follows at once; return what arrived whole."""
    got = b""
    line = Line(rate)
    for octet in octets:
        line.send(octet, pause)
    for octet, wrong in received(line, finder.rate, resynchronises=resynchronises):
        if finder.hear(octet, wrong) is not None:
            return b""
        got += bytes([octet])
    return got


@pytest.mark.parametrize("resynchronises", [False, True])
@pytest.mark.parametrize("rate", RATES)
def test_every_rate_is_found_in_every_format(rate: int, resynchronises: bool) -> None:
    rng = random.Random(rate)
    for parity, letters, slow in itertools.product(PARITIES, (b"AT", b"at"), (False, True)):
        finder = RateFinder()
        sent = with_parity(letters + b"E1&K3\r", parity)
        lines = 0
        # Quartz and divisor of both ends together are 2 % off at most.
        actual = rate * (1 + rng.uniform(-0.02, 0.02))
        while say(finder, actual, sent, resynchronises, 30 / rate if slow else 0.0) != sent:
            lines += 1
            assert lines <= 4, (parity, letters, slow)
        assert (finder.rate, lines) == (rate, LINES_NEEDED[rate])


@pytest.mark.parametrize("rate", RATES)
def test_data_that_arrive_whole_change_nothing(rate: int) -> None:
    finder = RateFinder(rate)
    octets = random.Random(1).randbytes(20_000) + bytes(100)
    assert all(finder.hear(octet, False) is None for octet in octets)


def test_a_break_or_two_change_nothing() -> None:
    finder = RateFinder()
    for _ in range(50):
        assert finder.hear(0, True) is None
        assert all(finder.hear(octet, False) is None for octet in b"the rest of the line\r")


def test_a_terminal_that_slows_down_is_followed() -> None:
    finder = RateFinder(57600)
    for _ in range(2):
        say(finder, 1200, b"ATZ\r", True)
    assert say(finder, 1200, b"ATZ\r", True) == b"ATZ\r"


def test_where_nothing_arrives_whole_the_search_begins_anew() -> None:
    finder = RateFinder(9600)
    rates = [finder.hear(octet, True) for octet in range(100, 112)]
    assert rates == [None] * 11 + [115200]
    assert finder.rate == 115200
    assert all(finder.hear(octet, True) is None for octet in range(100, 120))
