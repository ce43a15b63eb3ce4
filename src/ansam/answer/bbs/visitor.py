"""A caller of the board: who it is, and what every part of the dialogue needs to serve it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ansam.answer.bbs.board import NOBODY, Account, Backing
from ansam.answer.bbs.screen import Colour, Emulation, Look, Screen, fill_in, line_ends
from ansam.answer.bbs.settings import BbsSettings
from ansam.answer.bbs.steps import Steps
from ansam.answer.bbs.talk import Talk
from ansam.answer.house import Seat
from ansam.answer.place import Place

PIECE = 128
"""Octets of a picture sent at a time, so that it can be stopped."""

SLOW = 1200
"""Rate, bit/s, below which nobody wants menus."""

NARROW = 60
"""Columns below which lists are set for a narrow screen."""

_ENDINGS = {
    Emulation.ANSI: (".ans", ".asc", ".txt"),
    Emulation.ASCII: (".asc", ".txt"),
    Emulation.PETSCII: (".seq", ".asc", ".txt"),
}


@dataclass(slots=True)
class Visitor:
    """One caller.

    Attributes:
        talk: The dialogue.
        place: The line called.
        settings: Of the board.
        backing: Database and disk.
        caller_id: Number, or ``none``.
        account: Who it is; its name is "" until then.
        previous: When the call before this one began, or None.
        seat: In the house, once logged on.
    """

    talk: Talk
    place: Place
    settings: BbsSettings
    backing: Backing
    caller_id: str
    account: Account = NOBODY
    previous: float | None = None
    seat: Seat | None = None

    @property
    def name(self) -> str:
        """Login name."""
        return self.account.name

    @property
    def sysop(self) -> bool:
        """Whether this is an operator."""
        return self.settings.is_sysop(self.name)

    @property
    def narrow(self) -> bool:
        """Whether the screen is a narrow one."""
        return self.talk.screen.look.columns < NARROW

    @property
    def slow(self) -> bool:
        """Whether menus take too long."""
        return self.talk.rate < SLOW

    @property
    def node(self) -> int:
        """Number of the caller's place in the house, from 1."""
        for number, seat in enumerate(self.place.house, 1):
            if seat is self.seat:
                return number
        return 1

    def now(self) -> float:
        """Return the time, seconds since 1970."""
        return self.place.clock().timestamp()

    def moment(self, when: float | None, *, short: bool = False) -> str:
        """Return a time as callers read it."""
        if when is None:
            return "never"
        local = datetime.fromtimestamp(when, self.place.clock().tzinfo)
        return f"{local:%d %b %y}" if short or self.narrow else f"{local:%d %b %Y %H:%M}"

    def title(self, text: str) -> None:
        """Show what begins here."""
        self.talk.say()
        self.talk.say(text, Colour.TITLE)

    def menu(self, entries: dict[str, str], help_wanted: bool = False) -> None:
        """Show a menu, but not to experts, nor at rates at which that takes long."""
        if not help_wanted and (self.account.expert or self.slow):
            return
        columns = 1 if self.narrow else 3
        width = (self.talk.screen.look.columns - 1) // columns
        items = list(entries.items())
        for start in range(0, len(items), columns):
            for place, (key, text) in enumerate(items[start : start + columns]):
                last = place == columns - 1 or start + place == len(items) - 1
                self.talk.put(f" {key}", Colour.KEY)
                self.talk.put(f" {text}" if last else f" {text}".ljust(width - 2))
            self.talk.say()

    def prompt(self, text: str, keys: str) -> Steps[str]:
        """Ask what to do next; the time left stands in the prompt."""
        left = "" if self.talk.ends_at is None else f" {self.talk.left / 60:.0f} min"
        which = f"[{keys}?]" if self.slow else "(? helps)"
        self.talk.say()
        return (yield from self.talk.choose(f"{text}{left} {which}: ", keys + "?"))

    def settle(self, look: Look) -> None:
        """Use a screen's description from now on."""
        self.talk.screen = Screen(look)

    def change(self, **changes: object) -> None:
        """Change the account, and keep it; a file server's callers have none to keep."""
        self.account = account = replace(self.account, **changes)  # type: ignore[arg-type]
        if account.name:
            # The same user may be on line twice: only what changed here is kept.
            self.talk.later(lambda: self.backing.board.save(account, tuple(changes)))

    # -- display files ---------------------------------------------------------------------------------------

    def display(self, name: str) -> Steps[bool]:
        """Show a display file; return whether there is one. Its octets reach the caller as they are."""
        names = [name + ending for ending in _ENDINGS[self.talk.screen.look.emulation]]
        if self.narrow:
            names = [f"{name}40{one[len(name) :]}" for one in names] + names
        found = yield from self.talk.work(lambda: self.backing.library.text(names))
        if found is None:
            return False
        file, data = found
        if file.endswith(".seq"):
            yield from self.talk.page(_pieces(data), stops=False)
            return True
        data = self._characters(line_ends(fill_in(data, self._values(), self.talk.screen.ansi)))
        picture = file.endswith(".ans")
        yield from self.talk.page(
            _pieces(data) if picture else data.splitlines(keepends=True), stops=not picture
        )
        if picture:
            self.talk.raw(b"\x1b[0m")
        return True

    def _characters(self, data: bytes) -> bytes:
        screen = self.talk.screen
        if not screen.petscii and screen.look.charset == "cp437":
            return data
        return screen.encode(data.decode("cp437"))

    def _values(self) -> dict[bytes, bytes]:
        moment = self.place.clock()
        first, _, _ = self.name.partition("_")
        texts = {
            "USER": self.name,
            "FIRST": first,
            "BBS": self.settings.name,
            "SYSOP": self.settings.sysop,
            "BAUD": str(self.talk.rate),
            "CONNECT": self.talk.connect,
            "PORT": self.place.settings.port,
            "NODE": str(self.node),
            "DATE": f"{moment:%d %b %Y}",
            "TIME": f"{moment:%H:%M}",
            "LEFT": f"{self.talk.left / 60:.0f}",
            "CALLS": str(self.account.calls),
            "LAST": self.moment(self.previous),
        }
        values = {key.encode(): text.encode("cp437", "replace") for key, text in texts.items()}
        return values | {b"CLS": self.talk.screen.clear()}


def _pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]
