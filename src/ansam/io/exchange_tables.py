"""Tables of the exchange's database, and what older databases lack of them. Times are seconds since 1970."""

from sqlalchemy import Engine, Float, Integer, String, Text, inspect, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

INTEGER_MAX = 2**31 - 1
"""Greatest value of a column of integers in PostgreSQL."""


class Base(DeclarativeBase):
    """Tables of the exchange."""


class RegistrationRow(Base):
    """One binding."""

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


class CallRow(Base):
    """One call that is over."""

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
    trunk: Mapped[str | None] = mapped_column(String(64))
    # JSON objects: what the modems at the ends said of the call.
    caller_modem: Mapped[str | None] = mapped_column(Text)
    callee_modem: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(String(1024))


class OpenCallRow(Base):
    """One call in progress; what is left here when an exchange starts was cut off by the end of the last."""

    __tablename__ = "open_calls"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    caller: Mapped[str] = mapped_column(String(32))
    callee: Mapped[str] = mapped_column(String(128))
    started: Mapped[float] = mapped_column(Float(53))
    answered: Mapped[float | None] = mapped_column(Float(53))
    answered_by: Mapped[str] = mapped_column(String(128))
    trunk: Mapped[str] = mapped_column(String(64))
    # When the exchange last said that it lives.
    seen: Mapped[float] = mapped_column(Float(53))


def add_columns(engine: Engine) -> None:
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


def clean(words: str, limit: int) -> str:
    """Return what a far end said so that every database takes it: a row refused would hold up all others."""
    return words.encode("utf-8", "replace").decode().replace("\0", "")[:limit]
