"""Automode with V.32bis and V.34 themselves, over lines with echo, delay and noise."""

import pytest
from tests.support.modem_line import Line, Random, Way, bit_errors

from ansam.modulation.automode import Automode
from ansam.modulation.base import ModulationOptions, Role

ALL = ("V.34", "V.32bis", "V.32", "V.22bis", "V.22", "V.21", "Bell 103")
V22BIS = ("V.22bis", "V.22", "V.21")
V8, V25 = ModulationOptions(), ModulationOptions(v8=False)


def connects(calling, answering, ours=V8, theirs=V8, delay=400, echo_db=-18.0):
    """Return what both ends became, once data has crossed both ways without an error."""
    up, down = Random(1), Random(2)
    ways = [Way(gain_db=-6, noise_dbm0=-55, offset_hz=1.0, delay=delay, law=True, seed=s) for s in (1, 2)]
    line = Line(
        Automode(Role.CALLING, ours, calling, up),
        Automode(Role.ANSWERING, theirs, answering, down),
        *ways,
        echo_db=echo_db,
    )
    assert line.connect(50), (line.calling.events[-5:], line.answering.events[-5:])
    line.run(1.5)
    for source, end in ((up, line.answering), (down, line.calling)):
        wrong, compared = bit_errors(source.bits(), end.bits(), search=60_000)
        assert wrong == 0
        assert compared > 1000
    assert line.calling.ready.modulation == line.answering.ready.modulation
    assert line.calling.ready.rx_rate == line.answering.ready.tx_rate
    return line.calling.ready.modulation


@pytest.mark.parametrize(
    ("calling", "answering", "ours", "theirs", "chosen"),
    [
        (ALL, ALL, V8, V8, "V.34"),
        (ALL, ALL[1:], V8, V8, "V.32bis"),
        (ALL, V22BIS, V8, V8, "V.22bis"),
        (ALL, ALL, V8, V25, "V.32bis"),
        (ALL, ALL, V25, V8, "V.32bis"),
        (ALL, V22BIS, V25, V25, "V.22bis"),
        (V22BIS, ALL, V25, V25, "V.22bis"),
        (("V.32",), ("V.32",), V25, V25, "V.32"),
    ],
)
def test_the_best_that_both_have(calling, answering, ours, theirs, chosen):
    assert connects(calling, answering, ours, theirs) == chosen


@pytest.mark.parametrize("options", [V8, V25], ids=["V.8", "V.25"])
def test_600_ms_each_way(options):
    assert connects(ALL[1:], ALL[1:], options, options, delay=4800) == "V.32bis"


@pytest.mark.parametrize("guard_tone_hz", [550, 1800])
def test_guard_tones_are_neither_aa_nor_ac(guard_tone_hz):
    options = ModulationOptions(v8=False, guard_tone_hz=guard_tone_hz)
    assert connects(V22BIS, ALL, options, options, echo_db=-12.0) == "V.22bis"
    assert connects(ALL, V22BIS, options, options, echo_db=-12.0) == "V.22bis"
