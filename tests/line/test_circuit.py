"""The circuit as a modem meets it."""

import numpy as np
import pytest
from tests.support.sweep import sweep

from ansam.codec import Law
from ansam.errors import ConfigError
from ansam.line import Circuit, CircuitParameters, Echo, End, PathParameters
from ansam.units import rms_from_dbm0

RMS = rms_from_dbm0(-13.0)


def sine(frequency, rms=RMS):
    def generate(now, count):
        t = np.arange(now, now + count) / 8000
        return (rms * np.sqrt(2) * np.sin(2 * np.pi * frequency * t)).astype(np.float32)

    return generate


def silence(now, count):
    return np.zeros(count, np.float32)


def talk(circuit, calling, answering, seconds):
    """Run both ends in the order of their clocks; return what each heard and which samples were erased."""
    heard = {end: [] for end in End}
    erased = {end: [] for end in End}
    now = dict.fromkeys(End, 0)
    say = {End.CALLING: calling, End.ANSWERING: answering}
    while min(now.values()) < seconds * 8000:
        end = min(End, key=lambda e: circuit.instant(e, now[e]))
        for audio, mark in circuit.pull(end, now[end]):
            heard[end].append(audio)
            erased[end].append(np.full(len(audio), mark))
        circuit.push(end, say[end](now[end], 160), now[end])
        now[end] += 160
    join = {end: np.concatenate(heard[end]) for end in End}
    return join, {end: np.concatenate(erased[end]) for end in End}


def both(parameters, **more):
    return CircuitParameters(up=parameters, down=parameters, **more)


