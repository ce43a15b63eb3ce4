"""The AT command interpreter: bytes of the terminal in, bytes to the terminal and actions out.

::

    receive ──► CommandLine ──► Executor ──► actions ──► the modem dials, answers, hangs up
               prefix, echo     settings       │
    take_output ◄── result ◄───────────────────┴──── finish, unsolicited

States: `State.COMMAND` takes characters; in `State.WAITING` the modem is dialling, answering or going back on
line, and any character asks it to give up (V.250 (07/2003) §5.6.1); in `State.PAUSING` A> or ``>`` waits to
try again. The modem hands in no characters while it is on line.

`Deviation:` V.250 §5.6.1 ignores characters for 125 ms after the CR, for the sake of those that terminals
append to it. Here it is the one LF (or NUL, telnet's) directly after the CR, at whatever time it comes.
"""

from dataclasses import replace
from enum import Enum

from ansam.at import caller_id
from ansam.at.actions import Abort, Action, AnswerCall, Dial
from ansam.at.capabilities import Capabilities
from ansam.at.codes import SOFTWARE_COMPATIBLE, Report, compatible, connect_reports, result_report
from ansam.at.commands import Executor, Wait
from ansam.at.extended import connection_reports
from ansam.at.grammar import CommandRefused
from ansam.at.line import CommandLine, Entry
from ansam.at.nvram import Nvram, Profile
from ansam.at.results import Connect, Result
from ansam.at.settings import Settings
from ansam.errors import LocalProtocolError
from ansam.trace import Sink, null_sink
from ansam.units import SAMPLE_RATE, Samples

REDIAL_PAUSE: Samples = 2 * SAMPLE_RATE
"""Between the attempts of A> and ``>`` (Courier 3453B command reference: "will pause for 2 seconds")."""

DIAL_ATTEMPTS = 10
"""Most attempts of A> and ``>`` at a dial string (the same)."""

OUTPUT_LIMIT = 65536
"""Most octets waiting for the terminal; the modem drains after every input; what goes beyond is dropped."""

PORT_RATE = 115200
"""Bit/s that a CONNECT with the port's rate shows where it is not known."""

_CR, _AFTER_CR = 13, (10, 0)


class State(Enum):
    """What a received character means."""

    COMMAND = "command"
    WAITING = "waiting for the modem"
    PAUSING = "pausing before the next attempt"


