"""A SIP line against a scripted far end, over real UDP (and TCP) on loopback."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from tests.support.line_user import FakeUser
from tests.support.sip_peer import SipPeer

from ansam.call.line_url import SipLineUrl
from ansam.dce.progress import Progress
from ansam.errors import ConfigError, ResourceError
from ansam.io.clock import FramePacer
from ansam.io.line_sip import SipLine
from ansam.io.rtp_socket import RtpPorts
from ansam.rtp.control import Control
from ansam.rtp.redundancy import Redundancy
from ansam.rtp.rtcp import Report, ReportBlock
from ansam.rtp.rtcp import parse as parse_rtcp
from ansam.rtp.session import RtpSession
from ansam.sdp.description import parse
from ansam.sdp.negotiation import PCMU, Features, accept, negotiate, offer
from ansam.sip.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallProgress,
    Cancelled,
    Flow,
    IncomingCall,
    ReinviteAnswered,
    ReinviteFailed,
)

T38 = (
    b"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=image 4000 udptl t38\r\na=T38FaxVersion:0\r\n"
)


class Rig:
    """Line, user and peer."""

    def __init__(self, line: SipLine, user: FakeUser, peer: SipPeer) -> None:
        self.line, self.user, self.peer = line, user, peer


@asynccontextmanager
async def rig(busy: bool = False, transport: str = "udp", **url: object) -> AsyncIterator[Rig]:
    peer = SipPeer()
    await peer.open(transport)
    pacer = FramePacer()
    pacer.start()
    address = SipLineUrl("07", "geheim", *peer.address, transport=transport, **url)  # type: ignore[arg-type]
    line = SipLine(address, pacer, must_register=True, rng=random.Random(3))
    user = FakeUser(busy)
    try:
        await line.open(user)
        yield Rig(line, user, peer)
    finally:
        await line.close()
        await peer.close()
        pacer.stop()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_outgoing_call_from_dialling_to_far_hang_up(transport: str) -> None:
    async with rig(transport=transport) as r:
        assert r.user.said[-1] == ("ready", True)
        r.line.place_call("05")
        call = await r.peer.event(IncomingCall)
        assert call.uri.startswith("sip:05@127.0.0.1")
        assert b"PCMA" in call.sdp
        assert b"silenceSupp:off" in call.sdp
        r.peer.node.do(lambda agent, now: agent.ringing(call.call, now))
        await r.user.hears(Progress.RINGING)
        r.peer.answer(call.call, call.sdp)
        await r.user.hears(Progress.CONNECTED)
        await r.peer.until(lambda: len(r.peer.heard) >= 25)
        packets = r.peer.heard[:25]
        assert all(len(p.payload) == 160 and p.payload_type == 8 for p in packets)
        assert [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)] == [160] * 24
        assert r.user.frames[0][0] == 1000
        r.peer.node.do(lambda agent, now: agent.bye(call.call, now))
        await r.user.hears("hung up")
        assert r.user.said[-2:] == ["media stopped", "hung up"]
        assert r.user.noticed == ["signalling: far end hung up: BYE, without a Reason"]
        statistics = r.line.statistics()
        assert statistics is not None
        assert statistics.packets_sent >= 25
        assert statistics.lost == 0


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        (486, Progress.BUSY),
        (480, Progress.NO_ANSWER),
        (408, Progress.NO_ANSWER),
        (404, Progress.NO_SUCH_NUMBER),
        (603, Progress.BUSY),
        (403, Progress.REFUSED),
        (503, Progress.UNREACHABLE),
    ],
)
async def test_refusals_become_progress(status: int, progress: Progress) -> None:
    async with rig() as r:
        r.line.place_call("05")
        call = await r.peer.event(IncomingCall)
        r.peer.node.do(lambda agent, now: agent.reject(call.call, status, now))
        await r.user.hears(progress)
        assert r.user.noticed[-1].startswith(f"signalling: {status} ")
        assert "media started" not in r.user.said
        r.line.place_call("05")
        await r.peer.event(IncomingCall)


async def test_hang_up_before_the_answer_cancels() -> None:
    async with rig() as r:
        r.line.place_call("05")
        call = await r.peer.event(IncomingCall)
        r.peer.node.do(lambda agent, now: agent.ringing(call.call, now))
        await r.user.hears(Progress.RINGING)
        r.line.end_call("keypress")
        await r.peer.event(Cancelled)


async def test_a_second_call_at_once_is_refused() -> None:
    async with rig() as r:
        r.line.place_call("05")
        r.line.place_call("06")
        assert Progress.REFUSED in r.user.said


async def test_incoming_call_rings_is_answered_and_hung_up_by_us() -> None:
    async with rig() as r:
        identity = r.peer.call_line()
        assert (await r.peer.event(CallProgress)).status == 180
        assert ("incoming", "05") in r.user.said
        r.line.accept_call()
        answered = await r.peer.event(CallAnswered)
        r.peer.answered(answered.sdp)
        await r.peer.until(lambda: len(r.peer.heard) >= 10)
        assert r.line.statistics() is not None
        second = r.peer.call_line()
        failed = await r.peer.event(CallFailed)
        assert (failed.call, failed.status) == (second, 486)
        r.line.end_call("ATH")
        ended = await r.peer.event(CallEnded)
        assert (ended.call, ended.by_us) == (identity, False)
        assert r.user.said[-1] == "media stopped"


async def test_caller_gives_up() -> None:
    async with rig() as r:
        identity = r.peer.call_line()
        await r.peer.event(CallProgress)
        r.peer.node.do(lambda agent, now: agent.cancel(identity, now))
        await r.user.hears("incoming stopped")
        r.line.accept_call()
        assert Progress.CONNECTED not in r.user.said


async def test_busy_modem_is_486() -> None:
    async with rig(busy=True) as r:
        r.peer.call_line()
        assert (await r.peer.event(CallFailed)).status == 486


async def test_only_the_registrar_may_call_where_the_url_says_so() -> None:
    stranger = SipPeer()
    async with rig(callers="registrar") as r:
        stranger.contact = r.peer.contact
        local = stranger.node.open_udp("127.0.0.2")
        stranger.flow = Flow("udp", local, r.line.signalling)
        stranger.call_line()
        assert (await stranger.event(CallFailed)).status == 403
        assert ("incoming", "05") not in r.user.said
        r.peer.call_line()
        await r.user.hears(("incoming", "05"))
    await stranger.node.close()
    stranger.rtp.close()


@pytest.mark.parametrize("sdp", [T38, b"nonsense"])
async def test_offer_that_can_not_carry_a_modem_is_488(sdp: bytes) -> None:
    async with rig() as r:
        r.peer.call_line(sdp)
        assert (await r.peer.event(CallFailed)).status == 488
        assert not [s for s in r.user.said if s == ("incoming", "05")]


async def test_reinvites_to_t38_or_another_codec_are_488_and_the_call_goes_on() -> None:
    async with rig() as r:
        identity = r.peer.call_line()
        await r.user.hears(("incoming", "05"))
        r.line.accept_call()
        r.peer.answered((await r.peer.event(CallAnswered)).sdp)
        await r.peer.until(lambda: len(r.peer.heard) >= 5)
        other = offer(r.peer.media.next_version(), (PCMU,)).serialise()
        for sdp in (T38, other):
            r.peer.node.do(lambda agent, now, sdp=sdp: agent.reinvite(identity, sdp, now))
            assert (await r.peer.event(ReinviteFailed)).status == 488
        assert r.user.noticed == [
            "signalling: the far end asked for T.38 fax instead of audio (refused)",
            "signalling: the far end asked for audio of PCMU (refused)",
        ]
        before = len(r.peer.heard)
        await r.peer.until(lambda: len(r.peer.heard) >= before + 10)
        sequence = [p.sequence for p in r.peer.heard]
        assert all((b - a) & 0xFFFF == 1 for a, b in pairwise(sequence))
        same = offer(r.peer.media.next_version().next_version()).serialise()
        r.peer.node.do(lambda agent, now: agent.reinvite(identity, same, now))
        await r.peer.event(ReinviteAnswered)
        before = len(r.peer.heard)
        await r.peer.until(lambda: len(r.peer.heard) >= before + 5)


async def test_incoming_call_without_offer() -> None:
    async with rig() as r:
        r.peer.call_line(b"")
        await r.user.hears(("incoming", "05"))
        r.line.accept_call()
        answered = await r.peer.event(CallAnswered)
        assert b"PCMA" in answered.sdp


async def test_silent_far_end_is_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.rtp_socket.SILENT_FRAMES", 10)
    async with rig() as r:
        r.peer.call_line()
        await r.user.hears(("incoming", "05"))
        r.line.accept_call()
        await r.user.hears("hung up")
        await r.peer.event(CallEnded)


async def test_a_call_whose_audio_fails_is_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig() as r:
        monkeypatch.setattr(r.user.party, "process", lambda *_: 1 / 0)
        r.peer.call_line()
        await r.user.hears(("incoming", "05"))
        r.line.accept_call()
        await r.user.hears("hung up")
        await r.peer.event(CallEnded)
        assert r.user.noticed[-1] == "media: an error of ours ended the audio; the log has it: hanging up"


async def test_close_hangs_up_and_unregisters() -> None:
    peer = SipPeer()
    await peer.open()
    pacer = FramePacer()
    pacer.start()
    line = SipLine(SipLineUrl("07", "geheim", *peer.address), pacer, must_register=True)
    user = FakeUser()
    await line.open(user)
    assert peer.contact is not None
    peer.call_line()
    await user.hears(("incoming", "05"))
    line.accept_call()
    await peer.event(CallAnswered)
    await line.close()
    assert peer.contact is None
    assert [e for e in peer.events if isinstance(e, CallEnded)]
    await peer.close()
    pacer.stop()


async def test_wrong_secret_names_the_extension() -> None:
    peer = SipPeer("other")
    await peer.open()
    pacer = FramePacer()
    line = SipLine(SipLineUrl("07", "geheim", *peer.address), pacer, must_register=True)
    with pytest.raises(ConfigError, match=r"refuses extension 07: 40[13].*check USER and SECRET"):
        await line.open(FakeUser())
    await peer.close()
    pacer.stop()


async def test_dead_registrar_is_known_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        address = closed.getsockname()
    pacer = FramePacer()
    line = SipLine(SipLineUrl("07", "geheim", *address), pacer, must_register=True)
    with pytest.raises(ResourceError, match=f"registrar 127.0.0.1:{address[1]} does not respond"):
        async with asyncio.timeout(3):
            await line.open(FakeUser())
    pacer.stop()


async def test_dead_registrar_is_tried_again_in_the_background() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        address = closed.getsockname()
    pacer = FramePacer()
    user = FakeUser()
    line = SipLine(SipLineUrl("07", "geheim", *address), pacer)
    await line.open(user)
    assert user.said == [("ready", False)]
    await line.close()
    pacer.stop()


@pytest.mark.parametrize("mux", [False, True])
async def test_reports(mux: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The far end says where it takes reports: on a port of its own, or on that of the packets."""
    monkeypatch.setattr("ansam.rtp.control.INTERVAL", 1600)
    far = RtpSession(("127.0.0.1", 1), 8, 0xD5, random.Random(1))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        async with rig() as r:
            taken = r.peer.rtp if mux else own
            asyncio.get_running_loop().remove_reader(r.peer.rtp)
            said = offer(r.peer.media).serialise()
            r.peer.call_line(said + (b"a=rtcp-mux\r\n" if mux else b"a=rtcp:%d\r\n" % own.getsockname()[1]))
            await r.user.hears(("incoming", "05"))
            r.line.accept_call()
            answered = await r.peer.event(CallAnswered)
            assert (b"a=rtcp-mux" in answered.sdp) == mux
            remote = accept(parse(answered.sdp))
            assert remote is not None
            control = Control(far, ("127.0.0.1", 1), random.Random(1))
            reports: list[Report] = []
            for k in range(80):
                await r.user.until(lambda k=k: len(r.user.frames) > k)
                r.peer.rtp.sendto(far.send(bytes(160), k * 160), (remote.address, remote.port))
                if k % 10 == 9:
                    packet = control._protected(Report(far.ssrc, None, (ReportBlock(7, 128, 9),), "x"))
                    taken.sendto(packet, (remote.address, remote.port + (not mux)))
                    taken.sendto(b"\x81\xc8junk", (remote.address, remote.port + (not mux)))
                reports += reports_waiting(taken)
            assert r.line._paced is not None
            assert r.line._paced.call.control is not None
            counters = r.line._paced.call.control.counters
            # The last of them may still wait to be read.
            await r.user.until(lambda: counters.packets + counters.malformed == 16)
            assert (counters.packets, counters.malformed) == (8, 8)
            r.line.end_call("over")
            await r.peer.event(CallEnded)
            reports += reports_waiting(taken)
    assert 3 <= len(reports) <= 17
    assert reports[-1].bye
    assert not any(report.bye for report in reports[:-1])
    assert reports[-1].blocks[0].ssrc == far.ssrc


