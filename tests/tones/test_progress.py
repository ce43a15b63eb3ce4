import numpy as np
import pytest

from ansam.tones.progress import Progress, ProgressTone
from ansam.units import dbm0_from_power


@pytest.mark.parametrize("tone", list(Progress))
def test_cadence_and_level(tone: Progress) -> None:
    on, off = tone.value
    x = ProgressTone(tone, -10).generate(80000)
    sounding = np.abs(x).reshape(-1, 80).max(axis=1) > 0.01
    assert sounding.mean() == pytest.approx(on / (on + off), abs=0.01)
    burst = x[: round(on * 8000)].astype(float)
    assert dbm0_from_power(float(np.mean(burst**2))) == pytest.approx(-10, abs=0.1)
    assert sounding[0]


def test_any_cut_gives_the_same() -> None:
    tone = ProgressTone(Progress.BUSY)
    parts = np.concatenate([tone.generate(160) for _ in range(100)])
    np.testing.assert_allclose(parts, ProgressTone(Progress.BUSY).generate(16000), atol=1e-5)
