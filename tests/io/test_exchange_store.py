"""The exchange's database: what is written comes back, and a database that refuses loses nothing at once."""

import asyncio
import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from tests.support.postgres import Cluster, cluster

from ansam.errors import ConfigError, ResourceError
from ansam.io import exchange_writer
from ansam.io.exchange_relay import PacketCount
from ansam.io.exchange_store import Batch, ExchangeStore
from ansam.io.exchange_writer import StoreWriter
from ansam.pbx.records import CallRecord, Carried, Cause, OpenCall
from ansam.pbx.registrations import Binding
from ansam.sip.events import Flow

FLOW = Flow("udp", ("127.0.0.1", 5060), ("127.0.0.1", 5070))


def binding(number: str, left: float = 100.0) -> Binding:
    return Binding(number, f"sip:{number}@127.0.0.1", FLOW, time.monotonic() + left, 0.5, "call", 7, "test")


def record(callee: str) -> CallRecord:
    return CallRecord("07", callee, 1.0, 2.0, 5.0, Cause.CALLEE_HUNG_UP, 200)


KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.peer("postgresql"))]


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[], Cluster]]:
    """Start a cluster when the first test asks for it."""
    with ExitStack() as stack:
        yield functools.cache(lambda: stack.enter_context(cluster()))


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[], Cluster]) -> str:
    """Return a database in which nothing is."""
    return str(tmp_path / "a" / "b.sqlite") if request.param == "sqlite" else servers().database()


@contextmanager
def opened(database: str, create: bool = True) -> Iterator[ExchangeStore]:
    store = ExchangeStore(database, create)
    try:
        yield store
    finally:
        store.close()


def kept(*records: CallRecord) -> Batch:
    return Batch(records=list(records))


