"""V.8 from end to end, inside automode: both roles, bad lines, far ends that do not speak it."""

import numpy as np
import pytest
from tests.support.modem_line import End, Line, Random, Way, bit_errors

from ansam.dsp.goertzel import HOP
from ansam.dsp.nco import Oscillator
from ansam.modulation.automode import Automode
from ansam.modulation.automode.offer import CODES
from ansam.modulation.base import Failed, Marks, ModulationOptions, PhaseEntered, Role
from ansam.modulation.registry import MODULATIONS
from ansam.modulation.v8.calling import CallIndicator
from ansam.modulation.v8.channel import MenuReceiver
from ansam.modulation.v8.menu import Mode
from ansam.tones.v25 import AnswerTone
from ansam.trace import Recorder
from ansam.units import FRAME, SAMPLE_RATE, Audio

ALL = ("V.22bis", "V.22", "V.21", "Bell 103")
V8, V25 = ModulationOptions(), ModulationOptions(v8=False)
CALLING, ANSWERING = Role.CALLING, Role.ANSWERING


class Call:
    """Two automodes; runs until both have chosen."""

    def __init__(self, calling=ALL, answering=ALL, ours=V8, theirs=V8, up=None, down=None, **line) -> None:
        self.trace = Recorder()
        self.bits = {role: Random(k) for k, role in enumerate(Role)}
        self.caller = Automode(CALLING, ours, calling, self.bits[CALLING], self.trace)
        self.answerer = Automode(ANSWERING, theirs, answering, self.bits[ANSWERING], self.trace)
        self.line = Line(self.caller, self.answerer, up, down, **line)

    def chosen(self, limit: float = 40.0) -> tuple[str, str]:
        """Return the modulations chosen by caller and answerer, V.22 counting as V.22bis."""
        both = (self.caller, self.answerer)
        assert self.line.run(limit, lambda: all(m.far_end_seen for m in both)), self.phases(CALLING)
        names = [m.spec.name.replace("V.22bis", "V.22").replace("V.22", "V.22bis") for m in both]
        return names[0], names[1]

    def end(self, role: Role) -> End:
        return self.line.calling if role is CALLING else self.line.answering

    def phases(self, role: Role) -> list[str]:
        return [e.name for _, e in self.end(role).events if isinstance(e, PhaseEntered)]

    def at(self, role: Role, phase: str) -> float:
        return next(t / SAMPLE_RATE for t, e in self.end(role).events if getattr(e, "name", "") == phase)


def same(name: str) -> tuple[str, str]:
    return name, name


def test_every_modulation_but_bell_103_has_a_code() -> None:
    assert set(MODULATIONS) - {"Bell 103"} <= set(CODES)
    assert CODES["V.22"] is CODES["V.22bis"]
    assert "Bell 103" not in CODES


def test_steps_and_times_of_a_good_call() -> None:
    call = Call()
    assert call.chosen() == same("V.22bis")
    assert call.phases(CALLING)[:7] == ["silence", "ANS", "ANSam", "silence T_e", "CM", "CJ", "silence"]
    assert call.phases(ANSWERING)[:4] == ["silence", "ANSam", "JM", "silence"]
    assert call.at(ANSWERING, "ANSam") == pytest.approx(0.2, abs=0.03)
    assert 0.48 <= call.at(CALLING, "CM") - call.at(CALLING, "silence T_e") <= 0.53
    assert call.at(ANSWERING, "JM") < 1.6
    sent = [e.values["octets"] for e in call.trace.events if e.name == "sent"]
    assert sent == ["c1 05 12 90 2a", "c1 05 12 90 2a"]
    assert call.caller.v8.mode is call.answerer.v8.mode is Mode.V22BIS
    assert call.caller.v8.lapm
    assert call.answerer.v8.lapm
    assert call.line.connect()
    assert max(call.line.calling.ready_at(), call.line.answering.ready_at()) < 4.3


def test_silences_on_the_line() -> None:
    """75 ± 5 ms before the modulation's own signals (§8.1.2, §8.2.3), with the modem's 10 ms steps."""
    call = Call()
    call.line.run(3.2)
    level = np.abs(call.line.answering.audio()).reshape(-1, 40).max(axis=1) > 0.01
    edges = np.flatnonzero(np.diff(level.astype(int))) * 5 / 1000
    assert edges[0] == pytest.approx(0.2, abs=0.012)
    assert 0.070 <= edges[2] - edges[1] <= 0.085
    assert edges[1] > 2.0


