"""A line that answers: what mgetty does with a modem, call after call.

::

    INIT ──OK──► WAITING ──RING──► RINGING ──enough: ATA──► ANSWERING ──CONNECT──► SETTLING
     ▲              ▲── no more RINGs ──┘                     │ NO CARRIER           │ quiet
     ├────────────────────────────────────────────────────────┘                      ▼
     └── DTR ON ── HANGING_UP ◄──────── LINGERING ◄──────────── SESSION ◄────────── PAUSE

A modem that says nothing to a command may still be on line with somebody, on a cable without DTR: before the
next attempt it is called back to command state with ``+++`` and hung up. One that waits may be asked from
time to time whether it is still there (CHECKING).

Between CONNECT and the issue text everything is thrown away until the line has been quiet for 0.3 s: a
second result code, the caller's modem still talking to itself. After the last word the line is held until
the modem can have sent it.

A modem that tells circuit 109 (`carrier_changed`) ends a call by turning it OFF. Where nobody knows circuit
109 (a pty), the words ``NO CARRIER`` on a line of their own end it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ansam.answer.chat import Chat, ChatState, ChatStep, command_steps
from ansam.answer.events import (
    Answered,
    AnswerEvent,
    CallEnded,
    JudgeCaller,
    Refused,
    SetDtr,
    SetSpeed,
    Trouble,
)
from ansam.answer.getty_state import (
    ATA,
    CHAT_PAUSE,
    CHAT_TIMEOUT,
    GARBLED,
    IN_CALL,
    QUIET,
    RECALL,
    RING_TIMEOUT,
    SETTLE_MAX,
    GettyState,
)
from ansam.answer.line_time import DEFAULT_RATE, LINGER, LineTime
from ansam.answer.manners import Doorbell
from ansam.answer.place import Place
from ansam.answer.session import Session
from ansam.answer.visit import SessionState, Visit
from ansam.units import Seconds

LINE_LIMIT = 256
_CALLER = re.compile(r"(?:NMBR|CALLER NUMBER|CLIP)\s*[=:]\s*(\S+)", re.IGNORECASE)
_CONNECT = re.compile(r"CONNECT(?=$|[ /])")
"""At 300 bit/s no rate stands between the word and ``/ARQ`` or ``/NONE``."""

_NO_CARRIER = b"\r\nNO CARRIER\r\n"


class Getty:
    """One answering line.

    Args:
        place: What a caller finds here.
        now: Monotonic seconds.
    """

    def __init__(self, place: Place, now: Seconds) -> None:
        self.state = GettyState.INIT
        self.session: Visit | None = None
        self.calls = 0
        self._place = place
        self._out = bytearray()
        self._events: list[AnswerEvent] = []
        self._line = bytearray()
        self._due: Seconds | None = None
        self._chat: Chat | None = None
        self._garbled = 0
        self._bell = Doorbell(place.manners, place.settings.rings)
        self._judged = 0
        self._judging: int | None = None
        self._connect = ""
        self._carrier: bool | None = None
        self._tail = b""
        self._settle_until: Seconds = 0.0
        self._line_time = LineTime(now)
        self._on_line: dict[GettyState, Callable[[str, Seconds], None]] = {
            GettyState.INIT: self._line_in_init,
            GettyState.WAITING: self._line_on_hook,
            GettyState.CHECKING: self._line_on_hook,
            GettyState.RINGING: self._line_on_hook,
            GettyState.ANSWERING: self._line_answering,
            GettyState.RECALLING: _no_matter,
        }
        self._on_timer: dict[GettyState, Callable[[Seconds], None]] = {
            GettyState.INIT: self._begin_init,
            GettyState.WAITING: self._check,
            GettyState.RINGING: self._ringing_stopped,
            GettyState.ANSWERING: self._answer_failed,
            GettyState.SETTLING: self._settled,
            GettyState.PAUSE: self._open_session,
            GettyState.LINGERING: self._hang_up,
            GettyState.HANGING_UP: self._hung_up,
            GettyState.RECALLING: self._recall,
        }
        self._on_chat: dict[GettyState, tuple[Callable[[Seconds], None], Callable[[Seconds], None]]] = {
            GettyState.INIT: (self._wait_for_call, self._not_answered),
            GettyState.CHECKING: (self._wait_for_call, self._not_answered),
            GettyState.ANSWERING: (self._await_connect, self._answer_failed),
            GettyState.RECALLING: (self._start_init, self._start_init),
        }
        if place.manners.toggle_dtr:
            self._drop_dtr(now)
        else:
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
            self._line_time.count(words, now)
            self._out += words
            self._look_at_session(now)
        out = bytes(self._out)
        self._out.clear()
        return out

    def carrier_changed(self, on: bool, now: Seconds) -> None:
        """Circuit 109 is known to be ON or OFF now."""
        if self._place.manners.ignore_carrier:
            return
        was, self._carrier = self._carrier, on
        if was and not on and self.state in IN_CALL:
            self._lost(now)

    def port_gone(self, now: Seconds) -> None:
        """The way to the modem broke: whatever call there was is over, and the modem must be set up anew."""
        if self.state in IN_CALL:
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
        return self._due if self._chat is None else self._chat.deadline()

    def handle_timer(self, now: Seconds) -> None:
        """Let timers act; calling early is harmless."""
        if self.state is GettyState.SESSION and self.session is not None:
            self.session.handle_timer(now)
            self._look_at_session(now)
        elif self._chat is not None:
            self._chat.handle_timer(now)
            self._follow_chat(now)
        elif self._due is not None and now >= self._due:
            self._due = None
            self._on_timer[self.state](now)

    # -- what io found out -----------------------------------------------------------------------------------

    def password_checked(self, fits: bool, now: Seconds) -> None:
        """Take the answer to `CheckPassword`."""
        if self.session is not None:
            self.session.password_checked(fits, now)
            self._look_at_session(now)

    def command_ended(self, status: int, now: Seconds, error: str = "") -> None:
        """The command is over, or could not be started."""
        if self.session is not None:
            self.session.command_ended(status, error)
            self._look_at_session(now)

    def work_done(self, result: Any, error: str = "") -> None:
        """Take the answer to `DoWork`."""
        if self.session is not None:
            self.session.work_done(result, error)

    def take_command_input(self) -> bytes:
        """Return the caller's octets for the command since the last call."""
        return self.session.take_command_input() if self.session is not None else b""

    def count_output(self, data: bytes, now: Seconds) -> None:
        """Say what a command has put on the line past this engine, so that the last words get their time."""
        self._line_time.count(data, now)
        if self.session is not None:
            self.session.command_spoke(self._line_time.free)

    def under_way(self, now: Seconds) -> int:
        """Return how many of the octets put on the line last may not have reached a caller cut off now."""
        return self._line_time.under_way(now)

    # -- setting up ------------------------------------------------------------------------------------------

    def _start_init(self, now: Seconds) -> None:
        self.state = GettyState.INIT
        self.session = None
        self._chat = None
        self._line.clear()
        self._bell.clear()
        self._judging = None
        self._garbled = 0
        self._due = now + CHAT_PAUSE

    def _begin_init(self, now: Seconds) -> None:
        init = self._place.manners.init or command_steps(self._place.settings.init)
        self._begin_chat(init, CHAT_TIMEOUT, now)

    def _begin_chat(self, steps: Sequence[ChatStep], timeout: Seconds, now: Seconds) -> None:
        self._due = None
        self._chat = Chat(steps, timeout, now)
        self._follow_chat(now)

    def _follow_chat(self, now: Seconds) -> None:
        """Say what the chat has to say, and go on where it is over."""
        if self._chat is None:
            return
        self._out += self._chat.take_output()
        if self._chat.state is not ChatState.RUNNING:
            done, late = self._on_chat[self.state]
            (done if self._chat.state is ChatState.DONE else late)(now)

    def _wait_for_call(self, now: Seconds) -> None:
        self._chat = None
        self.state = GettyState.WAITING
        check_time = self._place.manners.check_time
        self._due = now + check_time if check_time else None

    def _check(self, now: Seconds) -> None:
        self.state = GettyState.CHECKING
        self._garbled = 0
        self._begin_chat(command_steps(("AT",)), CHAT_TIMEOUT, now)

    def _line_in_init(self, line: str, now: Seconds) -> None:
        if self._chat is not None and line == "ERROR":
            self._trouble("ERROR")
            self._start_init(now)
            self._due = now + CHAT_TIMEOUT

    def _not_answered(self, now: Seconds) -> None:
        speed = self._place.settings.speed
        if self._garbled >= GARBLED:
            self._trouble("what is no text", f": does its port run at {speed} bit/s?")
        else:
            self._trouble("nothing")
        self._drop_dtr(now)
        self.state = GettyState.RECALLING

    def _trouble(self, answer: str, guess: str = "") -> None:
        command = self._chat.shown if self._chat is not None else ""
        self._events.append(
            Trouble(f"{self._place.settings.port}: modem answers {answer} to {command}{guess}")
        )

    def _recall(self, now: Seconds) -> None:
        """Raise DTR again, then say what brings a modem back."""
        self._events.append(SetDtr(True))
        self._begin_chat(self._place.manners.force_init or RECALL, CHAT_TIMEOUT, now)

    # -- a call ----------------------------------------------------------------------------------------------

    def _collect(self, octet: int, now: Seconds) -> None:
        if octet in (0x0D, 0x0A):
            # A NUL is filler, and nothing that a program could be told.
            line = self._line.decode("ascii", "replace").replace("\0", "").strip()
            self._line.clear()
            if line:
                self._on_line[self.state](line, now)
        elif len(self._line) < LINE_LIMIT:
            self._line.append(octet)
            self._garbled += octet >= 0x7F or octet < 0x07
        if self._chat is not None:
            self._chat.feed(octet, now)
            self._follow_chat(now)

    def _line_on_hook(self, line: str, now: Seconds) -> None:
        caller = _CALLER.search(line)
        if caller:
            self._bell.caller = caller[1]
        elif line == "RING" or line.startswith("RING "):
            self._ring(now)
        elif _CONNECT.match(line):
            self._connected(line, now)

    def _ring(self, now: Seconds) -> None:
        self._chat = None
        self.state = GettyState.RINGING
        self._due = now + RING_TIMEOUT
        refused_before = self._bell.refused
        if not self._bell.ring(now) or self._judging is not None:
            if self._bell.refused and not refused_before:
                self._events.append(Refused(self._bell.caller))
        elif program := self._place.manners.caller_program:
            self._judged += 1
            self._judging = self._judged
            argv = (program, self._place.settings.port, self._bell.caller, "", "0", "")
            self._events.append(JudgeCaller(argv, self._judging))
        else:
            self._answer(now)

    def caller_judged(self, serial: int, accepted: bool, now: Seconds) -> None:
        """Take the answer to the `JudgeCaller` of a serial number; one about a caller who gave up is late."""
        if serial == self._judging and self.state is GettyState.RINGING:
            self._judging = None
            if accepted:
                self._answer(now)
            else:
                self._bell.refused = True
                self._events.append(Refused(self._bell.caller))

    def _answer(self, now: Seconds) -> None:
        self.state = GettyState.ANSWERING
        self._begin_chat(self._place.manners.answer or ATA, self._place.settings.answer_timeout, now)

    def _await_connect(self, now: Seconds) -> None:
        self._chat = None
        self._due = now + self._place.settings.answer_timeout

    def _ringing_stopped(self, now: Seconds) -> None:
        self._judging = None
        self._bell.silent(now - RING_TIMEOUT)
        self._wait_for_call(now)

    def _line_answering(self, line: str, now: Seconds) -> None:
        if _CONNECT.match(line):
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
        self._chat = None
        self._bell.answered()
        self._connect = line[len("CONNECT") :].strip()
        rate = re.match(r"\d+", self._connect)
        self._line_time.connected(int(rate[0]) if rate else DEFAULT_RATE, now)
        self.calls += 1
        self.state = GettyState.SETTLING
        self._tail = b""
        self._settle_until = now + SETTLE_MAX
        self._due = now + QUIET
        self._events.append(Answered(self._connect, self._bell.caller))
        if self._place.manners.autobaud:
            self._events.append(SetSpeed(self._line_time.rate))

    def _settled(self, now: Seconds) -> None:
        self.state = GettyState.PAUSE
        self._due = now + self._place.settings.prompt_wait

    def _open_session(self, now: Seconds) -> None:
        place = self._place
        if place.manners.autobaud:
            place = replace(place, settings=replace(place.settings, speed=self._line_time.rate))
        opener = place.service or Session
        self.session = opener(place, self._connect, self._bell.caller, now)
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
        if self.session is not None and self.session.successor is not None:
            self._events.extend(self.session.take_events())
            self._out += self.session.take_output(now)
            self.session = self.session.successor
        if self.session is None or self.session.state is not SessionState.OVER:
            return
        words = self.session.take_output(now)
        self._line_time.count(words, now)
        self._out += words
        self._events.extend(self.session.take_events())
        self.state = GettyState.LINGERING
        self._due = self._line_time.over(now)

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
        if self._place.manners.autobaud:
            self._events.append(SetSpeed(self._place.settings.speed))
        self._drop_dtr(now)

    def _drop_dtr(self, now: Seconds) -> None:
        self._chat = None
        self._events.append(SetDtr(False))
        self.state = GettyState.HANGING_UP
        self._due = now + self._place.manners.dtr_low

    def _hung_up(self, now: Seconds) -> None:
        self._events.append(SetDtr(True))
        self._start_init(now)


def _no_matter(line: str, now: Seconds) -> None:
    """Take a line that says nothing to anybody."""
