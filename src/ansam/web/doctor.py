"""The line doctor as the page has it: one examination at a time, in a process of its own, and a history."""

import json
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pydantic import ValidationError

from ansam.errors import AnsamError, ConfigError, ResourceError
from ansam.web.errors import Refused
from ansam.web.jobs import Jobs, reason, run_python
from ansam.web.models import DoctorOrder, DoctorRun

KEPT = 100
"""Runs of the history."""

LONGEST = 420.0
"""Seconds: ringing, the longest call, and the time to start."""

LINE_VARIABLE = "ANSAM_DOCTOR_LINE"
"""Environment variable with the line to call on: its secret must not stand on a command line."""

ID = re.compile(r"[0-9a-f]{16}")
NUMBER = re.compile(r"[0-9A-Za-z*#_.+-]{1,32}")
FORMS = ("sip:", "tcp:", "sim:")

Destination = Callable[[str], tuple[str, str]]
"""From a number of our exchange to what the doctor calls, and the line it calls on."""

_log = structlog.get_logger("ansam.web")


def no_exchange(number: str) -> tuple[str, str]:
    """Raise: there is no exchange to call a number at.

    Raises:
        ConfigError: Always.
    """
    raise ConfigError(f"{number} is a number, and no exchange runs here", "write sip:EXT@HOST")


class DoctorDesk:
    """All examinations.

    Args:
        directory: Where the history is kept; made where it is missing.
        destination: Finds numbers of our exchange.

    Raises:
        ResourceError: The directory can not be had.
    """

    def __init__(self, directory: Path, destination: Destination = no_exchange) -> None:
        self._directory = directory
        self._destination = destination
        self._jobs = Jobs()
        self._busy = False
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ResourceError(
                f"directory {directory}: {error.strerror}", "set directory in [web]"
            ) from error
        for run in self.all():
            if run.state == "working":
                self._save(run.model_copy(update={"state": "failed", "error": "the server was stopped"}))

    def all(self) -> list[DoctorRun]:
        """Return the history without the diagnoses, newest first."""
        loaded = (self._load(path) for path in self._directory.glob("*.json"))
        runs = [run.model_copy(update={"diagnosis": None}) for run in loaded if run is not None]
        return sorted(runs, key=lambda run: (run.started, run.id), reverse=True)

    def find(self, identity: str) -> DoctorRun:
        """Return an examination.

        Raises:
            Refused: 404.
        """
        found = self._load(self._path(identity)) if ID.fullmatch(identity) else None
        if found is None:
            raise Refused(404, "there is no such examination")
        return found

    def start(self, order: DoctorOrder, user: str) -> DoctorRun:
        """Begin an examination.

        Raises:
            Refused: 429: one is under way.
            ConfigError: The target is nobody to call.
        """
        if self._busy:
            raise Refused(429, "an examination is under way", "wait for its end", {"Retry-After": "30"})
        target, line = order.target, ""
        if not target.startswith(FORMS):
            if not NUMBER.fullmatch(target):
                raise ConfigError(
                    "the target is nobody to call",
                    "a number, sip:EXT@HOST, tcp:HOST:PORT, sim:echo or sim:modem",
                )
            target, line = self._destination(target)
        now = datetime.now(UTC).isoformat()
        run = DoctorRun(id=secrets.token_hex(8), target=order.target, state="working", started=now)
        try:
            self._save(run)
        except OSError as error:
            raise ResourceError(f"{self._directory} can not be written: {error.strerror}") from error
        self._forget()
        self._busy = True
        self._jobs.start(self._examine(run, target, line, order.seconds))
        _log.info("examination begun", target=order.target, user=user)
        return run

    async def _examine(self, run: DoctorRun, target: str, line: str, seconds: float) -> None:
        changes: dict[str, object]
        try:
            words = ("-m", "ansam.cli.main", "doctor", "--json", "--seconds", f"{seconds:g}", "--", target)
            _, said, trouble = await run_python(words, LONGEST, {LINE_VARIABLE: line})
            diagnosis = json.loads(said.strip() or "null")
            if not isinstance(diagnosis, dict):
                raise ConfigError(reason(trouble))
            diagnosis.pop("target", None)
            changes = {
                "state": "ready",
                "grade": diagnosis["grade"],
                "summary": diagnosis["summary"],
                "diagnosis": diagnosis,
            }
        except (AnsamError, ValueError, KeyError) as error:
            changes = {"state": "failed", "error": str(error)}
        finally:
            self._busy = False
        try:
            self._save(run.model_copy(update={"ended": datetime.now(UTC).isoformat(), **changes}))
        except OSError as error:
            # On a full disk it would stand there as under way for ever.
            _log.error("examination lost", run=run.id, why=str(error))
            self._path(run.id).unlink(missing_ok=True)

    def _forget(self) -> None:
        for run in self.all()[KEPT:]:
            self._path(run.id).unlink(missing_ok=True)

    async def stop(self) -> None:
        """End what is under way."""
        await self._jobs.stop()

    def _path(self, identity: str) -> Path:
        return self._directory / f"{identity}.json"

    def _load(self, path: Path) -> DoctorRun | None:
        try:
            return DoctorRun.model_validate_json(path.read_text("utf-8"))
        except (OSError, ValidationError):
            return None

    def _save(self, run: DoctorRun) -> None:
        path = self._path(run.id)
        temporary = path.with_suffix(".new")
        temporary.write_text(run.model_dump_json(), "utf-8")
        temporary.replace(path)
