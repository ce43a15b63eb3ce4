"""Calls in a row between two lines and an exchange over real UDP, ended by either side at any moment."""

import asyncio
import contextlib
import ctypes
import gc
import os
import random
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field

from tests.support.exchange_live import EXTENSIONS
from tests.support.line_user import FakeUser
from tests.support.memory import resident

from ansam.call.line_url import SipLineUrl
from ansam.call.party import Silence
from ansam.config.settings import ExchangeConfig, Listen
from ansam.dce.progress import Progress
from ansam.io.clock import FramePacer
from ansam.io.exchange import ExchangeServer
from ansam.io.exchange_store import ExchangeStore
from ansam.io.line_sip import SipLine
from ansam.pbx.dialplan import DialPlan
from ansam.pbx.events import CallStarted, ExchangeEvent
from ansam.pbx.settings import ExchangeSettings, MediaMode

LONGEST = 0.4
"""Seconds from dialling until somebody hangs up at the latest; ringing and talking take 0.1 s."""


@dataclass
class Use:
    """What a process holds.

    Attributes:
        rss: Resident octets.
        fds: Open descriptors.
        tasks: Of the event loop.
        threads: Running.
        timers: Of the event loop, waiting.
        blocks: Of Python's memory: objects, strings and all.
    """

    rss: int
    fds: int
    tasks: int
    threads: int
    timers: int
    blocks: int


def use() -> Use:
    """Measure this process."""
    gc.collect()
    with contextlib.suppress(AttributeError):  # a C library that is not GNU's
        # What the peak of calls has left free between pages in use is no leak.
        ctypes.CDLL(None).malloc_trim(0)
    loop = asyncio.get_running_loop()
    timers = sum(not handle.cancelled() for handle in loop._scheduled)  # type: ignore[attr-defined]
    return Use(
        resident(),
        len(os.listdir("/proc/self/fd")),
        len(asyncio.all_tasks()),
        threading.active_count(),
        timers,
        sys.getallocatedblocks(),
    )


@dataclass
class Outcome:
    """What many calls came to.

    Attributes:
        uses: Measured at the start, half-way and at the end.
        started: Calls that came to the exchange: the others were given up before they had proved themselves.
        causes: How often each cause stands in the exchange's call records.
        talked: Calls that had a talking path.
        stuck: Calls after which a line was not free again in time.
    """

    uses: list[Use] = field(default_factory=list)
    started: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    talked: int = 0
    stuck: int = 0


class CountingUser(FakeUser):
    """Remembers only what is needed."""

    def process(self, rx, now, erased=False):  # type: ignore[no-untyped-def]
        return self.party.process(rx, now, erased)

    def incoming(self, caller: str, name: str = "") -> bool:
        self._say("rings")
        return True


async def many_calls(count: int, seed: int, database: str, relay: bool = False, rest: float = 0.3) -> Outcome:
    """Make `count` calls one after the other.

    Args:
        count: Calls.
        seed: Of who hangs up, and when.
        database: Of the exchange.
        relay: The exchange carries the media.
        rest: Seconds before each measurement; after 32 s the transactions of the last calls are gone too.
    """
    rng = random.Random(seed)
    outcome = Outcome()
    mode = MediaMode.RELAY if relay else MediaMode.DIRECT
    config = ExchangeConfig(ExchangeSettings(media=mode), (Listen("udp", "127.0.0.1", 0),), database)
    server = ExchangeServer(config, DialPlan(EXTENSIONS), random.Random(seed))
    await server.start()
    heard = server._on_event

    def count_started(event: ExchangeEvent) -> None:
        outcome.started += isinstance(event, CallStarted)
        heard(event)

    server._on_event = count_started  # type: ignore[method-assign]
    pacer = FramePacer()
    pacer.start()
    ends: list[tuple[SipLine, CountingUser]] = []
    for number in ("07", "05"):
        url = SipLineUrl(number, f"secret-{number}", *server.address("udp"))
        line, user = SipLine(url, pacer, must_register=True), CountingUser(party=Silence())
        await line.open(user)
        ends.append((line, user))
    try:
        for k in range(count):
            if k in (0, count // 2):
                outcome.uses.append(await settled(rest))
            await _one_call(ends, rng, outcome)
        outcome.uses.append(await settled(rest))
        outcome.stuck += server.exchange.calls_up + pacer.calls
    finally:
        for line, _ in ends:
            await line.close()
        pacer.stop()
        await server.stop()
    store = ExchangeStore(database, create=False)
    outcome.causes = Counter(str(record.cause) for record in store.calls(2 * count))
    store.close()
    return outcome


async def settled(rest: float) -> Use:
    """Let what has ended go, then measure."""
    await asyncio.sleep(rest)
    return use()


async def _one_call(ends: list[tuple[SipLine, CountingUser]], rng: random.Random, outcome: Outcome) -> None:
    (caller, one), (callee, two) = ends
    one.said.clear()
    two.said.clear()
    end = asyncio.get_running_loop().time() + rng.random() ** 2 * LONGEST
    answer = rng.random() < 0.9
    hung_up = rng.choice(ends)
    caller.place_call("05")

    async def answered() -> None:
        await two.until(lambda: "rings" in two.said)
        if answer:
            callee.accept_call()
        await asyncio.Event().wait()

    task = asyncio.create_task(answered())
    await asyncio.sleep(max(0.0, end - asyncio.get_running_loop().time()))
    # Both hang up at once now and then.
    for line, _ in ends if rng.random() < 0.1 else [hung_up]:
        line.end_call("at random")
    # Where the callee had nothing to hang up yet, the caller does.
    if "rings" not in two.said:
        caller.end_call("at random")
    outcome.talked += Progress.CONNECTED in one.said
    try:
        async with asyncio.timeout(5):
            while caller._call is not None or callee._call is not None:
                await asyncio.sleep(0.005)
                if callee._call is not None and caller._call is None and not caller._ending:
                    await asyncio.sleep(0.05)
    except TimeoutError:
        outcome.stuck += 1
        for line, _ in ends:
            line.end_call("stuck")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _free(caller)
    await _free(callee)


async def _free(line: SipLine) -> None:
    """Wait until the last BYE has been answered."""
    async with asyncio.timeout(40):
        while line._ending:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
