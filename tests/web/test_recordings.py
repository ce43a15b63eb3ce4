"""Uploads: what is heard in them, and what becomes of broken and large ones."""

import asyncio
import errno
import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.captures import packets_of, pcap, two_tones
from tests.support.web import client, make_app

from ansam.errors import ResourceError
from ansam.io.control.bundle import Heard, pack
from ansam.listen.capture import MAGICS
from ansam.web import recordings
from ansam.web.errors import Refused
from ansam.web.models import RecordingInfo
from ansam.web.recordings import RecordingShelf
from ansam.web.upload import CAPTURE_MAGICS, kind_of


def wav(seconds: float = 1.0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((2, 2, 8000, 0, "NONE", ""))
        tones = np.stack(two_tones(seconds), axis=1)
        sound.writeframes((tones * 32767).astype("<i2").tobytes())
    return file.getvalue()


EVENT = {"t": 1.5, "kind": "phase", "name": "S1", "text": "", "side": "near", "clause": ""}


def pieces(data: bytes) -> AsyncIterator[bytes]:
    async def each() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 1000):
            yield data[at : at + 1000]

    return each()


async def heard(shelf: RecordingShelf, data: bytes) -> RecordingInfo:
    info = await shelf.add("../call\n.wav", len(data), pieces(data), "me")
    assert info.state == "working"
    async with asyncio.timeout(60):
        while shelf.find(info.id).state == "working":  # noqa: ASYNC110  as a page asks
            await asyncio.sleep(0.05)
    await shelf.stop()
    return shelf.find(info.id)


@pytest.mark.parametrize("kind", ["bundle", "pcap"])
def test_a_recording_is_heard_by_a_worker(tmp_path: Path, kind: str) -> None:
    one, other = two_tones(2.0)
    bundle = pack(Heard(np.stack((one, other)), 16000, 0), [EVENT], {})
    data = bundle if kind == "bundle" else pcap(packets_of(one, 0) + packets_of(other, 1))

    async def run() -> None:
        shelf = RecordingShelf(tmp_path, 1 << 20, 1 << 24)
        found = await heard(shelf, data)
        assert (found.state, found.kind, found.channels, found.error) == ("ready", kind, 2, "")
        assert found.name == "../call?.wav"
        assert found.report is not None
        assert found.report.seconds == pytest.approx(2.0)
        assert [(event.at, event.name) for event in found.report.told] == (
            [(1.5, "S1")] if kind == "bundle" else []
        )
        assert shelf.file(found.id, "spectrogram.png").read_bytes()[:4] == b"\x89PNG"
        with wave.open(str(shelf.file(found.id, "audio.wav"))) as audio:
            assert audio.getnchannels() == 2
        again = RecordingShelf(tmp_path, 1 << 20, 1 << 24)
        assert [one.id for one in again.all()] == [found.id]
        again.remove(found.id, "me")
        assert again.used == 0

    asyncio.run(run())


def test_a_recording_without_sound_fails_with_a_line(tmp_path: Path) -> None:
    data = wav()[:22] + b"\0\0" + wav()[24:]

    async def run() -> None:
        found = await heard(RecordingShelf(tmp_path, 1 << 20, 1 << 24), data)
        assert found.state == "failed"
        assert found.error.startswith("the file: 0 channels")

    asyncio.run(run())


def test_limits_of_one_and_of_all(tmp_path: Path) -> None:
    async def run() -> None:
        shelf = RecordingShelf(tmp_path, 5000, 6000)
        for length in (9000, None):
            with pytest.raises(Refused) as refused:
                await shelf.add("x", length, pieces(bytes(9000)), "me")
            assert refused.value.status == 413
        (tmp_path / "0123456789abcdef").mkdir()
        (tmp_path / "0123456789abcdef" / "source").write_bytes(bytes(4000))
        for known in (3000, None):
            with pytest.raises(Refused) as refused:
                await shelf.add("x", known, pieces(wav()[:3000]), "me")
            assert refused.value.status == 409

    asyncio.run(run())
    assert len(list(tmp_path.iterdir())) == 1


def test_an_upload_that_stands_still_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "UPLOAD_GRACE", 0.05)

    async def stands_still() -> AsyncIterator[bytes]:
        yield wav()[:100]
        await asyncio.Event().wait()

    async def run() -> None:
        with pytest.raises(Refused) as refused:
            await RecordingShelf(tmp_path, 5000, 6000).add("x", None, stands_still(), "me")
        assert refused.value.status == 408

    asyncio.run(run())
    assert not list(tmp_path.iterdir())


def test_a_full_disk_holds_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: RecordingShelf, info: RecordingInfo) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RecordingShelf, "_save", full)

    async def run() -> None:
        shelf = RecordingShelf(tmp_path, 1 << 20, 1 << 24)
        for _ in range(recordings.MAX_WAITING + 1):
            with pytest.raises(ResourceError, match="No space left"):
                await shelf.add("x", None, pieces(wav()), "me")

    asyncio.run(run())
    assert not list(tmp_path.iterdir())


ONE, OTHER = two_tones(1.2)
WHOLE = {
    "wav": wav()[:2000],
    "zip": pack(Heard(np.zeros((2, 80), np.float32), 80, 0), [], {}),
    "pcap": pcap(packets_of(ONE, 0) + packets_of(OTHER, 1))[:2000],
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(WHOLE.values())), st.integers(0, 60), st.binary(max_size=12))
def test_broken_uploads_are_refused_in_a_line(tmp_path: Path, whole: bytes, cut: int, noise: bytes) -> None:
    path = tmp_path / "source"
    path.write_bytes(whole[:cut] if cut % 2 else noise + whole[:cut])
    status = 0
    try:
        kind = kind_of(path)
    except Refused as refused:
        status = refused.status
    assert status == 400 or (kind in ("wav", "pcap", "bundle") and path.stat().st_size > 40)


def test_the_route_takes_files_and_nothing_else(tmp_path: Path) -> None:
    assert CAPTURE_MAGICS == MAGICS
    with client(make_app(tmp_path)) as page:
        headers = {"X-CSRF-Token": page.get("/api/session").json()["csrf"]}
        kinds = {"application/octet-stream": 400, "text/html": 415, "": 415}
        for kind, status in kinds.items():
            answer = page.post("/api/recordings", content=b"hello", headers={**headers, "Content-Type": kind})
            assert answer.status_code == status
        headers["Content-Type"] = "audio/wav"
        assert page.post("/api/recordings", content=wav()[:30], headers=headers).status_code == 400
        assert page.post("/api/recordings", content=bytes(200_001), headers=headers).status_code == 413
        assert page.get("/api/recordings").json()["recordings"] == []
        assert page.get("/api/recordings/0123456789abcdef/audio.wav").status_code == 404
        assert page.get("/api/recordings/..%2f..%2fansam.toml").status_code == 404
