"""kill -9 in the middle of calls: others go on, the record of the cut call is there, and all is soon back."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy
from tests.support import waiting
from tests.support.exchange_live import exchange, free_port, phone, run, sdp
from tests.support.postgres import cluster

from ansam.io.exchange_store import ExchangeStore, StoredCall
from ansam.io.exchange_tables import OpenCallRow
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.sip.events import CallAnswered, CallEnded, IncomingCall

ANSAM = [sys.executable, "-m", "ansam.cli.main"]
SOON = 3.0
"""Seconds until all is back."""


@contextmanager
def serve(config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `ansam serve` in a group of its own."""
    with (config.parent / "log").open("ab") as log:
        environment = os.environ | {"XDG_STATE_HOME": str(config.parent)}
        running = subprocess.Popen(
            [*ANSAM, "serve", "-c", str(config)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        yield running
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(running.pid, number)
                running.wait(15)
        running.wait()


def until(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Wait; return how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, what
        time.sleep(0.02)
    return time.monotonic() - began


def calls(database: str) -> list[StoredCall]:
    with closing(ExchangeStore(database, create=False)) as store:
        return store.calls(99)


def answered_calls(database: str) -> int:
    """Return how many calls in progress the database knows to be answered."""
    answered = sqlalchemy.select(OpenCallRow).where(OpenCallRow.answered.is_not(None))
    with closing(ExchangeStore(database, create=False)) as store, store.reading() as session:
        return len(session.scalars(answered).all())


def extension(number: str) -> str:
    return f'[[extension]]\nnumber = "{number}"\nsecret = "secret-{number}"\n'


def test_the_exchange_is_killed_in_the_middle_of_calls(tmp_path: Path) -> None:
    killed(tmp_path, str(tmp_path / "db.sqlite"))


@pytest.mark.bench
def test_how_soon_the_exchange_is_back(tmp_path: Path) -> None:
    took = killed(tmp_path, str(tmp_path / "db.sqlite"))
    print(f"\nthe trunk was registered again after {took:.2f} s", end="")
    assert took < SOON


@pytest.mark.bench
@pytest.mark.peer("postgresql")
def test_the_exchange_is_killed_and_postgresql_remembers(tmp_path: Path) -> None:
    with cluster() as server:
        killed(tmp_path, server.database())


def killed(folder: Path, database: str) -> float:
    """Return how many seconds after its new start the exchange is registered with its trunk again."""
    took = 0.0
    port, config = free_port(), folder / "ansam.toml"
    address = ("127.0.0.1", port)

    async def test() -> None:
        nonlocal took
        people = DialPlan([Extension("900", "secret-900")])
        async with (
            exchange(plan=people) as provider,
            phone("07", address) as seven,
            phone("05", address) as five,
        ):
            config.write_text(
                f'[exchange]\nlisten = ["udp:127.0.0.1:{port}"]\ndatabase = "{database}"\n'
                f"{extension('05')}{extension('07')}[[trunk]]\nname = 't'\nregistration = true\n"
                f"user = '900'\nsecret = 'secret-900'\n"
                f"server = '127.0.0.1:{provider.address('udp')[1]}'\n"
            )
            with serve(config) as first:
                await waiting.until(lambda: len(provider.exchange.registrations))
                await five.register()
                await seven.register()
                call = seven.call("05", sdp(4000))
                incoming = await five.wait(IncomingCall)
                five.node.do(lambda agent, now: agent.answer(incoming.call, sdp(5000), now))
                await seven.wait(CallAnswered)
                await waiting.until(lambda: answered_calls(database))
                first.kill()
                first.wait()
            provider.exchange.registrations.forget("900", 0.0)
            began = time.monotonic()
            with serve(config):
                await waiting.until(lambda: len(provider.exchange.registrations))
                took = time.monotonic() - began
                (cut,) = calls(database)
                assert (cut.caller, cut.callee, cut.answered_by) == ("07", "05", "05")
                assert (cut.cause, cut.answered is None) == ("exchange died", False)
                # Whoever hangs up now learns that the call is no more. 05 is still registered, and free.
                seven.node.do(lambda agent, now: agent.bye(call, now))
                assert (await seven.wait(CallEnded)).status == 481
                seven.call("05", sdp(4000))
                await five.wait(IncomingCall)

    run(test)
    return took


class Terminal:
    """A program on a modem's pty."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        self.shown = b""

    def close(self) -> None:
        os.close(self.fd)

    def types(self, text: bytes) -> None:
        os.write(self.fd, text)

    def shows(self, text: bytes, seconds: float) -> None:
        end = time.monotonic() + seconds
        while text not in self.shown:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} in {self.shown!r}"
            if select.select([self.fd], [], [], left)[0]:
                self.shown += os.read(self.fd, 4096)
        self.shown = self.shown.partition(text)[2]


def worker(serving: "subprocess.Popen[bytes]", name: str) -> int | None:
    """Return the process of a worker."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(serving.pid)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(rf"^\s*(\d+) .*--only {name}( |$)", listed, re.MULTILINE)
    return int(found[1]) if found else None


@pytest.mark.bench
@pytest.mark.parametrize("victim", ["modem-m07", "answering"])
def test_a_worker_is_killed_in_the_middle_of_calls(tmp_path: Path, victim: str) -> None:
    """07 has called 05, which answers with a login; 06 talks to 08: that goes on, whoever is killed."""
    port, database = free_port(), tmp_path / "db.sqlite"
    text = f'[exchange]\nlisten = ["udp:127.0.0.1:{port}"]\ndatabase = "{database}"\n'
    text += "".join(map(extension, ("05", "06", "07", "08"))) + '[[user]]\nname = "guest"\n'
    for number in ("05", "06", "07", "08"):
        dte = "answer:login" if number == "05" else f"pty:{tmp_path / number}"
        text += f'[[modem]]\nname = "m{number}"\nline = "sip:{number}@127.0.0.1:{port}"\ndte = "{dte}"\n'
    config = tmp_path / "ansam.toml"
    config.write_text(text)
    log = tmp_path / "log"
    with serve(config) as serving:
        until(lambda: b"workers=" in log.read_bytes() or serving.poll() is not None, 120, "not ready")
        assert serving.poll() is None, log.read_text()[-2000:]
        six, seven, eight = (Terminal(tmp_path / number) for number in ("06", "07", "08"))
        eight.types(b"ATS0=1\r")
        eight.shows(b"OK", 5)
        seven.types(b"AT&N6DT05\r")
        six.types(b"AT&N6DT08\r")
        seven.shows(b"login:", 60)
        six.shows(b"CONNECT", 60)
        eight.shows(b"CONNECT", 60)
        killed = worker(serving, victim)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        began = time.monotonic()
        if victim == "answering":
            seven.shows(b"NO CARRIER", 60)
            print(f"the other end hung up after {time.monotonic() - began:.1f} s")
        until(lambda: calls(str(database)), 60, "no record")
        recorded = time.monotonic() - began
        (cut,) = calls(str(database))
        assert (cut.caller, cut.callee) == ("07", "05")
        print(f"its record was there after {recorded:.1f} s: {cut.cause} {cut.reason}")
        line = "05" if victim == "answering" else "07"
        again = re.compile(rf"registered .*line=sip:{line}@")
        until(lambda: len(again.findall(log.read_text())) == 2, 60, "not registered again")
        back = time.monotonic() - began
        print(f"{victim} was registered again after {back:.1f} s")
        assert back < SOON
        six.types(b"are you there?")
        eight.shows(b"are you there?", 20)
        eight.types(b"yes")
        six.shows(b"yes", 20)
        assert worker(serving, victim) is None  # the spare, which has no name of its own, is it now
        for terminal in (six, seven, eight):
            terminal.close()
