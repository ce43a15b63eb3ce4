"""Guessing one extension's secret from many addresses."""

import hmac
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.exchange import ANSWER, EXCHANGE, Net, extensions, registered_pair

from ansam.pbx.events import ExtensionClosed, LoginRefused
from ansam.pbx.extension_guard import MAX_EXTENSIONS, MAX_PROVED, ExtensionGuard
from ansam.pbx.settings import ExchangeSettings
from ansam.sip.events import CallAnswered, Flow, Registered, RegistrationFailed


def guard(**settings: object) -> ExtensionGuard:
    return ExtensionGuard(ExchangeSettings(**settings))  # type: ignore[arg-type]


def test_many_addresses_close_an_extension_for_a_while() -> None:
    g = guard(failures_limit=4, ban_seconds=100.0)
    g.proved("05", "192.0.2.7", 0.0)
    said = [g.failed("05", f"198.51.100.{k}", 1.0) for k in range(25)]
    assert said == [False] * 19 + [True] + [False] * 5
    assert g.closed("05", "203.0.113.1", 2.0)
    assert not g.closed("05", "192.0.2.7", 2.0)
    assert not g.closed("06", "203.0.113.1", 2.0)
    assert not g.closed("05", "203.0.113.1", 102.0)
    assert g.failed("05", "198.51.100.99", 103.0)
    assert g.closed("05", "192.0.2.7", 8000.0) is False


def test_one_address_alone_closes_nothing() -> None:
    g = guard(failures_limit=4)
    assert not any(g.failed("05", "198.51.100.1", float(k)) for k in range(1000))


def test_rare_mistakes_close_nothing() -> None:
    g = guard(failures_limit=4)
    assert not any(g.failed("05", f"198.51.100.{k % 200}", 240.0 * k) for k in range(1000))


def test_off_and_trusted() -> None:
    assert not any(guard(failures_limit=0).failed("05", str(k), 0.0) for k in range(1000))
    g = guard(failures_limit=1, trusted=("192.0.2.9",))
    assert not any(g.failed("05", "192.0.2.9", 0.0) for _ in range(100))
    for k in range(10):
        g.failed("05", str(k), 0.0)
    assert not g.closed("05", "192.0.2.9", 1.0)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2), st.floats(0, 2000)), max_size=100))
def test_any_order_of_events(steps: list[tuple[int, int, float]]) -> None:
    g, now = guard(), 0.0
    for number, what, passed in steps:
        now += passed
        (g.closed, g.failed, g.proved)[what](str(number % 7), str(number), now)


def test_memory_is_bounded() -> None:
    g = guard()
    for number in range(2 * MAX_PROVED):
        g.proved("05", str(number), 0.0)
        g.failed(str(number), "x", 0.0)
        g.failed("05", str(number), 0.0)
    assert len(g._watched) == MAX_EXTENSIONS
    assert len(g._proved) == MAX_PROVED
    assert max(len(watched.addresses) for watched in g._watched.values()) <= 512


def test_a_distributed_guess_does_not_find_the_secret_and_disturbs_nobody() -> None:
    """The last guess is the right secret: it is refused like all others; who was registered goes on."""
    net, caller, callee = registered_pair()
    callee.on_incoming = lambda event: callee.agent.answer(event.call, ANSWER, net.now)
    statuses = set()
    for k in range(1, 121):
        stranger = net.telephone("05", "wrong", host=f"198.51.100.{k}")
        stranger.register()
        net.run(0.5)
        statuses.add(stranger.last(RegistrationFailed).status)
        del net.telephones[stranger.address]
    closed = [event for event in net.events if isinstance(event, ExtensionClosed)]
    assert closed == [ExtensionClosed("05", 300.0)]
    lucky = net.telephone("05", host="203.0.113.77")
    lucky.register()
    net.run(0.5)
    assert {lucky.last(RegistrationFailed).status} == statuses
    del net.telephones[lucky.address]
    assert len([event for event in net.events if isinstance(event, LoginRefused)]) == 121
    callee.events.clear()
    callee.register()
    net.run(1)
    assert callee.seen(Registered)
    caller.call("05")
    net.run(1)
    assert caller.seen(CallAnswered)
    net.run(400)
    late = net.telephone("05", host="203.0.113.78")
    late.register()
    net.run(1)
    assert late.seen(Registered)


def test_no_call_and_no_registration_before_the_secret() -> None:
    """Nothing of an unproved INVITE or REGISTER reaches the exchange's tables, whatever it claims."""
    net = Net(extensions("05", "07"))
    for method in ("INVITE", "REGISTER"):
        for proof in ("", 'Authorization: Digest username="07", realm="ansam", nonce="x", response="y"\r\n'):
            data = (
                f"{method} sip:05@192.0.2.1 SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK{len(proof)}\r\n"
                f"From: <sip:07@x>;tag=1\r\nTo: <sip:07@x>\r\nCall-ID: {method}{len(proof)}\r\n"
                f"CSeq: 1 {method}\r\nContact: <sip:07@203.0.113.9>\r\n{proof}Content-Length: 0\r\n\r\n"
            )
            net.exchange.receive(data.encode(), Flow("udp", EXCHANGE, ("203.0.113.9", 5060)), net.now)
    net.run(40)
    assert {out.data[:11] for _, out in net.sent} == {b"SIP/2.0 401"}
    assert not [event for event in net.events if not isinstance(event, LoginRefused)]
    assert net.exchange.calls_up == len(list(net.exchange.registrations)) == 0


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every response that is judged, of a known user or not, goes through `hmac.compare_digest`."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr("ansam.sip.auth.hmac", SimpleNamespace(compare_digest=compare, digest=hmac.digest))
    net = Net(extensions("05"))
    for number, secret in (("05", ""), ("05", "wrong"), ("99", "any")):
        before = compared.count((32, 32))
        net.telephone(number, secret).register()
        net.run(1)
        assert compared.count((32, 32)) > before
