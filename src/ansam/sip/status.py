"""Status codes: their texts, and what a failed call means to the one who dialled."""

from enum import Enum

REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    200: "OK", 202: "Accepted",
    300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
    408: "Request Timeout", 410: "Gone", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
    421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending", 493: "Undecipherable",
    500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}  # fmt: skip
"""Reason phrases (RFC 3261 §21, RFC 4028 §6)."""


def reason_for(status: int) -> str:
    """Return the standard text of a status, or that of its class."""
    return REASONS.get(status) or REASONS.get(status // 100 * 100, "Unknown")


class Outcome(Enum):
    """What a caller learns from a call that was not answered."""

    BUSY = "busy"
    """The called line is in use or refuses."""
    NO_ANSWER = "no answer"
    """It rang, or nobody is there to be rung."""
    UNKNOWN_NUMBER = "unknown number"
    CANCELLED = "cancelled"
    """By ourselves."""
    INCOMPATIBLE = "incompatible"
    """The far end has no codec a modem can use."""
    REFUSED = "refused"
    """By an exchange that does not know or trust us."""
    NETWORK = "network"
    """The exchange or the way to it is out of order."""


_OUTCOMES = {
    486: Outcome.BUSY, 600: Outcome.BUSY, 603: Outcome.BUSY,
    408: Outcome.NO_ANSWER, 480: Outcome.NO_ANSWER, 504: Outcome.NO_ANSWER,
    404: Outcome.UNKNOWN_NUMBER, 410: Outcome.UNKNOWN_NUMBER, 416: Outcome.UNKNOWN_NUMBER,
    484: Outcome.UNKNOWN_NUMBER, 485: Outcome.UNKNOWN_NUMBER, 604: Outcome.UNKNOWN_NUMBER,
    487: Outcome.CANCELLED,
    406: Outcome.INCOMPATIBLE, 415: Outcome.INCOMPATIBLE, 488: Outcome.INCOMPATIBLE,
    606: Outcome.INCOMPATIBLE,
}  # fmt: skip


def outcome(status: int) -> Outcome:
    """Map the status of `CallFailed` to what it means."""
    default = Outcome.NETWORK if 500 <= status < 600 else Outcome.REFUSED
    return _OUTCOMES.get(status, default)
