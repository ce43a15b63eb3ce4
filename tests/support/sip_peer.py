"""The far end of a SIP line over real UDP: registrar, caller and callee, with a bare RTP socket."""

import asyncio
import random
import socket
from collections.abc import Callable
from typing import Any, TypeVar

from ansam.io.sip import SipNode
from ansam.rtp.packet import RtpPacket, build, parse
from ansam.sdp.description import parse as parse_sdp
from ansam.sdp.negotiation import PCMA, LocalMedia, RemoteMedia, accept, negotiate, offer
from ansam.sip.auth import AuthServer
from ansam.sip.events import CallId, Event, RegisterContact, RegisterReceived
from ansam.sip.ua import UserAgent, UserAgentConfig

E = TypeVar("E")


class SipPeer:
    """Registers whoever knows the secret, and leaves calls to the test."""

    def __init__(self, secret: str = "geheim", answer_registers: bool = True) -> None:
        auth = AuthServer("test", lambda user: secret, bytes(16))
        config = UserAgentConfig(user="05", auth=auth, authenticate=frozenset({"REGISTER"}), registrar=True)
        self.events: list[Event] = []
        self.changed = asyncio.Event()
        self.node = SipNode(UserAgent(config, random.Random(5)), self._on_event)
        self.address: tuple[str, int] = ("", 0)
        self.contact: RegisterContact | None = None
        self.flow: Any = None
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.rtp.setblocking(False)
        self.remote: RemoteMedia | None = None
        self.heard: list[RtpPacket] = []
        self.sequence = 0
        self._answer_registers = answer_registers

    async def open(self, transport: str = "udp") -> None:
        if transport == "udp":
            self.address = self.node.open_udp("127.0.0.1")
        else:
            self.address = await self.node.open_tcp("127.0.0.1")
        asyncio.get_running_loop().add_reader(self.rtp, self._hear)

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.rtp)
        self.rtp.close()
        await self.node.close()

    @property
    def media(self) -> LocalMedia:
        return LocalMedia("127.0.0.1", self.rtp.getsockname()[1], 1)

    def _on_event(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, RegisterReceived) and self._answer_registers:
            self.contact = None if event.remove_all else (event.contacts[0] if event.contacts else None)
            if self.contact is not None and self.contact.expires == 0:
                self.contact = None
            self.flow = event.flow
            bindings = () if self.contact is None else (RegisterContact(self.contact.uri, 3600),)
            self.node.do(lambda agent, now: agent.respond_register(event.request, 200, now, bindings))
        self.changed.set()

    def _hear(self) -> None:
        packet = parse(self.rtp.recv(2000))
        self.heard.append(packet)
        if self.remote is not None:
            # Lock step is enough of a clock for a test: one packet for each that comes.
            self.send(packet.payload)
        self.changed.set()

    def send(self, payload: bytes) -> None:
        assert self.remote is not None
        packet = RtpPacket(8, self.sequence & 0xFFFF, self.sequence * 160, 77, payload)
        self.sequence += 1
        self.rtp.sendto(build(packet), (self.remote.address, self.remote.port))

    def call_line(self, sdp: bytes | None = None) -> CallId:
        """Ring the registered line; the offer is ours unless given."""
        assert self.contact is not None
        target, flow = self.contact.uri, self.flow
        body = offer(self.media).serialise() if sdp is None else sdp
        return self.node.do(lambda agent, now: agent.invite(target, flow, now, from_="sip:05@test", sdp=body))

    def answer(self, call: CallId, sdp: bytes) -> None:
        agreement = negotiate(parse_sdp(sdp), self.media, (PCMA,))
        assert agreement is not None
        self.remote = agreement.remote
        self.node.do(lambda agent, now: agent.answer(call, agreement.answer.serialise(), now))

    def answered(self, sdp: bytes) -> None:
        self.remote = accept(parse_sdp(sdp), (PCMA,))

    async def event(self, kind: type[E], within: float = 10.0) -> E:
        """Wait for the next event of a kind; earlier ones are dropped."""
        async with asyncio.timeout(within):
            while True:
                while self.events:
                    event = self.events.pop(0)
                    if isinstance(event, kind):
                        return event
                self.changed.clear()
                await self.changed.wait()

    async def until(self, condition: Callable[[], bool], within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while not condition():
                self.changed.clear()
                await self.changed.wait()
