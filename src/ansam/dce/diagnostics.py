"""ATI6, ATI11 and ATY11: what is known of the call there is, or of the last one.

The layouts are those of US Robotics firmware (../shared/usr-courier.md §9). Counters begin anew with each
connection and stay after it; what this modem can not know (line reversals) is 0, as on a modem that saw none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ansam.dce.causes import Cause, screen
from ansam.dce.disconnect import usr_reason
from ansam.link.base import LinkStatistics
from ansam.modulation.base import Ready, SignalReport
from ansam.units import SAMPLE_RATE, Samples

T = TypeVar("T")

UNKNOWN = "N/A"

RESPONSE_HZ = range(150, 3751, 150)
"""Rows of ATY11: the tones of V.34's line probing."""


@dataclass(slots=True)
class CallRecord:
    """Facts of one connection.

    Attributes:
        characters_sent: From the terminal.
        characters_received: To the terminal.
        link: Counters of the link.
        retrains_requested: By this end.
        retrains_granted: To the far end.
        renegotiations: Rate renegotiations begun by either end.
        shifts_up: Times the line rate went up after the beginning, in either direction or both.
        shifts_down: Times it went down.
        modulation: Name in the registry, or "".
        signal: What the modulation knew about the line when it was last asked.
        tx_rate: Bit/s.
        rx_rate: Bit/s.
        fallback: The rate may change during the call.
        began: When data could flow; None while there was no connection yet.
        ended: When it ended; None while it lasts.
    """

    characters_sent: int = 0
    characters_received: int = 0
    link: LinkStatistics = field(default_factory=LinkStatistics)
    retrains_requested: int = 0
    retrains_granted: int = 0
    renegotiations: int = 0
    shifts_up: int = 0
    shifts_down: int = 0
    modulation: str = ""
    signal: SignalReport = field(default_factory=SignalReport)
    tx_rate: int = 0
    rx_rate: int = 0
    fallback: bool = True
    began: Samples | None = None
    ended: Samples | None = None

    def seconds(self, now: Samples) -> int:
        """Return how long the connection lasted, or lasts."""
        if self.began is None:
            return 0
        return ((self.ended if self.ended is not None else now) - self.began) // SAMPLE_RATE

    def follow(self, ready: Ready) -> None:
        """Take over what a retrain or a renegotiation has led to."""
        moved = ready.tx_rate + ready.rx_rate - self.tx_rate - self.rx_rate
        self.shifts_up += moved > 0
        self.shifts_down += moved < 0
        self.modulation, self.tx_rate, self.rx_rate = ready.modulation, ready.tx_rate, ready.rx_rate


def _pair(left: str, value: int, right: str = "", other: int = 0) -> str:
    text = f"{left:<18}{value:>14}"
    return f"{text}      {right:<18}{other:>14}" if right else text


def duration(seconds: int) -> str:
    """Return hours, minutes and seconds."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def link_screen(
    call: CallRecord, reason: str, now: Samples, causes: Sequence[Cause] = (), began: Samples = 0
) -> list[str]:
    """Return the lines of ATI6; those of the causes come after what US Robotics' screen has.

    Args:
        call: The call there is or was.
        reason: Why it ended, or what there is instead of a call.
        now: For the time on line of a call that lasts.
        causes: What led to the end of the last attempt, the root first and its reason last.
        began: When that call was dialled or first rang.
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
        _pair("Speed Shifts Up", call.shifts_up, "Speed Shifts Down", call.shifts_down),
        _pair("Line Reversals", 0, "Blers", link.blers),
        _pair("Link Timeouts", link.link_timeouts, "Link Naks", link.link_naks),
        "",
        f"Data Compression       {link.compression}",
        "Equalization           Long",
        f"Fallback               {'Enabled' if call.fallback else 'Disabled'}",
        f"Protocol               {link.protocol}",
        f"Speed                  {call.rx_rate}/{call.tx_rate}",
        f"Last Call              {duration(call.seconds(now))}",
        "",
    ]
    if call.began is None:
        lines.append("No Connection")
    elif call.ended is None:
        lines.append("Connected")
    else:
        lines.append(f"Disconnect Reason is {usr_reason(reason)}")
    lasts = call.began is not None and call.ended is None
    # One that only repeats the reason says nothing new, unless the reason is not on the screen.
    if causes and not lasts and (len(causes) > 1 or call.began is None or usr_reason(reason) != reason):
        lines += ["", "Causes, from the root:", *screen(causes, began)]
    return lines


