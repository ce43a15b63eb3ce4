"""A line that answers: what mgetty does with a modem, call after call.

::

    INIT ──OK──► WAITING ──RING──► RINGING ──enough: ATA──► ANSWERING ──CONNECT──► SETTLING
     ▲              ▲── no more RINGs ──┘                     │ NO CARRIER           │ quiet
     ├────────────────────────────────────────────────────────┘                      ▼
     └── DTR ON ── HANGING_UP ◄──────── LINGERING ◄──────────── SESSION ◄────────── PAUSE

A modem that says nothing to a command may still be on line with somebody, on a cable without DTR: before the
next attempt it is called back to command state with ``+++`` and hung up.

Between CONNECT and the issue text everything is thrown away until the line has been quiet for 0.3 s: a
second result code, the caller's modem still talking to itself. After the last word the line is held until
the modem can have sent it.

A modem that tells circuit 109 (`carrier_changed`) ends a call by turning it OFF. Where nobody knows circuit
109 (a pty), the words ``NO CARRIER`` on a line of their own end it.
"""

import re
from collections.abc import Callable
from enum import Enum

from ansam.answer.events import Answered, AnswerEvent, CallEnded, SetDtr, Trouble
from ansam.answer.session import Place, Session, SessionState
from ansam.units import Seconds

CHAT_TIMEOUT: Seconds = 10.0
CHAT_PAUSE: Seconds = 0.5
RING_TIMEOUT: Seconds = 10.0
"""No RING for this long: the caller has given up."""

QUIET: Seconds = 0.3
SETTLE_MAX: Seconds = 10.0
"""Even a line that never falls quiet is served after this long."""

DTR_LOW: Seconds = 1.0
LINGER: Seconds = 0.6
"""Held beyond the time the last word needs at the line's rate: modem and network delay."""

LINGER_MAX: Seconds = 60.0
MODEM_BUFFER = 4096
"""Octets a modem takes before it stops the port: more than these can not be on their way."""

RECALL_GUARD: Seconds = 1.2
"""Silence around ``+++``: S12's 1 s and a little."""

RECALL: tuple[tuple[Seconds, bytes], ...] = ((RECALL_GUARD, b"+++"), (RECALL_GUARD, b"ATH0\r"), (2.0, b""))
"""After DTR: how long to wait, and what to say then, to a modem that does not answer."""

GARBLED = 3
"""So many octets that are no text, in answer to a command: the port runs at another speed."""

LINE_LIMIT = 256
DEFAULT_RATE = 300
"""What a bare CONNECT means."""

_CALLER = re.compile(r"(?:NMBR|CALLER NUMBER|CLIP)\s*[=:]\s*(\S+)", re.IGNORECASE)
_NO_CARRIER = b"\r\nNO CARRIER\r\n"


class GettyState(Enum):
    """Where the line is."""

    INIT = "setting up the modem"
    WAITING = "waiting for a call"
    RINGING = "counting RINGs"
    ANSWERING = "ATA was sent"
    SETTLING = "connected, waiting for quiet"
    PAUSE = "quiet; what the caller types now is kept"
    SESSION = "a caller is served"
    LINGERING = "the last words are on their way"
    HANGING_UP = "DTR is OFF"
    RECALLING = "the modem does not answer: it may still be on line"


_IN_CALL = frozenset({GettyState.SETTLING, GettyState.PAUSE, GettyState.SESSION, GettyState.LINGERING})


