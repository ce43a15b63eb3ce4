"""The original session over real UDP, answered once by Debian's mgetty and once by our answering side.

Both calls go through one `ansam serve`: the exchange, and two modems as processes behind ptys. What the
caller's terminal shows from ATZ to the second login prompt is compared octet for octet.
"""

import os
import select
import time
import tty
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.mgetty import MGETTY_CONFIG, mgetty_command, process, until
from tests.support.served_modems import ANSAM, DATABASE, MODEMS, exchange_and_modems

from ansam.io.exchange_store import ExchangeStore

pytestmark = [pytest.mark.peer("mgetty"), pytest.mark.usefixtures("private_mounts")]

OURS = f"{' '.join(ANSAM)} answer --port /dev/ttyUSB0 --mgetty-config /etc/mgetty/mgetty.config"
MGETTY = "/usr/sbin/mgetty -x0 ttyUSB0"
CONFIG = MGETTY_CONFIG.replace("speed 9600", "speed 57600")


class Screen:
    """A terminal on a modem's pty: types when told, keeps what it is shown."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        self.shown = b""
        self._read = 0

    def shows(self, text: bytes, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (at := self.shown.find(text, self._read)) < 0:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} in {self.shown!r}"
            if select.select([self.fd], [], [], left)[0]:
                self.shown += os.read(self.fd, 4096)
        self._read = at + len(text)

    def types(self, text: bytes) -> None:
        os.write(self.fd, text)


@pytest.fixture
def modems(tmp_path: Path) -> Iterator[Path]:
    """`ansam serve` with both modems; returns the directory of their ptys."""
    with exchange_and_modems(tmp_path):
        yield tmp_path


def session(modems: Path, program: str) -> bytes:
    """Call while a program answers; return what the terminal showed."""
    command, environment = mgetty_command(CONFIG, program)
    screen = Screen(modems / MODEMS["07"])
    with process(command, environment | {"PTY": os.path.realpath(modems / MODEMS["05"])}):
        screen.types(b"ATZ\r")
        screen.shows(b"OK\r\n", 10)
        screen.types(b"at&N4dt05\r")
        screen.shows(b"\r\nCONNECT 4800/ARQ/V34/LAPM/V42BIS\r\n", 90)
        screen.shows(b"Debian GNU/Linux ttyUSB0 57600 (4800/ARQ/V34/LAPM/V42BIS)", 30)
        screen.shows(b"cl-002 ttyUSB0 login: ", 15)
        screen.types(b"nobody-here\r")
        screen.shows(b"Password: ", 20)
        screen.types(b"sesame\r")
        screen.shows(b"Login incorrect", 20)
        screen.shows(b"login: ", 20)
    shown = screen.shown
    screen.shows(b"NO CARRIER\r\n", 30)
    os.close(screen.fd)
    return shown


def test_mgetty_and_our_answering_side_show_the_same(modems: Path) -> None:
    with_mgetty = session(modems, MGETTY)
    assert session(modems, OURS) == with_mgetty
    with closing(ExchangeStore(str(modems / DATABASE))) as store:
        until(lambda: len(store.calls(9)) == 2, 10, lambda: "no call records")
        records = store.calls(9)
    for call in records:
        for facts in (call.caller_modem, call.callee_modem):
            assert (facts["modulation"], facts["rate_tx"], facts["rate_rx"]) == ("V.34", 4800, 4800)
            assert (facts["error_control"], facts["packets_lost"]) == ("LAPM/SREJ", 0)
            assert facts["bytes_received"] > 0
            assert facts["connect_seconds"] == pytest.approx(call.duration, abs=30)
        assert call.caller_modem.get("causes") or call.callee_modem.get("causes")
