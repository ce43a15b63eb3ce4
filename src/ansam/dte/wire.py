"""What a port's connection carries besides data: codecs that know no sockets.

::

    connection ──► receive ──► data        take_events  ──► DTR, RTS, rate, break, purge of the terminal
               ◄── encode  ◄── data        show, set_rate, send_break  ◄── the modem's side
               ◄── take_replies            (send them before the data)

A wire is made anew for every connection; `connected` says that it is there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ansam.dte.autobaud import RATES, RateFinder
from ansam.dte.circuits import Circuits

BREAK_MS = 250
"""Length of a break of which only the beginning is told."""


@dataclass(frozen=True, slots=True)
class DtrSet:
    """The terminal set circuit 108/2."""

    on: bool


@dataclass(frozen=True, slots=True)
class RtsSet:
    """The terminal set circuit 105."""

    on: bool


@dataclass(frozen=True, slots=True)
class RateSet:
    """The terminal set the port's rate in bit/s."""

    rate: int


@dataclass(frozen=True, slots=True)
class BreakSet:
    """The terminal began (or ended) a break."""

    on: bool


@dataclass(frozen=True, slots=True)
class BreakSent:
    """The terminal sent a break of this length."""

    milliseconds: int = BREAK_MS


@dataclass(frozen=True, slots=True)
class Purged:
    """The terminal wants what waits in the port forgotten.

    Attributes:
        to_dte: Data for the terminal.
        from_dte: Data of the terminal.
    """

    to_dte: bool
    from_dte: bool


WireEvent = DtrSet | RtsSet | RateSet | BreakSet | BreakSent | Purged


class Wire(Protocol):
    """The codec of one connection.

    Attributes:
        suspended: The terminal wants no data for now.
    """

    suspended: bool

    def connected(self) -> None:
        """The connection is there: say what there is to say."""

    def receive(self, raw: bytes) -> bytes:
        """Take octets of the connection, cut anywhere; return the terminal's data."""

    def encode(self, data: bytes) -> bytes:
        """Return data for the terminal as it crosses the connection."""

    def take_replies(self) -> bytes:
        """Return what else is to be sent."""

    def take_events(self) -> list[WireEvent]:
        """Return the events since the last call, in order."""

    def show(self, circuits: Circuits) -> None:
        """Tell the modem's circuits, where that is possible."""

    def set_rate(self, rate: int) -> None:
        """The port goes on at this rate."""

    def send_break(self, milliseconds: int) -> None:
        """Hand the terminal a break."""


class RawWire(Wire):
    """Nothing but data, and the base of wires that carry more."""

    def __init__(self) -> None:
        self.suspended = False
        self._replies = bytearray()
        self._events: list[WireEvent] = []

    def connected(self) -> None:
        """See `Wire.connected`."""

    def receive(self, raw: bytes) -> bytes:
        """See `Wire.receive`."""
        return raw

    def encode(self, data: bytes) -> bytes:
        """See `Wire.encode`."""
        return data

    def take_replies(self) -> bytes:
        """See `Wire.take_replies`."""
        replies = bytes(self._replies)
        self._replies.clear()
        return replies

    def take_events(self) -> list[WireEvent]:
        """See `Wire.take_events`."""
        events, self._events = self._events, []
        return events

    def show(self, circuits: Circuits) -> None:
        """See `Wire.show`."""

    def set_rate(self, rate: int) -> None:
        """See `Wire.set_rate`."""

    def send_break(self, milliseconds: int) -> None:
        """See `Wire.send_break`."""


class Ip232Wire(RawWire):
    r"""The protocol of tcpser that VICE and openMSX speak: octet 255 announces control lines.

    255 255 is the octet 255; from the terminal, 255 n is DTR in bit 0; to it, DCD in bit 0 and RI in bit 1.
    `Deviation:` a terminal that never tells counts as one with DTR ON: VICE tells when it changes only.
    """

    DTR, DCD, RI = 1, 1, 2

    def __init__(self) -> None:
        super().__init__()
        self._escaped = False
        self._told: int | None = None

    def receive(self, raw: bytes) -> bytes:
        """See `Wire.receive`."""
        out = bytearray()
        for index, piece in enumerate(raw.split(b"\xff")):
            # Each piece but the first follows an octet 255.
            if index:
                self._escaped = not self._escaped
                if not self._escaped:
                    out += b"\xff"
            if piece and self._escaped:
                self._escaped = False
                self._events.append(DtrSet(bool(piece[0] & self.DTR)))
                piece = piece[1:]
            out += piece
        return bytes(out)

    def encode(self, data: bytes) -> bytes:
        """See `Wire.encode`."""
        return data.replace(b"\xff", b"\xff\xff")

    def show(self, circuits: Circuits) -> None:
        """See `Wire.show`."""
        lines = self.DCD * circuits.circuit_109 | self.RI * circuits.circuit_125
        if lines != self._told:
            self._told = lines
            self._replies += bytes((0xFF, lines))


class MarkedWire(RawWire):
    """What a serial driver makes of a line with PARMRK set: 255 0 0 is a break, 255 255 the octet 255.

    255 0 n is octet n with an error of framing or parity; it counts as it came.
    """

    def __init__(self) -> None:
        super().__init__()
        self._mark = 0

    def receive(self, raw: bytes) -> bytes:
        """See `Wire.receive`."""
        if not self._mark and b"\xff" not in raw:
            return raw
        return bytes(octet for octet, wrong in self._marked(raw) if self._counts(octet, wrong))

    def _marked(self, raw: bytes) -> Iterator[tuple[int, bool]]:
        """Yield octets, and whether there was an error."""
        for octet in raw:
            if self._mark == 0:
                if octet == 0xFF:
                    self._mark = 1
                else:
                    yield octet, False
            elif self._mark == 1:
                self._mark = 2 if octet == 0 else 0
                if octet:
                    yield octet, False
            else:
                self._mark = 0
                yield octet, True

    def _counts(self, octet: int, wrong: bool) -> bool:
        """Return whether an octet is data; what is none is a break."""
        if wrong and not octet:
            self._events.append(BreakSent())
            return False
        return True


class AutobaudWire(MarkedWire):
    """A marked line whose rate the terminal's letters A and T tell.

    Args:
        rate: At which the port runs, bit/s.
        set_rate: Lets the port run at another rate from now on.
    """

    def __init__(self, rate: int, set_rate: Callable[[int], None]) -> None:
        super().__init__()
        self._finder = RateFinder(rate)
        self._set_port = set_rate

    def restart(self, rate: int = RATES[0]) -> None:
        """The port runs at this rate from now on."""
        self._finder.restart(rate)

    def receive(self, raw: bytes) -> bytes:
        """See `Wire.receive`; what follows letters at another rate is void, and the events tell the rate."""
        if not self._mark and b"\xff" not in raw and not self._finder.doubts:
            self._finder.skip(raw)
            return raw
        out = bytearray()
        for octet, wrong in self._marked(raw):
            rate = self._finder.hear(octet, wrong)
            if rate is not None:
                self._mark = 0
                self._set_port(rate)
                self._events = [RateSet(rate)]
                return b""
            if self._counts(octet, wrong):
                out.append(octet)
        return bytes(out)
