"""A signal that jumps in data mode: the receiver finds it again without training."""

import numpy as np
import pytest
from tests.support.v34_one_way import Link

from ansam.units import Audio


class Jumping(Link):
    """A link with a box that leaves out (below 0) or repeats samples."""

    jump = 0
    _held = np.zeros(0, np.float32)
    _last = np.zeros(0, np.float32)

    def carry(self, x: Audio) -> Audio:
        y = super().carry(x)
        self.rx.look_back()
        self._last = np.concatenate([self._last, y])[-2000:]
        if self.jump > 0:
            self._held = np.concatenate([self._last[-self.jump :], self._held])
        elif self.jump < 0:
            # Whoever leaves out samples has held some back before.
            assert self._held.size + y.size >= -self.jump
            self._held = self._held[: self._held.size + self.jump]
        self.jump = 0
        stream = np.concatenate([self._held, y])
        self._held = stream[y.size :]
        return stream[: y.size]


def recover(link: Jumping) -> tuple[int, int]:
    """Do as `recovery` does; return samples until the signal and until the superframe was found."""
    begin = link.now
    while not (link.rx.guesses and link.rx.follow_slip()):
        link.run(160, 160)
        assert link.now < begin + 1600, "signal not found"
    signal = link.now - begin
    link.run(1600, 160)
    while not link.rx.resynchronise():
        link.run(480, 160)
        assert link.now < begin + 9600, "superframe not found"
    return signal, link.now - begin


@pytest.mark.parametrize(
    ("baud", "rate", "nonlinear", "jumps"),
    [
        (3429, 33600, False, (160, -80, 41)),
        (3429, 24000, True, (160, -160)),
        (3200, 28800, False, (97, -1)),
        (2743, 19200, False, (160, -57)),
        (2400, 4800, False, (163, -53)),
    ],
)
def test_a_jump_is_followed(baud: int, rate: int, nonlinear: bool, jumps: tuple[int, ...]) -> None:
    link = Jumping(baud, rate, nonlinear=nonlinear)
    link.settle(6400)
    link.set_noise(link.coding.needed_es_n0_db() + 2)
    for jump in jumps:
        link.run(4000, 160)
        link.jump = jump
        signal, superframe = recover(link)
        assert signal <= 1280, "0.16 s"
        assert superframe <= 4800, "0.6 s"
        link.bits.clear()
        link.run(4800, 160)
        assert link.wrong(link.received().size - 200) <= 3
        assert not link.rx.searching
