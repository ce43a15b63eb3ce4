"""Modems that are watched and worked, in this process and behind a socket."""

import asyncio
import io
import json
import stat
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.real_call import hurry
from tests.support.tapped import Looker, behind_socket, tapped
from tests.support.waiting import until

from ansam.errors import ConfigError, ResourceError
from ansam.io.control import LIGHTS, Conflict, ModemControl
from ansam.io.control.client import RemoteModem
from ansam.io.control.hub import LocalHub

LIMIT = 60


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def run(test: Any) -> None:
    async def limited() -> None:
        async with asyncio.timeout(LIMIT):
            await test()

    asyncio.run(limited())


async def becomes(modem: ModemControl, state: str) -> None:
    async with asyncio.timeout(20):
        async for seen in modem.panel():
            if seen.state == state:
                return


async def reads(terminal: Any, words: bytes) -> bytes:
    got = b""
    async with asyncio.timeout(30):
        while words not in got:
            data = await terminal.read()
            assert data, got
            got += data
    return got


def test_a_call_from_the_page_as_it_is_seen(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            tapped(tmp_path) as (answering, calling),
            behind_socket(tmp_path, answering, calling) as hub,
        ):
            modem = hub.find("ttyUSB1")
            assert modem is not None
            assert stat.S_IMODE((tmp_path / "control").stat().st_mode) == 0o600
            looker, sound = Looker(modem), Looker(answering)
            terminal = await modem.terminal()
            with pytest.raises(Conflict, match="in use"):
                await modem.terminal()
            await terminal.write(b"AT&N16DT05\r")
            await reads(terminal, b"CONNECT 33600/ARQ/V34/LAPM/V42BIS\r\n")
            state = await modem.state()
            assert (state.state, state.number, state.rate, state.extension) == (
                "connected",
                "05",
                33600,
                "07",
            )
            assert state.connect == "CONNECT 33600/ARQ/V34/LAPM/V42BIS"
            on = {name for name in LIGHTS if (state.lights or {})[name]}
            assert on == {"HS", "CD", "OH", "TR", "MR", "RS", "CS", "ARQ"}
            with pytest.raises(Conflict, match="in a call"):
                await modem.dial("06")
            with pytest.raises(ConfigError, match="nothing to dial with"):
                await modem.dial("06;")
            assert state.terminal_in_use
            assert not (await answering.state()).terminal_in_use
            far = await answering.terminal()
            await terminal.write(b"hello")
            assert (await reads(far, b"hello")).endswith(b"hello")
            await until(lambda: any(f["constellation"] and f["equaliser"] for f in looker.frames()))
            await modem.hang_up()
            await reads(terminal, b"NO CARRIER")
            await until(lambda: looker.events("note"))
            assert looker.events("note")[-1]["text"] == "hung up at the front panel"
            names = [event["name"] for event in looker.events("phase")]
            ladder = [
                "connected",
                "ANSam",
                "CM",
                "CJ",
                "INFO0c",
                "INFO1c",
                "J",
                "MP",
                "E, B1",
                "V.34 ready",
                "data",
                "ADP received",
                "SABME",
                "link",
                "DISC",
            ]
            places = [names.index(name) for name in ladder]
            assert places == sorted(places)
            assert all(event["text"] for event in looker.events("phase"))
            frames = [event["name"] for event in looker.events("lapm")]
            assert frames[:3] == ["XID", "XID", "SABME"]
            assert {"I", "RR", "DISC"} <= set(frames)
            assert looker.events("at")[0]["text"] == "AT&N16DT05"
            assert all(event["t"] is not None for event in looker.messages)
            await terminal.close()
            await until(lambda: not calling._dte.in_use)
            assert not sound.frames() or sound.frames()[0]["spectrum"]
            await looker.close()
            await sound.close()

    run(test)


def test_a_frame_shows_what_the_receiver_sees(tmp_path: Path) -> None:
    async def test() -> None:
        async with tapped(tmp_path, "AT+MS=V22B") as (_, calling):
            looker = Looker(calling)
            await calling.dial("05")
            await becomes(calling, "connected")
            await until(lambda: any(len(f["constellation"]) > 50 and f["equaliser"] for f in looker.frames()))
            frame = looker.frames()[-1]
            points = np.array(frame["constellation"], float).view(complex) / 1000
            grid = np.array([complex(x, y) for x in (-3, -1, 1, 3) for y in (-3, -1, 1, 3)])
            scale = np.sqrt(np.mean(np.abs(points) ** 2) / 10)
            assert np.abs(points[:, None] / scale - grid).min(axis=1).max() < 0.5
            assert (len(frame["spectrum"]), len(frame["spectrum_tx"])) == (128, 128)
            band = [int(np.argmax(frame[key])) * 31.25 for key in ("spectrum_tx", "spectrum")]
            assert 800 < band[0] < 1600 < band[1] < 2900  # low channel sent, high channel received
            assert frame["snr"] > 20
            assert frame["rate"] == 2400
            await looker.close()
            assert not calling._trace.awake

    run(test)


