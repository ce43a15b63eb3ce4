"""Callers who are put through: to a board or another host over the network, or to a command on a pty.

A session may outlive its line. Then the caller is told a token at the beginning; who calls again from the
same number within the time, and knows the token, is back in it.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ansam.answer.command_visit import CommandVisit
from ansam.answer.errand import errand, surroundings
from ansam.answer.events import HoldCommand, OpenBridge, Reattach, RunCommand, StopCommand
from ansam.answer.house import Seat
from ansam.answer.lines import EndOfInput, Interrupt, Line, LineEditor
from ansam.answer.service_url import BridgeTarget
from ansam.answer.users import Command, User
from ansam.answer.visit import SessionState, Visit
from ansam.units import Seconds

if TYPE_CHECKING:
    from ansam.answer.place import Place

TRIES = 3
"""Wrong tokens before a new session begins."""

TOKEN_TIME = 60.0
"""Seconds to type a token."""

NOBODY = ("", "none", "P", "O")
"""Callers of whom no number is known: theirs could be anybody's."""

MOST_HELD = 2
"""Sessions of one caller that wait; the oldest makes room."""


class Holding:
    """Whose sessions wait for their callers; one for all lines."""

    def __init__(self) -> None:
        self._callers: dict[str, str] = {}

    def put(self, token: str, caller: str) -> list[str]:
        """A session waits; return the tokens of those that have to end for it."""
        mine = [known for known, whose in self._callers.items() if whose == caller]
        too_many = mine[: max(0, len(mine) + 1 - MOST_HELD)]
        for known in too_many:
            self.drop(known)
        self._callers[token] = caller
        return too_many

    def drop(self, token: str) -> None:
        """It does not any more."""
        self._callers.pop(token, None)

    def awaits(self, caller: str) -> bool:
        """Return whether a session of this caller (see `_whose`) waits."""
        return caller in self._callers.values()

    def find(self, token: str, caller: str) -> str | None:
        """Return the token of a caller's session that is the one typed, or None; in constant time."""
        typed = token.strip().upper().encode("utf-8", "replace")
        mine = [known for known, whose in self._callers.items() if whose == caller]
        found = [known for known in mine if hmac.compare_digest(known.encode(), typed)]
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class BridgeService:
    """Puts the callers of a line through; see `visit.Opener`.

    Attributes:
        target: Where to.
        holding: Whose sessions wait.
        token: Makes one that nobody can guess, in capitals and digits.
    """

    target: BridgeTarget
    holding: Holding
    token: Callable[[], str]

    def __call__(
        self, place: "Place", connect: str, caller_id: str, now: Seconds, user: User | None = None
    ) -> Visit:
        """Begin the visit of a caller."""
        return BridgeVisit(self, place, connect, caller_id, now, user)


