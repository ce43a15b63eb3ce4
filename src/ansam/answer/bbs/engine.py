"""Runs one caller's dialogue: a generator that yields what it waits for.

::

    caller ──► receive ──► keys ──► dialogue ──► out ──► take_output ──► caller
                                     │     ▲
                  events (passwords, │     │ answers
                  work, commands) ───┘─────┘

A dialogue reads like a conversation, `name = yield from talk.ask("Name: ")`; this class turns it into the
engine that a line wants: octets and `now` in, octets and events out. Output is paced at the rate of the line,
so that little is on its way when the caller stops a listing, whatever the modem could hold.
"""

import string
from collections import deque
from collections.abc import Callable
from typing import Any

from ansam.answer.bbs.screen import COMMODORE, PLAIN, Colour, Emulation, Look, Screen
from ansam.answer.bbs.steps import Ending, Steps, Unavailable, Want
from ansam.answer.command_input import CommandInput
from ansam.answer.events import AnswerEvent, DoWork, StopCommand
from ansam.answer.line_time import DEFAULT_RATE
from ansam.answer.visit import SessionState, Visit
from ansam.units import Seconds

AHEAD: Seconds = 1.0
"""Of output that may be on its way at the line's rate."""

PIECE: Seconds = 0.1
"""Least piece of output worth a wake-up."""

ROOM = 160
"""A listing goes on when no more octets than these wait."""

REASON_MAX = 120
KEYS_LIMIT = 256
"""Keys typed ahead; further ones ring the bell."""

WARN_IDLE: Seconds = 60.0
WARN_TIME = (300.0, 60.0)
"""Before the time is up, seconds."""

ESC, CR, LF = 0x1B, 0x0D, 0x0A
XON, XOFF = 0x11, 0x13
COMMODORE_DELETE = 0x14
STOP_KEYS = b"\x03\x0b\x18 "
"""^C, ^K, ^X and the space bar stop a listing."""


def _nothing() -> Steps[str]:
    """Say nothing."""
    yield Want.QUIET
    return ""


def nothing_heard() -> bool:
    """Nobody says anything."""
    return False


