"""The meddlers: what they do, and that nothing depends on how the stream is cut."""

import numpy as np
import pytest

from ansam.codec import Law
from ansam.errors import ConfigError
from ansam.line import Circuit, CircuitParameters, End, Meddling, PathParameters
from ansam.line.meddle import MEDDLERS
from ansam.sim.options import SimOptions
from ansam.units import dbm0_from_power, rms_from_dbm0

N = 24000


def noise(seed, level_dbm0=-13.0, n=N):
    return (rms_from_dbm0(level_dbm0) * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


def make(text, law=Law.ALAW, seed=1):
    return Meddling.parse(text).make(law, np.random.default_rng(seed))


def through(text, x, other=None, law=Law.ALAW):
    return make(text, law).process(x, np.zeros_like(x) if other is None else other)


@pytest.mark.parametrize("name", MEDDLERS)
def test_results_do_not_depend_on_how_the_stream_is_cut(name):
    x, other = Law.ALAW.through(noise(2)), noise(3, -20)
    x[6000:12000] = 0
    other[:9000] = 0
    cut, rng, at, parts = make(name), np.random.default_rng(4), 0, []
    while at < N:
        size = int(rng.integers(1, 500))
        parts.append(cut.process(x[at : at + size], other[at : at + size]))
        at += size
    np.testing.assert_allclose(np.concatenate(parts), make(name).process(x, other), atol=1e-6)


@pytest.mark.parametrize("name", MEDDLERS)
def test_as_many_samples_come_out_as_went_in(name):
    meddler = make(name)
    assert all(
        len(meddler.process(noise(k, n=n), noise(9, n=n))) == n for k, n in enumerate((1, 160, 7, 333))
    )


def test_transcoding_leaves_sixteen_codewords_out():
    octets = Law.ALAW.encode(through("transcode", Law.ALAW.decode(np.arange(256, dtype=np.uint8))))
    assert 256 - len(set(octets.tolist())) == 16


def test_the_wrong_law_reads_the_same_octets():
    x = Law.ALAW.through(noise(5))
    np.testing.assert_array_equal(through("wrong-law", x), Law.ULAW.decode(Law.ALAW.encode(x)))


def snr_db(x, y):
    """Return the SNR of y as a delayed x."""
    lags = np.fft.irfft(np.fft.rfft(y) * np.fft.rfft(x).conj())
    delay = int(np.argmax(lags))
    a, b = x[: N - delay], y[delay:]
    gain = np.dot(a, b) / np.dot(a, a)
    return 10 * np.log10(np.sum((gain * a) ** 2) / np.sum((b - gain * a) ** 2))


def test_what_the_lossy_codecs_leave_of_white_noise():
    x = noise(6)
    assert 14 < snr_db(x, through("adpcm", x)) < 25
    assert snr_db(x, through("vocoder", x)) < 8


def test_silence_is_replaced_and_fronts_are_clipped():
    x = np.concatenate([np.zeros(8000, np.float32), noise(7, n=8000)])
    y = through("vad", x)
    assert dbm0_from_power(float(np.mean(y[4000:8000] ** 2))) == pytest.approx(-62, abs=1)
    assert np.abs(y[8080:8160]).max() < 0.01
    np.testing.assert_array_equal(y[8160:8240], x[8080:8160])


def test_a_suppressor_turns_down_what_comes_in_while_we_send():
    other = np.zeros(N, np.float32)
    other[8000:16000] = noise(8, n=8000)
    x = noise(9)
    y = through("suppressor:20", x, other)
    np.testing.assert_array_equal(y[:8000], x[:8000])
    level = 10 * np.log10(np.mean(y[9000:16000] ** 2) / np.mean(x[9000:16000] ** 2))
    assert level == pytest.approx(-20, abs=0.1)


def test_a_canceller_silences_what_is_weak_while_we_send():
    y = through("canceller:12", noise(10, -50), noise(11))
    assert np.mean(y[2000:] == 0) > 0.8


def test_robbed_bits_are_ones():
    octets = Law.ULAW.encode(through("robbed-bit:2", Law.ULAW.through(noise(12)), law=Law.ULAW))
    assert (octets[2::6] & 1).all()
    assert 0.4 < np.mean(octets[3::6] & 1) < 0.6


def test_a_slip_drops_and_repeats_frames():
    x = np.arange(N).astype(np.float32)
    steps = np.diff(through("slip:0.5", x)[2000:])
    assert sorted(set(steps.tolist())) == [-159.0, 1.0, 161.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("warp", "choose one of transcode"),
        ("vad@left", "@up or @down"),
        ("transcode:3", "takes no value"),
        ("gain:loud", "number"),
        ("gain:99", "-40 to 40"),
    ],
)
def test_what_is_wrong_is_named(text, message):
    with pytest.raises(ConfigError, match=message):
        Meddling.parse(text)


def test_octets_are_needed_where_octets_are_changed():
    with pytest.raises(ConfigError, match="linear"):
        SimOptions(meddle=("robbed-bit",), law=Law.LINEAR)


def test_a_direction_of_a_circuit_alone():
    parameters = SimOptions(meddle=("gain:-6@up", "transcode")).circuit
    assert [m.name for m in parameters.up.meddling] == ["gain", "transcode"]
    assert [m.name for m in parameters.down.meddling] == ["transcode"]


def test_a_circuit_lets_its_gateways_listen_to_the_other_direction():
    path = PathParameters(delay_ms=0, playout_ms=20, meddling=(Meddling.parse("suppressor:20"),))
    circuit = Circuit(CircuitParameters(up=PathParameters(delay_ms=0, playout_ms=20), down=path), seed=1)
    heard = []
    for k in range(60):
        for end in End:
            runs = circuit.pull(end, 160 * k)
            if end is End.CALLING:
                heard += [float(np.mean(audio**2)) for audio, _ in runs]
            sends = end is End.ANSWERING or k >= 30
            circuit.push(end, noise(k, n=160) * np.float32(sends), 160 * k)
    assert 10 * np.log10(np.mean(heard[45:]) / np.mean(heard[5:25])) == pytest.approx(-20, abs=1)
