"""Phase 2 of two ends over the simulated circuit: its times, its results, and what it survives."""

from dataclasses import replace

import numpy as np
import pytest
from tests.support.phase2_line import Pair
from tests.support.sweep import sweep

from ansam.errors import LocalProtocolError
from ansam.line.parameters import CircuitParameters, Echo, End, PathParameters
from ansam.modulation.base import ModulationOptions, PhaseEntered, Role
from ansam.modulation.v34.info import Info0, Info1a, Info1c
from ansam.modulation.v34.info_channel import Hearing, InfoReceiver, InfoSender
from ansam.modulation.v34.phase2 import Entry, Phase2
from ansam.modulation.v34.phase2_answering import ANSWERING
from ansam.modulation.v34.phase2_calling import CALLING
from ansam.modulation.v34.phase2_steps import STEPS, Input, State
from ansam.units import Audio, rms_from_dbm0

ECHOES = {end: [Echo(-10)] for end in End}
ROUND_TRIP = 8 * 160
"""Twice 20 ms of delay and 60 ms of playout."""


def both(**parameters: object) -> dict[str, PathParameters]:
    return {way: PathParameters(**parameters) for way in ("up", "down")}  # type: ignore[arg-type]


def run(seed: int = 0, seconds: float = 40, **parameters: object) -> Pair:
    pair = Pair(CircuitParameters(echoes=ECHOES, **parameters), seed, offset=37 * seed % 160)  # type: ignore[arg-type]
    assert pair.run(seconds), [modem.state for modem in pair.ends.values()]
    assert pair.agreed, [modem.failure for modem in pair.ends.values()]
    return pair


def at(pair: Pair, end: End, state: State) -> float:
    """Return when a state was first entered, ms."""
    return next(ms for ms, phase in pair.phases(end) if phase == state.value)


def test_every_state_can_end() -> None:
    for table, prefix in ((CALLING, "C_"), (ANSWERING, "A_")):
        mine = {state for state in State if state.name.startswith(prefix)}
        assert {state for state, _ in table.transitions} == mine | {State.PAUSE}
        for state in mine:
            assert (state, Input.TIMEOUT) in table.transitions
            assert STEPS[state].clause
            assert STEPS[state].at_most is not None or state in table.entry


def test_the_times_of_figure_16() -> None:
    pair = run()
    c, a = End.CALLING, End.ANSWERING
    way = ROUND_TRIP / 16
    assert at(pair, c, State.C_INFO0) == at(pair, a, State.A_INFO0) == 75
    tone = at(pair, a, State.A_TONE)
    first = at(pair, a, State.A_WAIT_B1)
    assert first - tone >= 50
    b1 = at(pair, c, State.C_TAIL1)
    assert b1 - (first + way) == pytest.approx(40, abs=0.5)
    a2 = at(pair, a, State.A_TAIL1)
    assert a2 - (b1 + way) == pytest.approx(40, abs=0.5)
    assert at(pair, a, State.A_PROBE) - a2 == 10
    silent = at(pair, c, State.C_TONE2) - at(pair, c, State.C_WAIT_A2)
    assert silent <= 670 + ROUND_TRIP / 8 + 40
    assert at(pair, c, State.C_TONE2) - (a2 + way) <= 670
    assert at(pair, a, State.A_TAIL2) - at(pair, a, State.A_TONE2) == 50
    b2 = at(pair, c, State.C_TAIL2)
    assert b2 - (at(pair, a, State.A_TAIL2) + way) == pytest.approx(40, abs=0.5)
    assert at(pair, c, State.C_PROBE) - b2 == 10
    assert at(pair, a, State.A_TONE3) - (b2 + way) <= 670


def test_the_reversal_on_the_line_comes_after_40_ms() -> None:
    """Measured by a third receiver on what the calling end hears and sends."""
    pair = run()
    instants = []
    for far, audio in ((Role.ANSWERING, pair.heard), (Role.CALLING, pair.sent)):
        ear = InfoReceiver(far)
        ear.watch(Hearing.REVERSAL)
        samples, reversals, done = np.concatenate(audio[End.CALLING]), [], 0
        while done < samples.size:
            taken, heard = ear.process(samples[done:])
            done += taken
            if heard and ear.steady_before > 240:
                reversals.append(ear.reversal_at)
        instants.append(reversals)
    heard_a, sent_b = instants
    assert sent_b[0] - heard_a[0] == pytest.approx(320, abs=8)
    assert sent_b[1] - heard_a[2] == pytest.approx(320, abs=8)


