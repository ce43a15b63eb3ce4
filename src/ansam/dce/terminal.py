"""The terminal's half of the modem: circuits, flow control, parity, and what waits for the terminal.

Sources: Courier command reference (I-modem user's manual, "Controlling EIA-232 Signaling" and "Flow
Control"); 3Com 56K user's guide p. B-7.

`Unclear:` no manual at hand says more of &S2 to &S5 than that DSR is pulsed on loss of carrier (for S24) and
that CTS, or DSR, follows CD. Here &S2 is pulsed DSR with CTS following CD, &S3 pulsed DSR alone, &S4 DSR
together with CD, &S5 normal DSR with CTS following CD.
"""

from dataclasses import dataclass

from ansam.at.registers import Registers
from ansam.at.settings import PortFormat, Settings
from ansam.dte.circuits import Circuits
from ansam.dte.flow import (
    ACK,
    ENQ,
    ByteQueue,
    EnqAck,
    Gate,
    ReceivedDataFlow,
    SentDataFlow,
    original_length,
)
from ansam.dte.parity import ParityDetector, PortParity, with_parity
from ansam.units import SAMPLE_RATE, Samples

TO_DTE_LIMIT = 16384
"""Bytes held for a terminal that does not read; the link is not drained beyond it."""

RING_PERIOD = 6 * SAMPLE_RATE
"""From one RING to the next: 2 s ringing, 4 s silence."""

RINGING_ON = 2 * SAMPLE_RATE

PASS_TO_LINE, KEEP_FROM_LINE, HP_HOST, HP_TERMINAL, LINK_FLOW = 1, 2, 3, 4, 5
"""&I."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What flow control and circuits need to know of the line.

    Attributes:
        carrier: There is a connection.
        training: The modems hear each other, but there is no connection yet.
        error_control: The connection has it (ARQ).
    """

    carrier: bool = False
    training: bool = False
    error_control: bool = False


def link_flow(data: bytes, s: Registers, stopped: bool) -> tuple[bytes, bool]:
    """Take XON (S22) and XOFF (S23) of the far end out of received data (&I5).

    Returns:
        The rest, and whether we may not send now.
    """
    on, off = data.rfind(s.usr(22)), data.rfind(s.usr(23))
    if on != off:
        stopped = off > on
    return data.translate(None, bytes((s.usr(22), s.usr(23)))), stopped


