"""A megabyte each way through minicom's own ZMODEM, our modems at V.34 and a file server, in real time.

minicom sets its modem up with its classic string, and ext 07 dials 05: SIP and RTP over real UDP through our
exchange. Not one block may have been sent again by either modem, in its
own counters (ATI6 of both) and in what both told the exchange. Text is what people send, and V.42bis carries
it in a fraction of the time; noise is what no compression helps, and takes 5 minutes a megabyte and
direction: ``ANSAM_BENCH_OCTETS=1000000`` has as much of it as of text.
"""

import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_original_session import Screen
from tests.interop.test_mgetty_minicom import Tmux
from tests.support.mgetty import process, until
from tests.support.served_modems import DATABASE, MODEMS, exchange_and_modems

from ansam.answer.samples import pattern
from ansam.io.exchange_store import ExchangeStore

SIZE = 1_000_000
NOISE_SIZE = int(os.environ.get("ANSAM_BENCH_OCTETS", "256000"))
PATIENCE = 900.0
CONNECT = "CONNECT 33600/ARQ/V34/LAPM/V42BIS"
CLEAN = ("Blocks resent", "Chars lost", "Link Naks")
"""Of ATI6: each has to be 0."""

TOLD = ("Blocks sent", *CLEAN, "Blers", "Link Timeouts", "Retrains Requested")
"""Shown: a busy machine has late packets, of which an idle line shows no more than a frame that is bad."""

pytestmark = [
    pytest.mark.bench,
    pytest.mark.peer("minicom", "tmux", "lrzsz"),
    pytest.mark.usefixtures("private_mounts"),
]