def tone_of(x, skip=8000):
    """Return frequency in Hz, RMS and residual power of the one sine in x."""
    x = x[skip:].astype(float)
    n = np.arange(len(x))
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    guess = np.argmax(spectrum) / len(x)
    low, high = guess - 1 / len(x), guess + 1 / len(x)
    for _ in range(60):
        thirds = [low + (high - low) / 3, high - (high - low) / 3]
        power = [abs(np.dot(x, np.hanning(len(x)) * np.exp(-2j * np.pi * f * n))) for f in thirds]
        low, high = (low, thirds[1]) if power[0] > power[1] else (thirds[0], high)
    f = (low + high) / 2
    basis = np.stack([np.cos(2 * np.pi * f * n), np.sin(2 * np.pi * f * n)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, x, rcond=None)
    return f * 8000, np.hypot(*fit) / np.sqrt(2), np.mean((x - basis @ fit) ** 2)


def test_a_clean_linear_circuit_is_a_delay():
    circuit = Circuit(both(PathParameters(law=Law.LINEAR, delay_ms=40, playout_ms=60)), seed=1)
    rng = np.random.default_rng(2)
    sent = rng.standard_normal(32000).astype(np.float32) * 0.1
    heard, erased = talk(circuit, lambda now, n: sent[now : now + n], silence, 3)
    np.testing.assert_array_equal(heard[End.ANSWERING][800:24000], sent[: 24000 - 800])
    assert erased[End.ANSWERING][:800].all()
    assert not erased[End.ANSWERING][800:].any()


@pytest.mark.parametrize("law", [Law.ALAW, Law.ULAW])
def test_codewords_cross_bit_for_bit(law):
    circuit = Circuit(both(PathParameters(law=law, delay_ms=0, playout_ms=20)), seed=1)
    octets = np.random.default_rng(5).integers(0, 256, 24000).astype(np.uint8)
    sent = law.decode(octets)
    heard, _ = talk(circuit, silence, lambda now, n: sent[now : now + n], 2)
    np.testing.assert_array_equal(heard[End.CALLING][160:16000], sent[: 16000 - 160])


def test_the_same_seed_gives_the_same_call():
    p = both(PathParameters(snr_db=20, loss=0.1, jitter_ms=90), skew_ppm=50)
    a, b, c = (talk(Circuit(p, seed), sine(1000), sine(2000), 1)[0] for seed in (7, 7, 8))
    for end in End:
        np.testing.assert_array_equal(a[end], b[end])
        assert not np.array_equal(a[end], c[end])


@pytest.mark.parametrize("gain", [0.0, -15.0, 6.0])
def test_noise_and_gain(gain):
    p = PathParameters(law=Law.LINEAR, snr_db=25, gain_db=gain)
    heard, _ = talk(Circuit(both(p), seed=3), sine(1000), silence, 6)
    frequency, rms, rest = tone_of(heard[End.ANSWERING])
    assert frequency == pytest.approx(1000, abs=0.01)
    assert 20 * np.log10(rms / RMS) == pytest.approx(gain, abs=0.05)
    assert 10 * np.log10(rms**2 / rest) == pytest.approx(25, abs=0.2)
    # The noise is there without a signal, as strong.
    idle = np.mean(heard[End.CALLING][8000:].astype(float) ** 2)
    assert 10 * np.log10(idle / rest) == pytest.approx(0, abs=0.2)


def test_noise_is_white_to_4_khz():
    p = PathParameters(law=Law.LINEAR, snr_db=10)
    heard, _ = talk(Circuit(both(p), seed=3), silence, silence, 20)
    x = heard[End.ANSWERING][8000:].astype(float)
    spectrum = (np.abs(np.fft.rfft(x[: len(x) // 8000 * 8000].reshape(-1, 8000), axis=1)) ** 2).mean(axis=0)
    bands = spectrum[:4000].reshape(8, 500).mean(axis=1)
    assert np.ptp(10 * np.log10(bands)) < 1


@pytest.mark.parametrize("offset", [-7.0, 4.0])
def test_frequency_offset(offset):
    heard, _ = talk(
        Circuit(both(PathParameters(law=Law.LINEAR, offset_hz=offset)), 1), sine(1200), sine(2400), 4
    )
    assert tone_of(heard[End.ANSWERING])[0] == pytest.approx(1200 + offset, abs=0.001)
    assert tone_of(heard[End.CALLING])[0] == pytest.approx(2400 + offset, abs=0.001)


@pytest.mark.parametrize("ppm", sweep([-150.0, 20.0, 300.0], {2}))
def test_skew_is_heard_at_both_ends_and_distorts_nothing(ppm):
    p = both(PathParameters(law=Law.LINEAR), skew_ppm=ppm)
    circuit = Circuit(p, 1)
    heard, erased = talk(circuit, sine(2400), sine(2400), 12)
    for end, sign in ((End.ANSWERING, -1), (End.CALLING, 1)):
        frequency, rms, rest = tone_of(heard[end])
        assert (frequency / 2400 - 1) * 1e6 == pytest.approx(sign * ppm, abs=1)
        assert 10 * np.log10(rms**2 / rest) > 70
        assert not erased[end][8000:].any()
        assert circuit.counters(end).slips == 0


def test_skew_moves_erasures_with_their_samples():
    p = both(PathParameters(law=Law.LINEAR, loss=0.2), skew_ppm=200)
    circuit = Circuit(p, 4)
    heard, erased = talk(circuit, sine(1000), silence, 10)
    fraction = erased[End.ANSWERING][8000:].mean()
    assert fraction == pytest.approx(0.2, abs=0.06)
    edges = np.flatnonzero(np.diff(erased[End.ANSWERING][8000:].astype(int)))
    assert len(set(edges % 160)) > 3
    inside = erased[End.ANSWERING] & np.roll(erased[End.ANSWERING], 30) & np.roll(erased[End.ANSWERING], -30)
    assert np.abs(heard[End.ANSWERING][inside]).max() < 1e-3


def test_adaptors_of_different_clocks_slip():
    circuit = Circuit(both(PathParameters(delay_ms=20), adaptor_skew_ppm=2000), 1)
    talk(circuit, sine(1000), sine(1000), 100)
    # 100 s of 2000 ppm are 10 packets: the starving buffer takes three at a time, the full one drops two.
    assert 2 <= circuit.counters(End.CALLING).slips <= 5
    assert 4 <= circuit.counters(End.ANSWERING).slips <= 6


def test_an_end_may_change_its_pace():
    circuit = Circuit(both(PathParameters(delay_ms=10)), 1)
    assert circuit.instant(End.CALLING, 8000) == 8000
    circuit.set_pace(End.CALLING, 8000, 1.25)
    assert circuit.instant(End.CALLING, 9000) == 8800
    circuit.set_pace(End.CALLING, 9000, 1.0)
    assert circuit.instant(End.CALLING, 9100) == 8900
    circuit.push(End.ANSWERING, np.zeros(160, np.float32), 8880)
    assert circuit.arrived(End.CALLING, 9100) == []
    assert circuit.arrived(End.CALLING, 9160) == [(9160, 0)]
    assert circuit.arrived(End.CALLING, 9320) == []


@pytest.mark.parametrize(("level", "delay"), [(-12.0, 20.0), (-30.0, 500.0), (-6.0, 33.375)])
def test_echo_level_and_delay(level, delay):
    p = both(PathParameters(law=Law.LINEAR, gain_db=-20), echoes={End.CALLING: (Echo(level, delay),)})
    rng = np.random.default_rng(2)
    sent = rng.standard_normal(32000).astype(np.float32) * 0.1
    heard, _ = talk(Circuit(p, 1), lambda now, n: sent[now : now + n], silence, 3)
    shift = round(delay * 8)
    np.testing.assert_allclose(
        heard[End.CALLING][shift:24000], sent[: 24000 - shift] * 10 ** (level / 20), rtol=1e-5, atol=1e-7
    )
    assert not heard[End.ANSWERING][:640].any()


def test_far_echo_has_its_own_offset_and_delay():
    p = both(
        PathParameters(law=Law.LINEAR), echoes={End.ANSWERING: (Echo(-10, 200, offset_hz=3), Echo(-20, 20))}
    )
    heard, _ = talk(Circuit(p, 1), silence, sine(1500), 4)
    x = heard[End.ANSWERING]
    assert tone_of(x)[0] == pytest.approx(1503, abs=0.05)
    assert np.abs(x[1600 - 200 : 1600]).max() < 0.2 * RMS
    assert np.abs(x[1700:1900]).max() > 0.35 * RMS


def test_an_echo_is_quantised_together_with_the_signal():
    p = both(PathParameters(law=Law.ALAW), echoes={End.CALLING: (Echo(-10, 60),)})
    heard, _ = talk(Circuit(p, 1), sine(1200), sine(2400), 1)
    x = heard[End.CALLING]
    np.testing.assert_array_equal(Law.ALAW.through(x), x)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"snr_db": float("nan")}, "snr"),
        ({"loss": 1.5}, "loss of 1.5"),
        ({"loss_burst": 0}, "loss-burst"),
        ({"delay_ms": -1}, "delay"),
        ({"playout_ms": 1e9}, "playout"),
        ({"gain_db": float("inf")}, "gain"),
    ],
)
def test_values_out_of_range_are_named(values, named):
    with pytest.raises(ConfigError, match=named):
        PathParameters(**values)


def test_more_values_out_of_range():
    with pytest.raises(ConfigError, match=r"skew of 1e\+06 ppm .choose -5000 to 5000 ppm"):
        CircuitParameters(skew_ppm=1e6)
    with pytest.raises(ConfigError, match="echo of 3 dB"):
        Echo(3.0)
