"""Automode with modulations whose callers speak first (V.32bis) and those that only V.8 leads to (V.34).

The signals are those of V.32bis (02/91) Annex A; what follows them is `tests.support.fake_modems`'s.
"""

import numpy as np
import pytest
from tests.support.fake_modems import FakeModem, register
from tests.support.modem_line import End, Line, Random, Way

from ansam.dsp.nco import Oscillator
from ansam.modulation.automode import Automode
from ansam.modulation.base import Failed, Marks, ModulationOptions, PhaseEntered, Role
from ansam.modulation.registry import MODULATIONS
from ansam.units import FRAME, SAMPLE_RATE, samples

ALL = ("V.34", "V.32bis", "V.32", "V.22bis", "V.22", "V.21", "Bell 103")
V32BIS = ("V.32bis", "V.32", "V.22bis", "V.22", "V.21", "Bell 103")
V22BIS = ("V.22bis", "V.22", "V.21")
V8, V25 = ModulationOptions(), ModulationOptions(v8=False)
NO_TONE = ModulationOptions(v8=False, answer_tone=False)


@pytest.fixture(autouse=True)
def _fakes(monkeypatch):
    register(monkeypatch, MODULATIONS)


class Call:
    def __init__(self, calling, answering, ours=V8, theirs=V8, delay=160, late=0.0, echo_db=None):
        caller = Automode(Role.CALLING, ours, calling, Random(1))
        answerer = Automode(Role.ANSWERING, theirs, answering, Random(2))
        ways = [Way(delay=delay, noise_dbm0=-55, law=True, seed=seed) for seed in (1, 2)]
        self.line = Line(caller, answerer, *ways, echo_db=echo_db, start=False)
        answerer.start(0)
        self.line.run(late)
        caller.start(self.line.now)

    def connects(self, limit=30.0):
        line = self.line
        assert line.connect(limit), (line.calling.events[-5:], line.answering.events[-5:])
        one, other = (end.ready.modulation for end in (line.calling, line.answering))
        assert one[:4] == other[:4]
        return min(one, other, key=len)

    def phases(self, end):
        return {e.name: t / SAMPLE_RATE for t, e in end.events if isinstance(e, PhaseEntered)}

    @property
    def caller(self):
        return self.phases(self.line.calling)

    @property
    def answerer(self):
        return self.phases(self.line.answering)


@pytest.mark.parametrize(
    ("calling", "answering", "chosen"),
    [
        (ALL, ALL, "V.34"),
        (ALL, V32BIS, "V.32bis"),
        (V32BIS, ALL, "V.32bis"),
        (ALL, V22BIS, "V.22bis"),
        (("V.34",), ALL, "V.34"),
        (ALL, ("V.32",), "V.32"),
        (("V.32",), ("V.32",), "V.32"),
    ],
    ids=str,
)
def test_v8_chooses_the_best_that_both_have(calling, answering, chosen):
    call = Call(calling, answering)
    assert call.connects() == chosen
    assert "AA" not in call.caller


def test_v34_is_chosen_at_a_rate_that_v32bis_has_too():
    narrow = ModulationOptions(min_rate=4800, max_rate=4800)
    call = Call(ALL, ALL, narrow, narrow)
    assert call.connects() == "V.34"
    assert call.line.calling.ready.rx_rate == 4800


@pytest.mark.parametrize("delay", [160, 4800], ids=["20 ms", "600 ms"])
@pytest.mark.parametrize("echo_db", [None, -12])
def test_aa_is_heard_during_the_answer_tone(delay, echo_db):
    """Figure A-1, upper half."""
    call = Call(V32BIS, V32BIS, V25, V25, delay=delay, echo_db=echo_db)
    assert call.connects() == "V.32bis"
    assert 1.0 <= call.caller["AA"] - call.caller["ANS"] + 0.17 <= 1.3
    assert "offers V.22bis" not in call.answerer
    # the silent period stands between the tone and AC
    end = call.line.answering
    at = round((call.answerer["silence"] + 0.03) * SAMPLE_RATE)
    assert not end.audio()[at : at + 200].any()


def test_aa_is_heard_during_ansam_by_an_answerer_that_speaks_v8():
    call = Call(V32BIS, ALL, V25, V8)
    assert call.connects() == "V.32bis"
    assert max(t for t, e in call.line.answering.events) / SAMPLE_RATE < 3.5


