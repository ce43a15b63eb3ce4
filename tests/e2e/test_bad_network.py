"""Calls in real time through a network that loses, delays, reorders and duplicates."""

from pathlib import Path

import pytest
from tests.support.net_calls import make_calls
from tests.support.net_relay import Fate, Impairment, why_not

MODEMS = {"V.22bis": "&N3", "V.34": "&N16"}


@pytest.fixture(scope="module")
def namespaces() -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)


@pytest.mark.bench  # in real time: a machine that is busy with other tests loses more packets than the relay
@pytest.mark.peer("iproute2")
@pytest.mark.usefixtures("namespaces")
def test_what_is_sent_arrives(tmp_path: Path) -> None:
    """1 % loss and three packets in a row every 5 s; two calls at once, both ways at full speed."""
    bad = Impairment(
        seed=3, loss=0.01, burst=3, burst_every=5.0, jitter=0.005, reorder=0.005, duplicate=0.005
    )
    calls, relayed = make_calls(MODEMS, 16.0, bad, tmp_path)
    logs = "\n".join(log.read_text() for log in tmp_path.glob("*.log"))
    assert [fault for call in calls for fault in call.faults()] == [], logs[-8000:]
    assert relayed["lost"] > relayed["sent"] / 100
    ends = [end for call in calls for end in (call.caller, call.callee)]
    trips = [end["media"]["round_trip_ms"] for end in ends if end["media"]["round_trip_ms"] is not None]
    # The network of 20 ms each way, jitter and reading on top; two reports in a row may be lost.
    assert len(trips) >= 2
    assert 39 <= min(trips) <= max(trips) <= 60 + 2 * max(end["latest_ms"] for end in ends)
    assert min(relayed["reordered"], relayed["duplicated"]) > 0


def test_chance_of_the_relay() -> None:
    bad = Impairment(seed=1, loss=0.02, burst=3, burst_every=1.0, jitter=0.01, reorder=0.01, duplicate=0.01)
    fates = [Fate(bad, "0/0") for _ in range(2)]
    arrivals = [[fate.of(k * 0.02) for k in range(5000)] for fate in fates]
    assert arrivals[0] == arrivals[1]
    assert [Fate(bad, "0/1").of(k * 0.02) for k in range(100)] != arrivals[0][:100]
    assert 100 <= sum(not times for times in arrivals[0]) - 3 * 100 <= 160 or fates[0].lost > 300
    assert fates[0].duplicated > 20
    assert fates[0].reordered > 20
    assert sum(len(times) for times in arrivals[0]) == 5000 - fates[0].lost + fates[0].duplicated
