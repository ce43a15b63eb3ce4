"""Two or more user agents on a wire that is stepped by hand, in virtual time."""

import heapq
import random
from collections.abc import Callable
from typing import TypeVar

from ansam.sip.events import Address, Event, Flow, Outgoing
from ansam.sip.ua import UserAgent, UserAgentConfig

E = TypeVar("E")

ALICE: Address = ("192.0.2.1", 5060)
BOB: Address = ("192.0.2.2", 5060)


def _sdp(address: str, port: int) -> bytes:
    lines = ["v=0", f"o=- {port} 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    lines += [f"m=audio {port} RTP/AVP 8", "a=rtpmap:8 PCMA/8000", ""]
    return "\r\n".join(lines).encode()


OFFER = _sdp("192.0.2.1", 4000)
ANSWER = _sdp("192.0.2.2", 5000)


class Wire:
    """Carries datagrams between agents with a delay and, where `lose` says so, not at all.

    Args:
        seed: Seeds the agents and random loss.
        loss: Probability that a datagram is lost.
        delay: Seconds one way; a pair for a random delay that reorders.
        transport: ``udp``, or ``tcp`` (then nothing may be lost).
    """

    def __init__(self, seed: int = 1, loss: float = 0.0, delay: tuple[float, float] = (0.01, 0.01)) -> None:
        self.rng = random.Random(seed)
        self.loss = loss
        self.delay = delay
        self.now = 100.0
        self.agents: dict[Address, UserAgent] = {}
        self.events: dict[Address, list[Event]] = {}
        self.log: list[tuple[float, Address, Address, bytes]] = []
        self.lose: Callable[[Address, bytes], bool] = lambda source, data: False
        self.transport = "udp"
        self._flying: list[tuple[float, int, Outgoing]] = []
        self._serial = 0

    def add(self, address: Address, config: UserAgentConfig | None = None) -> UserAgent:
        agent = UserAgent(config or UserAgentConfig(), random.Random(self.rng.getrandbits(32)))
        self.agents[address] = agent
        self.events[address] = []
        return agent

    def flow(self, local: Address, remote: Address) -> Flow:
        return Flow(self.transport, local, remote)  # type: ignore[arg-type]

    def _drain(self) -> None:
        for address, agent in self.agents.items():
            for outgoing in agent.take_outgoing():
                self.log.append((self.now, address, outgoing.flow.remote, outgoing.data))
                if self.lose(address, outgoing.data) or self.rng.random() < self.loss:
                    continue
                self._serial += 1
                at = self.now + self.rng.uniform(*self.delay)
                heapq.heappush(self._flying, (at, self._serial, outgoing))
            self.events[address] += agent.take_events()

    def step(self, limit: float) -> bool:
        """Do the next thing due before `limit`; False if there is none."""
        self._drain()
        times = [self._flying[0][0]] if self._flying else []
        times += [at for agent in self.agents.values() if (at := agent.deadline()) is not None]
        if not times or min(times) > limit:
            return False
        self.now = max(self.now, min(times))
        if self._flying and self._flying[0][0] <= self.now:
            _, _, outgoing = heapq.heappop(self._flying)
            receiver = self.agents.get(outgoing.flow.remote)
            if receiver is not None:
                local, remote = outgoing.flow.remote, outgoing.flow.local
                receiver.receive(outgoing.data, self.flow(local, remote), self.now)
        else:
            for agent in self.agents.values():
                if (at := agent.deadline()) is not None and at <= self.now:
                    agent.handle_timer(self.now)
        self._drain()
        return True

    def run(self, seconds: float) -> None:
        """Let time pass."""
        limit = self.now + seconds
        while self.step(limit):
            pass
        self.now = limit

    def until(self, address: Address, kind: type[E], seconds: float = 120.0) -> E:
        """Run until an event of that kind has come to that agent, take it off the list and return it."""
        limit = self.now + seconds
        while True:
            self._drain()
            for event in self.events[address]:
                if isinstance(event, kind):
                    self.events[address].remove(event)
                    return event
            if not self.step(limit):
                raise AssertionError(f"no {kind.__name__} at {address}: {self.events[address]}")

    def sent(self, address: Address, start: bytes) -> list[bytes]:
        """Return what an agent sent that begins with `start`."""
        return [data for _, source, _, data in self.log if source == address and data.startswith(start)]
