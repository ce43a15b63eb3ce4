"""The doctor against an echo test that is not ours: sipp (Debian sip-tester) with -rtp_echo."""

import asyncio
import subprocess
import time
from pathlib import Path

import pytest
from tests.support.exchange_live import free_port
from tests.support.waiting import listens

from ansam.call.line_url import parse_line
from ansam.codec.g711 import Law
from ansam.doctor import Examination, Far, Media, diagnose
from ansam.io.clock import FramePacer
from ansam.io.doctor import examine
from ansam.io.line_sip import SipLine

pytestmark = pytest.mark.peer("sip-tester")


def test_sipps_echo_is_bit_exact(tmp_path: Path) -> None:
    """sipp's own answering scenario speaks µ-law and returns each packet as it comes."""
    port, media = free_port(), free_port() & ~1
    command = ["sipp", "-sn", "uas", "-rtp_echo", "-i", "127.0.0.1", "-p", str(port), "-mp", str(media)]
    with (tmp_path / "sipp.log").open("wb") as log:
        peer = subprocess.Popen(
            [*command, "-nostdin", "-m", "1", "-timeout", "40"],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(port)
        url = parse_line(f"sip:doctor:-@127.0.0.1:{port};law=ulaw")
        examination = Examination(Law.ULAW, 2.0)
        called = asyncio.run(_call(url, examination))
    finally:
        peer.terminate()
        peer.wait(10)
    found = diagnose(examination.findings(), Law.ULAW, Media.of(called.statistics, 60.0))
    assert found.far is Far.ECHO
    assert found.item("octets").value == "bit exact", found.item("octets")
    assert found.prediction.index == 16
    assert found.item("slips").value == 0


async def _call(url, examination: Examination):
    pacer = FramePacer()
    pacer.start()
    try:
        return await examine(SipLine(url, pacer, register=False), "echo", examination)
    finally:
        pacer.stop()


def _wait_for(port: int) -> None:
    limit = time.monotonic() + 10
    while not listens(port):
        assert time.monotonic() < limit, "sipp does not listen"
        time.sleep(0.02)
