import numpy as np
import pytest

from ansam.dsp.nco import Oscillator
from ansam.modulation.base import Marks, ModulationOptions, Role
from ansam.modulation.bell103 import BELL103_SPEC, Bell103


def sent_tone(role: Role) -> int:
    modem = Bell103(role, ModulationOptions(), Marks())
    modem.start(0)
    modem.speak(0)
    x = modem.process(np.zeros(8000, np.float32), 0)
    return int(np.argmax(np.abs(np.fft.rfft(x))))


def test_marks() -> None:
    assert sent_tone(Role.CALLING) == 1270
    assert sent_tone(Role.ANSWERING) == 2225
    assert BELL103_SPEC.start_stop


@pytest.mark.parametrize(("frequency", "seen"), [(2225, True), (2218, True), (2250, False), (2243, False)])
def test_unscrambled_ones_are_not_its_mark(frequency: float, seen: bool) -> None:
    modem = Bell103(Role.CALLING, ModulationOptions(), Marks())
    modem.start(0)
    modem.process(Oscillator(frequency, 0.1).generate(8000), 0)
    assert modem.far_end_seen is seen
