"""Counters of a call's media, for those who only read them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallStatistics:
    """How a call's media fared; frames and packets are counts, times are milliseconds.

    Attributes:
        frames: Ticks so far.
        packets_sent: Packets sent.
        packets_received: Packets of the far end that were taken.
        lost: Packets that never came.
        recovered: Those of them whose samples came with a later packet (RFC 2198).
        late: Packets that came after their turn.
        duplicates: Packets that came twice.
        refused: Packets of a wrong source, SSRC, payload type or size, and what was not RTP.
        erased_frames: Frames played with erased samples.
        resyncs: Slips.
        jitter_ms: Interarrival jitter (RFC 3550 §6.4.1).
        margin_ms: From the last packet's arrival to its turn.
        delay_ms: Playout delay.
        delay_changes: Times it was made longer or shorter.
        skew_ppm: Far end's clock against ours.
        round_trip_ms: To the far end and back over the network, by its reports (RTCP); None: it sent none.
        far_lost: Packets of ours that did not reach it; None likewise.
        far_jitter_ms: Of our packets there; None likewise.
        findings: What meddled with the received audio, the worst first (`path.Finding.as_dict`).
    """

    frames: int
    packets_sent: int
    packets_received: int
    lost: int
    late: int
    duplicates: int
    refused: int
    erased_frames: int
    resyncs: int
    jitter_ms: float
    margin_ms: float
    skew_ppm: float
    recovered: int = 0
    round_trip_ms: float | None = None
    far_lost: int | None = None
    far_jitter_ms: float | None = None
    delay_ms: float = 0.0
    delay_changes: int = 0
    findings: tuple[dict[str, object], ...] = ()