def test_dial_answer_and_hang_up_by_buttons(tmp_path: Path) -> None:
    async def test() -> None:
        async with tapped(tmp_path, "AT+MS=V21") as (answering, calling):
            with pytest.raises(Conflict, match="on hook"):
                await calling.hang_up()
            with pytest.raises(Conflict, match="no call rings"):
                await calling.answer()
            answering._host.command("S0=0")
            fronts = []

            async def watch() -> None:
                async for state in LocalHub([answering, calling]).panel():
                    fronts.append((state.id, state.state))  # noqa: PERF401

            watching = asyncio.create_task(watch())
            await until(lambda: ("ttyUSB1", "idle") in fronts)
            await calling.dial("05")
            await becomes(answering, "ringing")
            assert (await answering.state()).lights["AA"]  # type: ignore[index]
            await answering.answer()
            await becomes(calling, "connected")
            await becomes(answering, "connected")
            for level in (3, 0):
                await calling.volume(level)
            settings = calling._host.dce.settings
            assert (settings["M"], settings["L"]) == (0, 3)
            await until(lambda: ("ttyUSB1", "connected") in fronts)
            fronts.clear()
            await answering.hang_up()
            await until(lambda: ("ttyUSB1", "idle") in fronts)
            watching.cancel()

    run(test)


def test_what_was_heard_last_as_a_bundle(tmp_path: Path) -> None:
    async def test() -> None:
        async with tapped(tmp_path, "AT+MS=V22B") as (_, calling):
            assert await calling.bundle() == b""
            heard = []

            async def listen() -> None:
                async for piece in calling.audio():
                    heard.append(piece)  # noqa: PERF401

            listening = asyncio.create_task(listen())
            await calling.dial("05")
            await becomes(calling, "connected")
            listening.cancel()
            assert len(heard) > 20
            assert all(piece and len(piece) % 640 == 0 for piece in heard)
            with zipfile.ZipFile(io.BytesIO(await calling.bundle())) as bundle:
                assert bundle.namelist() == ["call.wav", "events.json", "state.json"]
                with wave.open(bundle.open("call.wav")) as sound:
                    assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
                    seconds = sound.getnframes() / 8000
                assert 4 < seconds <= 60
                assert json.loads(bundle.read("state.json"))["state"] == "connected"
                told = json.loads(bundle.read("events.json"))
                times = {event["name"]: told["began"] + event["t"] for event in told["events"]}
                assert -1 < times["connected"] < 0.1  # before the first sound
                assert 2 < times["S1"] < times["V.22bis ready"] < seconds

    run(test)


def test_a_viewer_that_sleeps_holds_nothing_up(tmp_path: Path) -> None:
    async def test() -> None:
        async with tapped(tmp_path, "AT+MS=V22B") as (_, calling):
            sleeper = calling.scope()
            await calling.dial("05")
            first = json.loads(await anext(sleeper))[0]
            await becomes(calling, "connected")
            for number in range(3000):
                calling._heard({"type": "event", "kind": "note", "number": number})
            await asyncio.sleep(0.15)
            got = json.loads(await anext(sleeper))
            assert first["type"] == "event"
            assert 1000 < sum("number" in message for message in got) <= 2000
            assert sum(message["type"] == "frame" for message in got) <= 20
            # The last of it: nothing else need happen for the viewer to be told.
            assert "events left out" in [one for one in got if one["type"] == "event"][-1]["text"]
            await sleeper.aclose()  # type: ignore[attr-defined]

    run(test)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"{}\n", b"[]\n", b"\xff\xfe\n", b'{"do":7}\n', b'{"do":"scope"}\n', b"x" * 9000,
        b'{"do":"fly","modem":"ttyUSB1"}\n', b'{"do":"dial","modem":"ttyUSB1"}\n',
        b'{"do":"dial","modem":"ttyUSB1","string":"\\u0007"}\n',
        b'{"do":"volume","modem":"ttyUSB1","level":true}\n',
        b'{"do":"state","modem":"ttyUSB9"}\n', b'{"do":"terminal","modem":"ttyUSB1"}\nnot a frame at all',
        b"[" * 4000 + b"\n",
    ],
)  # fmt: skip
def test_nonsense_harms_nobody(tmp_path: Path, line: bytes) -> None:
    async def test() -> None:
        async with tapped(tmp_path) as taps, behind_socket(tmp_path, *taps) as hub:
            reader, writer = await asyncio.open_unix_connection(tmp_path / "control")
            writer.write(line)
            writer.write_eof()
            await reader.read()
            writer.close()
            modem = hub.find("ttyUSB1")
            assert modem is not None
            assert (await modem.state()).state == "idle"
            await (await modem.terminal()).close()

    run(test)


def test_a_worker_that_dies_and_comes_again(tmp_path: Path) -> None:
    async def test() -> None:
        async with tapped(tmp_path) as taps:
            async with behind_socket(tmp_path, *taps) as hub:
                modem = hub.find("ttyUSB0")
                assert isinstance(modem, RemoteModem)
                with pytest.raises(ConfigError, match="nothing a modem can do"):
                    await modem._once("fly")
            with pytest.raises(ResourceError, match="not running"):
                await modem.state()
            async with behind_socket(tmp_path, *taps) as hub:
                assert [m.id for m in hub.modems()] == ["ttyUSB0", "ttyUSB1"]

    run(test)
