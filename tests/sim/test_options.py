"""Options and what they say of a circuit."""

import pytest

from ansam.errors import ConfigError
from ansam.line import End
from ansam.sim import Direction, SimOptions


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        (("ATS0=1",), ("ATS0=1",)),
        (("AT&N3",), ("AT&N3", "ATS0=1")),
        (("ATS07=1",), ("ATS07=1", "ATS0=1")),
        (("at&n3s0=2",), ("at&n3s0=2",)),
        (("ATS0=0", "AT&F"), ("ATS0=0", "AT&F")),
        ((), ("ATS0=1",)),
    ],
)
def test_the_answering_modem_answers_unless_told_otherwise(typed, lines):
    assert SimOptions(answering=typed).answering_lines == lines


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"seconds": -1}, "seconds of -1"),
        ({"seconds": float("nan")}, "seconds"),
        ({"seed": -1}, "seed of -1"),
        ({"dial": "05"}, "command line '05'"),
        ({"calling": ("ATé",)}, "ATé"),
        ({"answering": ("AT\r",)}, "command line"),
        ({"loss": 2}, "loss of 2"),
        ({"skew": 1e9}, "skew"),
    ],
)
def test_bad_options_are_named(values, named):
    with pytest.raises(ConfigError, match=named):
        SimOptions(**values)


@pytest.mark.parametrize("level", [12, -12])
def test_near_and_far_echo(level):
    near = SimOptions(echo=level, echo_delay=25, offset=5).circuit.echoes[End.CALLING][0]
    far = SimOptions(echo=level, echo_delay=300, offset=5).circuit.echoes[End.ANSWERING][0]
    assert (near.level_db, near.offset_hz) == (-12, 0)
    assert (far.level_db, far.offset_hz) == (-12, 5)
    assert SimOptions().circuit.echoes == {}


def test_who_sends():
    assert [Direction.UP.sends(end) for end in End] == [True, False]
    assert [Direction.DOWN.sends(end) for end in End] == [False, True]
    assert [Direction.BOTH.sends(end) for end in End] == [True, True]
