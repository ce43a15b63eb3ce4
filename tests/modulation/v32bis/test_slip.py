"""A signal that jumps in data mode: V.32bis goes on without training."""

from typing import Any

import numpy as np
import pytest
from tests.support.v32bis_call import Call

from ansam.modulation.base import ModulationOptions
from ansam.units import Audio


class Jumping:
    """A modem before whose ears samples are left out (below 0) or repeated."""

    def __init__(self, modem: Any) -> None:
        self.modem = modem
        self.jump = 0
        self._held = np.zeros(320, np.float32)
        self._last = np.zeros(320, np.float32)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.modem, name)

    def process(self, rx: Audio, now: int, erased: bool = False) -> Audio:
        self._last = np.concatenate([self._last, rx])[-320:]
        stream = np.concatenate([self._held, rx])
        if self.jump > 0:
            stream = np.concatenate([self._held, self._last[-self.jump :], rx])
        elif self.jump < 0:
            stream = stream[: self.jump]
        self.jump = 0
        self._held = stream[len(rx) :]
        tx: Audio = self.modem.process(np.ascontiguousarray(stream[: len(rx)]), now, erased)
        return tx


@pytest.mark.parametrize(("rate", "jumps"), [(14400, (57, -161)), (9600, (-103, 160)), (4800, (44,))])
def test_a_jump_is_followed(rate: int, jumps: tuple[int, ...]) -> None:
    call = Call(ModulationOptions(max_rate=rate, min_rate=rate))
    end = call.line.answering
    end.modem = jumping = Jumping(end.modem)  # type: ignore[assignment]
    call.connect()
    events = len(end.events)
    for jump in jumps:
        call.run(0.5)
        jumping.jump = jump
        call.run(0.5)
        before = len(end.bits())
        call.run(0.5)
        got = end.bits()[before:]
        assert call.bits[0].bits().tobytes().find(got.tobytes()) >= 0
    assert [event for _, event in end.events[events:]] == []
