"""The octets of CI, CM and JM: what a modem offers (V.8 (11/2000) §5, §6).

A sequence is ten ones, ten bits of synchronisation, then octets with start and stop bits. An octet whose b4
is 0 opens a category, b0 to b3 being its tag; those with b4 = 1, b3 = b5 = 0 extend it. What is not known is
kept as octets and otherwise ignored (§10), so that a decoder of tomorrow's modems still shows what they said.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, IntEnum

import numpy as np

from ansam.units import Bits

ONES = 10
SYNC_CI = (0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
SYNC_CM = (0, 0, 0, 0, 0, 0, 1, 1, 1, 1)
"""Table 1; JM has the same as CM."""
SYNC_V92 = (0, 1, 0, 1, 0, 1, 0, 1, 0, 1)
"""Table 1: what V.92 (11/2000) defines instead."""


class Category(IntEnum):
    """Category tags, b0 to b3 (Table 2)."""

    CALL_FUNCTION = 0x1
    MODULATION = 0x5
    PCM = 0x7
    PROTOCOL = 0xA
    ACCESS = 0xD
    T66 = 0xE
    NON_STANDARD = 0xF


class CallFunction(IntEnum):
    """Table 3; the value is b5 to b7."""

    RESERVED = 0
    MULTIMEDIA = 1
    TEXTPHONE = 2
    VIDEOTEXT = 3
    TRANSMIT_FAX = 4
    RECEIVE_FAX = 5
    DATA = 6
    EXTENSION = 7


class Mode(Enum):
    """Modulation modes (Table 4): value = (octet, bit, name). In the order of their item numbers."""

    V34 = (0, 6, "V.34")
    V34_HALF = (0, 7, "V.34 half duplex")
    V32BIS = (1, 0, "V.32bis/V.32")
    V22BIS = (1, 1, "V.22bis/V.22")
    V17 = (1, 2, "V.17")
    V29 = (1, 6, "V.29 half duplex")
    V27TER = (1, 7, "V.27ter")
    V26TER = (2, 0, "V.26ter")
    V26BIS = (2, 1, "V.26bis")
    V23 = (2, 2, "V.23")
    V23_HALF = (2, 6, "V.23 half duplex")
    V21 = (2, 7, "V.21")

    @property
    def item(self) -> int:
        """Place in the order of preference: the lowest that both have is used (§7.4)."""
        return list(Mode).index(self)


_PCM_PRESENT = 5
"""modn0 b5: the PCM category is there."""


class Pcm(Enum):
    """PCM modem availability (Table 5); the value is the bit."""

    ANALOGUE = 5
    DIGITAL = 6
    V91 = 7


class Access(Enum):
    """PSTN access (Table 7); the value is the bit."""

    CALL_CELLULAR = 5
    ANSWER_CELLULAR = 6
    DIGITAL = 7


_LAPM = 0x20
"""prot0 b5 to b7 = 1 0 0 (Table 6)."""


@dataclass(frozen=True, slots=True)
class Menu:
    """What a CM or JM says.

    Attributes:
        call_function: Table 3.
        modes: Modulation modes available; None where the category is absent.
        pcm: PCM modem availability; None where the category is absent.
        lapm: The protocol category calls for LAPM.
        access: PSTN access; None where the category is absent.
        modulation_octets: How many octets the modulation category has (JM repeats it with zeros, §7.4).
        octets: As received, in their order; empty for one that was not received.
    """

    call_function: CallFunction = CallFunction.DATA
    modes: frozenset[Mode] | None = None
    pcm: frozenset[Pcm] | None = None
    lapm: bool = False
    access: frozenset[Access] | None = None
    modulation_octets: int = 0
    octets: bytes = field(default=b"", compare=False)

    @property
    def best(self) -> Mode | None:
        """The mode with the lowest item number, or None."""
        return min(self.modes, key=lambda mode: mode.item) if self.modes else None

    def encode(self) -> bytes:
        """Return the octets, call function first."""
        out = bytearray((Category.CALL_FUNCTION | self.call_function << 5,))
        if self.modes is not None:
            count = max(self.modulation_octets, 1 + max((mode.value[0] for mode in self.modes), default=0))
            words = [Category.MODULATION, *[0x10] * (count - 1)]
            if self.pcm is not None:
                words[0] |= 1 << _PCM_PRESENT
            for mode in self.modes:
                octet, bit, _ = mode.value
                words[octet] |= 1 << bit
            out += bytes(words)
        if self.lapm:
            out.append(Category.PROTOCOL | _LAPM)
        if self.access is not None:
            out.append(Category.ACCESS | sum(1 << access.value for access in self.access))
        if self.pcm is not None:
            out.append(Category.PCM | sum(1 << pcm.value for pcm in self.pcm))
        return bytes(out)

    def describe(self) -> str:
        """Return the menu in words, for logs and `listen`."""
        parts = [self.call_function.name.lower().replace("_", " ")]
        if self.modes is not None:
            parts.append(" ".join(m.value[2] for m in sorted(self.modes, key=lambda m: m.item)) or "no mode")
        if self.pcm is not None:
            parts.append("PCM " + "+".join(p.name.lower() for p in sorted(self.pcm, key=lambda p: p.value)))
        if self.lapm:
            parts.append("LAPM")
        if self.access is not None:
            parts.append("digital" if Access.DIGITAL in self.access else "analogue")
        return ", ".join(parts)


def is_extension(octet: int) -> bool:
    """Return whether an octet extends the category before it (§5.2)."""
    return octet & 0x38 == 0x10


def follows_rules(octet: int) -> bool:
    """Return whether an octet opens a category or extends one; nothing else may be sent (§5)."""
    return octet & 0x10 == 0 or is_extension(octet)


def _categories(octets: bytes) -> Iterator[tuple[int, list[int]]]:
    """Yield (tag, [category octet, extension octets ...])."""
    current: list[int] = []
    for octet in octets:
        if is_extension(octet) and current:
            current.append(octet)
            continue
        if current:
            yield current[0] & 0x0F, current
        current = [octet] if octet & 0x10 == 0 else []
    if current:
        yield current[0] & 0x0F, current


def decode(octets: bytes) -> Menu:
    """Read the octets of a CM or JM; reserved ones are ignored (§10)."""
    function = CallFunction.RESERVED
    modes: frozenset[Mode] | None = None
    pcm: frozenset[Pcm] | None = None
    access: frozenset[Access] | None = None
    lapm = False
    count = 0
    for tag, words in _categories(octets):
        if tag == Category.CALL_FUNCTION:
            function = CallFunction(words[0] >> 5)
        elif tag == Category.MODULATION:
            count = len(words)
            modes = frozenset(m for m in Mode if m.value[0] < count and words[m.value[0]] >> m.value[1] & 1)
        elif tag == Category.PCM:
            pcm = frozenset(p for p in Pcm if words[0] >> p.value & 1)
        elif tag == Category.PROTOCOL:
            lapm = words[0] & 0xE0 == _LAPM
        elif tag == Category.ACCESS:
            access = frozenset(a for a in Access if words[0] >> a.value & 1)
    return Menu(function, modes, pcm, lapm, access, count, bytes(octets))


def joint(offered: Menu, ours: Menu) -> Menu:
    """Return the JM that answers a CM (§7.4, §8.2.3).

    Args:
        offered: The CM received.
        ours: What we would send as a CM.
    """
    if offered.call_function is not ours.call_function:
        none: frozenset[Mode] = frozenset()
        return Menu(ours.call_function, none, modulation_octets=offered.modulation_octets)
    common = (offered.modes or frozenset()) & (ours.modes or frozenset())
    pcm = offered.pcm & ours.pcm if offered.pcm is not None and ours.pcm is not None else None
    if pcm is not None and (Mode.V34 not in common or not pcm):
        pcm = None
    access = ours.access
    if offered.access is not None and Access.CALL_CELLULAR in offered.access:
        access = (access or frozenset()) | {Access.CALL_CELLULAR}
    if pcm is not None and access is None:
        access = frozenset()
    return Menu(
        offered.call_function,
        common,
        pcm,
        offered.lapm and ours.lapm,
        access,
        offered.modulation_octets,
    )


def sequence(octets: bytes, sync: tuple[int, ...] = SYNC_CM) -> Bits:
    """Return one sequence as it is sent: ones, synchronisation, octets with start and stop bits (§5)."""
    bits = [1] * ONES + list(sync)
    for octet in octets:
        bits += [0, *((octet >> i) & 1 for i in range(8)), 1]
    return np.array(bits, np.uint8)


CJ = np.array([0, *[0] * 8, 1] * 3, np.uint8)
"""Three octets of zeros (§3.5)."""
