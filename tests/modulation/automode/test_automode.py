"""Automode end to end: whoever has a modulation in common connects, with whatever else is allowed."""

import itertools

import numpy as np
import pytest
from tests.support.modem_line import End, Line, Random, Way, bit_errors

from ansam.dsp.nco import Oscillator
from ansam.modulation.automode import Automode
from ansam.modulation.base import Failed, Marks, ModulationOptions, PhaseEntered, Role
from ansam.modulation.bell103 import Bell103
from ansam.units import FRAME, SAMPLE_RATE

ALL = ("V.22bis", "V.22", "V.21", "Bell 103")
SUBSETS = [s for r in (1, 2, 4) for s in itertools.combinations(ALL, r)]
ITU, BELL = ModulationOptions(), ModulationOptions(bell=True)
V25 = ModulationOptions(v8=False)


class Call:
    def __init__(self, calling, answering, ours=ITU, theirs=ITU, up=None, down=None, late=0.0, echo_db=None):
        self.up, self.down = Random(1), Random(2)
        caller = Automode(Role.CALLING, ours, calling, self.up)
        answerer = Automode(Role.ANSWERING, theirs, answering, self.down)
        self.line = Line(caller, answerer, up, down, echo_db=echo_db, start=False)
        first, second = (answerer, caller) if late >= 0 else (caller, answerer)
        first.start(0)
        self.line.run(abs(late))
        second.start(self.line.now)

    def connects(self, limit: float = 30.0) -> str:
        """Return the names at both ends, once data has crossed without an error."""
        line = self.line
        assert line.connect(limit), (line.calling.events[-4:], line.answering.events[-4:])
        line.run(2.5)
        for source, end in ((self.up, line.answering), (self.down, line.calling)):
            wrong, compared = bit_errors(source.bits(), end.bits())
            assert wrong == 0
            assert compared > 300
        assert line.calling.ready is not None
        assert line.answering.ready is not None
        assert line.calling.ready.rx_rate == line.answering.ready.tx_rate
        return line.calling.ready.modulation

    def connect_seconds(self) -> float:
        return max(self.line.calling.ready_at(), self.line.answering.ready_at())


def family(names):
    return {"V.22" if n == "V.22bis" else n for n in names}


def best(calling, answering):
    common = family(calling) & family(answering)
    return {"V.22bis", "V.22"} if "V.22" in common else common


PAIRS = [(c, a) for c in SUBSETS for a in SUBSETS if family(c) & family(a)]
SOME = [pytest.param(*pair, marks=[pytest.mark.bench] * bool(k % 3)) for k, pair in enumerate(PAIRS)]
"""The others take long: `make bench` has all."""


@pytest.mark.parametrize(("calling", "answering"), SOME, ids=str)
def test_every_pair_with_something_in_common(calling, answering) -> None:
    name = Call(calling, answering).connects()
    assert name in best(calling, answering)


@pytest.mark.parametrize("names", [("V.22bis",), ("V.21",), ("Bell 103",), ALL], ids="+".join)
@pytest.mark.parametrize("late", [-2.0, 2.2, 3.5, 6.0])
def test_one_end_joins_earlier_or_later(names, late: float) -> None:
    Call(names, names, late=late).connects(50)


@pytest.mark.parametrize(
    ("calling", "answering", "chosen"),
    [
        (("Bell 103",), ALL, "Bell 103"),
        (ALL, ("Bell 103",), "Bell 103"),
        (("V.22bis", "Bell 103"), ALL, "V.22bis"),
        (("V.21", "Bell 103"), ("V.21",), "V.21"),
        (("V.21", "Bell 103"), ("V.21", "Bell 103"), "Bell 103"),
        (ALL, ALL, "V.22bis"),
    ],
    ids=str,
)
def test_bell_answer_tone(calling, answering, chosen: str) -> None:
    assert Call(calling, answering, BELL, BELL).connects() == chosen


def test_bell_103_mark_follows_its_tone_without_a_gap() -> None:
    call = Call(("Bell 103",), ("Bell 103",), BELL, BELL)
    assert call.connects() == "Bell 103"
    assert call.connect_seconds() < 4.0
    sent = np.abs(call.line.answering.audio()[round(1.9 * 8000) :]).reshape(-1, 80).max(axis=1)
    assert sent.min() > 0.05


@pytest.mark.parametrize("names", [("V.22bis",), ("V.21",), ("Bell 103",), ALL], ids="+".join)
def test_no_answer_tone_at_all(names) -> None:
    quiet = ModulationOptions(answer_tone=False)
    call = Call(names, names, quiet, quiet)
    call.connects()
    assert call.connect_seconds() < 4.5


def test_connect_time_is_what_v25_allows_at_least() -> None:
    """1.8 s silence, 2.6 s tone, 75 ms, and the modulation's own procedure: V.22bis about 1.7 s, V.21 1 s."""
    call = Call(ALL, ALL, V25, V25)
    assert call.connects() == "V.22bis"
    assert call.connect_seconds() < 6.3
    slow = Call(("V.21",), ALL, V25, V25)
    slow.connects()
    assert slow.connect_seconds() < 6.0