@pytest.mark.parametrize("delay", [160, 2400])
def test_unscrambled_ones_after_a_long_answer_tone_are_v22bis(delay):
    """Figure A-1, lower half: AA goes on until they have been there for 155 ms, then 456 ms of silence."""
    call = Call(V32BIS, V22BIS, V25, V25, delay=delay)
    assert call.connects() == "V.22bis"
    assert "T_c" not in call.caller
    sent = np.abs(call.line.calling.audio()).reshape(-1, 80).max(axis=1) > 0.01
    aa = round(call.caller["AA"] * 100)
    silent = aa + int(np.flatnonzero(~sent[aa + 3 :])[0]) + 3
    again = silent + int(np.flatnonzero(sent[silent:])[0])
    assert 0.43 <= (again - silent) / 100 <= 0.49
    assert 1.0 <= call.line.calling.ready.rx_rate / 2400 <= 1.0


def caller_hears(parts, names=V32BIS, options=V25):
    """A caller to which tones are played; `parts` are (frequencies, seconds)."""
    end = End(Automode(Role.CALLING, options, names, Marks()))
    end.modem.start(0)
    x = [np.zeros(4000, np.float32)]
    for tones, seconds in parts:
        x.append(
            sum((Oscillator(f, 0.05).generate(samples(seconds)) for f in tones), np.zeros(samples(seconds)))
        )
    x = np.concatenate(x).astype(np.float32)
    for k in range(0, len(x) - FRAME, FRAME):
        end.run(x[k : k + FRAME], k)
    return end


def named(end, name):
    return next((t / SAMPLE_RATE for t, e in end.events if getattr(e, "name", "") == name), None)


def usb1(seconds):
    """Unscrambled ones of an answering V.22bis modem."""
    modem = MODULATIONS["V.22bis"][1](Role.ANSWERING, V25, Marks())
    modem.start(0)
    return np.concatenate(
        [modem.process(np.zeros(FRAME, np.float32), k * FRAME) for k in range(round(seconds * 50))]
    )


@pytest.mark.parametrize(("tone", "waits"), [(1.5, True), (2.4, False), (0.5, True), (0.0, True)])
def test_when_a_caller_believes_unscrambled_ones(tone, waits):
    """Figures A-2 and A-3: with less than 800 ms of answer tone after AA, they must outlast T_c."""
    end = End(Automode(Role.CALLING, V25, V32BIS, Marks()))
    end.modem.start(0)
    answer = Oscillator(2100, 0.05).generate(samples(tone))
    x = np.concatenate((np.zeros(4000), answer, np.zeros(600), usb1(5.5))).astype(np.float32)
    begins = (4600 + len(answer)) / SAMPLE_RATE
    for k in range(0, len(x) - FRAME, FRAME):
        end.run(x[k : k + FRAME], k)
    chosen = named(end, "chooses V.22bis")
    assert chosen is not None
    assert 3.11 < chosen - begins < 3.7 if waits else 0.14 < chosen - begins < 0.3
    sent = np.abs(end.audio())[samples(begins + 0.4) : samples(begins + 3)]
    assert bool(sent.any()) is (tone != 0.5 and tone != 0.0)  # AA goes on through T_c, or S1 follows


def test_ac_after_unscrambled_ones_is_v32bis():
    """Figures A-2 and A-3: an automode answerer that did not hear AA."""
    end = End(Automode(Role.CALLING, V25, V32BIS, Marks()))
    end.modem.start(0)
    ac = Oscillator(600, 0.04).generate(8000) + Oscillator(3000, 0.04).generate(8000)
    x = np.concatenate((np.zeros(4000), usb1(3.0), ac)).astype(np.float32)
    for k in range(0, len(x) - FRAME, FRAME):
        end.run(x[k : k + FRAME], k)
    assert named(end, "chooses V.32bis") == pytest.approx(3.6, abs=0.15)
    assert named(end, "V.32bis speaks") is not None
    silent = end.audio()[: samples(3.4)]
    assert not silent.any()