def reports_waiting(sock: socket.socket) -> list[Report]:
    """Read what waits; return the reports among it."""
    sock.setblocking(False)
    found = []
    while True:
        try:
            data = sock.recv(2000)
        except BlockingIOError:
            return found
        if data[1] in (200, 201):
            found.append(parse_rtcp(data))


async def test_no_reports_where_the_url_says_so() -> None:
    async with rig(rtcp=False) as r:
        r.peer.call_line()
        await r.user.hears(("incoming", "05"))
        r.line.accept_call()
        await r.user.hears(Progress.CONNECTED)
        assert r.line._paced is not None
        assert r.line._paced.call.control is None
        statistics = r.line.statistics()
        assert statistics is not None
        assert (statistics.round_trip_ms, statistics.far_lost) == (None, None)


def test_pairs_of_ports() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        low = probe.getsockname()[1] // 2 * 2
    ports = RtpPorts(low, low + 2)
    full, half = ports.open_pair("127.0.0.1"), ports.open_pair("127.0.0.1")
    anywhere = RtpPorts().open_pair("127.0.0.1")
    assert full.control is not None
    assert (full.rtp.getsockname()[1], full.control.getsockname()[1]) == (low, low + 1)
    assert half.control is None
    assert anywhere.control is not None
    assert anywhere.rtp.getsockname()[1] % 2 == 0
    for pair in (full, half, anywhere):
        pair.close()


