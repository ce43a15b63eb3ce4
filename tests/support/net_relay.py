"""Two network namespaces and the seeded relay between them that loses, delays, reorders and duplicates.

```
 ns A: eth 10.77.N.1 ══ veth ══ │ relay process: AF_PACKET │ ══ veth ══ eth 10.77.N.2 :ns B
```

netem need not be in the kernel: the relay carries whole Ethernet frames and has its way with UDP alone. Each
direction of each pair of ports has chance of its own, seeded, so that the fate of a call's n-th packet does
not depend on what else crosses. Run as a script this file is the relay: `net_relay.py LEFT RIGHT
IMPAIRMENT-AS-JSON`; at SIGTERM it prints what became of the packets.
"""

import heapq
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

ETH_P_ALL = 3
PACKET_OUTGOING = 4
MIN_UDP = 42
"""Ethernet, IPv4 and UDP headers, octets."""


@dataclass(frozen=True)
class Impairment:
    """What a direction does to UDP packets.

    Attributes:
        seed: Of all chance.
        loss: Fraction of packets lost at random.
        burst: Packets in a row that are lost every `burst_every` seconds.
        burst_every: Seconds; 0: never.
        delay: One way, seconds.
        jitter: Up to so many seconds more, in order.
        reorder: Fraction of packets that come `LATE` later than they should, behind the next one.
        duplicate: Fraction of packets that come twice.
    """

    seed: int = 1
    loss: float = 0.0
    burst: int = 0
    burst_every: float = 0.0
    delay: float = 0.02
    jitter: float = 0.0
    reorder: float = 0.0
    duplicate: float = 0.0


LATE = 0.025

SPACING = 0.025
"""A burst of n packets lasts no longer than n times this: signalling is not to be lost for seconds."""


@dataclass
class Fate:
    """Decides over the packets of one direction of one pair of ports."""

    impairment: Impairment
    name: str
    sent: int = 0
    lost: int = 0
    reordered: int = 0
    duplicated: int = 0
    _burst_at: float | None = None
    _burst_left: int = 0
    _burst_until: float = 0.0
    _free: float = 0.0
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(f"{self.impairment.seed}/{self.name}")

    def of(self, now: float) -> list[float]:
        """Return when the next packet arrives: never, once or twice."""
        how, draw = self.impairment, self._rng.random
        # Always as many draws, whatever comes of them.
        loss, reorder, duplicate, jitter = draw(), draw(), draw(), draw()
        self.sent += 1
        if self._in_burst(now) or loss < how.loss:
            self.lost += 1
            return []
        at = max(self._free, now + how.delay + jitter * how.jitter)
        if reorder < how.reorder:
            self.reordered += 1
            at += LATE
        else:
            self._free = at
        if duplicate < how.duplicate:
            self.duplicated += 1
            return [at, at + 0.004]
        return [at]

    def _in_burst(self, now: float) -> bool:
        how = self.impairment
        if not how.burst_every:
            return False
        if self._burst_at is None:
            self._burst_at = now + self._rng.random() * how.burst_every
        if now >= self._burst_at:
            self._burst_left, self._burst_until = how.burst, now + how.burst * SPACING
            self._burst_at += how.burst_every
        if not self._burst_left or now > self._burst_until:
            return False
        self._burst_left -= 1
        return True


