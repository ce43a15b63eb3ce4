"""LAPM: numbered frames, acknowledgements, retransmission (V.42 (03/2002) §8).

How it works. The transmitter is pulled: whenever the line would idle, `next_frame` decides what matters most
at that moment (an unnumbered frame, a supervisory one, a frame the peer asked for again, new data, a bare
acknowledgement), so that N(R) is always fresh and nothing stale queues up. `Departures` and `Arrivals` keep
the sequences of the two directions: counted without wrapping inside, taken modulo 128 at the rim.

::

    send ──► new data ──► frames V(A)..V(S) kept until acknowledged ──► next_frame
    receive_frame ──► in order: data out;  out of order: kept, SREJ (or dropped, REJ)

States are those of §8.3 to §8.8; every frame is handled by one function, `_receive_<kind>`.
"""

from collections import deque
from typing import Protocol

from ansam.errors import RemoteProtocolError
from ansam.link.v42 import xid
from ansam.link.v42.arrivals import Arrivals
from ansam.link.v42.departures import Departures
from ansam.link.v42.events import Counters, Established, LapmEvent, Negotiated, Released, Signal, State
from ansam.link.v42.frame_size import FrameSize
from ansam.link.v42.frames import MODULUS, Frame, FrameError, Kind, decode
from ansam.link.v42.timing import RoundTrip
from ansam.units import SAMPLE_RATE, Samples

RECOMMENDATION = "V.42 (03/2002)"

N400 = 12
"""Retransmissions of one thing before the connection is given up (§9.2.2 leaves it open)."""

T403: Samples = 10 * SAMPLE_RATE
"""Silence after which the peer is asked whether it is still there (§9.2.6)."""

URGENT = 128
"""Frames that wait to go before data; a peer that asks for more on a slow line has to ask again."""


_SENT = {
    State.NEGOTIATING: ("XID", "§8.10.3"),
    State.ESTABLISHING: ("SABME", "§8.3.2.2"),
    State.RELEASING: ("DISC", "§8.7.3"),
}
"""What a state waits to have answered, and what gives it up."""


class Source(Protocol):
    """Where the data of I frames comes from."""

    def take(self, limit: int) -> bytes:
        """Return up to `limit` octets to send now, b"" if there are none."""

    def waiting(self) -> bool:
        """Return whether `take` would return anything."""


