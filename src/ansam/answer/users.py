"""Who may log in, and what each finds after that."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ansam.answer.service_url import BridgeTarget
from ansam.errors import ConfigError

NAME_LIMIT = 32
SECRET_LIMIT = 255
"""RFC 1334 §2.2.1: the length of a password is one octet."""


@dataclass(frozen=True, slots=True)
class Menu:
    """The built-in menu."""


@dataclass(frozen=True, slots=True)
class Bbs:
    """The built-in BBS; where a line has none, the menu."""


@dataclass(frozen=True, slots=True)
class Ppp:
    """PPP, for a caller whose script has logged in; where a line has none, the menu."""


@dataclass(frozen=True, slots=True)
class Command:
    r"""A program on a pty.

    Attributes:
        argv: Program and arguments; ``@`` alone is the login name, ``\I`` the connect string, ``\Y``
            the caller.
        run_as: Account of the system, or "" for the answering process's own (never root: see io).
        directory: Working directory, or "".
    """

    argv: tuple[str, ...]
    run_as: str = ""
    directory: str = ""


Entry = Menu | Bbs | Ppp | Command | BridgeTarget
"""The last one: where the user is put through to."""


@dataclass(frozen=True, slots=True)
class User:
    """One login.

    Attributes:
        name: 1 to 32 printable ASCII characters without blanks.
        password_hash: argon2 in its encoded form, or "" where no password is asked.
        entry: What the user finds.
        ppp_secret: The user's password for PPP as it is, which CHAP needs; "": that of logins, by PAP alone.
    """

    name: str
    password_hash: str = ""
    entry: "Entry" = Menu()
    ppp_secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not (0 < len(self.name) <= NAME_LIMIT and self.name.isascii() and self.name.isprintable()):
            raise ConfigError(f"user name {self.name!r}", f"use 1 to {NAME_LIMIT} printable ASCII characters")
        if " " in self.name or self.name.startswith("-"):
            raise ConfigError(f"user name {self.name!r}", "leave out blanks and a leading '-'")
        if self.password_hash and not self.password_hash.startswith("$argon2"):
            raise ConfigError(
                f"password of user {self.name!r} is not an argon2 hash", "make one with `ansam user`"
            )
        if len(self.ppp_secret.encode()) > SECRET_LIMIT:
            raise ConfigError(f"ppp_secret of user {self.name!r} is longer than {SECRET_LIMIT} octets")
        if isinstance(self.entry, Command) and not self.entry.argv:
            raise ConfigError(f"command of user {self.name!r} is empty", "name a program")


class UserBook:
    """The users of a line by name."""

    def __init__(self, users: Iterable[User] = ()) -> None:
        self._users: dict[str, User] = {}
        self._joined: dict[str, User] = {}
        for user in users:
            if user.name in self._users:
                raise ConfigError(f"user {user.name!r} is there twice", "remove one")
            self._users[user.name] = user

    def find(self, name: str) -> User | None:
        """Return a user, or None."""
        return self._users.get(name) or self._joined.get(name)

    def join(self, user: User) -> None:
        """Take a user whom the board knows; those of the configuration come first."""
        self._joined[user.name] = user

    def find_any_case(self, name: str) -> User | None:
        """Return a user of the configuration whose name differs in capitals at most, or None."""
        folded = name.lower()
        return self._users.get(name) or next(
            (user for user in self._users.values() if user.name.lower() == folded), None
        )

    def __len__(self) -> int:
        return len(self._users)
