"""What both ends of a V.8 exchange are made of: a sender of repeated sequences, and a receiver of them.

Signals are V.21's at 300 bit/s: the calling end in the low band (980/1180 Hz), the answering end in the high
band (1650/1850 Hz); both talk at once.
"""

import numpy as np

from ansam.dsp.fsk import FskReceiver, FskSender
from ansam.modulation.base import Role
from ansam.modulation.v8.menu import Menu, decode
from ansam.modulation.v8.sequences import Kind, Sequence, SequenceReceiver
from ansam.modulation.v21 import V21_PLAN
from ansam.units import SAMPLE_RATE, Audio, Bits, Samples, rms_from_dbm0, samples

CHARACTER = 10
"""Bits of an octet with start and stop bit; preamble and synchronisation are as long."""

PRESENT_QUALITY = 0.65
"""Below this share of the band's power in the two tones there is no V.21 signal: noise has 0.50 ± 0.05."""

PRESENT_DBM0 = -50.0


class RepeatingSender:
    """Sends a sequence again and again until told what comes last.

    Args:
        role: Chooses the tones.
        level_dbm0: Level sent.
        sequence: One sequence, in bits.

    Attributes:
        finished: What comes last has been sent, and a bit of marks after it.
    """

    def __init__(self, role: Role, level_dbm0: float, sequence: Bits) -> None:
        self._sender = FskSender(V21_PLAN.channels[role], rms_from_dbm0(level_dbm0))
        self._sequence = sequence
        self._last: Bits | None = None
        self._at = 0
        self.finished = False

    def end_with(self, last: Bits) -> None:
        """Complete the octet under way (V.8 (11/2000) §8.1.2), send `last`, then marks."""
        rest = self._sequence[self._at : -(-self._at // CHARACTER) * CHARACTER]
        self._last, self._at = np.concatenate((rest, last)), 0

    def send(self, count: int) -> Audio:
        """Return the next `count` samples."""
        return self._sender.send(self._pull(self._sender.bits_wanted(count)), count)

    def _pull(self, count: int) -> Bits:
        if self._last is None:
            bits = np.resize(np.roll(self._sequence, -self._at), count)
            self._at = (self._at + count) % len(self._sequence)
            return bits
        bits = np.ones(count, np.uint8)
        left = self._last[self._at : self._at + count]
        bits[: len(left)] = left
        self._at += count
        self.finished = self._at > len(self._last)
        return bits


class MenuReceiver:
    """Hears the far end's sequences.

    Args:
        far: The far end's role.

    Attributes:
        menu: The last one that came twice, or None.
        since_sync: Samples since the last synchronisation; those that were lost do not count.
        silent_for: Samples since the V.21 signal went away; 0 while it is there.
    """

    def __init__(self, far: Role) -> None:
        self._fsk = FskReceiver(V21_PLAN.channels[far])
        self._reader = SequenceReceiver()
        self._doubtful: Samples = 0
        self._taken = 0
        self.menu: Menu | None = None
        self._sequences: list[Sequence] = []
        self.since_sync: Samples = 0
        self.silent_for: Samples = 0

    @property
    def heard(self) -> bool:
        """Whether anything of V.8 was heard at all."""
        return self._reader.syncs > 0

    @property
    def terminated(self) -> bool:
        """Whether CJ was heard."""
        return self._reader.terminators > 0

    def take_terminator(self) -> bool:
        """Return whether a CJ was heard since the last call."""
        new, self._taken = self._reader.terminators > self._taken, self._reader.terminators
        return new

    def receive(self, rx: Audio, erased: bool = False) -> None:
        """Take one hop, shape (HOP,) float32."""
        bits = self._fsk.receive(rx, erased)
        if erased:
            self._doubtful = self._fsk.delay + SAMPLE_RATE // V21_PLAN.channels[Role.CALLING].bit_rate
        if self._doubtful > 0:
            self._doubtful -= 0 if erased else len(rx)
            self._reader.erase()
            return
        syncs = self._reader.syncs
        for sequence in self._reader.receive(bits):
            self._sequences.append(sequence)
            if sequence.kind is Kind.MENU and sequence.repeated:
                self.menu = decode(sequence.octets)
        self.since_sync = 0 if self._reader.syncs > syncs else self.since_sync + len(rx)
        present = self._fsk.quality >= PRESENT_QUALITY and self._fsk.level_dbm0 >= PRESENT_DBM0
        self.silent_for = 0 if present else self.silent_for + len(rx)

    def take(self) -> list[Sequence]:
        """Return the sequences since the last call."""
        found, self._sequences = self._sequences, []
        return found


def sequence_length(bits: Bits) -> Samples:
    """Return how long a sequence lasts."""
    return samples(len(bits) / V21_PLAN.channels[Role.CALLING].bit_rate)