class Lapm:
    """One end of an error-corrected connection.

    Args:
        originator: True for the calling modem.
        source: Data for I frames.
        offer: What this end wants, with the initiator's (the originator's) directions.
        round_trip: Estimator of T401.
    """

    def __init__(
        self, originator: bool, source: Source, offer: xid.Parameters, round_trip: RoundTrip
    ) -> None:
        self.state = State.IDLE
        self.counters = Counters()
        self.parameters = xid.Parameters()
        self.round_trip = round_trip
        self._originator = originator
        self._source = source
        self._offer = offer
        self._now: Samples = 0
        self._urgent: deque[Frame] = deque()
        self._events: list[LapmEvent] = []
        self._data: deque[bytes] = deque()
        self._tries = 0
        self._t401: Samples | None = None
        self._t403: Samples | None = None
        self._free: Samples = 0
        """When the frame that is leaving has left."""
        self._poll_ended: Samples | None = None
        self._set_ended: Samples | None = None
        self._size = FrameSize(xid.DEFAULT_N401, round_trip.bit_rate)
        self._returned: bytes | None = None
        self._far_octets = 0
        self._reset()

    def _reset(self) -> None:
        """Set variables and exception conditions as a SABME does (§8.3.2.1)."""
        self._departures = Departures(self.window, self.counters)
        window = self.parameters.k[1 if self._originator else 0]
        self._arrivals = Arrivals(window, self.parameters.srej, self.counters, self._urge)
        self._deaf = False
        self._peer_busy = False
        self._busy = self._discarded = False
        self._recovering = False
        self._poll = False
        self._t401 = self._t403 = None
        self._urgent.clear()

    # -- the control function's requests ---------------------------------------------------------------------

    def negotiate(self, now: Samples) -> None:
        """Send XID; establishment follows (originator)."""
        self._now = now
        self.state = State.NEGOTIATING
        self._tries = 0
        self._send_set(Frame(Kind.XID, True, information=xid.encode(self._offer)))

    def establish(self, now: Samples) -> None:
        """Send SABME (§8.3.2.1)."""
        self._now = now
        self._reset()
        self.state = State.ESTABLISHING
        self._tries = 0
        self._send_set(Frame(Kind.SABME, True, poll=True))

    def release(self, now: Samples) -> None:
        """Send DISC (§8.7.2); `Released` follows."""
        self._now = now
        if self.state in (State.RELEASED, State.RELEASING):
            return
        if self.state is State.IDLE:
            self._released("released before it was established", "§8.7.2", orderly=True)
            return
        self._reset()
        self.state = State.RELEASING
        self._tries = 0
        self._send_set(Frame(Kind.DISC, True, poll=True))

    def restart_data(self, *, deaf: bool) -> None:
        """Forget all data under way in both directions (destructive break: Table 4, note a).

        Args:
            deaf: Ignore numbered frames until `listen`: the peer still counts as before the break.
        """
        urgent = [f for f in self._urgent if f.kind is Kind.UI]
        self._reset()
        self._urgent.extend(urgent)
        self._data.clear()
        self._deaf = deaf

    def listen(self) -> None:
        """The peer has started anew too: its frames count again."""
        self._deaf = False

    def signal(self, information: bytes, *, command: bool) -> None:
        """Send an unnumbered information frame ahead of everything else (§8.6)."""
        self._urge(Frame(Kind.UI, command, information=information))

    def set_busy(self, busy: bool) -> None:
        """Stop or resume the peer (own-receiver busy, §8.4.7)."""
        if busy == self._busy or self.state is not State.CONNECTED:
            return
        self._busy = busy
        if not busy and self._discarded:
            # Frames came in vain: ask for them at once instead of leaving it to the peer's T401.
            self._discarded = False
            self._urge(Frame(Kind.REJ, False, nr=self._arrivals.nr))
            return
        self._urge(self._status(command=False, poll=False))

    @property
    def window(self) -> int:
        """I frames of ours that may be unacknowledged: k (§9.2.4)."""
        return self.parameters.k[0 if self._originator else 1]

    def outstanding(self) -> int:
        """Return the octets in frames that are not acknowledged."""
        return sum(map(len, self._departures.unacknowledged()))

    def take_data(self) -> list[bytes]:
        """Return the information fields received in order since the last call."""
        data = list(self._data)
        self._data.clear()
        return data

    def take_events(self) -> list[LapmEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    # -- sending ---------------------------------------------------------------------------------------------

    def next_frame(self, now: Samples) -> bytes | None:
        """Return the frame that leaves now, or None for a flag."""
        self._now = now
        frame = self._choose()
        if frame is None:
            return None
        if frame.kind in (Kind.I, Kind.RR, Kind.RNR, Kind.REJ):
            self._arrivals.acknowledge = False
        self._free = now + self.round_trip.duration(len(frame.information))
        return frame.encode(self._originator)

    def _urge(self, frame: Frame) -> None:
        if len(self._urgent) < URGENT:
            self._urgent.append(frame)

    def _choose(self) -> Frame | None:
        if self._urgent:
            frame = self._urgent.popleft()
            if frame.kind in (Kind.RR, Kind.RNR, Kind.REJ):
                # Its N(R) may have grown while it waited.
                frame = Frame(frame.kind, frame.command, frame.poll, nr=self._arrivals.nr)
            return frame
        if self.state is not State.CONNECTED:
            return None
        if self._poll:
            self._poll = False
            frame = self._status(command=True, poll=True)
            self._poll_ended = self._now + self.round_trip.duration(0)
            return frame
        if not self._recovering and not self._peer_busy:
            number = self._departures.due()
            if number is None and self._departures.open:
                information = self._source.take(self._size.limit)
                number = self._departures.add(information) if information else None
            if number is not None:
                return self._information(number)
        return self._status(command=False, poll=False) if self._arrivals.acknowledge else None

    def _information(self, number: int) -> Frame:
        information = self._departures.send(number, self._now, self.round_trip)
        if self._t401 is None:
            self._start_t401(len(information))
        return Frame(Kind.I, True, ns=number % MODULUS, nr=self._arrivals.nr, information=information)

    def _status(self, *, command: bool, poll: bool) -> Frame:
        """Return the appropriate supervisory frame (§8.4.6, Note 2)."""
        kind = Kind.RNR if self._busy else Kind.RR
        return Frame(kind, command, poll, nr=self._arrivals.nr)

    def _send_set(self, frame: Frame) -> None:
        self._urge(frame)
        octets = len(frame.information)
        self._set_ended = self._now + self.round_trip.duration(octets)
        self._start_t401(octets)

    def _start_t401(self, octets: int) -> None:
        # What is on the line now has to leave before the far end can answer.
        start = max(self._now, self._free)
        self._t401 = start + self.round_trip.t401(octets, self._far_octets)
        self._t403 = None

    def _stop_t401(self) -> None:
        self._t401 = None
        self._t403 = self._now + T403

    # -- timers ----------------------------------------------------------------------------------------------

    def deadline(self) -> Samples | None:
        """Return when `handle_timer` has something to do, or None."""
        due = [t for t in (self._t401, self._t403) if t is not None]
        return min(due) if due else None

    def suspend(self, samples: Samples) -> None:
        """Push the timers out by the length of a retrain (L-SUSPEND, §7.10.2)."""
        self._t401 = None if self._t401 is None else self._t401 + samples
        self._t403 = None if self._t403 is None else self._t403 + samples
        self._departures.suspend(samples)
        self._arrivals.suspend(samples)

    def handle_timer(self, now: Samples) -> None:
        """Let T401 and T403 act."""
        self._now = now
        if self._t403 is not None and now >= self._t403:
            # §8.12.3.3
            self._t403 = None
            self._enter_recovery()
        elif self._t401 is not None and now >= self._t401:
            self._t401 = None
            self.counters.link_timeouts += 1
            self.round_trip.expired()
            self._t401_expired()

    def _t401_expired(self) -> None:
        if self.state is State.CONNECTED:
            # §8.4.8
            if not self._recovering:
                self._enter_recovery()
            elif self._tries + 1 >= N400:
                self._released(f"retransmit limit: {N400} polls without an answer", "§8.4.8, §9.2.2")
            else:
                self._tries += 1
                self._poll = True
                self._start_t401(0)
            return
        self._tries += 1
        if self._tries > N400:
            what, clause = _SENT[self.state]
            self._released(f"N400: {self._tries} transmissions of {what} unanswered", f"{clause}, §9.2.2")
        elif self.state is State.NEGOTIATING:
            self._send_set(Frame(Kind.XID, True, information=xid.encode(self._offer)))
        elif self.state is State.ESTABLISHING:
            self._send_set(Frame(Kind.SABME, True, poll=True))  # §8.3.2.2
        elif self.state is State.RELEASING:
            self._send_set(Frame(Kind.DISC, True, poll=True))  # §8.7.3

    def _enter_recovery(self) -> None:
        self._recovering = True
        self._tries = 0
        self._poll = True
        self._start_t401(0)

    # -- receiving -------------------------------------------------------------------------------------------

    def receive_frame(self, octets: bytes, now: Samples) -> None:
        """Take a frame whose FCS was good."""
        self._now = now
        try:
            frame = decode(octets, not self._originator)
        except FrameError as error:
            if self.state is State.CONNECTED:
                self._released(f"frame rejection: {error}", "§8.5.5")
            return
        if frame is None:
            return
        if frame.kind in (Kind.I, Kind.RR, Kind.RNR, Kind.REJ, Kind.SREJ):
            if self.state is State.ESTABLISHING:
                self._established()  # §8.3.2.1: the UA was lost
            if self.state is State.CONNECTED and not self._deaf:
                self._receive_numbered(frame)
            return
        handler = {
            Kind.SABME: self._receive_sabme,
            Kind.DISC: self._receive_disc,
            Kind.UA: self._receive_ua,
            Kind.DM: self._receive_dm,
            Kind.FRMR: self._receive_frmr,
            Kind.XID: self._receive_xid,
            Kind.TEST: self._receive_test,
            Kind.UI: self._receive_ui,
        }[frame.kind]
        handler(frame)

    def _receive_sabme(self, frame: Frame) -> None:
        if self.state in (State.RELEASING, State.RELEASED):
            # §8.9.2; §8.3.2.1: what has ended does not begin again.
            self._urge(Frame(Kind.DM, False, frame.poll))
            return
        if self.state is State.CONNECTED and (self._arrivals.expected or self._departures.acknowledged):
            self._released("SABME while connected", "§8.4.9.1")
            return
        # A repeated SABME says that our UA was lost: whatever we sent meanwhile starts anew (Note 3).
        unacknowledged = self._departures.unacknowledged()
        first = self.state is not State.CONNECTED
        self._reset()
        self._departures.renumber(unacknowledged)
        self._urge(Frame(Kind.UA, False, frame.poll))
        self.state = State.CONNECTED
        self._t403 = self._now + T403
        if first:
            self._events.append(Established())

    def _receive_disc(self, frame: Frame) -> None:
        if self.state is State.RELEASING or self.state is State.CONNECTED:
            was = self.state
            self._urgent.clear()
            self._urge(Frame(Kind.UA, False, frame.poll))
            if was is State.CONNECTED:
                self._released("DISC received", "§8.7.2", orderly=True)
        else:
            self._urge(Frame(Kind.DM, False, frame.poll))  # §8.8

    def _receive_ua(self, frame: Frame) -> None:
        if not frame.poll:
            self.counters.violations += 1  # Table 9
        elif self.state is State.ESTABLISHING:
            self._measure_set()
            self._established()
        elif self.state is State.RELEASING:
            self._released("DISC acknowledged", "§8.7.2", orderly=True)
        else:
            self.counters.violations += 1

    def _receive_dm(self, frame: Frame) -> None:
        if self.state is State.ESTABLISHING and frame.poll:
            self._released("the far end refused SABME by DM", "§8.3.2.1")
        elif self.state is State.RELEASING and frame.poll:
            self._released("DISC answered by DM", "§8.7.2", orderly=True)
        elif self.state is State.CONNECTED and (not frame.poll or self._recovering):
            self._released("DM while connected: the far end has lost the connection", "Table 9")

    def _receive_frmr(self, frame: Frame) -> None:
        if self.state is State.CONNECTED:
            self._released(f"FRMR received: {frame.information.hex(' ')}", "§8.5.6")

    def _receive_xid(self, frame: Frame) -> None:
        try:
            values = xid.decode(frame.information)
        except RemoteProtocolError as error:
            self._released(f"XID not understood: {error}", "§8.10")
            return
        if frame.command:
            if self.state is State.CONNECTED:
                # §7.6 allows it at any time; what is in force stays in force.
                chosen = self.parameters.turned() if self._originator else self.parameters
            else:
                # Asked again (our response was lost), the answer is the same.
                chosen = xid.respond(values, self._offer)
                self._set_parameters(chosen)
            self._urge(Frame(Kind.XID, False, information=xid.encode(chosen, response=True)))
            return
        if self.state is not State.NEGOTIATING:
            return
        self._measure_set()
        self._t401 = None
        self._set_parameters(xid.accept(values, self._offer))
        self.establish(self._now)

    def _set_parameters(self, parameters: xid.Parameters) -> None:
        self.parameters = parameters
        self._size = FrameSize(parameters.n401[0 if self._originator else 1], self.round_trip.bit_rate)
        self._events.append(Negotiated(parameters))

    def _receive_test(self, frame: Frame) -> None:
        """Return a loop-back test (§7.8), unless it is the one we returned: two ends would do so for ever."""
        if frame.information == self._returned:
            self._returned = None
            return
        self._returned = frame.information
        self._urge(Frame(Kind.TEST, True, information=frame.information))

    def _receive_ui(self, frame: Frame) -> None:
        self._events.append(Signal(frame.information, frame.command))

    def _receive_numbered(self, frame: Frame) -> None:
        """Handle I and supervisory frames in the connected state."""
        acknowledged = self._departures.count(frame.nr)
        requests_only = frame.kind is Kind.SREJ
        if acknowledged > self._departures.highest:
            self._receive_late(frame)
            return
        if not requests_only:
            self._acknowledged(acknowledged, frame)
        if frame.kind is Kind.I:
            self._receive_i(frame)
            return
        if frame.poll and not frame.command:
            if frame.kind is Kind.SREJ:
                self._released("SREJ with F = 1", "Table 9")
                return
            self._final()
        if frame.kind is Kind.RNR:
            self._peer_busy = True
            if self._t401 is None:
                self._start_t401(0)
        elif frame.kind in (Kind.RR, Kind.REJ):
            self._peer_busy = False
        if frame.kind is Kind.REJ:
            self.counters.link_naks += 1
            self._size.shrink()
            if not self._recovering:
                self._departures.go_back()  # §8.4.4 a
                self._stop_t401()
        elif frame.kind is Kind.SREJ:
            self._receive_srej(acknowledged)
        if frame.command and frame.poll:
            self._urge(self._status(command=False, poll=True))

    def _receive_late(self, frame: Frame) -> None:
        """Take a frame whose N(R) is not one that may come now.

        `Deviation:` §8.5.2 ends the connection. One that was right a moment ago stands in a frame that the
        line delivered twice, or after its successors: it acknowledges nothing, and what it asks is over.
        """
        if self._departures.count(frame.nr) <= self._departures.acknowledged + self.window:
            self._released(f"invalid N(R) {frame.nr}", "§8.5.2")
            return
        self.counters.violations += 1
        if frame.kind is Kind.I:
            self._receive_i(frame)
        elif frame.command and frame.poll:
            self._urge(self._status(command=False, poll=True))

    def _receive_srej(self, number: int) -> None:
        self.counters.link_naks += 1
        self._size.shrink()
        self._peer_busy = False
        self._departures.ask(number)  # §8.4.5.1
        if not self._recovering:
            self._start_t401(self._size.limit)

    def _final(self) -> None:
        """A response with F = 1 ends the timer-recovery condition (§8.4.8)."""
        if not self._recovering:
            self.counters.violations += 1  # Table 9
            return
        self._recovering = False
        self.round_trip.progressed()
        if self._poll_ended is not None and self._tries == 0:
            self.round_trip.measured(max(0, self._now - self._poll_ended))
        self._poll_ended = None
        self._tries = 0
        self._stop_t401()
        if not self._departures.waiting:
            return
        self._size.shrink()
        if self.parameters.srej:
            # The peer keeps what it has and asks for what it lacks; sending all would repeat what arrived.
            self._departures.show_gaps()
        else:
            self._departures.go_back()

    def _acknowledged(self, upto: int, frame: Frame) -> None:
        """Treat N(R) as §8.4.3.2 says."""
        if upto > self._departures.acknowledged:
            done = self._departures.acknowledge(upto)
            if not self._recovering and all(sent.times == 1 for sent in done):
                # A frame that waited behind a lost one, or whose acknowledgement was lost, says nothing
                # about the line.
                self.round_trip.measured(max(0, self._now - done[-1].ended))
            for sent in done:
                if sent.times == 1:
                    self._size.grow()
            if self._recovering:
                return
            self._stop_t401()
            if self._departures.waiting:
                self._start_t401(0)
        elif self._t403 is not None:
            self._t403 = self._now + T403

    def _receive_i(self, frame: Frame) -> None:
        self.counters.blocks_received += 1
        self._far_octets = max(len(frame.information), self._far_octets * 7 // 8)
        if self._busy:
            # §8.4.7: discarded; the answer says so again.
            self._discarded = True
            if frame.poll:
                self._urge(self._status(command=False, poll=True))
            return
        patience = self.round_trip.answer(self._far_octets) + self.round_trip.far_duration(self._far_octets)
        self._data.extend(self._arrivals.receive(frame, self._now, patience))
        if frame.poll:
            self._urge(self._status(command=False, poll=True))  # §8.4.2.1

    # -- state -----------------------------------------------------------------------------------------------

    def _measure_set(self) -> None:
        if self._tries == 0 and self._set_ended is not None:
            self.round_trip.measured(max(0, self._now - self._set_ended))

    def _established(self) -> None:
        self._urgent.clear()
        self._tries = 0
        self._t401 = None
        self._t403 = self._now + T403
        self.state = State.CONNECTED
        self._events.append(Established())

    def _released(self, reason: str, clause: str, *, orderly: bool = False) -> None:
        if self.state is State.RELEASED:
            return
        urgent = [f for f in self._urgent if f.kind in (Kind.UA, Kind.DM)]
        self._reset()
        self._urgent.extend(urgent)
        self.state = State.RELEASED
        self._events.append(Released(reason, orderly, f"{RECOMMENDATION} {clause}"))