def test_the_clock_on_the_wall_is_set_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a clock of its own begins years ago, and NTP sets it later."""
    database, present = str(tmp_path / "b.sqlite"), time.time
    monkeypatch.setattr(time, "time", lambda: present() - 3e7)
    with opened(database) as store:
        monkeypatch.setattr(time, "time", present)
        at = time.monotonic()
        store.write(
            Batch({"05": (binding("05"),)}, records=[replace(record("05"), started=at - 9, ended=at - 3)])
        )
    with opened(database) as store:
        (found,) = store.calls(1)
        assert found.started.timestamp() == pytest.approx(present() - 9, abs=2)
        assert len(store.registrations()) == 1


def test_registrations_come_back(database: str) -> None:
    alive, gone = binding("05"), binding("06", -1)
    with opened(database) as store:
        store.write(Batch({"05": (alive,), "06": (gone,)}))
    with opened(database) as store:
        (found,) = store.registrations()
        assert found.expires_at == pytest.approx(alive.expires_at, abs=0.01)
        assert (found.number, found.contact, found.flow, found.q, found.cseq) == (
            "05", alive.contact, FLOW, 0.5, 7,
        )  # fmt: skip
        store.write(Batch({"05": ()}))
        assert not store.registrations()


def test_many_registrations_are_one_batch(database: str) -> None:
    with opened(database) as store:
        store.write(Batch({str(number): (binding(str(number)),) for number in range(1201)}))
        store.write(Batch({str(number): () for number in range(1200)}))
        assert [found.number for found in store.registrations()] == ["1200"]


def test_calls_are_listed_newest_last(database: str) -> None:
    with opened(database) as store:
        store.write(kept(*(record(str(number)) for number in range(5))))
        assert [call.callee for call in store.calls(2)] == ["3", "4"]
        assert store.calls(1)[0].duration == pytest.approx(3.0)


def test_a_call_keeps_what_was_said_and_carried(database: str) -> None:
    full = replace(
        record("50"),
        reason="a\0b" * 200,
        answered_by="05",
        from_caller=Carried(100, 2),
        from_callee=Carried(0, 0),
        trunk="provider",
        caller_modem={"modulation": "V.34", "rate_rx": 33600, "skew_ppm": -12.5},
        note="line doctor: good",
    )
    with opened(database) as store:
        store.write(kept(full, record("06")))
        found, other = store.calls(2)
    assert found.reason == ("ab" * 200)[:256]
    assert (found.answered_by, found.from_caller, found.from_callee) == ("05", Carried(100, 2), Carried(0, 0))
    assert (found.trunk, found.note, found.callee_modem) == ("provider", "line doctor: good", {})
    assert found.caller_modem == full.caller_modem
    assert (other.reason, other.answered_by, other.from_caller, other.caller_modem) == ("", "", None, {})


def test_no_words_of_a_far_end_are_refused_by_a_database(database: str) -> None:
    odd = replace(binding("05"), user_agent="a\0\udc80", cseq=2**32 - 1)
    with opened(database) as store:
        store.write(Batch({"05": (odd,)}, [replace(record("9\0\udc80"), reason="\ud800", caller="x" * 99)]))
        assert store.registrations()[0].user_agent == "a?"
        (call,) = store.calls(1)
    assert (call.callee, call.reason, call.caller) == ("9?", "?", "x" * 32)


def test_a_database_of_an_older_version_keeps_its_calls(database: str) -> None:
    with opened(database) as store, store._engine.begin() as old:
        old.execute(text("DROP TABLE calls"))
        old.execute(text("DROP TABLE open_calls"))
        serial = "SERIAL" if "postgresql" in database else "INTEGER NOT NULL"
        old.execute(
            text(
                f"CREATE TABLE calls (id {serial} PRIMARY KEY, caller VARCHAR(32) NOT NULL,"
                " callee VARCHAR(128) NOT NULL, started FLOAT NOT NULL, answered FLOAT, ended FLOAT NOT NULL,"
                " cause VARCHAR(32) NOT NULL, status INTEGER NOT NULL)"
            )
        )
        columns = "(caller, callee, started, answered, ended, cause, status)"
        old.execute(text(f"INSERT INTO calls {columns} VALUES ('07', '05', 1, 2, 5, 'callee hung up', 200)"))
    for create in (False, True):  # listed before and after an exchange has used it
        with opened(database, create) as store:
            assert [(c.callee, c.reason, c.from_callee, c.callee_modem) for c in store.calls(9)] == [
                ("05", "", None, {})
            ]
    with opened(database) as store:
        store.write(kept(replace(record("06"), reason="busy signal")))
        assert [call.reason for call in store.calls(9)] == ["", "busy signal"]


def test_calls_cut_off_become_records(database: str) -> None:
    now = time.monotonic()
    ringing, talking = (
        OpenCall(3, "07", "05", now - 9),
        OpenCall(4, "08", "50", now - 60, now - 50, "06", "t"),
    )
    with opened(database) as store:
        store.write(Batch(opened={3: ringing, 4: talking, 5: replace(ringing, identity=5)}))
        store.write(Batch(opened={4: talking}, closed={5}, alive=True))
    with opened(database) as store:
        assert store.record_cut_calls() == 2
        assert store.record_cut_calls() == 0
        talked, rang = store.calls(9)
    assert (talked.caller, talked.callee, talked.answered_by, talked.trunk) == ("08", "50", "06", "t")
    assert (talked.cause, talked.status, rang.status, rang.answered) == ("exchange died", 200, 0, None)
    assert talked.duration == pytest.approx(50, abs=1)


def test_the_writer_knows_what_is_in_progress(database: str) -> None:
    call = OpenCall(1, "07", "05", 1.0)

    async def test() -> None:
        with opened(database) as store:
            writer = StoreWriter(store)
            writer.call_open(call)
            writer.call_open(replace(call, identity=2))
            await writer.close()
            writer = StoreWriter(store)
            writer.call_over(replace(record("05"), identity=1))
            await writer.close()

    asyncio.run(test())
    with opened(database) as store:
        assert [found.cause for found in store.calls(9)] == ["callee hung up"]
        assert store.record_cut_calls() == 1


@pytest.mark.peer("postgresql")
def test_a_server_that_restarts_is_found_again(servers: Callable[[], Cluster]) -> None:
    database = servers().database()
    with opened(database) as store:
        store.write(kept(record("05")))
        with servers().connect() as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            )
        store.write(kept(record("06")))
        assert len(store.calls(9)) == 2


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match="psycopg") as caught:
        ExchangeStore("postgresql://user:geheim@h/x")
    assert "ansam[postgresql]" in str(caught.value.remedy)
    assert "geheim" not in str(caught.value)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(ResourceError, match="connection") as caught:
        ExchangeStore("postgresql://user:geheim@127.0.0.1:1/x")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("sequence", "carried"),
    [
        ([1, 2, 3], Carried(3, 0)),
        ([65534, 65535, 1], Carried(3, 1)),
        ([5, 7, 6, 9], Carried(4, 1)),
        ([5, 5, 6], Carried(3, 0)),
        ([], Carried(0, 0)),
    ],
)
def test_packets_are_counted_by_their_numbers(sequence: list[int], carried: Carried) -> None:
    count = PacketCount()
    for number in sequence:
        count.take(b"\x80\x08" + number.to_bytes(2, "big") + bytes(4) + b"ssrc" + bytes(160))
    count.take(b"\x80\xc8" + bytes(30))
    count.take(b"\x00" * 20)
    assert count.carried() == carried


def test_a_new_source_begins_a_new_sequence() -> None:
    count = PacketCount()
    for number, source in ((1, b"aaaa"), (3, b"aaaa"), (900, b"bbbb"), (901, b"bbbb")):
        count.take(b"\x80\x08" + number.to_bytes(2, "big") + bytes(4) + source)
    assert count.carried() == Carried(4, 1)


def test_what_cannot_be_a_database(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is text, and long enough to be seen as none" * 10)
    with pytest.raises(ResourceError, match="not a database"):
        ExchangeStore(str(tmp_path / "text"))
    with pytest.raises(ResourceError, match="can not be made"):
        ExchangeStore(str(tmp_path / "text" / "x.sqlite"))
    with pytest.raises(ConfigError):
        ExchangeStore("nosuch://user:geheim@h/x")
    with pytest.raises(ConfigError) as caught:
        ExchangeStore("postgresql+nosuch://user:geheim@h/x")
    assert "geheim" not in str(caught.value)


def test_a_database_that_refuses_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_writer, "RETRY_AFTER", 0.01)
    monkeypatch.setattr(exchange_writer, "RECORDS_WAITING", 3)
    store = ExchangeStore("sqlite://")
    troubles: list[str] = []
    right = store.write

    def refuse(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk is full"))

    async def test() -> None:
        monkeypatch.setattr(store, "write", refuse)
        twice = asyncio.Event()

        def trouble(text: str) -> None:
            troubles.append(text)
            if len(troubles) == 2:
                twice.set()

        writer = StoreWriter(store, trouble)
        for number in range(5):
            writer.call_over(record(str(number)))
        writer.registrations_changed("05", (binding("05"),))
        async with asyncio.timeout(5):
            await twice.wait()
        assert writer.dropped == 2
        monkeypatch.setattr(store, "write", right)
        await writer.close()

    asyncio.run(test())
    assert troubles[0] == "disk is full"
    assert [call.callee for call in store.calls(9)] == ["2", "3", "4"]
    assert len(store.registrations()) == 1
    store.close()


def test_what_a_database_refuses_to_the_end_is_given_up() -> None:
    store = ExchangeStore("sqlite://")

    def refuse(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk is full"))

    async def test() -> None:
        store.write = refuse  # type: ignore[method-assign]
        writer = StoreWriter(store)
        writer.call_over(record("05"))
        async with asyncio.timeout(5):
            await writer.close()

    asyncio.run(test())
    store.close()