class BridgeVisit(CommandVisit):
    """One caller.

    Args:
        service: Where they are put through to.
        place: The line called.
        connect: Connect string without the word CONNECT and the blank.
        caller_id: Caller's number, or ``none``.
        now: Time.
        user: A caller who has logged in, or None.
    """

    def __init__(
        self,
        service: BridgeService,
        place: "Place",
        connect: str,
        caller_id: str,
        now: Seconds,
        user: User | None = None,
    ) -> None:
        super().__init__()
        self._service = service
        self._place = place
        self._connect, self._caller = connect, caller_id
        self._login = user.name if user is not None else ""
        self._whose = _whose(caller_id, user)
        self._seat: Seat | None = None
        self._token = ""
        self._tries = 0
        self._editor = LineEditor(echo=False, mask=True)  # nobody reads a token off the screen
        self._due: Seconds | None = None
        self._out = bytearray()
        if user is not None:
            self._seat = Seat(user.name, place.settings.port, connect, since=now, wake=place.wake)
            place.house.enter(self._seat)
        if self._known and service.holding.awaits(self._whose):
            self.state = SessionState.NAME
            self._say("\r\nYour last session is still there. ")
            self._ask(now)
        else:
            self._begin(now)

    @property
    def _known(self) -> bool:
        return self._service.target.hold > 0 and self._whose != ""

    # -- the line --------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: Seconds) -> int:
        """Take octets from the caller; return how many were taken."""
        for taken, octet in enumerate(data):
            if self.state is SessionState.COMMAND:
                passed = super().receive(data[taken:], now)
                if passed:
                    self._not_idle(now)
                return taken + passed
            if self.state is SessionState.NAME:
                self._key(octet, now)
        return len(data)

    def take_output(self, now: Seconds) -> bytes:
        """Return octets for the caller; call again until there are none."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` wants to be called, or None."""
        return self._due

    def handle_timer(self, now: Seconds) -> None:
        """A token that does not come is none; where nothing passes either way, the call is over."""
        if self._due is None or now < self._due:
            return
        if self.state is SessionState.NAME:
            self._say("\r\n")
            self._begin(now)
        elif self.state is SessionState.COMMAND:
            self._say(f"\r\nNothing typed or shown for {_span(self._service.target.idle)}. Goodbye.\r\n")
            self._events.append(StopCommand())
            self._end("idle")

    def command_spoke(self, until: Seconds) -> None:
        """The far side has said something; at `until` the line will have carried it."""
        self._not_idle(until)

    def carrier_lost(self) -> None:
        """The caller is gone; the session may wait."""
        if self.state is not SessionState.COMMAND or not self._token:
            super().carrier_lost()
            return
        holding = self._service.holding
        instead = tuple(holding.put(self._token, self._whose))
        hold = self._service.target.hold
        self._events.append(HoldCommand(self._token, hold, holding.drop, instead))
        self._end("no carrier")

    def command_ended(self, status: int, error: str = "") -> None:
        """The far side is over, or could not be reached: where it is concerns no caller, the log has it."""
        if error:
            self._say("\r\nWhat this line leads to does not answer now. Please call again later.\r\n")
        self._end(error or f"the far side closed (status {status})")

    # -- tokens ----------------------------------------------------------------------------------------------

    def _key(self, octet: int, now: Seconds) -> None:
        echo, done = self._editor.feed(octet)
        self._out += echo
        if isinstance(done, Line):
            self._entered(done.data.decode("latin-1"), now)
        elif isinstance(done, Interrupt):
            self._ask(now)
        elif isinstance(done, EndOfInput):
            self._end("caller left at the token")

    def _ask(self, now: Seconds) -> None:
        self._due = now + TOKEN_TIME
        self._say("Token (Enter: a new session): ")

    def _entered(self, typed: str, now: Seconds) -> None:
        if not typed.strip():
            self._begin(now)
            return
        token = self._service.holding.find(typed, self._whose)
        if token is not None:
            self._service.holding.drop(token)
            self._token = token
            self._couple(now)
            self._events.append(Reattach(token))
            return
        self._tries += 1
        if self._tries >= TRIES:
            self._say("A new session, then.\r\n")
            self._begin(now)
        else:
            self._say("That is not its token. ")
            self._ask(now)

    # -- the far side ----------------------------------------------------------------------------------------

    def _couple(self, now: Seconds) -> None:
        self.state, self._due = SessionState.COMMAND, None
        self._not_idle(now)

    def _not_idle(self, now: Seconds) -> None:
        """Something passed, or will have passed, at a time."""
        idle = self._service.target.idle
        if idle and self.state is SessionState.COMMAND:
            self._due = max(self._due or 0.0, now + idle)

    def _begin(self, now: Seconds) -> None:
        self._couple(now)
        target = self._service.target
        if self._known:
            self._token = self._service.token()
            minutes = max(1, round(target.hold / 60))
            self._say(
                f"\r\nShould the line break: call again within {minutes} min, your token is {self._token}\r\n"
            )
        self._events.append(self._order())

    def _order(self) -> RunCommand | OpenBridge:
        target, settings = self._service.target, self._place.settings
        user = target.user or self._login
        if target.term:
            settings = replace(settings, term=target.term)
        if target.argv:
            command = Command(target.argv, run_as=target.user)
            return errand(command, self._login or user or "guest", self._connect, self._caller, settings)
        return OpenBridge(target, surroundings(user, self._connect, self._caller, settings))

    def _say(self, text: str) -> None:
        self._out += text.encode("latin-1", "replace")

    def _end(self, reason: str) -> None:
        super()._end(reason)
        self._due = None
        if self._seat is not None:
            self._place.house.leave(self._seat)
            self._seat = None


def _whose(caller: str, user: User | None) -> str:
    """Return whom a session belongs to: a user who has proved a password, else a number; "": nobody knows."""
    if user is not None and user.password_hash:
        return f"user {user.name}"
    return "" if caller in NOBODY else caller


def _span(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"
