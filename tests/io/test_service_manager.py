"""What systemd is told, over a real socket."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from ansam.io.service_manager import notify, service, watchdog_period


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(str(tmp_path / "notify"))
    sock.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return sock


def test_ready_alive_stopping(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    manager.setblocking(False)

    async def hear() -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(manager, 99), 5)

    async def live() -> list[bytes]:
        async with service():
            return [await hear() for _ in range(3)]

    assert asyncio.run(live()) == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    manager.setblocking(True)
    heard = [manager.recv(99)]
    while heard[-1] == b"WATCHDOG=1":
        heard.append(manager.recv(99))
    assert heard[-1] == b"STOPPING=1"
    manager.close()


def test_a_manager_that_does_not_read_holds_nothing_up(manager: socket.socket) -> None:
    for _ in range(1000):
        notify("WATCHDOG=1")
    assert manager.recv(99) == b"WATCHDOG=1"
    manager.close()


def test_an_abstract_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0ansam-test-{os.getpid()}")
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@ansam-test-{os.getpid()}")
        notify("STATUS=x")
        assert sock.recv(99) == b"STATUS=x"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all"])
def test_nobody_listens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify("READY=1")


@pytest.mark.parametrize(
    ("allowed", "pid", "period"),
    [("30000000", "", 15.0), ("30000000", "ours", 15.0), ("30000000", "1", None), ("0", "", None)],
)
def test_how_often(allowed: str, pid: str, period: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", allowed)
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "ours" else pid)
    assert watchdog_period() == period


def test_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert watchdog_period() is None