def test_what_is_agreed_on_a_flat_line() -> None:
    pair = run()
    calling, answering = pair.ends[End.CALLING].result, pair.ends[End.ANSWERING].result
    assert calling is not None
    assert answering is not None
    for result in (calling, answering):
        for way in (result.send, result.receive):
            assert way.symbol_rate.name == 3429
            assert way.max_rate == 33600
            assert way.pre_emphasis == 0
            assert way.power_reduction == 0
            assert way.carrier_hz == pytest.approx(1959, abs=1)
        assert result.round_trip == pytest.approx(ROUND_TRIP, abs=5)
        assert result.round_trip_certain
        assert result.probe.snr_db == pytest.approx(37, abs=1)
        assert result.far == Info0()
    # The end of INFO1a is known to a symbol: 70 ± 5 ms follow.
    assert calling.at - answering.at == pytest.approx(ROUND_TRIP / 2, abs=14)
    events = pair.ends[End.CALLING].take_events()
    assert events[1] == PhaseEntered("INFO0c", "V.34 (10/96) §11.2.1.1.1")
    assert not pair.ends[End.CALLING].take_events()


@pytest.mark.parametrize(
    "parameters",
    [
        {"skew_ppm": 300},
        {"skew_ppm": -300},
        both(offset_hz=7),
        both(offset_hz=-7, snr_db=25),
        both(snr_db=15),
        both(delay_ms=600),
        both(gain_db=-25),
        {**both(loss=0.01, snr_db=25, offset_hz=3, delay_ms=150), "skew_ppm": 200},
    ],
    ids=["+300 ppm", "-300 ppm", "+7 Hz", "-7 Hz", "15 dB", "600 ms", "-25 dB", "all"],
)
def test_impaired_lines(parameters: dict[str, object]) -> None:
    pair = run(3, **parameters)
    result = pair.ends[End.CALLING].result
    assert result is not None
    assert result.round_trip_certain


def test_the_round_trip_is_exact() -> None:
    for delay in (20, 100, 300):
        pair = run(delay, **both(delay_ms=delay, snr_db=15))
        for modem in pair.ends.values():
            exact = 16 * (delay + 60)
            # The ends' frames begin apart, so that a direction waits for the other end's next one.
            assert exact - 8 <= modem.round_trip <= exact + 160 + 8


@pytest.mark.parametrize("seed", range(10))
def test_lost_packets(seed: int) -> None:
    run(seed, **both(loss=0.01 if seed < 6 else 0.03))


FRAMES = [9, 13, 17, 18, 24, 25, 31, 45, 60, 75, 76, 77, 78, 82, 83, 100, 120, 126, 134, 140, 143]


@pytest.mark.parametrize("end", list(End), ids=lambda end: end.value)
@pytest.mark.parametrize("frames", sweep([FRAMES[::2], FRAMES[1::2]], {0}), ids=str)
def test_a_single_lost_packet_anywhere(frames: list[int], end: End) -> None:
    for k in frames:

        def spoil(hears: End, frame: int, audio: Audio, erased: bool, k: int = k) -> tuple[Audio, bool]:
            lost = hears is end and frame == k
            return (np.full_like(audio, 0.5), True) if lost else (audio, erased)

        pair = Pair(CircuitParameters(echoes=ECHOES), 1, spoil=spoil)
        assert pair.run(12), k
        assert pair.agreed, k


def test_the_pause_may_have_begun_before() -> None:
    modem = Phase2(Role.CALLING, ModulationOptions())
    modem.start(0, pause=160)
    out = modem.process(np.zeros(800, np.float32), 0)
    assert not out[:160].any()
    assert out[160:].all()


def test_results_do_not_depend_on_the_cut() -> None:
    pair = run(2, **both(snr_db=20))
    end = End.CALLING
    heard, sent = np.concatenate(pair.heard[end]), np.concatenate(pair.sent[end])
    modem = Phase2(Role.CALLING, ModulationOptions())
    # The pair hears nothing before the far end's first packet.
    quiet = next(k for k, audio in enumerate(pair.heard[end]) if audio.any()) * 160
    modem.start(0)
    parts = [modem.process(heard[:quiet], 0, erased=True)]
    rng = np.random.default_rng(4)
    now = quiet
    while now < heard.size:
        n = int(rng.integers(1, 500))
        parts.append(modem.process(heard[now : now + n], now))
        now += n
    assert np.array_equal(np.concatenate(parts), sent)


