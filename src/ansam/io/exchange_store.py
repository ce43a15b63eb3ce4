"""Registrations and call records in a database: SQLite by default, any engine SQLAlchemy knows by URL.

What the exchange needs to decide is in its memory; the database is for what must outlive it. A database
belongs to one exchange: what is there of calls in progress when it starts was cut off.
"""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ansam.errors import ResourceError
from ansam.io.database import database_url, engine_of, reason_of, shown
from ansam.io.exchange_tables import (
    INTEGER_MAX,
    Base,
    CallRow,
    OpenCallRow,
    RegistrationRow,
    add_columns,
    clean,
)
from ansam.pbx.records import CallRecord, Carried, Cause, OpenCall
from ansam.pbx.registrations import Binding
from ansam.sip.events import Flow, Transport
from ansam.units import Seconds

_TRANSPORTS: dict[str, Transport] = {"udp": "udp", "tcp": "tcp", "tls": "tls"}


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
        trunk: Name of the trunk it came or went through, or "".
        caller_modem: What the caller's modem said of the call; see `call.modem_facts`. Empty: nothing.
        callee_modem: The same of the callee's.
        note: What a service of the exchange found, such as the line doctor's grade.
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
    trunk: str = ""
    caller_modem: Mapping[str, Any] = field(default_factory=dict)
    callee_modem: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def duration(self) -> Seconds:
        """Seconds of talk."""
        return 0.0 if self.answered is None else (self.ended - self.answered).total_seconds()