class Getty:
    """One answering line.

    Args:
        place: What a caller finds here.
        now: Monotonic seconds.
    """

    def __init__(self, place: Place, now: Seconds) -> None:
        self.state = GettyState.INIT
        self.session: Session | None = None
        self.calls = 0
        self._place = place
        self._out = bytearray()
        self._events: list[AnswerEvent] = []
        self._line = bytearray()
        self._due: Seconds | None = None
        self._init_step = -1
        self._recall_step = 0
        self._garbled = 0
        self._rings = 0
        self._connect = ""
        self._caller_id = "none"
        self._carrier: bool | None = None
        self._tail = b""
        self._settle_until: Seconds = 0.0
        self._line_free: Seconds = now
        self._rate = DEFAULT_RATE
        self._on_line: dict[GettyState, Callable[[str, Seconds], None]] = {
            GettyState.INIT: self._line_in_init,
            GettyState.WAITING: self._line_on_hook,
            GettyState.RINGING: self._line_on_hook,
            GettyState.ANSWERING: self._line_answering,
        }
        self._on_timer: dict[GettyState, Callable[[Seconds], None]] = {
            GettyState.INIT: self._timer_in_init,
            GettyState.RINGING: self._ringing_stopped,
            GettyState.ANSWERING: self._answer_failed,
            GettyState.SETTLING: self._settled,
            GettyState.PAUSE: self._open_session,
            GettyState.LINGERING: self._hang_up,
            GettyState.HANGING_UP: self._hung_up,
            GettyState.RECALLING: self._recall,
        }
        self._start_init(now)

    # -- the modem -------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: Seconds) -> int:
        """Take octets from the modem; return how many were taken (fewer while there is no room)."""
        taken = 0
        while taken < len(data):
            if self.state is GettyState.SESSION:
                return taken + self._to_session(data[taken:], now)
            if self.state is GettyState.PAUSE:
                return taken
            if self.state is GettyState.SETTLING:
                self._due = min(now + QUIET, self._settle_until)
                return len(data)
            if self.state in self._on_line:
                self._collect(data[taken], now)
            taken += 1
        return taken

    def take_output(self, now: Seconds) -> bytes:
        """Return octets for the modem; call again until there are none."""
        if self.session is not None and self.state is GettyState.SESSION:
            words = self.session.take_output(now)
            self._count(words, now)
            self._out += words
            self._look_at_session(now)
        out = bytes(self._out)
        self._out.clear()
        return out

    def carrier_changed(self, on: bool, now: Seconds) -> None:
        """Circuit 109 is known to be ON or OFF now."""
        was, self._carrier = self._carrier, on
        if was and not on and self.state in _IN_CALL:
            self._lost(now)

    def port_gone(self, now: Seconds) -> None:
        """The way to the modem broke: whatever call there was is over, and the modem must be set up anew."""
        if self.state in _IN_CALL:
            self._lost(now)
        self._carrier = None
        self._start_init(now)

    def take_events(self) -> list[AnswerEvent]:
        """Return the events since the last call, in order."""
        if self.session is not None:
            self._events.extend(self.session.take_events())
        events, self._events = self._events, []
        return events

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` wants to be called, or None."""
        if self.state is GettyState.SESSION and self.session is not None:
            return self.session.deadline()
        return self._due

    def handle_timer(self, now: Seconds) -> None:
        """Let timers act; calling early is harmless."""
        if self.state is GettyState.SESSION and self.session is not None:
            self.session.handle_timer(now)
            self._look_at_session(now)
        elif self._due is not None and now >= self._due:
            self._due = None
            self._on_timer[self.state](now)

    # -- what io found out -----------------------------------------------------------------------------------

    def password_checked(self, fits: bool, now: Seconds) -> None:
        """Take the answer to `CheckPassword`."""
        if self.session is not None:
            self.session.password_checked(fits, now)

    def command_ended(self, status: int, now: Seconds, error: str = "") -> None:
        """The command is over, or could not be started."""
        if self.session is not None:
            self.session.command_ended(status, error)
            self._look_at_session(now)

    def take_command_input(self) -> bytes:
        """Return the caller's octets for the command since the last call."""
        return self.session.take_command_input() if self.session is not None else b""

    def count_output(self, data: bytes, now: Seconds) -> None:
        """Say what a command has put on the line past this engine, so that the last words get their time."""
        self._count(data, now)

    # -- setting up ------------------------------------------------------------------------------------------

    def _start_init(self, now: Seconds) -> None:
        self.state = GettyState.INIT
        self.session = None
        self._line.clear()
        self._rings = 0
        self._caller_id = "none"
        self._init_step = -1
        self._garbled = 0
        self._due = now + CHAT_PAUSE

    def _next_init(self, now: Seconds) -> None:
        self._init_step += 1
        if self._init_step >= len(self._place.settings.init):
            self.state = GettyState.WAITING
            self._due = None
            return
        self._out += self._place.settings.init[self._init_step].encode() + b"\r"
        self._due = now + CHAT_TIMEOUT

    def _line_in_init(self, line: str, now: Seconds) -> None:
        if self._init_step < 0:
            return
        if line == "OK":
            self._next_init(now)
        elif line == "ERROR":
            self._trouble("ERROR")
            self._start_init(now)
            self._due = now + CHAT_TIMEOUT

    def _timer_in_init(self, now: Seconds) -> None:
        if self._init_step < 0:
            self._next_init(now)
            return
        speed = self._place.settings.speed
        if self._garbled >= GARBLED:
            self._trouble("what is no text", f": does its port run at {speed} bit/s?")
        else:
            self._trouble("nothing")
        self._events.append(SetDtr(False))
        self.state = GettyState.RECALLING
        self._recall_step = -1
        self._due = now + DTR_LOW

    def _trouble(self, answer: str, guess: str = "") -> None:
        settings = self._place.settings
        command = settings.init[self._init_step]
        self._events.append(Trouble(f"{settings.port}: modem answers {answer} to {command}{guess}"))

    def _recall(self, now: Seconds) -> None:
        """Raise DTR again, then say one thing after the other."""
        if self._recall_step < 0:
            self._events.append(SetDtr(True))
        else:
            self._out += RECALL[self._recall_step][1]
        self._recall_step += 1
        if self._recall_step < len(RECALL):
            self._due = now + RECALL[self._recall_step][0]
        else:
            self._start_init(now)

    # -- a call ----------------------------------------------------------------------------------------------

    def _collect(self, octet: int, now: Seconds) -> None:
        if octet in (0x0D, 0x0A):
            line = self._line.decode("ascii", "replace").strip()
            self._line.clear()
            if line:
                self._on_line[self.state](line, now)
        elif len(self._line) < LINE_LIMIT:
            self._line.append(octet)
            self._garbled += octet >= 0x7F or octet < 0x07

    def _line_on_hook(self, line: str, now: Seconds) -> None:
        caller = _CALLER.search(line)
        if caller:
            self._caller_id = caller[1]
        elif line == "RING" or line.startswith("RING "):
            self._rings += 1
            self.state = GettyState.RINGING
            self._due = now + RING_TIMEOUT
            if self._rings >= self._place.settings.rings:
                self.state = GettyState.ANSWERING
                self._out += b"ATA\r"
                self._due = now + self._place.settings.answer_timeout
        elif line == "CONNECT" or line.startswith("CONNECT "):
            self._connected(line, now)

    def _ringing_stopped(self, now: Seconds) -> None:
        self.state = GettyState.WAITING
        self._rings = 0
        self._caller_id = "none"

    def _line_answering(self, line: str, now: Seconds) -> None:
        if line == "CONNECT" or line.startswith("CONNECT "):
            self._connected(line, now)
        elif line in ("NO CARRIER", "ERROR", "BUSY", "NO ANSWER"):
            self._events.append(CallEnded(f"modem said {line} to ATA"))
            self._start_init(now)

    def _answer_failed(self, now: Seconds) -> None:
        self._events.append(
            CallEnded(f"no CONNECT within {self._place.settings.answer_timeout:.0f} s of ATA")
        )
        self._hang_up(now)

    def _connected(self, line: str, now: Seconds) -> None:
        self._connect = line[len("CONNECT") :].strip()
        rate = re.match(r"\d+", self._connect)
        self._rate = int(rate[0]) if rate else DEFAULT_RATE
        self.calls += 1
        self.state = GettyState.SETTLING
        self._tail = b""
        self._line_free = now
        self._settle_until = now + SETTLE_MAX
        self._due = now + QUIET
        self._events.append(Answered(self._connect, self._caller_id))

    def _settled(self, now: Seconds) -> None:
        self.state = GettyState.PAUSE
        self._due = now + self._place.settings.prompt_wait

    def _open_session(self, now: Seconds) -> None:
        self.session = Session(self._place, self._connect, self._caller_id, now)
        self.state = GettyState.SESSION

    # -- serving ---------------------------------------------------------------------------------------------

    def _to_session(self, data: bytes, now: Seconds) -> int:
        assert self.session is not None
        if self._carrier is None and _NO_CARRIER in self._tail + data:
            self._lost(now)
            return len(data)
        taken = self.session.receive(data, now)
        self._tail = (self._tail + data[:taken])[1 - len(_NO_CARRIER) :]
        self._look_at_session(now)
        return taken

    def _look_at_session(self, now: Seconds) -> None:
        if self.session is None or self.session.state is not SessionState.OVER:
            return
        words = self.session.take_output(now)
        self._count(words, now)
        self._out += words
        self._events.extend(self.session.take_events())
        self.state = GettyState.LINGERING
        self._due = min(max(self._line_free, now), now + LINGER_MAX) + LINGER

    def _count(self, data: bytes, now: Seconds) -> None:
        """Reckon when the line will have carried everything: ten bits an octet.

        A modem that compresses is faster than that, so no more is reckoned than a modem can hold.
        """
        busy = max(self._line_free, now) + 10 * len(data) / self._rate
        self._line_free = min(busy, now + 10 * MODEM_BUFFER / self._rate)

    def line_drained(self, now: Seconds) -> None:
        """The modem tells that it has got everything across: no need to reckon."""
        if self.state is GettyState.LINGERING and self._due is not None:
            self._due = min(self._due, now + LINGER)

    def _lost(self, now: Seconds) -> None:
        if self.session is not None:
            self.session.carrier_lost()
            self._events.extend(self.session.take_events())
        self._out.clear()
        self._hang_up(now)

    def _hang_up(self, now: Seconds) -> None:
        if self.session is not None:
            self._events.append(CallEnded(self.session.reason or "no carrier"))
            self.session = None
        self._events.append(SetDtr(False))
        self.state = GettyState.HANGING_UP
        self._due = now + DTR_LOW

    def _hung_up(self, now: Seconds) -> None:
        self._events.append(SetDtr(True))
        self._start_init(now)
