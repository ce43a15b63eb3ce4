import os
import termios
from pathlib import Path

from tests.support.dte_port import FakePort

from ansam.io.dte_stdio import StdioDte


async def test_pipe_in_pipe_out_and_end_of_input() -> None:
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    port = FakePort()
    dte = StdioDte(in_read, out_write)
    await dte.open(port)
    os.write(in_write, b"ATI3\r")
    os.close(in_write)
    await port.until(lambda: port.dtr == [True, False])
    assert port.received == b"ATI3\r"
    assert dte.finished.is_set()
    port.to_give = b"OK\r\n"
    dte.output_ready()
    assert os.read(out_read, 10) == b"OK\r\n"
    await dte.close()
    for fd in (in_read, out_read, out_write):
        os.close(fd)


async def test_input_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"AT\r" * 5000)
    source, sink = os.open(path, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)
    port = FakePort(room=9000)
    dte = StdioDte(source, sink)
    await dte.open(port)
    await port.until(lambda: len(port.received) == 9000)
    port.room = 9000
    dte.resume()
    await port.until(lambda: port.dtr[-1] is False)
    assert port.received == path.read_bytes()
    await dte.close()
    os.close(source)
    os.close(sink)


async def test_terminal_is_raw_and_restored() -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    dte = StdioDte(slave, slave)
    await dte.open(FakePort())
    mode = termios.tcgetattr(slave)
    assert not mode[3] & (termios.ECHO | termios.ICANON)
    assert mode[3] & termios.ISIG
    await dte.close()
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)
