"""One caller from CONNECT to the last word: issue, login, password, then the menu or a command.

::

    NAME ──► PASSWORD ──► VERIFYING ──► MENU ──┐
     ▲            wrong │      └──────► COMMAND ┴─► OVER
     └───── PENALTY ◄───┘

Octets in by `receive`, octets out by `take_output`; what io must do by `take_events`. `now` is in
monotonic seconds.
"""

from typing import Any

from ansam.answer.command_input import CommandInput
from ansam.answer.errand import errand
from ansam.answer.escapes import PromptValues, expand
from ansam.answer.events import AnswerEvent, CheckPassword, LoggedIn, LoginFailed, StopCommand
from ansam.answer.first_octets import EMSI_WORD, MAILERS, LcpEar
from ansam.answer.house import Seat
from ansam.answer.lines import EndOfInput, Interrupt, Line, LineEditor
from ansam.answer.login_config import AUTO_PPP, FIDO
from ansam.answer.logname import MODEM_ERRORS, CaseFolder, Leave, Name, NameReader, StartAgain
from ansam.answer.menu import MenuEngine, MenuState, printable
from ansam.answer.place import Place
from ansam.answer.service_url import BridgeTarget
from ansam.answer.users import Bbs, Command, Ppp, User
from ansam.answer.visit import SessionState, Visit
from ansam.units import Seconds

EMSI_REQUEST = b"**EMSI_REQA77E\r\x11              \r"
"""FidoNet's EMSI request as mgetty sends it: the blanks wipe it off a person's screen (FSC-0056)."""

PASSWORD_TIME: Seconds = 60.0
LAST_MINUTE: Seconds = 60.0
OUTPUT_LIMIT = 8192
"""Octets waiting for the line, beyond which nothing more is taken from the caller."""


