"""The operating sequences as seen on the line and in the events."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.v22bis_line import Pair

from ansam.errors import LocalProtocolError
from ansam.modulation.base import (
    CarrierDetected,
    CarrierLost,
    Failed,
    Marks,
    ModulationOptions,
    PhaseEntered,
    Ready,
    Retraining,
    Role,
)
from ansam.modulation.v22bis import V22, V22bis
from ansam.modulation.v22bis.startup import TRANSITIONS
from ansam.modulation.v22bis.steps import STEPS, Input
from ansam.trace import Recorder
from ansam.units import Audio, rms_from_dbm0

QUIET: dict[str, object] = {"noise_dbm0": -60.0}


def phases(pair: Pair, end: int) -> dict[str, float]:
    """Return the instant of each phase in ms, to the frame."""
    found = {}
    for event, when in zip(pair.events[end], pair.times[end], strict=True):
        if isinstance(event, PhaseEntered):
            found.setdefault(event.name, when / 8)
    return found


def test_every_timed_state_has_a_time_out_and_every_entry_a_step() -> None:
    timed = {state for state, step in STEPS.items() if step.at_most is not None}
    assert timed == {state for state, happened in TRANSITIONS if happened is Input.TIMEOUT}
    assert {state for state, _ in TRANSITIONS} <= set(STEPS)


def test_the_handshake_at_2400_keeps_the_times_of_6_3_1_1() -> None:
    pair = Pair(1, frame=8, up=QUIET, down=QUIET)
    assert pair.connect()
    caller, answerer = phases(pair, 0), phases(pair, 1)
    filters = 15
    assert caller["silence after unscrambled ones"] == pytest.approx(155 + filters, abs=10)
    assert caller["S1"] - caller["silence after unscrambled ones"] == pytest.approx(456, abs=2)
    s1_end = caller["scrambled ones at 1200, waiting for S1 or scrambled ones"]
    assert s1_end - caller["S1"] == pytest.approx(100, abs=2)
    assert answerer["S1 in reply"] == pytest.approx(s1_end + filters, abs=15)
    assert answerer["scrambled ones at 1200"] - answerer["S1 in reply"] == pytest.approx(100, abs=2)
    for end, far_s1_end in ((0, answerer["scrambled ones at 1200"]), (1, s1_end)):
        mine = phases(pair, end)
        # The far transmitter's pulse delays what it sends by 7.5 ms.
        assert mine["16-way decisions"] - far_s1_end - 7.5 == pytest.approx(450, abs=10)
        assert mine["scrambled ones at 2400"] - far_s1_end - 7.5 == pytest.approx(600, abs=10)
    assert caller["data at 2400"] - caller["scrambled ones at 2400"] == pytest.approx(200, abs=2)
    assert pair.ready(0) == pair.ready(1) == Ready("V.22bis", 2400, 2400)


def test_the_handshake_at_1200_keeps_the_times_of_6_3_1_2() -> None:
    pair = Pair(1, frame=8, up=QUIET, down=QUIET, makers=(V22, V22))
    assert pair.connect()
    caller, answerer = phases(pair, 0), phases(pair, 1)
    assert "S1" not in caller
    sends = caller["scrambled ones at 1200, waiting for S1 or scrambled ones"]
    assert answerer["scrambled ones at 1200 before data"] - sends == pytest.approx(270, abs=40)
    heard = caller["scrambled ones at 1200 before data"] - answerer["scrambled ones at 1200 before data"]
    assert heard == pytest.approx(270, abs=40)
    for mine in (caller, answerer):
        assert mine["data at 1200"] - mine["scrambled ones at 1200 before data"] == pytest.approx(765, abs=10)
    assert pair.ready(0) == Ready("V.22", 1200, 1200)


SLOW = ModulationOptions(max_rate=1200)
FAST = ModulationOptions(min_rate=2400)


@pytest.mark.parametrize(
    ("calling", "answering", "makers"),
    [
        (SLOW, None, (V22bis, V22bis)),
        (None, SLOW, (V22bis, V22bis)),
        (None, None, (V22, V22bis)),
        (None, None, (V22bis, V22)),
    ],
)
def test_either_end_can_hold_the_rate_down(
    calling: ModulationOptions | None,
    answering: ModulationOptions | None,
    makers: tuple[type[V22bis], type[V22bis]],
) -> None:
    pair = Pair(2, calling, answering, makers=makers, up=QUIET, down=QUIET)
    assert pair.connect()
    assert [e.rx_rate for e in (pair.ready(0), pair.ready(1)) if e] == [1200, 1200]
    pair.run(3)
    assert pair.errors(0)[0] == pair.errors(1)[0] == 0


@pytest.mark.parametrize("end", [0, 1])
def test_2400_or_nothing(end: int) -> None:
    options = [SLOW, SLOW]
    options[end] = FAST
    pair = Pair(2, *options, up=QUIET, down=QUIET).run(4)
    (failed,) = pair.of(end, Failed)
    assert isinstance(failed, Failed)
    assert "the far end offers 1200 bit/s only, and 2400 is the least allowed" in failed.reason
    assert not pair.last[end].any()


def test_no_rate_in_the_window() -> None:
    modem = V22(Role.CALLING, FAST, Marks())
    modem.start(0)
    (failed,) = modem.take_events()
    assert failed == Failed("V.22: no data rate lies between 2400 and 0 bit/s", "V.22bis (11/88) §2.5")


def test_starting_twice_is_our_bug() -> None:
    modem = V22bis(Role.CALLING, ModulationOptions(), Marks())
    modem.start(0)
    with pytest.raises(LocalProtocolError):
        modem.start(0)
    with pytest.raises(LocalProtocolError):
        modem._procedure.handle(Input.ONES_2400, 0)


def tone(hz: float, seconds: float, reversals: bool = False, am: float = 0.0) -> NDArray[np.float64]:
    t = np.arange(round(seconds * 8000)) / 8000
    sign = np.where((t // 0.45).astype(int) % 2 == 1, -1, 1) if reversals else 1
    x = np.sqrt(2) * rms_from_dbm0(-15) * np.cos(2 * np.pi * hz * t) * sign
    return np.asarray(x * (1 + am * np.cos(2 * np.pi * 15 * t)))


def call(rx: NDArray[np.float64]) -> tuple[V22bis, Audio]:
    modem = V22bis(Role.CALLING, ModulationOptions(), Marks())
    modem.start(0)
    noise = rms_from_dbm0(-45) * np.random.default_rng(1).standard_normal(rx.size)
    return modem, modem.process((rx + noise).astype(np.float32), 0)


@pytest.mark.parametrize(
    "rx",
    [
        tone(2100, 4.0),
        tone(2100, 4.0, reversals=True),
        tone(2100, 4.0, reversals=True, am=0.2),
        tone(2093, 4.0),
        tone(2225, 4.0),
        tone(2232, 4.0),
        tone(2400, 4.0),
        tone(1300, 4.0),
        tone(425, 4.0),
    ],
    ids=["ANS", "ANS reversals", "ANSam", "ANS -7", "2225", "2225 +7", "2400", "calling tone", "ringing"],
)
def test_a_caller_stays_silent_on_what_is_not_unscrambled_ones(rx: NDArray[np.float64]) -> None:
    modem, out = call(rx)
    assert not modem.far_end_seen
    assert not out.any()


def test_a_caller_is_not_fooled_by_its_own_family_in_its_own_channel() -> None:
    for seconds in (1.0,):
        x = tone(1050, seconds)
        modem, out = call(x)
        assert not modem.far_end_seen
        assert not out.any()


@pytest.mark.parametrize("offset", [-7.0, 0.0, 7.0])
def test_a_caller_hears_unscrambled_ones_within_7_hz(offset: float) -> None:
    modem, out = call(tone(2250 + offset, 1.0))
    assert modem.far_end_seen
    assert not out[: round(8000 * 0.155)].any()
    assert out.any()


def test_a_bell_answerer_sends_2225_hz_without_end() -> None:
    modem, out = call(tone(2225, 6.0))
    assert not modem.far_end_seen
    assert not out[: 8 * 4700].any()
    assert out[8 * 5000 :].any()


def test_a_bell_answer_tone_before_unscrambled_ones_is_waited_out() -> None:
    modem, out = call(np.concatenate([tone(2225, 3.0), np.zeros(600), tone(2250, 1.0)]))
    assert modem.far_end_seen
    assert not out[: 8 * 3600].any()


@pytest.mark.parametrize(
    ("role", "step", "missed", "clause"),
    [
        (
            Role.CALLING,
            "waiting for unscrambled ones",
            "no unscrambled ones from the answering modem",
            "§6.3.1.1.1 a)",
        ),
        (
            Role.ANSWERING,
            "unscrambled ones",
            "neither S1 nor scrambled ones from the calling modem",
            "§6.3.1.1.2 a)",
        ),
    ],
)
def test_a_silent_far_end_times_out(role: Role, step: str, missed: str, clause: str) -> None:
    trace = Recorder()
    modem = V22bis(role, ModulationOptions(), Marks(), trace)
    modem.start(0)
    for second in range(61):
        modem.process(np.zeros(8000, np.float32), 8000 * second)
    failed = Failed(f"V.22bis, {step}: {missed}", f"V.22bis (11/88) {clause}")
    assert [e for e in modem.take_events() if isinstance(e, Failed)] == [failed]
    assert trace.events


def test_a_retrain_by_either_end_ends_in_clean_data() -> None:
    for by in (0, 1):
        pair = Pair(5, up=QUIET, down=QUIET)
        assert pair.connect()
        pair.run(1)
        pair.ends[by].retrain(pair.now)
        pair.run(3)
        assert list(pair.of(by, Retraining)) == [Retraining(by_us=True)]
        assert list(pair.of(1 - by, Retraining)) == [Retraining(by_us=False)]
        for end in (0, 1):
            assert len(list(pair.of(end, Ready))) == 2
            report = pair.ends[end].report()
            assert (report.retrains_requested, report.retrains_granted) == ((1, 0) if end == by else (0, 1))
            assert report.snr_db is not None
            assert report.snr_db > 30


def test_both_ends_may_ask_for_a_retrain_at_once() -> None:
    pair = Pair(6, up=QUIET, down=QUIET)
    assert pair.connect()
    for end in (0, 1):
        pair.ends[end].retrain(pair.now)
    pair.run(3)
    assert [len(list(pair.of(end, Ready))) for end in (0, 1)] == [2, 2]


def test_a_changed_line_brings_a_retrain_by_itself() -> None:
    pair = Pair(7, up=QUIET, down=QUIET)
    assert pair.connect()
    pair.run(1)
    pair.paths[1].fir = np.array([0.4, 0, 0, 0, -0.4, 0, 0, 0, 0, 0.5, -0.5])
    pair.run(6)
    assert Retraining(by_us=True) in pair.events[0]
    assert not list(pair.of(0, Failed))
    start = len(pair.received[0])
    pair.run(2)
    assert sum(b.size for b in pair.received[0][start:]) > 4000


def test_retrains_are_limited() -> None:
    pair = Pair(8, up=QUIET, down=QUIET)
    assert pair.connect()
    pair.paths[1].noise = rms_from_dbm0(-14)
    pair.run(40)
    reasons = [e.reason for end in (0, 1) for e in pair.of(end, Failed)]  # type: ignore[attr-defined]
    assert reasons
    assert "retrain" in reasons[0]


def test_a_retrain_nobody_answers_is_given_up() -> None:
    pair = Pair(9, up=QUIET, down=QUIET)
    assert pair.connect()
    pair.ends[0].retrain(pair.now)
    # The far signal stays up, but it is that of a modem that never answers.
    steady = Pair(10, up=QUIET, down=QUIET)
    assert steady.connect()
    for _ in range(500):
        steady.step()
        pair.ends[0].process(steady.last[1], pair.now)
        pair.now += 160
    failed = [e for e in pair.ends[0].take_events() if isinstance(e, Failed)]
    step = "V.22bis, retrain: scrambled ones at 1200, waiting for S1"
    assert failed == [Failed(f"{step}: the far end answered none of 6 S1 signals", "V.22bis (11/88) §6.4")]


@pytest.mark.parametrize("rate", [1200, 2400])
def test_carrier_loss_after_s10(rate: int) -> None:
    options = ModulationOptions(max_rate=rate, carrier_loss=8000)
    pair = Pair(11, options, options, up=QUIET, down=QUIET)
    assert pair.connect()
    gone = pair.now
    pair.ends[1].clear_down(pair.now)
    pair.run(0.9)
    assert not list(pair.of(0, CarrierLost))
    pair.run(0.4)
    (when,) = [t for e, t in zip(pair.events[0], pair.times[0], strict=True) if isinstance(e, CarrierLost)]
    assert when - gone == pytest.approx(8000, abs=600)


def test_a_short_dropout_brings_no_garbage_and_the_data_go_on() -> None:
    pair = Pair(12, up=QUIET, down=QUIET)
    assert pair.connect()
    pair.run(1)
    keep, pair.paths[1].gain = pair.paths[1].gain, 0.0
    pair.run(0.3)
    pair.paths[1].gain = keep
    pair.run(2)
    assert not list(pair.of(0, CarrierLost))
    assert len(list(pair.of(0, Ready))) == 1
    sent, got = pair.bits[1].all, pair.got(0)
    assert np.array_equal(got[-1000:], sent[: got.size][-1000:]) or _tail_matches(sent, got)


def _tail_matches(sent: NDArray[np.uint8], got: NDArray[np.uint8]) -> bool:
    tail = got[-600:]
    return any(np.array_equal(sent[i : i + 600], tail) for i in range(sent.size - 1200, sent.size - 599))


def test_carrier_detected_and_far_end_seen_come_together() -> None:
    pair = Pair(13, up=QUIET, down=QUIET)
    while not any(end.far_end_seen for end in pair.ends):
        pair.step()
    assert pair.ends[0].far_end_seen
    assert not pair.ends[1].far_end_seen
    while not pair.ends[1].far_end_seen:
        pair.step()
    # The answering side is certain while the caller's S1 is still on the line: 611 + 100 ms and the filters.
    assert pair.now < 8 * (155 + 456 + 100 + 60)
    assert all(CarrierDetected("V.22bis") in events for events in pair.events)
