"""What to change where, by the names the settings have there.

Names of the PAP2T are those of its web pages (admin, advanced); the others' stand in the file or page named.
"""

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


_PAP, _AST, _3CX, _FS = System.PAP2T, System.ASTERISK, System.THREE_CX, System.FREESWITCH

_LAW = (
    Remedy(_PAP, "Line n > Preferred Codec", "G711a (as the far end)"),
    Remedy(_PAP, "Line n > Use Pref Codec Only", "yes"),
    Remedy(_AST, "pjsip.conf, endpoint > disallow / allow", "all / alaw"),
    Remedy(_3CX, "Extension and trunk > Options > Codecs", "G.711 A-law alone"),
    Remedy(_FS, "vars.xml > global_codec_prefs, outbound_codec_prefs", "PCMA"),
)

_DIRECT = (
    Remedy(_AST, "pjsip.conf, endpoint > direct_media", "yes"),
    Remedy(_3CX, "Extension > Options > PBX delivers audio", "off"),
    Remedy(_FS, "dial plan > bypass_media", "true"),
)

_GAIN = (
    Remedy(_PAP, "Regional > FXS Port Input Gain / Output Gain", "-3 / -3, as delivered"),
    Remedy(_AST, "dial plan > VOLUME(TX), VOLUME(RX), func AGC", "not set"),
    Remedy(_AST, "chan_dahdi.conf > rxgain / txgain", "0.0 / 0.0"),
    Remedy(_FS, "dial plan > set_audio_level, agc", "not set"),
    *_DIRECT,
)

_SILENCE = (
    Remedy(_PAP, "Line n > Silence Supp Enable", "no"),
    Remedy(_FS, "sofia profile > suppress-cng", "true"),
    Remedy(_FS, "sofia profile > vad", "none"),
)

_ECHO = (
    Remedy(_PAP, "Line n > Echo Canc Enable", "no"),
    Remedy(_PAP, "Line n > Echo Canc Adapt Enable", "no"),
    Remedy(_PAP, "Line n > Echo Supp Enable", "no"),
    Remedy(_PAP, "Line n > FAX Disable ECAN", "yes"),
    Remedy(_PAP, "Line n > Modem Line Toggle Code", "*99 before the number: switches it off for one call"),
    Remedy(_AST, "chan_dahdi.conf > echocancel", "no"),
)

_BUFFER = (
    Remedy(_PAP, "Line n > Jitter Buffer Adjustment", "disable"),
    Remedy(_PAP, "Line n > Network Jitter Level", "high or very high"),
    Remedy(_AST, "dial plan > JITTERBUFFER()", "disabled, or fixed"),
    Remedy(_AST, "chan_dahdi.conf > jbenable", "no"),
    Remedy(_FS, "dial plan > jitterbuffer_msec", "not set"),
    Remedy(_FS, "sofia profile > rtp-autofix-timing", "false"),
    *_DIRECT,
)

_FAX = (
    Remedy(_PAP, "Line n > FAX CED Detect Enable / FAX CNG Detect Enable", "no / no"),
    Remedy(_PAP, "Line n > FAX Passthru Method", "None"),
    Remedy(_PAP, "Line n > FAX Process NSE", "no"),
)

REMEDIES: Mapping[Kind, tuple[Remedy, ...]] = {
    Kind.WRONG_LAW: (*_LAW, Remedy(_PAP, "Line n > FAX Passthru Codec", "G711a")),
    Kind.TRANSCODED: (*_LAW, *_DIRECT, Remedy(_PAP, "Line n > FAX Passthru Codec", "G711a")),
    Kind.GAIN: _GAIN,
    Kind.MOVING_GAIN: _GAIN,
    Kind.LOSSY_CODEC: (*_LAW, Remedy(_PAP, "Line n > G729a Enable, G723 Enable, G726-nn Enable", "no")),
    Kind.SILENCE_SUPPRESSION: _SILENCE,
    Kind.ECHO_SUPPRESSOR: _ECHO,
    Kind.ECHO: (Remedy(_PAP, "Regional > FXS Port Impedance", "as the country's (600, 270+750||150nF …)"),),
    Kind.TIME_SLIP: _BUFFER,
    Kind.CONCEALMENT: _BUFFER,
    Kind.LOST_UPSTREAM: _DIRECT,
    Kind.CLIPPING: _GAIN,
    Kind.LEVEL_LOW: _GAIN,
    Kind.LEVEL_HIGH: _GAIN,
    Kind.ROBBED_BITS: (
        Remedy(_AST, "chan_dahdi.conf > signalling", "pri_cpe or pri_net (ISDN) in place of a CAS trunk"),
    ),
    Kind.DTMF_CLAMP: (
        Remedy(_PAP, "Line n > DTMF Tx Method", "InBand for calls of modems"),
        Remedy(
            _AST, "pjsip.conf, endpoint > dtmf_mode", "rfc4733 or info (inband and auto listen to the audio)"
        ),
        Remedy(_AST, "pjsip.conf, endpoint > fax_detect, t38_udptl", "no / no"),
        Remedy(_FS, "dial plan > start_dtmf", "not on calls of modems"),
        *_FAX,
    ),
}
"""By kind of finding; a kind that is not there has nothing to change in these systems."""
