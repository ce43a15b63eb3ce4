"""Registrations and call records in a database: SQLite by default, any engine SQLAlchemy knows by URL.

Writing happens in one thread, a batch for each transaction: a registration storm becomes a few transactions,
and a slow disk holds up no call. What the exchange needs to decide is in its memory, the database is for what
must outlive it.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import (
    URL,
    Engine,
    Float,
    Integer,
    String,
    create_engine,
    delete,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

from ansam.errors import ConfigError, ResourceError
from ansam.pbx.records import CallRecord, Carried
from ansam.pbx.registrations import Binding
from ansam.sip.events import Flow, Transport
from ansam.units import Seconds

RECORDS_WAITING = 10_000
"""Call records held while the database cannot be written; beyond it the oldest are dropped and counted."""

RETRY_AFTER = 5.0
"""Seconds between attempts to write to a database that refuses."""

INTEGER_MAX = 2**31 - 1
"""Greatest value of a column of integers in PostgreSQL."""

_TRANSPORTS: dict[str, Transport] = {"udp": "udp", "tcp": "tcp", "tls": "tls"}

_log = structlog.get_logger("ansam.exchange")


class _Base(DeclarativeBase):
    """Tables of this module."""


class RegistrationRow(_Base):
    """One binding; times are seconds since 1970."""

    __tablename__ = "registrations"

    number: Mapped[str] = mapped_column(String(32), primary_key=True)
    contact: Mapped[str] = mapped_column(String(512), primary_key=True)
    transport: Mapped[str] = mapped_column(String(8))
    local_host: Mapped[str] = mapped_column(String(64))
    local_port: Mapped[int] = mapped_column(Integer)
    remote_host: Mapped[str] = mapped_column(String(64))
    remote_port: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[float] = mapped_column(Float(53))
    q: Mapped[float] = mapped_column(Float)
    call_id: Mapped[str] = mapped_column(String(512))
    cseq: Mapped[int] = mapped_column(Integer)
    user_agent: Mapped[str] = mapped_column(String(256))


class CallRow(_Base):
    """One call; times are seconds since 1970."""

    __tablename__ = "calls"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    caller: Mapped[str] = mapped_column(String(32))
    callee: Mapped[str] = mapped_column(String(128))
    started: Mapped[float] = mapped_column(Float(53), index=True)
    answered: Mapped[float | None] = mapped_column(Float(53))
    ended: Mapped[float] = mapped_column(Float(53))
    cause: Mapped[str] = mapped_column(String(32))
    status: Mapped[int] = mapped_column(Integer)
    # Later than the rest: empty in rows of a database that was made before them.
    reason: Mapped[str | None] = mapped_column(String(256))
    answered_by: Mapped[str | None] = mapped_column(String(128))
    caller_packets: Mapped[int | None] = mapped_column(Integer)
    caller_lost: Mapped[int | None] = mapped_column(Integer)
    callee_packets: Mapped[int | None] = mapped_column(Integer)
    callee_lost: Mapped[int | None] = mapped_column(Integer)


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call record as it is listed.

    Attributes:
        caller: Number of the calling extension.
        callee: Number dialled.
        started: When it came in.
        answered: When it was answered, or None.
        ended: When it was over.
        cause: Why it ended.
        status: SIP status the caller saw.
        reason: What the end that hung up, or refused, said about it.
        answered_by: Number that answered, or "".
        from_caller: What the caller sent, where the exchange relayed it.
        from_callee: What the callee sent.
    """

    caller: str
    callee: str
    started: datetime
    answered: datetime | None
    ended: datetime
    cause: str
    status: int
    reason: str = ""
    answered_by: str = ""
    from_caller: Carried | None = None
    from_callee: Carried | None = None

    @property
    def duration(self) -> Seconds:
        """Seconds of talk."""
        return 0.0 if self.answered is None else (self.ended - self.answered).total_seconds()


@dataclass(slots=True)
class _Batch:
    """What waits to be written: for each extension only the newest state counts."""

    registrations: dict[str, tuple[Binding, ...]] = field(default_factory=dict)
    records: deque[CallRecord] = field(default_factory=deque)

    def __bool__(self) -> bool:
        return bool(self.registrations or self.records)


