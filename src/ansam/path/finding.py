"""What a watch on a path says: one finding per kind of meddling."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ansam.units import SAMPLE_RATE, Samples


class Kind(Enum):
    """What was done to the audio; the value is its name in JSON, logs and `docs/spec/path.md`."""

    WRONG_LAW = "wrong-law"
    """The octets were written by one law and read by the other, here or on the way."""
    TRANSCODED = "transcoded"
    """The audio was coded by the other law on the way, and back."""
    GAIN = "gain"
    """Samples were multiplied after they had been coded."""
    MOVING_GAIN = "moving-gain"
    """The same with a factor that moves: an automatic gain control."""
    LOSSY_CODEC = "lossy-codec"
    """The waveform went through a speech codec."""
    SILENCE_SUPPRESSION = "silence-suppression"
    """Silence or comfort noise stands where the far end's own sound should."""
    ECHO_SUPPRESSOR = "echo-suppressor"
    """What comes in grows quieter while we send."""
    ECHO = "echo"
    """What we send comes back."""
    TIME_SLIP = "time-slip"
    """Samples were inserted, dropped or overlapped: an adaptive jitter buffer."""
    CONCEALMENT = "concealment"
    """Lost audio was made up from what came before it."""
    LOST_UPSTREAM = "lost-upstream"
    """Audio was lost before the packets got the numbers that we see, and silence put there."""
    CLIPPING = "clipping"
    """Peaks are cut off."""
    LEVEL_LOW = "level-low"
    LEVEL_HIGH = "level-high"
    ROBBED_BITS = "robbed-bits"
    """The least significant bit of every sixth sample carries signalling."""
    DTMF_CLAMP = "dtmf-clamp"
    """A gateway took the signal for dialled digits and muted or replaced it."""
    BAND_LIMIT = "band-limit"
    """A filter cut the edges of the band off."""


class Severity(Enum):
    """What a finding means for a modem."""

    INFO = "info"
    """Worth knowing; costs little."""
    WARNING = "warning"
    """Costs rate, or a retrain now and then."""
    FAULT = "fault"
    """No fast modem survives it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was done to the received audio.

    Attributes:
        kind: What.
        severity: How bad.
        text: One sentence for people, with the figures it rests on.
        evidence: Figures by name, such as ``missing`` or ``gain_db``; the unit ends the name.
        first: When it was seen first, samples since the first one the watch was given.
        last: When it was seen last.
    """

    kind: Kind
    severity: Severity
    text: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    first: Samples = 0
    last: Samples = 0

    @property
    def first_seconds(self) -> float:
        """`first` in seconds."""
        return self.first / SAMPLE_RATE

    @property
    def last_seconds(self) -> float:
        """`last` in seconds."""
        return self.last / SAMPLE_RATE

    def as_dict(self) -> dict[str, object]:
        """Return the JSON object."""
        return {
            "kind": self.kind.value,
            "severity": self.severity.value,
            "text": self.text,
            "evidence": dict(self.evidence),
            "first_seconds": round(self.first_seconds, 2),
            "last_seconds": round(self.last_seconds, 2),
        }