@pytest.mark.parametrize("wait", [0.5, 3.0], ids=["waiting for the reversal", "waiting for tone A"])
def test_info0a_in_place_of_the_second_reversal(wait: float) -> None:
    """A lost packet in our tone B made the answering modem begin its recovery."""
    far = InfoSender(Role.ANSWERING, -13)
    modem = Phase2(Role.CALLING, ModulationOptions())
    modem.start(0)
    now = 0
    states = []

    def run_for(seconds: float) -> None:
        nonlocal now
        for _ in range(round(seconds * 50)):
            rx = np.zeros(160, np.float32)
            far.add_to(rx)
            modem.process(rx, now)
            now += 160
            states.append(modem.state)

    run_for(0.1)
    far.begin()
    far.queue(Info0().encode())
    run_for(0.3)
    far.reverse()
    run_for(wait)
    for acknowledge, count in ((False, 5), (True, 5)):
        far.queue(np.tile(Info0(acknowledge=acknowledge).encode(), count))
        run_for(count * 0.0817)
    run_for(0.1)
    assert State.C_REPEAT in states
    assert states[-1] is State.C_TONE


def test_info0a_in_place_of_info1a() -> None:
    """What slmodemd answers to a damaged INFO1c: only a retrain wakes it up."""
    pair = Pair()
    caller = pair.ends[End.CALLING]
    while caller.state is not State.C_SENT_INFO1:
        pair.step()
    now = pair.now[End.CALLING]
    far = InfoSender(Role.ANSWERING, -13)
    far.begin()
    far.queue(np.tile(Info0().encode(), 40))
    states = []
    for _ in range(80):
        rx = np.zeros(160, np.float32)
        far.add_to(rx)
        out = caller.process(rx, now)
        now += 160
        states.append((caller.state, bool(out.any())))
    first = next(k for k, (state, _) in enumerate(states) if state is State.C_RETRAIN)
    assert first < 35
    assert all(state is State.C_RETRAIN and sends for state, sends in states[first + 1 : first + 24])
    assert states[-1][0] in (State.C_TONE, State.C_REPEAT)


def test_options_are_obeyed() -> None:
    slow = ModulationOptions(v34_symbol_rates=(2400, 3000, 3200), max_rate=26400, v34_level_deviation=False)
    pair = Pair(options={End.CALLING: slow})
    assert pair.run(10)
    assert pair.agreed
    result = pair.ends[End.ANSWERING].result
    assert result is not None
    assert not result.far.supports_3429
    assert not result.far.reduces_power
    assert result.send.symbol_rate.name == 3200
    assert result.send.max_rate == 26400
    assert result.receive.symbol_rate.name == 3200
    assert result.receive.max_rate == 31200


def test_asymmetric_symbol_rates_where_the_line_is() -> None:
    """What comes down is noisy at the top of the band; what goes up is not."""
    pair = Pair(CircuitParameters(down=PathParameters(snr_db=30)))
    assert pair.run(10)
    assert pair.agreed
    result = pair.ends[End.CALLING].result
    assert result is not None
    assert result.receive.max_rate == pytest.approx(24000, abs=2400)
    assert result.send.max_rate == 33600


def retrain(pair: Pair, by: End) -> Pair:
    """Let one end begin a retrain; the other one hears the tone in its data."""
    other = by.other
    ear = InfoReceiver(Role.CALLING if by is End.CALLING else Role.ANSWERING)
    ear.watch(Hearing.TONE, 400)
    pair.forget_training()
    pair.ends[by].start(pair.now[by], Entry.RETRAIN)
    begun = False
    for _ in range(2000):
        end = min(End, key=lambda e: pair.circuit.instant(e, pair.now[e]))
        if end is other and not begun:
            now, out = pair.now[end], np.zeros(160, np.float32)
            for audio, erased in pair.circuit.pull(end, now):
                begun |= bool(ear.process(audio, erased)[1])
            pair.circuit.push(end, out, now)
            pair.now[end] += 160
            if begun:
                pair.ends[other].start(pair.now[other], Entry.RESPONSE)
            continue
        pair.step()
        if begun and all(modem.over for modem in pair.ends.values()):
            break
    return pair


@pytest.mark.parametrize("by", list(End), ids=lambda end: end.value)
def test_a_retrain_by_either_end(by: End) -> None:
    pair = run(**both(snr_db=20))
    before = pair.ends[End.CALLING].result
    retrain(pair, by)
    assert pair.agreed
    assert pair.ends[End.CALLING].result is not before
    assert "INFO0c" not in [phase for ms, phase in pair.phases(End.CALLING) if ms > 3200]