class Interpreter:
    """The commands of one modem.

    Args:
        capabilities: What the modem offers.
        profile: Make of modem and stored settings; None for a USR 56K fresh from the factory.
        trace: Gets ``command``, ``refused`` (with the reason that the terminal does not see) and ``result``.

    Raises:
        ConfigError: The stored settings are not what `Profile.store` was given.

    Attributes:
        settings: Live settings; the object stays the same. The modem counts rings in ``settings.s[1]``.
    """

    def __init__(
        self, capabilities: Capabilities, profile: Profile | None = None, trace: Sink = null_sink
    ) -> None:
        chosen = profile or Profile()
        nvram = Nvram(chosen)
        self.settings = Settings(chosen.personality)
        self.settings["Y"] = nvram.power_on
        self._executor = Executor(self.settings, capabilities, nvram)
        self._executor.restore()
        self._line = CommandLine(chosen.personality.line_limit, chosen.personality.repeats)
        self._trace = trace
        self._output = bytearray()
        self._actions: list[Action] = []
        self._state = State.COMMAND
        self._last_line = ""
        self._current = ""
        self._wait: Wait | None = None
        self._aborted = False
        self._answering = False
        self._trailing: tuple[int, ...] = ()
        self._continuous = False
        self._attempts = 0
        self._resume_at: Samples = 0

    @property
    def state(self) -> State:
        """What a received character means now."""
        return self._state

    def receive(self, data: bytes, now: Samples) -> None:
        """Take characters of the terminal, in any portions."""
        for octet in data:
            trailing, self._trailing = self._trailing, ()
            if octet & 0x7F in trailing:
                # The LF (or NUL) of the CR that ended a line; the CR that some programs send after A/.
                self._trailing = _AFTER_CR if octet & 0x7F == _CR else ()
            elif self._state is State.WAITING:
                self._abort()
            elif self._state is State.PAUSING:
                self._continuous = False
                self._state = State.COMMAND
                self._print_result(Result.OK, now)
            else:
                self._take(octet, now)

    def execute(self, line: str, now: Samples) -> None:
        """Execute a line as if it had been typed behind AT, without echo (S13 bit 3: DTR dials).

        Raises:
            LocalProtocolError: An action is under way.
        """
        if self._state is State.WAITING:
            raise LocalProtocolError(f"execute({line}) while an action is under way")
        self._line.clear()
        self._state = State.COMMAND
        self._attempts = 1
        self._run(line, 0, now)

    def take_output(self) -> bytes:
        """Return what the terminal gets, in order."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def take_actions(self) -> list[Action]:
        """Return what the modem has to do, in order; at most one per character received."""
        actions, self._actions = self._actions, []
        return actions

    def finish(self, result: Result | Connect, now: Samples) -> None:
        """Report the end of the action under way.

        Args:
            result: OK after a dial string with a semicolon; CONNECT, NO CARRIER, BUSY and the like otherwise.
            now: When.

        Raises:
            LocalProtocolError: No action is under way.
        """
        if self._state is not State.WAITING or self._wait is None:
            raise LocalProtocolError(f"finish({result}) while no action is under way")
        wait, self._wait = self._wait, None
        self._state = State.COMMAND
        if result is Result.OK and wait.rest is not None and not self._aborted:
            self._run(self._current, wait.rest, now)
            return
        self._print_result(result, now)
        if isinstance(result, Connect) or result in (Result.OK, Result.ERROR) or self._aborted:
            self._continuous = False
            return
        again = self._continuous or (wait.repeat_on_busy and result is Result.BUSY)
        if again and self._attempts < DIAL_ATTEMPTS and isinstance(wait.action, Dial):
            self._pause(now)
        else:
            self._continuous = False

    def unsolicited(self, result: Result | Connect, now: Samples) -> None:
        """Show a result that ends no action, where Q and X allow it: RING, NO CARRIER, the escape's OK."""
        self._print_result(result, now)

    def caller(self, number: str, name: str, stamp: str, now: Samples) -> None:
        """Show who calls, where #CID asks for it; due after the first RING.

        Args:
            number: Digits, an address, "P" (kept secret) or "" (not known).
            name: "" where none is known.
            stamp: Month, day, hour and minute of the call, two digits each; "" where it is not known.
            now: When.
        """
        form = self.settings["#CID"]
        if not form or self._quiet(Result.RING):
            return
        self._trace(now, "at", "caller", number=number, person=name)
        self._print_text(caller_id.report(form, number, name, stamp))

    def begin_answer(self, now: Samples) -> None:
        """The modem answers a call by itself (S0): from here on it is as if ATA had been typed.

        No action comes out; a character yields `Abort`, and the modem calls `finish`.

        Raises:
            LocalProtocolError: An action is under way.
        """
        if self._state is State.WAITING:
            raise LocalProtocolError("begin_answer while an action is under way")
        self._line.clear()
        self._continuous = False
        self._begin_waiting(Wait(AnswerCall()))
        self._trace(now, "at", "auto answer")

    def reset(self, now: Samples) -> None:
        """Do what ATZ does to the settings (&D3 and S13 bit 0: DTR dropped); nothing is shown or asked."""
        self._line.clear()
        self._executor.restore()
        self._trace(now, "at", "reset")

    def stop_repeating(self) -> None:
        """Let neither A> nor ``>`` dial again: somebody hangs up."""
        self._continuous = False
        if self._wait is not None:
            self._wait = replace(self._wait, repeat_on_busy=False)
        if self._state is State.PAUSING:
            self._state = State.COMMAND

    def deadline(self) -> Samples | None:
        """Return when `handle_timer` wants to be called, or None."""
        return self._resume_at if self._state is State.PAUSING else None

    def handle_timer(self, now: Samples) -> None:
        """Let A> and ``>`` try again; calling early is harmless."""
        if self._state is State.PAUSING and now >= self._resume_at:
            self._state = State.COMMAND
            self._attempts += 1
            self._run(self._last_line, 0, now)

    def _take(self, octet: int, now: Samples) -> None:
        echo, entry = self._line.take(octet, self.settings.s)
        if self.settings.echo:
            self._put(echo)
        if entry is None:
            return
        self._trailing = _AFTER_CR
        self._continuous = entry is Entry.REPEAT_CONTINUOUSLY
        self._attempts = 1
        if entry is Entry.TOO_LONG:
            self._trace(now, "at", "refused", reason="the line is too long")
            self._print_result(Result.ERROR, now)
            return
        if entry is Entry.LINE:
            self._last_line = self._line.text
        else:
            self._trailing = (_CR, *_AFTER_CR)
        self._run(self._last_line, 0, now)

    def _run(self, line: str, position: int, now: Samples) -> None:
        """Execute a line from `position` to its end, the first mistake, or the first command that waits."""
        self._current = line
        self._trace(now, "at", "command", line=line[position:])
        result = Result.OK
        try:
            while position < len(line):
                step = self._executor.execute_next(line, position)
                if isinstance(step, Wait):
                    self._flush()
                    self._begin_waiting(step)
                    self._actions.append(step.action)
                    return
                position = step
        except CommandRefused as refused:
            self._trace(now, "at", "refused", reason=str(refused))
            result = Result.ERROR
        self._flush()
        self._print_result(result, now)
        if self._continuous:
            self._pause(now)

    def _begin_waiting(self, wait: Wait) -> None:
        self._state = State.WAITING
        self._wait = wait
        self._aborted = False
        if isinstance(wait.action, Dial | AnswerCall):
            self._answering = isinstance(wait.action, AnswerCall)

    def _pause(self, now: Samples) -> None:
        self._state = State.PAUSING
        self._resume_at = now + REDIAL_PAUSE

    def _abort(self) -> None:
        if not self._aborted:
            self._aborted = True
            self._continuous = False
            self._actions.append(Abort())

    def _flush(self) -> None:
        """Pass on what the commands executed so far show and ask."""
        self._actions += self._executor.actions
        self._executor.actions.clear()
        for lines in self._executor.texts:
            self._print_text(lines)
        self._executor.texts.clear()

    def _quiet(self, result: Result | Connect) -> bool:
        """Return whether Q hides a result: Q1 all, Q2 those of an answering modem."""
        if self.settings["Q"] != 2:
            return self.settings["Q"] == 1
        if result in (Result.OK, Result.ERROR):
            return False
        return self._answering or result is Result.RING

    def _print_result(self, result: Result | Connect, now: Samples) -> None:
        if self._quiet(result):
            return
        if isinstance(result, Connect):
            if self.settings.s.usr(27) & SOFTWARE_COMPATIBLE:
                result = compatible(result)
            for text in connection_reports(result, self.settings):
                self._print_text([text])
            for report in connect_reports(result, self.settings, self.settings.port_rate or PORT_RATE):
                self._say(report, now)
            return
        single = result_report(result, self.settings)
        if single is not None:
            self._say(single, now)

    def _say(self, report: Report, now: Samples) -> None:
        words, number = report
        self._trace(now, "at", "result", words=words)
        if self.settings.verbose:
            self._print_text([words])
        else:
            self._put(f"{number}".encode() + bytes([self.settings.s[3]]))

    def _print_text(self, lines: list[str]) -> None:
        """Show lines framed as V.250 (07/2003) §5.7.1 says: V1 CR LF text CR LF, V0 text CR LF."""
        end = bytes([self.settings.s[3], self.settings.s[4]])
        # Terminals of the time have no section sign.
        body = end.join(line.replace("§", "").encode("ascii", "replace") for line in lines)
        self._put((end if self.settings.verbose else b"") + body + end)

    def _put(self, octets: bytes) -> None:
        self._output += octets[: OUTPUT_LIMIT - len(self._output)]
