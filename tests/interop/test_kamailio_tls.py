"""Kamailio (Debian kamailio, kamailio-tls-modules) between two modem lines: TLS and SRTP."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.interop.test_lines_exchange import certificate
from tests.support.exchange_live import free_port, run
from tests.support.kamailio import CONFIG, running
from tests.support.line_user import FakeUser

from ansam.call.line_url import SipLineUrl
from ansam.call.party import Tone
from ansam.dce.progress import Progress
from ansam.io.clock import FramePacer
from ansam.io.line_sip import SipLine
from ansam.sdp.negotiation import Secure
from ansam.sip.events import Address

pytestmark = pytest.mark.peer("kamailio", "kamailio-tls-modules")

TLS = """
[server:default]
method = TLSv1.2+
certificate = {certificate}
private_key = {key}
verify_certificate = no
require_certificate = no
"""


@asynccontextmanager
async def kamailio(directory: Path, plain: int = 0) -> AsyncIterator[Address]:
    """Run one; `plain` is its port without TLS."""
    port, plain = free_port(socket.SOCK_STREAM), plain or free_port(socket.SOCK_STREAM)
    files = certificate(directory, "127.0.0.1")
    (directory / "tls.cfg").write_text(TLS.format(certificate=files[0], key=files[1]))
    text = CONFIG.format(port=plain, algorithm="MD5")
    text = text.replace("auto_aliases", "enable_tls=yes\nauto_aliases")
    text = text.replace("loadmodule", f"listen=tls:127.0.0.1:{port}\nloadmodule", 1)
    tls = f'loadmodule "tls.so"\nmodparam("tls", "config", "{directory}/tls.cfg")\nmodparam("usrloc"'
    async with running(text.replace('modparam("usrloc"', tls, 1), port, directory):
        yield "127.0.0.1", port


def test_a_call_over_tls_with_srtp(tmp_path: Path) -> None:
    async def test() -> None:
        async with kamailio(tmp_path) as (host, port):
            pacer = FramePacer()
            pacer.start()
            made = []
            for number in ("07", "05"):
                url = SipLineUrl(
                    number,
                    f"secret-{number}",
                    host,
                    port,
                    "tls",
                    ca=str(tmp_path / "cert.pem"),
                    srtp=Secure.REQUIRE,
                    keepalive=1,
                )
                line, user = SipLine(url, pacer, must_register=True), FakeUser(party=Tone(1000.0, -20.0))
                await line.open(user)
                made.append((line, user))
            (caller, one), (callee, other) = made
            try:
                caller.place_call("05")
                await other.hears(("incoming", "07"))
                callee.accept_call()
                await one.hears(Progress.CONNECTED)
                await one.until(lambda: min(len(one.frames), len(other.frames)) >= 75)
                for line in (caller, callee):
                    statistics = line.statistics()
                    assert statistics is not None
                    assert statistics.packets_received >= 50
                    assert (statistics.refused, statistics.lost) == (0, 0)
                callee.end_call("over")
                await one.hears("hung up")
            finally:
                for line, _ in made:
                    await line.close()
                pacer.stop()

    run(test)
