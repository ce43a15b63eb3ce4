"""The board's database: accounts, calls, messages, reading marks."""

import contextlib
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields

from sqlalchemy import ColumnElement, Float, Integer, String, Text, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from ansam.answer.bbs.board import NEWEST_MAX, Account, Count, Message, PastCall
from ansam.answer.bbs.screen import Emulation, Look
from ansam.answer.bbs.settings import MAIL
from ansam.errors import ConfigError, ResourceError
from ansam.io.answer_passwords import hash_password
from ansam.io.database import open_database, reason_of, shown

NUMBER_MAX = 2**31 - 1
"""Greatest value of a column of integers in PostgreSQL."""


class _Base(DeclarativeBase):
    """Tables of this module. Times are seconds since 1970."""


class AccountRow(_Base):
    """One user; the key is the name in small letters."""

    __tablename__ = "bbs_accounts"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(32))
    password_hash: Mapped[str] = mapped_column(String(256))
    approved: Mapped[bool]
    own: Mapped[bool]
    created: Mapped[float] = mapped_column(Float(53))
    last_call: Mapped[float | None] = mapped_column(Float(53))
    calls: Mapped[int]
    uploads: Mapped[int]
    downloads: Mapped[int]
    day: Mapped[str] = mapped_column(String(10))
    day_seconds: Mapped[float] = mapped_column(Float(53))
    emulation: Mapped[str] = mapped_column(String(16))
    columns: Mapped[int]
    rows: Mapped[int]
    charset: Mapped[str] = mapped_column(String(16))
    automatic: Mapped[bool]
    expert: Mapped[bool]
    protocol: Mapped[str] = mapped_column(String(1))


class CallRow(_Base):
    """One call."""

    __tablename__ = "bbs_calls"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(32))
    port: Mapped[str] = mapped_column(String(64))
    connect: Mapped[str] = mapped_column(String(128))
    began: Mapped[float] = mapped_column(Float(53))
    ended: Mapped[float | None] = mapped_column(Float(53))


class MessageRow(_Base):
    """One message."""

    __tablename__ = "bbs_messages"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    area: Mapped[str] = mapped_column(String(16), index=True)
    author: Mapped[str] = mapped_column(String(32))
    recipient: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(80))
    body: Mapped[str] = mapped_column(Text)
    posted: Mapped[float] = mapped_column(Float(53))
    reply_to: Mapped[int]


class MarkRow(_Base):
    """How far a user has read in an area."""

    __tablename__ = "bbs_marks"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    area: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int]


_LOOK = ("emulation", "columns", "rows", "charset")
_PLAIN = tuple(field.name for field in fields(Account) if field.name != "look")


