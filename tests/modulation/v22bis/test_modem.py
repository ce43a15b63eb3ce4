"""Two modems over lines: impairments, erasures, cuts, what the report says."""

import numpy as np
import pytest
from tests.support.sweep import sweep
from tests.support.v22bis_line import Pair

from ansam.errors import ConfigError
from ansam.modulation.base import Marks, ModulationOptions, Ready, Retraining, Role
from ansam.modulation.v22bis import V22, V22_SPEC, V22BIS_SPEC, V22bis, receiver_state
from ansam.modulation.v22bis import receiver_kernel as kernel
from ansam.modulation.v22bis.receiver import Heard, Receiver
from ansam.units import Audio, Bits

NOISE = {"noise_dbm0": -50.0}
SMEAR = np.array([1.0, 0.3, -0.2, 0.1])
LINES: dict[str, dict[str, object]] = {
    "clean": {},
    "A-law": {"up": {"alaw": True}, "down": {"alaw": True}},
    "offset 7 Hz": {"up": {"offset_hz": 7.0}, "down": {"offset_hz": -7.0}},
    "skew 300 ppm": {"up": {"skew_ppm": 300.0}, "down": {"skew_ppm": -300.0}},
    "level -42 dBm0": {"up": {"gain_db": -29.0}, "down": {"gain_db": -29.0}},
    "level -42 dBm0, A-law": {
        "up": {"gain_db": -29.0, "alaw": True},
        "down": {"gain_db": -29.0, "alaw": True},
    },
    "level -1 dBm0": {"up": {"gain_db": 12.0}, "down": {"gain_db": 12.0}},
    "echo -6 dB, far -33 dBm0, A-law": {
        "up": {"gain_db": -20.0, "alaw": True},
        "down": {"gain_db": -20.0, "alaw": True},
        "echo_db": -6.0,
    },
    "echo -6 dB, far -42 dBm0": {"up": {"gain_db": -29.0}, "down": {"gain_db": -29.0}, "echo_db": -6.0},
    "smeared": {"up": {"fir": SMEAR}, "down": {"fir": SMEAR[::-1]}},
    "guard tone 1800": {"answering": ModulationOptions(guard_tone_hz=1800)},
    "guard tone 550": {"answering": ModulationOptions(guard_tone_hz=550), "echo_db": -6.0},
    "half a second of delay": {"up": {"delay": 2000}, "down": {"delay": 2000}},
}


@pytest.mark.parametrize("rate", [1200, 2400])
@pytest.mark.parametrize("line", list(LINES.values()), ids=list(LINES))
def test_no_wrong_bit(line: dict[str, object], rate: int) -> None:
    makers = (V22bis, V22bis) if rate == 2400 else (V22, V22)
    pair = Pair(1, makers=makers, **line)  # type: ignore[arg-type]
    assert pair.connect()
    pair.run(5)
    for end in (0, 1):
        assert pair.errors(end)[0] == 0
        assert pair.errors(end)[1] > 4 * rate
        (ready,) = pair.of(end, Ready)
        assert ready.rx_rate == rate  # type: ignore[attr-defined]


@pytest.mark.parametrize("rate", [1200, 2400])
@pytest.mark.parametrize("seeds", sweep([range(6), range(6, 16)], {0}), ids=str)
def test_every_one_of_many_typical_calls_connects_without_error(seeds: range, rate: int) -> None:
    failed = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        line = [
            {
                "noise_dbm0": -50.0,
                "alaw": True,
                "skew_ppm": rng.uniform(-50, 50),
                "delay": int(rng.integers(1, 800)),
            }
            for _ in range(2)
        ]
        options = ModulationOptions(max_rate=rate)
        pair = Pair(
            seed,
            options,
            options,
            up=line[0],
            down=line[1],
            echo_db=-30,
            echo_delay=int(rng.integers(1, 400)),
            answer_after=int(rng.integers(0, 4000)),
        )
        good = pair.connect() and (pair.run(1), pair.errors(0)[0] + pair.errors(1)[0] == 0)[1]
        if not good or pair.now > 8000 * 6:
            failed.append(seed)
    assert failed == []


def test_a_noisy_line_before_the_call_does_not_hide_it() -> None:
    # Noise above the threshold of circuit 109: the carrier never "comes".
    line = {"noise_dbm0": -30.0, "offset_hz": 7.0}
    pair = Pair(3, makers=(V22, V22bis), up=line, down=line, answer_after=16000)
    assert pair.connect(10)
    pair.run(2)
    assert pair.errors(0)[0] == pair.errors(1)[0] == 0


@pytest.mark.parametrize("rate", [1200, 2400])
@pytest.mark.parametrize("milliseconds", [20, 100, 500])
@pytest.mark.parametrize("seeds", sweep([range(20, 22), range(22, 24)], {0}), ids=str)
def test_an_erasure_needs_no_retrain_and_costs_only_its_own_bits(
    seeds: range, milliseconds: int, rate: int
) -> None:
    options = ModulationOptions(max_rate=rate)
    line = {"noise_dbm0": -50.0, "offset_hz": 3.0, "skew_ppm": 100.0}
    for seed in seeds:
        pair = Pair(seed, options, options, up=line, down=line)
        assert pair.connect()
        pair.run(3)
        start = pair.now
        pair.erase = (lambda now: False, lambda now, start=start: now < start + 8 * milliseconds)
        before = pair.got(1).size
        pair.run(3)
        assert not list(pair.of(1, Retraining))
        sent, got = pair.bits[0].all, pair.got(1)
        key = before - 500
        offset = next(
            o
            for o in range(-2000, 2000)
            if np.array_equal(got[key : key + 400], sent[key + o : key + o + 400])
        )
        n = min(got.size, sent.size - offset)
        wrong = np.flatnonzero(got[1000:n] != sent[1000 + offset : n + offset]) + 1000
        assert before - 60 <= wrong.min()
        assert wrong.max() < before + rate * (milliseconds / 1000 + 0.06) + 17


