"""Calls that fail, one after the other in virtual time: the chain of causes names the true root."""

import numpy as np
import pytest
from tests.support.far_end import call, nothing, silence, sound

from ansam.dce.causes import CHAIN, Source
from ansam.dsp.fsk import FskChannel, FskSender
from ansam.line import End
from ansam.sim import SimOptions, run
from ansam.tones.progress import Progress, ProgressTone
from ansam.tones.v25 import AnswerTone

V22 = "AT&M0+MS=V22B"
V34 = "AT&M0+MS=V34"
LAPM = "AT&M4+MS=V22B"
S7 = "no carrier within S7"


def chain(instead, since=0.0, line=V22, patience=8, **options):
    """Return (source, text, clause) of the chain that the calling modem's failure has."""
    calling = (f"{line};S7={patience}",)
    result, _, _ = call(instead, since, calling=calling, answering=(line,), **options)
    assert 0 < len(result.causes) <= CHAIN
    assert result.causes[-1]["text"] == result.disconnect_reason
    times = [float(str(cause["at_seconds"])) for cause in result.causes]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= result.line_seconds
    return [(cause["source"], str(cause["text"]), str(cause["clause"])) for cause in result.causes]


class Fax:
    """Answers as a fax machine does: CED, then V.21 flags (T.30)."""

    FLAG = np.array([0, 1, 1, 1, 1, 1, 1, 0], np.uint8)

    def __init__(self) -> None:
        self._tone = AnswerTone(-13.0, False)
        self._fsk = FskSender(FskChannel(1650, 1850, 300), 0.1)
        self._at = self._bit = 0

    def generate(self, count):
        self._at += count
        if self._at <= 24000:
            return self._tone.generate(count)
        wanted = self._fsk.bits_wanted(count)
        bits = self.FLAG[(self._bit + np.arange(wanted)) % 8]
        self._bit += wanted
        return self._fsk.send(bits, count)


def noise(rms):
    """Return white noise."""
    rng = np.random.default_rng(1)
    return lambda count: rms * rng.standard_normal(count)


def voice(seed=1):
    """Return noise with the rhythm of syllables and pauses."""
    rng, at = np.random.default_rng(seed), [0]

    def generate(count):
        t = (at[0] + np.arange(count)) / 8000
        at[0] += count
        return 0.1 * rng.standard_normal(count) * np.maximum(0, np.sin(9 * t)) ** 2 * (t % 2.6 > 0.8)

    return generate


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        (silence, "frames heard, all below -60 dBm0"),
        (nothing, "not one packet of the far end arrived"),
        (sound(ProgressTone(Progress.BUSY).generate), "busy or congestion tone"),
        (sound(ProgressTone(Progress.DIAL).generate), "dial tone"),
        (sound(Fax().generate), "a fax machine"),
        (sound(voice()), "voice"),
        (sound(noise(0.002)), "only noise of"),
    ],
    ids=["silence", "one way", "busy tone", "dial tone", "fax", "voice", "noise"],
)
def test_what_answers_is_no_modem(instead, words):
    causes = chain(instead)
    assert causes[0][0] == Source.MEDIA.value
    assert words in causes[0][1]
    assert causes[-1][:2] == (Source.MODULATION.value, S7)


def test_an_answer_tone_and_then_nothing():
    tone, at = AnswerTone(-13.0, False), [0]

    def generate(count):
        at[0] += count
        return tone.generate(count) if at[0] < 22000 else np.zeros(count)

    source, text, clause = chain(sound(generate))[0]
    assert (source, clause) == (Source.MEDIA.value, "V.25 (10/96) §4.3")
    assert "2100 Hz answer tone" in text
    assert "then silence" in text


