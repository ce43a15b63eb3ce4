"""What the packets of an examined call told, beside their audio."""

from dataclasses import dataclass

from ansam.call.statistics import CallStatistics


@dataclass(frozen=True, slots=True)
class Media:
    """Figures of the way towards us; None where nobody knows.

    Attributes:
        lost: Share of packets that never came.
        late: Share that came after their turn.
        resyncs: Times the playout had to begin anew.
        refused: Packets that were no audio of this call: comfort noise, events, fax signals, strangers.
        jitter_ms: Interarrival jitter (RFC 3550 §6.4.1).
        skew_ppm: Far end's packet clock against ours.
        playout_ms: Our fixed playout delay.
        lost_there: Share of our packets that did not reach the far end, by its reports (RTCP).
        network_ms: Round trip of the network alone, by its reports.
        late_ms: How late this machine ran a frame at worst.
        noticed: What signalling did: sentences.
    """

    lost: float
    late: float
    resyncs: int = 0
    refused: int = 0
    jitter_ms: float | None = None
    skew_ppm: float | None = None
    playout_ms: float = 60.0
    lost_there: float | None = None
    network_ms: float | None = None
    late_ms: float = 0.0
    noticed: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        statistics: CallStatistics,
        playout_ms: float,
        late_ms: float = 0.0,
        noticed: tuple[str, ...] = (),
    ) -> "Media":
        """Return the figures of a call over RTP."""
        due = max(statistics.packets_received + statistics.lost, 1)
        lost_there = None
        if statistics.far_lost is not None:
            lost_there = max(statistics.far_lost, 0) / max(statistics.packets_sent, 1)
        return cls(
            lost=statistics.lost / due,
            late=statistics.late / due,
            resyncs=statistics.resyncs,
            refused=statistics.refused,
            jitter_ms=statistics.jitter_ms,
            skew_ppm=statistics.skew_ppm,
            playout_ms=playout_ms,
            lost_there=lost_there,
            network_ms=statistics.round_trip_ms,
            late_ms=late_ms,
            noticed=noticed,
        )
