"""Hears V.25's answer tone and V.8's CI, CM, JM and CJ."""

from itertools import groupby

from ansam.listen.ear import Place
from ansam.listen.timeline import Entry
from ansam.modulation.base import Role
from ansam.modulation.v8.listener import HeardSequence, V8Listener
from ansam.modulation.v8.menu import CJ, Category, decode, is_extension
from ansam.modulation.v8.sequences import Kind
from ansam.units import SAMPLE_RATE, Audio, Samples

BIT_RATE = 300
MIN_PLAIN: Samples = 3200
"""400 ms, the least that disables echo suppressors (V.25 (10/96) §4.3); less is part of something else."""
_LEAST_REVERSALS = 2
_SYNC_AFTER = 20 * SAMPLE_RATE // BIT_RATE
"""The end of a sequence that comes for the first time is known from the next one's synchronisation."""
_NAMES = {Category.CALL_FUNCTION: "call function", Category.MODULATION: "modulations", Category.PCM: "PCM"}
_NAMES |= {Category.PROTOCOL: "protocol", Category.ACCESS: "access", Category.T66: "T.66"}
_NAMES |= {Category.NON_STANDARD: "non-standard"}


def octet_names(octets: bytes) -> list[str]:
    """Return what each octet of a menu is, ``C1 call function``."""
    return [f"{octet:02X} {_octet_name(octet)}" for octet in octets]


def _octet_name(octet: int) -> str:
    if is_extension(octet):
        return "extension"
    try:
        return _NAMES[Category(octet & 0x0F)]
    except ValueError:
        return "unknown"


def _lasts(octets: bytes) -> Samples:
    """Return how long ten ones, synchronisation and octets last."""
    return (20 + 10 * len(octets)) * SAMPLE_RATE // BIT_RATE


class V8Ear:
    """Hears one end's V.8.

    Args:
        place: Where. L2 and INFOMARKSa have a line at 2100 Hz that is no answer tone: they must be known.
    """

    def __init__(self, place: Place) -> None:
        self._role = place.role
        self._not_tones = place.earlier("L1", "L2", "INFOMARKSa")
        self._listener = V8Listener()

    def feed(self, audio: Audio) -> None:
        """Take the next samples."""
        self._listener.feed(self._role, audio)

    def close(self) -> list[Entry]:
        """Return tones and sequences; the same sequence again and again is one entry."""
        self._listener.close()
        found = []
        if self._role is Role.ANSWERING:
            found += self._tones()
        else:
            found += [self._terminator(at) for at in self._listener.terminators(self._role)]
        for _, group in groupby(
            self._listener.sequences(self._role), lambda h: (h.sequence.kind, h.sequence.octets)
        ):
            found.append(self._sequences(list(group)))
        return found

    def _tones(self) -> list[Entry]:
        found = []
        for tone in self._listener.answer_tones(self._role):
            if tone.end - tone.begin < MIN_PLAIN and not tone.modulated:
                continue
            if any(other.start < tone.end and tone.begin < other.end for other in self._not_tones):
                continue
            name = "ANSam" if tone.modulated else "ANS"
            text = f"2100 Hz{', 15 Hz AM' if tone.modulated else ''}, {tone.level_dbm0:.0f} dBm0"
            if tone.reversals >= _LEAST_REVERSALS:
                text += f", {tone.reversals} reversals"
            details = {
                "modulated": tone.modulated,
                "reversals": tone.reversals,
                "level_dbm0": round(tone.level_dbm0, 1),
            }
            found.append(Entry(tone.begin, tone.end, self._role, name, text, details))
        return found

    def _terminator(self, at: Samples) -> Entry:
        start = at - len(CJ) * SAMPLE_RATE // BIT_RATE
        return Entry(start, at, self._role, "CJ", "menu accepted", {"octets": "00 00 00"})

    def _sequences(self, group: list[HeardSequence]) -> Entry:
        first, last = group[0], group[-1]
        octets = first.sequence.octets
        name = {Kind.CI: "CI", Kind.V92: "V.92 short sequence"}.get(first.sequence.kind)
        if name is None:
            name = "CM" if self._role is Role.CALLING else "JM"
        text = " ".join(f"{octet:02X}" for octet in octets)
        details: dict[str, object] = {
            "octets": text,
            "count": len(group),
            "repeated": any(h.sequence.repeated for h in group),
        }
        if first.sequence.kind is not Kind.V92:
            menu = decode(octets)
            details["menu"] = menu.describe()
            details["explained"] = octet_names(octets)
            text += f": {menu.describe()}"
        known = 0 if first.sequence.repeated else _SYNC_AFTER
        return Entry(
            first.at - known - _lasts(octets), last.at, self._role, name, f"{len(group)}× {text}", details
        )
