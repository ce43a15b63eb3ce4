"""What to change where, by the names the settings have there."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ansam.path.finding import Kind


class System(Enum):
    """Whose settings."""

    PAP2T = "Linksys PAP2T"
    ASTERISK = "Asterisk"
    THREE_CX = "3CX"
    FREESWITCH = "FreeSWITCH"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One setting.

    Attributes:
        system: Where.
        setting: Its name there, with the page or file it stands on.
        value: What it should be.
    """

    system: System
    setting: str
    value: str


_LAW = (
    Remedy(System.PAP2T, "Line n > Preferred Codec", "G711a (as the far end)"),
    Remedy(System.PAP2T, "Line n > Use Pref Codec Only", "yes"),
    Remedy(System.ASTERISK, "pjsip.conf, endpoint > disallow / allow", "all / alaw"),
    Remedy(System.THREE_CX, "Extension / trunk > Options > codec priority", "G.711 A-law alone"),
    Remedy(System.FREESWITCH, "vars.xml > global_codec_prefs, outbound_codec_prefs", "PCMA"),
)

REMEDIES: Mapping[Kind, tuple[Remedy, ...]] = {
    Kind.WRONG_LAW: _LAW,
    Kind.TRANSCODED: _LAW,
}
"""By kind of finding; a kind that is not there has nothing to change in these systems."""
