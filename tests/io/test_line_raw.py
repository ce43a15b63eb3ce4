"""Raw lines: lock step over TCP and Unix sockets, either side being the clock."""

import asyncio
import socket
from pathlib import Path

import pytest
from tests.support.line_user import FakeUser

from ansam.call.line_url import parse_line
from ansam.call.party import Tone
from ansam.dce.progress import Progress
from ansam.errors import ResourceError
from ansam.io.line_raw import RawLine


def raw(text: str) -> RawLine:
    url = parse_line(text)
    line = RawLine(url)  # type: ignore[arg-type]
    assert line.name == str(url)
    return line


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.line_raw.FRAME_SECONDS", 0.001)
    monkeypatch.setattr("ansam.io.line_raw.AUTO_CLOCK", 0.02)


async def test_foreign_modem_that_is_the_clock() -> None:
    """For each frame one comes back, however the stream is cut."""
    user = FakeUser()
    line = raw("tcp-listen:127.0.0.1:0")
    await line.open(user)
    reader, writer = await asyncio.open_connection(*line.address)
    await user.hears(("incoming", ""))
    writer.write(bytes(200))
    assert await reader.readexactly(160) == bytes([0xD5]) * 160
    line.accept_call()
    writer.write(bytes(120))
    assert await reader.readexactly(160) == bytes(160)
    frames = bytes(range(160)) * 5
    for at in range(0, len(frames), 77):
        writer.write(frames[at : at + 77])
    assert await reader.readexactly(800) == frames
    assert [now for now, _, _ in user.frames] == [1000 + k * 160 for k in range(6)]
    assert not any(erased for _, _, erased in user.frames)
    writer.close()
    await user.hears("hung up")
    assert user.said[-2:] == ["media stopped", "hung up"]
    await line.close()


async def test_foreign_modem_that_only_answers() -> None:
    """Such as slmodemd's helper: we are the clock."""
    seen = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(seen) < 20:
            seen.append(await reader.readexactly(160))
            writer.write(seen[-1])
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    user = FakeUser(party=Tone())
    line = raw(f"tcp:{host}:{port}")
    await line.open(user)
    line.place_call("anything")
    line.place_call("again")
    await user.hears("hung up")
    assert user.said[0] == ("ready", True)
    assert Progress.CONNECTED in user.said
    assert len(seen) == 20
    assert [erased for _, _, erased in user.frames][:20] == [True] + [False] * 19
    await line.close()
    server.close()


@pytest.mark.parametrize("clocks", [("auto", "auto"), ("here", "far"), ("far", "here"), ("here", "here")])
async def test_two_of_ours_over_a_unix_socket(tmp_path: Path, clocks: tuple[str, str]) -> None:
    path = tmp_path / "line"
    answering, calling = FakeUser(), FakeUser(party=Tone())
    a = raw(f"unix-listen:{path};clock={clocks[0]}")
    c = raw(f"unix:{path};clock={clocks[1]}")
    await a.open(answering)
    await c.open(calling)
    c.place_call("05")
    await answering.hears(("incoming", ""))
    a.accept_call()
    await calling.until(lambda: len(calling.frames) >= 30 and len(answering.frames) >= 30)
    assert a.statistics() is None
    c.end_call("ATH")
    await answering.hears("hung up")
    assert "hung up" not in calling.said
    await c.close()
    await a.close()
    assert not path.exists()


async def test_pace_of_our_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.line_raw.FRAME_SECONDS", 0.02)
    answering, calling = FakeUser(), FakeUser()
    a = raw("tcp-listen:127.0.0.1:0;clock=far")
    await a.open(answering)
    host, port = a.address
    c = raw(f"tcp:{host}:{port};clock=here")
    await c.open(calling)
    c.place_call("05")
    await answering.hears(("incoming", ""))
    a.accept_call()
    began = asyncio.get_running_loop().time()
    count = len(calling.frames)
    await calling.until(lambda: len(calling.frames) >= count + 26)
    assert asyncio.get_running_loop().time() - began >= 0.48
    await c.close()
    await a.close()


async def test_busy_line_refuses_connections() -> None:
    user = FakeUser(busy=True)
    line = raw("tcp-listen:127.0.0.1:0")
    await line.open(user)
    reader, writer = await asyncio.open_connection(*line.address)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await reader.readexactly(1)
    writer.close()
    line.place_call("1")
    assert user.said[-1] is Progress.REFUSED
    await line.close()


async def test_caller_that_leaves_while_it_rings() -> None:
    user = FakeUser()
    line = raw("tcp-listen:127.0.0.1:0")
    await line.open(user)
    _, writer = await asyncio.open_connection(*line.address)
    await user.hears(("incoming", ""))
    writer.close()
    await user.hears("incoming stopped")
    line.accept_call()
    assert Progress.CONNECTED not in user.said
    await line.close()


@pytest.mark.parametrize("url", ["unix:{}/nobody", "tcp:a..b:9", f"tcp:{64 * 'a'}.example:9"])
async def test_nobody_at_the_other_end(url: str, tmp_path: Path) -> None:
    user = FakeUser()
    line = raw(url.format(tmp_path))
    await line.open(user)
    line.place_call("1")
    await user.hears(Progress.UNREACHABLE)
    line.place_call("1")
    line.end_call("keypress")
    await line.close()


async def test_far_side_that_never_reads_is_dropped() -> None:
    user = FakeUser()
    line = raw("tcp-listen:127.0.0.1:0")
    await line.open(user)
    reader, writer = await asyncio.open_connection(*line.address, limit=1024)
    await user.hears(("incoming", ""))
    line.accept_call()
    writer.write(bytes(20_000_000))
    await user.hears("hung up")
    writer.transport.abort()
    await line.close()
    assert reader is not None


async def test_unix_path_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(ResourceError, match="a file of this name exists"):
        await raw(f"unix-listen:{path}").open(FakeUser())
    first = raw(f"unix-listen:{tmp_path}/sock")
    await first.open(FakeUser())
    with pytest.raises(ResourceError, match="is in use"):
        await raw(f"unix-listen:{tmp_path}/sock").open(FakeUser())
    await first.close()


async def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(ResourceError, match="that is no address"):
        await raw("tcp-listen:é..b:0").open(FakeUser())


async def test_a_living_socket_of_another_kind_stays(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(ResourceError, match="a file of this name"):
            await raw(f"unix-listen:{path}").open(FakeUser())
        assert path.exists()


async def test_a_call_dialled_right_after_the_last_was_given_up_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    line = raw("tcp:127.0.0.1:9")
    await line.open(FakeUser())
    line.place_call("")
    await asyncio.sleep(0)
    line.end_call("a key")
    line.place_call("")
    second = line._task
    assert second is not None
    for _ in range(3):
        await asyncio.sleep(0)  # the first learns that it is over
    line.end_call("a key")
    await asyncio.wait([second], timeout=5)
    assert second.cancelled()
