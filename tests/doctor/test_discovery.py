"""Who is there?"""

import numpy as np
import pytest
from tests.support.doctor import diagnosis

from ansam.call.party import Echo, Silence
from ansam.codec.g711 import Law
from ansam.doctor.discovery import Discovery, Far
from ansam.doctor.party import Examination
from ansam.doctor.probe import band_noise
from ansam.errors import ConfigError
from ansam.tones.v25 import AnswerTone
from ansam.units import FRAME, samples


class Delayed:
    """Returns what it hears later and weaker; speaks first."""

    def __init__(self, delay: int, gain: float = 1.0, speech: np.ndarray | None = None) -> None:
        self.line = np.zeros(delay, np.float32)
        self.gain = np.float32(gain)
        self.speech = np.zeros(0, np.float32) if speech is None else speech

    def exchange(self, sent: np.ndarray) -> np.ndarray:
        if len(self.speech):
            said, self.speech = self.speech[: len(sent)], self.speech[len(sent) :]
            return said
        self.line = np.concatenate((self.line, self.gain * sent))
        out, self.line = self.line[: len(sent)], self.line[len(sent) :]
        return out


def discover(far: Delayed, seconds: float = 40.0, cut: int = FRAME) -> tuple[Discovery, float]:
    """Let a discovery run; return it and when it knew."""
    discovery, heard = Discovery(), np.zeros(cut, np.float32)
    for at in range(0, samples(seconds), cut):
        heard = far.exchange(discovery.process(heard))
        if discovery.far is not None:
            return discovery, at / 8000
    return discovery, seconds


@pytest.mark.parametrize("delay", [160, 1600, 8000])
def test_an_echo_is_known_by_its_second_return(delay: int) -> None:
    discovery, when = discover(Delayed(delay))
    assert discovery.far is Far.ECHO
    assert when < 3.6
    assert discovery.gain == pytest.approx(1.0, abs=0.01)
    assert {one.delay for one in discovery.returns} == {delay + FRAME}


def test_the_cut_of_the_stream_does_not_matter() -> None:
    whole, odd = discover(Delayed(1600, 0.5)), discover(Delayed(1600, 0.5), cut=80)
    assert whole[0].far is odd[0].far is Far.ECHO
    assert abs(whole[1] - odd[1]) < 0.03


def test_a_weak_return_is_believed_when_no_modem_has_answered() -> None:
    discovery, when = discover(Delayed(1600, 0.2))
    assert discovery.far is Far.ECHO
    assert 5.9 <= when < 9


def test_a_prompt_is_waited_for() -> None:
    rng = np.random.default_rng(1)
    speech = np.concatenate([band_noise(3200, rng) * (1 + k % 2) for k in range(30)])
    discovery, when = discover(Delayed(800, speech=speech))
    assert discovery.far is Far.ECHO
    assert 12 < when < 17


def test_nobody_and_a_voice_without_end() -> None:
    assert discover(Delayed(0, 0.0))[0].far is Far.SILENCE
    rng = np.random.default_rng(1)
    discovery, when = discover(Delayed(0, 0.0, band_noise(samples(35.0), rng)))
    assert discovery.far is Far.VOICE
    assert when >= 29


@pytest.mark.parametrize("modulated", [False, True])
def test_an_answer_tone_is_a_modem_and_stops_the_knocking(modulated: bool) -> None:
    tone = AnswerTone(-13.0, modulated=modulated).generate(samples(3.0))
    speech = np.concatenate((np.zeros(samples(2.0), np.float32), tone))
    discovery, when = discover(Delayed(0, 0.0, speech))
    assert discovery.far is Far.MODEM
    assert when == pytest.approx(2.45, abs=0.1)


def test_a_far_end_without_audio_is_no_good() -> None:
    silent = diagnosis(Silence())
    assert silent.far is Far.SILENCE
    assert silent.prediction.rate == 0
    assert "nothing was heard" in silent.items[0].text


def test_a_call_that_ends_early_says_so() -> None:
    from ansam.doctor import Media, diagnose

    examination, echo, heard = Examination(Law.ALAW, 2.0), Echo(), np.zeros(FRAME, np.float32)
    for at in range(0, samples(5.0), FRAME):
        heard = echo.process(examination.process(heard, at), at)
    examination.far_end_hung_up()
    assert examination.done
    found = diagnose(examination.findings(), Law.ALAW, Media(0.0, 0.0))
    assert found.item("call").value == "cut short"


@pytest.mark.parametrize(("law", "seconds"), [(Law.ALAW, 1.0), (Law.ALAW, 1000.0), (Law.LINEAR, 5.0)])
def test_impossible_examinations_are_refused(law: Law, seconds: float) -> None:
    with pytest.raises(ConfigError):
        Examination(law, seconds)
