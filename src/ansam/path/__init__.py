"""What meddles with the audio on its way, told from the audio itself."""

from ansam.path.facts import ModemFacts, NetworkFacts
from ansam.path.finding import Finding, Kind, Severity
from ansam.path.remedies import REMEDIES, Remedy, System

__all__ = [
    "REMEDIES",
    "Finding",
    "Kind",
    "ModemFacts",
    "NetworkFacts",
    "Remedy",
    "Severity",
    "System",
]
