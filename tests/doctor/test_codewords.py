"""What became of octets."""

import numpy as np
import pytest

from ansam.codec.g711 import Law
from ansam.doctor.codewords import OTHER, compare
from ansam.doctor.probe import band_noise

LAWS = (Law.ALAW, Law.ULAW)


def octets(law: Law) -> np.ndarray:
    return law.encode(band_noise(16000, np.random.default_rng(1)))


def report(law: Law, came: np.ndarray):
    return compare(law, octets(law), came.astype(np.uint8), np.arange(16000))


@pytest.mark.parametrize("law", LAWS)
def test_bit_for_bit(law: Law) -> None:
    found = report(law, octets(law))
    assert found.transparent
    assert found.exact == found.pure == 1.0
    one = octets(law)
    one[77] ^= 1
    assert not report(law, one).transparent


def test_the_two_zeros_of_mu_law_are_one() -> None:
    sent = np.full(1000, 0xFF, np.uint8)
    assert compare(Law.ULAW, sent, np.full(1000, 0x7F, np.uint8), np.arange(1000)).transparent


@pytest.mark.parametrize("law", LAWS)
def test_the_other_law_in_between(law: Law) -> None:
    found = report(law, law.encode(OTHER[law].through(law.decode(octets(law)))))
    assert found.transcoded
    assert not found.wrong_law
    assert found.exact < 1


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("times", [1, 2])
def test_read_by_the_wrong_law(law: Law, times: int) -> None:
    came = octets(law)
    for _ in range(times):
        came = law.encode(OTHER[law].decode(came))
    found = report(law, came)
    assert found.wrong_law
    assert not found.transcoded


@pytest.mark.parametrize("gain_db", [-6.0, -1.5, 3.0])
def test_gain(gain_db: float) -> None:
    audio = Law.ALAW.decode(octets(Law.ALAW)) * np.float32(10 ** (gain_db / 20))
    found = report(Law.ALAW, Law.ALAW.encode(audio))
    assert found.gain_db == pytest.approx(gain_db, abs=0.2)
    assert not found.transcoded


def test_sign_and_robbed_bits() -> None:
    assert report(Law.ALAW, octets(Law.ALAW) ^ 0x80).inverted
    robbed = octets(Law.ALAW)
    robbed[3::6] |= 1
    found = report(Law.ALAW, robbed)
    assert found.robbed
    assert found.exact == pytest.approx(11 / 12, abs=0.02)


def test_noise_is_no_rule() -> None:
    noisy = Law.ALAW.decode(octets(Law.ALAW)) + 0.01 * np.random.default_rng(2).standard_normal(16000)
    found = report(Law.ALAW, Law.ALAW.encode(noisy.astype(np.float32)))
    assert found.pure < 0.9
    assert [found.transcoded, found.wrong_law, found.inverted, found.robbed] == [False] * 4
    assert found.gain_db is None


def test_too_few_to_say() -> None:
    some = octets(Law.ALAW)[:100]
    assert not compare(Law.ALAW, some, some, np.arange(100)).transparent
