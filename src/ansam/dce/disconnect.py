"""How a US Robotics modem names the end of a call (ATI6: ``Disconnect Reason is …``).

Our own reasons say which step ended the call and what it missed; the names here are the few that users know.
Source: ../shared/usr-courier.md §3; Courier V.Everything command reference, "Link diagnostics".
"""

NAMES: tuple[tuple[str, str], ...] = (
    ("dtr dropped", "DTR dropped"),
    ("keypress abort", "Keypress Abort"),
    ("escape code", "Escape code"),
    ("inactivity", "Inactivity Timeout"),
    ("disc received", "DISC Received"),
    ("dm while connected", "DISC Received"),
    ("sabme while connected", "SABME Received"),
    ("retransmit limit", "Retransmit limit"),
    ("n400: ", "Retransmit limit"),
    ("invalid codeword", "Invalid Codeword"),
    ("v.42bis", "Invalid Codeword"),
    ("cleardown", "GSTN Clear Down"),
    ("clear down", "GSTN Clear Down"),
    ("retrain", "Unable to Retrain"),
    ("carrier", "Loss of Carrier"),
    ("no signal", "Loss of Carrier"),
    ("far end hung up", "Loss of Carrier"),
    ("s10", "Loss of Carrier"),
)
"""Words of our reason, in lower case, and the name; the first that fits holds."""

HANG_UP = "ATH"
"""Our reason of a call that a command ended: to a US Robotics modem that is what follows the escape code."""


def usr_reason(reason: str) -> str:
    """Return the name of a reason; one that fits none keeps its own words."""
    if reason == HANG_UP:
        return "Escape code"
    lower = reason.lower()
    return next((name for words, name in NAMES if words in lower), reason)