def test_answer_sequence_on_the_line() -> None:
    end = End(Automode(Role.ANSWERING, V25, ALL, Marks()))
    end.modem.start(0)
    for frame in range(600):
        end.run(np.zeros(FRAME, np.float32), frame * FRAME)
    x = end.audio()
    loud = np.flatnonzero(np.abs(x) > 0.02)
    assert loud[0] / SAMPLE_RATE == pytest.approx(1.8, abs=0.015)
    tone_end = loud[np.flatnonzero(np.diff(loud) > 300)[0]]
    resumed = loud[np.flatnonzero(np.diff(loud) > 300)[0] + 1]
    assert tone_end / SAMPLE_RATE == pytest.approx(4.4, abs=0.015)
    assert 0.055 <= (resumed - tone_end) / SAMPLE_RATE <= 0.095

    def line_at(seconds: float) -> int:
        at = round(seconds * SAMPLE_RATE)
        return int(np.argmax(np.abs(np.fft.rfft(x[at : at + 2000] * np.hanning(2000))))) * 4

    assert line_at(2.0) == pytest.approx(2100, abs=4)
    assert line_at(5.0) == pytest.approx(2250, abs=6)
    assert line_at(8.0) == pytest.approx(1650, abs=4)
    assert line_at(11.0) == pytest.approx(2225, abs=4)
    clauses = [(e.name, e.clause) for _, e in end.events if isinstance(e, PhaseEntered)]
    assert clauses[0] == ("silence", "V.25 (10/96) §4.3")
    assert clauses[1] == ("ANS", "V.25 (10/96) §4.3")
    assert clauses[2] == ("silence", "V.25 (10/96) §4.4")


def test_caller_stays_silent_until_it_knows() -> None:
    end = End(Automode(Role.CALLING, ITU, ALL, Marks()))
    end.modem.start(0)
    tones = [Oscillator(f, 0.1).generate(16000) for f in (2100, 1300, 440, 1850)]
    x = np.concatenate([np.zeros(8000, np.float32), *tones])
    for k in range(0, len(x), FRAME):
        assert not end.run(x[k : k + FRAME], k).any()


def test_rate_window_decides() -> None:
    slow = ModulationOptions(max_rate=300)
    assert Call(ALL, ALL, slow).connects() == "V.21"
    assert Call(ALL, ALL, ITU, slow).connects() == "V.21"
    middle = Call(ALL, ALL, ModulationOptions(min_rate=1200, max_rate=1200))
    middle.connects()
    assert middle.line.calling.ready is not None
    assert middle.line.calling.ready.rx_rate == 1200


def test_nothing_left_by_the_rate_window_fails_at_once() -> None:
    end = End(Automode(Role.CALLING, ModulationOptions(min_rate=4800), ALL, Marks()))
    end.modem.start(0)
    assert not end.run(np.zeros(800, np.float32), 0).any()
    failed = end.event(Failed)
    assert isinstance(failed, Failed)
    assert "4800" in failed.reason
    assert "V.22bis" in failed.reason
    assert end.modem.spec.name == "V.22bis"


def test_failure_names_what_was_heard_and_what_was_missed() -> None:
    call = Call(("V.21",), ("V.22bis",), V25, V25)
    call.line.run(65)
    failed = call.line.calling.event(Failed)
    assert isinstance(failed, Failed)
    for word in ("2100 Hz answer tone", "2250 Hz (unscrambled ones)", "V.21"):
        assert word in failed.reason
    assert call.line.answering.event(Failed) is not None
    assert "2100 Hz" in call.line.calling.modem.heard


def test_same_however_the_stream_is_cut() -> None:
    noise = {"noise_dbm0": -45.0}
    call = Call(ALL, ("V.21", "Bell 103"), up=Way(**noise), down=Way(**noise, seed=1))
    modem, heard = call.line.calling.modem, []
    process = modem.process

    def listen(rx, now, erased=False):
        heard.append(rx)
        return process(rx, now, erased)

    modem.process = listen
    call.line.run(9)
    assert call.line.calling.ready
    rx = np.concatenate(heard)
    again = Automode(Role.CALLING, ITU, ALL, Random(1))
    again.start(0)
    rng, at, sent, bits, events = np.random.default_rng(1), 0, [], [], []
    while at < len(rx):
        cut = int(rng.choice([1, 11, 79, 160, 333]))
        sent.append(again.process(rx[at : at + cut], at))
        bits.append(again.take_bits())
        events += again.take_events()
        at += cut
    np.testing.assert_array_equal(np.concatenate(sent), call.line.calling.audio())
    np.testing.assert_array_equal(np.concatenate(bits), call.line.calling.bits())
    assert events == [e for _, e in call.line.calling.events]


def test_lost_packets_during_the_answer_tone() -> None:
    lost = (150, 180, 181, 200)
    Call(ALL, ALL, V25, V25, up=Way(erase=lost), down=Way(erase=lost, seed=1)).connects()
    Call(ALL, ALL, V25, V25, up=Way(mute=lost), down=Way(mute=lost, seed=1)).connects()


