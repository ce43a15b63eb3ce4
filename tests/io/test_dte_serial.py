# ruff: noqa: ASYNC110
"""The serial port on a pty, which has data, marks of breaks and speeds, but no lines: those are made here."""

import asyncio
import os
import struct
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.dte_port import FakePort
from tests.support.uart import Line, received

from ansam.dte.circuits import Circuits
from ansam.dte.parity import PortParity, with_parity
from ansam.dte.port_url import parse_port
from ansam.errors import ConfigError, ResourceError
from ansam.io import dte_serial
from ansam.io.dte_serial import SerialDte


class Lines:
    """The control lines that a pty lacks."""

    def __init__(self) -> None:
        self.inputs = 0
        self.dtr: bool | None = None
        self.rts: bool | None = None

    def ioctl(self, fd: int, request: int, argument: bytes) -> bytes:
        assert request == termios.TIOCMGET
        return struct.pack("I", self.inputs)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    lines = Lines()
    monkeypatch.setattr(dte_serial.fcntl, "ioctl", lines.ioctl)

    class Serial(dte_serial.serial.Serial):  # type: ignore[misc,name-defined]
        dtr = property(lambda self: lines.dtr, lambda self, on: setattr(lines, "dtr", on))
        rts = property(lambda self: lines.rts, lambda self, on: setattr(lines, "rts", on))

        def _update_dtr_state(self) -> None: ...
        def _update_rts_state(self) -> None: ...

    monkeypatch.setattr(dte_serial.serial, "Serial", Serial)
    return lines


