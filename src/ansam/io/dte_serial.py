"""A real serial port and a null-modem cable as the terminal's port.

Our modem is the DCE, but the connector of a computer is that of a DTE. A null-modem cable crosses the pairs,
so that the terminal finds our outputs on its inputs, as far as two wires carry them::

    ours                  theirs            what it means
    RTS (7) ────────────► CTS (8)           circuit 106 (or what ;rts= names)
    DTR (4) ────────────► DSR (6), DCD (1)  circuit 109 (or what ;dtr= names)
    CTS (8) ◄──────────── RTS (7)           circuit 105
    DSR (6), DCD (1) ◄─── DTR (4)           circuit 108/2
    TD (3)  ────────────► RD (2)
    RD (2)  ◄──────────── TD (3)

RI has no wire on such a cable; one made for the purpose may lead our DTR to it (``;dtr=ri``). With RTS as
circuit 106 the kernel does the flow control: it drops RTS when we do not read, and sends only while CTS is
ON. The speed is what the URL says, and then the terminal has to use the same; with ``;speed=auto`` the port
follows the terminal's letters A and T (`ansam.dte.autobaud`).
"""

import asyncio
import contextlib
import fcntl
import struct
import termios
from collections.abc import Callable

import serial
import structlog

from ansam.dte.autobaud import RATES
from ansam.dte.circuits import Circuits
from ansam.dte.port_url import PortUrl
from ansam.dte.wire import AutobaudWire, MarkedWire
from ansam.errors import ConfigError, ResourceError
from ansam.io.dte import DtePort, FdPump, PumpedEndpoint

POLL = 0.02
"""Seconds between looks at DSR and CTS."""

RETRY = 1.0
"""Seconds between attempts to open a port that has gone (an adaptor pulled out)."""

DEFAULT_SPEED = 115200

IFLAG, CC = 0, 6
"""Indices in what `termios.tcgetattr` returns."""

_CIRCUITS: dict[str, Callable[[Circuits], bool]] = {
    "cts": lambda circuits: circuits.circuit_106,
    "dsr": lambda circuits: circuits.circuit_107,
    "dcd": lambda circuits: circuits.circuit_109,
    "ri": lambda circuits: circuits.circuit_125,
    "on": lambda circuits: True,
}

_log = structlog.get_logger("ansam.io.serial")


