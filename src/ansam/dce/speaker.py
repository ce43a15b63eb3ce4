"""The modem's speaker: when it is on, and how loud (M, L; V.250 (07/2003) §6.3.13 and §6.3.14)."""

from dataclasses import dataclass

OFF, UNTIL_CARRIER, ALWAYS, AFTER_DIALLING = range(4)
"""M0 to M3."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """What the speaker does.

    Attributes:
        on: It plays what is on the line.
        volume: L, 0 to 3; 0 and 1 are both low.
    """

    on: bool
    volume: int


def speaker(m: int, volume: int, *, off_hook: bool, dialling: bool, carrier: bool) -> Speaker:
    """Return what the speaker does.

    Args:
        m: Value of M.
        volume: Value of L.
        off_hook: The line is seized.
        dialling: Digits are being sent, and before.
        carrier: The connection stands.
    """
    if not off_hook or m == OFF:
        return Speaker(False, volume)
    if m == ALWAYS:
        return Speaker(True, volume)
    return Speaker(not carrier and not (m == AFTER_DIALLING and dialling), volume)
