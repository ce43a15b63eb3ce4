"""One user agent on a real UDP socket of 127.0.0.1, driven by a plain select loop, and sipp beside it."""

import random
import select
import socket
import subprocess
import time
from pathlib import Path
from typing import TypeVar

from ansam.sip.events import Address, Event, Flow
from ansam.sip.ua import UserAgent, UserAgentConfig

E = TypeVar("E")

SDP = (
    b"v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)


class SocketAgent:
    """A user agent and its socket.

    Args:
        config: Of the agent.
        speed: How much faster than life its clock runs (time-outs of 32 s in a test).
    """

    def __init__(self, config: UserAgentConfig | None = None, speed: float = 1.0) -> None:
        self.agent = UserAgent(config or UserAgentConfig(), random.Random(1))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.local: Address = self.socket.getsockname()
        self.speed = speed
        self.events: list[Event] = []
        self.received: list[bytes] = []
        self.sent: list[bytes] = []

    def __enter__(self) -> "SocketAgent":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def now(self) -> float:
        return time.monotonic() * self.speed

    def flow(self, port: int) -> Flow:
        return Flow("udp", self.local, ("127.0.0.1", port))

    def pump(self, seconds: float = 0.05) -> None:
        """Send, wait at most `seconds` for a datagram or a timer, take it in."""
        self._drain()
        deadline = self.agent.deadline()
        wait = seconds if deadline is None else max(0.0, min(seconds, (deadline - self.now) / self.speed))
        readable, _, _ = select.select([self.socket], [], [], wait)
        if readable:
            try:
                data, source = self.socket.recvfrom(65535)
            except ConnectionRefusedError:
                return
            self.received.append(data)
            self.agent.receive(data, Flow("udp", self.local, source[:2]), self.now)
        if (deadline := self.agent.deadline()) is not None and deadline <= self.now:
            self.agent.handle_timer(self.now)
        self._drain()

    def _drain(self) -> None:
        for outgoing in self.agent.take_outgoing():
            self.sent.append(outgoing.data)
            self.socket.sendto(outgoing.data, outgoing.flow.remote)
        self.events += self.agent.take_events()

    def until(self, kind: type[E], seconds: float = 15.0) -> E:
        """Run until an event of that kind comes, take it off the list and return it."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            for event in self.events:
                if isinstance(event, kind):
                    self.events.remove(event)
                    return event
            self.pump()
        raise AssertionError(f"no {kind.__name__}: {self.events}")

    def finish(self, process: "Sipp", seconds: float = 20.0) -> None:
        """Serve until sipp is done; it must be content."""
        limit = time.monotonic() + seconds
        while process.running() and time.monotonic() < limit:
            self.pump()
        process.check()


def free_port() -> int:
    """Return a UDP port nobody has at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Sipp:
    """One sipp process that plays one scenario once.

    Args:
        folder: For its files.
        scenario: Built-in name (``uas``, ``uac``) or the inner XML of a scenario.
        remote: Where a calling scenario sends to.
        service: Value of ``[service]``.
    """

    def __init__(
        self, folder: Path, scenario: str, remote: Address | None = None, service: str = "05"
    ) -> None:
        self.port = free_port()
        command = ["sipp", "-i", "127.0.0.1", "-p", str(self.port), "-m", "1", "-nostdin", "-timeout", "30"]
        command += ["-s", service, "-trace_err", "-error_file", str(folder / "errors.log"), "-nd"]
        if "<" in scenario:
            path = folder / "scenario.xml"
            header = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
            path.write_text(f'{header}<scenario name="test">{scenario}</scenario>\n')
            command += ["-sf", str(path)]
        else:
            command += ["-sn", scenario]
        if remote is not None:
            command.append(f"{remote[0]}:{remote[1]}")
        self._folder = folder
        with (folder / "output.log").open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        if remote is None:
            self._wait_bound()

    def __enter__(self) -> "Sipp":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _wait_bound(self) -> None:
        needle = f":{self.port:04X} "
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            if needle in Path("/proc/net/udp").read_text():
                return
            if not self.running():
                self.check()
            select.select([], [], [], 0.02)
        self.__exit__()
        raise AssertionError("sipp does not listen")

    def running(self) -> bool:
        return self._process.poll() is None

    def check(self) -> None:
        """Fail with sipp's own words unless its one call went as the scenario has it."""
        if self.running():
            raise AssertionError("sipp is still waiting")
        process = self._process
        logs = [path.read_text(errors="replace") for path in sorted(self._folder.glob("*.log"))]
        assert process.returncode == 0, f"sipp {process.returncode}: {' '.join(logs)[:3000]}"
