"""Detection phase, V.42 (03/2002) §7.2.1: whether the far modem is one that corrects errors.

The originator sends ODP (DC1 with even, then with odd parity, 8 to 16 ones after each), the answerer answers
ADP ("E", "C" in the same manner). A modem that has no V.42 shows the DC1s to its terminal, which ignores
them; so nothing is lost if there is none. Whoever else talks in that time (a login that prompts at once) must
not be lost either: the link keeps the bits and hands them to V.14 when this ends without V.42.
"""

from collections import deque
from enum import Enum

import numpy as np

from ansam.units import SAMPLE_RATE, Bits, Samples

T400: Samples = 750 * SAMPLE_RATE // 1000
"""Default of §9.1.1; the round trip of a VoIP path is added where it is known."""

ADP_REPEATS = 10
"""The least (§7.2.1.3). They go on until the originator's flags come, as Appendix III.1 advises: at
14400 bit/s ten of them last 25 ms, and one lost packet would take them all."""

ADP_NEEDED = 2
DC1_NEEDED = 4

_DC1_EVEN, _DC1_ODD = 0x11, 0x91
_E, _C, _NUL = 0x45, 0x43, 0x00
_GAP = 8
"""Ones between characters, 8 to 16."""


def _character(value: int) -> list[int]:
    """Return start element, eight bits least significant first, stop element and the ones after it."""
    return [0, *((value >> i) & 1 for i in range(8)), 1] + [1] * _GAP


ODP = np.array(_character(_DC1_EVEN) + _character(_DC1_ODD), np.uint8)
ADP = np.array(_character(_E) + _character(_C), np.uint8)


class Verdict(Enum):
    """How the phase ended."""

    V42 = "V.42 on both ends"
    NONE = "the far end has no V.42"
    REFUSED = "the far end wants no error control"


class _Characters:
    """Finds characters separated by at least eight ones in a bit stream."""

    def __init__(self) -> None:
        self._ones = 0
        self._value = 0
        self._position = -1

    def receive(self, bit: int) -> int | None:
        """Take a bit; return a character when one is complete, -1 where the framing broke."""
        if self._position < 0:
            if bit:
                self._ones += 1
            elif self._ones >= _GAP:
                self._position, self._value = 0, 0
            else:
                self._ones = 0
                return -1
            return None
        if self._position < 8:
            self._value |= bit << self._position
            self._position += 1
            return None
        self._position = -1
        # The stop element is not one of the eight ones that separate characters.
        self._ones = 0
        return self._value if bit else -1


class Detection:
    """One end of the detection phase.

    Args:
        originator: True for the calling modem.
        t400: Time to wait for the other pattern, in samples; ADP is sent for as long if no flags answer it.

    Attributes:
        observed: ODP was recognised (answerer).
        verdict: What the far end has, once that is certain.
    """

    def __init__(self, originator: bool, t400: Samples = T400) -> None:
        self._originator = originator
        self._t400 = t400
        self._expires: Samples | None = None
        self._began: Samples = 0
        self._characters = _Characters()
        self._line: deque[int] = deque()
        self._last = -1
        self._count = 0
        self.observed = False
        self._answers = 0
        self.verdict: Verdict | None = None

    def start(self, now: Samples) -> None:
        """The physical connection is ready."""
        self._began = now
        self._expires = now + self._t400

    def round_trip(self, now: Samples, bit_rate: int) -> Samples:
        """Return how long ADP took to come, beyond the patterns themselves (originator)."""
        patterns = (DC1_NEEDED // 2) * len(ODP) + ADP_NEEDED * len(ADP)
        return max(0, now - self._began - patterns * SAMPLE_RATE // bit_rate)

    def pull(self, count: int) -> Bits:
        """Return bits to send: ODP without end, or marks and then ADP."""
        while len(self._line) < count:
            if self._originator:
                self._line.extend(ODP.tolist())
            elif self.observed:
                self._line.extend(ADP.tolist())
                self._answers += 1
                if self._expires is None and self._answers >= ADP_REPEATS:
                    self.verdict = Verdict.V42
            else:
                self._line.append(1)
        return np.array([self._line.popleft() for _ in range(count)], np.uint8)

    def drain(self) -> Bits:
        """Return what is left of a pattern under way (it is finished before anything else is sent)."""
        bits = np.array(self._line, np.uint8)
        self._line.clear()
        return bits

    def receive_bits(self, bits: Bits, now: Samples) -> None:
        """Look for the far end's pattern."""
        for bit in bits.tolist():
            character = self._characters.receive(bit)
            if character is not None and self.verdict is None:
                self._take(character, now)

    def _take(self, character: int, now: Samples) -> None:
        if not self._originator:
            # "At least four DC1s of alternating parity" (§7.2.1.3).
            expected = character in (_DC1_EVEN, _DC1_ODD) and character != self._last
            if expected:
                self._count += 1
            elif character in (_DC1_EVEN, _DC1_ODD):
                self._count = 1
            else:
                self._count = 0
            self._last = character if character in (_DC1_EVEN, _DC1_ODD) else -1
            if self._count >= DC1_NEEDED and not self.observed:
                self.observed = True
                self._expires = now + self._t400
            return
        # "Characters from at least two adjacent ADPs" (§7.2.1.2).
        pair = (self._last, character)
        self._last = character
        if pair in ((_E, _C), (_E, _NUL)):
            self._count += 1
            if self._count >= ADP_NEEDED:
                self.verdict = Verdict.V42 if character == _C else Verdict.REFUSED
        elif character != _E:
            self._count = 0

    def protocol_seen(self) -> None:
        """Flags or a LAPM frame arrived: the far end is past this phase already (§7.2.1.3)."""
        self.verdict = self.verdict or Verdict.V42

    def deadline(self) -> Samples | None:
        """Return when the phase ends without a pattern, or None."""
        return self._expires if self.verdict is None else None

    def handle_timer(self, now: Samples) -> None:
        """Let T400 expire."""
        if self.verdict is not None or self._expires is None or now < self._expires:
            return
        if self.observed:
            self._expires = None  # the pattern under way ends the phase
        else:
            self.verdict = Verdict.NONE
