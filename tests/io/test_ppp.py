"""A caller on a socket, our server, and something in the place of slirp."""

import asyncio
import os
import socket
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.ppp.test_reach import packet

from ansam.errors import ResourceError
from ansam.io import ppp_slirp
from ansam.io.ppp import PppCall
from ansam.io.ppp_slirp import Slirp, own_name_server
from ansam.io.terminal_fd import Descriptor
from ansam.ppp.frame import FrameReader, Protocol, encode_frame
from ansam.ppp.link import Ended, Ending, NetworkUp, PppEvent
from ansam.ppp.packet import Code, Packet, decode_packet
from ansam.ppp.settings import PppSettings

LCP, IPCP = Protocol.LCP, Protocol.IPCP


def program(directory: Path, text: str) -> str:
    path = directory / "slirp"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


class Caller:
    """Says yes to everything."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._reader = FrameReader()
        self._frames: list[tuple[int, bytes]] = []

    async def say(self, protocol: int, data: Packet | bytes) -> None:
        information = data if isinstance(data, bytes) else data.encode()
        await asyncio.get_running_loop().sock_sendall(self._end, encode_frame(protocol, information))

    async def hear(self, protocol: int) -> bytes:
        while True:
            while self._frames:
                kind, information = self._frames.pop(0)
                if kind == protocol:
                    return information
            self._frames += self._reader.feed(await asyncio.get_running_loop().sock_recv(self._end, 4096))

    async def open(self) -> None:
        for protocol, options in ((LCP, b""), (IPCP, bytes([3, 6, 10, 0, 2, 15]))):
            request = decode_packet(await self.hear(protocol))
            assert request is not None
            await self.say(protocol, Packet(Code.CONFIGURE_ACK, request.identifier, request.data))
            await self.say(protocol, Packet(Code.CONFIGURE_REQUEST, 1, options))

    def close(self) -> None:
        self._end.close()


def called(directory: Path, text: str) -> tuple[Caller, PppCall, list[PppEvent]]:
    ours, theirs = socket.socketpair()
    events: list[PppEvent] = []
    call = PppCall(
        Descriptor(ours.detach()), PppSettings(auth=()), {}, program(directory, text), events.append
    )
    return Caller(theirs), call, events


REFLECT = "printf 'Slirp v1\\r\\nSLiRP Ready ...\\r\\n'\nexec cat"


def test_packets_go_through_slirp_and_nothing_is_left_when_the_line_goes(tmp_path: Path) -> None:
    async def run() -> None:
        descriptors = len(os.listdir("/proc/self/fd"))
        caller, call, events = called(tmp_path, REFLECT)
        task = asyncio.create_task(call.run())
        async with asyncio.timeout(10):
            await caller.open()
            sent = packet("93.184.216.34") + bytes([0xC0, 0xDB, 0x7E, 0x7D, 0x03])
            heard = asyncio.create_task(caller.hear(Protocol.IP))
            while not heard.done():  # until slirp is there, packets get lost as on any network
                await caller.say(Protocol.IP, sent)
                await asyncio.wait((heard,), timeout=0.1)
            assert heard.result() == sent
            caller.close()
            assert (await task).ending is Ending.LINE
        assert [type(event) for event in events] == [NetworkUp, Ended]
        assert len(os.listdir("/proc/self/fd")) == descriptors

    asyncio.run(run())


def test_hanging_up_is_told_to_the_caller_who_may_be_gone(tmp_path: Path) -> None:
    async def run() -> None:
        caller, call, _ = called(tmp_path, REFLECT)
        task = asyncio.create_task(call.run())
        async with asyncio.timeout(10):
            await caller.open()
            await caller.hear(IPCP)
            call.hang_up("told to stop")
            request = decode_packet(await caller.hear(LCP))
            while request is not None and request.code != Code.TERMINATE_REQUEST:
                request = decode_packet(await caller.hear(LCP))
            caller.close()
            assert (await task).ending is Ending.LINE

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("echo Error: no such thing; exit 1", "does not start: Error: no such thing"),
        ("exit 1", "does not start: it says nothing"),
        ("echo SLiRP Ready ...; exit 0", "has ended"),
    ],
)
def test_a_slirp_that_fails_ends_the_call_with_its_own_words(tmp_path: Path, text: str, why: str) -> None:
    async def run() -> None:
        # A pty in raw mode does not make CR LF of LF.
        caller, call, _ = called(tmp_path, text.replace("SLiRP Ready ...", "'SLiRP Ready ...\r'"))
        task = asyncio.create_task(call.run())
        async with asyncio.timeout(10):
            await caller.open()
            with pytest.raises(ResourceError, match=why):
                await task
        caller.close()

    asyncio.run(run())


def test_a_slirp_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="apt install slirp"):
        asyncio.run(Slirp(str(tmp_path / "slirp"), 1500, None).start())


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("search here\nnameserver ::1\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n", "192.0.2.1"),
        ("nameserver\nnameserver x\n", None),
        ("", None),
    ],
)
def test_the_machine_s_name_server(
    text: str, server: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ppp_slirp, "RESOLVER", tmp_path / "resolv.conf")
    assert own_name_server() is None
    (tmp_path / "resolv.conf").write_text(text)
    assert own_name_server() == (IPv4Address(server) if server else None)
