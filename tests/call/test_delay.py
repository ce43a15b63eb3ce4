import random

import numpy as np
import pytest

from ansam.call.call import Call, CallMedia
from ansam.call.delay import LONGEST, MEMORY, DelayPlan
from ansam.codec.g711 import Law
from ansam.rtp.packet import RtpPacket, build
from ansam.units import Audio, Samples

SECOND = 8000


def plan(margins: "list[float]", least: int = 480, begin: int = 0) -> DelayPlan:
    made = DelayPlan(least)
    for k, margin in enumerate(margins):
        made.update(margin, begin + k * 160)
    return made


def test_late_packets_make_it_longer() -> None:
    margins = [200.0] * 3000
    margins[::100] = [-100.0] * 30
    assert plan(margins).wanted(480, MEMORY) == 480 + 320
    assert plan([-500.0] * 300).wanted(480, 48000) == 480 + 640


def test_stragglers_do_not_count() -> None:
    margins = [200.0] * 3000
    margins[::1000] = [-4000.0] * 3
    assert plan(margins).wanted(480, MEMORY) == 480
    margins[::100] = [-100.0] * 30
    assert plan(margins).wanted(480, MEMORY) == 480 + 320


def test_it_has_an_end() -> None:
    assert plan([-9000.0] * 300).wanted(480, 48000) == LONGEST
    assert plan([-9000.0] * 300).wanted(4000, 48000) == 4000


def test_it_forgets() -> None:
    made = plan([-100.0] * 50)
    assert made.wanted(480, 2 * MEMORY) == 480


def test_a_quiet_minute_makes_it_shorter_but_not_below_what_was_asked_for() -> None:
    assert plan([900.0] * 3000).wanted(960, MEMORY) == 960 - 480 - 0
    assert plan([900.0] * 3000, least=800).wanted(960, MEMORY) == 800
    assert plan([900.0] * 3000).wanted(480, MEMORY) == 480
    assert plan([900.0] * 600).wanted(960, 12 * SECOND) == 960, "too early to say"
    assert plan([100.0] * 3000).wanted(960, MEMORY) == 960


class Modem:
    """A party that may be disturbed when told so."""

    delay_may_change = False

    def __init__(self) -> None:
        self.erased: list[bool] = []

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        self.erased.append(erased)
        return np.zeros(len(rx), np.float32)


@pytest.mark.parametrize("tolerant", [True, False])
def test_a_call_waits_for_the_moment(tolerant: bool) -> None:
    modem = Modem()
    far = ("192.0.2.1", 4000)
    call = Call(CallMedia(far, Law.ALAW, 8, 8), modem, random.Random(1))
    rng = random.Random(2)
    coming: list[tuple[float, bytes]] = []
    for k in range(3000):
        # From the tenth second on every tenth packet is up to 100 ms late: 40 ms more than there is time.
        late = 480 + rng.random() * 320 if k >= 500 and k % 10 == 0 else 0
        coming.append((k * 160 + late, build(RtpPacket(8, k, k * 160, 1, bytes(160)))))
        coming.sort()
        while coming and coming[0][0] < call.now + 160:
            at, data = coming.pop(0)
            call.receive(data, far, at)
        # A retrain after 40 s.
        modem.delay_may_change = tolerant and k == 2000
        call.tick()
    s = call.statistics()
    assert any(modem.erased[600:2000])
    assert (s.delay_changes, s.delay_ms) == ((1, 120.0) if tolerant else (0, 60.0))
    assert any(modem.erased[2010:]) is not tolerant
    assert s.late > 50
    assert abs(s.skew_ppm) < 5
    assert call.drift.far_clock.steps == 0
