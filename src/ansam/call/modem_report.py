"""What a modem has to say of a call, gathered for `modem_facts`."""

from typing import Any

from ansam.call.statistics import CallStatistics
from ansam.dce.dce import Dce
from ansam.units import SAMPLE_RATE, Samples

BETWEEN = " > "
"""Stands between the causes of the end of a call."""


def facts_of(dce: Dce, statistics: CallStatistics | None, began: Samples, now: Samples) -> dict[str, Any]:
    """Return what is known of the present call, or of the one that has just ended; see `modem_facts.KEYS`.

    Args:
        dce: The modem.
        statistics: How the packets fared, None on a line that has none.
        began: When the call's talking path began, on the modem's clock: what is older belongs to other calls.
        now: The time on that clock.
    """
    facts: dict[str, Any] = {}
    call = dce.counted()
    if call.began is not None and call.began >= began:
        link = call.link
        facts |= {
            "modulation": call.modulation,
            "rate_tx": call.tx_rate,
            "rate_rx": call.rx_rate,
            "error_control": link.protocol,
            "compression": link.compression,
            "connect_seconds": ((now if call.ended is None else call.ended) - call.began) / SAMPLE_RATE,
            "bytes_sent": call.characters_sent,
            "bytes_received": call.characters_received,
            "retrains": dce.retrains,
            "speed_shifts": call.shifts_up + call.shifts_down,
            "frames_resent": link.blocks_resent,
            "frames_bad": link.blers,
        }
    if dce.causes and dce.causes[-1].at >= began:
        facts["disconnect_reason"] = dce.disconnect_reason
        facts["causes"] = BETWEEN.join(cause.describe() for cause in dce.causes)
    if statistics is not None:
        facts |= {
            "packets": statistics.packets_received,
            "packets_lost": statistics.lost,
            "packets_late": statistics.late,
            "jitter_ms": statistics.jitter_ms,
            "skew_ppm": statistics.skew_ppm,
        }
    return facts
