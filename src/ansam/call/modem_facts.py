"""What a modem tells the exchange of a call when it is over: a private header field of BYE, or of its answer.

``X-Ansam-Modem`` holds a JSON object with some of the keys of `KEYS`. RFC 3326's ``Reason`` stands beside it
in the BYE and says why in words; this field says what the line was like.
"""

import json
from collections.abc import Mapping
from typing import Any

FIELD = "X-Ansam-Modem"

ROLE, CALLING = "X-Ansam-Role", "calling"
"""A field of INVITE and its value: the modem that answers is to behave as the calling one."""

KEYS: dict[str, type] = {
    "modulation": str,
    "rate_tx": int,
    "rate_rx": int,
    "error_control": str,
    "compression": str,
    "connect_seconds": float,
    "bytes_sent": int,
    "bytes_received": int,
    "retrains": int,
    "speed_shifts": int,
    "frames_resent": int,
    "frames_bad": int,
    "packets": int,
    "packets_lost": int,
    "packets_late": int,
    "jitter_ms": float,
    "skew_ppm": float,
    "disconnect_reason": str,
    "causes": str,
}
"""What may be said.

Rates in bit/s, of this modem's transmitter and receiver; ``connect_seconds``: how long data could flow;
``speed_shifts``: changes of rate, up or down; ``frames_bad``: received in error; ``packets``,
``packets_lost``, ``packets_late``, ``jitter_ms``, ``skew_ppm``: of RTP as this end received it; ``causes``:
why the call ended, the root first, with " > " between.
"""

MAX_TEXT = 300
"""Characters of one text."""

MAX_FIELD = 4096
"""Characters of the field; a longer one is not read."""


def encode(facts: Mapping[str, Any]) -> str:
    """Return the field's value; what is None is left out."""
    said = {}
    for key, kind in KEYS.items():
        value = facts.get(key)
        if value is None:
            continue
        if kind is str:
            value = str(value)[:MAX_TEXT]
            if not value:
                continue
        elif kind is float:
            value = round(float(value), 3)
        said[key] = value
    return json.dumps(said, separators=(",", ":"))


def decode(value: str) -> dict[str, Any]:
    """Return what a field says: known keys with values of their kind; nothing of a field that is none."""
    if not value or len(value) > MAX_FIELD:
        return {}
    try:
        said = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    facts: dict[str, Any] = {}
    for key, kind in KEYS.items():
        found = said.get(key)
        if kind is str and isinstance(found, str):
            facts[key] = "".join(sign if sign.isprintable() else "?" for sign in found)[:MAX_TEXT]
        elif kind is not str and _is_figure(found):
            facts[key] = kind(found)
    return facts


def _is_figure(value: object) -> bool:
    """Return whether a value is a number that every reader of JSON takes; NaN and infinity are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53
