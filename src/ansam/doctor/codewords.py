"""What became of single octets: returned bit for bit, turned into others by a rule, or not comparable.

A path that only carries packets returns each octet as it was. One that decodes and codes again turns each
octet into one certain other: that is a table of 256 entries, and which table tells what was done. One with a
filter, noise or a speech codec in it returns the same octet now as this one and now as that.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ansam.codec.g711 import Law
from ansam.units import Codewords

PURE = 0.98
"""Share of octets that came back as their most frequent image, from which on a rule is behind it."""
SAME = 0.995
"""Share of octets a known table must explain."""
ROBBED_PERIOD = 6
"""Q.724 and T1 channel-associated signalling: the last bit of every sixth sample."""
LEAST = 800
"""Octets that are compared at least: 100 ms."""

OTHER = {Law.ALAW: Law.ULAW, Law.ULAW: Law.ALAW}
NAMES = {Law.ALAW: "A-law", Law.ULAW: "µ-law"}


@dataclass(frozen=True, slots=True)
class CodewordReport:
    """What became of octets that were not lost.

    Attributes:
        compared: How many.
        exact: Share that came back as sent, 0 … 1.
        pure: Share that came back as the image most of its kind had, 0 … 1.
        transcoded: The other law was in between.
        wrong_law: Octets of one law were read as the other's.
        gain_db: Factor that explains them, applied between decoding and coding again; None: none does.
        inverted: The sign of every sample is turned.
        robbed: The last bit of every sixth sample is not as sent.
    """

    compared: int
    exact: float
    pure: float
    transcoded: bool = False
    wrong_law: bool = False
    gain_db: float | None = None
    inverted: bool = False
    robbed: bool = False

    @property
    def transparent(self) -> bool:
        """Whether all came back bit for bit."""
        return self.compared >= LEAST and self.exact == 1.0


def compare(law: Law, sent: Codewords, came: Codewords, place: NDArray[np.int64]) -> CodewordReport:
    """Compare octets.

    Args:
        law: Of both ends.
        sent: Shape (n,).
        came: What each came back as, shape (n,).
        place: Where it came back, samples on any clock, shape (n,).
    """
    if law is Law.ULAW:
        # µ-law's two zeros are one amplitude, and only one of the two is ever sent.
        sent, came = (np.where(x == 0x7F, 0xFF, x).astype(np.uint8) for x in (sent, came))
    n = max(len(sent), 1)
    equal = sent == came
    exact = float(np.mean(equal)) if len(sent) else 0.0
    joint = np.zeros((256, 256), np.int64)
    np.add.at(joint, (sent, came), 1)
    pure = float(joint.max(axis=1).sum()) / n
    if exact == 1.0 or len(sent) < LEAST:
        return CodewordReport(len(sent), exact, pure)
    robbed = _robbed(sent, came, place, equal)
    if robbed or pure < PURE:
        return CodewordReport(len(sent), exact, pure, robbed=robbed)
    image = {name: float(np.mean(table[sent] == came)) for name, table in _tables(law).items()}
    gain = _gain(law, sent, came) if max(image.values()) < SAME and exact < SAME else None
    return CodewordReport(
        len(sent),
        exact,
        pure,
        transcoded=image["transcoded"] >= SAME,
        wrong_law=max(image["wrong law"], image["wrong law twice"]) >= SAME,
        gain_db=gain,
        inverted=image["inverted"] >= SAME,
    )


def _tables(law: Law) -> dict[str, Codewords]:
    octets, other = np.arange(256, dtype=np.uint8), OTHER[law]
    misread = law.encode(other.decode(octets))
    return {
        "transcoded": law.encode(other.through(law.decode(octets))),
        "wrong law": misread,
        "wrong law twice": misread[misread],
        "inverted": octets ^ np.uint8(0x80),
    }


def _gain(law: Law, sent: Codewords, came: Codewords) -> float | None:
    """Return the gain whose table explains what came, dB."""
    before = law.decode(sent).astype(np.float64)
    after = law.decode(came).astype(np.float64)
    first = float(before @ after) / max(float(before @ before), 1e-12)
    if first <= 0:
        return None
    octets = np.arange(256, dtype=np.uint8)
    best, at = 0.0, first
    for factor in first * 10 ** (np.arange(-20, 21) / 1600):
        table = law.encode(law.decode(octets) * np.float32(factor))
        match = float(np.mean(table[sent] == came))
        if match > best:
            best, at = match, float(factor)
    return 20 * float(np.log10(at)) if best >= PURE else None


def _robbed(sent: Codewords, came: Codewords, place: NDArray[np.int64], equal: NDArray[np.bool_]) -> bool:
    """Whether nothing differs but the last bit of every sixth sample."""
    wrong = ~equal
    if not wrong.any() or np.any((sent ^ came)[wrong] != 1):
        return False
    phases = np.unique(place[wrong] % ROBBED_PERIOD)
    # Sent and received half of a loop may be robbed at two phases.
    return phases.size <= 2 and float(np.mean(wrong)) > 0.02