@pytest.mark.parametrize("late", [2.0, 6.0])
@pytest.mark.parametrize("options", [V8, V25, NO_TONE], ids=["V.8", "V.25", "no tone"])
def test_late_callers_connect(options, late):
    assert Call(V32BIS, V32BIS, options, options, late=late).connects() == "V.32bis"
    assert Call(("V.32bis",), V32BIS, options, options, late=late).connects() == "V.32bis"
    if (options, late) != (NO_TONE, 6.0):  # by then it is the turn of V.21, which a caller takes
        assert Call(V32BIS, V22BIS, options, options, late=late).connects() == "V.22bis"
        assert Call(V22BIS, V32BIS, options, options, late=late).connects() == "V.22bis"


def test_guard_tone_that_comes_back_is_not_aa():
    options = ModulationOptions(v8=False, guard_tone_hz=1800)
    call = Call(V22BIS, V32BIS, options, options, echo_db=-12)
    assert call.connects() == "V.22bis"


def test_what_an_answering_modem_offers_in_turn():
    end = End(Automode(Role.ANSWERING, V25, ALL, Marks()))
    end.modem.start(0)
    for frame in range(1100):
        end.run(np.zeros(FRAME, np.float32), frame * FRAME)
    offers = [(e.name, t / SAMPLE_RATE) for t, e in end.events if getattr(e, "name", "").startswith("offers")]
    names = [name.removeprefix("offers ") for name, _ in offers]
    assert names == ["V.22bis", "V.32bis", "V.21", "Bell 103", "V.22bis"]
    x = end.audio()
    at = samples(offers[1][1] + 1)
    power = np.abs(np.fft.rfft(x[at : at + 4000] * np.hanning(4000)))
    assert sorted(np.argsort(power)[-2:] * 2) == pytest.approx([600, 3000], abs=4)


@pytest.mark.parametrize(("ac_time", "lasts"), [(24000, 3.0), (48000, 6.0), (8000, 3.0)])
def test_ac_lasts_as_long_as_s28_says_but_3_s(ac_time, lasts):
    end = End(Automode(Role.ANSWERING, ModulationOptions(v8=False, ac_time=ac_time), V32BIS, Marks()))
    end.modem.start(0)
    for frame in range(900):
        end.run(np.zeros(FRAME, np.float32), frame * FRAME)
    assert named(end, "offers V.21") - named(end, "offers V.32bis") == pytest.approx(lasts, abs=0.03)


def test_ac_is_left_out_where_s28_is_0():
    silent = ModulationOptions(v8=False, ac_time=0)
    end = End(Automode(Role.ANSWERING, silent, V32BIS, Marks()))
    end.modem.start(0)
    for frame in range(1000):
        end.run(np.zeros(FRAME, np.float32), frame * FRAME)
    assert named(end, "offers V.32bis") is None
    assert named(end, "offers V.21") is not None
    assert Call(V32BIS, V32BIS, V25, silent).connects() == "V.32bis"
    assert Call(
        ("V.32bis",), ("V.32bis",), NO_TONE, ModulationOptions(v8=False, ac_time=0, answer_tone=False)
    ).connects()


@pytest.mark.parametrize(("ours", "theirs"), [(V25, V8), (V8, V25), (V25, V25)])
def test_v34_alone_without_v8_fails_and_says_so(ours, theirs):
    call = Call(("V.34",), ("V.34",), ours, theirs)
    call.line.run(12)
    ends = (call.line.calling, call.line.answering)
    for end in ends if theirs is V8 or ours is V25 else ends[1:]:  # a caller that hears nothing waits
        assert "V.34 begins with V.8" in end.event(Failed).reason
    assert not FakeModem.made


def test_v34_falls_back_to_what_needs_no_v8():
    assert Call(ALL, ALL, V8, V25).connects() == "V.32bis"
    assert Call(ALL, ("V.34", "V.22bis"), V8, V25).connects() == "V.22bis"


def test_v32bis_that_gives_up_unchosen_begins_anew():
    end = End(Automode(Role.ANSWERING, V25, ("V.32bis",), Marks()))
    end.modem.start(0)
    for frame in range(500):
        end.run(np.zeros(FRAME, np.float32), frame * FRAME)
        if frame == 400:
            FakeModem.made[-1].fail("no AA")
    assert end.event(Failed) is None
    assert end.audio()[-8000:].any()