class Relay:
    """Carries frames between two interfaces.

    Args:
        left: Interface.
        right: Interface.
        impairment: Of both directions.
    """

    def __init__(self, left: str, right: str, impairment: Impairment) -> None:
        self._impairment = impairment
        self._socks = [self._open(name) for name in (left, right)]
        self._queue: list[tuple[float, int, int, bytes]] = []
        self._count = 0
        self.fates: dict[tuple[int, bytes], Fate] = {}
        self.stopped = False

    @staticmethod
    def _open(name: str) -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        sock.bind((name, 0))
        sock.setblocking(False)
        return sock

    def run(self) -> None:
        """Carry frames until `stopped`."""
        while not self.stopped:
            wait = 0.2 if not self._queue else max(0.0, min(0.2, self._queue[0][0] - time.monotonic()))
            ready, _, _ = select.select(self._socks, [], [], wait)
            for sock in ready:
                self._read(self._socks.index(sock))
            now = time.monotonic()
            while self._queue and self._queue[0][0] <= now:
                _, _, to, frame = heapq.heappop(self._queue)
                with suppress(OSError):
                    self._socks[to].send(frame)

    def _read(self, side: int) -> None:
        for _ in range(64):
            try:
                frame, address = self._socks[side].recvfrom(4096)
            except OSError:
                return
            if address[2] == PACKET_OUTGOING:
                continue
            now = time.monotonic()
            if len(frame) < MIN_UDP or frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
                self._at(now, 1 - side, frame)
                continue
            fate = self._fate(side, frame[34:38])
            for at in fate.of(now):
                # The sum may have been left to hardware that there is not: 0 stands for none (RFC 768).
                self._at(at, 1 - side, frame[:40] + b"\0\0" + frame[42:])

    def _fate(self, side: int, ports: bytes) -> Fate:
        key = side, ports
        if key not in self.fates:
            number = sum(known[0] == side for known in self.fates)
            self.fates[key] = Fate(self._impairment, f"{side}/{number}")
        return self.fates[key]

    def _at(self, at: float, side: int, frame: bytes) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, side, frame))

    def counters(self) -> dict[str, int]:
        """Return the sums over all directions."""
        fates = self.fates.values()
        return {name: sum(getattr(fate, name) for fate in fates) for name in COUNTED}


COUNTED = ("sent", "lost", "reordered", "duplicated")


@dataclass
class Network:
    """Two namespaces joined by a relay; `result` holds its counters once it has been left."""

    names: tuple[str, str]
    addresses: tuple[str, str]
    result: dict[str, int] = field(default_factory=dict)

    def command(self, side: int, *arguments: str) -> list[str]:
        """Return a command that runs in one of the namespaces."""
        return ["ip", "netns", "exec", self.names[side], *arguments]


def why_not() -> str:
    """Return why there can be no namespaces here, "" where they can be."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "iproute2 is not installed"
    name = f"ansam-{os.getpid()}-probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no network namespaces: {made.stderr.strip()}"
    link = f"an{os.getpid()}p"
    pair = ["ip", "link", "add", link, "type", "veth", "peer", "name", f"{link}q"]
    veth = subprocess.run(pair, capture_output=True, text=True, check=False)
    subprocess.run(["ip", "link", "del", link], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return f"no veth: {veth.stderr.strip()}" if veth.returncode else ""


@contextmanager
def network(impairment: Impairment, number: int = 0) -> Iterator[Network]:
    """Make two namespaces and the relay between them; take away what was made, and nothing else.

    Args:
        impairment: Of the relay.
        number: Tells several networks of one process apart, 0–9.
    """
    tag = f"{os.getpid()}{number}"
    net = Network((f"ansam-{tag}-a", f"ansam-{tag}-b"), (f"10.77.{number}.1", f"10.77.{number}.2"))
    links = (f"an{tag}a", f"an{tag}b")
    relay: subprocess.Popen[str] | None = None
    try:
        for name, link, address in zip(net.names, links, net.addresses, strict=True):
            _ip("netns", "add", name)
            _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("link", "set", link, "up")
        relay = subprocess.Popen(
            [sys.executable, str(Path(__file__)), *links, json.dumps(asdict(impairment))],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert relay.stdout is not None
        assert relay.stdout.readline() == "up\n"
        yield net
    finally:
        if relay is not None:
            relay.terminate()
            out, _ = relay.communicate(timeout=10)
            net.result = json.loads(out or "{}")
        for name, link in zip(net.names, links, strict=True):
            subprocess.run(["ip", "link", "del", link], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def main() -> None:
    """Relay until SIGTERM."""
    left, right, impairment = sys.argv[1:]
    relay = Relay(left, right, Impairment(**json.loads(impairment)))

    def stop(number: int, frame: FrameType | None) -> None:
        relay.stopped = True

    signal.signal(signal.SIGTERM, stop)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    print("up", flush=True)
    relay.run()
    print(json.dumps(relay.counters()))


if __name__ == "__main__":
    main()
