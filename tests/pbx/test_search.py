"""Hunt groups and forwarding, in virtual time."""

import itertools
import random
from dataclasses import replace

import pytest
from tests.support.exchange import ANSWER, Net, NoMedia, Telephone, extensions

from ansam.errors import ConfigError
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.groups import Group, HuntMemory, Strategy
from ansam.pbx.records import Cause
from ansam.pbx.settings import ExchangeSettings, Service
from ansam.sip.events import CallAnswered, CallFailed, Cancelled, IncomingCall

MEMBERS = ("05", "06", "07")


def pool(
    strategy: Strategy, limit: int = 0, absent: tuple[str, ...] = ()
) -> tuple[Net, dict[str, Telephone]]:
    """Return a net with the group 50 of 05 to 07, and two outsiders, 08 and 09."""
    plan = DialPlan(extensions(*MEMBERS, "08", "09"), [Group("50", MEMBERS, strategy, 10, limit)])
    return registered(plan, absent)


def registered(plan: DialPlan, absent: tuple[str, ...] = ()) -> tuple[Net, dict[str, Telephone]]:
    net = Net([], ExchangeSettings(ring_seconds=30))
    net.exchange.replace_plan(plan, net.now)
    telephones = {one.number: net.telephone(one.number) for one in plan if one.number not in absent}
    for telephone in telephones.values():
        telephone.register()
    net.run(1)
    return net, telephones


def forwarding(*numbers: str, **forwards: dict[str, str]) -> list[Extension]:
    """Return extensions; ``e05={"forward_busy": "06"}`` sets up 05."""
    return [replace(one, **forwards.get(f"e{one.number}", {})) for one in extensions(*numbers)]


def ringing(telephones: dict[str, Telephone]) -> list[str]:
    """Return the numbers at which a call has come and not gone again."""
    return [
        number
        for number, telephone in telephones.items()
        if len(telephone.seen(IncomingCall)) > len(telephone.seen(Cancelled))
    ]


def test_all_members_ring_and_the_first_to_answer_wins() -> None:
    net, phones = pool(Strategy.ALL)
    phones["08"].call("50")
    net.run(1)
    assert ringing(phones) == ["05", "06", "07"]
    phones["06"].agent.answer(phones["06"].last(IncomingCall).call, ANSWER, net.now)
    net.run(1)
    assert phones["08"].seen(CallAnswered)
    assert phones["05"].seen(Cancelled)
    assert phones["07"].seen(Cancelled)
    net.exchange.stop(net.now)
    net.run(1)
    (record,) = net.records
    assert (record.callee, record.answered_by) == ("50", "06")


def test_one_member_that_declines_does_not_speak_for_the_others() -> None:
    net, phones = pool(Strategy.ALL)
    phones["05"].on_incoming = lambda call: phones["05"].agent.reject(call.call, 603, net.now)
    phones["08"].call("50")
    net.run(1)
    assert not phones["08"].seen(CallFailed)
    assert not phones["06"].seen(Cancelled)


def test_members_ring_in_order_until_nobody_is_left() -> None:
    net, phones = pool(Strategy.ORDER)
    phones["08"].call("50")
    for number in MEMBERS:
        net.run(5)
        assert ringing(phones) == [number]
        net.run(5)
    net.run(1)
    assert phones["08"].last(CallFailed).status == 408
    assert net.records[0].cause is Cause.NO_ANSWER


def test_busy_and_absent_members_are_passed_over() -> None:
    net, phones = pool(Strategy.ORDER, absent=("06",))
    phones["09"].call("05")
    net.run(1)
    phones["08"].call("50")
    net.run(1)
    assert ringing(phones) == ["05", "07"]
    assert phones["05"].last(IncomingCall).from_.startswith("sip:09@")
    assert phones["07"].last(IncomingCall).from_.startswith("sip:08@")


