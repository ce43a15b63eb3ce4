"""What was heard: entries in the order of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansam.modulation.base import Role
from ansam.units import SAMPLE_RATE, Samples


@dataclass(frozen=True, slots=True)
class Entry:
    """One signal.

    Attributes:
        start: When it began.
        end: When it ended.
        role: Of the modem that sent it.
        what: Its name in the Recommendation (``ANSam``, ``CM``, ``INFO0a``, ``tone A``, ``L1``).
        text: In words, one line.
        details: Everything that was read or measured; what JSON can carry.
    """

    start: Samples
    end: Samples
    role: Role
    what: str
    text: str = ""
    details: Mapping[str, object] = field(default_factory=dict)

    def as_dict(self, channel: int) -> dict[str, object]:
        """Return it for JSON, instants in seconds."""
        return {
            "start": round(self.start / SAMPLE_RATE, 4),
            "end": round(self.end / SAMPLE_RATE, 4),
            "role": self.role.value,
            "channel": channel,
            "what": self.what,
            "text": self.text,
            "details": dict(self.details),
        }


def clock(at: Samples) -> str:
    """Return an instant for people: seconds to the millisecond."""
    return f"{at / SAMPLE_RATE:.3f}"