class SerialDte(PumpedEndpoint):
    """A DTE endpoint on a serial device.

    Args:
        url: ``serial:DEVICE`` with the options ``speed`` (a number or ``auto``), ``dtr``, ``rts`` and
            ``wires``; with ``wires=3`` the cable carries no circuits, and DTR and RTS count as ON.

    Attributes:
        name: ``serial:DEVICE``.
    """

    def __init__(self, url: PortUrl) -> None:
        self.name = url.name
        self._path = url.path
        speed = url.options.get("speed", str(DEFAULT_SPEED))
        self._follows = speed == "auto"
        self._speed = RATES[0] if self._follows else int(speed)
        self._lines = url.options.get("wires", "7") == "7"
        self._dtr = _CIRCUITS[url.options.get("dtr", "dcd")]
        self._rts_name = url.options.get("rts", "cts")
        self._rts = _CIRCUITS[self._rts_name]
        self._device: serial.Serial | None = None
        self._auto: AutobaudWire | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._inputs: tuple[bool, bool] | None = None
        self._circuits = Circuits()

    async def open(self, port: DtePort) -> None:
        """Open the device; see `DteEndpoint.open`."""
        self._port = port
        port.set_dtr(False)
        self._start(self._open_device())

    def show(self, circuits: Circuits) -> None:
        """See `DteEndpoint.show`."""
        self._circuits = circuits
        if self._device is None:
            return
        with contextlib.suppress(OSError, serial.SerialException):  # A pty has no lines.
            self._device.dtr = self._dtr(circuits)
            if not self._device.rtscts:
                self._device.rts = self._rts(circuits)

    def set_rate(self, rate: int) -> None:
        """See `DteEndpoint.set_rate`; what is under way goes out at the old rate."""
        if self._device is not None:
            with contextlib.suppress(OSError):
                waiting = self._device.out_waiting * 10 / self._device.baudrate
                asyncio.get_running_loop().call_later(waiting, self._change_rate, rate)

    def send_break(self, milliseconds: int) -> None:
        """See `DteEndpoint.send_break`."""
        self._set_break(True)
        asyncio.get_running_loop().call_later(milliseconds / 1000, self._set_break, False)

    async def close(self) -> None:
        """See `DteEndpoint.close`."""
        self._stop()
        self._port = None

    # -- the device ------------------------------------------------------------------------------------------

    def _open_device(self) -> serial.Serial:
        try:
            device = serial.Serial(
                self._path, self._speed, rtscts=self._lines and self._rts_name == "cts", exclusive=True
            )
        except ValueError as error:
            raise ConfigError(f"{self.name}: {error}", "choose a speed that the port has") from error
        except (OSError, serial.SerialException) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ResourceError(
                f"{self.name}: {reason.lower()}", "is it plugged in, free, and may you use it?"
            ) from error
        _mark_breaks(device.fileno())
        return device

    def _start(self, device: serial.Serial) -> None:
        assert self._port is not None
        self._device, self._inputs = device, None
        fd = device.fileno()
        self._auto = AutobaudWire(device.baudrate, self._change_rate) if self._follows else None
        self._pump = FdPump(self._port, fd, fd, self._lost, wire=self._auto or MarkedWire())
        self._look()
        self._pump.start()
        self.show(self._circuits)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._stop_pump()
        device, self._device = self._device, None
        if device is not None:
            with contextlib.suppress(OSError, serial.SerialException):
                device.close()

    def _lost(self) -> None:
        """The device has gone: DTR drops, and it is looked for until it comes back."""
        _log.warning("port lost", port=self.name)
        self._stop()
        if self._port is not None:
            self._port.set_dtr(False)
            self._port.release()
            self._timer = asyncio.get_running_loop().call_later(RETRY, self._reopen)

    def _reopen(self) -> None:
        try:
            device = self._open_device()
        except ResourceError:
            self._timer = asyncio.get_running_loop().call_later(RETRY, self._reopen)
            return
        _log.info("port is back", port=self.name)
        self._start(device)

    def _look(self) -> None:
        """Follow the terminal's DTR and RTS."""
        if self._device is None or self._port is None:
            return
        inputs = self._read_inputs()
        # With DTR ON the modem is asked for, again and again where another port of it is in use.
        if inputs != self._inputs and (not inputs[0] or self._port.claim()):
            self._inputs = inputs
            self._port.set_port_rate(self._device.baudrate)
            self._port.set_dtr(inputs[0])
            self._port.set_rts(inputs[1])
            if not inputs[0]:
                self._port.release()
                if self._auto is not None:  # The next program may well use another rate.
                    self._change_rate(RATES[0])
        if self._lines or self._inputs is None:
            self._timer = asyncio.get_running_loop().call_later(POLL, self._look)

    def _read_inputs(self) -> tuple[bool, bool]:
        """Return the terminal's DTR (at our DSR or DCD) and RTS (at our CTS); ON where there are no lines."""
        if not self._lines or self._device is None:
            return True, True
        try:
            word = fcntl.ioctl(self._device.fileno(), termios.TIOCMGET, struct.pack("I", 0))
        except OSError:
            return True, True
        bits = struct.unpack("I", word)[0]
        return bool(bits & (termios.TIOCM_DSR | termios.TIOCM_CAR)), bool(bits & termios.TIOCM_CTS)

    def _change_rate(self, rate: int) -> None:
        if self._device is None:
            return
        try:
            self._device.baudrate = rate
        except (OSError, ValueError):
            _log.warning("the port can not run at this rate", port=self.name, rate=rate)
        if self._auto is not None:
            self._auto.restart(rate)
        _mark_breaks(self._device.fileno())

    def _set_break(self, on: bool) -> None:
        if self._device is not None:
            with contextlib.suppress(OSError):
                self._device.break_condition = on


def _mark_breaks(fd: int) -> None:
    """Have breaks marked in the input, and reads without data say so instead of "end of file"."""
    mode = termios.tcgetattr(fd)
    mode[IFLAG] = mode[IFLAG] & ~(termios.IGNBRK | termios.BRKINT | termios.IGNPAR) | termios.PARMRK
    mode[CC][termios.VMIN] = 1
    termios.tcsetattr(fd, termios.TCSANOW, mode)