@pytest.mark.parametrize(
    ("lapm", "agreed"), [((True, True), True), ((True, False), False), ((False, True), False)]
)
def test_lapm_takes_two(lapm: tuple[bool, bool], agreed: bool) -> None:
    ours, theirs = (ModulationOptions(lapm=wish) for wish in lapm)
    call = Call(ours=ours, theirs=theirs)
    call.chosen()
    assert call.caller.v8.lapm is call.answerer.v8.lapm is agreed


@pytest.mark.parametrize(
    ("calling", "answering", "ours", "theirs", "name"),
    [
        (ALL, ALL, V8, V25, "V.22bis"),
        (ALL, ALL, V25, V8, "V.22bis"),
        (("V.21",), ALL, V25, V8, "V.21"),
        (ALL, ("V.21",), V8, V25, "V.21"),
        (("V.21",), ALL, V8, V8, "V.21"),
        (ALL, ("V.21",), V8, V8, "V.21"),
        (ALL, ALL, V8, ModulationOptions(max_rate=300), "V.21"),
        (ALL, ALL, ModulationOptions(bell=True), V8, "V.22bis"),
        (ALL, ALL, V8, ModulationOptions(bell=True), "V.22bis"),
        (ALL, ALL, V8, ModulationOptions(answer_tone=False), "V.22bis"),
        (ALL, ("Bell 103",), V8, V8, "Bell 103"),
        (("Bell 103",), ALL, V8, V8, "Bell 103"),
        (("V.21", "Bell 103"), ("V.22bis", "Bell 103"), V8, V8, "Bell 103"),
        (ALL, ALL, ModulationOptions(v8_ci=True), V8, "V.22bis"),
        (ALL, ALL, ModulationOptions(v8_ci=True), V25, "V.22bis"),
    ],
)
def test_whatever_the_far_end_speaks(calling, answering, ours, theirs, name: str) -> None:
    call = Call(calling, answering, ours, theirs)
    assert call.chosen() == same(name)
    line = call.line
    assert line.connect(30)
    line.run(2.0)
    for role in Role:
        wrong, compared = bit_errors(call.bits[role].bits(), call.end(role.other).bits())
        assert wrong == 0
        assert compared > 200


def test_plain_answer_tone_is_not_answered_with_a_menu() -> None:
    call = Call(theirs=V25)
    call.chosen()
    assert "CM" not in call.phases(CALLING)
    assert call.caller.v8.received is None


@pytest.mark.parametrize("names", [(("V.21",), ("V.22bis",)), (("V.22",), ("V.21",))])
def test_nothing_in_common_fails_at_both_ends_with_the_reason(names) -> None:
    call = Call(*names)
    ends = (call.line.calling, call.line.answering)
    assert call.line.run(10, lambda: all(end.event(Failed) for end in ends))
    for end in ends:
        failed = end.event(Failed)
        assert isinstance(failed, Failed)
        assert "no modulation in common" in failed.reason
        assert "V.21" in failed.reason or "V.22" in failed.reason


def test_ansam_without_a_caller_ends_after_four_seconds() -> None:
    end = End(Automode(ANSWERING, V8, ALL, Marks()))
    end.modem.start(0)
    for frame in range(400):
        end.run(np.zeros(FRAME, np.float32), frame * FRAME)
    level = np.abs(end.audio()).reshape(-1, 40).max(axis=1) > 0.01
    edges = np.flatnonzero(np.diff(level.astype(int))) * 5 / 1000
    assert edges[0] == pytest.approx(0.2, abs=0.012)
    assert 4.0 <= edges[1] - edges[0] <= 6.0
    assert 0.070 <= edges[2] - edges[1] <= 0.085


def test_a_caller_that_hears_ansam_and_nothing_else_goes_on_listening() -> None:
    end = End(Automode(CALLING, V8, ALL, Marks()))
    end.modem.start(0)
    x = np.concatenate((np.zeros(800, np.float32), AnswerTone(-13, modulated=True).generate(32000)))
    x = np.concatenate((x, np.zeros(600, np.float32), Oscillator(1650, 0.1).generate(16000)))
    x = np.concatenate((x, np.zeros(-len(x) % FRAME, np.float32)))
    for k in range(0, len(x), FRAME):
        end.run(x[k : k + FRAME], k)
    assert end.modem.far_end_seen
    assert end.modem.spec.name == "V.21"