def test_rtp_ports_of_a_range() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        low = probe.getsockname()[1] // 2 * 2
    ports = RtpPorts(low, low + 3)
    taken = [ports.open("127.0.0.1") for _ in range(2)]
    assert sorted(s.getsockname()[1] for s in taken) == [low, low + 2]
    with pytest.raises(ResourceError, match="no free RTP port"):
        ports.open("127.0.0.1")
    for sock in taken:
        sock.close()
    with pytest.raises(ConfigError, match="is empty"):
        RtpPorts(5001, 5001)


async def test_voice_band_data_and_redundancy_are_agreed_on_and_mend_losses() -> None:
    """The far end drops every fifth of its packets; the line hears all of them."""
    features = Features(vbd=True, redundancy=1)
    async with rig(red=1) as r:
        r.line.place_call("05")
        call = await r.peer.event(IncomingCall)
        agreement = negotiate(parse(call.sdp), r.peer.media, features=features)
        assert agreement is not None
        far = RtpSession(
            (agreement.remote.address, agreement.remote.port),
            96,
            0xD5,
            random.Random(1),
            redundancy=Redundancy(1, 121, 121),
        )
        answer = agreement.answer.serialise()
        r.peer.node.do(lambda agent, now: agent.answer(call.call, answer, now))
        await r.user.hears(Progress.CONNECTED)
        for k in range(60):
            await r.peer.until(lambda k=k: len(r.peer.heard) > k)
            packet = far.send(bytes(160), k * 160)
            if k % 5 != 4:
                r.peer.rtp.sendto(packet, far.remote)
        statistics = r.line.statistics()
        assert statistics is not None
        assert {p.payload_type for p in r.peer.heard} == {121}
        assert statistics.lost >= 8
        assert statistics.recovered >= statistics.lost - 2
        assert statistics.refused == 0