def text() -> bytes:
    return (pattern() * (SIZE // len(pattern()) + 1))[:SIZE]


def noise() -> bytes:
    return random.Random(7).randbytes(NOISE_SIZE)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


@contextmanager
def answering(place: Path, far: Path) -> Iterator[None]:
    """Our file server behind the modem of ext 05."""
    service = f"{sys.executable} -m ansam.cli.main answer --service 'files:{far};uploads=yes'"
    command = ["sh", "-c", f"cd {far.parent} && umask 0 && exec {service} --port {place / MODEMS['05']}"]
    with process(command, os.environ | {"XDG_STATE_HOME": str(place)}):
        time.sleep(5)
        yield


INIT = "~^M~AT S7=45 S0=0 L1 V1 X4 &c1 E1 Q0^M"
"""minicom's own; Debian's 2.8 has it, but as long as nobody has saved a configuration it sends nothing."""


class Caller(Tmux):
    """minicom at the modem of ext 07."""

    def __init__(self, place: Path, near: Path) -> None:
        (place / ".minirc.dfl").write_text(f"pu minit            {INIT}\n")
        inside = "mount -t tmpfs none /run && mkdir -p /run/lock && "
        inside += f"cd {near} && exec minicom -b 115200 -D {place / MODEMS['07']}"
        super().__init__(place, ["unshare", "--mount", "sh", "-c", inside])

    def keys(self, *names: str) -> None:
        subprocess.run([*self._base, "send-keys", *names], check=True)
        time.sleep(1)

    def dial(self, number: str) -> None:
        """Once the modem is set up.

        Not from the dialling directory: minicom 2.8 stops reading the port there as soon as a second passes
        without a character, and waits for CONNECT in a loop that takes a whole core.
        """
        self.shows("OK", 30)
        self.types("ATS7?")
        self.shows("045", 10)
        self.types(f"ATDT{number}")
        self.shows(CONNECT, 60)

    def download(self, name: str) -> None:
        """minicom sees ZMODEM begin and starts rz by itself."""
        self.shows("? helps", 60)
        self.keys("D")
        self.keys("-l", name)
        self.keys("Enter")
        self.keys("Enter")
        self.shows("Protocol", 10)
        self.keys("Z")

    def upload(self, path: Path) -> None:
        self.shows("READY: press any key", 30)
        # What waits for any key takes one; the rest finds the prompt that stands below it.
        self.keys("Enter")
        time.sleep(2)
        self.keys("U")
        time.sleep(2)
        self.keys("Z")
        self.shows("upload now", 20)
        self.keys("C-a", "S")
        self.shows("zmodem", 10)
        self.keys("Enter")
        self.keys("Enter")
        self.keys("-l", str(path))
        self.keys("Enter")
        self.shows("Transfer complete", PATIENCE)
        self.keys("Enter")
        self.shows("Describe it", 30)
        self.types("The same, backwards")
        self.keys("Enter")


def screen_of(port: Path) -> str:
    """Return ATI6 as whoever opens the port now gets it."""
    terminal = Screen(port)
    terminal.types(b"ATE0\r")
    terminal.shows(b"OK\r\n", 10)
    terminal.types(b"ATI6\r")
    terminal.shows(b"OK\r\n", 10)
    os.close(terminal.fd)
    return terminal.shown.decode()


def figure(screen: str, label: str) -> int:
    found = re.search(rf"{label}\s+(\d+)", screen)
    assert found, screen
    return int(found[1])


@pytest.mark.parametrize("content", [text, noise], ids=["text", "noise"])
def test_each_way_by_minicoms_own_zmodem(content: Callable[[], bytes], tmp_path: Path) -> None:
    near = tmp_path / "near"
    near.mkdir()
    data = content()
    (near / "up.bin").write_bytes(data[::-1])
    with tempfile.TemporaryDirectory(prefix="ansam-files-") as place:
        far = Path(place) / "files"
        far.mkdir()
        (far / "down.bin").write_bytes(data)
        # Under root the transfer programs run as nobody.
        far.chmod(0o777)
        far.parent.chmod(0o777)
        with exchange_and_modems(tmp_path):
            with answering(tmp_path, far):
                down, up = transfer(tmp_path, far, near)
            screens = {number: screen_of(tmp_path / name) for number, name in MODEMS.items()}
            told = what_the_exchange_was_told(tmp_path / DATABASE)
    print(f"\n  {len(data)} octets of {content.__name__}: down {down:.0f} s, up {up:.0f} s")
    for number, screen in screens.items():
        found = {label: figure(screen, label) for label in TOLD}
        print(f"  ext {number}: " + ", ".join(f"{label} {value}" for label, value in found.items()))
        assert {label: found[label] for label in CLEAN} == dict.fromkeys(CLEAN, 0), screen
    assert figure(screens["07"], "Blocks sent") == figure(screens["05"], "Blocks Received")
    assert figure(screens["05"], "Blocks sent") == figure(screens["07"], "Blocks Received")
    print("  packets lost or late: " + ", ".join(f"{f['packets_lost']} of {f['packets']}" for f in told))
    assert [facts["frames_resent"] for facts in told] == [0, 0]


def transfer(place: Path, far: Path, near: Path) -> tuple[float, float]:
    """Call, take a file, leave one and hang up; return the seconds that each took."""
    caller = Caller(place, near)
    try:
        caller.dial("05")
        caller.download("down.bin")
        began = time.monotonic()
        same = digest(far / "down.bin")
        until(lambda: digest(near / "down.bin") == same, PATIENCE, caller.screen)
        down = time.monotonic() - began
        began = time.monotonic()
        caller.upload(near / "up.bin")
        up = time.monotonic() - began
        same = digest(near / "up.bin")
        until(lambda: digest(far / "up.bin") == same, 30, caller.screen)
        caller.shows("Thank you for up.bin", 30)
        caller.keys("Q")
        caller.shows("NO CARRIER", 30)
        return down, up
    finally:
        caller.close()


def what_the_exchange_was_told(database: Path) -> list[Mapping[str, Any]]:
    """Return the facts of both modems about the only call."""
    with closing(ExchangeStore(str(database))) as store:
        until(lambda: len(store.calls(9)) == 1, 10, lambda: "no call record")
        (call,) = store.calls(9)
    return [call.caller_modem, call.callee_modem]