def _row(label: str, text: str | None) -> str:
    return f"{label:<25}{UNKNOWN if text is None else text}"


def _number(value: float | None, decimals: int = 1) -> str | None:
    return None if value is None else f"{value:z.{decimals}f}"


def _both(pair: tuple[T, T] | None) -> str | None:
    """Return a pair as receive/transmit, switches as ON and OFF."""
    if pair is None:
        return None
    return "/".join(("ON" if value else "OFF") if isinstance(value, bool) else f"{value}" for value in pair)


def _rounded(pair: tuple[float, float] | None) -> str | None:
    return None if pair is None else "/".join(f"{value:.0f}" for value in pair)


def _levels(signal: SignalReport) -> str | None:
    """Return the levels as losses, which is how the screen wants them: 23.0 is -23 dBm."""
    levels = (signal.rx_level_dbm0, signal.tx_level_dbm0)
    if levels == (None, None):
        return None
    return "/".join(UNKNOWN if level is None else f"{0.0 - level:.1f}" for level in levels)


def signal_screen(call: CallRecord) -> list[str]:
    """Return the lines of ATI11; what the modulation has no such thing of, or can not know, is ``N/A``."""
    signal = call.signal
    symbols = signal.symbol_rate and (signal.symbol_rate, signal.tx_symbol_rate or signal.symbol_rate)
    trip = signal.round_trip
    carrier = signal.carriers_hz[0] if signal.carriers_hz else 0.0
    offset = signal.carrier_offset_hz
    return [
        "Link Diagnostics...",
        "",
        _row("Modulation (recv/xmit)", f"{call.modulation}/{call.modulation}" if call.modulation else None),
        _row("Carrier Freq    ( Hz )", _rounded(signal.carriers_hz)),
        _row("Symbol Rate", _rounded(symbols or None)),
        _row("Trellis Code", _both(signal.trellis)),
        _row("Nonlinear Encoding", _both(signal.nonlinear)),
        _row("Precoding", _both(signal.precoding)),
        _row("Shaping", _both(signal.shaping)),
        _row("Preemphasis     (-dB )", _rounded(signal.preemphasis_db)),
        _row("Recv/Xmit Level (-dBm)", _levels(signal)),
        _row("SNR             ( dB )", _number(signal.snr_db)),
        _row("Near Echo       ( dB )", _number(signal.near_echo_loss_db)),
        _row("Far Echo        ( dB )", _number(signal.far_echo_loss_db)),
        _row("Roundtrip Delay (msec)", None if trip is None else f"{trip * 1000 / SAMPLE_RATE:.0f}"),
        _row("Timing Offset   ( ppm)", _number(signal.timing_offset_ppm)),
        _row(
            "Carrier Offset  ( ppm)",
            _number(offset / carrier * 1e6) if offset is not None and carrier else None,
        ),
        _row("Speed Shifts Up/Down", f"{call.shifts_up}/{call.shifts_down}"),
    ]


def response_screen(call: CallRecord) -> list[str] | None:
    """Return the lines of ATY11, or None where the line was not probed."""
    found = dict(call.signal.frequency_response)
    if not found:
        return None
    rows = []
    for frequency in RESPONSE_HZ:
        nearest = min(found, key=lambda hz: abs(hz - frequency))
        level = f"{found[nearest]:z.1f}" if abs(nearest - frequency) <= 75 else "-"
        rows.append(f"{frequency:>4}     {level:>5}")
    return ["Freq     Level", *rows]
