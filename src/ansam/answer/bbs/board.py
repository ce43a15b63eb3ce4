"""What a board keeps, and how a dialogue asks for it.

Everything here may wait for a disk: dialogues call it through `Talk.work`. Times are seconds since 1970.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ansam.answer.bbs.screen import PLAIN, Look

NEWEST_MAX = 500
"""Headers listed at once."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the board knows of a user.

    Attributes:
        name: Login name as its owner writes it; capitals do not count.
        password_hash: argon2, encoded; "" for users of the configuration, whose password stands there.
        approved: Whether the user may come in.
        own: Made here, not in the configuration.
        created: When.
        last_call: When the last call but this one began, or None.
        calls: How many there were.
        uploads: Files given.
        downloads: Files taken.
        day: Of `day_seconds`, as ``2026-08-03``.
        day_seconds: Time used on that day.
        look: Of the screen.
        automatic: Whether `look` gives way to what the terminal itself tells.
        expert: No menus.
        protocol: Letter of the transfer protocol, or "" to ask.
    """

    name: str
    password_hash: str = ""
    approved: bool = True
    own: bool = True
    created: float = 0.0
    last_call: float | None = None
    calls: int = 0
    uploads: int = 0
    downloads: int = 0
    day: str = ""
    day_seconds: float = 0.0
    look: Look = PLAIN
    automatic: bool = True
    expert: bool = False
    protocol: str = ""


NOBODY = Account("")


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call to the board.

    Attributes:
        name: Who.
        port: On which line.
        connect: Connect string.
        began: When.
        ended: When, or None: not yet, or nobody could say so.
    """

    name: str
    port: str
    connect: str
    began: float
    ended: float | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        area: Name of its area.
        author: Who wrote it.
        recipient: To whom; "" for all.
        subject: One line.
        body: Lines with LF between them.
        number: Its number on the board; 0 for one that is not posted yet.
        posted: When.
        reply_to: Number of the message it answers, or 0.
    """

    area: str
    author: str
    recipient: str
    subject: str
    body: str
    number: int = 0
    posted: float = 0.0
    reply_to: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """How much there is in an area.

    Attributes:
        total: Messages a reader may see.
        new: Of these, behind the reader's mark.
        mark: Number of the last message read.
    """

    total: int = 0
    new: int = 0
    mark: int = 0


class Board(Protocol):
    """The database. A reader is a login name; in the area of mail, readers see what is from or to them."""

    def account(self, name: str) -> Account | None:
        """Return an account."""

    def create(self, account: Account) -> bool:
        """Make an account; return False where the name is taken."""

    def save(self, account: Account, changed: Collection[str]) -> None:
        """Keep what has changed of an account (names of its attributes); all of one that is not there yet."""

    def hash(self, password: str) -> str:
        """Return the hash to keep for a password."""

    def call_began(self, name: str, port: str, connect: str, when: float) -> int:
        """Record a call; return its number."""

    def call_ended(self, number: int, when: float) -> None:
        """Complete the record of a call."""

    def last_calls(self, count: int) -> list[PastCall]:
        """Return the last calls, the newest first."""

    def counts(self, areas: Sequence[str], reader: str) -> dict[str, Count]:
        """Return what there is for a reader in each area."""

    def headers(self, area: str, reader: str, after: int, count: int = NEWEST_MAX) -> list[Message]:
        """Return messages behind a number, in order, with empty bodies."""

    def message(self, area: str, reader: str, number: int) -> Message | None:
        """Return a message."""

    def neighbour(self, area: str, reader: str, number: int, forward: bool) -> Message | None:
        """Return the next message behind, or before, a number."""

    def post(self, message: Message) -> int:
        """Keep a new message; return its number."""

    def delete(self, area: str, number: int) -> None:
        """Remove a message."""

    def mark(self, area: str, reader: str, number: int) -> None:
        """Remember the last message read; the mark only goes forward."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file offered.

    Attributes:
        name: A plain file name.
        size: Octets.
        changed: When.
        description: Lines.
    """

    name: str
    size: int
    changed: float
    description: tuple[str, ...] = ()


class Library(Protocol):
    """The disk. Areas are named by number in the board's settings; names are plain file names."""

    def text(self, names: Sequence[str]) -> tuple[str, bytes] | None:
        """Return the first display file there is of some names, with its name."""

    def entries(self, area: int) -> list[FileEntry]:
        """Return the files of an area, sorted by name."""

    def path(self, area: int, name: str) -> str | None:
        """Return the full path of a file of an area, or None."""

    def node(self, files: Mapping[str, bytes], run_as: str) -> str:
        """Make a directory with files for one door; return its path."""

    def inbox(self) -> str:
        """Make a directory for one upload; return its path."""

    def received(self, inbox: str) -> list[FileEntry]:
        """Return what came, under clean names."""

    def accept(self, inbox: str, name: str, area: int, lines: Sequence[str], held: bool) -> str:
        """Move a file from an inbox to its area (or to those that wait); return its name there.

        Raises:
            ResourceError: There is such a file already, or the disk refuses.
        """

    def discard(self, directory: str) -> None:
        """Remove a directory made by `node` or `inbox`."""


@dataclass(frozen=True, slots=True)
class Backing:
    """Both."""

    board: Board
    library: Library
