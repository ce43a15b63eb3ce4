"""A serial port over telnet: the access server of RFC 2217 (October 1997).

The client sets rate, format, DTR, RTS and breaks of a port that our modem hangs on, and is told its DCD, RI,
DSR and CTS. Octets cross the connection without parity; where the client sets 7 bits, the port adds the
parity bit towards the modem and takes it off towards the client, as a UART does.
"""

from collections.abc import Callable

from ansam.dte.circuits import Circuits
from ansam.dte.parity import PortParity, with_parity
from ansam.dte.telnet import (
    BINARY,
    BRK,
    COM_PORT,
    SUPPRESS_GO_AHEAD,
    CommandReceived,
    OptionChanged,
    Subnegotiation,
    Telnet,
)
from ansam.dte.wire import BreakSent, BreakSet, DtrSet, Purged, RateSet, RawWire, RtsSet

SIGNATURE = b"ansam"

SERVER = 100
"""What a server adds to the number of the command it answers."""

C_SIGNATURE, C_BAUDRATE, C_DATASIZE, C_PARITY, C_STOPSIZE, C_CONTROL, C_LINESTATE, C_MODEMSTATE = range(8)
C_SUSPEND, C_RESUME, C_LINESTATE_MASK, C_MODEMSTATE_MASK, C_PURGE = range(8, 13)

PARITIES = {
    1: PortParity.NONE,
    2: PortParity.ODD,
    3: PortParity.EVEN,
    4: PortParity.MARK,
    5: PortParity.SPACE,
}

DEFAULT_RATE = 115200

DCD, RI, DSR, CTS = 128, 64, 32, 16
"""Bits of NOTIFY-MODEMSTATE; four bits lower stand their changes, for RI the trailing edge."""

BREAK_DETECTED, EMPTY = 16, 96
"""Bits of NOTIFY-LINESTATE."""

_FLOW, _INBOUND_FLOW = range(1, 4), range(14, 17)
_FLOW_MORE = (17, 19)
"""SET-CONTROL: flow control outbound (both), inbound, and by DCD or DSR."""