class BbsStore:
    """The database; every method waits for the disk, and any thread may call.

    Args:
        database: A file for SQLite, or a URL.

    Raises:
        ConfigError: The URL can not be understood, or its driver is not installed.
        ResourceError: The database can not be opened.
    """

    def __init__(self, database: str) -> None:
        self._name = shown(database)
        self._engine = open_database(database, _Base.metadata)
        # SQLite writes one at a time, and in memory it has one connection for all threads.
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _session(self) -> Iterator[Session]:
        """Give a session whose changes are kept at its end."""
        try:
            with self._lock, Session(self._engine) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise ResourceError(f"database {self._name}: {reason_of(error)}") from None

    # -- accounts --------------------------------------------------------------------------------------------

    def hash(self, password: str) -> str:
        """Return the hash to keep for a password."""
        return hash_password(password)

    def account(self, name: str) -> Account | None:
        """Return an account."""
        with self._session() as session:
            row = session.get(AccountRow, name.lower())
            return None if row is None else _account(row)

    def accounts(self) -> list[Account]:
        """Return all accounts made here, by name."""
        with self._session() as session:
            rows = session.scalars(select(AccountRow).where(AccountRow.own).order_by(AccountRow.key))
            return [_account(row) for row in rows]

    def create(self, account: Account) -> bool:
        """Make an account; return False where the name is taken."""
        with self._session() as session:
            try:
                session.add(_row(account))
                session.flush()
            except IntegrityError:
                session.rollback()
                return False
        return True

    def save(self, account: Account, changed: Collection[str]) -> None:
        """Keep what has changed of an account; all of one that is not there yet."""
        columns = {*changed, *(_LOOK if "look" in changed else ())} - {"look"}
        with self._session() as session:
            new, row = _row(account), session.get(AccountRow, account.name.lower())
            if row is None:
                session.add(new)
                return
            for name in columns:
                setattr(row, name, getattr(new, name))

    def approve(self, name: str) -> None:
        """Let a user in who waits; raises `ConfigError` where there is none of that name."""
        with self._session() as session:
            row = session.get(AccountRow, name.lower())
            if row is None or not row.own:
                raise ConfigError(f"the board knows no {name}", "`ansam user list` shows who there is")
            row.approved = True

    def remove(self, name: str) -> bool:
        """Remove an account made here, and its marks; return whether there was one."""
        with self._session() as session:
            row = session.get(AccountRow, name.lower())
            if row is None or not row.own:
                return False
            session.delete(row)
            session.execute(delete(MarkRow).where(MarkRow.key == name.lower()))
            return True

    # -- calls -----------------------------------------------------------------------------------------------

    def call_began(self, name: str, port: str, connect: str, when: float) -> int:
        """Record a call; return its number."""
        with self._session() as session:
            row = CallRow(name=name, port=port[:64], connect=connect[:128], began=when, ended=None)
            session.add(row)
            session.flush()
            return row.id

    def call_ended(self, number: int, when: float) -> None:
        """Complete the record of a call."""
        with self._session() as session:
            session.execute(update(CallRow).where(CallRow.id == number).values(ended=when))

    def last_calls(self, count: int) -> list[PastCall]:
        """Return the last calls, the newest first."""
        with self._session() as session:
            rows = session.scalars(select(CallRow).order_by(CallRow.id.desc()).limit(count))
            return [PastCall(row.name, row.port, row.connect, row.began, row.ended) for row in rows]

    # -- messages --------------------------------------------------------------------------------------------

    def counts(self, areas: Sequence[str], reader: str) -> dict[str, Count]:
        """Return what there is for a reader in each area."""
        with self._session() as session:
            marks = {
                row.area: row.number
                for row in session.scalars(select(MarkRow).where(MarkRow.key == reader.lower()))
            }
            counts = {}
            for area in areas:
                mark = marks.get(area, 0)
                news = and_(MessageRow.id > mark, func.lower(MessageRow.author) != reader.lower())
                query = select(func.count(), func.count().filter(news)).where(_visible(area, reader))
                total, new = session.execute(query).one()
                counts[area] = Count(total, new, mark)
            return counts

    def headers(self, area: str, reader: str, after: int, count: int = NEWEST_MAX) -> list[Message]:
        """Return messages behind a number, in order, with empty bodies."""
        query = (
            select(MessageRow)
            .where(_visible(area, reader), MessageRow.id > _number(after))
            .order_by(MessageRow.id)
            .limit(count)
        )
        with self._session() as session:
            return [_message(row, body=False) for row in session.scalars(query)]

    def message(self, area: str, reader: str, number: int) -> Message | None:
        """Return a message."""
        found = self.neighbour(area, reader, number - 1, forward=True)
        return found if found is not None and found.number == number else None

    def neighbour(self, area: str, reader: str, number: int, forward: bool) -> Message | None:
        """Return the next message behind, or before, a number."""
        number = _number(number)
        column = MessageRow.id
        side = column > number if forward else column < number
        order = column.asc() if forward else column.desc()
        query = select(MessageRow).where(_visible(area, reader), side).order_by(order).limit(1)
        with self._session() as session:
            row = session.scalars(query).first()
            return None if row is None else _message(row)

    def post(self, message: Message) -> int:
        """Keep a new message; return its number."""
        with self._session() as session:
            row = MessageRow(
                area=message.area,
                author=message.author,
                recipient=_text(message.recipient, 32),
                subject=_text(message.subject, 80),
                body=_text(message.body, 1 << 20),
                posted=message.posted,
                reply_to=message.reply_to,
            )
            session.add(row)
            session.flush()
            return row.id

    def delete(self, area: str, number: int) -> None:
        """Remove a message."""
        with self._session() as session:
            session.execute(delete(MessageRow).where(MessageRow.area == area, MessageRow.id == number))

    def mark(self, area: str, reader: str, number: int) -> None:
        """Remember the last message read; the mark only goes forward."""
        with self._session() as session:
            row = session.get(MarkRow, (reader.lower(), area))
            if row is None:
                session.add(MarkRow(key=reader.lower(), area=area, number=number))
            else:
                row.number = max(row.number, number)


def _visible(area: str, reader: str) -> ColumnElement[bool]:
    """Return which messages of an area a reader may see: in mail, those from and to the reader."""
    if area != MAIL:
        return MessageRow.area == area
    name = reader.lower()
    mine = or_(func.lower(MessageRow.author) == name, func.lower(MessageRow.recipient) == name)
    return and_(MessageRow.area == MAIL, mine)


def _message(row: MessageRow, body: bool = True) -> Message:
    text = row.body if body else ""
    return Message(
        *(row.area, row.author, row.recipient, row.subject, text, row.id, row.posted, row.reply_to)
    )


def _account(row: AccountRow) -> Account:
    look = Look(Emulation(row.emulation), row.columns, row.rows, row.charset)
    return Account(look=look, **{name: getattr(row, name) for name in _PLAIN})


def _row(account: Account) -> AccountRow:
    look = {name: getattr(account.look, name) for name in _LOOK}
    look["emulation"] = account.look.emulation.value
    values = {name: getattr(account, name) for name in _PLAIN}
    return AccountRow(key=account.name.lower(), **values, **look)


def _number(number: int) -> int:
    """Return a number that fits into its column."""
    return max(-1, min(number, NUMBER_MAX))


def _text(text: str, limit: int) -> str:
    """Return text that every database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:limit]
