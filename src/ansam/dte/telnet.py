"""Telnet as a pure codec: RFC 854 (May 1983), options by the Q method of RFC 1143.

Octets of the connection go in, the user's octets come out, and the other way round; replies and option
changes are drained. It serves either end: who asks for which option is the caller's business.

::

    connection ──► receive ──► user          take_replies ──► connection, after every `receive`
               ◄── encode  ◄── user          take_events  ──► breaks, subnegotiations, option changes

Without BINARY (RFC 856) a CR of the user travels as CR NUL; any octet 255 is doubled in either mode.
`Deviation:` CR LF of the user travels as CR NUL LF, which decodes to the same: what is sent does not depend
on how the user's octets were cut.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

BINARY, ECHO, SUPPRESS_GO_AHEAD, TERMINAL_TYPE, COM_PORT = 0, 1, 3, 24, 44
"""Options: RFC 856, RFC 857, RFC 858, RFC 1091, RFC 2217."""

SE, NOP, BRK, IP, AO, AYT, SB = 240, 241, 243, 244, 245, 246, 250
WILL, WONT, DO, DONT, IAC = 251, 252, 253, 254, 255

SUBNEGOTIATION_LIMIT = 1024
"""Octets kept of one; a longer one is dropped whole."""

EVENT_LIMIT = 64
"""Events held for a caller that does not drain them."""

_CR, _NUL = 13, 0


@dataclass(frozen=True, slots=True)
class OptionChanged:
    """An option is in force now, or no more.

    Attributes:
        option: Its number.
        ours: We perform it (WILL); otherwise the far end does.
        on: In force.
    """

    option: int
    ours: bool
    on: bool


@dataclass(frozen=True, slots=True)
class Subnegotiation:
    """IAC SB option data IAC SE."""

    option: int
    data: bytes


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A command without an option: BRK, IP, AYT and the like."""

    code: int


TelnetEvent = OptionChanged | Subnegotiation | CommandReceived


class _Wish(Enum):
    """State of one option in one direction, RFC 1143 §7; no opposite request is ever queued here."""

    NO = "off"
    YES = "on"
    WANT_YES = "asked for"


class _Input(Enum):
    """What the next octet belongs to."""

    DATA = "data"
    COMMAND = "after IAC"
    OPTION = "after WILL, WONT, DO or DONT"
    SUB = "in a subnegotiation"
    SUB_COMMAND = "after IAC in a subnegotiation"


