"""The provisioning server over real TCP."""

import asyncio
import urllib.error
import urllib.request

import pytest
from tests.support.exchange_live import run

from ansam.adaptor import Account, Adaptor, Provisioner
from ansam.adaptor.provisioning import REQUEST_LIMIT
from ansam.errors import ResourceError
from ansam.io.provisioning import CONNECTIONS_LIMIT, ProvisioningServer

ADAPTOR = Adaptor("000e08aaaaaa", (Account(1, "192.0.2.1", "05", "geheim"),))


async def started(allow: str = "127.0.0.0/8", **options: float) -> ProvisioningServer:
    server = ProvisioningServer("127.0.0.1", 0, Provisioner([ADAPTOR], [allow]), **options)
    await server.start()
    return server


async def said(server: ProvisioningServer, octets: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(octets)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def fetch(url: str) -> tuple[int, bytes]:
    # A test must not go through a proxy of the machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_client_fetches_its_profile() -> None:
    async def test() -> None:
        server = await started()
        url = "http://{}:{}".format(*server.address)
        status, body = await asyncio.to_thread(fetch, f"{url}/spa000e08aaaaaa.xml")
        assert status == 200
        assert b'<Preferred_Codec_1_ ua="na">G711a</Preferred_Codec_1_>' in body
        assert (await asyncio.to_thread(fetch, f"{url}/spa000e08aaaaab.xml")) == (404, b"")
        server.provisioner = Provisioner([], ["127.0.0.1"])
        assert (await asyncio.to_thread(fetch, f"{url}/spa000e08aaaaaa.xml"))[0] == 404
        await server.stop()

    run(test)


def test_bad_clients() -> None:
    async def test() -> None:
        server = await started(request_time=0.2)
        assert (await said(server, b"\r\n\r\n")).startswith(b"HTTP/1.0 400 ")
        long = await said(server, b"GET /" + b"x" * 2 * REQUEST_LIMIT + b" HTTP/1.0\r\n\r\n")
        assert long == b"" or long.startswith(b"HTTP/1.0 400 ")
        assert await said(server, b"GET /spa000e08aaaaaa.xml HTTP/1.0\r\n") == b""
        idle = [await asyncio.open_connection(*server.address) for _ in range(CONNECTIONS_LIMIT)]
        assert await said(server, b"GET / HTTP/1.0\r\n\r\n") == b""
        for reader, writer in idle:
            assert await reader.read() == b""
            writer.close()
        assert b" 404 " in await said(server, b"GET / HTTP/1.0\r\n\r\n")
        waiting = await asyncio.open_connection(*server.address)
        await server.stop()
        waiting[1].close()

    run(test)


def test_not_allowed() -> None:
    async def test() -> None:
        server = await started(allow="192.0.2.0/24")
        assert (await said(server, b"GET /spa000e08aaaaaa.xml HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.0 403 ")
        taken = ProvisioningServer(*server.address, Provisioner([], []))
        with pytest.raises(ResourceError, match=r"provisioning on 127\.0\.0\.1"):
            await taken.start()
        await server.stop()

    run(test)
