"""The error-corrected link: detection, negotiation, LAPM and compression behind the `Link` interface.

::

    start ─► detection ─► XID ─► SABME ─► data ─► DISC
                │ no V.42, or nobody answers
                └─► V.14 (&M4), or down (&M5)

Whatever arrives before it is certain that the far end has V.42 is kept and handed to V.14 if it has not: a
login that prompts the moment the carrier is there loses nothing (§7.2: "potential disruption to the called
DTE").
"""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from ansam.errors import RemoteProtocolError
from ansam.link import hdlc
from ansam.link.base import BreakReceived, LinkDown, LinkEvent, LinkStatistics, LinkUp, NoErrorControl
from ansam.link.v14 import CharacterFormat, StartStop
from ansam.link.v42 import xid
from ansam.link.v42.compression import Decoder, Identity, Outgoing, codecs, describe
from ansam.link.v42.detection import T400, Detection, Verdict
from ansam.link.v42.events import Counters, Established, Negotiated, Released, Signal
from ansam.link.v42.lapm import RECOMMENDATION, Lapm
from ansam.link.v42.timing import FIRST_GUESS, RoundTrip
from ansam.link.v44 import Proposal
from ansam.trace import Sink, awake, null_sink
from ansam.units import Bits, Samples

SEND_LIMIT = 4096
"""Bytes of the terminal queued for compression."""

RECEIVE_LIMIT = 16384
"""Bytes held for the terminal; above half of it the far end is stopped (RNR)."""

KEPT_BITS = 1 << 16
"""Bits kept during detection for V.14."""

OPENING_FLAGS = 16
"""§8.3.2.1, Note 2."""

WINDOW = 63
"""k to offer. It has to fill the line for a round trip even when frames have shrunk; 64 and more would make
selective retransmission ambiguous (modulus 128). A far end that wants less says so."""

LONGEST_FRAME = 1024
"""Octets of a frame we accept, address to FCS."""

SOURCE = "link.v42"
"""Who speaks in the trace."""

STEPS = {
    "ODP": "§7.2.1.2",
    "ADP received": "§7.2.1.2",
    "waiting for ODP": "§7.2.1.3",
    "ODP received": "§7.2.1.3",
    "ADP": "§7.2.1.3",
    "XID": "§8.10.3",
    "XID received": "§8.10.3",
    "SABME": "§8.3.2.1",
    "DISC": "§8.7.2",
}
"""What is told to the trace, and where it stands."""

_BRK, _BRKACK, _SEQUENCE = 0x40, 0x60, 0x80


class BreakHandling(Enum):
    """&Y: what a break does to data (Table 4); value = "DS" bits of Figure 12."""

    DESTRUCTIVE_EXPEDITED = 0xC0
    NON_DESTRUCTIVE_EXPEDITED = 0x40
    NON_DESTRUCTIVE_NON_EXPEDITED = 0x00


@dataclass(frozen=True, slots=True)
class V42Options:
    """What the settings ask of error control.

    Attributes:
        required: &M5: hang up where there is none.
        detection: Send and look for the detection patterns; False goes straight to the protocol.
        v42bis: Directions of V.42bis to offer: bit 0 originator to answerer, bit 1 back; 0 for none.
        codewords: P1 to offer.
        string_length: P2 to offer.
        v44: What to propose of V.44, None for no V.44; its transmit direction is ours.
        n401: Longest information field to offer, octets.
        srej: Offer selective retransmission.
        fcs32: Ask for the 32-bit check sequence.
        break_handling: What our breaks do.
        round_trip: Round trip of the line where it is known, samples.
        character: Characters on the line where there is no error control.
        start_stop: The line has start-stop timing of its own (V.21).
    """

    required: bool = False
    detection: bool = True
    v42bis: int = 3
    codewords: int = 2048
    string_length: int = 32
    v44: Proposal | None = None
    n401: int = 512
    srej: bool = True
    fcs32: bool = False
    break_handling: BreakHandling = BreakHandling.DESTRUCTIVE_EXPEDITED
    round_trip: Samples | None = None
    character: CharacterFormat = field(default_factory=CharacterFormat)
    start_stop: bool = False


class _Phase(Enum):
    DETECTING = "detection"
    LAPM = "LAPM"
    V14 = "V.14"
    DOWN = "down"


def offer(options: V42Options) -> xid.Parameters:
    """Return what to propose."""
    v42bis = xid.Compression(options.v42bis, options.codewords, options.string_length)
    return xid.Parameters(
        n401=(options.n401, options.n401),
        k=(WINDOW, WINDOW),
        srej=options.srej,
        test=True,
        fcs32=options.fcs32,
        v42bis=v42bis if options.v42bis else None,
        v44=options.v44,
    )


