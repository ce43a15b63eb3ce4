"""How true the doctor's predictions are: beside what two modems reach over the same circuit in `ansam sim`.

The doctor's echo test sees the path twice over, so whatever meddles in one direction only is seen in full and
counted half.
"""

from typing import Any

import pytest
from tests.support.doctor import diagnosis

from ansam.doctor import Grade
from ansam.sim import SimOptions, run

STEP = 2400
NOISE = [
    {"snr": snr} for snr in (None, 38.0, 36.0, 34.0, 32.0, 30.0, 27.0, 24.0, 21.0, 18.0, 15.0, 12.0, 9.0)
]
OTHERS: list[dict[str, Any]] = [
    {"loss": 0.01},
    {"loss": 0.03},
    {"loss": 0.01, "snr": 28.0},
    {"delay": 300.0},
    {"gain": -6.0},
    {"gain": -15.0},
    {"gain": 4.0},
    {"echo": -15.0, "echo_delay": 60.0},
    {"meddle": ("transcode",)},
    {"meddle": ("transcode",), "snr": 30.0},
    {"meddle": ("robbed-bit",)},
    {"meddle": ("band:3400",)},
    {"meddle": ("highpass:250",)},
    {"meddle": ("adpcm",)},
]


@pytest.mark.bench
@pytest.mark.parametrize("lines", [NOISE, OTHERS], ids=["white noise", "other lines"])
def test_prediction_beside_ansam_sim(lines: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    off = []
    for options in lines:
        result = run(SimOptions(seconds=12, **options))
        reached = min(result.rate_tx, result.rate_rx)
        guess = diagnosis(**options).prediction
        off.append((guess.rate - reached) // STEP)
        with capsys.disabled():
            print(f"\n{options}: predicted {guess.rate} (&N{guess.index}), reached {reached}", end="")
    with capsys.disabled():
        same = sum(step == 0 for step in off)
        print(f"\n{same} of {len(off)} the same; steps of 2400 bit/s off: {off}")
    assert all(abs(step) <= 1 for step in off)


@pytest.mark.bench
@pytest.mark.parametrize(
    ("meddle", "culprit", "named", "grade"),
    [
        ("robbed-bit", "octets", "robbed bits", Grade.FAIR),
        ("adpcm", "octets", "a codec other than G.711", Grade.BAD),
        ("vocoder", "octets", "a codec other than G.711", Grade.BAD),
        ("wrong-law@up", "octets", "read as µ-law", Grade.BAD),
        ("transcode@down", "octets", "transcoded", Grade.FAIR),
        ("vad", "noise in silence", "comfort noise", Grade.FAIR),
        ("canceller", "silence suppression", "centre clipper", Grade.BAD),
        ("suppressor@up", "echo suppression", "echo suppressor", Grade.BAD),
        ("band:3000", "band", "filter", Grade.BAD),
        ("lost:0.06", "packet loss", "on the way there", Grade.BAD),
        ("stretch:1", "slips", "jitter buffer moved", Grade.BAD),
    ],
)
def test_meddling_is_named(meddle: str, culprit: str, named: str, grade: Grade) -> None:
    found = diagnosis(meddle=(meddle,))
    item = found.item(culprit)
    assert item.grade is grade, item
    assert named in item.text
