"""What modems say of a call in BYE and its answer gets into the call's record, from extensions alone."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.exchange import ANSWER, Net, Telephone, registered_pair

from ansam.call.modem_facts import FIELD, KEYS, MAX_TEXT, decode, encode
from ansam.pbx.dialplan import DialPlan
from ansam.pbx.patterns import Rule
from ansam.pbx.trunks import Trunk
from ansam.sip.events import Flow, IncomingCall
from ansam.sip.ua import UserAgent, UserAgentConfig

CALLER = {"modulation": "V.34", "rate_tx": 31200, "rate_rx": 33600, "skew_ppm": 12.5}
CALLEE = {"modulation": "V.34", "rate_tx": 33600, "rate_rx": 31200, "causes": "noise > carrier lost"}


def modem(telephone: Telephone, facts: dict[str, object]) -> None:
    """Let a telephone be a modem that says something at the end."""
    config = UserAgentConfig(user=telephone.number, parting=lambda call: [(FIELD, encode(facts))])
    telephone.agent = UserAgent(config, random.Random(telephone.number))


def modems() -> tuple[Net, Telephone, Telephone]:
    net, caller, callee = registered_pair()
    modem(caller, CALLER)
    modem(callee, CALLEE)
    return net, caller, callee


def talk(net: Net, caller: Telephone, callee: Telephone, number: str = "05") -> int:
    call = caller.call(number)
    net.run(1)
    callee.agent.answer(callee.last(IncomingCall).call, ANSWER, net.now)
    net.run(1)
    return call


@pytest.mark.parametrize("ends", ["caller", "callee", "exchange"])
def test_both_ends_are_heard(ends: str) -> None:
    net, caller, callee = modems()
    call = talk(net, caller, callee)
    if ends == "caller":
        caller.agent.bye(call, net.now)
    elif ends == "callee":
        callee.agent.bye(callee.last(IncomingCall).call, net.now)
    else:
        net.exchange.stop(net.now)
    net.run(1)
    (record,) = net.records
    assert record.caller_modem == CALLER
    assert record.callee_modem == CALLEE


def test_an_end_that_has_vanished_is_waited_for_but_not_long() -> None:
    net, caller, callee = modems()
    call = talk(net, caller, callee)
    del net.telephones[callee.address]
    caller.agent.bye(call, net.now)
    net.run(1)
    assert not net.records
    assert net.exchange.calls_up == 0
    net.run(1.5)
    (record,) = net.records
    assert (record.caller_modem, record.callee_modem) == (CALLER, {})
    assert net.now - record.ended == pytest.approx(2.5)


def test_what_waits_comes_out_at_the_end() -> None:
    net, caller, callee = modems()
    call = talk(net, caller, callee)
    del net.telephones[callee.address]
    caller.agent.bye(call, net.now)
    net.settle()
    net.exchange.finish()
    net.settle()
    assert len(net.records) == 1


def test_words_of_strangers_are_not_taken() -> None:
    net, caller, _ = modems()
    trunk = Trunk("one", "192.0.2.200", 5060)
    plan = DialPlan(net.exchange.plan, rules=(Rule("0.", trunks=("one",)),), trunks=(trunk,))
    net.exchange.replace_plan(plan, net.now)
    far = net.telephone("99", host="192.0.2.200")
    modem(far, CALLEE)
    net.exchange.trunk_located("one", (Flow("udp", ("192.0.2.1", 5060), far.address),), net.now)
    net.settle()
    caller.agent.bye(talk(net, caller, far, "0123"), net.now)  # type: ignore[arg-type]
    net.run(3)
    (record,) = net.records
    assert (record.caller_modem, record.callee_modem) == (CALLER, {})


FACTS = st.fixed_dictionaries(
    {},
    optional={
        key: st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=MAX_TEXT)
        if kind is str
        else st.integers(-(2**50), 2**50)
        if kind is int
        else st.integers(-(2**40), 2**40).map(lambda number: number / 1000)
        for key, kind in KEYS.items()
    },
)


@given(FACTS)
@settings(max_examples=40)
def test_facts_come_back(facts: dict[str, object]) -> None:
    value = encode(facts)
    assert value.isascii()
    expected = {key: value for key, value in facts.items() if not isinstance(value, str) or value}
    if len(value) < 4096:
        assert decode(value) == expected


JSON = st.recursive(
    st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(list(KEYS)), inner),
)


@given(st.one_of(st.text(max_size=60), JSON.map(json.dumps)))
@settings(max_examples=40)
def test_no_field_does_harm(value: str) -> None:
    for key, fact in decode(value).items():
        assert isinstance(fact, KEYS[key])


NONE = ["", "[1]", "{", '{"rate_tx": 1e400}', '{"rate_tx": NaN}', '{"rate_tx": true}', '{"rate_tx": "x"}']
NONE += ['{"rate_tx": 1%s}' % ("0" * 999), '{"evil": 1}', "[" * 4000, '{"modulation": "%s"}' % ("x" * 5000)]


@pytest.mark.parametrize("value", NONE)
def test_what_says_nothing(value: str) -> None:
    assert decode(value) == {}


def test_signs_that_are_none_do_not_pass() -> None:
    assert decode(json.dumps({"causes": "a\x1b[2J\r\nb"})) == {"causes": "a?[2J??b"}
