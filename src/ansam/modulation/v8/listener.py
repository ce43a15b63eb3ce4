"""Listens to a V.8 exchange without taking part: what a recording or a tapped call says.

The two directions are fed apart. Each is heard in the band of its role, so that the echo of the other one,
which is in the other band, does not matter.
"""

from dataclasses import dataclass

import numpy as np

from ansam.dsp.goertzel import HOP, ToneMeter
from ansam.modulation.base import Role
from ansam.modulation.v8.channel import MenuReceiver
from ansam.modulation.v8.sequences import Sequence
from ansam.tones.v25 import ANSWER_TONE_HZ, AnswerToneDetector
from ansam.units import Audio, Samples, samples

MIN_TONE = samples(0.15)
"""Shorter tones are none."""

MAX_HEARD = 1000
"""Sequences and tones kept per direction; beyond it nothing more is noted."""


@dataclass(frozen=True, slots=True)
class HeardSequence:
    """A sequence on the line.

    Attributes:
        at: When its last octet had been read.
        role: Who sent it.
        sequence: Its octets, and whether they came twice.
    """

    at: Samples
    role: Role
    sequence: Sequence


@dataclass(frozen=True, slots=True)
class HeardTone:
    """An answer tone.

    Attributes:
        begin: When it began.
        end: When it ended.
        role: Who sent it.
        modulated: ANSam.
        reversals: Phase reversals at the right distance.
        level_dbm0: Its level.
    """

    begin: Samples
    end: Samples
    role: Role
    modulated: bool
    reversals: int
    level_dbm0: float


class _Direction:
    """One direction, in whole hops."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.sequences: list[HeardSequence] = []
        self.tones: list[HeardTone] = []
        self.terminators: list[Samples] = []
        self._receiver = MenuReceiver(role)
        self._meter = ToneMeter([ANSWER_TONE_HZ])
        self._tone = AnswerToneDetector(self._meter, 0)
        self._rest = np.zeros(0, np.float32)
        self._now: Samples = 0
        self._open: HeardTone | None = None

    def feed(self, audio: Audio, erased: bool) -> None:
        self._rest = np.concatenate((self._rest, np.asarray(audio, np.float32)))
        while len(self._rest) >= HOP:
            self._hop(self._rest[:HOP], erased)
            self._rest = self._rest[HOP:]

    def _hop(self, hop: Audio, erased: bool) -> None:
        self._now += HOP
        self._receiver.receive(hop, erased)
        for sequence in self._receiver.take():
            if len(self.sequences) < MAX_HEARD:
                self.sequences.append(HeardSequence(self._now, self.role, sequence))
        if self._receiver.take_terminator() and len(self.terminators) < MAX_HEARD:
            self.terminators.append(self._now)
        self._meter.feed(hop, erased)
        self._tone.update()
        self._follow_tone()

    def _follow_tone(self) -> None:
        if self._tone.hops:
            begin = self._now - self._tone.hops * HOP
            known = self._open.modulated if self._open is not None else False
            self._open = HeardTone(
                begin,
                self._now,
                self.role,
                known or self._tone.modulated,
                self._tone.reversals,
                self._tone.level_dbm0,
            )
        elif self._open is not None:
            self.close()

    def close(self) -> None:
        """End the tone that is there."""
        tone, self._open = self._open, None
        if tone is not None and tone.end - tone.begin >= MIN_TONE and len(self.tones) < MAX_HEARD:
            self.tones.append(tone)


class V8Listener:
    """Reads both directions of a call; feed each at its own pace."""

    def __init__(self) -> None:
        self._directions = {role: _Direction(role) for role in Role}

    def feed(self, role: Role, audio: Audio, erased: bool = False) -> None:
        """Take what an end sent, shape (n,) float32, without gaps.

        Args:
            role: Of the end that sent it.
            audio: Samples.
            erased: They never arrived.
        """
        self._directions[role].feed(audio, erased)

    def close(self) -> None:
        """There is no more: a tone that is still there ends."""
        for direction in self._directions.values():
            direction.close()

    def sequences(self, role: Role) -> list[HeardSequence]:
        """Return the CI and CM, or the JM, that an end sent, in order."""
        return list(self._directions[role].sequences)

    def terminators(self, role: Role) -> list[Samples]:
        """Return when CJ was heard from an end."""
        return list(self._directions[role].terminators)

    def answer_tones(self, role: Role) -> list[HeardTone]:
        """Return the 2100 Hz tones that an end sent."""
        return list(self._directions[role].tones)
