"""The exchange's database: what is written comes back, and a database that refuses loses nothing at once."""

import asyncio
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from ansam.errors import ConfigError, ResourceError
from ansam.io import exchange_store
from ansam.io.exchange_relay import PacketCount
from ansam.io.exchange_store import ExchangeStore, StoreWriter
from ansam.pbx.records import CallRecord, Carried, Cause
from ansam.pbx.registrations import Binding
from ansam.sip.events import Flow

FLOW = Flow("udp", ("127.0.0.1", 5060), ("127.0.0.1", 5070))


def binding(number: str, left: float = 100.0) -> Binding:
    return Binding(number, f"sip:{number}@127.0.0.1", FLOW, time.monotonic() + left, 0.5, "call", 7, "test")


def record(callee: str) -> CallRecord:
    return CallRecord("07", callee, 1.0, 2.0, 5.0, Cause.CALLEE_HUNG_UP, 200)


def test_registrations_come_back(tmp_path: Path) -> None:
    store = ExchangeStore(str(tmp_path / "a" / "b.sqlite"))
    kept, gone = binding("05"), binding("06", -1)
    store.write({"05": (kept,), "06": (gone,)}, [])
    (found,) = store.registrations()
    assert found.expires_at == pytest.approx(kept.expires_at, abs=0.01)
    assert (found.number, found.contact, found.flow, found.q, found.cseq) == (
        "05", kept.contact, FLOW, 0.5, 7,
    )  # fmt: skip
    store.write({"05": ()}, [])
    assert not store.registrations()
    store.close()


def test_calls_are_listed_newest_last() -> None:
    store = ExchangeStore("sqlite://")
    store.write({}, [record(str(number)) for number in range(5)])
    assert [call.callee for call in store.calls(2)] == ["3", "4"]
    assert store.calls(1)[0].duration == pytest.approx(3.0)
    store.close()


def test_a_call_keeps_what_was_said_and_carried(tmp_path: Path) -> None:
    store = ExchangeStore(str(tmp_path / "x.sqlite"))
    full = replace(
        record("50"),
        reason="a\0b" * 200,
        answered_by="05",
        from_caller=Carried(100, 2),
        from_callee=Carried(0, 0),
    )
    store.write({}, [full, record("06")])
    found, other = store.calls(2)
    assert found.reason == ("ab" * 200)[:256]
    assert (found.answered_by, found.from_caller, found.from_callee) == ("05", Carried(100, 2), Carried(0, 0))
    assert (other.reason, other.answered_by, other.from_caller) == ("", "", None)
    store.close()


def test_no_words_of_a_far_end_are_refused_by_a_database() -> None:
    store = ExchangeStore("sqlite://")
    odd = replace(binding("05"), user_agent="a\0\udc80", cseq=2**32 - 1)
    store.write({"05": (odd,)}, [replace(record("9\0\udc80"), reason="\ud800")])
    assert store.registrations()[0].user_agent == "a?"
    (call,) = store.calls(1)
    assert (call.callee, call.reason) == ("9?", "?")
    store.close()


def test_a_database_of_an_older_version_keeps_its_calls(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite"
    with sqlite3.connect(file) as old:
        old.execute(
            "CREATE TABLE calls (id INTEGER NOT NULL PRIMARY KEY, caller VARCHAR(32) NOT NULL,"
            " callee VARCHAR(128) NOT NULL, started FLOAT NOT NULL, answered FLOAT, ended FLOAT NOT NULL,"
            " cause VARCHAR(32) NOT NULL, status INTEGER NOT NULL)"
        )
        old.execute("INSERT INTO calls VALUES (1, '07', '05', 1, 2, 5, 'callee hung up', 200)")
    old.close()
    for create in (False, True):  # listed before and after an exchange has used it
        store = ExchangeStore(str(file), create=create)
        assert [(call.callee, call.reason, call.from_callee) for call in store.calls(9)] == [("05", "", None)]
        store.close()
    store = ExchangeStore(str(file))
    store.write({}, [replace(record("06"), reason="busy signal")])
    assert [call.reason for call in store.calls(9)] == ["", "busy signal"]
    store.close()


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
    monkeypatch.setattr(exchange_store, "RETRY_AFTER", 0.01)
    monkeypatch.setattr(exchange_store, "RECORDS_WAITING", 3)
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
