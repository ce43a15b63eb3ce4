"""The modem's non-volatile memory as a file: one JSON file for each modem.

::

    {"version": 1, "modems": {"usr-56k": {"profiles": […], "numbers": […], …}, "rockwell": {…}}}

Each make of modem keeps its own content, so that trying another one loses nothing. A file that can not be
understood is put aside under another name, with a warning, and the modem starts fresh from the factory.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from ansam.at.nvram import Nvram, Profile
from ansam.at.personalities import DEFAULT, load
from ansam.at.personality import Personality
from ansam.errors import ConfigError

VERSION = 1

PRIVATE = 0o600
"""Mode of the file: it may hold passwords (%P0=)."""

NOWHERE = "none"
"""The name of a file that means: keep nothing."""

LARGEST = 1 << 20
"""Octets; a file beyond it is none of ours."""

_log: Any = structlog.get_logger("ansam.nvram")


def default_path(name: str, environment: Mapping[str, str] | None = None) -> Path:
    """Return where a modem's memory is kept: below ``$XDG_STATE_HOME``, or ``~/.local/state``.

    Args:
        name: Of the modem.
        environment: Instead of the process's own.
    """
    env = os.environ if environment is None else environment
    state = env.get("XDG_STATE_HOME", "")
    base = (
        Path(state) if state.startswith("/") else Path(env.get("HOME") or "~").expanduser() / ".local/state"
    )
    safe = "".join(mark if mark.isalnum() or mark in "._-" else "-" for mark in name).strip(".") or "modem"
    return base / "ansam" / "nvram" / f"{safe}.json"


def open_profile(personality: str = "", nvram: str = "", name: str = "modem") -> Profile:
    """Return how a modem starts: its make, and what it has stored.

    Args:
        personality: Name of a make or path of a personality file; "" is the default.
        nvram: Path of the file; "" is `default_path`, "none" keeps nothing.
        name: Of the modem, for the default path.

    Raises:
        ConfigError: There is no such personality, or its file is wrong.
    """
    make = load(personality or DEFAULT)
    if nvram == NOWHERE:
        return Profile(make)
    return NvramFile(Path(nvram) if nvram else default_path(name)).profile(make)


class NvramFile:
    """The file of one modem.

    Args:
        path: Where it is; its directory is made when something is stored.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._modems: dict[str, Any] = {}
        self._warned = False

    def profile(self, personality: Personality) -> Profile:
        """Return what is stored for a make of modem, with a function that stores anew."""

        def store(content: Mapping[str, Any]) -> None:
            self._modems[personality.name] = dict(content)
            self._write()

        try:
            self._modems = self._read()
            content = self._modems.get(personality.name, {})
            profile = Profile(personality, content, store)
            Nvram(profile)  # Looks at all of it.
        except (ConfigError, ValueError, TypeError, AttributeError, RecursionError) as error:
            self._put_aside(str(error))
            self._modems = {}
            profile = Profile(personality, {}, store)
        return profile

    def _read(self) -> dict[str, Any]:
        try:
            with self.path.open("rb") as file:
                raw = file.read(LARGEST + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            _log.warning("can not be read; nothing is kept", file=str(self.path), reason=error.strerror)
            self._warned = True
            return {}
        if len(raw) > LARGEST:
            raise ValueError("the file is too large")
        data = json.loads(raw)
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise ValueError(f"it is not a memory of version {VERSION}")
        if not isinstance(data.get("modems"), dict):
            raise ValueError("it has no table of modems")
        return dict(data["modems"])

    def _put_aside(self, reason: str) -> None:
        """Rename a file that can not be understood, so that nothing in it is lost."""
        for number in range(1, 1000):
            aside = self.path.with_name(f"{self.path.name}.broken{number if number > 1 else ''}")
            if not aside.exists():
                break
        with contextlib.suppress(OSError):
            self.path.rename(aside)
        _log.warning(
            "can not be understood; the modem starts fresh from the factory",
            file=str(self.path),
            reason=reason,
            kept_as=str(aside),
        )

    def _write(self) -> None:
        """Write the whole file in one step: a power cut leaves the old one or the new one."""
        text = json.dumps({"version": VERSION, "modems": self._modems}, indent=1, sort_keys=True) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    os.fchmod(file.fileno(), PRIVATE)
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(self.path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            # The modem goes on with what it has in memory, as one with a worn-out EEPROM.
            if not self._warned:
                _log.warning(
                    "can not be written; nothing is kept", file=str(self.path), reason=error.strerror
                )
            self._warned = True
