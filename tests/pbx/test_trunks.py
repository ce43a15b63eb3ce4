"""Trunks in virtual time: what goes out and comes in, who registers where, and who may not."""

import random
from dataclasses import replace

import pytest
from tests.support.exchange import ANSWER, EXCHANGE, OFFER, Net, Telephone, extensions

from ansam.errors import ConfigError
from ansam.pbx.dialplan import DialPlan
from ansam.pbx.patterns import Rule
from ansam.pbx.records import Cause
from ansam.pbx.settings import ExchangeSettings
from ansam.pbx.trunk_lines import TrunkState
from ansam.pbx.trunks import Trunk, only
from ansam.sip.auth import AuthServer
from ansam.sip.events import CallAnswered, CallFailed, Flow, IncomingCall, Registered, RegisterReceived
from ansam.sip.ua import UserAgent, UserAgentConfig

PROVIDER = "192.0.2.200"
PLAIN = Trunk("one", PROVIDER, 5060, user="4989", caller_id="+4989", dids=(Rule("4989X", number="05"),))
OUT = Rule("0.", strip=1, trunks=("one", "two"))


class Office:
    """An exchange with 05 and 07, and telephones that stand for the far sides of its trunks."""

    def __init__(self, *trunks: Trunk, rules: tuple[Rule, ...] = (OUT,), **settings: object) -> None:
        self.net = Net([], ExchangeSettings(**{"ring_seconds": 30, **settings}))  # type: ignore[arg-type]
        people = [replace(one, call_limit=4) for one in extensions("05", "07")]
        plan = DialPlan(people, rules=rules, trunks=trunks)
        self.new = self.net.exchange.replace_plan(plan, self.net.now)
        self.net.run(0)
        self.inside = {number: self.net.telephone(number) for number in ("05", "07")}
        for telephone in self.inside.values():
            telephone.register()
        self.net.run(1)

    def far(self, host: str = PROVIDER) -> Telephone:
        return self.net.telephone("4989", host=host)

    def found(self, name: str, *hosts: str, port: int = 5060) -> None:
        ways = tuple(Flow("udp", EXCHANGE, (host, port)) for host in hosts)
        self.net.exchange.trunk_located(name, ways, self.net.now)
        self.net.run(1)

    def state(self, name: str = "one") -> TrunkState:
        return {one.name: one.state for one in self.net.exchange.status(self.net.now).trunks}[name]


def test_a_number_goes_out_as_the_rule_makes_it() -> None:
    office = Office(PLAIN)
    far = office.far()
    office.found("one", PROVIDER)
    call = office.inside["07"].call("0123", OFFER.replace(b"AVP 8", b"AVP 18 8 101"))
    office.net.run(1)
    seen = far.last(IncomingCall)
    assert (seen.uri, seen.from_) == ("sip:123@192.0.2.200:5060", "sip:+4989@192.0.2.200:5060")
    assert b"RTP/AVP 8\r\n" in seen.sdp
    far.agent.answer(seen.call, ANSWER, office.net.now)
    office.net.run(1)
    (live,) = office.net.exchange.status(office.net.now).calls
    assert (live.call.caller, live.call.answered_by, live.call.trunk) == ("07", "123", "one")
    office.inside["07"].agent.bye(call, office.net.now)
    office.net.run(1)
    (record,) = office.net.records
    assert (record.caller, record.callee, record.answered_by, record.trunk) == ("07", "0123", "123", "one")


def test_an_extension_shows_its_own_number() -> None:
    office = Office(PLAIN)
    far = office.far()
    office.found("one", PROVIDER)
    plan = office.net.exchange.plan
    people = [replace(one, caller_id="+498907") if one.number == "07" else one for one in plan]
    office.net.exchange.replace_plan(DialPlan(people, rules=(OUT,), trunks=(PLAIN,)), office.net.now)
    office.inside["07"].call("0123")
    office.net.run(1)
    assert far.last(IncomingCall).from_ == "sip:+498907@192.0.2.200:5060"


@pytest.mark.parametrize("dialled", ["123", "0", "0;x", "0@evil", "0%0d%0a", "0" + "1" * 40])
def test_what_no_rule_sends_out_stays_in(dialled: str) -> None:
    office = Office(PLAIN)
    far = office.far()
    office.found("one", PROVIDER)
    office.inside["07"].call(dialled)
    office.net.run(1)
    assert office.inside["07"].seen(CallFailed) or not office.inside["07"].seen(CallAnswered)
    assert not far.seen(IncomingCall)


def test_a_rule_for_some_is_none_for_others() -> None:
    office = Office(PLAIN, rules=(Rule("0.", strip=1, trunks=("one",), callers=("05",)),))
    far = office.far()
    office.found("one", PROVIDER)
    office.inside["07"].call("0123")
    office.net.run(1)
    assert office.inside["07"].last(CallFailed).status == 404
    office.inside["05"].call("0123")
    office.net.run(1)
    assert far.seen(IncomingCall)