class ExchangeStore:
    """The database, used from one thread at a time; every method waits for the disk.

    Args:
        database: A file for SQLite, or a URL.
        create: Make the file and the tables where they are missing.

    Raises:
        ConfigError: The URL can not be understood, or its driver is not installed.
        ResourceError: The database can not be opened; with `create` False also: it is not there.
    """

    def __init__(self, database: str, create: bool = True) -> None:
        self.name = database
        # Times of the engine are monotonic; in the database they are those on the wall.
        self._offset = time.time() - time.monotonic()
        try:
            url = make_url(database if "://" in database else f"sqlite:///{database}")
            # Never shown with its password.
            self.name = url.render_as_string(hide_password=True) if "://" in database else database
            in_memory = url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
            self._engine: Engine = _shared_memory(url) if in_memory else create_engine(url)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            reason = str(error).splitlines()[0] if not isinstance(error, ArgumentError) else "not a URL"
            raise ConfigError(
                f"database: {reason}", 'a file name, or a URL such as "postgresql://user:password@host/name"'
            ) from None
        if url.get_backend_name() == "sqlite" and url.database and not in_memory:
            self._prepare_file(Path(url.database), create)
        try:
            if create:
                _Base.metadata.create_all(self._engine)
            else:
                with self._engine.connect():
                    pass
            _add_columns(self._engine)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise ResourceError(
                f"database {self.name}: {_reason(error)}", "check that it is a database and may be written"
            ) from None

    def _prepare_file(self, path: Path, create: bool) -> None:
        if path.exists():
            return
        if not create:
            raise ResourceError(f"database {path} is not there", "`ansam serve` makes it")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResourceError(
                f"directory {path.parent} can not be made: {error.strerror}", "set database in [exchange]"
            ) from None

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def write(self, registrations: dict[str, tuple[Binding, ...]], records: Sequence[CallRecord]) -> None:
        """Write a batch in one transaction.

        Args:
            registrations: All bindings of each extension that changed.
            records: Calls that ended.
        """
        with self._engine.begin() as connection:
            if registrations:
                numbers = list(registrations)
                for start in range(0, len(numbers), 500):
                    some = numbers[start : start + 500]
                    connection.execute(delete(RegistrationRow).where(RegistrationRow.number.in_(some)))
                rows = [self._row(binding) for bindings in registrations.values() for binding in bindings]
                # Contacts may have become equal where they were cut short.
                unique = {(row["number"], row["contact"]): row for row in rows}
                if unique:
                    connection.execute(insert(RegistrationRow), list(unique.values()))
            if records:
                connection.execute(insert(CallRow), [self._call_row(record) for record in records])

    def _row(self, binding: Binding) -> dict[str, object]:
        flow = binding.flow
        return {
            "number": binding.number,
            "contact": _text(binding.contact, 512),
            "transport": flow.transport,
            "local_host": flow.local[0],
            "local_port": flow.local[1],
            "remote_host": flow.remote[0],
            "remote_port": flow.remote[1],
            "expires_at": binding.expires_at + self._offset,
            "q": binding.q,
            "call_id": _text(binding.call_id, 512),
            "cseq": min(binding.cseq, INTEGER_MAX),
            "user_agent": _text(binding.user_agent, 256),
        }

    def _call_row(self, record: CallRecord) -> dict[str, object]:
        answered = None if record.answered is None else record.answered + self._offset
        return {
            "caller": record.caller,
            "callee": _text(record.callee, 128),
            "started": record.started + self._offset,
            "answered": answered,
            "ended": record.ended + self._offset,
            "cause": record.cause.value,
            "status": record.status,
            "reason": _text(record.reason, 256),
            "answered_by": _text(record.answered_by, 128),
            "caller_packets": record.from_caller and record.from_caller.packets,
            "caller_lost": record.from_caller and record.from_caller.lost,
            "callee_packets": record.from_callee and record.from_callee.packets,
            "callee_lost": record.from_callee and record.from_callee.lost,
        }

    def registrations(self) -> list[Binding]:
        """Return the bindings that have not expired, their times in monotonic seconds of this process."""
        with self._reading() as session:
            rows = session.scalars(
                select(RegistrationRow).where(RegistrationRow.expires_at > time.time())
            ).all()
            return [self._binding(row) for row in rows]

    def _binding(self, row: RegistrationRow) -> Binding:
        local, remote = (row.local_host, row.local_port), (row.remote_host, row.remote_port)
        return Binding(
            row.number,
            row.contact,
            Flow(_TRANSPORTS.get(row.transport, "udp"), local, remote),
            row.expires_at - self._offset,
            row.q,
            row.call_id,
            row.cseq,
            row.user_agent,
        )

    def calls(self, limit: int) -> list[StoredCall]:
        """Return the newest calls, oldest of them first."""
        with self._reading() as session:
            rows = session.scalars(select(CallRow).order_by(CallRow.id.desc()).limit(limit)).all()
            return [
                StoredCall(
                    row.caller,
                    row.callee,
                    _wall(row.started),
                    None if row.answered is None else _wall(row.answered),
                    _wall(row.ended),
                    row.cause,
                    row.status,
                    row.reason or "",
                    row.answered_by or "",
                    _carried(row.caller_packets, row.caller_lost),
                    _carried(row.callee_packets, row.callee_lost),
                )
                for row in reversed(rows)
            ]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session:
                yield session
        except SQLAlchemyError as error:
            raise ResourceError(f"database {self.name}: {_reason(error)}") from None