@pytest.fixture
def cable() -> Iterator[tuple[int, str]]:
    """The terminal's end of the cable, and the device at ours."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


async def read(fd: int, count: int) -> bytes:
    data = b""
    async with asyncio.timeout(5):
        while len(data) < count:
            try:
                data += os.read(fd, 65536)
            except BlockingIOError:
                await asyncio.sleep(0.001)
    return data


async def test_octets_and_lines_cross_the_cable(cable: tuple[int, str], lines: Lines) -> None:
    terminal, device = cable
    port = FakePort()
    dte = SerialDte(parse_port(f"serial:{device};speed=57600"))
    await dte.open(port)
    assert port.rates == [57600]
    assert not port.dtr[-1]
    lines.inputs = termios.TIOCM_DSR | termios.TIOCM_CTS
    await port.until(lambda: port.dtr[-1] and port.rts[-1])
    os.write(terminal, b"ATZ\r")
    await port.until(lambda: port.received == b"ATZ\r")
    everything = bytes(range(256)) * 8
    port.to_give = everything
    dte.output_ready()
    assert await read(terminal, len(everything)) == everything
    dte.show(Circuits(circuit_109=True))
    assert lines.dtr
    dte.show(Circuits(circuit_109=False))
    assert lines.dtr is False
    lines.inputs = termios.TIOCM_CAR
    await port.until(lambda: not port.rts[-1])
    assert port.dtr[-1]
    lines.inputs = 0
    await port.until(lambda: not port.dtr[-1])
    await dte.close()


async def test_it_waits_while_another_port_has_the_modem(cable: tuple[int, str]) -> None:
    port = FakePort()
    port.free = False
    dte = SerialDte(parse_port(f"serial:{cable[1]};wires=3"))
    await dte.open(port)
    await asyncio.sleep(0.05)
    assert port.dtr == [False]
    port.free = True
    await port.until(lambda: port.dtr[-1])
    await dte.close()


async def test_which_circuit_a_wire_carries(cable: tuple[int, str], lines: Lines) -> None:
    dte = SerialDte(parse_port(f"serial:{cable[1]};dtr=ri;rts=dcd"))
    await dte.open(FakePort())
    dte.show(Circuits(circuit_125=True))
    assert (lines.dtr, lines.rts) == (True, False)
    dte.show(Circuits(circuit_109=True))
    assert (lines.dtr, lines.rts) == (False, True)
    await dte.close()


async def test_three_wires_and_a_change_of_rate(cable: tuple[int, str]) -> None:
    terminal, device = cable
    port = FakePort()
    dte = SerialDte(parse_port(f"serial:{device};wires=3"))
    await dte.open(port)
    assert port.dtr[-1]
    dte.show(Circuits())  # The pty has no lines: nothing comes of it.
    dte.set_rate(2400)
    async with asyncio.timeout(5):
        while termios.tcgetattr(terminal)[5] != termios.B2400:
            await asyncio.sleep(0.001)
    os.write(terminal, b"after")
    await port.until(lambda: port.received == b"after")
    port.to_give = b"x"
    dte.output_ready()
    assert await read(terminal, 1) == b"x"
    dte.send_break(1)
    await asyncio.sleep(0.01)
    await dte.close()


async def test_an_adaptor_pulled_out_and_put_back(
    lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dte_serial, "RETRY", 0.02)
    lines.inputs = termios.TIOCM_DSR | termios.TIOCM_CTS
    link = tmp_path / "ttyUSB0"
    first, slave = os.openpty()
    link.symlink_to(os.ttyname(slave))
    port = FakePort()
    dte = SerialDte(parse_port(f"serial:{link}"))
    await dte.open(port)
    assert port.dtr[-1]
    os.close(slave)
    os.close(first)
    await port.until(lambda: not port.dtr[-1])
    port.to_give = b"lost"
    dte.output_ready()
    assert port.to_give == b""
    second, slave = os.openpty()
    link.unlink()
    link.symlink_to(os.ttyname(slave))
    await port.until(lambda: port.dtr[-1])
    os.write(second, b"AT")
    await port.until(lambda: port.received == b"AT")
    await dte.close()
    os.close(slave)
    os.close(second)


async def test_faults(tmp_path: Path, cable: tuple[int, str]) -> None:
    with pytest.raises(ResourceError, match="no such file"):
        await SerialDte(parse_port(f"serial:{tmp_path}/none")).open(FakePort())
    with pytest.raises((ConfigError, ResourceError)):
        await SerialDte(parse_port(f"serial:{tmp_path}")).open(FakePort())


def driven(line: Line, rate: int) -> bytes:
    """Return what a driver with PARMRK set hands up of a line that a UART at `rate` receives."""
    out = b""
    for octet, wrong in received(line, rate, resynchronises=True):
        out += bytes([0xFF, 0, octet]) if wrong else b"\xff\xff" if octet == 0xFF else bytes([octet])
    return out


@pytest.mark.parametrize(("rate", "lost"), [(38400, 1), (1200, 2)])
async def test_the_port_follows_the_letters(
    rate: int, lost: int, cable: tuple[int, str], lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model of a UART stands between terminal and pty, for a pty has no rate of its own."""
    monkeypatch.setattr(dte_serial, "_mark_breaks", lambda fd: None)
    terminal, device = cable
    lines.inputs = termios.TIOCM_DSR | termios.TIOCM_CTS
    port = FakePort()
    dte = SerialDte(parse_port(f"serial:{device};speed=auto"))
    await dte.open(port)
    assert port.rates == [115200]

    def runs_at(wanted: int) -> bool:
        return termios.tcgetattr(terminal)[5] == getattr(termios, f"B{wanted}")

    for number in range(lost + 1):
        assert port.received == b""
        line = Line(rate)
        for octet in with_parity(b"ATZ\r", PortParity.EVEN):
            line.send(octet)
        os.write(terminal, driven(line, port.rates[-1]))
        await port.until(lambda n=number: len(port.rates) == n + 2 or bool(port.received))  # type: ignore[misc]
    assert port.received == with_parity(b"ATZ\r", PortParity.EVEN)
    assert port.rates[-1] == rate
    assert runs_at(rate)
    lines.inputs = 0
    await port.until(lambda: not port.dtr[-1])
    assert runs_at(115200)
    await dte.close()
