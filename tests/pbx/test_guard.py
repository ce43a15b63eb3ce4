"""Who is listened to, and that others do not notice: in virtual time."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.exchange import ANSWER, EXCHANGE, Net, extensions, registered_pair

from ansam.errors import ConfigError
from ansam.pbx.events import LoginRefused, SourceBanned
from ansam.pbx.guard import MAX_PROVED, MAX_SOURCES, Guard
from ansam.pbx.settings import ExchangeSettings
from ansam.sip.events import Address, CallAnswered, CallEnded, CallFailed, Flow, IncomingCall, Outgoing

HERE = ("203.0.113.9", 5060)
THERE = ("203.0.113.9", 5061)


def guard(**settings: object) -> Guard:
    return Guard(ExchangeSettings(**settings))  # type: ignore[arg-type]


def test_wrong_secrets_ban_for_a_while() -> None:
    g = guard(failures_limit=5, ban_seconds=100.0)
    assert [g.failed(HERE, 0.0) for _ in range(5)] == [False] * 4 + [True]
    assert not g.admits(THERE, 50.0)
    assert g.admits(("203.0.113.10", 5060), 50.0)
    assert g.admits(HERE, 100.0)
    assert g.refused == 1


def test_rare_mistakes_never_ban() -> None:
    g = guard(failures_limit=5)
    assert not any(g.failed(HERE, 15.0 * k) for k in range(1000))


def test_a_flow_that_proved_itself_does_not_suffer_from_its_neighbour() -> None:
    g = guard(failures_limit=5, ban_seconds=100.0)
    g.proved(HERE, 0.0)
    assert any(g.failed(THERE, 1.0) for _ in range(5))
    assert g.admits(HERE, 2.0)
    assert not g.admits(THERE, 2.0)
    # Its own guesses use the proof up: then it is one of them.
    assert not any(g.failed(HERE, 3.0) for _ in range(5))
    assert not g.admits(HERE, 4.0)


def test_a_flood_is_cut_to_what_is_allowed() -> None:
    g = guard(messages_per_second=10)
    admitted = sum(g.admits(HERE, k / 100) for k in range(1000))
    assert 135 <= admitted <= 145  # a burst of 40 and 10 each second
    assert guard(messages_per_second=0).admits(HERE, 0.0)


def test_trusted_addresses_are_exempt() -> None:
    g = guard(failures_limit=1, messages_per_second=1, trusted=(HERE[0],))
    assert not any(g.failed(HERE, 0.0) for _ in range(100))
    assert all(g.admits(HERE, 0.0) for _ in range(100))
    with pytest.raises(ConfigError, match="trusted: 'proxy' is no IP address"):
        ExchangeSettings(trusted=("proxy",))


@given(st.lists(st.tuples(st.integers(0, 20000), st.integers(0, 2), st.floats(0, 5)), max_size=200))
def test_any_order_of_events(steps: list[tuple[int, int, float]]) -> None:
    g, now = guard(), 0.0
    for number, what, passed in steps:
        now += passed
        remote = (f"10.0.{number // 250}.{number % 250}", number)
        (g.admits, g.failed, g.proved)[what](remote, now)


def test_memory_is_bounded() -> None:
    g = guard()
    for number in range(3 * MAX_PROVED):
        g.proved((str(number), 1), 0.0)
        g.failed((str(number), 2), 0.0)
    assert len(g) == MAX_SOURCES
    assert len(g._proved) == MAX_PROVED


# --- an exchange under attack ---
class Attack:
    """Guesses secrets: answers each challenge with a wrong one, as fast as it is told to."""

    def __init__(self, net: Net, spread: bool) -> None:
        self.net, self.spread = net, spread
        self.rng = random.Random(1)
        self.sent = 0
        self.nonces: list[tuple[Address, str]] = []

    def challenge(self, outgoing: Outgoing) -> None:
        text = outgoing.data.decode()
        if 'nonce="' in text:
            self.nonces.append((outgoing.flow.remote, text.split('nonce="')[1].split('"')[0]))

    def send(self) -> None:
        self.sent += 1
        host = f"198.18.{self.rng.randrange(256)}.{self.rng.randrange(256)}" if self.spread else "203.0.113.9"
        remote, proof = (host, 5060 + self.sent % 500), ""
        if self.nonces:
            remote, nonce = self.nonces.pop()
            digest = f'username="05", realm="ansam", nonce="{nonce}", uri="sip:192.0.2.1"'
            proof = f'Authorization: Digest {digest}, response="{self.sent:032x}", algorithm=MD5\r\n'
        data = (
            "REGISTER sip:192.0.2.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {remote[0]}:{remote[1]};branch=z9hG4bK{self.sent}\r\n"
            f"From: <sip:05@x>;tag=1\r\nTo: <sip:05@x>\r\nCall-ID: {self.sent}\r\nCSeq: 1 REGISTER\r\n"
            f"Contact: <sip:05@{remote[0]}>\r\n{proof}Content-Length: 0\r\n\r\n"
        )
        self.net.exchange.receive(data.encode(), Flow("udp", EXCHANGE, remote), self.net.now)
        outgoing = self.net.exchange.take_outgoing()
        for out in outgoing:
            if out.flow.remote == remote:
                self.challenge(out)
        self.net._carry(EXCHANGE, [out for out in outgoing if out.flow.remote != remote])


@pytest.mark.parametrize("spread", [False, True], ids=["one source", "forged sources"])
def test_200_failing_registrations_a_second_do_not_disturb_calls(spread: bool) -> None:
    net, caller, callee = registered_pair()
    callee.on_incoming = lambda event: callee.agent.answer(event.call, ANSWER, net.now)
    attack = Attack(net, spread)
    calls = 0
    for _ in range(12):
        call = caller.call("05")
        for _ in range(1000):
            net.run(0.005)
            attack.send()
        caller.agent.bye(call, net.now)
        net.run(0.5)
        calls += 1
    assert attack.sent == 12000
    assert len(caller.seen(CallAnswered)) == len(callee.seen(IncomingCall)) == calls
    assert len(caller.seen(CallEnded)) == calls
    assert not caller.seen(CallFailed)
    banned = [event for event in net.events if isinstance(event, SourceBanned)]
    refused = [event for event in net.events if isinstance(event, LoginRefused)]
    assert all(event.username == "05" for event in refused)
    if not spread:
        assert banned == [SourceBanned("203.0.113.9", 300.0)]
        assert 20 <= len(refused) <= 25
        assert net.exchange.guard.refused > 11000
    assert len(net.exchange.guard) <= MAX_SOURCES


def test_forged_credentials_ban_nobody() -> None:
    """Who cannot see the challenges sent to an address cannot have it banned."""
    net, caller, _ = registered_pair()
    thief = Attack(net, spread=False)
    for _ in range(200):
        thief.send()
        thief.nonces = [(caller.address, nonce) for _, nonce in thief.nonces]
    assert not [event for event in net.events if isinstance(event, SourceBanned)]
    caller.call("05")
    net.run(1)
    assert not [event for event in caller.seen(CallFailed) if event.status != 480]


def test_a_forged_invite_is_answered_by_one_datagram() -> None:
    net = Net(extensions("05"))
    data = (
        b"INVITE sip:05@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bK1\r\n"
        b"From: <sip:07@x>;tag=1\r\nTo: <sip:05@x>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    for _ in range(2):
        net.exchange.receive(data, Flow("udp", EXCHANGE, HERE), net.now)
    net.run(60)
    answers = [out.data for _, out in net.sent]
    assert [answer[:11] for answer in answers] == [b"SIP/2.0 401"] * 2
    assert net.exchange.deadline() is None


def test_a_banned_stream_is_closed() -> None:
    net = Net(extensions("05"), ExchangeSettings(failures_limit=1))
    telephone = net.telephone("05", "wrong", transport="tcp")
    telephone.register()
    net.run(1)
    net.exchange.receive(b"REG", Flow("tcp", EXCHANGE, telephone.address), net.now)
    (closed,) = net.exchange.take_outgoing()
    assert closed.close


# --- toll fraud ---
@pytest.mark.parametrize(
    "target",
    [
        "sip:+19005550100@192.0.2.1",
        "sip:05@evil.example",
        "tel:+19005550100",
        "sip:05%40evil@192.0.2.1",
        "sip:192.0.2.1",
    ],
)
def test_no_number_leads_out_of_the_dial_plan(target: str) -> None:
    net, caller, callee = registered_pair()
    net.sent.clear()
    caller.agent.invite(
        target,
        caller.flow,
        net.now,
        from_="sip:07@192.0.2.1",
        sdp=ANSWER,
        credentials=caller.credentials,
        headers=[("Route", "<sip:203.0.113.66;lr>"), ("Diversion", "<sip:05@192.0.2.1>")],
    )
    net.run(1)
    invites = [out for sender, out in net.sent if sender == EXCHANGE and out.data.startswith(b"INVITE")]
    # The host is whatever name a telephone knows the exchange by: 05 is 05, and rings at its own address.
    assert {out.flow.remote for out in invites} == ({callee.address} if "evil.example" in target else set())
    if not invites:
        assert caller.last(CallFailed).status == 404
