"""The phone book as a file."""

import contextlib
import os
import tempfile
from pathlib import Path

from ansam.call.phonebook import PhoneBook, parse_book, write_book
from ansam.errors import ConfigError, ResourceError

FILE_LIMIT = 1 << 20


def read_book(path: str | Path, *, missing_ok: bool = False) -> PhoneBook:
    """Read a phone book.

    Args:
        path: TOML file.
        missing_ok: One that is not there is empty.

    Raises:
        ConfigError: It is not there, not readable, or something in it is wrong.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        if missing_ok:
            return PhoneBook()
        raise ConfigError(f"phone book {path}: there is no such file", "ansam phonebook add") from None
    except OSError as error:
        raise ConfigError(f"phone book {path}: {error.strerror}") from None
    try:
        if len(data) > FILE_LIMIT:
            raise ConfigError(f"phone book {path}: larger than {FILE_LIMIT} octets")
        return parse_book(data.decode("utf-8"), str(path))
    except UnicodeDecodeError:
        raise ConfigError(f"phone book {path}: not UTF-8", "save the file as UTF-8") from None


def save_book(path: str | Path, book: PhoneBook) -> None:
    """Write a phone book: whole, or not at all; only its owner may read it, since it may hold passwords.

    Raises:
        ResourceError: It can not be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(write_book(book))
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise ResourceError(
            f"phone book {path}: {error.strerror}", "choose a path you may write to"
        ) from None
