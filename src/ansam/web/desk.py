"""Routes of adaptors, recordings and the doctor."""

import asyncio
from pathlib import Path

from starlette.responses import FileResponse, Response

from ansam.config.web import Role
from ansam.web.adaptors import AdaptorBook
from ansam.web.doctor import DoctorDesk
from ansam.web.errors import Refused
from ansam.web.models import (
    AdaptorChange,
    AdaptorInfo,
    Adaptors,
    DoctorOrder,
    DoctorRun,
    DoctorRuns,
    RecordingInfo,
    Recordings,
    UploadName,
)
from ansam.web.operations import Call, Operation
from ansam.web.recordings import RecordingShelf

UPLOADS = (
    "application/octet-stream",
    "audio/wav",
    "audio/x-wav",
    "application/vnd.tcpdump.pcap",
    "application/zip",
)
ID_PATTERN = "^[0-9a-f]{16}$"
_IDS = {"id": ID_PATTERN}


class AdaptorRoutes:
    """What is asked about adaptors.

    Args:
        book: Their settings.
    """

    def __init__(self, book: AdaptorBook) -> None:
        self._book = book

    def operations(self) -> list[Operation]:
        """Return the routes."""
        return [
            Operation("GET", "/api/adaptor", self._list, "List adaptors and their settings", answer=Adaptors),
            Operation(
                *("PUT", "/api/adaptor", self._change, "Change settings of an adaptor", Role.ADMIN),
                answer=AdaptorInfo,
                body=AdaptorChange,
                errors={404: "There is no such adaptor"},
            ),
        ]

    async def _list(self, call: Call[None, None]) -> Adaptors:
        return Adaptors(adaptors=await self._book.all())

    async def _change(self, call: Call[AdaptorChange, None]) -> AdaptorInfo:
        return await self._book.change(call.body, call.user)


class RecordingRoutes:
    """What is asked about recordings.

    Args:
        shelf: The recordings.
    """

    def __init__(self, shelf: RecordingShelf) -> None:
        self._shelf = shelf

    def operations(self) -> list[Operation]:
        """Return the routes."""
        one, gone = "/api/recordings/{id}", {404: "There is no such recording, or it is not ready"}
        return [
            Operation("GET", "/api/recordings", self._list, "List recordings", answer=Recordings),
            Operation(
                *("POST", "/api/recordings", self._add, "Upload a recording", Role.OPERATOR),
                answer=RecordingInfo,
                status=202,
                upload=UPLOADS,
                query=UploadName,
                errors={
                    409: "The quota is used up",
                    413: "It is too large",
                    415: "It is no file",
                    429: "Too many wait",
                },
            ),
            Operation(
                *("GET", one, self._one, "What is heard in a recording"),
                answer=RecordingInfo,
                errors=gone,
                parameters=_IDS,
            ),
            Operation(
                *("GET", f"{one}/spectrogram.png", self._picture, "Spectrogram of a recording"),
                media="image/png",
                errors=gone,
                parameters=_IDS,
            ),
            Operation(
                *("GET", f"{one}/audio.wav", self._audio, "Audio of a recording"),
                media="audio/wav",
                errors=gone,
                parameters=_IDS,
            ),
            Operation(
                *("DELETE", one, self._remove, "Delete a recording", Role.OPERATOR),
                status=204,
                errors={**gone, 409: "It is being heard"},
                parameters=_IDS,
            ),
        ]

    async def _list(self, call: Call[None, None]) -> Recordings:
        shelf = self._shelf
        found, used = await asyncio.to_thread(lambda: (shelf.all(), shelf.used))
        return Recordings(recordings=found, upload_limit=shelf.upload_limit, quota=shelf.quota, used=used)

    async def _add(self, call: Call[None, UploadName]) -> RecordingInfo:
        headers = call.request.headers
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in UPLOADS:
            raise Refused(415, "the body must be the file itself", f"Content-Type: {UPLOADS[0]}")
        length = headers.get("content-length", "")
        size = int(length) if length.isdecimal() else None
        return await self._shelf.add(call.query.name, size, call.request.stream(), call.user)

    async def _one(self, call: Call[None, None]) -> RecordingInfo:
        return await asyncio.to_thread(self._shelf.find, call.path("id"))

    async def _picture(self, call: Call[None, None]) -> Response:
        return self._file(self._shelf.file(call.path("id"), "spectrogram.png"), "image/png")

    async def _audio(self, call: Call[None, None]) -> Response:
        return self._file(self._shelf.file(call.path("id"), "audio.wav"), "audio/wav")

    def _file(self, path: Path, media: str) -> Response:
        return FileResponse(path, media_type=media)

    async def _remove(self, call: Call[None, None]) -> None:
        await asyncio.to_thread(self._shelf.remove, call.path("id"), call.user)


class DoctorRoutes:
    """What is asked of the doctor.

    Args:
        desk: The examinations.
    """

    def __init__(self, desk: DoctorDesk) -> None:
        self._desk = desk

    def operations(self) -> list[Operation]:
        """Return the routes."""
        return [
            Operation("GET", "/api/doctor", self._list, "List examinations", answer=DoctorRuns),
            Operation(
                *("POST", "/api/doctor", self._start, "Examine a path", Role.OPERATOR),
                answer=DoctorRun,
                status=202,
                body=DoctorOrder,
                errors={429: "One is under way"},
            ),
            Operation(
                *("GET", "/api/doctor/{id}", self._one, "What an examination found"),
                answer=DoctorRun,
                errors={404: "There is no such examination"},
                parameters=_IDS,
            ),
        ]

    async def _list(self, call: Call[None, None]) -> DoctorRuns:
        return DoctorRuns(runs=await asyncio.to_thread(self._desk.all))

    async def _start(self, call: Call[DoctorOrder, None]) -> DoctorRun:
        return self._desk.start(call.body, call.user)

    async def _one(self, call: Call[None, None]) -> DoctorRun:
        return self._desk.find(call.path("id"))