class ComPortWire(RawWire):
    """One connection.

    Attributes:
        rate: Bit/s.
        data_bits: 5 to 8.
        parity: Of the characters on the port.
    """

    def __init__(self) -> None:
        super().__init__()
        both = (BINARY, SUPPRESS_GO_AHEAD, COM_PORT)
        self.rate = DEFAULT_RATE
        self.data_bits = 8
        self.parity = PortParity.NONE
        self._telnet = Telnet(ours=both, theirs=both)
        self._stop_bits = 1
        self._flow, self._inbound_flow = 3, 16
        self._break, self._dtr, self._rts = False, True, True
        self._modem_mask, self._line_mask = 255, 0
        self._state = 0

    def connected(self) -> None:
        """See `Wire.connected`."""
        for ours in (True, False):
            for option in (BINARY, SUPPRESS_GO_AHEAD):
                self._telnet.request(option, ours=ours)
        self._telnet.request(COM_PORT, ours=False)
        self._events.append(RateSet(self.rate))

    def receive(self, raw: bytes) -> bytes:
        """See `Wire.receive`."""
        data = self._telnet.receive(raw)
        for event in self._telnet.take_events():
            match event:
                case Subnegotiation(option, command) if option == COM_PORT and command:
                    self._command(command[0], command[1:])
                case OptionChanged(option, _, True) if option == COM_PORT:
                    self._tell(C_MODEMSTATE, self._state & self._modem_mask)
                case CommandReceived(code) if code == BRK:
                    self._events.append(BreakSent())
                case _:
                    pass
        return with_parity(data, self.parity) if self.data_bits == 7 else data

    def encode(self, data: bytes) -> bytes:
        """See `Wire.encode`."""
        return self._telnet.encode(with_parity(data, PortParity.SPACE) if self.data_bits == 7 else data)

    def take_replies(self) -> bytes:
        """See `Wire.take_replies`."""
        return self._telnet.take_replies()

    def show(self, circuits: Circuits) -> None:
        """See `Wire.show`."""
        lines = DCD * circuits.circuit_109 | RI * circuits.circuit_125
        lines |= DSR * circuits.circuit_107 | CTS * circuits.circuit_106
        changed, ringing_ended = lines ^ self._state, self._state & ~lines & RI
        self._state = lines
        delta = (changed & (DCD | DSR | CTS) | ringing_ended) >> 4
        if changed & self._modem_mask and self._knows_ports:
            self._tell(C_MODEMSTATE, (lines | delta) & self._modem_mask)

    def set_rate(self, rate: int) -> None:
        """See `Wire.set_rate`."""
        self.rate = rate
        self._answer(C_BAUDRATE, rate.to_bytes(4, "big"))

    def send_break(self, milliseconds: int) -> None:
        """See `Wire.send_break`."""
        if self._line_mask & BREAK_DETECTED and self._knows_ports:
            self._tell(C_LINESTATE, (BREAK_DETECTED | EMPTY) & self._line_mask)

    # -- commands --------------------------------------------------------------------------------------------

    @property
    def _knows_ports(self) -> bool:
        """The client has agreed to the option, whoever proposed it."""
        return any(self._telnet.performs(COM_PORT, ours=ours) for ours in (True, False))

    def _answer(self, command: int, value: bytes) -> None:
        self._telnet.subnegotiate(COM_PORT, bytes([SERVER + command]) + value)

    def _tell(self, command: int, value: int) -> None:
        self._answer(command, bytes([value]))

    def _command(self, command: int, value: bytes) -> None:
        """Obey one command; a value that is none is answered with what is in force."""
        number = int.from_bytes(value, "big")
        match command:
            case 0 if not value:
                self._answer(C_SIGNATURE, SIGNATURE)
            case 1:
                self._set_rate(number if len(value) == 4 else 0)
            case 2 | 3 | 4:
                self._tell(command, self._set_format(command, number))
            case 5:
                self._tell(C_CONTROL, self._control(number))
            case 7:
                self._tell(C_MODEMSTATE, self._state & self._modem_mask)
            case 8 | 9:
                self.suspended = command == C_SUSPEND
            case 10:
                self._line_mask = number & 255
                self._tell(command, self._line_mask)
            case 11:
                self._modem_mask = number & 255
                self._tell(command, self._modem_mask)
                self._tell(C_MODEMSTATE, self._state & self._modem_mask)
            case 12:
                if number in (1, 2, 3):
                    self._events.append(Purged(to_dte=bool(number & 1), from_dte=bool(number & 2)))
                self._tell(C_PURGE, number & 255)
            case _:
                pass

    def _set_rate(self, rate: int) -> None:
        if rate:
            self.rate = rate
            self._events.append(RateSet(rate))
        self._answer(C_BAUDRATE, self.rate.to_bytes(4, "big"))

    def _set_format(self, command: int, value: int) -> int:
        """Set data bits, parity or stop bits; return what is in force."""
        if command == C_DATASIZE:
            self.data_bits = value if value in range(5, 9) else self.data_bits
            return self.data_bits
        if command == C_PARITY:
            self.parity = PARITIES.get(value, self.parity)
            return next(code for code, parity in PARITIES.items() if parity is self.parity)
        self._stop_bits = value if value in (1, 2, 3) else self._stop_bits
        return self._stop_bits

    def _control(self, value: int) -> int:
        """Obey SET-CONTROL; return what is in force."""
        if value in _FLOW or value in _FLOW_MORE:
            self._flow = value
        elif value in _INBOUND_FLOW or value == 18:
            self._inbound_flow = value
        if value in range(4, 7):
            self._break = self._switch(4, value, self._break, BreakSet)
            return 5 if self._break else 6
        if value in range(7, 10):
            self._dtr = self._switch(7, value, self._dtr, DtrSet)
            return 8 if self._dtr else 9
        if value in range(10, 13):
            self._rts = self._switch(10, value, self._rts, RtsSet)
            return 11 if self._rts else 12
        return self._inbound_flow if value in range(13, 17) or value == 18 else self._flow

    def _switch(
        self, ask: int, value: int, state: bool, event: Callable[[bool], BreakSet | DtrSet | RtsSet]
    ) -> bool:
        """Obey a request: `ask` changes nothing, `ask` + 1 switches on, `ask` + 2 off; return the state."""
        if value == ask:
            return state
        self._events.append(event(value == ask + 1))
        return value == ask + 1
