"""What signalling says about the end of a call, in words: for the chain of causes (`dce.causes`)."""

import re
from typing import NamedTuple

from ansam.errors import RemoteProtocolError
from ansam.sdp.description import MediaDescription, parse
from ansam.sip.status import reason_for

LONGEST_REASON = 500
"""Octets of a Reason header that are looked through: a stranger chose it."""

_MEANING = {
    401: "the exchange does not accept our password",
    403: "the exchange does not allow this call",
    404: "nobody has this number",
    407: "the exchange does not accept our password",
    408: "nothing answered: the far end, or the way to it, is dead",
    410: "this number exists no more",
    415: "the far end has no codec that carries a modem",
    480: "the far end is not registered, or does not answer",
    484: "the number is incomplete",
    486: "the far line is in use",
    487: "the call was given up before it was answered",
    488: "the far end has no codec that carries a modem",
    500: "the exchange has an error",
    502: "the gateway behind the exchange failed",
    503: "the exchange is congested or out of order, or the way to it is",
    504: "the gateway behind the exchange does not answer",
    600: "the far line is in use everywhere",
    603: "the far end declined",
    604: "nobody has this number anywhere",
    606: "the far end has no codec that carries a modem",
}

_Q850 = {
    1: "unallocated number",
    3: "no route to the destination",
    16: "normal call clearing",
    17: "user busy",
    18: "no user responding",
    19: "no answer from the user",
    21: "call rejected",
    27: "destination out of order",
    28: "invalid number format",
    31: "normal, unspecified",
    34: "no circuit available",
    38: "network out of order",
    41: "temporary failure",
    42: "switching equipment congestion",
    47: "resource unavailable",
    58: "bearer capability not available",
    65: "bearer capability not implemented",
    79: "service or option not implemented",
    88: "incompatible destination",
    102: "recovery on timer expiry",
    111: "protocol error",
    127: "interworking",
}
"""ITU-T Q.850 (05/98) §2.2.7, those that gateways send."""

MAX_TEXT = 100
"""Characters of what the far end says that are repeated."""


class Fact(NamedTuple):
    """What was said."""

    text: str
    clause: str


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:MAX_TEXT]


def call_failed(status: int, reason: str) -> Fact:
    """Return what a final response to our INVITE says.

    Args:
        status: 300 to 699; 408 for silence and 503 for a dead transport.
        reason: Its reason phrase.
    """
    meaning = _MEANING.get(status, "")
    said = f"{status} {_printable(reason or reason_for(status))}"
    return Fact(f"{said}: {meaning}" if meaning else said, f"RFC 3261 §21.{status // 100}")


def call_ended(reason: str, status: int, *, by_us: bool) -> Fact:
    """Return what ended an answered call.

    Args:
        reason: The Reason header of the far end's BYE, "" if it had none, or our own words.
        status: 200 for a BYE; 408 and 481 for what was not answered, or not known there.
        by_us: Our own side ended it.
    """
    if by_us or status != 200:
        said = f"{status} {_printable(reason or reason_for(status))}"
        return Fact(f"signalling ended the call: {said}", "RFC 3261 §12.2.1.2")
    if not reason:
        return Fact("far end hung up: BYE, without a Reason", "RFC 3261 §15")
    cause = re.search(r"Q\.850\s*;.*?cause\s*=\s*(\d+)", reason[:LONGEST_REASON], re.IGNORECASE)
    meaning = _Q850.get(int(cause[1][:4]), "") if cause else ""
    said = f"far end hung up: BYE, Reason: {_printable(reason)}"
    return Fact(f"{said} ({meaning})" if meaning else said, "RFC 3326")


def refused_offer(sdp: bytes) -> Fact:
    """Return what a re-INVITE wanted that was refused with 488."""
    clause = "RFC 3261 §14.2"
    try:
        media = [medium for medium in parse(sdp).media if medium.port]
    except RemoteProtocolError:
        return Fact("the far end asked for something that can not be understood (refused)", clause)
    wanted = ", ".join(dict.fromkeys(map(_wanted, media))) or "no medium at all"
    return Fact(f"the far end asked for {wanted} (refused)", clause)


def _wanted(medium: MediaDescription) -> str:
    if medium.kind == "image":
        return "T.38 fax instead of audio"
    names = [
        attribute.value.partition(" ")[2].partition("/")[0]
        for attribute in medium.attributes
        if attribute.name == "rtpmap" and attribute.value
    ]
    if any(name.upper() == "X-NSE" for name in names):
        return "Cisco's NSE pass-through"
    static = {"0": "PCMU", "3": "GSM", "4": "G723", "8": "PCMA", "9": "G722", "18": "G729"}
    names = names or [static.get(number, number) for number in medium.formats]
    return f"{_printable(medium.kind)} of {_printable('/'.join(names) or medium.protocol)}"