@pytest.mark.parametrize(
    ("since", "phase", "clause", "missed"),
    [
        (4.6, "phase 2", "§11.2", "tone A"),
        (6.1, "phase 3", "§11.3", "PP and TRN"),
        (8.0, "phase 4", "§11.4", "TRN of phase 4"),
    ],
)
def test_the_far_end_dies_in_training(since, phase, clause, missed):
    causes = chain(silence, since, line=V34, patience=13)
    assert causes[0][0] == Source.MEDIA.value
    assert "the far end fell silent" in causes[0][1]
    assert f"the step then: {phase}" in causes[0][1]
    assert causes[1][0] == Source.MODULATION.value
    assert f"V.34 {phase}" in causes[1][1]
    assert missed in causes[1][1]
    assert clause in causes[1][2]
    assert causes[-1][1] == S7


def test_packets_stop_in_training():
    causes = chain(nothing, 4.2)
    assert "no packet has arrived since" in causes[0][1]
    assert "the step then" in causes[0][1]


def test_packets_lost_in_the_step_that_failed():
    rng = np.random.default_rng(1)

    def most(now, runs):
        return nothing(now, runs) if rng.random() < 0.8 else runs

    texts = [text for _, text, _ in chain(most, 4.0)]
    assert any("packets lost between" in text for text in texts), texts


def test_the_carrier_is_lost_in_data_mode():
    causes = chain(silence, 9.0, seconds=4)
    assert "the far end fell silent" in causes[0][1]
    assert "data flowed until then" in causes[0][1]
    assert causes[-1] == (
        Source.MODULATION.value,
        "V.22bis, data at 2400: no carrier for as long as S10 allows",
        "V.22bis (11/88) §6.5",
    )


def test_a_terminal_that_hangs_up_on_a_dead_line():
    causes = chain(nothing, 9.0, seconds=3)
    assert "no packet has arrived since" in causes[0][1]
    assert causes[-1][:2] == (Source.DTE.value, "DTR dropped")


def test_lapm_gives_up():
    causes = chain(nothing, 10.0, line=LAPM, patience=20, seconds=100)
    assert "no packet has arrived since" in causes[0][1]
    assert causes[-1][0] == Source.LINK.value
    assert "12 polls without an answer" in causes[-1][1]
    assert causes[-1][2].startswith("V.42 (03/2002)")


def test_no_error_control_where_it_is_required():
    result = run(SimOptions(calling=("AT&M5+MS=V22B",), answering=(V22,), seconds=1))
    last = result.causes[-1]
    assert last["source"] == Source.LINK.value
    assert "no ADP came in answer to ODP" in str(last["text"])
    assert last["clause"] == "V.42 (03/2002) §7.2.1.2, T400"


def test_the_far_end_hangs_up_and_says_why():
    line = {"calling": (V22,), "answering": (f"{V22};S7=5",)}
    result, modem, _ = call(nothing, end=End.ANSWERING, **line)
    assert "not one packet" in str(result.causes[0]["text"])
    said = [cause.describe() for cause in modem.causes]
    assert said[-2:] == [f"the far end says: {S7} (RFC 3326)", "far end hung up"]
    assert "start-up had come to: " in said[0]


def test_nobody_answers():
    result = run(SimOptions(calling=("ATS7=5",), answering=("ATS0=0",)))
    assert [cause["source"] for cause in result.causes] == [Source.SIGNALLING.value] * 2
    assert "the far end rang for" in str(result.causes[0]["text"])


def test_a_hang_up_needs_no_explanation():
    result = run(SimOptions(calling=(V22,), answering=(V22,), seconds=1))
    assert [cause["text"] for cause in result.causes] == ["DTR dropped"]


def test_ati6_says_it_after_the_usual_screen():
    _, modem, _ = call(silence, calling=(f"{V22};S7=4",), answering=(V22,))
    now = 10_000_000
    modem.set_dtr(True, now)
    modem.receive_dte(b"ATI6\r", now)
    lines = modem.take_dte().decode("latin-1").replace("\r", "").split("\n")
    at = lines.index("Causes, from the root:")
    assert lines[at - 2] == "No Connection"
    assert "all below -60 dBm0" in lines[at + 1]
    assert all(len(line) <= 79 for line in lines[at:])
    assert any(S7 in line for line in lines[at:])