class Telnet:
    """One connection.

    Args:
        ours: Options we perform when the far end asks (DO) or agrees.
        theirs: Options we let the far end perform.
    """

    def __init__(self, ours: Iterable[int] = (), theirs: Iterable[int] = ()) -> None:
        self._allowed = {True: frozenset(ours), False: frozenset(theirs)}
        self._wishes: dict[tuple[bool, int], _Wish] = {}
        self._replies = bytearray()
        self._events: list[TelnetEvent] = []
        self._input = _Input.DATA
        self._verb = 0
        self._sub = bytearray()
        self._after_cr = False

    def performs(self, option: int, *, ours: bool) -> bool:
        """Return whether an option is in force: performed by us, or by the far end."""
        return self._wish(ours, option) is _Wish.YES

    def request(self, option: int, *, ours: bool) -> None:
        """Ask to perform an option ourselves (WILL), or the far end to (DO)."""
        if self._wish(ours, option) is _Wish.NO:
            self._wishes[ours, option] = _Wish.WANT_YES
            self._say(WILL if ours else DO, option)

    def subnegotiate(self, option: int, data: bytes) -> None:
        """Send IAC SB option data IAC SE."""
        self._replies += bytes((IAC, SB, option)) + data.replace(b"\xff", b"\xff\xff") + bytes((IAC, SE))

    def encode(self, data: bytes) -> bytes:
        """Return the user's octets as they cross the connection."""
        data = data.replace(b"\xff", b"\xff\xff")
        if not self.performs(BINARY, ours=True):
            data = data.replace(b"\r", b"\r\0")
        return data

    def receive(self, data: bytes) -> bytes:
        """Take octets of the connection, cut anywhere; return those of the user."""
        out = bytearray()
        at = 0
        while at < len(data):
            if self._input is _Input.DATA:
                mark = data.find(IAC, at)
                end = len(data) if mark < 0 else mark
                out += self._text(data[at:end])
                at = end
                if mark >= 0:
                    self._input = _Input.COMMAND
                    at += 1
                continue
            if self._command_octet(data[at]):
                out += self._text(b"\xff")
            at += 1
        return bytes(out)

    def take_replies(self) -> bytes:
        """Return what the connection gets besides the user's octets; send it before them."""
        replies = bytes(self._replies)
        self._replies.clear()
        return replies

    def take_events(self) -> list[TelnetEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    # -- data ------------------------------------------------------------------------------------------------

    def _text(self, data: bytes) -> bytes:
        """Return data without the NUL that follows a CR (RFC 854 p. 11), unless the far end sends binary."""
        if not data:
            return b""
        if self.performs(BINARY, ours=False):
            self._after_cr = False
            return data
        if self._after_cr and data[0] == _NUL:
            data = data[1:]
            self._after_cr = False
            if not data:
                return b""
        self._after_cr = data[-1] == _CR
        return data.replace(b"\r\0", b"\r")

    # -- commands --------------------------------------------------------------------------------------------

    def _command_octet(self, octet: int) -> bool:
        """Take an octet of a command; True: it was the second IAC of an octet 255 of the user."""
        match self._input:
            case _Input.COMMAND:
                return self._command(octet)
            case _Input.OPTION:
                self._input = _Input.DATA
                self._negotiate(self._verb, octet)
            case _Input.SUB:
                if octet == IAC:
                    self._input = _Input.SUB_COMMAND
                else:
                    self._collect(octet)
            case _:
                self._sub_command(octet)
        return False

    def _command(self, octet: int) -> bool:
        self._input = _Input.DATA
        if octet == IAC:
            return True
        if octet in (WILL, WONT, DO, DONT):
            self._verb, self._input = octet, _Input.OPTION
        elif octet == SB:
            self._sub.clear()
            self._input = _Input.SUB
        elif octet != NOP:
            self._tell(CommandReceived(octet))
        return False

    def _collect(self, octet: int) -> None:
        if len(self._sub) <= SUBNEGOTIATION_LIMIT:
            self._sub.append(octet)

    def _sub_command(self, octet: int) -> None:
        if octet == IAC:
            self._input = _Input.SUB
            self._collect(octet)
            return
        self._input = _Input.DATA
        if octet == SE:
            if 0 < len(self._sub) <= SUBNEGOTIATION_LIMIT:
                self._tell(Subnegotiation(self._sub[0], bytes(self._sub[1:])))
        else:
            # The far end forgot IAC SE: what comes now is a command of its own.
            self._command(octet)

    # -- options ---------------------------------------------------------------------------------------------

    def _wish(self, ours: bool, option: int) -> _Wish:
        return self._wishes.get((ours, option), _Wish.NO)

    def _say(self, verb: int, option: int) -> None:
        self._replies += bytes((IAC, verb, option))

    def _negotiate(self, verb: int, option: int) -> None:
        """RFC 1143 §7: answer a request once, an answer never."""
        ours = verb in (DO, DONT)
        wanted = verb in (DO, WILL)
        yes, no = (WILL, WONT) if ours else (DO, DONT)
        state = self._wish(ours, option)
        if wanted and state is _Wish.NO:
            if option in self._allowed[ours]:
                self._set(ours, option, _Wish.YES)
                self._say(yes, option)
            else:
                self._say(no, option)
        elif wanted and state is _Wish.WANT_YES:
            self._set(ours, option, _Wish.YES)
        elif not wanted and state is _Wish.YES:
            self._set(ours, option, _Wish.NO)
            self._say(no, option)
        elif not wanted:
            self._set(ours, option, _Wish.NO)

    def _set(self, ours: bool, option: int, state: _Wish) -> None:
        was = self._wish(ours, option)
        self._wishes[ours, option] = state
        if (was is _Wish.YES) != (state is _Wish.YES):
            self._tell(OptionChanged(option, ours, state is _Wish.YES))

    def _tell(self, event: TelnetEvent) -> None:
        if len(self._events) < EVENT_LIMIT:
            self._events.append(event)
