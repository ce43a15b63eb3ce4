"""From CONNECT to the main menu: the screen, the greeting, name and password, or a new account."""

from collections.abc import Callable
from dataclasses import replace

from ansam.answer.bbs.board import Account
from ansam.answer.bbs.screen import Colour, Emulation
from ansam.answer.bbs.settings import NewUsers
from ansam.answer.bbs.steps import Steps
from ansam.answer.bbs.visitor import Visitor
from ansam.answer.events import LoggedIn, LoginFailed, Trouble
from ansam.answer.house import Seat
from ansam.answer.users import NAME_LIMIT, Bbs, User
from ansam.errors import ConfigError
from ansam.units import Seconds

ANSI_WAIT: Seconds = 2.0
"""For the answer to the cursor's report; at 300 bit/s question and answer take half a second."""

ASK_ANSI = b"\r\x1b[6n\r    \r"
"""Device status report (ECMA-48 §8.3.35); what a plain terminal shows of it is wiped at once."""

PASSWORD_MIN = 4
RESERVED = frozenset({"new", "all", "sysop", "root", "mail"})


class Logon:
    """The way in.

    Args:
        visitor: The caller.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._talk = visitor.talk
        self._board = visitor.backing.board
        self._users = visitor.place.users

    def greet(self) -> Steps[None]:
        """Find out about the screen, and greet."""
        talk, settings = self._talk, self._visitor.settings
        talk.finds_commodores = True
        if settings.detect_ansi:
            talk.raw(ASK_ANSI)
            yield from talk.listen(lambda: talk.screen.ansi, ANSI_WAIT)
        if not (yield from self._visitor.display("welcome")):
            talk.say()
            talk.say(settings.name, Colour.TITLE)
            talk.say(f"{self._visitor.place.settings.port} {talk.connect}".rstrip())
        if talk.screen.look.emulation is Emulation.ASCII:
            talk.say("Commodore 64 or 128: press DEL.")

    def identify(self) -> Steps[bool]:
        """Ask who it is; return whether the caller is known and may come in."""
        talk = self._talk
        for _ in range(self._visitor.settings.tries):
            talk.say()
            new = " or NEW" if self._visitor.settings.new_users is not NewUsers.NONE else ""
            name = _folded((yield from talk.ask(f"Your name{new}: ", NAME_LIMIT)))
            if not name:
                continue
            if name.lower() == "new" and new:
                return (yield from self._join(""))
            user = self._users.find_any_case(name)
            account = yield from talk.work(lambda name=name: self._board.account(name))  # type: ignore[misc]
            if user is None and account is None:
                if new and (
                    yield from talk.confirm(f"{name} is not known here. Are you new?", default=False)
                ):
                    return (yield from self._join(name))
                if new:
                    continue
            if (yield from self._prove(name, user, account)):
                return self._known(name, user, account)
        talk.say("Too many tries. Goodbye.")
        return False

    def _prove(self, name: str, user: User | None, account: Account | None) -> Steps[bool]:
        """Ask for the password; one is asked for of a name that is not known, too."""
        talk, house = self._talk, self._visitor.place.house
        stored = user.password_hash if user is not None else account.password_hash if account else ""
        if user is not None and not stored:
            return True
        password = yield from talk.ask("Password: ", 64, hidden=True)
        if (yield from talk.check(name, stored, password)):
            house.password_fitted(name)
            return True
        talk.tell(LoginFailed(name))
        yield from talk.pause(house.password_failed(name))
        talk.say("That is not right.")
        return False

    def _known(self, name: str, user: User | None, account: Account | None) -> bool:
        if user is not None:
            self.adopt(user, account)
            return True
        assert account is not None
        if not account.approved:
            self._talk.say("The sysop has not let you in yet. Please call again later.")
            return False
        self._visitor.account = account
        return True

    def adopt(self, user: User, account: Account | None) -> None:
        """Take a user of the configuration, who may have no account here yet."""
        if account is None or account.own:
            account = Account(user.name, own=False, created=self._visitor.now())
        self._visitor.account = account

    def known_already(self, user: User) -> Steps[bool]:
        """Take a user who has proved itself at the login prompt.

        One whom the board knows, and not the configuration, must still be there with that password.
        """
        account = yield from self._talk.work(lambda: self._board.account(user.name))
        if self._users.find_any_case(user.name) is not None:
            self.adopt(user, account)
            return True
        if account is None or not account.own or account.password_hash != user.password_hash:
            self._talk.say("The board has changed since. Please call again later.")
            return False
        return self._known(user.name, None, account)

    # -- new users -------------------------------------------------------------------------------------------

    def _join(self, name: str) -> Steps[bool]:
        talk, settings = self._talk, self._visitor.settings
        self._visitor.title("New user")
        while not name or (yield from self._taken(name)):
            name = _folded((yield from talk.ask("Name you want (Enter gives up): ", NAME_LIMIT)))
            if not name:
                return False
        password = yield from self._new_password()
        if not password:
            return False
        hashed = yield from talk.work(lambda: self._board.hash(password))
        columns = yield from self._columns()
        look = replace(talk.screen.look, columns=columns)
        account = Account(
            name,
            hashed,
            approved=settings.new_users is NewUsers.OPEN,
            created=self._visitor.now(),
            look=look,
            automatic=not talk.screen.petscii,
        )
        if not (yield from talk.work(lambda: self._board.create(account))):
            talk.say("Somebody has just taken that name.")
            return False
        if not account.approved:
            talk.tell(Trouble(f"bbs: {name} wants to join; let in by: ansam user approve {name}"))
            talk.say("Thank you. The sysop will look at it; please call again later.")
            return False
        self._users.join(User(name, hashed, Bbs()))
        self._visitor.account = account
        return True

    def _taken(self, name: str) -> Steps[bool]:
        """Return whether a name can not be had, and say why."""
        try:
            User(name)
        except ConfigError as error:
            self._talk.say(f"Not that name: {error.remedy}.")
            return True
        settings = self._visitor.settings
        known = self._users.find_any_case(name) is not None
        if not known:
            known = (yield from self._talk.work(lambda: self._board.account(name))) is not None
        reserved = name.lower() in RESERVED | {settings.sysop.lower()} or settings.is_sysop(name)
        if known or reserved:
            self._talk.say(f"{name} is taken.")
        return known or reserved

    def _new_password(self) -> Steps[str]:
        talk = self._talk
        for _ in range(3):
            password = yield from talk.ask("Password you want: ", 64, hidden=True)
            if len(password) < PASSWORD_MIN:
                talk.say(f"At least {PASSWORD_MIN} characters, please.")
                continue
            if (yield from talk.ask("Once more: ", 64, hidden=True)) == password:
                return password
            talk.say("Those were two different ones.")
        return ""

    def _columns(self) -> Steps[int]:
        if self._talk.screen.petscii:
            return 40
        answer = yield from self._talk.choose("Columns of your screen: 4 = 40, 8 = 80 (8): ", "48", "8")
        return int(answer) * 10

    # -- coming in -------------------------------------------------------------------------------------------

    def come_in(self) -> Steps[int]:
        """Let the caller in; return the number of the call, or 0 where the day's time is used up."""
        visitor, talk = self._visitor, self._talk
        settings, account = visitor.settings, visitor.account
        today = f"{visitor.place.clock():%Y-%m-%d}"
        used = account.day_seconds if account.day == today else 0.0
        if not visitor.sysop:
            limits = [settings.call_minutes * 60.0] if settings.call_minutes else []
            if settings.day_minutes:
                limits.append(settings.day_minutes * 60.0 - used)
            if limits and min(limits) <= 0:
                talk.say("You have used your time for today. Call again tomorrow.")
                return 0
            if limits:
                talk.set_time(min(limits))
        self._use_look(account)
        visitor.previous = account.last_call
        visitor.change(
            calls=account.calls + 1, last_call=visitor.now(), day=today, day_seconds=used, look=account.look
        )
        place = visitor.place
        visitor.seat = Seat(account.name, place.settings.port, talk.connect, talk.now, place.wake)
        place.house.enter(visitor.seat)
        talk.tell(LoggedIn(account.name))
        began: Callable[[], int] = lambda: self._board.call_began(  # noqa: E731
            account.name, place.settings.port, talk.connect, visitor.now()
        )
        return (yield from talk.work(began))

    def _use_look(self, account: Account) -> None:
        found = self._talk.screen.look
        look = account.look
        if account.automatic:
            narrow = found.emulation is Emulation.PETSCII
            look = replace(found if narrow else look, emulation=found.emulation)
        self._visitor.settle(look)


def _folded(name: str) -> str:
    """Return a name without blanks: those within it become underscores."""
    return "_".join(name.split())
