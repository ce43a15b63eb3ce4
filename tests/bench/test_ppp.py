"""How fast callers by PPP are: two at once, over V.34 at 33 600 bit/s and SIP, each with a page of 200 kB."""

import asyncio
import random
from pathlib import Path

import pytest
from tests.e2e.test_ppp_over_v34 import PAGE
from tests.support.ppp_calls import fetch_twice
from tests.support.ppp_guest import PACKAGES


@pytest.mark.bench
@pytest.mark.peer(*PACKAGES)
@pytest.mark.parametrize("kind", ["text", "random"])
def test_seconds_of_a_page(kind: str, tmp_path: Path) -> None:
    content = PAGE if kind == "text" else random.Random(1).randbytes(len(PAGE))
    times = asyncio.run(fetch_twice(tmp_path, content, 240))
    for seconds in times:
        print(f"\n{kind}: {len(content)} octets in {seconds:.1f} s, {8 * len(content) / seconds:.0f} bit/s")
    # 33 600 bit/s carry 51 s of random octets without any framing.
    assert max(times) < (30 if kind == "text" else 75)