class Session:
    """One caller.

    Args:
        place: The line called.
        connect: Connect string without the word CONNECT and the blank.
        caller_id: Caller's number, or ``none``.
        now: When the issue text is due: now.
    """

    def __init__(self, place: Place, connect: str, caller_id: str, now: Seconds) -> None:
        self.state = SessionState.NAME
        self.reason = ""
        self.successor: Visit | None = None
        self.user: User | None = None
        self._place = place
        self._connect = connect
        self._caller_id = caller_id
        self._out = bytearray()
        self._events: list[AnswerEvent] = []
        self._name = NameReader()
        self._case = CaseFolder()
        self._ear = LcpEar() if place.logins.find(AUTO_PPP) or place.ppp else None
        self._mailers = MAILERS if place.logins.find(FIDO) else {}
        self._password = LineEditor(echo=False)
        self._login = ""
        self._failures = 0
        self._warned = False
        login_time = place.settings.login_time
        self._login_due: Seconds | None = now + login_time if login_time else None
        self._due: Seconds | None = None
        self._menu: MenuEngine | None = None
        self._seat: Seat | None = None
        self._to_command = CommandInput()
        self._show_issue()

    # -- the line --------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: Seconds) -> int:
        """Take octets from the caller; return how many were taken (fewer while the output is full)."""
        for taken, octet in enumerate(data):
            if self.state is SessionState.COMMAND:
                return taken + self._to_command.add(data[taken:])
            if len(self._out) >= OUTPUT_LIMIT or self.successor is not None:
                return taken
            self._octet(octet, now)
        return len(data)

    def take_output(self, now: Seconds) -> bytes:
        """Return octets for the caller; call again until there are none."""
        self._pull_menu(now)
        out = bytes(self._out)
        self._out.clear()
        return out

    def take_events(self) -> list[AnswerEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` wants to be called, or None."""
        return self._due

    def handle_timer(self, now: Seconds) -> None:
        """Let timers act; calling early is harmless."""
        if self._due is None or now < self._due:
            return
        self._due = None
        if self.state is SessionState.NAME:
            self._login_late(now)
        elif self.state is SessionState.PENALTY:
            self._after_penalty(now)
        elif self.state is SessionState.PASSWORD:
            self._end(
                f"\r\nNo password within {PASSWORD_TIME:.0f} seconds. Goodbye.\r\n", "password time-out"
            )
        elif self.state is SessionState.MENU:
            minutes = self._place.settings.idle_time / 60
            self._end(f"\r\nNo key for {minutes:.0f} minutes. Goodbye.\r\n", "idle")

    def carrier_lost(self) -> None:
        """The caller is gone."""
        if self.state is SessionState.COMMAND:
            self._events.append(StopCommand())
        self._out.clear()
        self._end("", "no carrier")

    # -- commands --------------------------------------------------------------------------------------------

    def take_command_input(self) -> bytes:
        """Return the caller's octets for the command since the last call."""
        return self._to_command.take()

    def command_spoke(self, until: Seconds) -> None:
        """No time runs while a command has the line."""

    def command_ended(self, status: int, error: str = "") -> None:
        """The command is over: its exit status, or why it could not be started."""
        if self.state is SessionState.COMMAND:
            self._end(f"\r\n{error}\r\n" if error else "", error or f"command ended with status {status}")

    def work_done(self, result: Any, error: str) -> None:
        """Nothing is asked for here."""

    # -- login -----------------------------------------------------------------------------------------------

    def _values(self) -> PromptValues:
        place = self._place
        return PromptValues(
            machine=place.machine,
            port=place.settings.port,
            speed=place.settings.speed,
            connect=self._connect,
            caller_id=self._caller_id,
            users=len(place.house),
            moment=place.clock(),
        )

    def _show_issue(self) -> None:
        self._out += b"\r"
        values = self._values()
        for line in self._place.settings.issue.splitlines(keepends=True):
            self._out += expand(line, values) + b"\r"
        self._prompt()

    def _prompt(self) -> None:
        """Ask for a name. Deviation: mgetty starts the login time again here; ours runs on from CONNECT."""
        if self._place.settings.emsi:
            self._out += EMSI_REQUEST
        self._out += b"\r\n" + expand(self._place.settings.login_prompt, self._values())
        self._name.clear()
        self.state = SessionState.NAME
        self._due = self._login_due

    def _login_late(self, now: Seconds) -> None:
        if not self._warned:
            self._out += b"\r\n\a\r\nHey! Please login now. You have one minute left\r\n"
            self._warned = True
            self._login_due = now + LAST_MINUTE
            self._prompt()
            return
        minutes = int(self._place.settings.login_time) // 60 + 1
        self._end(f"\r\n\a\r\nYour login time ({minutes} minutes) ran out. Goodbye.\r\n", "login time-out")

    def _octet(self, octet: int, now: Seconds) -> None:
        if self.state is SessionState.NAME:
            self._first_octet(octet, now)
        elif self.state is SessionState.PASSWORD:
            self._password_octet(octet, now)
        elif self.state is SessionState.MENU and self._menu is not None:
            self._restart_idle(now)
            self._menu.receive(octet, now)
            self._out += self._menu.take_replies()
            if self._menu.state is MenuState.OVER:
                self._end("", f"{self._login} logged off")
        # While a password is checked or a penalty runs, keys are thrown away.

    def _first_octet(self, octet: int, now: Seconds) -> None:
        """Take an octet at the login prompt, of a name or of a program that calls."""
        if octet in self._mailers:
            self._serve_by_rule(FIDO, self._mailers[octet], now)
            return
        octets = bytes([octet])
        if self._ear is not None:
            octets, peer = self._ear.feed(octet)
            if peer is not None:
                self._to_command.add(peer.octets)
                self._serve_ppp(now)
        for each in octets:
            if self.state is SessionState.NAME:
                self._name_octet(each, now)

    def _serve_ppp(self, now: Seconds) -> None:
        """Let the caller's computer have the program for PPP."""
        ppp = self._place.ppp
        if not self._serve_by_rule(AUTO_PPP, AUTO_PPP, now) and ppp is not None:
            self._login = AUTO_PPP
            self._seat = Seat("ppp", self._place.settings.port, self._connect, now, self._place.wake)
            self._place.house.enter(self._seat)
            self._run(ppp.calling, raw=True)

    def _name_octet(self, octet: int, now: Seconds) -> None:
        echo, typed = self._name.feed(octet)
        self._out += echo
        if isinstance(typed, Name):
            self._named(typed, now)
        elif isinstance(typed, StartAgain):
            self._prompt()
        elif isinstance(typed, Leave):
            self._end("", "caller left at the login prompt")

    def _serve_by_rule(self, key: str, login: str, now: Seconds) -> bool:
        """Let the program of a `login.config` rule serve the caller; return whether there is one.

        ``/bin/login`` counts as none where passwords are asked here.
        """
        place = self._place
        rule = place.logins.find(key)
        if rule is None or (rule.is_login and not place.settings.system_login):
            return False
        self._login = login
        if rule.utmp:
            who = login if rule.utmp == "@" else rule.utmp
            self._seat = Seat(who, place.settings.port, self._connect, since=now, wake=place.wake)
            place.house.enter(self._seat)
        self._run(rule.command, raw=key in (AUTO_PPP, FIDO))
        return True

    def _named(self, typed: Name, now: Seconds) -> None:
        if typed.text in MODEM_ERRORS:
            self._end("", f"modem said {typed.text}")
            return
        if self._mailers and typed.text.startswith(EMSI_WORD) and self._serve_by_rule(FIDO, typed.text, now):
            return
        name = self._case.fold(typed.text) if typed.text else ""
        if name is None:
            self._out += (
                b"\r\nAll capitals? Please type the name again, in small letters if you have them.\r\n"
            )
        if not name:
            self._show_issue()
            return
        self._login = name
        if self._serve_by_rule(name, name, now):
            return
        if self._place.settings.system_login:
            self._run(Command(("/bin/login", "@"), run_as="root"))
            return
        user = self._place.users.find(name)
        if user is not None and not user.password_hash:
            self._let_in(user, now, after_cr=typed.by_cr)
        else:
            self._ask_password(now, typed.by_cr)

    def _ask_password(self, now: Seconds, after_cr: bool) -> None:
        self.state = SessionState.PASSWORD
        self._password = LineEditor(echo=False, after_cr=after_cr)
        self._out += b"Password: "
        self._due = now + PASSWORD_TIME

    def _password_octet(self, octet: int, now: Seconds) -> None:
        echo, done = self._password.feed(octet)
        self._out += echo
        if isinstance(done, Line):
            user = self._place.users.find(self._login)
            self.state = SessionState.VERIFYING
            self._due = None
            self._events.append(CheckPassword(self._login, user.password_hash if user else "", done.data))
        elif isinstance(done, Interrupt):
            self._prompt()
        elif isinstance(done, EndOfInput):
            self._end("", "caller left at the password")

    def password_checked(self, fits: bool, now: Seconds) -> None:
        """Take the answer to `CheckPassword`."""
        if self.state is not SessionState.VERIFYING:
            return
        user = self._place.users.find(self._login)
        if fits and user is not None:
            self._place.house.password_fitted(self._login)
            self._let_in(user, now, after_cr=True)
            return
        self._failures += 1
        self._events.append(LoginFailed(printable(self._login.encode())))
        self.state = SessionState.PENALTY
        self._due = now + self._place.house.password_failed(self._login)

    def _after_penalty(self, now: Seconds) -> None:
        if self._failures >= self._place.settings.tries:
            self._end("\r\nLogin incorrect\r\nToo many tries. Goodbye.\r\n", "too many wrong passwords")
            return
        self._out += b"\r\nLogin incorrect\r\n"
        self._prompt()

    # -- inside ----------------------------------------------------------------------------------------------

    def _let_in(self, user: User, now: Seconds, after_cr: bool) -> None:
        place = self._place
        self.user = user
        self._due = None
        if isinstance(user.entry, Bbs) and place.bbs is not None:
            # One name without a password is a door for all: the board asks who comes.
            known = user if user.password_hash else None
            self.successor = place.bbs(place, self._connect, self._caller_id, now, known)
            return
        if isinstance(user.entry, BridgeTarget) and place.bridge is not None:
            self._events.append(LoggedIn(user.name))
            opener = place.bridge(user.entry)
            self.successor = opener(place, self._connect, self._caller_id, now, user)
            return
        self._seat = Seat(user.name, place.settings.port, self._connect, since=now, wake=place.wake)
        place.house.enter(self._seat)
        self._events.append(LoggedIn(user.name))
        if isinstance(user.entry, Command):
            self._run(user.entry)
            return
        if isinstance(user.entry, Ppp) and place.ppp is not None:
            self._run(place.ppp.logged_in, raw=True)
            return
        self.state = SessionState.MENU
        self._menu = MenuEngine(self._seat, place.house, place.shelf, place.clock, after_cr)
        self._restart_idle(now)

    def _run(self, command: Command, raw: bool = False) -> None:
        self.state = SessionState.COMMAND
        self._due = None
        order = errand(command, self._login, self._connect, self._caller_id, self._place.settings, raw=raw)
        self._events.append(order)

    def _restart_idle(self, now: Seconds) -> None:
        idle = self._place.settings.idle_time
        self._due = now + idle if idle else None

    def _pull_menu(self, now: Seconds) -> None:
        if self._menu is None or self.state is not SessionState.MENU or self._out:
            return
        reading = self._menu.state is MenuState.READING
        self._out += self._menu.pull(now)
        if reading:
            self._restart_idle(now)
        if self._menu.state is MenuState.OVER:
            self._end("", f"{self._login} logged off")

    def _end(self, text: str, reason: str) -> None:
        if self.state is SessionState.OVER:
            return
        self._out += text.encode()
        self.state = SessionState.OVER
        self.reason = reason
        self._due = None
        if self._seat is not None:
            self._place.house.leave(self._seat)