def test_delegates_once_chosen() -> None:
    call = Call(("V.22bis",), ("V.22bis",))
    modem = call.line.calling.modem
    assert modem.report().rx_level_dbm0 is None
    modem.retrain(0)
    assert not modem.far_end_seen
    call.connects()
    assert modem.far_end_seen
    assert modem.spec.name == "V.22bis"
    assert modem.report().rx_level_dbm0 == pytest.approx(-13, abs=1)
    modem.retrain(call.line.now)
    call.line.run(0.5)
    assert any(type(e).__name__ == "Retraining" for _, e in call.line.calling.events)
    modem.clear_down(call.line.now)
    call.line.run(0.2)
    assert not call.line.calling.audio()[-160:].any()


def test_clear_down_before_anything_is_chosen() -> None:
    end = End(Automode(Role.ANSWERING, ITU, ALL, Marks()))
    end.modem.start(0)
    end.run(np.zeros(24000, np.float32), 0)
    end.modem.clear_down(24000)
    assert not end.run(np.zeros(8000, np.float32), 24000).any()


def test_answer_tone_ends_early_for_a_calling_station_response() -> None:
    """V.25 (10/96) §4.3: a caller of V.21 that speaks into the tone ends it after 100 ms."""
    end = End(Automode(Role.ANSWERING, ITU, ALL, Marks()))
    end.modem.start(0)
    x = np.concatenate((np.zeros(17600, np.float32), Oscillator(980, 0.1).generate(24000)))
    for k in range(0, len(x) - FRAME, FRAME):
        end.run(x[k : k + FRAME], k)
    assert end.ready is not None
    assert end.ready_at() < 4.4


@pytest.mark.parametrize("seed", range(12))
def test_impaired_lines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    calling, answering = PAIRS[rng.integers(len(PAIRS))]
    options = [ModulationOptions(bell=bool(rng.integers(2))) for _ in range(2)]
    ways = []
    for k in range(2):
        gain = -rng.uniform(0, 25)
        ways.append(
            Way(
                gain_db=gain,
                noise_dbm0=-13 + gain - rng.uniform(20, 40),
                offset_hz=rng.uniform(-7, 7),
                skew_ppm=rng.uniform(-150, 150),
                delay=int(rng.integers(100, 2000)),
                law=True,
                seed=2 * seed + k,
            )
        )
    call = Call(calling, answering, *options, *ways, late=rng.uniform(-1, 3), echo_db=-rng.uniform(12, 30))
    call.connects(45)


def tone_caller(names, frequency: float, seconds: float) -> End:
    """A caller that hears one tone after 1 s of silence, for ever."""
    end = End(Automode(Role.CALLING, ITU, names, Marks()))
    end.modem.start(0)
    tone = Oscillator(frequency, 0.1)
    for frame in range(round(seconds * 50)):
        rx = tone.generate(FRAME) if frame >= 50 else np.zeros(FRAME, np.float32)
        end.run(rx, frame * FRAME)
    return end


@pytest.mark.parametrize("seed", range(4))
def test_a_bell_103_modem_whose_answer_tone_never_ends(seed: int) -> None:
    """A real one: no silence, no automode, its mark from off hook on; the caller could also do V.22bis."""
    up, down = Random(1), Random(2)
    caller = Automode(Role.CALLING, ITU, ALL, up)
    line = Line(
        caller,
        Bell103(Role.ANSWERING, ITU, down),
        Way(noise_dbm0=-40, seed=seed),
        Way(noise_dbm0=-40, seed=seed + 10, offset_hz=7 if seed % 2 else -7),
    )
    assert line.connect(12)
    line.run(2)
    assert line.calling.ready is not None
    assert line.calling.ready.modulation == "Bell 103"
    for source, end in ((up, line.answering), (down, line.calling)):
        wrong, compared = bit_errors(source.bits(), end.bits())
        assert wrong == 0
        assert compared > 300


def test_2225_hz_that_goes_on_is_answered_by_v22_where_bell_103_is_not_allowed() -> None:
    end = tone_caller(("V.22bis", "V.21"), 2225, 7)
    sent = np.abs(end.audio())
    first = int(np.flatnonzero(sent > 0.01)[0]) / SAMPLE_RATE
    assert 1 + 4.0 < first < 1 + 5.2
    assert end.ready is None


def test_v22_that_gives_up_unchosen_begins_anew() -> None:
    """Its 8 s without a reply are not the call's end: the far end may still do something else."""
    end = tone_caller(("V.22bis", "V.21"), 2225, 25)
    assert end.event(Failed) is None
    active = (np.abs(end.audio()).reshape(-1, 800).max(axis=1) > 0.01).astype(int)
    assert np.count_nonzero(np.diff(active) == 1) >= 2


def test_a_failure_of_the_chosen_modulation_says_what_was_heard() -> None:
    call = Call(("V.22bis",), ("V.22",), ModulationOptions(min_rate=2400))
    call.line.run(15)
    failed = call.line.calling.event(Failed)
    assert isinstance(failed, Failed)
    assert "2400" in failed.reason
    assert "2100 Hz answer tone" in failed.reason
