"""Patterns of numbers and the rules made of them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.exchange import Net, extensions

from ansam.errors import ConfigError
from ansam.pbx.dialplan import DialPlan
from ansam.pbx.patterns import Rule, compile_pattern
from ansam.sip.events import CallFailed, IncomingCall

DIGITS = st.text("0123456789*#+", min_size=1, max_size=12)
CLASSES = {"X": "0123456789", "Z": "123456789", "N": "23456789", "[1-58]": "123458"}


@given(st.lists(st.sampled_from([*CLASSES, *"0123456789*#+"]), min_size=1, max_size=12), st.data())
def test_a_pattern_fits_what_it_says_and_nothing_else(pieces: list[str], data: st.DataObject) -> None:
    form = compile_pattern("".join(pieces))
    dialled = [data.draw(st.sampled_from(CLASSES.get(piece, piece))) for piece in pieces]
    assert form.fullmatch("".join(dialled))
    at = data.draw(st.integers(0, len(pieces) - 1))
    sign = data.draw(st.sampled_from("0123456789*#+a"))
    dialled[at] = sign
    assert bool(form.fullmatch("".join(dialled))) is (sign in CLASSES.get(pieces[at], pieces[at]))


@given(DIGITS, DIGITS)
def test_a_full_stop_is_all_that_follows(front: str, rest: str) -> None:
    form = compile_pattern(front + ".")
    assert form.fullmatch(front + rest)
    assert not form.fullmatch(front)


@given(st.text(max_size=20))
def test_any_text_is_a_pattern_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert compile_pattern(text).pattern


@pytest.mark.parametrize("wrong", ["", "5x", "[5-1]", "[", "[]", "[a]", "1.2", ".\n", "5\n", "A", "1 2"])
def test_what_is_no_pattern(wrong: str) -> None:
    with pytest.raises(ConfigError):
        compile_pattern(wrong)


@pytest.mark.parametrize(
    "wrong", [{}, {"number": "5", "strip": 1}, {"number": "5 5"}, {"prefix": "@"}, {"strip": -1}]
)
def test_what_is_no_rule(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        Rule("X", **wrong)


def test_rules_are_tried_in_order_and_once() -> None:
    rules = [Rule("00XX", strip=2), Rule("0.", number="05"), Rule("9X", prefix="0")]
    plan = DialPlan(extensions("05"), rules=rules)
    dialled = ("0007", "007", "91", "5")
    assert [plan.translate(number) for number in dialled] == ["07", "05", "091", "5"]


def test_a_call_goes_where_a_rule_leads() -> None:
    net = Net([])
    plan = DialPlan(extensions("05", "06", "07"), rules=[Rule("0X", number="05"), Rule("8.", strip=1)])
    net.exchange.replace_plan(plan, net.now)
    phones = {number: net.telephone(number) for number in ("05", "06", "07")}
    for phone in phones.values():
        phone.register()
    net.run(1)
    call = phones["07"].call("06")  # a number itself: no rule is asked
    net.run(1)
    assert phones["06"].seen(IncomingCall)
    phones["07"].agent.cancel(call, net.now)
    net.run(1)
    call = phones["07"].call("09")
    net.run(1)
    assert phones["05"].seen(IncomingCall)
    phones["07"].agent.cancel(call, net.now)
    net.run(1)
    phones["07"].call("808")
    net.run(1)
    assert (
        phones["07"].last(CallFailed).status == 404
    )  # "08" fits the first rule, but is not translated again
    assert net.records[-1].callee == "808"