class V42Link:
    """A `Link` that corrects errors where the far end can, and falls back to V.14 where it can not.

    Args:
        originator: True for the calling modem.
        options: What the settings ask for.
        bit_rate: Of the line we send on, bit/s.
        trace: Told every frame, while somebody looks.
    """

    def __init__(self, originator: bool, options: V42Options, bit_rate: int, trace: Sink = null_sink) -> None:
        self._trace = trace
        self._originator = originator
        self._options = options
        self._phase = _Phase.DETECTING
        self._now: Samples = 0
        self._detection = self._new_detection()
        self._kept: list[Bits] = []
        self._kept_count = 0
        self._outgoing = Outgoing(SEND_LIMIT)
        self._decoder: Decoder = Identity()
        self._compression = ""
        self._lapm = Lapm(originator, self._outgoing, offer(options), RoundTrip(bit_rate, options.round_trip))
        self._transmitter = hdlc.Transmitter(self._next_frame)
        self._receiver = hdlc.Receiver(LONGEST_FRAME)
        self._receiver.fcs32 = True
        self._prefix = np.zeros(0, np.uint8)
        self._v14 = StartStop(options.character, start_stop=options.start_stop)
        self._v14.set_rate(bit_rate)
        self._received = bytearray()
        self._events: list[LinkEvent] = []
        self._vsb = self._vrb = 0
        self._break: bytes | None = None
        self._break_due: Samples | None = None
        self._break_tries = 0
        self._said = False

    def _new_detection(self) -> Detection:
        known = self._options.round_trip
        return Detection(self._originator, T400 + (FIRST_GUESS if known is None else known))

    @property
    def counters(self) -> Counters:
        """What ATI6 shows."""
        return self._lapm.counters

    @property
    def parameters(self) -> xid.Parameters:
        """What is in force."""
        return self._lapm.parameters

    # -- Link ------------------------------------------------------------------------------------------------

    def start(self, now: Samples) -> None:
        """The modulation is ready: begin."""
        self._now = now
        if self._options.detection:
            self._detection.start(now)
            self._tell("ODP" if self._originator else "waiting for ODP")
        else:
            self._detection.verdict = Verdict.V42
            self._detected()

    def _tell(self, *steps: str) -> None:
        for step in steps:
            self._trace(self._now, SOURCE, "step", step=step, clause=f"{RECOMMENDATION} {STEPS[step]}")

    def room(self) -> int:
        """Return how many bytes `send` would take now."""
        return self._v14.room() if self._phase is _Phase.V14 else self._outgoing.room

    def send(self, data: bytes) -> int:
        """Queue bytes for the far end; return how many were taken."""
        if self._phase is _Phase.V14:
            return self._v14.send(data)
        if self._break is not None:
            return 0  # Table 4: data waits for the acknowledgement of a break
        return self._outgoing.send(data)

    def pending(self) -> int:
        """Return octets queued or unacknowledged."""
        if self._phase is _Phase.V14:
            return self._v14.pending()
        return len(self._outgoing) + self._lapm.outstanding()

    def pull(self, count: int) -> Bits:
        """Return exactly `count` bits to send."""
        if self._phase is _Phase.V14:
            return self._v14.pull(count)
        if self._phase is _Phase.DETECTING:
            return self._detection.pull(count)
        if len(self._prefix) >= count:
            bits, self._prefix = self._prefix[:count], self._prefix[count:]
            return bits
        bits = np.concatenate((self._prefix, self._transmitter.pull(count - len(self._prefix))))
        self._prefix = self._prefix[:0]
        return bits

    def _next_frame(self) -> bytes | None:
        octets = self._lapm.next_frame(self._now)
        if octets is not None and awake(self._trace):
            self._trace(self._now, SOURCE, "frame", octets=octets, sent=True, originator=self._originator)
        return octets

    def receive_bits(self, bits: Bits, now: Samples) -> None:
        """Take received bits, in order, cut anywhere."""
        self._now = now
        if self._phase is _Phase.V14:
            self._v14.receive_bits(bits, now)
            return
        if self._phase is _Phase.DOWN:
            return
        if self._phase is _Phase.DETECTING:
            self._keep(bits)
            observed = self._detection.observed
            self._detection.receive_bits(bits, now)
            if self._detection.observed and not observed:
                self._tell("ODP received", "ADP")
        for frame in self._receiver.receive(bits):
            if self._phase is _Phase.DETECTING:
                self._detection.protocol_seen()
                self._detected()
            if awake(self._trace):
                self._trace(now, SOURCE, "frame", octets=frame, sent=False, originator=self._originator)
            self._lapm.receive_frame(frame, now)
            self._after_lapm()
        if (
            self._phase is _Phase.DETECTING
            and not self._originator
            and self._receiver.flags >= OPENING_FLAGS // 2
        ):
            self._detection.protocol_seen()
        self._look_at_detection()

    def handle_timer(self, now: Samples) -> None:
        """Let timers act; calling early is harmless."""
        self._now = now
        if self._phase is _Phase.DETECTING:
            self._detection.handle_timer(now)
            self._look_at_detection()
        elif self._phase is _Phase.LAPM:
            self._lapm.handle_timer(now)
            if self._break_due is not None and now >= self._break_due:
                self._repeat_break()
            self._after_lapm()

    def deadline(self) -> Samples | None:
        """Return when `handle_timer` wants to be called, or None."""
        if self._phase is _Phase.DETECTING:
            return self._detection.deadline()
        if self._phase is not _Phase.LAPM:
            return None
        due = [t for t in (self._lapm.deadline(), self._break_due) if t is not None]
        return min(due) if due else None

    def suspend(self, samples: Samples) -> None:
        """Stop the clocks for a retrain of this length (L-SUSPEND, §7.10)."""
        self._now += samples
        if self._phase is _Phase.DETECTING:
            # What was sent and heard before the retrain is worth nothing: begin again.
            self._detection = self._new_detection()
            self._detection.start(self._now)
            self._kept.clear()
            self._kept_count = 0
        self._lapm.suspend(samples)

    def set_rate(self, rate: int, far_rate: int = 0) -> None:
        """Follow the line rates, in bit/s: ours, and the far end's where it is another one (0: the same)."""
        self._lapm.round_trip.bit_rate = rate
        self._lapm.round_trip.far_bit_rate = far_rate or rate
        self._v14.set_rate(rate)

    def take_data(self, limit: int | None = None) -> bytes:
        """Return bytes that arrived, in order, at most `limit`."""
        if self._phase is _Phase.V14:
            return self._v14.take_data(limit)
        data = bytes(self._received[:limit])
        del self._received[:limit]
        self._flow()
        return data

    def take_events(self) -> list[LinkEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events + self._v14.take_events(), []
        return events

    def statistics(self) -> LinkStatistics:
        """Return what was counted since the start."""
        if self._phase is _Phase.V14:
            return self._v14.statistics()
        c, parameters = self._lapm.counters, self._lapm.parameters
        return LinkStatistics(
            octets_sent=c.octets_sent,
            octets_received=c.octets_received,
            blocks_sent=c.blocks_sent,
            blocks_received=c.blocks_received,
            blocks_resent=c.blocks_resent,
            blers=self._receiver.bad_frames,
            link_timeouts=c.link_timeouts,
            link_naks=c.link_naks,
            compression=describe(parameters),
            protocol="LAPM/SREJ" if parameters.srej else "LAPM",
        )

    def disconnect(self, now: Samples) -> None:
        """Send DISC; `LinkDown` follows."""
        self._now = now
        if self._phase is _Phase.LAPM:
            self._tell("DISC")
            self._lapm.release(now)
            self._after_lapm()
        else:
            self._down("disconnected")

    # -- phases ----------------------------------------------------------------------------------------------

    def _keep(self, bits: Bits) -> None:
        if self._kept_count < KEPT_BITS:
            self._kept.append(bits.copy())
            self._kept_count += len(bits)

    def _look_at_detection(self) -> None:
        if self._phase is _Phase.DETECTING and self._detection.verdict is not None:
            self._detected()

    def _detected(self) -> None:
        verdict = self._detection.verdict
        if verdict is not Verdict.V42:
            self._fall_back(*self._why_none(verdict))
            return
        # An answer may follow at once: without a flag of its own it would have none behind the last ADP.
        flags = OPENING_FLAGS if self._originator else 1
        self._prefix = np.concatenate((self._detection.drain(), hdlc.FLAGS[: flags * len(hdlc.FLAG)]))
        self._kept.clear()
        self._phase = _Phase.LAPM
        if self._originator:
            self._tell(*(("ADP received",) if self._options.detection else ()), "XID")
            if self._options.detection and self._options.round_trip is None:
                trip = self._lapm.round_trip
                trip.guess(self._detection.round_trip(self._now, trip.bit_rate))
            self._lapm.negotiate(self._now)

    def _why_none(self, verdict: Verdict | None) -> tuple[str, str]:
        """Return why there is no error control, and the clause."""
        if verdict is Verdict.REFUSED:
            return Verdict.REFUSED.value, f"{RECOMMENDATION} §7.2.1.3, Table 3"
        if self._originator:
            return f"{Verdict.NONE.value}: no ADP came in answer to ODP", f"{RECOMMENDATION} §7.2.1.2, T400"
        return f"{Verdict.NONE.value}: no ODP came from it", f"{RECOMMENDATION} §7.2.1.3, T400"

    def _fall_back(self, reason: str, clause: str) -> None:
        """No error control: V.14 takes over, and gets what was heard so far (§7.9)."""
        if self._options.required:
            self._down(f"error control required (&M5), but {reason}", clause)
            return
        self._events.append(NoErrorControl(reason, clause))
        self._phase = _Phase.V14
        # A pattern under way is finished first (§7.2.1.2); V.14 begins with marks.
        self._v14.put_bits(self._detection.drain())
        self._v14.start(self._now)
        for bits in self._kept:
            self._v14.receive_bits(bits, self._now)
        self._kept.clear()

    def _down(self, reason: str, clause: str = "") -> None:
        self._phase = _Phase.DOWN
        self._ended(reason, clause)

    def _ended(self, reason: str, clause: str = "") -> None:
        """Say so once: what ended it first is the reason."""
        if not self._said:
            self._said = True
            self._events.append(LinkDown(reason, clause))

    # -- LAPM ------------------------------------------------------------------------------------------------

    def _after_lapm(self) -> None:
        for event in self._lapm.take_events():
            match event:
                case Negotiated(parameters):
                    self._tell("XID received", *(("SABME",) if self._originator else ()))
                    self._outgoing.encoder, self._decoder, self._compression = codecs(
                        parameters, originator=self._originator
                    )
                case Established():
                    self._established()
                case Released(reason, _, clause):
                    self._ended(reason, clause)
                case Signal(information, command):
                    self._signal(information, command)
        self._receive_data()

    def _established(self) -> None:
        self._transmitter.fcs32 = self._lapm.parameters.fcs32
        self._receiver.fcs32 = self._lapm.parameters.fcs32
        self._receiver.fcs16 = not self._receiver.fcs32
        self._events.append(LinkUp("LAPM", self._compression))

    def _receive_data(self) -> None:
        for information in self._lapm.take_data():
            try:
                self._received += self._decoder.decode(information, limit=RECEIVE_LIMIT * 8)
            except RemoteProtocolError as error:
                self._lapm.release(self._now)
                self._ended(str(error))
                return
        self._flow()

    def _flow(self) -> None:
        if len(self._received) > RECEIVE_LIMIT // 2:
            self._lapm.set_busy(True)
        elif len(self._received) < RECEIVE_LIMIT // 4:
            self._lapm.set_busy(False)

    # -- breaks (§8.13) --------------------------------------------------------------------------------------

    @staticmethod
    def _destroys(information: bytes) -> bool:
        return len(information) > 1 and bool(information[1] & 0x80)

    def send_break(self, milliseconds: int, now: Samples) -> None:
        """Send a break of about this length; what it does to data is set by `break_handling`."""
        self._now = now
        if self._phase is _Phase.V14:
            self._v14.send_break(milliseconds, now)
            return
        if self._phase is not _Phase.LAPM or self._break is not None:
            return  # §7.4: a break while one is under way is discarded
        handling = self._options.break_handling
        length = min(255, max(1, milliseconds // 10))
        self._break = bytes((self._vsb << 7 | _BRK, handling.value, length))
        if handling is BreakHandling.DESTRUCTIVE_EXPEDITED:
            self._discard_all(deaf=True)
        self._break_tries = 0
        self._send_brk()

    def _send_brk(self) -> None:
        assert self._break is not None
        self._lapm.signal(self._break, command=True)
        self._break_due = self._now + self._lapm.round_trip.t401(3, self._lapm.parameters.n401[0])

    def _repeat_break(self) -> None:
        self._break_tries += 1
        if self._break_tries > 8:
            self._break_over()  # §8.13.3.4: given up
            return
        self._send_brk()

    def _break_over(self) -> None:
        self._break, self._break_due = None, None
        self._lapm.listen()

    def _signal(self, information: bytes, command: bool) -> None:
        message = information[0] & ~_SEQUENCE if information else 0
        number = information[0] >> 7 if information else 0
        if command and message == _BRK:
            self._receive_brk(information, number)
        elif not command and message == _BRKACK and self._break is not None and number == self._vsb ^ 1:
            self._vsb ^= 1
            self._break_over()

    def _receive_brk(self, information: bytes, number: int) -> None:
        if number == self._vrb:
            self._vrb ^= 1
            if self._destroys(information):
                self._discard_all(deaf=False)
                self._received.clear()
            length = information[2] if len(information) > 2 else 0
            self._events.append(BreakReceived(10 * length))
        self._lapm.signal(bytes((self._vrb << 7 | _BRKACK,)), command=False)

    def _discard_all(self, *, deaf: bool) -> None:
        """Start data and state variables anew, the compression with them (Table 4, note a)."""
        self._lapm.restart_data(deaf=deaf)
        self._outgoing.clear()
        self._decoder.initialise()
