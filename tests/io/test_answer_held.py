"""What goes on while nobody listens: nothing of it is lost, and it does not grow without end."""

import asyncio
import socket
from itertools import count

import pytest
from tests.support.bbs_live import ME, happens

from ansam.answer.events import OpenBridge, RunCommand
from ansam.answer.service_url import BridgeTarget
from ansam.io.answer_bridge import BridgeProcess
from ansam.io.answer_command import CommandProcess
from ansam.io.answer_held import AGAIN, KEPT, HeldProcesses


class Counting:
    """A process that says more than anybody keeps, or ends after some words."""

    def __init__(self, words: int | None = None) -> None:
        self._numbers = iter(range(words)) if words is not None else count()
        self.said = b""
        self.stopped = False

    async def start(self) -> None:
        pass

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        number = next(self._numbers, None)
        word = b"" if number is None else b"%07d\n" % number
        self.said += word
        return word

    async def write(self, data: bytes) -> None:
        pass

    async def stop(self) -> int:
        self.stopped = True
        return 0


async def test_a_process_that_says_much_waits_and_nothing_is_missing() -> None:
    held, process, gone = HeldProcesses(), Counting(), list[str]()
    held.put("T", process, b"before ", 60, gone.append)
    await happens(lambda: len(process.said) >= AGAIN + KEPT - 7)
    for _ in range(50):
        await asyncio.sleep(0)
    found = await held.take("T")
    assert found == (process, b"before " + process.said)
    assert len(found[1]) <= AGAIN + KEPT + 8
    assert (gone, process.stopped) == ([], False)
    # One whose line breaks again before anything was heard says nothing more until then.
    held.put("T", process, found[1], 60, gone.append)
    assert await held.take("T") == found


async def test_a_process_that_ends_is_offered_no_more() -> None:
    held, process, gone = HeldProcesses(), Counting(3), list[str]()
    held.put("T", process, b"", 60, gone.append)
    await happens(lambda: process.stopped)
    assert gone == ["T"]
    assert await held.take("T") is None


async def test_one_that_waits_for_room_ends_with_its_time() -> None:
    held, process, gone = HeldProcesses(), Counting(), list[str]()
    held.put("T", process, bytes(AGAIN + KEPT), 0.05, gone.append)
    await happens(lambda: process.stopped)
    assert (gone, process.said) == (["T"], b"")


async def test_what_a_host_has_said_is_not_lost_while_it_gets_its_answer() -> None:
    """The line breaks while an option of telnet is answered to a host that does not read."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        target = BridgeTarget("telnet", "127.0.0.1", listening.getsockname()[1])
        process = BridgeProcess(OpenBridge(target, {}))
        await process.start()
        host, _ = listening.accept()
        with host:
            room = asyncio.Event()

            async def drain() -> None:
                await room.wait()

            assert process._writer is not None
            process._writer.drain = drain  # type: ignore[method-assign]
            host.sendall(b"\xff\xfd\x18hello")  # DO TERMINAL-TYPE
            reading = asyncio.create_task(process.read())
            await happens(lambda: process._got == b"hello")
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            assert await process.read() == b"hello"
            room.set()
    await process.stop()


@pytest.mark.parametrize("turns", range(5))
async def test_what_a_command_has_said_is_not_lost_in_the_moment_the_line_breaks(turns: int) -> None:
    process = CommandProcess(RunCommand(("/bin/cat",), {}, run_as=ME))
    await process.start()
    words, there = [b"hello"], asyncio.Event()

    async def read() -> bytes:
        await there.wait()
        return words.pop()

    assert process._master is not None
    process._master.read = read  # type: ignore[method-assign]
    reading = asyncio.create_task(process.read())
    await asyncio.sleep(0.01)
    there.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    reading.cancel()
    (said,) = await asyncio.gather(reading, return_exceptions=True)
    assert (said if isinstance(said, bytes) else await process.read()) == b"hello"
    await process.stop()
