"""A megabyte each way through minicom's own ZMODEM, our modems at V.34 and a file server, in real time.

The file is text: V.42bis carries it in a fraction of the five minutes that noise would take.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from tests.interop.test_mgetty_minicom import Tmux, two_modems
from tests.support.mgetty import process, until

from ansam.answer.samples import pattern

SIZE = 1_000_000
PATIENCE = 900.0

pytestmark = [pytest.mark.bench, pytest.mark.peer("minicom", "tmux", "lrzsz")]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def test_a_megabyte_each_way_by_minicoms_own_zmodem(tmp_path: Path) -> None:
    near = tmp_path / "near"
    near.mkdir()
    text = (pattern() * (SIZE // len(pattern()) + 1))[:SIZE]
    (near / "up.txt").write_bytes(text[::-1])
    with tempfile.TemporaryDirectory(prefix="ansam-files-") as place:
        far = Path(place) / "files"
        far.mkdir()
        (far / "down.txt").write_bytes(text)
        # Under root the transfer programs run as nobody.
        far.chmod(0o777)
        far.parent.chmod(0o777)
        transfer(tmp_path, far, near)


def transfer(tmp_path: Path, far: Path, near: Path) -> None:
    answer = f"{sys.executable} -m ansam.cli.main answer --service 'files:{far};uploads=yes'"
    with two_modems(tmp_path) as (answering, calling):
        command = ["sh", "-c", f"cd {far.parent} && umask 0 && exec {answer} --port {answering}"]
        with process(command, os.environ | {"XDG_STATE_HOME": str(tmp_path)}):
            time.sleep(5)
            inside = "mount -t tmpfs none /run && mkdir -p /run/lock && "
            inside += f"cd {near} && exec minicom -o -b 115200 -D {calling}"
            tmux = Tmux(tmp_path, ["unshare", "--mount", "sh", "-c", inside])

            def keys(*names: str) -> None:
                subprocess.run([*tmux._base, "send-keys", *names], check=True)

            try:
                tmux.shows("CTRL-A Z for help", 15)
                tmux.types("AT&F1E1S0=0DT05")
                tmux.shows("CONNECT 33600/ARQ/V34/LAPM/V42BIS", 60)
                tmux.shows("? helps", 60)
                keys("D")
                time.sleep(1)
                keys("-l", "down.txt")
                keys("Enter")
                time.sleep(1)
                keys("Enter")
                tmux.shows("Protocol", 10)
                began = time.monotonic()
                keys("Z")  # minicom sees ZMODEM begin and starts rz by itself
                same = digest(far / "down.txt")
                until(lambda: digest(near / "down.txt") == same, PATIENCE, tmux.screen)
                down = time.monotonic() - began
                tmux.shows("READY: press any key", 30)
                # What waits for any key takes one; the rest finds the prompt that stands below it.
                keys("Enter")
                time.sleep(3)
                keys("U")
                time.sleep(3)
                keys("Z")
                tmux.shows("upload now", 20)
                began = time.monotonic()
                keys("C-a", "S")
                tmux.shows("zmodem", 10)
                keys("Enter")
                time.sleep(1)
                keys("Enter")
                time.sleep(1)
                keys("-l", str(near / "up.txt"))
                time.sleep(1)
                keys("Enter")
                tmux.shows("Transfer complete", PATIENCE)
                up = time.monotonic() - began
                keys("Enter")
                tmux.shows("Describe it", 30)
                tmux.types("The same, backwards")
                keys("Enter")
                same = digest(near / "up.txt")
                until(lambda: digest(far / "up.txt") == same, 30, tmux.screen)
                print(f"\n  {SIZE} octets of text: down {down:.0f} s, up {up:.0f} s")
            finally:
                tmux.close()