def test_a_call_comes_in_by_its_number_and_reaches_nothing_else() -> None:
    office = Office(replace(PLAIN, caller_prefix="0"))
    far = office.far()
    office.found("one", PROVIDER)
    far.call("49895", claim="0171")
    office.net.run(1)
    incoming = office.inside["05"].last(IncomingCall)
    assert incoming.from_ == "sip:00171@192.0.2.1"
    office.inside["05"].agent.answer(incoming.call, ANSWER, office.net.now)
    office.net.run(1)
    assert far.seen(CallAnswered)
    for dialled in ("05", "0123", "4989", "*43"):
        far.events.clear()
        far.call(dialled)
        office.net.run(1)
        assert far.last(CallFailed).status == 404, dialled
    assert {record.trunk for record in office.net.records} == {"one"}


def test_a_caller_cannot_pass_for_an_extension() -> None:
    office = Office(PLAIN)
    far = office.far()
    office.found("one", PROVIDER)
    far.call("49895", claim="05")  # its own number: still another end
    office.net.run(1)
    assert office.inside["05"].seen(IncomingCall)
    assert office.net.exchange.status(office.net.now).extensions[1].calls == 0


def test_strangers_prove_themselves_whatever_they_dial() -> None:
    office = Office(PLAIN)
    office.far()
    office.found("one", PROVIDER)
    stranger = office.net.telephone("4989", host="192.0.2.201")
    stranger.credentials = None  # type: ignore[assignment]
    stranger.call("49895")
    office.net.run(1)
    assert stranger.last(CallFailed).status == 401
    assert not office.inside["05"].seen(IncomingCall)


def test_nobody_passes_for_a_server_that_proves_itself_by_tls() -> None:
    office = Office(replace(PLAIN, transport="tls"))
    lines, way = office.net.exchange.trunks, Flow("tls", EXCHANGE, (PROVIDER, 5061))
    lines.located("one", (way,), office.net.now)
    assert lines.knows(way)
    assert not lines.knows(replace(way, transport="udp"))
    assert not lines.knows(replace(way, remote=(PROVIDER, 40000)))


def test_a_trunk_whose_callers_prove_themselves() -> None:
    office = Office(replace(PLAIN, user="branch", secret="secret-branch", authenticate=True))
    office.far()
    office.found("one", PROVIDER)
    wanderer = office.net.telephone("4989", "secret-branch", host="192.0.2.202")
    wanderer.credentials = replace(wanderer.credentials, username="branch")
    wanderer.call("49895")
    office.net.run(1)
    assert office.inside["05"].seen(IncomingCall)
    unproved = office.net.telephones[PROVIDER, 5060]
    unproved.credentials = None  # type: ignore[assignment]
    unproved.call("49895")
    office.net.run(1)
    assert unproved.last(CallFailed).status == 401
    wanderer.number = "branch"
    wanderer.register()
    office.net.run(1)
    assert not wanderer.seen(Registered)


def test_calls_that_offer_no_codec_of_the_trunk() -> None:
    office = Office(PLAIN)
    far = office.far()
    office.found("one", PROVIDER)
    g729 = OFFER.replace(b"AVP 8", b"AVP 18").replace(b"8 PCMA", b"18 G729")
    office.inside["07"].call("0123", g729)
    far.call("49895", g729)
    office.net.run(1)
    assert office.inside["07"].last(CallFailed).status == far.last(CallFailed).status == 488


def test_as_many_calls_as_the_trunk_may_have() -> None:
    office = Office(replace(PLAIN, calls_limit=1))
    far = office.far()
    office.found("one", PROVIDER)
    office.inside["07"].call("0123")
    office.net.run(1)
    office.inside["05"].call("0124")
    office.net.run(1)
    assert office.inside["05"].last(CallFailed).status == 503
    far.call("49895")
    office.net.run(1)
    assert far.last(CallFailed).status == 486


def test_the_next_trunk_takes_what_the_first_does_not() -> None:
    office = Office(PLAIN, replace(PLAIN, name="two", host="192.0.2.210"))
    first, second = office.far(), office.far("192.0.2.210")
    office.found("one", PROVIDER)
    office.found("two", "192.0.2.210")
    first.on_incoming = lambda call: first.agent.reject(call.call, 503, office.net.now)
    office.inside["07"].call("0123")
    office.net.run(1)
    assert second.seen(IncomingCall)
    first.on_incoming = lambda call: first.agent.reject(call.call, 486, office.net.now)
    office.inside["05"].call("0123")
    office.net.run(1)
    assert office.inside["05"].last(CallFailed).status == 486
    assert len(second.seen(IncomingCall)) == 1
    del office.net.telephones[PROVIDER, 5060]  # silent: the far end must ring within 12 s
    office.inside["05"].call("0124")
    office.net.run(11)
    assert len(second.seen(IncomingCall)) == 1
    office.net.run(2)
    assert len(second.seen(IncomingCall)) == 2


