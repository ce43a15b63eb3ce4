"""An answering line on a bench: a scripted modem, a clock set by hand."""

from datetime import datetime

from ansam.answer.events import AnswerEvent, CheckPassword
from ansam.answer.getty import Getty
from ansam.answer.house import House
from ansam.answer.place import Place
from ansam.answer.settings import AnswerSettings, Machine
from ansam.answer.shelf import MemoryShelf
from ansam.answer.users import Command, User, UserBook

HASH = "$argon2id$of sesame"
STORY = b"".join(b"Line %d of a story that is longer than one page.\n" % n for n in range(60))


def clock() -> datetime:
    return datetime(2026, 8, 3, 14, 5, 9)


def place(house: House | None = None, **settings: object) -> Place:
    """A line named ttyUSB0 with guest, ali (password sesame) and cmd (a command)."""
    users = UserBook(
        [User("guest"), User("ali", HASH), User("cmd", "", Command(("prog", "@", "\\I", "\\Y", "x")))]
    )
    return Place(
        settings=AnswerSettings(**settings),  # type: ignore[arg-type]
        users=users,
        house=house if house is not None else House(),
        clock=clock,
        shelf=MemoryShelf({"story.txt": STORY, "short.txt": b"one\r\ntwo\n", "empty": b""}),
        machine=Machine("cl-002", "Linux"),
    )


class Bench:
    """A `Getty` and the clock of its world. The modem answers OK to every AT command until told otherwise."""

    def __init__(self, where: Place | None = None, password: bytes = b"sesame") -> None:
        self.now = 100.0
        self.password = password
        self.events: list[AnswerEvent] = []
        self.getty = Getty(where or place(), self.now)
        self.answers: dict[bytes, bytes] = {}
        self.sent = bytearray()

    def drain(self) -> bytes:
        """Take what the line says now and do what it asks; return the octets."""
        out = bytearray()
        while data := self.getty.take_output(self.now):
            out += data
        for event in self.getty.take_events():
            self.events.append(event)
            if isinstance(event, CheckPassword):
                fits = event.password_hash == HASH and event.password == self.password
                self.getty.password_checked(fits, self.now)
                out += self.drain()
        self.sent += out
        return bytes(out)

    def modem(self, data: bytes) -> bytes:
        """Let the modem say something; return what the line says to it."""
        out = bytearray()
        while data:
            taken = self.getty.receive(data, self.now)
            out += self.drain()
            if not taken:
                self.wait(0.1)
            data = data[taken:]
        return bytes(out)

    def wait(self, seconds: float) -> bytes:
        """Let time pass, timers in their order; the modem answers AT commands meanwhile."""
        end = self.now + seconds
        out = bytearray(self.drain())
        while (due := self.getty.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.getty.handle_timer(self.now)
            out += self._answer(self.drain())
        self.now = end
        return bytes(out)

    def _answer(self, said: bytes) -> bytes:
        if said.startswith(b"AT") and said != b"ATA\r":
            said += self._answer(self.modem(self.answers.get(said, b"\r\nOK\r\n")))
        return said

    def call(self, connect: bytes = b"CONNECT 2400/NONE") -> bytes:
        """Bring a call up; return what the caller sees first."""
        self.wait(2.0)
        self.modem(b"\r\nRING\r\n")
        self.modem(b"\r\n" + connect + b"\r\n")
        return self.wait(1.0)

    def named(self, kind: type) -> list[AnswerEvent]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]