@dataclass(slots=True)
class Batch:
    """What is written in one transaction.

    Attributes:
        registrations: All bindings of each extension that changed.
        records: Calls that ended.
        opened: Calls in progress, by their identity, that are new or have been answered.
        closed: Identities of calls that are in progress no more.
        alive: Say that the exchange lives and its calls with it.
    """

    registrations: dict[str, tuple[Binding, ...]] = field(default_factory=dict)
    records: list[CallRecord] = field(default_factory=list)
    opened: dict[int, OpenCall] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    alive: bool = False

    def __bool__(self) -> bool:
        return bool(self.registrations or self.records or self.opened or self.closed or self.alive)


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
        self._follow_wall()
        url = database_url(database)
        # Never shown with its password.
        self.name = shown(database)
        self._engine = engine_of(url)
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            self._prepare_file(Path(str(url.database)), create)
        try:
            if create:
                Base.metadata.create_all(self._engine)
            else:
                with self._engine.connect():
                    pass
            add_columns(self._engine)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise ResourceError(
                f"database {self.name}: {reason_of(error)}", "check that it is a database and may be written"
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

    # -- writing ---------------------------------------------------------------------------------------------

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction."""
        self._follow_wall()
        with self._engine.begin() as connection:
            if batch.registrations:
                self._write_registrations(connection, batch.registrations)
            if batch.records:
                connection.execute(insert(CallRow), [self._call_row(record) for record in batch.records])
            gone = batch.closed | batch.opened.keys()
            for some in _slices(sorted(gone)):
                connection.execute(delete(OpenCallRow).where(OpenCallRow.id.in_(some)))
            if batch.opened:
                connection.execute(insert(OpenCallRow), [self._open(call) for call in batch.opened.values()])
            if batch.alive:
                connection.execute(update(OpenCallRow).values(seen=time.time()))

    def _write_registrations(self, connection: Connection, changed: Mapping[str, Sequence[Binding]]) -> None:
        for some in _slices(list(changed)):
            connection.execute(delete(RegistrationRow).where(RegistrationRow.number.in_(some)))
        rows = [self._row(binding) for bindings in changed.values() for binding in bindings]
        # Contacts may have become equal where they were cut short.
        unique = {(row["number"], row["contact"]): row for row in rows}
        if unique:
            connection.execute(insert(RegistrationRow), list(unique.values()))

    def _row(self, binding: Binding) -> dict[str, object]:
        flow = binding.flow
        return {
            "number": binding.number,
            "contact": clean(binding.contact, 512),
            "transport": flow.transport,
            "local_host": flow.local[0],
            "local_port": flow.local[1],
            "remote_host": flow.remote[0],
            "remote_port": flow.remote[1],
            "expires_at": binding.expires_at + self._offset,
            "q": binding.q,
            "call_id": clean(binding.call_id, 512),
            "cseq": min(binding.cseq, INTEGER_MAX),
            "user_agent": clean(binding.user_agent, 256),
        }

    def _call_row(self, record: CallRecord) -> dict[str, object]:
        return {
            "caller": clean(record.caller, 32),
            "callee": clean(record.callee, 128),
            "started": record.started + self._offset,
            "answered": self._wall(record.answered),
            "ended": record.ended + self._offset,
            "cause": record.cause.value,
            "status": record.status,
            "reason": clean(record.reason, 256),
            "answered_by": clean(record.answered_by, 128),
            "caller_packets": record.from_caller and record.from_caller.packets,
            "caller_lost": record.from_caller and record.from_caller.lost,
            "callee_packets": record.from_callee and record.from_callee.packets,
            "callee_lost": record.from_callee and record.from_callee.lost,
            "trunk": clean(record.trunk, 64),
            "caller_modem": _json(record.caller_modem),
            "callee_modem": _json(record.callee_modem),
            "note": clean(record.note, 1024),
        }

    def _open(self, call: OpenCall) -> dict[str, object]:
        return {
            "id": call.identity,
            "caller": clean(call.caller, 32),
            "callee": clean(call.callee, 128),
            "started": call.started + self._offset,
            "answered": self._wall(call.answered),
            "answered_by": clean(call.answered_by, 128),
            "trunk": clean(call.trunk, 64),
            "seen": time.time(),
        }

    def _wall(self, at: Seconds | None) -> float | None:
        return None if at is None else at + self._offset

    def _follow_wall(self) -> None:
        """Times of the engine are monotonic, those in the database are the wall's, which NTP may set."""
        self._offset = time.time() - time.monotonic()

    def record_cut_calls(self) -> int:
        """Make records of the calls that were in progress when the last exchange died.

        Their end is when it was last known to live.

        Raises:
            ResourceError: The database refuses.
        """
        with self.reading() as session:
            rows = session.scalars(select(OpenCallRow).order_by(OpenCallRow.started)).all()
            for row in rows:
                session.add(
                    CallRow(
                        caller=row.caller,
                        callee=row.callee,
                        started=row.started,
                        answered=row.answered,
                        ended=max(row.seen, row.answered or row.started),
                        cause=Cause.EXCHANGE_DIED.value,
                        status=0 if row.answered is None else 200,
                        answered_by=row.answered_by,
                        trunk=row.trunk,
                    )
                )
                session.delete(row)
            session.commit()
            return len(rows)

    # -- reading ---------------------------------------------------------------------------------------------

    def registrations(self) -> list[Binding]:
        """Return the bindings that have not expired, their times in monotonic seconds of this process."""
        self._follow_wall()
        with self.reading() as session:
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
        with self.reading() as session:
            rows = session.scalars(select(CallRow).order_by(CallRow.id.desc()).limit(limit)).all()
            return [stored(row) for row in reversed(rows)]

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """Be in a session for reading.

        Raises:
            ResourceError: The database refuses.
        """
        try:
            with Session(self._engine) as session:
                yield session
        except SQLAlchemyError as error:
            raise ResourceError(f"database {self.name}: {reason_of(error)}") from None


def _slices(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), 500):
        yield values[start : start + 500]


def stored(row: CallRow) -> StoredCall:
    """Return a row as it is listed."""
    return StoredCall(
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
        row.trunk or "",
        _facts(row.caller_modem),
        _facts(row.callee_modem),
        row.note or "",
    )


def _json(facts: Mapping[str, Any]) -> str | None:
    return json.dumps(dict(facts)) if facts else None


def _facts(text: str | None) -> Mapping[str, Any]:
    try:
        facts = json.loads(text or "{}")
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _carried(packets: int | None, lost: int | None) -> Carried | None:
    return None if packets is None else Carried(packets, lost or 0)


def _wall(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
