"""The web page's application around made-up modems and an exchange that only remembers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from ansam.config import Config, load
from ansam.config.web import Role, WebConfig, WebUser
from ansam.io.answer_passwords import hash_password
from ansam.io.control import LIGHTS, Conflict, PanelState
from ansam.io.control.bundle import Heard, pack
from ansam.io.control.hub import LocalHub
from ansam.pbx.dialplan import DialPlan
from ansam.web.adaptors import AdaptorBook
from ansam.web.app import WebApp
from ansam.web.doctor import DoctorDesk
from ansam.web.extensions import ExtensionBook
from ansam.web.models import CallInfo, LiveCallInfo, RegistrationInfo, TrunkInfo
from ansam.web.recordings import RecordingShelf
from ansam.web.server import WebServer
from ansam.web.sources import Sources

PASSWORD = "correct horse"
CONFIGURATION = """
[exchange]
[[extension]]
number = "05"
secret = "hidden-05"
name = "Dial-up"
[[extension]]
number = "07"
secret = "hidden-07"
forward_busy = "05"
[[group]]
number = "50"
members = ["05"]
[[modem]]
name = "m1"
line = "sip:05@127.0.0.1"
dte = "answer:login"
[[adaptor]]
mac = "00:0e:08:ab:cd:ef"
line1 = "07"
[provisioning]
proxy = "192.0.2.1"
"""


class Terminal:
    def __init__(self) -> None:
        self.octets: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> bytes:
        return await self.octets.get()

    async def write(self, data: bytes) -> None:
        await self.octets.put(data)

    async def close(self) -> None:
        await self.octets.put(b"")


class FakeModem:
    """A modem without a line."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.number = ""
        self.terminals = 0

    async def state(self) -> PanelState:
        state = "dialling" if self.number else "idle"
        lights = dict.fromkeys(LIGHTS, False)
        return PanelState(self.id, self.id, "07", "usr-56k", state, self.number, terminal=True, lights=lights)

    async def panel(self) -> AsyncIterator[PanelState]:
        while True:
            yield await self.state()
            await asyncio.sleep(0.01)

    async def dial(self, string: str) -> None:
        if self.number:
            raise Conflict("the modem is off hook")
        self.number = string

    async def answer(self) -> None:
        raise Conflict("nobody rings")

    async def hang_up(self) -> None:
        if not self.number:
            raise Conflict("the modem is on hook")
        self.number = ""

    async def volume(self, level: int) -> None:
        self.level = level

    async def scope(self) -> AsyncIterator[str]:
        for index in range(3):
            yield f'[{{"type": "frame", "t": {index}}}]'
        await asyncio.Event().wait()

    async def audio(self) -> AsyncIterator[bytes]:
        yield bytes(640)
        await asyncio.Event().wait()

    async def terminal(self) -> Terminal:
        self.terminals += 1
        return Terminal()

    async def bundle(self) -> bytes:
        heard = Heard(np.zeros((2, 8000), np.float32), 8000, 0)
        return pack(heard, [], (await self.state()).message()) if self.number else b""


class MemoryExchange:
    """See `ExchangeView`."""

    def __init__(self, plan: DialPlan) -> None:
        self.plan = plan

    def registrations(self) -> Sequence[RegistrationInfo]:
        return [
            RegistrationInfo(
                number="05",
                name="Dial-up",
                contact="sip:05@192.0.2.5",
                transport="udp",
                address="192.0.2.5",
                port=5060,
                expires_seconds=60,
                user_agent="phone",
            )
        ]

    def trunks(self) -> Sequence[TrunkInfo]:
        return [TrunkInfo(name="out", host="192.0.2.9", state="registered", text="")]

    def live_calls(self) -> Sequence[LiveCallInfo]:
        return [
            LiveCallInfo(
                id="1", caller="07", callee="05", answered_by="", state="ringing", seconds=1.5, trunk=""
            )
        ]

    async def calls(self, search: str, limit: int, before: int | None) -> Sequence[CallInfo]:
        numbers = range(1200, 0, -1)
        found = [number for number in numbers if before is None or number < before][:limit]
        return [_call(number, search) for number in found]


def _call(number: int, reason: str) -> CallInfo:
    at = "2026-11-28T06:00:00+00:00"
    packets: dict[str, Any] = dict.fromkeys(
        ("caller_packets", "caller_lost", "callee_packets", "callee_lost")
    )
    return CallInfo(
        id=number,
        caller="07",
        callee="05",
        answered_by="05",
        started=at,
        answered=at,
        ended=at,
        seconds=1.0,
        cause="caller hung up",
        reason=reason or "=1+1",
        status=200,
        **packets,
    )


@cache
def users() -> tuple[WebUser, ...]:
    return tuple(WebUser(role.value, role, hash_password(PASSWORD)) for role in Role)


def make_sources(directory: Path) -> Sources:
    path = directory / "ansam.toml"
    path.write_text(CONFIGURATION)
    exchange = MemoryExchange(load(path).plan())

    def changed(config: Config) -> None:
        exchange.plan = config.plan()

    return Sources(
        modems=LocalHub([FakeModem("m1"), FakeModem("m2")]),
        exchange=exchange,
        extensions=ExtensionBook(path, changed),
        adaptors=AdaptorBook(path, changed),
        recordings=RecordingShelf(directory / "recordings", 200_000, 2_000_000),
        doctor=DoctorDesk(directory / "doctor"),
    )


def make_app(directory: Path, config: WebConfig | None = None) -> WebApp:
    return WebApp(config or WebConfig("127.0.0.1", 0), make_sources(directory))


@contextmanager
def served(config: WebConfig, sources: Sources) -> Iterator[str]:
    """Run a server in a thread of its own; yield where it is."""
    told: Queue[str] = Queue()
    loop, done = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        server = WebServer(config, sources)
        await server.start()
        told.put(server.url)
        await done.wait()
        await server.stop()

    thread = Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield told.get(timeout=10)
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()


def own_address() -> str:
    """Return the address by which others reach this machine; loopback where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(sock.getsockname()[0])


def far() -> WebConfig:
    """The page as others reach it: with users."""
    return WebConfig("192.0.2.1", 8080, users=users())


def client(app: WebApp, host: str = "127.0.0.1:8080") -> TestClient:
    return TestClient(app.asgi, base_url=f"http://{host}", raise_server_exceptions=True)


def log_in(page: TestClient, role: str) -> str:
    """Return the CSRF token of a new session."""
    answer = page.post("/api/login", json={"user": role, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["csrf"])
