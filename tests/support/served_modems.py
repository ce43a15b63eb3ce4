"""`ansam serve` as a process: an exchange, and ext 05 and 07 each with a modem behind a pty."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.exchange_live import free_port
from tests.support.mgetty import process, until

ANSAM = [sys.executable, "-m", "ansam.cli.main"]
DATABASE = "exchange.sqlite"
MODEMS = {"05": "ttyUSB0", "07": "ttyUSB1"}
"""Pty of each extension's modem, in the same directory as the database."""


@contextmanager
def exchange_and_modems(place: Path) -> Iterator[None]:
    """Run it from a directory until the block ends; the ptys are there from its beginning on."""
    port = free_port()
    config = f'[exchange]\nlisten = ["udp:127.0.0.1:{port}"]\ndatabase = "{place / DATABASE}"\n'
    for number, name in MODEMS.items():
        config += (
            f'[[extension]]\nnumber = "{number}"\nsecret = "secret-{number}"\n[[modem]]\nname = "{name}"\n'
            f'line = "sip:{number}@127.0.0.1:{port}"\ndte = "pty:{place / name}"\n'
        )
    (place / "ansam.toml").write_text(config)
    command = [*ANSAM, "serve", "-c", str(place / "ansam.toml")]
    with process(command, os.environ | {"XDG_STATE_HOME": str(place)}) as serve:
        ports = [place / name for name in MODEMS.values()]
        until(lambda: all(p.exists() for p in ports) or serve.poll() is not None, 90, lambda: "no ptys")
        assert serve.poll() is None
        yield