def mode_of(seed: int) -> str:
    return ("erase", "mute")[seed % 2]


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("seed", range(6))
def test_bad_lines(seed: int, loss: float) -> None:
    """Noise, A-law, echo, offset, 20 … 600 ms one way and lost packets: always V.8, always the best."""
    rng = np.random.default_rng(seed)
    ways = []
    for k in range(2):
        gain = -rng.uniform(0, 27)
        lost = np.flatnonzero(rng.random(1500) < loss).tolist()
        ways.append(
            Way(
                gain_db=gain,
                noise_dbm0=-13 + gain - rng.uniform(15, 40),
                offset_hz=rng.uniform(-7, 7),
                delay=int(rng.integers(160, 4800)),
                law=True,
                seed=2 * seed + k,
                **{mode_of(seed): lost},
            )
        )
    echo = -rng.uniform(10, 30)
    call = Call(up=ways[0], down=ways[1], echo_db=echo, echo_delay=int(rng.integers(20, 2000)))
    assert call.chosen() == same("V.22bis")
    assert call.caller.v8.received is not None
    assert call.answerer.v8.received is not None


@pytest.mark.parametrize("first", [70, 90, 100, 104, 108, 112, 116, 120, 130])
@pytest.mark.parametrize("kind", ["erase", "mute"])
def test_a_gap_anywhere_ends_no_call(first: int, kind: str) -> None:
    """160 ms lost both ways, CJ among it."""
    gap = {kind: range(first, first + 8)}
    call = Call(up=Way(**gap), down=Way(seed=1, **gap))
    assert call.chosen() == same("V.22bis")


def test_same_however_the_stream_is_cut() -> None:
    call = Call(up=Way(noise_dbm0=-45, erase=(95,)), down=Way(noise_dbm0=-45, seed=1, erase=(60, 110)))
    heard: list[tuple[Audio, bool]] = []
    process = call.caller.process

    def listen(rx: Audio, now: int, erased: bool = False) -> Audio:
        heard.append((rx, erased))
        return process(rx, now, erased)

    call.caller.process = listen  # type: ignore[method-assign]
    call.chosen()
    again = Automode(CALLING, V8, ALL, Marks())
    again.start(0)
    rng, now, sent, events = np.random.default_rng(1), 0, [], []
    for rx, erased in heard:
        at = 0
        while at < len(rx):
            piece = rx[at : at + int(rng.choice([1, 11, 79, 160]))]
            sent.append(again.process(piece, now, erased))
            events += again.take_events()
            at += len(piece)
            now += len(piece)
    np.testing.assert_array_equal(np.concatenate(sent), call.line.calling.audio())
    assert events == [e for _, e in call.line.calling.events]


def test_call_indicator_cadence() -> None:
    """At least three sequences, at most 2 s; off 0.4 … 2 s (§7.1); and it can be read."""
    indicator, receiver = CallIndicator(-13), MenuReceiver(CALLING)
    x = np.concatenate([indicator.send(n) for n in (HOP,) * 500])
    for k in range(0, len(x), HOP):
        receiver.receive(x[k : k + HOP])
    read = [s for s in receiver.take() if s.repeated]
    assert len(read) >= 2
    assert {s.octets for s in read} == {b"\xc1"}
    on = np.abs(x).reshape(-1, HOP).max(axis=1) > 0
    edges = np.flatnonzero(np.diff(on.astype(int))) + 1
    assert 0.3 <= edges[0] / 100 <= 2
    assert 0.4 <= (edges[1] - edges[0]) / 100 <= 2
    np.testing.assert_array_equal(x, CallIndicator(-13).send(len(x)))


def test_call_indicator_waits_a_second_and_ends_with_the_answer_tone() -> None:
    end = End(Automode(CALLING, ModulationOptions(v8_ci=True), ALL, Marks()))
    end.modem.start(0)
    x = np.concatenate((np.zeros(28800, np.float32), AnswerTone(-13).generate(16000)))
    for k in range(0, len(x), FRAME):
        end.run(x[k : k + FRAME], k)
    loud = np.flatnonzero(np.abs(end.audio()) > 0.01)
    assert loud[0] / SAMPLE_RATE == pytest.approx(1.0, abs=0.03)
    assert loud[-1] < 28800 + 0.3 * SAMPLE_RATE
