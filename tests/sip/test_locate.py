"""The order in which the servers of a domain are tried (RFC 2782)."""

import random
from collections import Counter

from ansam.sip.locate import MAX_SERVERS, SrvRecord, in_order, is_address, srv_name


def record(priority: int, weight: int, target: str) -> SrvRecord:
    return SrvRecord(priority, weight, 5060, target)


def test_names() -> None:
    assert srv_name("example.net", "udp") == "_sip._udp.example.net."
    assert srv_name("example.net.", "tcp") == "_sip._tcp.example.net."
    assert srv_name("example.net", "tls") == "_sips._tcp.example.net."
    assert is_address("192.0.2.1")
    assert is_address("2001:db8::1")
    assert not is_address("192.0.2.example")


def test_the_lowest_priority_first_whatever_the_weight() -> None:
    records = [record(20, 900, "c"), record(10, 0, "b"), record(5, 1, "a"), record(1, 9, ".")]
    for seed in range(20):
        assert [r.target for r in in_order(records, random.Random(seed))] == ["a", "b", "c"]


def test_within_a_priority_weight_decides() -> None:
    records = [record(1, 60, "a"), record(1, 30, "b"), record(1, 10, "c"), record(1, 0, "d")]
    rng = random.Random(1)
    first = Counter(in_order(records, rng)[0].target for _ in range(10_000))
    assert abs(first["a"] - 6000) < 200
    assert abs(first["b"] - 3000) < 200
    assert abs(first["c"] - 1000) < 150
    assert 30 < first["d"] < 200  # 1 of 101
    assert all(len({r.target for r in in_order(records, rng)}) == 4 for _ in range(100))


def test_nothing_and_too_much() -> None:
    assert in_order([record(0, 0, ".")], random.Random(1)) == []
    assert len(in_order([record(0, 1, str(k)) for k in range(100)], random.Random(1))) == MAX_SERVERS
