"""What a network may bring, as one function of octets per engine; as a script, atheris drives one of them.

voip_fuzz TARGET [libFuzzer options]

Inputs are cut into messages at `CUT`. Engines that live long in service (a line's user agent, the exchange)
live over all inputs here too, with a minute between them, so that what they keep for ever shows as memory.
"""

import contextlib
import random
import sys

import numpy as np

from ansam.call.call import Call, CallMedia
from ansam.call.party import Silence
from ansam.codec.g711 import Law
from ansam.errors import RemoteProtocolError
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.exchange import Exchange
from ansam.pbx.media import RelayPorts, redirect
from ansam.pbx.registrations import Binding
from ansam.pbx.settings import ExchangeSettings, MediaMode
from ansam.rtp.redundancy import Redundancy, parse_blocks
from ansam.rtp.srtcp import SrtcpSender
from ansam.rtp.srtp import SrtpKeys, SrtpSender
from ansam.sdp.description import parse as parse_sdp
from ansam.sdp.media import PCMA, PCMU, Features, LocalMedia, Secure
from ansam.sdp.negotiation import accept, negotiate, offer
from ansam.sip.auth import Check, Credentials, Verdict
from ansam.sip.events import Flow, IncomingCall, RegisterReceived, Reinvite
from ansam.sip.message import parse_message
from ansam.sip.stream import StreamBroken, StreamReader
from ansam.sip.ua import UserAgent, UserAgentConfig

CUT = b"\0\xff\0"
OURS, PEER = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
LOCAL = LocalMedia("192.0.2.1", 4000, 77, keys=bytes(60))
KEYS = SrtpKeys("AES_CM_128_HMAC_SHA1_80", bytes(30), bytes(range(30)))
EVERYTHING = [
    Features(vbd, depth, secure, rtcp=rtcp)
    for vbd, depth, rtcp in ((True, 2, True), (False, 0, False))
    for secure in Secure
]
MOST_MESSAGES = 16


def _messages(data):
    return data.split(CUT)[:MOST_MESSAGES]


# -- signalling ----------------------------------------------------------------------------------------------


def fuzz_message(data):
    for make in (parse_message, lambda octets: StreamReader().receive(octets)):
        with contextlib.suppress(RemoteProtocolError, StreamBroken):
            make(data)
    reader = StreamReader()
    with contextlib.suppress(StreamBroken):
        for at in range(0, len(data), 7):
            reader.receive(data[at : at + 7])


class _Line:
    """A user agent as a line uses it, always registered and in a call as far as the peer lets it."""

    def __init__(self):
        self.agent = UserAgent(UserAgentConfig(user="07", max_calls=8), random.Random(1))
        self.now, self.last = 0.0, {}
        self.flow = Flow("udp", OURS, PEER)
        self.agent.register(
            "sip:07@192.0.2.2", self.flow, self.now, credentials=Credentials("07", "x"), keep_alive=25.0
        )

    def feed(self, data):
        sdp = offer(LOCAL).serialise()
        call = self.agent.invite("sip:05@192.0.2.2", self.flow, self.now, from_="sip:07@192.0.2.2", sdp=sdp)
        for message in _messages(data):
            kind = "tcp" if message[:1] == b"\1" else "udp"
            text = self._filled(message.removeprefix(b"\1"))
            self.agent.receive(text, Flow(kind, OURS, PEER), self.now)
            self._drain(sdp)
        self.agent.hang_up(call, self.now)
        self.pass_time(70)

    def _filled(self, message):
        """Put identities of the present call in place of letters that stand for them."""
        for letter, value in self.last.items():
            message = message.replace(letter, value)
        return message

    def _drain(self, sdp):
        for outgoing in self.agent.take_outgoing():
            with contextlib.suppress(RemoteProtocolError):
                sent = parse_message(outgoing.data)
                self.last = {
                    b"$C": sent.headers.first("Call-ID").encode("utf-8", "surrogateescape"),
                    b"$V": sent.headers.first("Via").encode("utf-8", "surrogateescape"),
                    b"$F": sent.headers.first("From").encode("utf-8", "surrogateescape"),
                    b"$T": sent.headers.first("To").encode("utf-8", "surrogateescape"),
                    b"$S": sent.headers.first("CSeq").encode("utf-8", "surrogateescape"),
                }
        for event in self.agent.take_events():
            if isinstance(event, IncomingCall):
                with contextlib.suppress(RemoteProtocolError):
                    agreement = negotiate(parse_sdp(event.sdp), LOCAL) if event.sdp else None
                    if agreement is not None or not event.sdp:
                        self.agent.answer(event.call, sdp, self.now)
                        continue
                self.agent.reject(event.call, 488, self.now)
            elif isinstance(event, Reinvite):
                self.agent.accept_reinvite(event.call, sdp, self.now)
            elif isinstance(event, RegisterReceived):
                self.agent.respond_register(event.request, 200, self.now, event.contacts)

    def pass_time(self, seconds):
        end = self.now + seconds
        for _ in range(3000):
            due = self.agent.deadline()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.agent.handle_timer(self.now)
            self._drain(offer(LOCAL).serialise())
        else:
            raise AssertionError("timers without an end")
        self.now = end


