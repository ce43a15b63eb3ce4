"""The board: from the greeting to good-bye, and the main menu."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ansam.answer.bbs.board import Backing
from ansam.answer.bbs.doors import Doors
from ansam.answer.bbs.files import Files
from ansam.answer.bbs.logon import Logon
from ansam.answer.bbs.messages import Messages
from ansam.answer.bbs.preferences import Preferences
from ansam.answer.bbs.screen import Colour, clean
from ansam.answer.bbs.settings import MAIL, BbsSettings
from ansam.answer.bbs.steps import Steps, Unavailable
from ansam.answer.bbs.talk import Talk
from ansam.answer.bbs.visitor import Visitor
from ansam.answer.events import Trouble
from ansam.answer.place import Place
from ansam.answer.users import User
from ansam.answer.visit import Visit
from ansam.units import Seconds

MENU = {
    "M": "Messages",
    "E": "E-mail",
    "N": "New messages",
    "F": "Files",
    "B": "Bulletins",
    "D": "Doors",
    "W": "Who is on",
    "L": "Last callers",
    "C": "Chat",
    "P": "Page the sysop",
    "S": "Your settings",
    "T": "Time",
    "X": "Menus on/off",
    "G": "Goodbye",
}
LAST_CALLERS = 10
BULLETINS = 9
CHAT_LINE = 200


@dataclass(frozen=True, slots=True)
class BbsService:
    """Opens the board for callers: an `Opener`.

    Attributes:
        settings: Of the board.
        backing: Database and disk.
    """

    settings: BbsSettings
    backing: Backing

    def __call__(
        self, place: Place, connect: str, caller_id: str, now: Seconds, user: User | None = None
    ) -> Visit:
        """Begin a visit; `user` is somebody who has logged in at the line's own prompt."""

        def dialogue(talk: Talk) -> Steps[str]:
            visitor = Visitor(talk, place, self.settings, self.backing, caller_id)
            return _Bbs(visitor).run(user)

        return Talk(dialogue, connect, now, float(self.settings.idle_seconds))


