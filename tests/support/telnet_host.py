"""A board behind a telnet server, as Synchronet or Mystic is: options, IAC doubled, CP437, ZMODEM by lrzsz.

It is written from RFC 854 alone and shares no code with ours.
"""

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, ECHO, SGA, TTYPE, NAWS, TSPEED, ENVIRON = 0, 1, 3, 24, 31, 32, 39
ART = bytes(range(256)) * 2
HELLO = b"Welcome to Stand-In BBS\r\n"


class Session:
    """One caller."""

    def __init__(
        self, host: "TelnetHost", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.host, self.reader, self.writer = host, reader, writer
        self.agreed: set[tuple[int, int]] = set()
        self.told: dict[int, bytes] = {}
        self._state, self._verb, self._sub = "data", 0, bytearray()
        self.data = bytearray()
        self.status = -1

    async def serve(self) -> None:
        asks = [(WILL, ECHO), (WILL, SGA), (WILL, BINARY), (DO, BINARY), (DO, SGA)]
        asks += [(DO, option) for option in (TTYPE, NAWS, TSPEED, ENVIRON)]
        self.writer.write(b"".join(bytes((IAC, *ask)) for ask in asks))
        self.send(HELLO)
        while (word := await self.word()) is not None:
            await self.obey(word)

    def send(self, data: bytes) -> None:
        self.writer.write(data.replace(b"\xff", b"\xff\xff"))

    async def word(self) -> str | None:
        while b"\r" not in self.data:
            if not await self.more():
                return None
        line, _, rest = bytes(self.data).partition(b"\r")
        self.data[:] = rest
        return line.decode("cp437").strip()

    async def more(self) -> bool:
        raw = await self.reader.read(4096)
        for octet in raw:
            self.octet(octet)
        return bool(raw)

    def octet(self, octet: int) -> None:
        if self._state == "data":
            if octet == IAC:
                self._state = "iac"
            else:
                self.data.append(octet)
        elif self._state == "iac":
            self._state = "data"
            if octet == IAC:
                self.data.append(IAC)
            elif octet == SB:
                self._state, self._sub = "sub", bytearray()
            elif octet in (WILL, WONT, DO, DONT):
                self._state, self._verb = "verb", octet
        elif self._state == "verb":
            self._state = "data"
            self.agreed.add((self._verb, octet))
            if self._verb == WILL and octet in (TTYPE, TSPEED, ENVIRON):
                self.writer.write(bytes((IAC, SB, octet, 1, IAC, SE)))
        elif self._state == "sub":
            if octet == IAC:
                self._state = "sub iac"
            else:
                self._sub.append(octet)
        elif octet == SE:
            self._state = "data"
            self.told[self._sub[0]] = bytes(self._sub[1:])
        else:
            self._state = "sub"
            self._sub.append(octet)

    async def obey(self, word: str) -> None:
        match word.split():
            case ["art"]:
                self.send(ART)
            case ["told"]:
                self.send(repr(sorted(self.told.items())).encode() + b"\r\n")
            case ["echo", *words]:
                self.send(" ".join(words).encode("cp437") + b"\r\n")
            case ["count"]:
                self.host.counting = asyncio.create_task(self.count())
            case ["down"]:
                await self.transfer("sz", "-b", "-q", "down.bin")
            case ["up"]:
                await self.transfer("rz", "-b", "-q")
            case [status] if status.endswith("status"):  # behind what a transfer program left unread
                self.send(b"status %d\r\n" % self.status)
            case ["bye"]:
                self.writer.close()
            case _:
                self.send(b"?\r\n")

    async def count(self) -> None:
        """Go on by itself, as a game does."""
        for number in range(1, 10_000):
            self.send(b"tick %d\r\n" % number)
            await asyncio.sleep(0.02)

    async def transfer(self, *command: str) -> None:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=self.host.directory
        )
        assert child.stdin is not None
        assert child.stdout is not None

        async def feed() -> None:
            while True:
                child.stdin.write(bytes(self.data))  # type: ignore[union-attr]
                self.data.clear()
                await child.stdin.drain()  # type: ignore[union-attr]
                if not await self.more():
                    return

        feeding = asyncio.create_task(feed())
        while data := await child.stdout.read(1024):
            self.send(data)
            await self.writer.drain()
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        self.status = await child.wait()


class TelnetHost:
    """The server; `directory` has down.bin, and gets what is sent up."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sessions: list[Session] = []
        self.counting: asyncio.Task[None] | None = None

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        self.sessions.append(session)
        with contextlib.suppress(ConnectionError):
            await session.serve()
        writer.close()


@asynccontextmanager
async def telnet_host(directory: Path) -> AsyncIterator[tuple[TelnetHost, int]]:
    """Run one; yields it and its port."""
    host = TelnetHost(directory)
    server = await asyncio.start_server(host.accept, "127.0.0.1", 0)
    try:
        yield host, server.sockets[0].getsockname()[1]
    finally:
        if host.counting is not None:
            host.counting.cancel()
        server.close()
