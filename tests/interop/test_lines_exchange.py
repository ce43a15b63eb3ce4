"""Two modem lines call each other through the exchange, over every transport and both versions of IP."""

import datetime
import ipaddress
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.exchange_live import EXTENSIONS, run
from tests.support.line_user import FakeUser

from ansam.call.line_url import SipLineUrl
from ansam.call.party import Tone
from ansam.config.settings import ExchangeConfig, Listen
from ansam.dce.progress import Progress
from ansam.errors import ConfigError, ResourceError
from ansam.io.clock import FramePacer
from ansam.io.exchange import ExchangeServer
from ansam.io.line_sip import SipLine
from ansam.pbx.dialplan import DialPlan
from ansam.pbx.settings import ExchangeSettings, MediaMode
from ansam.sdp.negotiation import Secure


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")


def certificate(folder: Path, *addresses: str) -> tuple[str, str]:
    """Write a certificate that vouches for itself, and its key; return their files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "exchange")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(one)) for one in addresses])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


@asynccontextmanager
async def served(
    folder: Path, transport: str, host: str, relay: bool = False
) -> AsyncIterator[ExchangeServer]:
    files = certificate(folder, host)
    mode = MediaMode.RELAY if relay else MediaMode.DIRECT
    listen = (Listen(transport, host, 0),)  # type: ignore[arg-type]
    config = ExchangeConfig(ExchangeSettings(media=mode), listen, "sqlite://", (20000, 29999), *files)
    server = ExchangeServer(config, DialPlan(EXTENSIONS), random.Random(7))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def lines(
    server: ExchangeServer, transport: str, **url: Any
) -> AsyncIterator[list[tuple[SipLine, FakeUser]]]:
    pacer = FramePacer()
    pacer.start()
    made: list[tuple[SipLine, FakeUser]] = []
    try:
        for number in ("07", "05"):
            address = SipLineUrl(number, f"secret-{number}", *server.address(transport), transport, **url)  # type: ignore[arg-type]
            line, user = SipLine(address, pacer, must_register=True), FakeUser(party=Tone(1000.0, -20.0))
            await line.open(user)
            made.append((line, user))
        yield made
    finally:
        for line, _ in made:
            await line.close()
        pacer.stop()


@pytest.mark.parametrize(
    ("transport", "host", "relay", "secure"),
    [
        ("udp", "127.0.0.1", False, Secure.NO),
        pytest.param("udp", "::1", False, Secure.NO, marks=needs_ipv6),
        pytest.param("tcp", "::1", True, Secure.NO, marks=needs_ipv6),
        ("tls", "127.0.0.1", False, Secure.REQUIRE),
        pytest.param("tls", "::1", True, Secure.REQUIRE, marks=needs_ipv6),
    ],
)
def test_a_call(
    tmp_path: Path,
    transport: str,
    host: str,
    relay: bool,
    secure: Secure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ansam.rtp.control.INTERVAL", 800)

    async def test() -> None:
        async with (
            served(tmp_path, transport, host, relay) as server,
            lines(server, transport, srtp=secure, ca=str(tmp_path / "cert.pem")) as both,
        ):
            (caller, one), (callee, other) = both
            caller.place_call("05")
            await other.hears(("incoming", "07"))
            callee.accept_call()
            await one.hears(Progress.CONNECTED)
            await one.until(lambda: min(len(one.frames), len(other.frames)) >= 40)
            for line in (caller, callee):
                assert line._paced is not None
                assert (line._paced.call.media.srtp is not None) == (secure is Secure.REQUIRE)
                statistics = line.statistics()
                assert statistics is not None
                assert statistics.packets_received >= 25
                assert (statistics.refused, statistics.lost) == (0, 0)
                assert statistics.round_trip_ms is not None
                assert statistics.round_trip_ms < 40
                assert statistics.far_lost == 0
            callee.end_call("over")
            await one.hears("hung up")

    run(test)


@pytest.mark.parametrize("verify", [True, False])
def test_a_certificate_nobody_vouches_for(tmp_path: Path, verify: bool) -> None:
    async def test() -> None:
        async with served(tmp_path, "tls", "127.0.0.1") as server:
            if verify:
                with pytest.raises(ResourceError, match=r"no TLS connection: certificate: self.signed.*;ca="):
                    async with lines(server, "tls"):
                        pass
            else:
                async with lines(server, "tls", verify=False) as both:
                    assert all(("ready", True) in user.said for _, user in both)

    run(test)


def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    async def test() -> None:
        async with served(tmp_path, "tls", "127.0.0.1") as server:
            (tmp_path / "other").mkdir()
            certificate(tmp_path / "other", "192.0.2.1")
            server._config = replace(
                server._config,
                certificate=str(tmp_path / "other/cert.pem"),
                private_key=str(tmp_path / "other/key.pem"),
            )
            assert server._node is not None
            address = await server._node.open_tls("127.0.0.1", 0, server._tls_context())
            line = SipLine(
                SipLineUrl("07", "secret-07", *address, "tls", ca=str(tmp_path / "other/cert.pem")),
                FramePacer(),
                must_register=True,
            )
            with pytest.raises(ResourceError, match=r"certificate: .*'?127.0.0.1'?.*;verify=off"):
                await line.open(FakeUser())

    run(test)


def test_files_that_are_no_certificate(tmp_path: Path) -> None:
    async def test() -> None:
        config = ExchangeConfig(
            ExchangeSettings(),
            (Listen("tls", "127.0.0.1", 0),),
            "sqlite://",
            certificate="/none",
            private_key="/none",
        )
        with pytest.raises(ConfigError, match="certificate for TLS: No such file"):
            await ExchangeServer(config, DialPlan(EXTENSIONS)).start()
        url = SipLineUrl("07", "x", "127.0.0.1", 5061, "tls", ca="/none")
        with pytest.raises(ConfigError, match="certificates /none: No such file"):
            await SipLine(url, FramePacer()).open(FakeUser())

    run(test)


def test_an_outbound_proxy_gets_everything(tmp_path: Path) -> None:
    async def test() -> None:
        async with served(tmp_path, "udp", "127.0.0.1") as server:
            pacer = FramePacer()
            pacer.start()
            user = FakeUser()
            url = SipLineUrl("07", "secret-07", "exchange.invalid", proxy=server.address("udp"))
            line = SipLine(url, pacer, must_register=True)
            await line.open(user)
            line.place_call("06")
            await user.hears(Progress.NO_ANSWER)
            await line.close()
            pacer.stop()

    run(test)