def test_a_member_that_refuses_sends_the_call_on_at_once() -> None:
    net, phones = pool(Strategy.ORDER)
    phones["05"].on_incoming = lambda call: phones["05"].agent.reject(call.call, 486, net.now)
    phones["08"].call("50")
    net.run(1)
    assert len(phones["06"].seen(IncomingCall)) == 1


def test_rotation_begins_behind_the_last() -> None:
    net, phones = pool(Strategy.ROTATE)
    rang = []
    for _ in range(4):
        before = {number: len(phone.seen(IncomingCall)) for number, phone in phones.items()}
        call = phones["08"].call("50")
        net.run(1)
        rang += [n for n, phone in phones.items() if len(phone.seen(IncomingCall)) > before[n]]
        phones["08"].agent.cancel(call, net.now)
        net.run(1)
    assert rang == ["05", "06", "07", "05"]


def test_who_has_been_idle_longest_rings_first() -> None:
    net, phones = pool(Strategy.IDLE_LONGEST)
    for number in ("06", "05"):
        call = phones["08"].call(number)
        net.run(1)
        phones[number].agent.answer(phones[number].last(IncomingCall).call, ANSWER, net.now)
        net.run(1)
        phones["08"].agent.bye(call, net.now)
        net.run(1)
    calls = len(phones["06"].seen(IncomingCall))
    phones["08"].call("50")
    net.run(1)
    assert len(phones["07"].seen(IncomingCall)) == 1  # never talked
    net.run(10)
    assert len(phones["06"].seen(IncomingCall)) == calls + 1


def test_a_pool_with_a_limit() -> None:
    net, phones = pool(Strategy.ORDER, limit=1)
    call = phones["08"].call("50")
    net.run(1)
    phones["09"].call("50")
    net.run(1)
    assert phones["09"].last(CallFailed).status == 486
    phones["08"].agent.cancel(call, net.now)
    net.run(1)
    phones["09"].call("50")
    net.run(1)
    assert len(phones["05"].seen(IncomingCall)) == 2


@pytest.mark.parametrize(
    ("absent", "status", "cause"), [(MEMBERS, 480, Cause.NOT_REGISTERED), (("06", "07"), 486, Cause.BUSY)]
)
def test_a_group_of_which_nobody_can_ring(absent: tuple[str, ...], status: int, cause: Cause) -> None:
    net, phones = pool(Strategy.ALL, absent=absent)
    if "05" in phones:
        phones["09"].call("05")
        net.run(1)
    phones["08"].call("50")
    net.run(1)
    assert phones["08"].last(CallFailed).status == status
    assert net.records[-1].cause is cause


def test_a_member_that_calls_its_own_group_does_not_ring() -> None:
    net, phones = pool(Strategy.ALL)
    phones["05"].call("50")
    net.run(1)
    assert ringing(phones) == ["06", "07"]


def test_forwarding_when_busy() -> None:
    net, phones = registered(DialPlan(forwarding("05", "06", "08", "09", e05={"forward_busy": "06"})))
    phones["09"].call("05")
    net.run(1)
    phones["08"].call("05")
    net.run(1)
    assert phones["06"].last(IncomingCall).from_.startswith("sip:08@")


def test_forwarding_when_the_telephone_itself_is_busy() -> None:
    net, phones = registered(DialPlan(forwarding("05", "06", "08", e05={"forward_busy": "06"})))
    phones["05"].on_incoming = lambda call: phones["05"].agent.reject(call.call, 486, net.now)
    phones["08"].call("05")
    net.run(1)
    assert phones["06"].seen(IncomingCall)


def test_forwarding_when_nobody_answers_after_a_time_of_its_own() -> None:
    own = {"forward_no_answer": "06", "ring_seconds": 8}
    net, phones = registered(DialPlan(forwarding("05", "06", "08", e05=own)))
    phones["08"].call("05")
    net.run(7)
    assert not phones["06"].seen(IncomingCall)
    net.run(2)
    assert ringing(phones) == ["06"]
    phones["06"].agent.answer(phones["06"].last(IncomingCall).call, ANSWER, net.now)
    net.run(1)
    net.exchange.stop(net.now)
    net.run(1)
    assert (net.records[0].callee, net.records[0].answered_by) == ("05", "06")