class Tape:
    """A fixed stream of bits, the same however it is asked for."""

    def __init__(self, seed: int) -> None:
        self.stream = np.random.default_rng(seed).integers(0, 2, 20000).astype(np.uint8)
        self.position = 0

    def pull(self, count: int) -> Bits:
        self.position += count
        return self.stream[self.position - count : self.position]


def test_nothing_depends_on_how_the_stream_is_cut() -> None:
    pair = Pair(4, up=NOISE, down=NOISE)
    heard: tuple[list[Audio], list[Audio]] = ([], [])
    processors = [end.process for end in pair.ends]
    for i in (0, 1):

        def spy(rx: Audio, now: int, erased: bool = False, i: int = i) -> Audio:
            heard[i].append(rx)
            return processors[i](rx, now, erased)

        pair.ends[i].process = spy  # type: ignore[method-assign]
    assert pair.connect()
    pair.run(1)
    pair.ends[0].retrain(pair.now)
    pair.run(1)
    for end, role in enumerate((Role.CALLING, Role.ANSWERING)):
        rx = np.concatenate(heard[end])
        results = []
        for cut in (rx.size, 160, 7):
            modem = V22bis(role, ModulationOptions(), Tape(9))
            modem.start(0)
            rng = np.random.default_rng(cut)
            done, out, events, bits = 0, [], [], []
            while done < rx.size:
                n = cut if cut >= 160 else int(rng.integers(0, 60))
                piece = rx[done : done + n]
                out.append(modem.process(piece, done))
                events += modem.take_events()
                bits.append(modem.take_bits())
                done += piece.size
            results.append((np.concatenate(out), events, np.concatenate(bits)))
        for tx, events, bits in results[1:]:
            assert np.array_equal(tx, results[0][0])
            assert events == results[0][1]
            assert np.array_equal(bits[:4096], results[0][2][:4096])


def test_the_report_tells_the_line() -> None:
    line = {"noise_dbm0": -40.0, "gain_db": -7.0, "offset_hz": 4.0, "skew_ppm": 200.0}
    pair = Pair(5, up=line, down=line)
    assert pair.ends[0].report().rx_level_dbm0 is None
    assert pair.ends[0].report().snr_db is None
    assert pair.connect()
    pair.run(6)
    report = pair.ends[1].report()
    assert report.rx_level_dbm0 == pytest.approx(-20, abs=0.5)
    assert report.tx_level_dbm0 == -13
    # 20 dB in 0 to 4 kHz is Es/N0 of 28.2 dB, less what the loops add.
    assert report.snr_db == pytest.approx(28.2, abs=1.2)
    assert report.carrier_offset_hz == pytest.approx(4 + 1200 * 200e-6, abs=0.2)
    assert report.timing_offset_ppm == pytest.approx(200, abs=25)
    assert report.carriers_hz == (1200.0, 2400.0)
    assert report.symbol_rate == 600
    assert len(report.constellation) == receiver_state.HISTORY
    nearest = np.array(
        [
            complex(round((p.real - 1) / 2) * 2 + 1, round((p.imag - 1) / 2) * 2 + 1)
            for p in report.constellation
        ]
    )
    assert np.mean(np.abs(np.array(report.constellation) - nearest) ** 2) < 0.1


def test_bits_nobody_takes_are_bounded() -> None:
    pair = Pair(6, up=NOISE, down=NOISE)
    assert pair.connect()
    pair.ends[0].take_bits = lambda: np.zeros(0, np.uint8)  # type: ignore[method-assign]
    pair.run(6)
    del pair.ends[0].take_bits
    assert pair.ends[0].take_bits().size == 8192
    assert pair.ends[0].take_bits().size == 0


def test_a_wrong_guard_tone_is_refused() -> None:
    with pytest.raises(ConfigError, match="use 0, 550 or 1800"):
        V22bis(Role.ANSWERING, ModulationOptions(guard_tone_hz=1000), Marks())


def test_the_specs() -> None:
    assert V22.spec is V22_SPEC
    assert V22bis.spec is V22BIS_SPEC
    assert V22BIS_SPEC.data_rates == (1200, 2400)
    assert V22_SPEC.data_rates == (1200,)
    assert len(V22BIS_SPEC.symbol_rates) == 2


def test_the_interpreted_receiver_agrees_with_the_compiled_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair(7, up=NOISE, down=NOISE)
    assert pair.connect()
    pair.run(0.5)
    pieces = []
    for _ in range(3):
        pair.step()
        pieces.append(pair.paths[0](pair.last[0]))
    rx = np.concatenate(pieces)
    compiled = Receiver(Role.ANSWERING, 8000)
    plain = Receiver(Role.ANSWERING, 8000)
    for receiver in (compiled, plain):
        receiver._state[:] = pair.ends[1]._rx._state
        receiver._taps[:] = pair.ends[1]._rx._taps
        receiver.watch(Heard.S1_END)
    compiled.process(rx, False)
    for name in dir(kernel):
        function = getattr(kernel, name)
        if hasattr(function, "py_func"):
            monkeypatch.setattr(kernel, name, function.py_func)
    plain.process(rx, False)
    points = [np.array(receiver.constellation()) for receiver in (compiled, plain)]
    assert np.abs(points[0] - points[1]).max() < 1e-3
