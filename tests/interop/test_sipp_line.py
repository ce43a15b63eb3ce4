"""A SIP line against sipp (Debian sip-tester): what gateways do within a call, seen from the RTP they get."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from tests.interop.test_sipp_ua import AUDIO, T38, recv, request
from tests.support.line_user import FakeUser
from tests.support.sip_socket import Sipp

from ansam.call.line_url import SipLineUrl
from ansam.io.clock import FramePacer
from ansam.io.line_sip import SipLine
from ansam.rtp.packet import RtpPacket, parse

pytestmark = pytest.mark.peer("sip-tester")

FRAME = 160
PAUSE = '<pause milliseconds="200"/>'
SILENT = """v=0
      o=sipp 1 3 IN IP4 127.0.0.1
      s=-
      c=IN IP4 0.0.0.0
      t=0 0
      m=audio 6000 RTP/AVP 8
"""
NSE = AUDIO.replace("RTP/AVP 8", "RTP/AVP 100").replace("8 PCMA", "100 X-NSE")
BOTH_NSE = AUDIO.replace("RTP/AVP 8", "RTP/AVP 8 100") + "      a=rtpmap:100 X-NSE/8000\n"
G729 = AUDIO.replace("RTP/AVP 8", "RTP/AVP 18").replace("8 PCMA", "18 G729")
MULAW = AUDIO.replace("RTP/AVP 8", "RTP/AVP 0").replace("8 PCMA", "0 PCMU")


@dataclass
class Capture:
    """An RTP socket and what came to it."""

    sock: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    packets: list[tuple[float, RtpPacket]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        asyncio.get_running_loop().add_reader(self.sock, self._read)

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1])

    def _read(self) -> None:
        self.packets.append((time.monotonic(), parse(self.sock.recv(2000))))

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.sock)
        self.sock.close()


def unbroken(packets: list[RtpPacket], holds: int = 0) -> None:
    """One source whose numbers never miss; its time jumps only where it was told to be quiet."""
    assert len({packet.ssrc for packet in packets}) == 1
    steps = [
        ((b.sequence - a.sequence) & 0xFFFF, b.timestamp - a.timestamp & 0xFFFFFFFF)
        for a, b in pairwise(packets)
    ]
    assert {number for number, _ in steps} == {1}
    jumps = [step for _, step in steps if step != FRAME]
    assert len(jumps) == holds
    assert all(step % FRAME == 0 for step in jumps)
    assert sum(packet.marker for packet in packets) == 1 + holds
    assert all(len(packet.payload) == FRAME and packet.payload_type == 8 for packet in packets)


@asynccontextmanager
async def line() -> AsyncIterator[tuple[SipLine, FakeUser, int]]:
    """A line whose registrar never answers; callers reach it directly."""
    pacer = FramePacer()
    pacer.start()
    user = FakeUser()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as registrar:
        registrar.bind(("127.0.0.1", 0))
        made = SipLine(SipLineUrl("05", "x", *registrar.getsockname()), pacer, rng=random.Random(1))
        await made.open(user)
        try:
            yield made, user, made.signalling[1]
        finally:
            await made.close()
            pacer.stop()


async def play(folder: Path, scenario: str, audio: Capture, answer_after: float = 0.0) -> None:
    """Let sipp call the line with a scenario; the line answers when it rings."""
    scenario = scenario.replace("6000", str(audio.port))
    async with line() as (called, user, port):
        with Sipp(folder, scenario, ("127.0.0.1", port)) as peer:
            await user.hears(("incoming", "07"))
            await asyncio.sleep(answer_after)
            called.accept_call()
            async with asyncio.timeout(20):
                while peer.running():  # noqa: ASYNC110 - a process has no event
                    await asyncio.sleep(0.02)
            peer.check()
            await user.hears("hung up")


def begin(cseq: int = 1) -> str:
    return (
        request("INVITE", cseq, AUDIO)
        + recv("100")
        + recv("180")
        + recv("200")
        + request("ACK", cseq)
        + PAUSE
    )


def asks(cseq: int, offer: str, status: int, inner: str = "") -> str:
    text = request("INVITE", cseq, offer) + recv("100") + recv(str(status), inner=inner)
    return text + request("ACK", cseq) + PAUSE


def says(expression: str) -> str:
    """Check a line of the answer."""
    return f'<action><ereg regexp="{expression}" search_in="body" check_it="true" assign_to="1"/></action>'


def test_fax_nse_and_other_codecs_are_refused_and_no_packet_is_missing(tmp_path: Path) -> None:
    async def test() -> None:
        audio = Capture()
        scenario = begin()
        for cseq, offer in enumerate((T38, NSE, G729, MULAW), 2):
            scenario += asks(cseq, offer, 488)
        scenario += asks(6, BOTH_NSE, 200, says("RTP/AVP 8[^ 0-9]"))
        scenario += asks(7, AUDIO + T38[T38.index("      m=") :], 200, says("m=image 0 "))
        scenario += request("BYE", 8) + recv("200") + '<Reference variables="1"/>'
        await play(tmp_path, scenario, audio)
        audio.close()
        unbroken([packet for _, packet in audio.packets])
        assert len(audio.packets) >= 50
        # Seven re-INVITEs in 1.4 s; a frame is late only as far as a busy machine makes it so.
        assert max(b - a for (a, _), (b, _) in pairwise(audio.packets)) < 0.2

    asyncio.run(test())


@pytest.mark.parametrize(
    ("held", "mirrored"),
    [
        (AUDIO + "      a=sendonly\n", "a=recvonly"),
        (AUDIO + "      a=inactive\n", "a=inactive"),
        (SILENT, "m=audio"),
    ],
    ids=["sendonly", "inactive", "0.0.0.0"],
)
def test_hold_and_resume(tmp_path: Path, held: str, mirrored: str) -> None:
    async def test() -> None:
        audio = Capture()
        scenario = begin() + asks(2, held, 200, says(mirrored)) + PAUSE + asks(3, AUDIO, 200)
        scenario += request("BYE", 4) + recv("200") + '<Reference variables="1"/>'
        await play(tmp_path, scenario, audio)
        audio.close()
        packets = [packet for _, packet in audio.packets]
        unbroken(packets, holds=1)
        quiet = max((b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets))
        assert quiet >= 0.3 * 8000

    asyncio.run(test())


@pytest.mark.parametrize("late", [False, True], ids=["in the offer", "in the ACK"])
def test_a_new_media_address_is_followed(tmp_path: Path, late: bool) -> None:
    async def test() -> None:
        audio, other = Capture(), Capture()
        moved = AUDIO.replace("6000", str(other.port))
        if late:
            scenario = request("INVITE", 2) + recv("100") + recv("200") + request("ACK", 2, moved) + PAUSE
        else:
            scenario = asks(2, moved, 200)
        await play(tmp_path, begin() + scenario + request("BYE", 3) + recv("200"), audio)
        audio.close()
        other.close()
        assert min(len(audio.packets), len(other.packets)) >= 5
        unbroken([packet for _, packet in audio.packets + other.packets])

    asyncio.run(test())


def test_a_session_refreshed_by_reinvites_goes_on(tmp_path: Path) -> None:
    async def test() -> None:
        audio = Capture()
        scenario = begin() + "".join(asks(cseq, AUDIO, 200) for cseq in range(2, 6))
        await play(tmp_path, scenario + request("BYE", 6) + recv("200"), audio)
        audio.close()
        unbroken([packet for _, packet in audio.packets])

    asyncio.run(test())


def test_a_session_refreshed_by_update_goes_on(tmp_path: Path) -> None:
    async def test() -> None:
        audio = Capture()
        timer = "Supported: timer\n      Session-Expires: 90;refresher=uac"
        granted = (
            '<action><ereg regexp="90;refresher=uac" search_in="hdr" header="Session-Expires:" '
            'check_it="true" assign_to="1"/></action>'
        )
        short = request("INVITE", 1, AUDIO, "Supported: timer\n      Session-Expires: 60")
        short += recv("422") + request("ACK", 1).replace("[branch]", "[branch-2]")
        scenario = short + request("INVITE", 2, AUDIO, timer).replace("[peer_tag_param]", "") + recv("100")
        scenario += recv("180") + recv("200", inner=granted) + request("ACK", 2) + PAUSE
        scenario += request("UPDATE", 3, extra=timer) + recv("200", inner=granted) + PAUSE
        scenario += request("UPDATE", 4, T38, timer) + recv("488") + PAUSE
        scenario += request("UPDATE", 5, AUDIO, timer) + recv("200", inner=says("m=audio"))
        scenario += request("BYE", 6) + recv("200") + '<Reference variables="1"/>'
        await play(tmp_path, scenario, audio)
        audio.close()
        unbroken([packet for _, packet in audio.packets])

    asyncio.run(test())


def test_a_caller_that_requires_reliable_ringing(tmp_path: Path) -> None:
    async def test() -> None:
        audio = Capture()
        number = '<action><ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" assign_to="1"/></action>'
        scenario = request("INVITE", 1, AUDIO, "Require: 100rel") + recv("100") + recv("180", inner=number)
        scenario += request("PRACK", 2, extra="RAck: [$1] 1 INVITE") + recv("200") + recv("200")
        scenario += request("ACK", 1) + PAUSE + request("BYE", 3) + recv("200")
        await play(tmp_path, scenario, audio, answer_after=0.3)
        audio.close()
        unbroken([packet for _, packet in audio.packets])

    asyncio.run(test())
