"""libspandsp's V.21 and Bell 103 against ours, both roles, full duplex through A-law: no bit wrong in 60 s.

spandsp has no start-up procedure for these, so its transmitter idles on mark until we are ready. Its framed
mode reads start-stop characters by itself: ours arrive as bytes, and its bit source sends us characters of
random spacing.
"""

from collections import deque

import numpy as np
import pytest
from tests.support import spandsp_fsk as spandsp
from tests.support.modem_line import Random, bit_errors

from ansam.codec.g711 import Law
from ansam.link.v14 import CharacterFormat, StartStop
from ansam.modulation.base import ModulationOptions, Ready, Role
from ansam.modulation.registry import MODULATIONS
from ansam.units import FRAME, SAMPLE_RATE

pytestmark = pytest.mark.peer("libspandsp2")

MARK_HZ = {
    ("V.21", Role.CALLING): 980,
    ("V.21", Role.ANSWERING): 1650,
    ("Bell 103", Role.CALLING): 1270,
    ("Bell 103", Role.ANSWERING): 2225,
}
modulations = pytest.mark.parametrize("name", ["V.21", "Bell 103"])
roles = pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)


class Bridge:
    """Our modem and theirs, 20 ms at a time, each way through A-law."""

    def __init__(self, name, role, source, their_bit, mode=spandsp.SYNC):
        self.ours = MODULATIONS[name][1](role, ModulationOptions(), source)
        self.theirs_tx = spandsp.FskTx(MARK_HZ[name, role.other], their_bit)
        self.theirs_rx = spandsp.FskRx(MARK_HZ[name, role], mode)
        self.ours.start(0)
        self.now = 0
        self.ready = False

    def run(self, seconds):
        received = []
        for _ in range(round(seconds * SAMPLE_RATE / FRAME)):
            rx = Law.ALAW.through(self.theirs_tx.send(FRAME))
            tx = self.ours.process(rx, self.now)
            self.theirs_rx.receive(Law.ALAW.through(tx))
            self.now += FRAME
            received.append(self.ours.take_bits())
            self.ready |= any(isinstance(e, Ready) for e in self.ours.take_events())
        return np.concatenate(received)

    def close(self):
        self.theirs_tx.close()
        self.theirs_rx.close()


@modulations
@roles
def test_a_minute_without_a_wrong_bit(name: str, role: Role) -> None:
    ours, theirs = Random(1), Random(2)
    talk = False
    bridge = Bridge(name, role, ours, lambda: int(theirs.pull(1)[0]) if talk else 1)
    bridge.run(3)
    assert bridge.ready
    talk = True
    bridge.theirs_rx.got.clear()
    ours.given.clear()
    received = bridge.run(60)
    for sent, got in ((theirs.bits(), received), (ours.bits(), bridge.theirs_rx.bits())):
        wrong, compared = bit_errors(sent, got)
        assert wrong == 0
        assert compared > 17900
    bridge.close()


@modulations
@roles
def test_its_framed_mode_reads_our_characters(name: str, role: Role) -> None:
    link = StartStop(CharacterFormat(), start_stop=True)
    link.start(0)
    bridge = Bridge(name, role, link, lambda: 1, spandsp.FRAMED_8N1)
    bridge.run(3)
    text = bytes(np.random.default_rng(4).integers(0, 256, 600).astype(np.uint8))
    bridge.theirs_rx.got.clear()
    assert link.send(text) == len(text)
    bridge.run(25)
    assert bytes(value & 0xFF for value in bridge.theirs_rx.got) == text
    bridge.close()


@modulations
@roles
def test_we_read_its_characters(name: str, role: Role) -> None:
    rng = np.random.default_rng(5)
    text = bytes(rng.integers(0, 256, 500).astype(np.uint8))
    line: deque[int] = deque()
    link = StartStop(CharacterFormat(), start_stop=True)
    link.start(0)
    bridge = Bridge(name, role, link, lambda: line.popleft() if line else 1)
    bridge.run(3)
    for octet in text:
        line.extend([0, *((octet >> k) & 1 for k in range(8)), 1, *[1] * int(rng.integers(0, 4))])
    for _ in range(30):
        link.receive_bits(bridge.run(1), bridge.now)
    assert link.take_data() == text
    bridge.close()
