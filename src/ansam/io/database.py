"""Opening databases: a file is SQLite, a URL any engine SQLAlchemy knows."""

from pathlib import Path

from sqlalchemy import URL, Engine, MetaData, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ansam.errors import ConfigError, ResourceError

CONNECT_TIMEOUT = 10
"""Seconds a database server may take to be there."""

_POSTGRESQL = "postgresql+psycopg"
_FORM = 'a file name, or a URL such as "postgresql://user:password@host/name"'


def database_url(database: str) -> URL:
    """Return the URL of a database; PostgreSQL without a driver's name means psycopg.

    Raises:
        ConfigError: It is none.
    """
    try:
        url = make_url(database if "://" in database else f"sqlite:///{database}")
    except ArgumentError:
        raise ConfigError("database: not a URL", _FORM) from None
    return url.set(drivername=_POSTGRESQL) if url.drivername in ("postgresql", "postgres") else url


def shown(database: str) -> str:
    """Return a database's name for messages: never with its password."""
    return database_url(database).render_as_string(hide_password=True) if "://" in database else database


def engine_of(url: URL) -> Engine:
    """Return the engine of a database, not yet opened; raises `ConfigError` where its driver is missing."""
    try:
        if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
            # One connection that all threads share: each would have a database of its own else.
            return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        if url.drivername == _POSTGRESQL:
            patience = {"connect_timeout": CONNECT_TIMEOUT} if "connect_timeout" not in url.query else {}
            # A connection that the server has closed meanwhile is replaced before it is used.
            return create_engine(url, pool_pre_ping=True, connect_args=patience)
        return create_engine(url)
    except ModuleNotFoundError as error:
        remedy = "pip install 'ansam[postgresql]'" if url.drivername == _POSTGRESQL else "install it"
        raise ConfigError(f"database: driver {error.name} is not installed", remedy) from None
    except (NoSuchModuleError, ImportError) as error:
        raise ConfigError(f"database: {str(error).splitlines()[0]}", _FORM) from None


def open_database(database: str, tables: MetaData) -> Engine:
    """Open a database and make the tables that are missing; SQLite's file, too.

    Args:
        database: A file for SQLite, or a URL.
        tables: What must be there.

    Raises:
        ConfigError: The URL can not be understood, or its driver is not installed.
        ResourceError: The database can not be opened.
    """
    url = database_url(database)
    engine = engine_of(url)
    try:
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        tables.create_all(engine)
    except OSError as error:
        raise ResourceError(f"database {shown(database)}: {error.strerror}") from None
    except SQLAlchemyError as error:
        engine.dispose()
        raise ResourceError(
            f"database {shown(database)}: {reason_of(error)}",
            "check that it is a database and may be written",
        ) from None
    return engine


def reason_of(error: SQLAlchemyError) -> str:
    """Return what a database says in one line, without the statement and its values."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]
