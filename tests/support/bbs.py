"""A board on a bench: an engine, a clock set by hand, a real database in memory and real directories."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.answer import HASH, place

from ansam.answer.bbs.board import Backing
from ansam.answer.bbs.main import BbsService, FileService
from ansam.answer.bbs.settings import BbsSettings, FileArea, MessageArea
from ansam.answer.events import AnswerEvent, CheckPassword, DoWork, RunCommand, StopCommand
from ansam.answer.house import House
from ansam.answer.place import Place
from ansam.answer.users import User, UserBook
from ansam.answer.visit import SessionState
from ansam.errors import AnsamError
from ansam.io.bbs_library import BbsLibrary
from ansam.io.bbs_store import BbsStore

START = datetime(2026, 8, 3, 14, 5, 9, tzinfo=UTC)
AREAS = (MessageArea("general", "General"), MessageArea("news", "News", sysop_only=True))


class FastStore(BbsStore):
    """A database whose hashes take no time."""

    def hash(self, password: str) -> str:
        return "$argon2id$of " + password


def settings(directory: Path, **changes: object) -> BbsSettings:
    """A board with two message areas and, below `directory`, a file area, texts and a place for work."""
    for name in ("files", "texts", "work"):
        (directory / name).mkdir(exist_ok=True)
    made = BbsSettings(
        name="Test Board",
        sysops=("ali",),
        texts=str(directory / "texts"),
        work=str(directory / "work"),
        messages=AREAS,
        files=(FileArea("files", str(directory / "files"), "Files", "held"),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class World:
    """What all callers of one board share: time, database, disk, house.

    Args:
        made: The board's settings.
    """

    def __init__(self, made: BbsSettings) -> None:
        self.now = 100.0
        self.settings = made
        self.store = FastStore("sqlite://")
        self.backing = Backing(self.store, BbsLibrary(made))
        self.house = House()
        self.users = UserBook([User("guest"), User("ali", HASH)])

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.now - 100.0)

    def place(self) -> Place:
        return replace(place(self.house), users=self.users, clock=self.clock)

    def call(self, connect: str = "2400/NONE", *, files: bool = False, user: User | None = None) -> "Call":
        service = (FileService if files else BbsService)(self.settings, self.backing)
        return Call(self, service(self.place(), connect, "none", self.now, user))  # type: ignore[arg-type]


class Call:
    """One caller, who reads as fast as the line brings it.

    Args:
        world: Where.
        visit: The engine.
    """

    def __init__(self, world: World, visit: object) -> None:
        self.world = world
        self.visit = visit
        self.events: list[AnswerEvent] = []
        self.screen = bytearray()
        self.on_command: Callable[[RunCommand], None] = lambda order: None

    @property
    def over(self) -> bool:
        return self.visit.state is SessionState.OVER  # type: ignore[attr-defined]

    def drain(self) -> bytes:
        """Take what the engine says and do what it asks until it waits for time or the caller."""
        out = bytearray()
        while True:
            data = self.visit.take_output(self.world.now)  # type: ignore[attr-defined]
            events = self.visit.take_events()  # type: ignore[attr-defined]
            out += data
            for event in events:
                self._obey(event)
            if not data and not events:
                self.screen += out
                return bytes(out)

    def _obey(self, event: AnswerEvent) -> None:
        self.events.append(event)
        if isinstance(event, CheckPassword):
            fits = event.password_hash == "$argon2id$of " + event.password.decode(errors="replace")
            self.visit.password_checked(fits, self.world.now)  # type: ignore[attr-defined]
        elif isinstance(event, DoWork):
            result, trouble = None, ""
            try:
                result = event.work()
            except AnsamError as error:
                trouble = error.message
            if event.answered:
                self.visit.work_done(result, trouble)  # type: ignore[attr-defined]
        elif isinstance(event, RunCommand):
            self.on_command(event)

    def wait(self, seconds: float) -> bytes:
        """Let time pass; return what was said."""
        end = self.world.now + seconds
        out = bytearray(self.drain())
        while not self.over and (due := self.visit.deadline()) is not None and due <= end:  # type: ignore[attr-defined]
            self.world.now = max(self.world.now, due)
            self.visit.handle_timer(self.world.now)  # type: ignore[attr-defined]
            out += self.drain()
        self.world.now = end
        return bytes(out)

    def rest(self, limit: float = 600.0) -> bytes:
        """Let time pass until nothing more is said; return what was."""
        out = bytearray(self.drain())
        waited = 0.0
        quiet = 0.0
        while quiet < 3.0 and waited < limit and not self.over:
            said = self.wait(0.5)
            out += said
            waited += 0.5
            quiet = 0.0 if said else quiet + 0.5
        return bytes(out)

    def types(self, text: str | bytes) -> str:
        """Type something; return what comes until the board waits again, as text."""
        data = text.encode("cp437") if isinstance(text, str) else text
        while data and not self.over:
            taken = self.visit.receive(data, self.world.now)  # type: ignore[attr-defined]
            data = data[taken:]
            self.screen += self.drain() if data else b""
        return self.rest().decode("cp437")

    def log_on(self, name: str = "guest", password: str = "") -> str:
        """Log on; return what was seen."""
        seen = self.rest().decode("cp437")
        seen += self.types(name + "\r")
        return seen + (self.types(password + "\r") if password else "")

    def named(self, kind: type) -> list[AnswerEvent]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]


__all__ = ["Call", "StopCommand", "World", "settings"]