class _Bbs:
    """The board for one caller."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._talk = visitor.talk
        self._board = visitor.backing.board
        self._messages = Messages(visitor)
        self._files = Files(visitor)
        self._actions: dict[str, Callable[[], Steps[object]]] = {
            "M": self._messages.run,
            "E": self._messages.mail,
            "N": self._messages.read_new,
            "F": self._files.run,
            "B": self._bulletins,
            "D": Doors(visitor).run,
            "W": self._who,
            "L": self._last_callers,
            "C": self._chat,
            "P": self._page,
            "S": Preferences(visitor).run,
            "T": self._time,
            "X": self._expert,
        }

    def run(self, user: User | None) -> Steps[str]:
        """Serve the caller; return why the call ended."""
        logon = Logon(self._visitor)
        yield from logon.greet()
        known = yield from (logon.identify() if user is None else logon.known_already(user))
        if not known:
            return "not logged on"
        number = yield from logon.come_in()
        if not number:
            return "no time left today"
        began = self._talk.now
        try:
            yield from self._welcome()
            yield from self._menu()
        finally:
            self._leave(number, began)
        return f"{self._visitor.name} logged off"

    def _leave(self, number: int, began: Seconds) -> None:
        visitor, talk = self._visitor, self._talk
        if visitor.seat is not None:
            visitor.place.house.leave(visitor.seat)
        when = visitor.now()
        talk.later(lambda: self._board.call_ended(number, when))
        visitor.change(day_seconds=visitor.account.day_seconds + talk.now - began)

    def _welcome(self) -> Steps[None]:
        visitor, talk = self._visitor, self._talk
        talk.say()
        talk.say(f"Welcome, {visitor.name}.", Colour.TITLE)
        if visitor.previous is not None:
            talk.say(f"Your last call was on {visitor.moment(visitor.previous)}.")
        yield from visitor.display("news")
        counts = yield from self._messages.counts()
        mail = counts[MAIL].new
        new = sum(count.new for area, count in counts.items() if area != MAIL)
        if mail:
            talk.say(f"There is new mail for you: {mail}.", Colour.ALARM)
        talk.say(f"New messages: {new}.")
        if visitor.previous is None:
            talk.say("A key stops long texts, ^S and ^Q hold and go on.")

    def _menu(self) -> Steps[None]:
        visitor, talk = self._visitor, self._talk
        help_wanted = False
        while True:
            visitor.title(visitor.settings.name)
            if visitor.account.expert and not help_wanted:
                shown = True
            else:
                shown = yield from visitor.display("menu")
            if not shown:
                visitor.menu(MENU, help_wanted)
            for text in visitor.seat.take_messages() if visitor.seat is not None else ():
                talk.say(text, Colour.ALARM)
            key = yield from visitor.prompt("Main", "".join(MENU))
            help_wanted = key == "?"
            if key == "G":
                if not (yield from visitor.display("goodbye")):
                    talk.say(f"Goodbye, {visitor.name}. Thank you for calling.")
                return
            if key in self._actions:
                try:
                    yield from self._actions[key]()
                except Unavailable as error:
                    talk.tell(Trouble(f"bbs: {error}"))
                    talk.say("That can not be had at the moment.", Colour.ALARM)

    # -- small things ----------------------------------------------------------------------------------------

    def _who(self) -> Steps[None]:
        talk = self._talk
        lines = []
        for number, seat in enumerate(self._visitor.place.house, 1):
            minutes = int(talk.now - seat.since) // 60
            chat = " (chat)" if seat.chatting else ""
            where = "" if self._visitor.narrow else f"{seat.port:<9} {seat.connect:<30.30}"
            lines.append(f"{number:>2} {seat.user:<16.16} {where}{minutes:>4} min{chat}")
        yield from talk.page(lines)

    def _last_callers(self) -> Steps[None]:
        visitor = self._visitor
        calls = yield from self._talk.work(lambda: self._board.last_calls(LAST_CALLERS))
        lines = []
        for call in calls:
            time = "" if call.ended is None else f"{(call.ended - call.began) / 60:>4.0f} min"
            where = "" if visitor.narrow else f"{call.port:<9.9} {call.connect:<24.24}"
            lines.append(f"{call.name:<14.14} {visitor.moment(call.began)} {where}{time}".rstrip())
        yield from self._talk.page(lines)

    def _bulletins(self) -> Steps[None]:
        talk, library = self._talk, self._visitor.backing.library
        endings = (".ans", ".asc", ".txt", ".seq")
        there = yield from talk.work(
            lambda: [n for n in range(1, BULLETINS + 1) if library.text([f"bulletin{n}{e}" for e in endings])]
        )
        if not there:
            talk.say("There are no bulletins.")
            return
        yield from self._visitor.display("bulletins")
        keys = "".join(map(str, there))
        while True:
            key = yield from talk.choose(f"Bulletin {', '.join(keys)} or Q (Q): ", keys + "Q", "Q")
            if key == "Q":
                return
            yield from self._visitor.display(f"bulletin{key}")

    def _time(self) -> Steps[None]:
        visitor, talk = self._visitor, self._talk
        talk.say(f"It is {visitor.moment(visitor.now())}.")
        if visitor.seat is not None:
            talk.say(f"You are on for {int(talk.now - visitor.seat.since) // 60} min at {talk.connect}.")
        if talk.ends_at is not None:
            talk.say(f"You have {talk.left / 60:.0f} min left.")
        yield from ()

    def _expert(self) -> Steps[None]:
        self._visitor.change(expert=not self._visitor.account.expert)
        self._talk.say(f"Menus are {'off' if self._visitor.account.expert else 'on'}.")
        yield from ()

    def _page(self) -> Steps[None]:
        visitor, talk = self._visitor, self._talk
        reason = yield from talk.ask("What is it about? ", 50)
        if not reason:
            return
        text = f"{visitor.name} pages the sysop: {reason}"
        talk.tell(Trouble(f"bbs: {text}"))
        there = [seat for seat in visitor.place.house if visitor.settings.is_sysop(seat.user)]
        for seat in there:
            seat.deliver(f"*** {text}\a")
        talk.say("The sysop is on line: try C for chat." if there else "The sysop will find a note of it.")

    def _chat(self) -> Steps[None]:
        """Talk with the others who chat, on this board and at the menus of other lines."""
        talk, seat, house = self._talk, self._visitor.seat, self._visitor.place.house
        if seat is None:
            return
        waiting: list[str] = []

        def heard() -> bool:
            waiting.extend(seat.take_messages())
            return bool(waiting)

        others = house.start_chatting(seat)
        names = ", ".join(other.user for other in others) or "nobody else yet"
        talk.say(f"Chat: {names}. A line with only . leaves.")
        try:
            line = ""
            while line != ".":
                yield from talk.listen(heard, 3600.0)
                for message in waiting:
                    talk.say(clean(message), Colour.NAME)
                waiting.clear()
                if talk.has_keys:
                    line = (yield from talk.ask("", CHAT_LINE)).strip()
                    if line and line != "." and not house.say(seat, line):
                        talk.say("(nobody is here to hear you)")
        finally:
            house.stop_chatting(seat)


@dataclass(frozen=True, slots=True)
class FileService:
    """Opens a file server for callers: an `Opener`. The settings' file areas are all there is.

    Attributes:
        settings: Of a board; its files and transfers count.
        backing: Database and disk.
    """

    settings: BbsSettings
    backing: Backing

    def __call__(
        self, place: Place, connect: str, caller_id: str, now: Seconds, user: User | None = None
    ) -> Visit:
        """Begin a visit."""

        def dialogue(talk: Talk) -> Steps[str]:
            return _serve_files(Visitor(talk, place, self.settings, self.backing, caller_id))

        return Talk(dialogue, connect, now, float(self.settings.idle_seconds))


def _serve_files(visitor: Visitor) -> Steps[str]:
    talk = visitor.talk
    visitor.account = replace(visitor.account, look=talk.screen.look)
    if visitor.settings.call_minutes:
        talk.set_time(visitor.settings.call_minutes * 60.0)
    visitor.title(f"{visitor.settings.name}  {talk.connect}")
    files = Files(visitor, {"L": "List", "S": "Search", "D": "Download", "U": "Upload", "Q": "Quit"}, "Files")
    yield from files.list_files()
    while True:
        try:
            yield from files.run()
            break
        except Unavailable as error:
            talk.tell(Trouble(f"file server: {error}"))
            talk.say("That can not be had at the moment.", Colour.ALARM)
    talk.say("Goodbye.")
    return "logged off"
