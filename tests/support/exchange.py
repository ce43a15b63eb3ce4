"""Telephones around an exchange in virtual time: a hand-stepped network of user agents."""

import random
from collections.abc import Callable
from dataclasses import replace

from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.events import CallOver, ExchangeEvent
from ansam.pbx.exchange import Exchange
from ansam.pbx.media import MediaRelay
from ansam.pbx.records import CallRecord
from ansam.pbx.services import ServiceMedia, ServiceSession
from ansam.pbx.settings import ExchangeSettings, Service
from ansam.sip.auth import Credentials
from ansam.sip.events import Address, CallId, Event, Flow, IncomingCall, Outgoing, Registered, RegistrationId
from ansam.sip.ua import UserAgent, UserAgentConfig

EXCHANGE: Address = ("192.0.2.1", 5060)

OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=silenceSupp:off - - - -\r\n"
)
ANSWER = OFFER.replace(b"192.0.2.7", b"192.0.2.5").replace(b"4000", b"5000")
T38 = OFFER.replace(b"m=audio 4000 RTP/AVP 8", b"m=image 4000 udptl t38")


class NoMedia:
    """A player that must not be asked to play."""

    ready = True

    def open(self, service: Service, local_ip: str, offer: bytes) -> ServiceSession | None:
        raise AssertionError(service)

    def follow(self, session: ServiceSession, offer: bytes) -> bytes | None:
        raise AssertionError(session)

    def close(self, session: ServiceSession) -> str:
        raise AssertionError(session)


class Telephone:
    """A user agent with one extension; keeps every event."""

    def __init__(
        self, net: "Net", number: str, secret: str, address: Address, transport: str = "udp"
    ) -> None:
        self.net = net
        self.number = number
        self.credentials = Credentials(number, secret)
        self.address = address
        self.agent = UserAgent(UserAgentConfig(user=number), random.Random(f"{number} {secret} {address}"))
        self.flow = Flow("tcp" if transport == "tcp" else "udp", address, EXCHANGE)
        self.events: list[Event] = []
        self.on_incoming: Callable[[IncomingCall], None] | None = None

    def register(self, expires: int = 3600) -> RegistrationId:
        return self.agent.register(
            f"sip:{self.number}@{EXCHANGE[0]}",
            self.flow,
            self.net.now,
            credentials=self.credentials,
            expires=expires,
        )

    def call(self, number: str, sdp: bytes = OFFER, *, claim: str = "", max_forwards: int = 70) -> CallId:
        return self.agent.invite(
            f"sip:{number}@{EXCHANGE[0]}",
            self.flow,
            self.net.now,
            from_=f"sip:{claim or self.number}@{EXCHANGE[0]}",
            sdp=sdp,
            credentials=self.credentials,
            max_forwards=max_forwards,
        )

    def seen(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def last(self, kind: type):
        found = self.seen(kind)
        assert found, f"{self.number} saw no {kind.__name__}: {self.events}"
        return found[-1]


class Net:
    """The exchange, its telephones, and time.

    Attributes:
        now: Seconds; moved by `run`.
        lose: Says whether octets are lost on the way.
        sent: Everything that was sent, with its sender's address.
    """

    def __init__(
        self,
        extensions: list[Extension],
        settings: ExchangeSettings | None = None,
        relay: MediaRelay | None = None,
        services: ServiceMedia | None = None,
        back_relay: MediaRelay | None = None,
    ) -> None:
        self.now = 1000.0
        self.exchange = Exchange(
            settings or ExchangeSettings(),
            DialPlan(extensions),
            random.Random(1),
            b"k" * 16,
            relay,
            services=services,
            back_relay=back_relay,
        )
        self.telephones: dict[Address, Telephone] = {}
        self.events: list[ExchangeEvent] = []
        self.lose: Callable[[Outgoing], bool] = lambda outgoing: False
        self.sent: list[tuple[Address, Outgoing]] = []

    def telephone(self, number: str, secret: str = "", host: str = "", transport: str = "udp") -> Telephone:
        address = (host or f"192.0.2.{int(number) % 200 + 10}", 5060)
        telephone = Telephone(self, number, secret or f"secret-{number}", address, transport)
        self.telephones[address] = telephone
        return telephone

    @property
    def records(self) -> list[CallRecord]:
        return [event.record for event in self.events if isinstance(event, CallOver)]

    def settle(self) -> None:
        """Carry everything that is on its way."""
        moved = True
        while moved:
            moved = False
            for telephone in list(self.telephones.values()):
                moved |= self._carry(telephone.address, telephone.agent.take_outgoing())
                for event in telephone.agent.take_events():
                    moved = True
                    telephone.events.append(event)
                    if isinstance(event, IncomingCall) and telephone.on_incoming is not None:
                        telephone.on_incoming(event)
            moved |= self._carry(EXCHANGE, self.exchange.take_outgoing())
            self.events += self.exchange.take_events()

    def _carry(self, sender: Address, outgoing: list[Outgoing]) -> bool:
        for out in outgoing:
            self.sent.append((sender, out))
            if self.lose(out):
                continue
            there = replace(out.flow, local=out.flow.remote, remote=out.flow.local)
            if out.flow.remote == EXCHANGE:
                self.exchange.receive(out.data, there, self.now)
            elif out.flow.remote in self.telephones:
                self.telephones[out.flow.remote].agent.receive(out.data, there, self.now)
        return bool(outgoing)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        self.settle()
        while True:
            engines = [self.exchange, *(telephone.agent for telephone in self.telephones.values())]
            due = [at for engine in engines if (at := engine.deadline()) is not None]
            following = min(due, default=end)
            if following > end:
                break
            self.now = max(self.now, following)
            for engine in engines:
                at = engine.deadline()
                if at is not None and at <= self.now:
                    engine.handle_timer(self.now)
            self.settle()
            if following == end:
                break
        self.now = end


def extensions(*numbers: str, call_limit: int = 1) -> list[Extension]:
    return [Extension(number, f"secret-{number}", f"Name {number}", call_limit) for number in numbers]


def registered_pair(
    settings: ExchangeSettings | None = None, relay: MediaRelay | None = None
) -> tuple[Net, Telephone, Telephone]:
    """Return a net with the extensions 05, 06, 07, and the registered telephones 07 and 05."""
    net = Net(extensions("05", "06", "07"), settings, relay)
    caller, callee = net.telephone("07"), net.telephone("05")
    for telephone in (caller, callee):
        telephone.register()
    net.run(1)
    for telephone in (caller, callee):
        assert telephone.seen(Registered), telephone.events
    return net, caller, callee
