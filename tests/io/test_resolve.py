"""Where a line's registrar is, and what happens when its first server is dead."""

import random
import socket

import dns.asyncresolver
import dns.exception
import pytest
from tests.support.line_user import FakeUser
from tests.support.sip_peer import SipPeer

from ansam.call.line_url import SipLineUrl
from ansam.errors import ResourceError
from ansam.io.clock import FramePacer
from ansam.io.line_sip import SipLine
from ansam.io.resolve import SystemResolver, locate
from ansam.sip.events import Address, Transport
from ansam.sip.locate import SrvRecord


class Book:
    """A name service of a dictionary."""

    def __init__(self, services: dict[str, list[SrvRecord]], hosts: dict[str, list[str]]) -> None:
        self.records, self.hosts = services, hosts
        self.asked: list[str] = []

    async def addresses(self, host: str, port: int, transport: Transport) -> list[Address]:
        self.asked.append(host)
        if host not in self.hosts:
            raise OSError(host)
        return [(address, port) for address in self.hosts[host]]

    async def services(self, name: str) -> list[SrvRecord]:
        self.asked.append(name)
        return self.records.get(name, [])


BOOK = Book(
    {"_sip._udp.example.net.": [SrvRecord(1, 0, 5070, "gone."), SrvRecord(2, 0, 5080, "two.example.net.")]},
    {"two.example.net": ["192.0.2.2", "2001:db8::2", "192.0.2.3"], "example.net": ["192.0.2.9", "192.0.2.8"]},
)


@pytest.mark.parametrize(
    ("host", "transport", "srv", "expected"),
    [
        ("example.net", "udp", True, [("192.0.2.2", 5080), ("192.0.2.3", 5080)]),
        ("example.net", "tcp", True, [("192.0.2.9", 5060), ("192.0.2.8", 5060)]),
        ("example.net", "udp", False, [("192.0.2.9", 5060)]),
    ],
)
async def test_servers(host: str, transport: Transport, srv: bool, expected: list[Address]) -> None:
    found = await locate(host, 5060, transport, BOOK, random.Random(1), srv=srv, what="registrar")
    assert found == expected


async def test_an_address_asks_for_no_records_and_a_wrong_name_is_named() -> None:
    book = Book({}, {"192.0.2.1": ["192.0.2.1"]})
    await locate("192.0.2.1", 5060, "udp", book, random.Random(1), srv=True, what="proxy")
    assert book.asked == ["192.0.2.1"]
    with pytest.raises(ResourceError, match=r"proxy nowhere: name not found"):
        await locate("nowhere", 5060, "udp", book, random.Random(1), srv=True, what="proxy")


@pytest.mark.parametrize("host", ["a..b", 64 * "a" + ".example"])
async def test_a_name_that_is_none_is_not_found(host: str) -> None:
    with pytest.raises(ResourceError, match="name not found"):
        await locate(host, 5060, "udp", SystemResolver(), random.Random(1), srv=False, what="registrar")


async def test_the_system_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*args: object, **options: object) -> None:
        raise dns.exception.Timeout

    monkeypatch.setattr(dns.asyncresolver, "resolve", nobody)
    assert await SystemResolver().services("_sip._udp.example.net.") == []
    assert await SystemResolver().addresses("127.0.0.1", 5060, "udp") == [("127.0.0.1", 5060)]


async def test_the_second_server_is_tried_when_the_first_is_dead() -> None:
    peer = SipPeer()
    await peer.open()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        dead = closed.getsockname()
    records = [SrvRecord(1, 0, dead[1], "one."), SrvRecord(2, 0, peer.address[1], "two.")]
    book = Book({"_sip._udp.pbx.": records}, {"one": ["127.0.0.1"], "two": ["127.0.0.1"]})
    pacer = FramePacer()
    pacer.start()
    user = FakeUser()
    line = SipLine(SipLineUrl("07", "geheim", "pbx", srv=True), pacer, must_register=True, resolver=book)
    await line.open(user)
    assert user.said == [("ready", False), ("ready", True)]
    assert peer.contact is not None
    await line.close()
    await peer.close()
    pacer.stop()


async def test_all_servers_are_dead() -> None:
    ports = []
    for _ in range(2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
            closed.bind(("127.0.0.1", 0))
            ports.append(closed.getsockname()[1])
    book = Book(
        {"_sip._udp.pbx.": [SrvRecord(k, 0, port, "one.") for k, port in enumerate(ports)]},
        {"one": ["127.0.0.1"]},
    )
    pacer = FramePacer()
    line = SipLine(SipLineUrl("07", "geheim", "pbx", srv=True), pacer, must_register=True, resolver=book)
    with pytest.raises(ResourceError, match="does not respond"):
        await line.open(FakeUser())
    pacer.stop()
