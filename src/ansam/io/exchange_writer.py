"""What changes in the exchange goes to its database away from the event loop.

Writing happens in one thread, a batch for each transaction: a registration storm becomes a few transactions,
and a slow disk holds up no call.
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ansam.io.database import reason_of
from ansam.io.exchange_store import Batch, ExchangeStore
from ansam.pbx.records import CallRecord, OpenCall
from ansam.pbx.registrations import Binding

RECORDS_WAITING = 10_000
"""Call records held while the database cannot be written; beyond it the oldest are dropped and counted."""

RETRY_AFTER = 5.0
"""Seconds between attempts to write to a database that refuses."""

ALIVE_EVERY = 10.0
"""Seconds between signs of life in the database, as long as there are calls: the end of those cut off."""

_log = structlog.get_logger("ansam.exchange")


class StoreWriter:
    """Writes what changed.

    Args:
        store: The database.
        on_trouble: Called once for each failure, with its text.
    """

    def __init__(self, store: ExchangeStore, on_trouble: Callable[[str], None] = lambda text: None) -> None:
        self.dropped = 0
        self._store = store
        self._on_trouble = on_trouble
        self._waiting = Batch()
        self._in_progress: set[int] = set()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="exchange store")

    def registrations_changed(self, number: str, bindings: tuple[Binding, ...]) -> None:
        """Take the new state of an extension."""
        self._waiting.registrations[number] = bindings
        self._wake.set()

    def call_open(self, call: OpenCall) -> None:
        """Take a call that is in progress: new, or answered by now."""
        self._in_progress.add(call.identity)
        self._waiting.opened[call.identity] = call
        self._wake.set()

    def call_over(self, record: CallRecord) -> None:
        """Take a call record."""
        waiting = self._waiting
        if len(waiting.records) >= RECORDS_WAITING:
            del waiting.records[0]
            self.dropped += 1
        waiting.records.append(record)
        if record.identity is not None:
            self._in_progress.discard(record.identity)
            waiting.opened.pop(record.identity, None)
            waiting.closed.add(record.identity)
        self._wake.set()

    async def close(self) -> None:
        """Write what waits, and end. What a database still refuses is logged."""
        self._closing.set()
        self._wake.set()
        await self._task
        if self._waiting:
            _log.error("call records lost", count=len(self._waiting.records), database=self._store.name)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ALIVE_EVERY if self._in_progress else None):
                    await self._wake.wait()
            self._wake.clear()
            self._waiting.alive = bool(self._in_progress)
            if self._waiting and not await self._write():
                if self._closing.is_set():
                    return
                self._wake.set()
                await self._pause()
            if self._closing.is_set() and not self._waiting:
                return

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RETRY_AFTER):
                await self._closing.wait()

    async def _write(self) -> bool:
        batch, self._waiting = self._waiting, Batch()
        try:
            await asyncio.to_thread(self._store.write, batch)
        except SQLAlchemyError as error:
            self._put_back(batch)
            _log.error("database refuses", database=self._store.name, reason=reason_of(error))
            self._on_trouble(reason_of(error))
            return False
        return True

    def _put_back(self, batch: Batch) -> None:
        """Let a batch wait again; what has changed since is newer."""
        newer = self._waiting
        newer.registrations = {**batch.registrations, **newer.registrations}
        newer.records = batch.records + newer.records
        excess = max(0, len(newer.records) - RECORDS_WAITING)
        del newer.records[:excess]
        self.dropped += excess
        newer.closed |= batch.closed
        still = {identity: call for identity, call in batch.opened.items() if identity not in newer.closed}
        newer.opened = {**still, **newer.opened}