class _Relay:
    """Ports without sockets."""

    def open(self, caller_sees, callee_sees):
        return RelayPorts((caller_sees, 20000), (callee_sees, 20002))

    def move(self, ports, callee_sees):
        return RelayPorts(ports.caller, (callee_sees, 20004))

    def aim(self, ports, side, target):
        assert 0 <= target[1] < 65536

    def close(self, ports):
        pass


class _Switch(_Line):
    """The exchange; whoever begins with an even octet has proved that he is extension 07."""

    def __init__(self):
        settings = ExchangeSettings(media=MediaMode.RELAY, ring_seconds=5.0, messages_per_second=0)
        plan = DialPlan([Extension(number, "x") for number in ("05", "07")])
        self.agent = Exchange(settings, plan, random.Random(1), bytes(32), _Relay())
        self.auth = self.agent._ua._config.auth
        self.check = self.auth.check
        self.now, self.last = 0.0, {}

    def feed(self, data):
        proved = bool(data) and data[0] % 2 == 0
        self.auth.check = (
            (lambda request, now, source="": Check(Verdict.ACCEPTED, "07")) if proved else self.check
        )
        place = Binding("05", "sip:05@192.0.2.3:5060", Flow("udp", OURS, PEER), self.now + 3000)
        self.agent.registrations.restore([place], self.now)
        for number, message in enumerate(_messages(data[1:])):
            kind = "tcp" if message[:1] == b"\1" else "udp"
            remote = ("192.0.2.2", 5060 + number % 3)
            self.agent.receive(self._filled(message.removeprefix(b"\1")), Flow(kind, OURS, remote), self.now)
            self._drain(b"")
        self.pass_time(70)
        for number in ("05", "07"):
            self.agent.registrations.forget(number, self.now)
        self.pass_time(0)
        assert self.agent.calls_up <= 20


_alive = {}


def _feed(kind, data):
    if kind not in _alive:
        _alive[kind] = kind()
    _alive[kind].feed(data)


def fuzz_line(data):
    _feed(_Line, data)


def fuzz_exchange(data):
    _feed(_Switch, data)


def fuzz_sdp(data):
    redirect(data, ("192.0.2.9", 20000))
    try:
        description = parse_sdp(data)
    except RemoteProtocolError:
        return
    for features in EVERYTHING:
        agreement = negotiate(description, LOCAL, (PCMA, PCMU), features)
        if agreement is not None:
            parse_sdp(agreement.answer.serialise())
            CallMedia.agreed(agreement.remote, answered=True)
        remote = accept(description, (PCMA, PCMU), features, LOCAL)
        if remote is not None:
            CallMedia.agreed(remote, answered=False)


# -- media ---------------------------------------------------------------------------------------------------


