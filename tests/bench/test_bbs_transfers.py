"""Half a megabyte to and from a file server, over our modems at V.34."""

import asyncio
import time
from pathlib import Path

import pytest
from tests.support.bbs_live import over_modems
from tests.support.real_call import hurry

SIZE = 500_000

pytestmark = [pytest.mark.bench, pytest.mark.peer("lrzsz")]


@pytest.mark.parametrize("up", [False, True])
def test_half_a_megabyte_arrives_as_it_is(up: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    began = time.monotonic()
    asyncio.run(over_modems(tmp_path, up, SIZE, 900))
    print(f"\n{'up' if up else 'down'}: {SIZE} octets, {time.monotonic() - began:.0f} s of this machine")
