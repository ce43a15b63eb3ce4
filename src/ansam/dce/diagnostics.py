"""ATI6: the link diagnostics of the call there is, or of the last one.

The layout is that of US Robotics firmware (../shared/usr-courier.md §9). Counters begin anew with each
connection and stay after it; what this modem can not know (line reversals) is 0, as on a modem that saw none.
"""

from dataclasses import dataclass, field

from ansam.link.base import LinkStatistics
from ansam.units import SAMPLE_RATE, Samples


@dataclass(slots=True)
class CallRecord:
    """Facts of one connection.

    Attributes:
        characters_sent: From the terminal.
        characters_received: To the terminal.
        link: Counters of the link.
        retrains_requested: By this end.
        retrains_granted: To the far end.
        tx_rate: Bit/s.
        rx_rate: Bit/s.
        began: When data could flow; None while there was no connection yet.
        ended: When it ended; None while it lasts.
    """

    characters_sent: int = 0
    characters_received: int = 0
    link: LinkStatistics = field(default_factory=LinkStatistics)
    retrains_requested: int = 0
    retrains_granted: int = 0
    tx_rate: int = 0
    rx_rate: int = 0
    began: Samples | None = None
    ended: Samples | None = None

    def seconds(self, now: Samples) -> int:
        """Return how long the connection lasted, or lasts."""
        if self.began is None:
            return 0
        return ((self.ended if self.ended is not None else now) - self.began) // SAMPLE_RATE


def _pair(left: str, value: int, right: str = "", other: int = 0) -> str:
    text = f"{left:<18}{value:>14}"
    return f"{text}      {right:<18}{other:>14}" if right else text


def _duration(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def link_screen(call: CallRecord, reason: str, now: Samples) -> list[str]:
    """Return the lines of ATI6.

    Args:
        call: The call there is or was.
        reason: Why it ended, or what there is instead of a call.
        now: For the time on line of a call that lasts.
    """
    link = call.link
    lines = [
        "Link Diagnostics...",
        "",
        _pair("Chars sent", call.characters_sent, "Chars Received", call.characters_received),
        _pair("Chars lost", link.characters_lost),
        _pair("Octets sent", link.octets_sent, "Octets Received", link.octets_received),
        _pair("Blocks sent", link.blocks_sent, "Blocks Received", link.blocks_received),
        _pair("Blocks resent", link.blocks_resent),
        "",
        _pair("Retrains Requested", call.retrains_requested, "Retrains Granted", call.retrains_granted),
        _pair("Line Reversals", 0, "Blers", link.blers),
        _pair("Link Timeouts", link.link_timeouts, "Link Naks", link.link_naks),
        "",
        f"Data Compression       {link.compression}",
        "Equalization           Long",
        "Fallback               Enabled",
        f"Protocol               {link.protocol}",
        f"Speed                  {call.rx_rate}/{call.tx_rate}",
        f"Last Call              {_duration(call.seconds(now))}",
        "",
    ]
    if call.began is None:
        lines.append("No Connection")
    elif call.ended is None:
        lines.append("Connected")
    else:
        lines.append(f"Disconnect Reason is {reason}")
    return lines