def _frames(data):
    """Cut octets into datagrams: a length, then as many octets; a long one is filled up to a frame."""
    position = 0
    while position < len(data):
        length = data[position]
        chunk = data[position + 1 : position + 1 + length % 64]
        yield chunk + bytes(160) if length & 64 else chunk
        position += 1 + length % 64


def fuzz_call(data):
    """RTP, RTCP and their secure forms through a call, with the right keys half of the time."""
    flags = data[0] if data else 0
    keys = KEYS if flags & 1 else None
    redundancy = Redundancy(2, 121, 121) if flags & 2 else None
    far, control = ("192.0.2.2", 4000), ("192.0.2.2", 4001)
    media = CallMedia(far, Law.ALAW, 8, 8, frozenset({96}), redundancy, keys, control)
    call = Call(media, Silence(), random.Random(1))
    rtp, rtcp = SrtpSender(KEYS.suite, KEYS.remote), SrtcpSender(KEYS.suite, KEYS.remote)
    for datagram in list(_frames(data[1:]))[:40]:
        to_control = bool(datagram[:1]) and datagram[0] & 8
        head = datagram[1:]
        if flags & 4 and len(head) >= 12:
            # Most headers are nearly right, or nothing would get any further.
            head = bytes((0x80 | head[0] & 0x3F,)) + head[1:]
            if to_control:
                head = bytes((head[0], 200 + head[1] % 4)) + head[2:]
            elif flags & 8:
                head = bytes((0x80, (8, 96, 121, 13)[head[1] % 4])) + head[2:8] + bytes(4) + head[12:]
        if keys is not None and flags & 16 and len(head) >= 12:
            with contextlib.suppress(RemoteProtocolError):
                head = rtcp.protect(head) if to_control else rtp.protect(head)
        if to_control:
            call.control.receive(head, control, float(call.now) + 3.5)
        else:
            call.receive(head, far if flags & 32 else ("198.51.100.1", len(head)), float(call.now) + 1.5)
        call.tick()
        call.control.due(call.now)
    assert np.isfinite(call.drift.frame_seconds())
    call.statistics()
    call.control.bye(call.now)


def fuzz_redundancy(data):
    with contextlib.suppress(RemoteProtocolError):
        blocks = parse_blocks(data)
        assert sum(len(block.payload) for block in blocks) <= len(data)


TARGETS = {
    "message": fuzz_message,
    "line": fuzz_line,
    "exchange": fuzz_exchange,
    "sdp": fuzz_sdp,
    "call": fuzz_call,
    "redundancy": fuzz_redundancy,
}


# -- where inputs come from ----------------------------------------------------------------------------------

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 0 96 121\r\na=rtpmap:96 PCMA/8000\r\na=gpmd:96 vbd=yes\r\n"
    b"a=rtpmap:121 red/8000\r\na=fmtp:121 96/96\r\na=ptime:20\r\na=rtcp:4003 IN IP4 192.0.2.2\r\n"
    b"a=rtcp-mux\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\na=sendrecv\r\n"
    b"m=image 4002 udptl t38\r\n"
)
HEAD = (
    b'Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%d;rport\r\nFrom: "A" <sip:05@192.0.2.2>;tag=a\r\n'
    b"To: <sip:07@192.0.2.1>\r\nCall-ID: abc%d\r\nMax-Forwards: 70\r\nContact: <sip:05@192.0.2.2:5060>\r\n"
)
REPLY = b"Via: $V\r\nFrom: $F\r\nTo: $T;tag=b\r\nCall-ID: $C\r\nCSeq: $S\r\nContact: <sip:05@192.0.2.2>\r\n"
INSIDE = (
    b"Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK9%d\r\nFrom: $T\r\nTo: $F\r\nCall-ID: $C\r\n"
    b"Max-Forwards: 70\r\nContact: <sip:05@192.0.2.2>\r\n"
)