class TerminalSide:
    """Circuits and octets of one modem towards its terminal.

    Args:
        settings: The modem's.

    Attributes:
        connection: As it is now; set by the modem.
        gate: Whether sent data finds room.
        dtr: Circuit 108/2.
        rts: Circuit 105.
        rate: What the terminal's port runs at in bit/s, 0 where it has no speed.
        ringing_since: When the call that rings began to, or None.
        next_ring: When the next RING is due.
    """

    def __init__(self, settings: Settings) -> None:
        self.connection = Connection()
        self.gate = Gate()
        self.dtr = True
        self.rts = True
        self.rate = 0
        self.ringing_since: Samples | None = None
        self.next_ring: Samples = 0
        self._settings = settings
        self._queue = ByteQueue(TO_DTE_LIMIT)
        self._urgent = bytearray()
        self._letters = ParityDetector()
        self._sent_flow = SentDataFlow()
        self._received_flow = ReceivedDataFlow()
        self._enq_ack = EnqAck()
        self._dtr_dropped_at: Samples | None = None
        self._rts_changed_at: Samples = -(1 << 60)
        self._carrier_lost_at: Samples | None = None
        self._usual_rate: int | None = None

    # -- octets for the terminal -----------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Octets that may be put now."""
        return self._queue.room

    @property
    def parity(self) -> PortParity:
        """Of the terminal's characters, as its last command line showed."""
        return self._letters.parity

    def say(self, words: bytes) -> None:
        """Queue what the modem itself says, in the terminal's parity; what exceeds `room` is lost."""
        self._queue.write(with_parity(words, self.parity))

    def put(self, octets: bytes) -> None:
        """Queue received data; what exceeds `room` is lost."""
        self._queue.write(octets)

    def read(self, limit: int | None = None) -> bytes:
        """Return octets for the terminal, at most `limit`: flow control first, then what it may have."""
        xon = self._sent_flow.say(open_=self.gate.open, enabled=self._settings["&H"] >= 2)
        if xon is not None:
            self._urgent += with_parity(bytes([self._settings.s.usr(22 if xon else 23)]), self.parity)
        limit = len(self._urgent) + len(self._queue) if limit is None else limit
        out = bytes(self._urgent[:limit])
        del self._urgent[:limit]
        if self._held():
            return out
        if self._pacing != HP_TERMINAL:
            return out + self._queue.read(limit - len(out))
        return out + self._read_paced(limit - len(out))

    def _read_paced(self, limit: int) -> bytes:
        out = self._queue.read(min(limit, self._enq_ack.allowance))
        self._enq_ack.sent(len(out))
        if len(out) < limit and self._enq_ack.ask():
            out += with_parity(bytes([ENQ]), self.parity)
        return out

    def _held(self) -> bool:
        """Return whether received data waits for circuit 105 or XON."""
        if self._settings["&R"] == 2 and not self.rts:
            return True
        return self._obeys_xoff and self._received_flow.stopped

    # -- octets of the terminal ------------------------------------------------------------------------------

    @property
    def _pacing(self) -> int:
        """Return HP_HOST or HP_TERMINAL where it applies ("use in ARQ mode only"), else 0."""
        mode = self._settings["&I"]
        if mode in (HP_HOST, HP_TERMINAL) and self.connection.carrier and self.connection.error_control:
            return mode
        return 0

    @property
    def _obeys_xoff(self) -> bool:
        mode = self._settings["&I"]
        if mode == LINK_FLOW:
            return self.connection.error_control
        return mode in (PASS_TO_LINE, KEEP_FROM_LINE)

    @property
    def link_flow(self) -> bool:
        """XON and XOFF control the line: &I5 without error control."""
        connection = self.connection
        return self._settings["&I"] == LINK_FLOW and connection.carrier and not connection.error_control

    def commands(self, octets: bytes, *, waiting: bool = False) -> bytes:
        """Take characters that are commands; return them without flow control.

        Args:
            octets: Of the terminal.
            waiting: A command is under way: characters only ask to give it up.
        """
        kept = self._obey(octets, always=True)[0]
        if waiting:
            return kept
        before = self._letters.seen
        self._letters.receive(kept, self._settings.s[3])
        if self._letters.seen != before:
            bits = 8 if self.parity is PortParity.NONE else 7
            self._settings.port = PortFormat(self.rate, bits, self.parity.value)
        return kept

    def data(self, octets: bytes) -> tuple[bytes, bytes]:
        """Return what of the terminal's data is for the line, and which characters were left out of it.

        It may be called again with what did not find room.
        """
        return self._obey(octets, always=False)

    def taken(self, octets: bytes, removed: bytes, kept: int) -> int:
        """Return how much of `octets` stands for `kept` octets sent, and answer the ENQs among them."""
        whole = len(octets) - sum(octets.count(octet) for octet in removed) == kept
        count = len(octets) if whole else original_length(octets, removed, kept)
        if self._pacing == HP_HOST:
            enq, ack = with_parity(bytes([ENQ, ACK]), self.parity)
            self._urgent += bytes([ack]) * octets[:count].count(enq)
        return count

    def _obey(self, octets: bytes, *, always: bool) -> tuple[bytes, bytes]:
        removed = b""
        if self._obeys_xoff:
            s = self._settings.s
            found = self._received_flow.listen(octets, s.usr(22), s.usr(23), self.parity)
            removed = found if always or self._settings["&I"] != PASS_TO_LINE else b""
        if self._pacing and not always:
            enq, ack = with_parity(bytes([ENQ, ACK]), self.parity)
            removed = bytes([enq if self._pacing == HP_HOST else ack])
            if self._pacing == HP_TERMINAL and ack in octets:
                self._enq_ack.answered()
        return (octets.translate(None, removed) if removed else octets), removed

    # -- circuits --------------------------------------------------------------------------------------------

    def connect(self, connection: Connection, now: Samples) -> None:
        """The line is in another state."""
        if self.connection.carrier and not connection.carrier:
            self._carrier_lost_at = now
        if connection.carrier and not self.connection.carrier:
            self._enq_ack.reset()
        self.connection = connection
        self.gate.reset()

    def circuits(self, now: Samples) -> Circuits:
        """Return the circuits towards the terminal."""
        carrier = self.connection.carrier
        ringing = self.ringing_since is not None and (now - self.ringing_since) % RING_PERIOD < RINGING_ON
        return Circuits(
            circuit_106=self._circuit_106(now),
            circuit_107=self._circuit_107(now),
            circuit_109=carrier or self._settings["&C"] == 0,
            circuit_125=ringing,
        )

    def _circuit_106(self, now: Samples) -> bool:
        s = self._settings
        if s["&S"] in (2, 5) and not self.connection.carrier:
            return False
        if s["&R"] == 0 and self._circuit_105(now) is False:
            return False
        return self.gate.open or s["&H"] not in (1, 3)

    def _circuit_105(self, now: Samples) -> bool:
        """Return RTS as it was S26 hundredths of a second ago."""
        delay = self._settings.s.usr(26) * SAMPLE_RATE // 100
        return self.rts if now >= self._rts_changed_at + delay else not self.rts

    def _circuit_107(self, now: Samples) -> bool:
        mode, connection = self._settings["&S"], self.connection
        if mode == 1:
            return connection.carrier or connection.training
        if mode in (2, 3):
            end = self._pulse_end()
            return end is None or now >= end
        return connection.carrier if mode == 4 else True

    def _pulse_end(self) -> Samples | None:
        """Return when the pulse of DSR on loss of carrier ends (S24, in 20 ms)."""
        if self._carrier_lost_at is None:
            return None
        return self._carrier_lost_at + self._settings.s.usr(24) * SAMPLE_RATE // 50

    def next_edge(self, now: Samples) -> Samples | None:
        """Return when a circuit changes by itself after `now`, or None."""
        edges = [self._rts_changed_at + self._settings.s.usr(26) * SAMPLE_RATE // 100]
        if (end := self._pulse_end()) is not None:
            edges.append(end)
        if self.ringing_since is not None:
            begin = self.ringing_since + (now - self.ringing_since) // RING_PERIOD * RING_PERIOD
            edges.append(begin + RINGING_ON)
        return min((edge for edge in edges if edge > now), default=None)

    def set_rts(self, on: bool, now: Samples) -> None:
        """Follow circuit 105."""
        if on != self.rts:
            self.rts = on
            self._rts_changed_at = now

    # -- the port's rate -------------------------------------------------------------------------------------

    def follow_line(self, rate: int, *, answering: bool) -> bool:
        """A connection begins: let the port run at the line's rate, &B0 always, &B2 answering without ARQ.

        Returns:
            It does so; a port without a speed does not.
        """
        mode = self._settings["&B"]
        alone = mode == 2 and answering and not self.connection.error_control
        if not self.rate or not (mode == 0 or alone):
            return False
        self._usual_rate, self.rate = self.rate, rate
        return True

    def leave_line(self) -> bool:
        """The connection is over: give the port its rate back; return whether that is another one."""
        if self._usual_rate is None:
            return False
        self.rate, self._usual_rate = self._usual_rate, None
        return True

    # -- DTR -------------------------------------------------------------------------------------------------

    def set_dtr(self, on: bool, now: Samples) -> bool:
        """Follow circuit 108/2; return whether it changed."""
        # Whoever comes next has not said XOFF.
        self._received_flow.stopped = False
        if on == self.dtr:
            return False
        self.dtr = on
        self._dtr_dropped_at = None if on else now
        return True

    @property
    def may_answer(self) -> bool:
        """S0 may answer, S13 dial: a terminal with DTR OFF is not there (unless &D0 says to ignore it)."""
        return self.dtr or self._settings["&D"] == 0

    @property
    def deaf(self) -> bool:
        """Commands are not taken: DTR is OFF (for S25 at least), which this make minds under &D2 and &D3.

        Courier V.34 manual p. B-7: the "computer must provide DTR signal for modem to accept commands".
        """
        dropped = not self.dtr and self._dtr_dropped_at is None
        return dropped and self._settings.personality.needs_dtr and self._settings["&D"] >= 2

    def dtr_due(self) -> Samples | None:
        """Return when a drop of DTR counts (S25), or None."""
        if self._dtr_dropped_at is None:
            return None
        return self._dtr_dropped_at + self._settings.s[25] * SAMPLE_RATE // 100

    def dtr_dropped(self, now: Samples) -> bool:
        """Return True once, when a drop of DTR has lasted long enough."""
        due = self.dtr_due()
        if due is None or now < due:
            return False
        self._dtr_dropped_at = None
        return True

    # -- ringing ---------------------------------------------------------------------------------------------

    def begin_ringing(self, now: Samples) -> None:
        """A call rings from now on."""
        self.ringing_since = self.next_ring = now

    def stop_ringing(self) -> None:
        """It rings no more."""
        self.ringing_since = None
