"""What goes on while nobody listens: nothing of it is lost, and it does not grow without end."""

import asyncio
from itertools import count

from tests.support.bbs_live import happens

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
