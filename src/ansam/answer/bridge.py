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
from ansam.answer.events import HoldCommand, OpenBridge, Reattach, RunCommand
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

TOKEN_LIMIT = 40
NOBODY = ("", "none", "P", "O")
"""Callers of whom no number is known: theirs could be anybody's."""

_BACK, _DELETE, _KILL, _INTERRUPT = 0x08, 0x7F, 0x15, 0x03

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
        """Return whether a session of this caller waits."""
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
        return BridgeVisit(self, place, connect, caller_id, now, user.name if user else "")


class BridgeVisit(CommandVisit):
    """One caller.

    Args:
        service: Where they are put through to.
        place: The line called.
        connect: Connect string without the word CONNECT and the blank.
        caller_id: Caller's number, or ``none``.
        now: Time.
        login: Name of a caller who has logged in, or "".
    """

    def __init__(
        self,
        service: BridgeService,
        place: "Place",
        connect: str,
        caller_id: str,
        now: Seconds,
        login: str = "",
    ) -> None:
        super().__init__()
        self._service = service
        self._place = place
        self._connect, self._caller, self._login = connect, caller_id, login
        self._token = ""
        self._tries = 0
        self._typed = bytearray()
        self._due: Seconds | None = None
        self._out = bytearray()
        if self._known and service.holding.awaits(caller_id):
            self.state = SessionState.NAME
            self._due = now + TOKEN_TIME
            self._say("\r\nYour last session is still there. Token (Enter: a new session): ")
        else:
            self._begin()

    @property
    def _known(self) -> bool:
        return self._service.target.hold > 0 and self._caller not in NOBODY

    # -- the line --------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: Seconds) -> int:
        """Take octets from the caller; return how many were taken."""
        for taken, octet in enumerate(data):
            if self.state is SessionState.COMMAND:
                return taken + super().receive(data[taken:], now)
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
        """A token that does not come is none."""
        if self._due is not None and now >= self._due:
            self._say("\r\n")
            self._begin()

    def carrier_lost(self) -> None:
        """The caller is gone; the session may wait."""
        if self.state is not SessionState.COMMAND or not self._token:
            super().carrier_lost()
            return
        holding = self._service.holding
        instead = tuple(holding.put(self._token, self._caller))
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
        if octet == 0x0D:
            self._entered(now)
        elif octet in (_BACK, _DELETE):
            if self._typed:
                self._typed.pop()
                self._say("\b \b")
        elif octet in (_KILL, _INTERRUPT):
            self._say("\b \b" * len(self._typed))
            self._typed.clear()
        elif 0x20 < octet < 0x7F and len(self._typed) < TOKEN_LIMIT:
            self._typed.append(octet)
            self._say("*")  # nobody reads it off the screen

    def _entered(self, now: Seconds) -> None:
        typed = self._typed.decode("ascii")
        self._typed.clear()
        self._say("\r\n")
        if not typed:
            self._begin()
            return
        token = self._service.holding.find(typed, self._caller)
        if token is not None:
            self._service.holding.drop(token)
            self.state, self._due, self._token = SessionState.COMMAND, None, token
            self._events.append(Reattach(token))
            return
        self._tries += 1
        if self._tries >= TRIES:
            self._say("A new session, then.\r\n")
            self._begin()
        else:
            self._due = now + TOKEN_TIME
            self._say("That is not its token. Token (Enter: a new session): ")

    # -- the far side ----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.state, self._due = SessionState.COMMAND, None
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