def _shared_memory(url: URL) -> Engine:
    """Return an engine whose one connection all threads share: each would have a database of its own else."""
    return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})


def _text(text: str, limit: int) -> str:
    """Return what a far end said so that every database takes it: a row refused would hold up all others."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:limit]


def _add_columns(engine: Engine) -> None:
    """Add the columns that the table of calls of an older version has not got; its rows stay."""
    inspector, name = inspect(engine), CallRow.__tablename__
    if not inspector.has_table(name):
        return
    there = {column["name"] for column in inspector.get_columns(name)}
    with engine.begin() as connection:
        for column in CallRow.__table__.columns:
            if column.name not in there:
                kind = column.type.compile(engine.dialect)
                connection.execute(text(f"ALTER TABLE {name} ADD COLUMN {column.name} {kind}"))


def _carried(packets: int | None, lost: int | None) -> Carried | None:
    return None if packets is None else Carried(packets, lost or 0)


def _wall(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _reason(error: SQLAlchemyError) -> str:
    """Return what a database says in one line, without the statement and its values."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


class StoreWriter:
    """Writes what changed, away from the event loop.

    Args:
        store: The database.
        on_trouble: Called once for each failure, with its text.
    """

    def __init__(self, store: ExchangeStore, on_trouble: Callable[[str], None] = lambda text: None) -> None:
        self.dropped = 0
        self._store = store
        self._on_trouble = on_trouble
        self._waiting = _Batch()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="exchange store")

    def registrations_changed(self, number: str, bindings: tuple[Binding, ...]) -> None:
        """Take the new state of an extension."""
        self._waiting.registrations[number] = bindings
        self._wake.set()

    def call_over(self, record: CallRecord) -> None:
        """Take a call record."""
        if len(self._waiting.records) >= RECORDS_WAITING:
            self._waiting.records.popleft()
            self.dropped += 1
        self._waiting.records.append(record)
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
            await self._wake.wait()
            self._wake.clear()
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
        batch, self._waiting = self._waiting, _Batch()
        try:
            await asyncio.to_thread(self._store.write, batch.registrations, tuple(batch.records))
        except SQLAlchemyError as error:
            self._put_back(batch)
            _log.error("database refuses", database=self._store.name, reason=_reason(error))
            self._on_trouble(_reason(error))
            return False
        return True

    def _put_back(self, batch: _Batch) -> None:
        """Let a batch wait again; what has changed since is newer."""
        self._waiting.registrations = {**batch.registrations, **self._waiting.registrations}
        self._waiting.records.extendleft(reversed(batch.records))
        while len(self._waiting.records) > RECORDS_WAITING:
            self._waiting.records.popleft()
            self.dropped += 1
