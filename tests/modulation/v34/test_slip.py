"""A signal that jumps in data mode: the receiver finds it again without training."""

import numpy as np
import pytest
from tests.support.v34_one_way import Link


class Jumping(Link):
    """A link with a box that leaves out (below 0) or repeats samples."""

    jump = 0
    _held = np.zeros(0, np.float32)
    _last = np.zeros(0, np.float32)

    def carry(self, x):  # type: ignore[no-untyped-def]
        y = super().carry(x)
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
    for n in range(10):
        link.run(160, 160)
        if link.rx.guesses and link.rx.follow_slip():
            break
    signal = 160 * (n + 1)
    for n in range(20):
        link.run(480, 160)
        if link.rx.resynchronise():
            return signal, signal + 480 * (n + 1)
    raise AssertionError("superframe not found")


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
