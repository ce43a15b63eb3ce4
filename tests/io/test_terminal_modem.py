"""The terminal at a box on a serial cable: set-up, and hang-up where DTR has no effect."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ansam.io.terminal import Left, Terminal
from ansam.io.terminal_port import nothing


class Box:
    """A port with a carrier line; the modem behind it takes no notice of DTR."""

    name = "ttyS0"
    unsent = None

    def __init__(self) -> None:
        self.carrier: bool | None = True
        self.on_carrier: Callable[[], None] = nothing
        self.got = bytearray()
        self.dtr: list[bool] = []
        self._answer = asyncio.Queue[bytes]()

    async def open(self) -> None:
        self.dtr.append(True)

    async def read(self) -> bytes:
        return await self._answer.get()

    async def write(self, data: bytes) -> None:
        self.got += data
        if data == b"ATH\r":
            self.carrier = False
            self._answer.put_nowait(b"\r\nOK\r\n")

    async def set_dtr(self, on: bool) -> None:
        self.dtr.append(on)

    def close(self) -> None:
        """Nothing to give up."""


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.terminal.ESCAPE_GUARD", 0.01)
    monkeypatch.setattr("ansam.io.terminal.HANG_UP_PAUSE", 0.01)


async def test_init_string_goes_first(tmp_path: Path) -> None:
    box = Box()
    (tmp_path / "in").write_bytes(b"ATDT05\r")
    source, sink = os.open(tmp_path / "in", os.O_RDONLY), os.open(tmp_path / "out", os.O_CREAT | os.O_WRONLY)
    left = await Terminal(box, source, sink, linger=0.1, init="ATZ").run()
    assert left is Left.END_OF_INPUT
    assert box.got == b"ATZ\rATDT05\r"
    os.close(source)
    os.close(sink)


async def test_a_modem_without_dtr_is_hung_up_by_command() -> None:
    box = Box()
    terminal = Terminal(box, 0, 1)
    await terminal._hang_up()
    assert box.dtr == [False, True]
    assert box.got == b"+++ATH\r"
    box.got.clear()
    await terminal._hang_up()
    assert box.got == b""