class Engine:
    """One caller in a dialogue, seen from the line.

    Args:
        connect: Connect string without the word CONNECT.
        now: Monotonic seconds.
        idle: Seconds without a key before the call is ended (0: no limit).
    """

    def __init__(self, connect: str, now: Seconds, idle: Seconds = 0.0) -> None:
        self.state = SessionState.MENU
        self.reason = ""
        self.successor: Visit | None = None
        self.screen = Screen(PLAIN)
        self.connect = connect
        digits = connect[: len(connect) - len(connect.lstrip(string.digits))]
        self.rate = int(digits) if digits and int(digits) else DEFAULT_RATE
        self.error_control = "ARQ" in connect.split("/")
        self.now = now
        self.idle = idle
        self.ends_at: Seconds | None = None
        self.listener: Callable[[], bool] = nothing_heard
        self.finds_commodores = False
        self._out = bytearray()
        self._events: list[AnswerEvent] = []
        self._keys: deque[int] = deque()
        self._escape = b""
        self._after_cr = True
        self._listing = False
        self._stopped = False
        self._paused = False
        self._rows = 0
        self._free = now
        self._pace_due: Seconds | None = None
        self._wait_until: Seconds | None = None
        self._key_at = now
        self._warned_idle = False
        self._warnings = list(WARN_TIME)
        self._command_until: Seconds | None = None
        self._to_command = CommandInput()
        self._answers: deque[Any] = deque()
        self._want: Want | None = None
        self._steps: Steps[str] = _nothing()
        self._started = False

    # -- the line --------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: Seconds) -> int:
        """Take octets from the caller; return how many were taken."""
        self.now = now
        if self._busy:
            return self._to_command.add(data)
        for taken, octet in enumerate(data):
            if self._busy:
                return taken
            if not self._done:
                self._octet(octet)
                self._advance()
        return len(data)

    @property
    def _busy(self) -> bool:
        """Whether a command has the line."""
        return self.state is SessionState.COMMAND

    def take_output(self, now: Seconds) -> bytes:
        """Return octets for the caller, no more than the line carries in a second; b"" when those are out."""
        self.now = now
        self._advance()
        if self._paused or not self._out:
            self._look_over()
            return b""
        per_second = self.rate / 10
        ahead = max(self._free, now) - now
        room = int((AHEAD - ahead) * per_second)
        least = min(len(self._out), max(1, int(PIECE * per_second)))
        if room < least:
            self._pace_due = now + ahead - AHEAD + (least + 1) / per_second
            return b""
        piece = bytes(self._out[:room])
        del self._out[:room]
        self._free = now + ahead + len(piece) / per_second
        self._advance()
        self._look_over()
        return piece

    def take_events(self) -> list[AnswerEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    def take_command_input(self) -> bytes:
        """Return the caller's octets for the command since the last call."""
        return self._to_command.take()

    def carrier_lost(self) -> None:
        """The caller is gone."""
        if self.state is SessionState.COMMAND:
            self._events.append(StopCommand())
        self._out.clear()
        self._finish("no carrier")
        self.state = SessionState.OVER

    # -- time ------------------------------------------------------------------------------------------------

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` wants to be called, or None."""
        if self.state is SessionState.OVER:
            return None
        times = [self._pace_due, self._wait_until, self._command_until]
        if self.state is SessionState.MENU and not self._done:
            if self.idle and self._callers_turn:
                left = 0.0 if self._warned_idle else min(WARN_IDLE, self.idle / 2)
                times.append(self._key_at + self.idle - left)
            if self.ends_at is not None:
                times.append(self.ends_at - (self._warnings[0] if self._warnings else 0.0))
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: Seconds) -> None:
        """Let timers act; calling early is harmless."""
        self.now = now
        if self._pace_due is not None and now >= self._pace_due:
            self._pace_due = None
        if self._command_until is not None and now >= self._command_until:
            self._events.append(StopCommand())
            self._command_over(Ending(0, in_time=False))
        if self.state is SessionState.MENU and not self._done:
            self._look_at_clock()
        self._advance()

    @property
    def _callers_turn(self) -> bool:
        return self._want is Want.KEY or self._paused

    def _look_at_clock(self) -> None:
        if self.ends_at is not None:
            if self.now >= self.ends_at:
                self.end("Your time is up. Goodbye.", "time is up")
                return
            while self._warnings and self.now >= self.ends_at - self._warnings[0]:
                minutes = round(self._warnings.pop(0) / 60)
                self._alarm(f"{minutes} minute{'s' if minutes != 1 else ''} left.")
        if self.idle and self._callers_turn:
            silent = self.now - self._key_at
            if silent >= self.idle:
                self.end(f"No key for {self.idle / 60:.0f} minutes. Goodbye.", "idle")
            elif not self._warned_idle and silent >= self.idle - min(WARN_IDLE, self.idle / 2):
                self._warned_idle = True
                self._alarm("Are you still there? Press a key.")

    def _alarm(self, text: str) -> None:
        self._out += b"\a"
        self.say()
        self.say(text, Colour.ALARM)

    def set_time(self, seconds: Seconds) -> None:
        """Let the call end in so many seconds; warnings that are late already are left out."""
        self.ends_at = self.now + seconds
        self._warnings = [before for before in WARN_TIME if before < seconds]

    @property
    def left(self) -> Seconds:
        """Seconds left; a day where there is no limit."""
        return 86400.0 if self.ends_at is None else max(0.0, self.ends_at - self.now)

    # -- answers ---------------------------------------------------------------------------------------------

    def password_checked(self, fits: bool, now: Seconds) -> None:
        """Take the answer to `CheckPassword`."""
        self.now = now
        self._answers.append(fits)
        self._advance()

    def work_done(self, result: Any, error: str) -> None:
        """Take the answer to `DoWork`."""
        self._answers.append(Unavailable(error) if error else result)
        self._advance()

    def command_spoke(self, until: Seconds) -> None:
        """A door has its own times."""

    def command_ended(self, status: int, error: str = "") -> None:
        """The command is over."""
        if self.state is SessionState.COMMAND:
            self._command_over(Ending(status, error))
            self._advance()

    def _command_over(self, ending: Ending) -> None:
        self.state = SessionState.MENU
        self._command_until = None
        self._to_command.take()
        self._key_at, self._warned_idle = self.now, False
        self._answers.append(ending)

    # -- keys ------------------------------------------------------------------------------------------------

    def _octet(self, octet: int) -> None:
        self._key_at, self._warned_idle = self.now, False
        if self._escape or (octet == ESC and not self.screen.petscii):
            self._in_escape(octet)
            return
        if octet == COMMODORE_DELETE and self.finds_commodores:
            self.finds_commodores = False
            self.screen = Screen(COMMODORE)
            self.say("Commodore.")
        key = self.screen.translate(octet)
        after_cr, self._after_cr = self._after_cr, key == CR
        if key == LF:
            if after_cr:
                return
            key = CR
        if key == XOFF:
            self._paused = True
        elif key == XON or self._paused:
            self._paused = False
        elif self._listing and key in STOP_KEYS:
            self.stop_listing()
        elif len(self._keys) < KEYS_LIMIT:
            self._keys.append(key)
        else:
            self._out += b"\a"

    def stop_listing(self) -> None:
        """Throw away what a listing has still to say."""
        self._stopped = True
        self._listing = False
        self._out[:] = self.screen.colour(Colour.PLAIN) + b"\r\n"

    def _in_escape(self, octet: int) -> None:
        """Leave control sequences out; an answer to the cursor's report shows that ANSI works."""
        self._escape += bytes([octet])
        if self._escape == b"\x1b":
            return
        if self._escape[:2] != b"\x1b[" or len(self._escape) > 16:
            self._escape = b""
            if octet != ESC:
                self._octet(octet)
        elif len(self._escape) > 2 and 0x40 <= octet <= 0x7E:
            if octet == ord("R") and self.screen.look.emulation is Emulation.ASCII:
                look = self.screen.look
                self.screen = Screen(Look(Emulation.ANSI, look.columns, look.rows, look.charset))
            self._escape = b""

    # -- the dialogue ----------------------------------------------------------------------------------------

    @property
    def _done(self) -> bool:
        return self.reason != ""

    def _advance(self) -> None:
        while not self._done and self.state is not SessionState.COMMAND:
            value: Any = None
            if self._started:
                if self._want is Want.KEY:
                    late = self._wait_until is not None and self.now >= self._wait_until
                    if not self._keys and not late and not self.listener():
                        return
                    value = self._keys.popleft() if self._keys else None
                elif self._want is Want.ROOM:
                    if len(self._out) > ROOM or self._paused:
                        return
                elif self._want is Want.QUIET:
                    if self._out:
                        return
                elif not self._answers:
                    return
                else:
                    value = self._answers.popleft()
            self._step(value)

    def _step(self, value: Any) -> None:
        try:
            if isinstance(value, Unavailable):
                self._want = self._steps.throw(value)
            elif self._started:
                self._want = self._steps.send(value)
            else:
                self._started = True
                self._want = next(self._steps)
        except StopIteration as stop:
            self._finish(stop.value)
        except Unavailable as error:
            self.say("The board can not be reached at the moment. Goodbye.")
            self._finish(f"board out of reach: {error}"[:REASON_MAX])

    def end(self, text: str, reason: str) -> None:
        """Say a last word and end the call."""
        self._out += b"\a"
        self.say()
        self.say(text)
        self._finish(reason)

    def _finish(self, reason: str) -> None:
        if not self._done:
            self.reason = reason or "logged off"
            self._paused = False
            self._steps.close()

    def _look_over(self) -> None:
        if self._done and not self._out:
            self.state = SessionState.OVER

    # -- for dialogues: saying -------------------------------------------------------------------------------

    def put(self, text: str, colour: Colour | None = None) -> None:
        """Say text, in a colour where there are any."""
        if colour is None:
            self._out += self.screen.encode(text)
        else:
            screen = self.screen
            self._out += screen.colour(colour) + screen.encode(text) + screen.colour(Colour.PLAIN)

    def say(self, text: str = "", colour: Colour | None = None) -> None:
        """Say a line."""
        self.put(text, colour)
        self.raw(b"\r\n")

    def raw(self, data: bytes) -> None:
        """Put octets on the line as they are, but for the line ends of a Commodore."""
        self._out += b"\r" if self.screen.petscii and data == b"\r\n" else data

    def clear(self) -> None:
        """Clear the screen."""
        self._out += self.screen.clear()
        self._rows = 0

    def later(self, work: Callable[[], object]) -> None:
        """Have something done that nobody waits for."""
        self._events.append(DoWork(work, answered=False))

    def tell(self, event: AnswerEvent) -> None:
        """Report an event."""
        self._events.append(event)
