"""Uploaded recordings: kept in a directory each, heard by a worker, one after the other."""

import asyncio
import json
import re
import secrets
import shutil
from collections.abc import AsyncIterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import structlog
from pydantic import ValidationError

from ansam.errors import ConfigError, ResourceError
from ansam.web.errors import Refused
from ansam.web.jobs import Jobs, reason, run_python
from ansam.web.models import Heard, RecordingInfo
from ansam.web.upload import AUDIO, PICTURE, REPORT, SOURCE, kind_of

META = "recording.json"
WORK_SECONDS = 1800.0
"""An hour of sound takes about two minutes."""
ID = re.compile(r"[0-9a-f]{16}")
UPLOAD_GRACE, SLOWEST_UPLOAD = 60.0, 1000
"""An upload takes as many octets a second, after so many seconds: callers by modem send 3000."""
MAX_WAITING = 8

_log = structlog.get_logger("ansam.web")


class RecordingShelf:
    """All recordings.

    Args:
        directory: Where they are kept; made where it is missing.
        upload_limit: Octets of one.
        quota: Octets of all, with what is made of them.

    Raises:
        ResourceError: The directory can not be had.
    """

    def __init__(self, directory: Path, upload_limit: int, quota: int) -> None:
        self.upload_limit, self.quota = upload_limit, quota
        self._directory = directory
        self._jobs = Jobs()
        self._turn = asyncio.Lock()
        self._waiting = 0
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            for path in directory.iterdir():
                self._mend(path)
        except OSError as error:
            raise ResourceError(
                f"directory {directory}: {error.strerror}", "set directory in [web]"
            ) from error

    def _mend(self, path: Path) -> None:
        """Settle what an earlier server left unfinished."""
        if not ID.fullmatch(path.name):
            return
        found = self._load(path)
        if found is None:
            shutil.rmtree(path, ignore_errors=True)
        elif found.state == "working":
            self._save(found.model_copy(update={"state": "failed", "error": "the server was stopped"}))

    @property
    def used(self) -> int:
        """Octets on disk."""
        octets = 0
        for file in self._directory.rglob("*"):
            with suppress(FileNotFoundError):  # a worker renames what it has written
                octets += file.stat().st_size if file.is_file() else 0
        return octets

    def all(self) -> list[RecordingInfo]:
        """Return all recordings without their reports, newest first."""
        loaded = (self._load(path) for path in self._directory.iterdir() if ID.fullmatch(path.name))
        found = [one for one in loaded if one is not None]
        return sorted(found, key=lambda one: (one.uploaded, one.id), reverse=True)

    def find(self, identity: str) -> RecordingInfo:
        """Return a recording, with its report where it is ready.

        Raises:
            Refused: 404.
        """
        found = self._load(self._directory / identity) if ID.fullmatch(identity) else None
        if found is None:
            raise Refused(404, "there is no such recording")
        if found.state != "ready":
            return found
        report = json.loads((self._directory / identity / REPORT).read_text("utf-8"))
        return found.model_copy(update={"report": Heard.model_validate(report)})

    def file(self, identity: str, name: Literal["spectrogram.png", "audio.wav"]) -> Path:
        """Return a file that was made of a recording.

        Raises:
            Refused: 404.
        """
        found = self._load(self._directory / identity) if ID.fullmatch(identity) else None
        if found is None or found.state != "ready":
            raise Refused(404, "there is no such recording, or it is not ready")
        return self._directory / identity / (PICTURE if name == PICTURE else AUDIO)

    async def add(
        self, name: str, length: int | None, body: AsyncIterable[bytes], user: str
    ) -> RecordingInfo:
        """Take an upload and let it be heard.

        Args:
            name: What it was called; shown, never used as a name of a file.
            length: Octets announced.
            body: The file.
            user: For the log.

        Raises:
            Refused: 413 too large, 409 no room, 408 too slow, 400 neither WAV nor pcap, 429 too many wait.
        """
        if length is not None and length > self.upload_limit:
            raise self._too_large()
        if self._waiting >= MAX_WAITING:
            raise Refused(429, "too many recordings wait to be heard", "", {"Retry-After": "30"})
        used = await asyncio.to_thread(lambda: self.used)
        if used + (length or 0) > self.quota:
            raise Refused(409, "the room for recordings is used up", "delete some, or raise quota in [web]")
        identity = secrets.token_hex(8)
        place = self._directory / identity
        shown = "".join(sign if sign.isprintable() else "?" for sign in name) or "recording"
        self._waiting += 1
        try:
            place.mkdir(mode=0o700)
            size = await self._receive(place / SOURCE, body, self.quota - used)
            kind = await asyncio.to_thread(kind_of, place / SOURCE)
            now = datetime.now(UTC).isoformat()
            info = RecordingInfo(id=identity, name=shown, kind=kind, size=size, uploaded=now, state="working")
            self._save(info)
        except BaseException as error:
            self._waiting -= 1
            shutil.rmtree(place, ignore_errors=True)
            if isinstance(error, OSError):
                raise ResourceError(f"{place} can not be written: {error.strerror}") from error
            raise
        self._jobs.start(self._hear(info))
        _log.info("recording uploaded", recording=identity, octets=size, user=user)
        return info

    async def _receive(self, path: Path, body: AsyncIterable[bytes], room: int) -> int:
        size, began = 0, asyncio.get_running_loop().time()
        try:
            with path.open("wb") as file:
                async with asyncio.timeout(UPLOAD_GRACE) as patience:
                    async for piece in body:
                        size += len(piece)
                        if size > self.upload_limit:
                            raise self._too_large()
                        if size > room:
                            raise Refused(409, "the room for recordings is used up", "delete some")
                        file.write(piece)
                        patience.reschedule(began + UPLOAD_GRACE + size / SLOWEST_UPLOAD)
        except TimeoutError:
            raise Refused(408, f"less than {SLOWEST_UPLOAD} octets a second came", "send it again") from None
        return size

    def _too_large(self) -> Refused:
        return Refused(413, f"more than {self.upload_limit} octets", "cut out the call, or set upload_limit")

    async def _hear(self, info: RecordingInfo) -> None:
        place = self._directory / info.id
        try:
            async with self._turn:
                arguments = ("-m", "ansam.web.analyse", str(place))
                code, _, said = await run_python(arguments, WORK_SECONDS)
            if code:
                raise ConfigError(reason(said))
            report = json.loads((place / REPORT).read_text("utf-8"))
            changes = {
                "state": "ready",
                "seconds": report["seconds"],
                "channels": len(set(report["channels"].values())),
            }
        except (ConfigError, ResourceError, OSError, ValueError) as error:
            _log.info("recording not heard", recording=info.id, why=str(error))
            changes = {"state": "failed", "error": str(error)}
        finally:
            self._waiting -= 1
        try:
            if place.exists():
                self._save(info.model_copy(update=changes))
        except OSError as error:
            # On a full disk it would stand there as being heard for ever.
            _log.error("recording lost", recording=info.id, why=str(error))
            shutil.rmtree(place, ignore_errors=True)

    def remove(self, identity: str, user: str) -> None:
        """Delete a recording.

        Raises:
            Refused: 404; 409 while it is being heard.
        """
        if self.find(identity).state == "working":
            raise Refused(409, "it is being heard", "wait")
        shutil.rmtree(self._directory / identity, ignore_errors=True)
        _log.info("recording deleted", recording=identity, user=user)

    async def stop(self) -> None:
        """End what is under way."""
        await self._jobs.stop()

    def _load(self, place: Path) -> RecordingInfo | None:
        try:
            return RecordingInfo.model_validate_json((place / META).read_text("utf-8"))
        except (OSError, ValidationError):
            return None

    def _save(self, info: RecordingInfo) -> None:
        place = self._directory / info.id
        temporary = place / f"{META}.new"
        temporary.write_text(info.model_dump_json(exclude={"report"}), "utf-8")
        temporary.replace(place / META)