def test_forwarding_when_unreachable_leads_into_a_group() -> None:
    members = forwarding("05", "06", "07", "08", e05={"forward_unreachable": "50"})
    net, phones = registered(DialPlan(members, [Group("50", ("06", "07"))]), absent=("05", "06"))
    phones["08"].call("05")
    net.run(1)
    assert ringing(phones) == ["07"]


def test_forwarding_through_several() -> None:
    chain = {f"e0{n}": {"forward_unreachable": f"0{n + 1}"} for n in (4, 5, 6)}
    net, phones = registered(DialPlan(forwarding("04", "05", "06", "07", "08", **chain)), ("04", "05", "06"))
    phones["08"].call("04")
    net.run(1)
    assert ringing(phones) == ["07"]


@pytest.mark.parametrize(
    ("forwards", "text"),
    [
        ({"e05": {"forward_busy": "05"}}, "05 → 05"),
        ({"e05": {"forward_busy": "06"}, "e06": {"forward_no_answer": "05"}}, "05 → 06 → 05"),
        ({"e05": {"forward_busy": "99"}}, "no extension and no group"),
    ],
)
def test_forwarding_that_is_refused(forwards: dict, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        DialPlan(forwarding("05", "06", **forwards))


def test_a_chain_of_forwards_has_an_end() -> None:
    numbers = [str(number) for number in range(2000)]
    forwards = {f"e{n}": {"forward_busy": str(int(n) + 1)} for n in numbers[:-1]}
    with pytest.raises(ConfigError, match="more than 16"):
        DialPlan(forwarding(*numbers, **forwards))


@pytest.mark.parametrize(
    ("group", "text"),
    [
        (Group("05", ("06",)), "twice"),
        (Group("50", ("99",)), "no extension"),
        (Group("50", ("51",)), "is a group"),
    ],
)
def test_groups_that_are_refused(group: Group, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        DialPlan(extensions("05", "06"), [group, Group("51", ("05",))])


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "5 0"},
        {"members": ()},
        {"members": ("05", "05")},
        {"ring_seconds": 0},
        {"limit": -1},
    ],
)
def test_what_is_no_group(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        Group(**({"number": "50", "members": ("05",)} | wrong))


@pytest.mark.parametrize("strategy", [Strategy.ORDER, Strategy.ROTATE, Strategy.IDLE_LONGEST])
def test_every_strategy_offers_each_member_once(strategy: Strategy) -> None:
    members = extensions(*map(str, range(6)))
    group, memory, rng = (
        Group("50", tuple(m.number for m in members), strategy),
        HuntMemory(),
        random.Random(3),
    )
    for now in range(50):
        free = {member.number for member in members if rng.random() < 0.5}
        rounds = memory.rounds(group, members, lambda member, free=free: member.number in free)
        rung = [member.number for member in itertools.chain.from_iterable(rounds)]
        assert sorted(rung) == sorted(group.members)
        memory.talked(rng.choice(rung), float(now))


@pytest.mark.parametrize(
    ("number", "status", "cause"), [("1", 486, Cause.BUSY), ("2", 503, Cause.CONGESTION)]
)
def test_numbers_that_are_always_busy_or_congested(number: str, status: int, cause: Cause) -> None:
    services = {"1": Service.BUSY, "2": Service.CONGESTION}
    net = Net(extensions("05"), ExchangeSettings(services=services), services=NoMedia())
    phone = net.telephone("05")
    phone.register()
    net.run(1)
    phone.call(number)
    net.run(1)
    assert phone.last(CallFailed).status == status
    assert net.records[0].cause is cause
