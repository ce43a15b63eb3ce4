"""Whatever is written to a control socket: no crash, no modem harmed, and what is asked next is answered."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.web import FakeModem

from ansam.io.control.client import RemoteModem
from ansam.io.control.hub import SocketHub
from ansam.io.control.server import ControlServer
from ansam.io.control.wire import BINARY, FAULT, TEXT, pack, read_frame

WORDS = (
    "list",
    "state",
    "panel",
    "scope",
    "audio",
    "terminal",
    "dial",
    "answer",
    "hangup",
    "volume",
    "bundle",
)
KINDS = {"ConfigError", "Conflict", "ResourceError", "RemoteProtocolError"}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
asked = st.fixed_dictionaries(
    {"do": st.sampled_from(WORDS) | values},
    optional={"modem": st.just("m1") | values, "string": values, "level": values},
)
lines = asked.map(lambda request: json.dumps(request).encode() + b"\n") | st.binary(max_size=200)
frames = st.builds(pack, st.sampled_from((TEXT, BINARY, FAULT, b"?")), st.binary(max_size=50)) | st.binary(
    max_size=30
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, Path]]:
    path = tmp_path_factory.mktemp("socket") / "control"
    with asyncio.Runner() as runner:
        server = ControlServer(path, [FakeModem("m1")])
        runner.run(server.start())
        yield runner, path
        runner.run(server.stop())


async def _exchange(path: Path, sent: bytes) -> list[tuple[bytes, bytes]]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(sent)
    writer.write_eof()
    answered = []
    async with asyncio.timeout(10):
        while (frame := await read_frame(reader)) is not None:
            answered.append(frame)
    writer.close()
    return answered


@settings(max_examples=150)
@given(line=lines, rest=st.lists(frames, max_size=3))
def test_anything_is_answered_or_refused(
    served: tuple[asyncio.Runner, Path], line: bytes, rest: list[bytes]
) -> None:
    runner, path = served

    async def test() -> None:
        for kind, data in await _exchange(path, line + b"".join(rest)):
            if kind == FAULT:
                assert json.loads(data)["kind"] in KINDS
                assert "went wrong" not in json.loads(data)["message"]
        assert (await RemoteModem(path, "m1").state()).id == "m1"

    runner.run(test())


def test_workers_that_come_and_go_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.control.hub.LOOK", 0.01)
    one, other = tmp_path / "one", tmp_path / "other"

    async def test() -> None:
        hub = SocketHub([one, other])
        hub.start()

        async def shows(*names: str) -> None:
            async with asyncio.timeout(10):
                while tuple(modem.id for modem in hub.modems()) != names:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

        last = ControlServer(other, [FakeModem("m3")])
        await last.start()
        await shows("m3")
        for modems in (("m1",), ("m1", "m2")):
            first = ControlServer(one, [FakeModem(name) for name in modems])
            await first.start()
            await shows(*modems, "m3")
            found = hub.find("m1")
            assert found is not None
            assert (await found.state()).id == "m1"
            await first.stop()
            await shows("m3")
        await last.stop()
        await shows()
        await hub.stop()

    asyncio.run(test())


def test_a_panel_shows_a_worker_that_came_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.control.hub.LOOK", 0.01)

    async def test() -> None:
        hub = SocketHub([tmp_path / "control"])
        hub.start()
        panel = hub.panel()
        async with asyncio.timeout(10):
            for name in ("m1", "m2"):
                server = ControlServer(tmp_path / "control", [FakeModem(name)])
                await server.start()
                while (await anext(panel)).id != name:
                    pass
                await server.stop()
                while hub.modems():  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        await panel.aclose()  # type: ignore[attr-defined]
        await hub.stop()

    asyncio.run(test())
