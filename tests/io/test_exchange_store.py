"""The exchange's database: what is written comes back, and a database that refuses loses nothing at once."""

import asyncio
import time
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from ansam.errors import ConfigError, ResourceError
from ansam.io import exchange_store
from ansam.io.exchange_store import ExchangeStore, StoreWriter
from ansam.pbx.records import CallRecord, Cause
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
