"""Echo tests over the simulated circuit: each thing in the way is named, and nothing else is."""

import json

import numpy as np
import pytest
from tests.support.doctor import Changed, diagnosis

from ansam.codec.g711 import Law
from ansam.doctor import Far, Grade
from ansam.units import SAMPLE_RATE


def faults(found) -> set[str]:
    return {item.name for item in found.items if item.grade is not Grade.GOOD}


@pytest.mark.parametrize("law", [Law.ALAW, Law.ULAW])
def test_a_clean_path_is_transparent_and_good_for_the_highest_rate(law: Law) -> None:
    found = diagnosis(law=law)
    assert found.far is Far.ECHO
    assert found.grade is Grade.GOOD, faults(found)
    assert found.item("octets").value == "bit exact"
    assert found.item("octets").text.startswith("transparent: bit exact")
    assert found.item("round trip").value == 160
    assert (found.prediction.rate, found.prediction.index) == (33600, 16)
    assert "AT&N16" in found.summary
    assert found.remedies == ()
    again = json.loads(json.dumps(found.as_dict()))
    assert again["predicted"]["n"] == 16
    assert again["far_end"] == "echo test"


@pytest.mark.parametrize(
    ("meddle", "culprit", "named", "grade"),
    [
        ("transcode", "octets", "transcoded", Grade.FAIR),
        ("wrong-law", "octets", "read as µ-law", Grade.BAD),
        ("gain:-6", "level", "weak signals", Grade.FAIR),
        ("agc", "gain over time", "gain control", Grade.BAD),
        ("clip", "clipping", "cut off", Grade.BAD),
        ("vad", "silence suppression", "voice activity", Grade.BAD),
        ("suppressor", "echo suppression", "echo suppressor", Grade.BAD),
        ("plc:0.06", "packet loss", "concealment", Grade.BAD),
        ("slip:2", "slips", "jitter buffer moved", Grade.BAD),
    ],
)
def test_meddling_is_named(meddle: str, culprit: str, named: str, grade: Grade) -> None:
    found = diagnosis(meddle=(meddle,))
    item = found.item(culprit)
    assert item.grade is grade, item
    assert named in item.text
    assert found.grade is not Grade.GOOD


def test_loss_is_split_into_here_and_there_and_changes_nothing_else() -> None:
    loss = 0.04
    found = diagnosis(loss=loss, seconds=5.0)
    assert faults(found) == {"packet loss"}
    assert found.item("octets").value == "bit exact"
    assert found.item("packet loss").value == pytest.approx(100 * loss, rel=0.8)
    assert found.prediction.rate == 33600


def test_late_packets_are_told_from_lost_ones() -> None:
    found = diagnosis(jitter=75.0)
    assert found.item("late packets").value > 5
    assert ";playout" in found.item("late packets").text
    assert any(remedy.setting.endswith("Jitter Buffer Adjustment") for remedy in found.remedies)


def test_delay_and_echo() -> None:
    far = diagnosis(delay=300.0)
    assert far.item("round trip").value == pytest.approx(720, abs=1)
    assert far.item("round trip").grade is Grade.BAD
    assert far.item("octets").value == "bit exact"
    echoing = diagnosis(echo=-20.0, echo_delay=60.0).item("second echo")
    assert echoing.value == pytest.approx(-20, abs=1)
    assert "+60 ms" in echoing.text


@pytest.mark.parametrize(("snr", "rate"), [(30.0, 26400), (18.0, 14400)])
def test_the_rate_over_noise_is_what_two_modems_reach(snr: float, rate: int) -> None:
    """The rates are those of ``ansam sim --snr``; tests/bench/test_doctor.py compares anew."""
    found = diagnosis(snr=snr)
    assert abs(found.prediction.rate - rate) <= 2400
    assert found.item("SNR").value == pytest.approx(-10 * np.log10(10 ** (-snr / 10) + 10**-3.75), abs=1)


def test_who_reacts_to_the_answer_tone_is_found_out() -> None:
    state = {"tone": 0, "fax": False}

    def gateway(rx: np.ndarray, now: int) -> np.ndarray:
        n = now + np.arange(len(rx))
        tone = abs(np.mean(rx * np.exp(-2j * np.pi * 2100 * n / SAMPLE_RATE))) ** 2 * 2
        alike = tone > 0.7 * float(np.mean(rx**2)) + 1e-6
        state["tone"] = state["tone"] + 1 if alike else 0
        state["fax"] |= state["tone"] > 10
        return np.zeros_like(rx) if state["fax"] and not alike else rx

    found = diagnosis(Changed(gateway))
    assert found.item("answer tone").grade is Grade.BAD
    assert any("FAX CED Detect Enable" in remedy.setting for remedy in found.remedies)