def corpus():
    """Return messages that peers really send, with room for identities."""
    found = []
    body = b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(SDP) + SDP
    none = b"Content-Length: 0\r\n\r\n"
    to_the_other = b"INVITE sip:05@192.0.2.1 SIP/2.0\r\n"
    found.append(to_the_other + HEAD % (40, 40) + b"CSeq: 1 INVITE\r\n" + body)
    for number, method in enumerate(
        (b"INVITE", b"REGISTER", b"OPTIONS", b"ACK", b"BYE", b"CANCEL", b"MESSAGE")
    ):
        start = method + b" sip:07@192.0.2.1 SIP/2.0\r\n"
        cseq = b"CSeq: 1 " + method + b"\r\n"
        found.append(start + HEAD % (number, number) + cseq + (body if method == b"INVITE" else none))
    extra = (
        b"Require: 100rel\r\n",
        b"Session-Expires: 90;refresher=uac\r\nSupported: timer\r\n",
        b"Expires: 60\r\n",
    )
    start = b"INVITE sip:07@192.0.2.1 SIP/2.0\r\n"
    found += [
        start + HEAD % (50 + k, 50 + k) + b"CSeq: 1 INVITE\r\n" + more + body for k, more in enumerate(extra)
    ]
    for status in (100, 180, 183, 200, 302, 401, 407, 408, 421, 422, 423, 481, 486, 491, 500, 600):
        start = b"SIP/2.0 %d X\r\n" % status
        more = b""
        if status in (401, 407):
            name = b"WWW" if status == 401 else b"Proxy"
            more = name + b'-Authenticate: Digest realm="x", nonce="y", qop="auth", algorithm=MD5\r\n'
        if status in (183, 180):
            more = b"Require: 100rel\r\nRSeq: 5\r\n"
        found.append(start + REPLY + more + (body if status in (183, 200) else none))
    for number, method in enumerate((b"INVITE", b"UPDATE", b"BYE", b"PRACK", b"INFO", b"ACK")):
        start = method + b" sip:07@192.0.2.1 SIP/2.0\r\n"
        cseq = b"CSeq: %d " % (number + 2) + method + b"\r\n"
        found.append(start + INSIDE % number + cseq + (body if method in (b"INVITE", b"UPDATE") else none))
    return found


WORDS = [
    *(b"\r\n", b" ", b";", b",", b"<", b">", b'"', b"\\", b"%00", b"\0", b"\xff", b"=", b":", b"@", b"-1"),
    *(b"0", b"4294967296", b"99999999999999999999", b"tag=", b"branch=z9hG4bK", b"sip:", b"sips:", b"[::1]"),
    *(b"65536", b"Content-Length: 1\r\n", b"Via: SIP/2.0/UDP x\r\n", b"Route: <sip:x;lr>\r\n"),
    *(
        b"Record-Route: <sip:y;lr>\r\n",
        b"m=audio 0 RTP/AVP 8\r\n",
        b"a=sendonly\r\n",
        b"c=IN IP4 0.0.0.0\r\n",
    ),
]


def generate(target, rng):
    """Return an input: messages of the corpus, bent here and there; or nothing but octets."""
    if target in ("call", "redundancy") or rng.random() < 0.1:
        return rng.randbytes(rng.randrange(160))
    chosen = rng.choices(corpus(), k=rng.randrange(1, 5)) if target != "sdp" else [SDP]
    out = []
    for message in chosen:
        bent = bytearray(message)
        for _ in range(rng.choice((0, 0, 1, 2, 5))):
            at = rng.randrange(len(bent) + 1)
            how = rng.randrange(4)
            if how == 0:
                bent[at:at] = rng.choice(WORDS)
            elif how == 1:
                del bent[at : at + rng.randrange(1, 30)]
            elif how == 2 and at < len(bent):
                bent[at] = rng.randrange(256)
            else:
                bent[at:at] = bent[at : at + rng.randrange(1, 60)]
        out.append((b"\1" if rng.random() < 0.1 and target != "sdp" else b"") + bytes(bent))
    head = bytes((rng.randrange(256),)) if target == "exchange" else b""
    return head + CUT.join(out)


if __name__ == "__main__":
    import atheris

    atheris.Setup(sys.argv[:1] + sys.argv[2:], TARGETS[sys.argv[1]])
    atheris.Fuzz()
