"""The exchange and its telephones over real UDP and TCP on loopback."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from ansam.config.settings import ExchangeConfig, Listen
from ansam.io.exchange import ExchangeServer
from ansam.io.exchange_store import StoredCall
from ansam.io.sip import SipNode
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.settings import ExchangeSettings, MediaMode
from ansam.sip.auth import Credentials
from ansam.sip.events import Address, CallId, Event, Registered
from ansam.sip.ua import UserAgent, UserAgentConfig

LIMIT = 20.0
EXTENSIONS = [Extension(number, f"secret-{number}", f"Name {number}") for number in ("05", "06", "07")]


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(limited())


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def sdp(port: int) -> bytes:
    return (
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        b"m=audio %d RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n" % port
    )


async def recorded(server: ExchangeServer, count: int) -> list[StoredCall]:
    """Return so many newest call records, oldest first: they reach the database a little after the calls."""
    async with asyncio.timeout(LIMIT):
        while len(found := await server.calls(count)) < count:  # noqa: ASYNC110 - a database has no event
            await asyncio.sleep(0.02)
    return found


@asynccontextmanager
async def exchange(
    database: str = "sqlite://",
    relay: bool = False,
    transports: tuple[str, ...] = ("udp", "tcp"),
    plan: DialPlan | None = None,
    **settings: Any,
) -> AsyncIterator[ExchangeServer]:
    media = MediaMode.RELAY if relay else MediaMode.DIRECT
    config = ExchangeConfig(
        ExchangeSettings(media=media, **settings),
        tuple(Listen("tcp" if kind == "tcp" else "udp", "127.0.0.1", 0) for kind in transports),
        database,
    )
    server = ExchangeServer(config, DialPlan(EXTENSIONS) if plan is None else plan, random.Random(7))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class Phone:
    """One of our user agents on the network."""

    def __init__(self, number: str, registrar: Address, secret: str = "", transport: str = "udp") -> None:
        self.number = number
        self.registrar = registrar
        self.transport = transport
        self.credentials = Credentials(number, secret or f"secret-{number}")
        self.events: list[Event] = []
        self._changed = asyncio.Event()
        self.node = SipNode(UserAgent(UserAgentConfig(user=number), random.SystemRandom()), self._take)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    async def open(self) -> None:
        if self.transport == "tcp":
            await self.node.open_tcp("127.0.0.1")
        else:
            self.node.open_udp("127.0.0.1")
        self.flow = self.node.flow("tcp" if self.transport == "tcp" else "udp", self.registrar)

    async def wait(self, kind: type) -> Any:
        """Return the first event of a kind that no one has waited for yet."""
        async with asyncio.timeout(LIMIT):
            while True:
                for event in self.events:
                    if isinstance(event, kind):
                        self.events.remove(event)
                        return event
                self._changed.clear()
                await self._changed.wait()

    def _uri(self, number: str) -> str:
        return f"sip:{number}@{self.registrar[0]}:{self.registrar[1]}"

    async def register(self) -> None:
        self.start_register()
        await self.wait(Registered)

    def start_register(self) -> None:
        self.node.do(
            lambda agent, now: agent.register(
                self._uri(self.number), self.flow, now, credentials=self.credentials
            )
        )

    def call(self, number: str, offer: bytes) -> CallId:
        return self.node.do(
            lambda agent, now: agent.invite(
                self._uri(number),
                self.flow,
                now,
                from_=self._uri(self.number),
                sdp=offer,
                credentials=self.credentials,
            )
        )


@asynccontextmanager
async def phone(number: str, registrar: Address, **options: str) -> AsyncIterator[Phone]:
    made = Phone(number, registrar, **options)
    await made.open()
    try:
        yield made
    finally:
        await made.node.close()
