"""`ansam terminal`: a terminal on a pty, a serial device or a TCP port."""

import asyncio
import sys
from typing import Annotated

import typer

from ansam.io.terminal import Left, Terminal
from ansam.io.terminal_port import make_port

DEFAULT_PORT = "run/ttyUSB0"


def terminal(
    port: Annotated[str, typer.Argument(help="pty or device path, or tcp:HOST:PORT.")] = DEFAULT_PORT,
    speed: Annotated[int, typer.Option(help="Port speed of a serial device, bit/s.")] = 57600,
    init: Annotated[str, typer.Option(help="Command the modem is set up with, such as ATZ.")] = "",
    linger: Annotated[
        float, typer.Option(min=0.0, help="With piped input: leave after so many quiet seconds.")
    ] = 2.0,
) -> None:
    """A terminal on a modem: Ctrl-A Z shows its keys."""
    how = asyncio.run(Terminal(make_port(port, speed), linger=linger, init=init).run())
    if how is Left.PORT_LOST:
        print(f"ansam: {port}: the port was closed", file=sys.stderr)
        raise typer.Exit(3)
