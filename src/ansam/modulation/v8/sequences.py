"""Finds CI, CM, JM and CJ in a stream of bits that may begin, break off and be wrong anywhere.

A sequence is ten ones, a synchronisation pattern, and octets with start and stop bits; it ends where the next
one begins. Nothing protects it but repetition, so a sequence counts only when the same octets came twice
(V.8 (11/2000) §7.4, §8.1.2, §8.2.2). They need not come in a row: with 5 % of packets lost, one sequence in
three is damaged.

- A sequence is *complete* when the ten ones and the synchronisation of the next one follow its last octet.
  Silence is a string of ones too: without the second condition, a packet replaced by silence between two
  octets would make a shorter menu of it.
- The second sequence need not be complete: it is known how long it will be. That saves 67 ms, and an answerer
  may break off JM anywhere (§8.2.3).
- An octet that breaks the coding rules (§5) is damage too: they hold for whatever may be defined yet.
- Bits that never arrived (`erased`) end a sequence: a guess would be worth nothing.
- CJ may have one wrong bit of its thirty, but must follow a CM: many another signal, heard as V.21, has
  thirty such bits.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from ansam.modulation.v8.menu import CJ, SYNC_CI, SYNC_CM, SYNC_V92, follows_rules
from ansam.units import Bits

MAX_OCTETS = 64
"""Longest sequence; what goes on is none."""

KEPT = 4
"""Complete sequences that a new one is compared with."""

MIN_ONES = 8
"""Ones wanted before a synchronisation: the first of the ten may fall victim to the tone before."""

PAUSE = range(9, 13)
"""Ones between two sequences, the stop bit not counted: ten, give or take a slip of the bit clock."""

CJ_FOLLOWS = 300
"""Bits (1 s) within which CJ follows a synchronisation of CM."""

SYNC_BITS = 10


class Kind(Enum):
    """What the synchronisation announces (Table 1)."""

    CI = "CI"
    MENU = "CM or JM"
    V92 = "V.92"


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence.

    Attributes:
        kind: By its synchronisation.
        octets: At least one.
        repeated: The same octets came before.
    """

    kind: Kind
    octets: bytes
    repeated: bool


def _number(bits: tuple[int, ...] | list[int]) -> int:
    return int("".join(map(str, bits)), 2)


_SYNCS = {
    _number((1,) * MIN_ONES + sync): kind
    for sync, kind in ((SYNC_CI, Kind.CI), (SYNC_CM, Kind.MENU), (SYNC_V92, Kind.V92))
}
_SYNC_MASK = (1 << (MIN_ONES + SYNC_BITS)) - 1
_CJ = _number(CJ.tolist())
_CJ_MASK = (1 << len(CJ)) - 1


class SequenceReceiver:
    """Reads sequences; see the module.

    Attributes:
        syncs: Synchronisations seen.
        terminators: CJ seen.
    """

    def __init__(self) -> None:
        self.syncs = 0
        self.terminators = 0
        self._register = 0
        self._since_sync = CJ_FOLLOWS
        self._kind: Kind | None = None
        self._octets = bytearray()
        self._position = 0
        self._octet = 0
        self._ones = 0
        self._reported = b""
        self._known: dict[Kind, deque[bytes]] = {kind: deque(maxlen=KEPT) for kind in Kind}
        self._found: list[Sequence] = []

    def receive(self, bits: Bits) -> list[Sequence]:
        """Take bits of any number; return the sequences that they completed or repeated."""
        self._found = []
        for bit in bits.tolist():
            self._take(bit)
        return self._found

    def erase(self) -> None:
        """What comes next has nothing to do with what came before: bits were lost."""
        self._kind = None
        self._register = 0

    def _take(self, bit: int) -> None:
        self._register = (self._register << 1 | bit) & _CJ_MASK
        self._since_sync += 1
        if self._since_sync < CJ_FOLLOWS and (self._register ^ _CJ).bit_count() <= 1:
            self._terminate()
        kind = _SYNCS.get(self._register & _SYNC_MASK)
        if kind is not None:
            self._begin(kind)
        elif self._kind is not None:
            self._frame(bit)

    def _terminate(self) -> None:
        self.terminators += 1
        self.erase()

    def _begin(self, kind: Kind) -> None:
        """A synchronisation: the sequence before it is complete, the next one begins."""
        self.syncs += 1
        if kind is Kind.MENU:
            self._since_sync = 0
        if kind is self._kind and self._octets and self._ones in PAUSE and self._position == SYNC_BITS - 1:
            self._complete(kind, bytes(self._octets))
        self._kind = kind
        self._octets.clear()
        self._reported = b""
        self._position, self._ones = 0, 0

    def _frame(self, bit: int) -> None:
        """Collect octets, and count the ones between them."""
        if self._position == 0:
            if bit:
                self._ones += 1
            else:
                self._position, self._octet = 1, 0
        elif self._position <= 8:
            self._octet |= bit << (self._position - 1)
            self._position += 1
        else:
            self._position = 0
            self._end_octet(bit)

    def _end_octet(self, stop: int) -> None:
        """A synchronisation does not come here: `_take` knows it first. What looks like one is damage."""
        valid = stop and self._ones < MIN_ONES and follows_rules(self._octet)
        if self._kind is None or not valid or len(self._octets) == MAX_OCTETS:
            self._kind = None
            return
        self._octets.append(self._octet)
        self._ones = 0
        octets = bytes(self._octets)
        if octets in self._known[self._kind]:
            self._found.append(Sequence(self._kind, octets, True))
            self._reported = octets

    def _complete(self, kind: Kind, octets: bytes) -> None:
        if octets != self._reported:
            self._found.append(Sequence(kind, octets, False))
        self._known[kind].append(octets)
