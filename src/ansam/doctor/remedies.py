"""Settings to change for what is no finding about the audio: packets, delay, fax gateways.

What is one has its settings in `ansam.path.REMEDIES`.
"""

from ansam.path import REMEDIES, Kind, Remedy, System

SHORTEST_WAY = (
    Remedy(System.ASTERISK, "pjsip.conf, endpoint > direct_media", "yes"),
    Remedy(System.THREE_CX, "Extension > Options > PBX delivers audio", "off"),
    Remedy(System.FREESWITCH, "dialplan > bypass_media", "true"),
)

LOST_PACKETS = (
    Remedy(System.PAP2T, "SIP > RTP Packet Size", "0.020"),
    Remedy(System.PAP2T, "Line n > Network Jitter Level", "very high"),
    *SHORTEST_WAY,
)

FIXED_BUFFER = (
    Remedy(System.PAP2T, "Line n > Network Jitter Level", "high"),
    Remedy(System.PAP2T, "Line n > Jitter Buffer Adjustment", "disable"),
    Remedy(System.ASTERISK, "extensions.conf > JITTERBUFFER()", "not set"),
    Remedy(System.FREESWITCH, "dialplan > jitterbuffer_msec", "not set"),
)

SHORT_BUFFER = (
    Remedy(System.PAP2T, "Line n > Network Jitter Level", "medium"),
    *SHORTEST_WAY,
)

FAX = (
    Remedy(System.PAP2T, "Line n > FAX CED Detect Enable", "no"),
    Remedy(System.PAP2T, "Line n > FAX Passthru Method", "None"),
    Remedy(System.PAP2T, "Line n > FAX Process NSE", "no"),
    Remedy(System.ASTERISK, "pjsip.conf, endpoint > t38_udptl / fax_detect", "no / no"),
    Remedy(System.THREE_CX, "Extension / trunk > Options > T.38", "off"),
    Remedy(System.FREESWITCH, "dialplan > fax_enable_t38 / spandsp_start_t38", "false / not called"),
)


def of(*kinds: Kind) -> tuple[Remedy, ...]:
    """Return the settings for findings about the audio."""
    return tuple(dict.fromkeys(remedy for kind in kinds for remedy in REMEDIES.get(kind, ())))