def test_a_silent_trunk_rings_no_longer_than_anybody() -> None:
    office = Office(PLAIN, replace(PLAIN, name="two", host="192.0.2.210"), ring_seconds=5)
    office.far("192.0.2.210")
    office.found("one", PROVIDER)  # nobody is there
    office.found("two", "192.0.2.210")
    office.inside["07"].call("0123")
    office.net.run(6)
    assert office.net.telephones["192.0.2.210", 5060].seen(IncomingCall)


def test_no_trunk_no_call() -> None:
    office = Office(PLAIN)
    office.inside["07"].call("0123")
    office.net.run(1)
    assert office.inside["07"].last(CallFailed).status == 503
    assert office.net.records[-1].cause is Cause.CONGESTION
    office.net.exchange.trunk_located("one", (), office.net.now, "name not found")
    (status,) = office.net.exchange.status(office.net.now).trunks
    assert (status.state, status.detail) == (TrunkState.FAILED, "name not found")


class Registrar(Telephone):
    """A provider that registers accounts by digest."""

    def __init__(self, net: Net, host: str, secret: str = "right") -> None:
        super().__init__(net, "4989", "", (host, 5060))
        auth = AuthServer("provider", lambda user: secret if user == "4989" else None, b"k" * 16)
        config = UserAgentConfig(auth=auth, registrar=True, authenticate=frozenset({"REGISTER"}))
        self.agent = UserAgent(config, random.Random(host))
        net.telephones[self.address] = self

    def confirm(self) -> list[str]:
        """Answer all REGISTERs; return their Contacts."""
        asked = self.seen(RegisterReceived)
        self.events.clear()
        for request in asked:
            self.agent.respond_register(request.request, 200, self.net.now, request.contacts)
        self.net.settle()
        return [contact.uri for request in asked for contact in request.contacts]


ACCOUNT = replace(PLAIN, register=True, secret="right")


def test_a_trunk_registers_stays_registered_and_signs_off() -> None:
    office = Office(ACCOUNT)
    registrar = Registrar(office.net, PROVIDER)
    office.found("one", PROVIDER)
    assert office.state() is TrunkState.REGISTERING
    assert registrar.confirm() == ["sip:4989@192.0.2.1:5060"]
    assert office.state() is TrunkState.READY
    office.net.run(560)
    assert registrar.confirm()
    office.net.exchange.replace_plan(DialPlan(office.net.exchange.plan), office.net.now)
    office.net.run(1)
    (last,) = registrar.seen(RegisterReceived)
    assert [contact.expires for contact in last.contacts] == [0]
    assert not office.net.exchange.status(office.net.now).trunks


def test_a_registration_that_is_refused_is_shown_and_its_trunk_not_used() -> None:
    office = Office(replace(ACCOUNT, secret="wrong"))
    Registrar(office.net, PROVIDER)
    office.found("one", PROVIDER)
    office.net.run(5)
    (status,) = office.net.exchange.status(office.net.now).trunks
    assert status.state is TrunkState.FAILED
    assert status.detail.startswith("401")
    office.inside["07"].call("0123")
    office.net.run(1)
    assert office.inside["07"].last(CallFailed).status == 503


def test_a_second_server_stands_in_for_one_that_is_silent() -> None:
    office = Office(ACCOUNT)
    second = Registrar(office.net, "192.0.2.210")
    office.found("one", PROVIDER, "192.0.2.210")
    office.net.run(40)  # 32 s are a SIP transaction
    assert second.confirm()
    assert office.state() is TrunkState.READY
    assert office.net.exchange.status(office.net.now).trunks[0].server == "udp:192.0.2.210:5060"


def test_only_the_payloads_asked_for_are_left() -> None:
    offer = (
        OFFER.replace(b"AVP 8", b"AVP 18 8 101") + b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    )
    assert only(offer, ["8"]) == OFFER
    assert only(offer, ["0"]) == b""
    assert only(b"v=0\r\n", ["8"]) == b""


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"name": "a b"}, "trunk name"),
        ({"host": ""}, "no server"),
        ({"user": "a@b"}, "user"),
        ({"register": True, "secret": ""}, "registers but has no user and secret"),
        ({"authenticate": True, "register": False, "user": ""}, "proof"),
        ({"ca": "x.pem"}, "ca and verify belong to TLS"),
    ],
)
def test_what_cannot_be_a_trunk(keys: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        replace(ACCOUNT, **keys)  # type: ignore[arg-type]