def test_a_damaged_info1c_is_asked_for_again_at_once() -> None:
    def spoil(hears: End, frame: int, audio: Audio, erased: bool) -> tuple[Audio, bool]:
        lost = hears is End.ANSWERING and frame in (129, 130)
        return (np.full_like(audio, 0.5), True) if lost else (audio, erased)

    pair = Pair(CircuitParameters(echoes=ECHOES), spoil=spoil)
    assert pair.run(12)
    assert pair.agreed
    result, good = pair.ends[End.CALLING].result, run().ends[End.CALLING].result
    assert result is not None
    assert good is not None
    assert result.at - good.at < 8 * 600
    assert "INFOMARKSa" in [phase for _, phase in pair.phases(End.ANSWERING)]


@pytest.mark.parametrize(("end", "frame"), [(End.ANSWERING, 130), (End.CALLING, 142)])
def test_an_info1_with_a_lost_packet_is_pieced_together(end: End, frame: int) -> None:
    def spoil(hears: End, k: int, audio: Audio, erased: bool) -> tuple[Audio, bool]:
        lost = hears is end and k == frame
        return (np.full_like(audio, 0.5), True) if lost else (audio, erased)

    pair = Pair(CircuitParameters(echoes=ECHOES), spoil=spoil)
    assert pair.run(12)
    assert pair.agreed
    assert not pair.repairs
    assert "INFOMARKSa" not in [phase for _, phase in pair.phases(End.ANSWERING)]
    result = pair.ends[End.CALLING].result
    assert result is not None
    assert result.send.max_rate == 33600


def test_info1_is_asked_for_again_with_infomarks() -> None:
    """§11.3.2.2.1: the calling modem has missed INFO1a, and phase 3 has come to nothing."""

    def spoil(hears: End, frame: int, audio: Audio, erased: bool) -> tuple[Audio, bool]:
        lost = hears is End.CALLING and 140 <= frame < 144
        return (audio * np.float32(0), True) if lost else (audio, erased)

    pair = Pair(spoil=spoil)
    assert pair.run(12)
    assert pair.agreed
    assert pair.repairs == 1
    assert "INFOMARKSa" in [phase for _, phase in pair.phases(End.ANSWERING)]


def test_entries_that_can_not_be() -> None:
    modem = Phase2(Role.CALLING, ModulationOptions())
    with pytest.raises(LocalProtocolError):
        modem.start(0, Entry.RETRAIN)
    modem.start(0)
    with pytest.raises(LocalProtocolError):
        modem.start(0)
    with pytest.raises(LocalProtocolError):
        modem._core.handle(Input.REVERSAL, 0)
    pair = run()
    with pytest.raises(LocalProtocolError):
        pair.ends[End.ANSWERING].start(pair.now[End.ANSWERING], Entry.REPEAT)


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
@pytest.mark.parametrize("level", [None, -20.0])
def test_nobody_there(role: Role, level: float | None) -> None:
    rng = np.random.default_rng(1)
    modem = Phase2(role, ModulationOptions())
    modem.start(0)
    rms = 0.0 if level is None else rms_from_dbm0(level)
    for second in range(25):
        modem.process((rms * rng.standard_normal(8000)).astype(np.float32), 8000 * second)
    assert modem.over
    assert modem.result is None
    mine, theirs = ("B", "A") if role is Role.CALLING else ("A", "B")
    assert modem.failure.startswith(f"V.34 phase 2, tone {mine}, waiting for ")
    assert f"nothing of V.34 was heard, tone {theirs}" in modem.failure
    assert modem.failure_clause.startswith("V.34 (10/96) §11.2")
    assert not modem.far_end_seen
    assert not modem.process(np.zeros(800, np.float32), 200_000).any()


def test_a_line_that_carries_no_allowed_rate_fails() -> None:
    fast = ModulationOptions(min_rate=14400)
    pair = Pair(CircuitParameters(**both(snr_db=12)), 1, {End.ANSWERING: fast})
    pair.run(8)
    assert "leave no symbol rate for both directions" in pair.ends[End.ANSWERING].failure


def test_a_weak_far_end() -> None:
    pair = Pair(CircuitParameters(**both(gain_db=-28)), 1)
    assert pair.run(10)
    assert pair.agreed


def test_the_trace_tells_what_was_said_and_measured() -> None:
    pair = run()
    names = [event.name for event in pair.trace[End.ANSWERING].events]
    assert names.count("info0") == names.count("info1") == names.count("probe") == 1


def test_info1_follow_the_tables() -> None:
    pair = run()
    result = pair.ends[End.ANSWERING].result
    assert result is not None
    assert isinstance(result.info1c, Info1c)
    assert [r.bit_rate for r in result.info1c.rates] == [21600, 26400, 26400, 28800, 31200, 33600]
    assert result.info1a == replace(
        Info1a(), max_rate=14, rate_to_call=5, rate_to_answer=5, frequency_offset=0
    )
