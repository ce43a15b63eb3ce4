"""A caller's end of a PPP link on a bench: packets by hand, and the server's clock set by hand."""

import hashlib
from random import Random

from ansam.ppp.auth import PppUser, Verify
from ansam.ppp.frame import FrameReader, Protocol, encode_frame
from ansam.ppp.link import PppEvent, PppServer
from ansam.ppp.packet import Code, Option, Packet, decode_options, decode_packet, encode_options
from ansam.ppp.settings import PppSettings

USERS = {
    "ali": PppUser("ali", "$argon2id$of sesame"),
    "eva": PppUser("eva", "", "rosebud"),
}


class Peer:
    """A caller who does what a test says.

    Args:
        settings: Of the server.
        seed: Of the server's numbers.
    """

    def __init__(self, settings: PppSettings | None = None, seed: int = 1) -> None:
        self.now = 100.0
        self.server = PppServer(settings or PppSettings(), USERS, Random(seed), self.now)
        self.reader = FrameReader()
        self.events: list[PppEvent] = []
        self.heard: list[tuple[int, bytes]] = []
        self.listen()

    def listen(self) -> list[tuple[int, bytes]]:
        """Return the frames that the server sends now."""
        frames = self.reader.feed(self.server.take_output())
        self.events += self.server.take_events()
        self.heard += frames
        return frames

    def say(self, protocol: int, packet: Packet | bytes) -> list[tuple[int, bytes]]:
        """Send a packet; return the server's answer."""
        data = packet if isinstance(packet, bytes) else packet.encode()
        self.server.receive(encode_frame(protocol, data), self.now)
        return self.listen()

    def wait(self, seconds: float) -> list[tuple[int, bytes]]:
        """Let time pass."""
        end = self.now + seconds
        frames = self.listen()
        while (due := self.server.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.server.handle_timer(self.now)
            frames += self.listen()
        self.now = end
        return frames

    def asks(self, protocol: int, options: list[Option], identifier: int = 1) -> tuple[int, list[Option]]:
        """Send a Configure-Request; return code and options of the answer to it."""
        request = Packet(Code.CONFIGURE_REQUEST, identifier, encode_options(options))
        answers = packets(self.say(protocol, request), protocol)
        answer = next(a for a in answers if a.code in (2, 3, 4) and a.identifier == identifier)
        found = decode_options(answer.data)
        assert found is not None
        return answer.code, found

    def acks(self, protocol: int) -> list[Option]:
        """Acknowledge the server's last Configure-Request; return its options."""
        requests = [p for p in packets(self.heard, protocol) if p.code == Code.CONFIGURE_REQUEST]
        self.say(protocol, Packet(Code.CONFIGURE_ACK, requests[-1].identifier, requests[-1].data))
        found = decode_options(requests[-1].data)
        assert found is not None
        return found

    def open_lcp(self) -> None:
        """Agree on everything."""
        assert self.asks(Protocol.LCP, [(2, bytes(4)), (5, b"abcd"), (7, b""), (8, b"")])[0] == 2
        self.acks(Protocol.LCP)

    def says_password(self, user: str, password: str, identifier: int = 1) -> list[Packet]:
        """Log in by PAP; return the answer to it after the server has looked at it."""
        name, word = user.encode(), password.encode()
        data = bytes([len(name)]) + name + bytes([len(word)]) + word
        frames = self.say(Protocol.PAP, Packet(1, identifier, data))
        for event in self.events:
            if isinstance(event, Verify):
                fits = event.password_hash == "$argon2id$of sesame" and event.password == b"sesame"
                self.server.password_checked(event, fits, self.now)
        return packets(frames + self.wait(2.0), Protocol.PAP)

    def answers_challenge(self, user: str, secret: str) -> list[Packet]:
        """Log in by CHAP; return the answer."""
        challenge = [p for p in packets(self.heard, Protocol.CHAP) if p.code == 1][-1]
        value = challenge.data[1 : 1 + challenge.data[0]]
        digest = hashlib.md5(bytes([challenge.identifier]) + secret.encode() + value).digest()
        frames = self.say(
            Protocol.CHAP, Packet(2, challenge.identifier, bytes([16]) + digest + user.encode())
        )
        return packets(frames + self.wait(2.0), Protocol.CHAP)

    def open_ipcp(self) -> None:
        """Take the address that is given."""
        code, options = self.asks(Protocol.IPCP, [(3, bytes(4))])
        assert code == Code.CONFIGURE_NAK
        assert self.asks(Protocol.IPCP, options, 2)[0] == Code.CONFIGURE_ACK
        self.acks(Protocol.IPCP)


def packets(frames: list[tuple[int, bytes]], protocol: int) -> list[Packet]:
    """Return the control packets of a protocol."""
    found = [decode_packet(information) for kind, information in frames if kind == protocol]
    return [packet for packet in found if packet is not None]
