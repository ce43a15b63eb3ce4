"""Real UDP between network namespaces: ten minutes of each modulation over a network that is no good."""

import os
from pathlib import Path

import pytest
from tests.support.net_calls import make_calls
from tests.support.net_relay import Impairment, why_not

SECONDS = float(os.environ.get("ANSAM_NETWORK_SECONDS", "600"))
GROUPS = [  # at 300 bit/s there is no error control
    {"V.22": "+MS=V22,0", "V.22bis": "&N3"},
    {"V.32": "+MS=V32,0", "V.32bis": "+MS=V32B,0"},
    {"V.34 4800": "&N4", "V.34": "&N16"},
]
NETWORKS = {
    "1 % random": Impairment(seed=5, loss=0.01),
    "3 in a row every 10 s": Impairment(seed=6, burst=3, burst_every=10.0),
    "both, jitter, reordered, twice": Impairment(
        seed=7, loss=0.01, burst=3, burst_every=10.0, jitter=0.005, reorder=0.002, duplicate=0.002
    ),
}


@pytest.mark.bench
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_ten_minutes(network: str, group: int, tmp_path: Path) -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    calls, relayed = make_calls(GROUPS[group], SECONDS, NETWORKS[network], tmp_path)
    print(f"\n  {network}: {relayed}")
    for call in calls:
        print(f"  {call.line()}")
    assert [fault for call in calls for fault in call.faults()] == []
