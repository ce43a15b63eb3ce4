"""Dial-up internet as it was: pppd, chat, modems, the exchange, AutoPPP at the login prompt, slirp, HTTP."""

import asyncio
from pathlib import Path

import pytest
from tests.support.ppp_calls import fetch_twice
from tests.support.ppp_guest import PACKAGES

PAGE = (b"<p>A page that many modems have fetched before.</p>\n" * 4000)[:200_000]


@pytest.mark.bench  # a minute of real time, in which other tests on the same cores would break calls
@pytest.mark.peer(*PACKAGES)
def test_two_callers_fetch_a_page_at_once(tmp_path: Path) -> None:
    assert len(PAGE) == 200_000
    times = asyncio.run(fetch_twice(tmp_path, PAGE, 120))
    log = (tmp_path / "log").read_text()
    assert log.count("/V34/LAPM/") >= 2
    # V.42bis: an incompressible page takes 50 s at 33 600 bit/s.
    assert max(times) < 45
