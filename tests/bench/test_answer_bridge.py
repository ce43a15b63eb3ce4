"""Half a megabyte of ZMODEM each way: caller, V.34, answering side, telnet bridge, host."""

import asyncio
import time
from pathlib import Path

import pytest
from tests.support.bridged import zmodem_both_ways
from tests.support.real_call import hurry

SIZE = 500_000


@pytest.mark.bench
@pytest.mark.peer("lrzsz")
def test_half_a_megabyte_each_way_arrives_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    began = time.monotonic()
    asyncio.run(zmodem_both_ways(tmp_path, SIZE, 900))
    print(f"\n  {SIZE} octets down and up: {time.monotonic() - began:.0f} s of this machine")
