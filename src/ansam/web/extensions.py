"""Adding, changing and removing extensions: in the configuration's file, as `ansam extension` does."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

import structlog

from ansam.config import Config, load
from ansam.config.edit import Value, add_block, remove_block
from ansam.config.edit_values import change_block
from ansam.errors import ConfigError
from ansam.web.errors import Refused
from ansam.web.models import ExtensionChange, NewExtension

SECRET_OCTETS = 12
"""Of a secret that is made up: 96 bits."""

_log = structlog.get_logger("ansam.web")


class ExtensionBook:
    """The extensions in the file.

    Args:
        path: The configuration.
        changed: Told what it says now, on the event loop: the exchange takes it over.
    """

    def __init__(self, path: Path, changed: Callable[[Config], None]) -> None:
        self._path = path
        self._changed = changed
        self._lock = asyncio.Lock()

    async def add(self, new: NewExtension, user: str) -> str | None:
        """Add an extension; return its secret where it was made up.

        Raises:
            Refused: 409: it is there already.
            AnsamError: Something in it is wrong, or the file can not be written.
        """
        made = None if new.secret is not None else secrets.token_urlsafe(SECRET_OCTETS)

        def write() -> None:
            if any(one.number == new.number for one in load(self._path).extensions):
                raise Refused(409, f"extension {new.number} is there already", "choose another number")
            values: dict[str, Value] = {"number": new.number, "secret": made or new.secret or ""}
            values |= _values(new)
            add_block(self._path, "extension", values)

        await self._write(write)
        _log.info("extension added", extension=new.number, user=user)
        return made

    async def change(self, number: str, change: ExtensionChange, user: str) -> None:
        """Change an extension.

        Raises:
            Refused: 404: it is not there.
            AnsamError: Something in it is wrong, or the file can not be written.
        """

        def write() -> None:
            self._find(number)
            values: dict[str, Value] = _values(change)
            if change.secret is not None:
                values["secret"] = change.secret
            if values:
                change_block(self._path, "extension", "number", number, values)

        await self._write(write)
        _log.info("extension changed", extension=number, user=user)

    async def remove(self, number: str, user: str) -> None:
        """Remove an extension.

        Raises:
            Refused: 404: it is not there; 409: something else in the file needs it.
            AnsamError: The file can not be written.
        """

        def write() -> None:
            self._find(number)
            try:
                remove_block(self._path, "extension", "number", number)
            except ConfigError as error:
                raise Refused(409, error.message, error.remedy) from None

        await self._write(write)
        _log.info("extension removed", extension=number, user=user)

    def _find(self, number: str) -> None:
        if not any(one.number == number for one in load(self._path).extensions):
            raise Refused(404, f"extension {number} is not there")

    async def _write(self, write: Callable[[], None]) -> None:
        """Change the file in a thread, one change at a time, and take over what it says then."""
        async with self._lock:
            await asyncio.to_thread(write)
            self._changed(await asyncio.to_thread(load, self._path))


def _values(change: ExtensionChange) -> dict[str, Value]:
    """Return what was sent, but the number and the secret."""
    sent = change.model_dump(exclude={"number", "secret"}, exclude_none=True)
    ring = sent.get("ring_seconds")
    if ring is not None:
        sent["ring_seconds"] = int(ring) if float(ring).is_integer() else float(ring)
    return sent
