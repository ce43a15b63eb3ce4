"""libspandsp's V.22bis against ours, both roles, through A-law: not one wrong bit in 60 s.

Without answer tone: spandsp's caller can train falsely on 2100 Hz.
"""

import numpy as np
import pytest
from tests.support.spandsp_v22bis import SpandspV22bis
from tests.support.v22bis_line import RandomBits, alaw

from ansam.modulation.base import ModulationOptions, Ready, Role
from ansam.modulation.v22bis import V22bis
from ansam.units import Bits

pytestmark = pytest.mark.peer("libspandsp2")
SECONDS = 60
KEY = 200


def aligned_errors(sent: Bits, got: Bits, settle: int) -> tuple[int, int]:
    """Return (errors, bits compared) after `settle` received bits; the offset is found by a key that
    agrees."""
    for offset in range(-3000, 3000):
        at = settle + offset
        if at >= 0 and np.array_equal(got[settle : settle + KEY], sent[at : at + KEY]):
            n = min(got.size - settle, sent.size - at)
            return int(np.count_nonzero(got[settle : settle + n] != sent[at : at + n])), n
    return got.size, got.size


@pytest.mark.parametrize("role", [Role.CALLING, Role.ANSWERING])
@pytest.mark.parametrize(
    ("theirs", "ours", "rate"), [(2400, 0, 2400), (1200, 0, 1200), (2400, 1200, 1200)], ids=str
)
def test_a_minute_without_a_wrong_bit(role: Role, theirs: int, ours: int, rate: int) -> None:
    source = RandomBits(1)
    modem = V22bis(role, ModulationOptions(max_rate=ours), source)
    peer = SpandspV22bis(role is Role.ANSWERING, theirs, seed=2)
    modem.start(0)
    from_us = from_peer = np.zeros(160, np.float32)
    received = []
    events = []
    for frame in range(SECONDS * 50):
        ours_next = modem.process(alaw(from_peer), 160 * frame)
        from_peer = peer.process(alaw(from_us))
        from_us = ours_next
        received.append(modem.take_bits())
        events += modem.take_events()
    name = "V.22bis" if rate == 2400 else "V.22"
    assert [e for e in events if isinstance(e, Ready)] == [Ready(name, rate, rate)]
    assert peer.trained
    assert peer.bit_rate == rate
    down = aligned_errors(peer.bits_sent, np.concatenate(received), 1500)
    up = aligned_errors(source.all, peer.bits_received, 1500)
    assert down[0] == up[0] == 0
    assert min(down[1], up[1]) > (SECONDS - 5) * rate
    peer.close()
