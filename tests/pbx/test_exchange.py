"""Calls through the exchange, in virtual time."""

import gc
from collections import Counter

import pytest
from tests.support.exchange import ANSWER, OFFER, T38, Net, Telephone, extensions, registered_pair

from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.events import CallConnected, CallStarted, LoginRefused
from ansam.pbx.media import RelayPorts, Side
from ansam.pbx.records import Cause
from ansam.pbx.services import ServiceSession
from ansam.pbx.settings import ExchangeSettings, MediaMode, Service
from ansam.sip.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallProgress,
    Cancelled,
    IncomingCall,
    Reinvite,
    ReinviteAnswered,
    ReinviteFailed,
    Unregistered,
)


def told(net: Net) -> list[tuple[str, str, str]]:
    """Return what was said of calls in progress: caller, callee, who has answered."""
    said = [event.call for event in net.events if isinstance(event, CallStarted | CallConnected)]
    return [(call.caller, call.callee, call.answered_by) for call in said]


def connected(net: Net, caller: Telephone, callee: Telephone) -> tuple:
    """Bring up a call; return both ends' identities of it."""
    call = caller.call(callee.number)
    net.run(0.5)
    there = callee.last(IncomingCall).call
    callee.agent.ringing(there, net.now)
    net.run(0.5)
    assert caller.last(CallProgress).status == 180
    callee.agent.answer(there, ANSWER, net.now)
    net.run(0.5)
    assert caller.last(CallAnswered).sdp == ANSWER
    return call, there


def test_a_call_is_answered_and_the_caller_hangs_up() -> None:
    net, caller, callee = registered_pair()
    call, there = connected(net, caller, callee)
    assert callee.last(IncomingCall).sdp == OFFER
    net.run(10)
    caller.agent.bye(call, net.now)
    net.run(1)
    ended = callee.last(CallEnded)
    assert (ended.call, ended.by_us) == (there, False)
    (record,) = net.records
    assert (record.caller, record.callee, record.cause, record.status) == (
        "07",
        "05",
        Cause.CALLER_HUNG_UP,
        200,
    )
    assert record.duration == pytest.approx(10.5, abs=0.01)
    assert net.exchange.calls_up == 0
    assert told(net) == [("07", "05", ""), ("07", "05", "05")]


def test_the_callee_hangs_up() -> None:
    net, caller, callee = registered_pair()
    call, there = connected(net, caller, callee)
    callee.agent.bye(there, net.now)
    net.run(1)
    assert caller.last(CallEnded).call == call
    assert net.records[0].cause is Cause.CALLEE_HUNG_UP


def test_the_caller_is_who_was_authenticated_not_who_is_claimed() -> None:
    net, caller, callee = registered_pair()
    caller.call("05", claim="06")
    net.run(0.5)
    incoming = callee.last(IncomingCall)
    assert incoming.from_.startswith("sip:07@")
    assert incoming.display == "Name 07"
    assert incoming.max_forwards == 69


@pytest.mark.parametrize(
    ("dialled", "status", "cause"),
    [("99", 404, Cause.UNKNOWN_NUMBER), ("06", 480, Cause.NOT_REGISTERED), ("07", 486, Cause.BUSY)],
)
def test_numbers_that_lead_nowhere(dialled: str, status: int, cause: Cause) -> None:
    net, caller, _ = registered_pair()
    call = caller.call(dialled)
    net.run(1)
    failed = caller.last(CallFailed)
    assert (failed.call, failed.status) == (call, status)
    (record,) = net.records
    assert (record.caller, record.callee, record.cause, record.status) == ("07", dialled, cause, status)
    assert record.answered is None
    assert record.duration == 0


def test_a_busy_extension() -> None:
    net, caller, callee = registered_pair()
    other = net.telephone("06")
    other.register()
    connected(net, caller, callee)
    other.call("05")
    net.run(1)
    assert other.last(CallFailed).status == 486
    assert net.records[0].cause is Cause.BUSY
    assert net.exchange.calls_up == 1


def test_an_extension_may_have_several_calls_at_once() -> None:
    net = Net(extensions("05", "06", "07", call_limit=2))
    telephones = [net.telephone(number) for number in ("05", "06", "07")]
    for telephone in telephones:
        telephone.register()
    net.run(1)
    telephones[1].call("05")
    telephones[2].call("05")
    net.run(1)
    assert len(telephones[0].seen(IncomingCall)) == 2
    assert net.exchange.calls_up == 2


def test_a_telephone_that_calls_while_it_talks_is_busy() -> None:
    net, caller, callee = registered_pair()
    connected(net, caller, callee)
    caller.call("05")
    net.run(1)
    assert caller.last(CallFailed).status == 486


@pytest.mark.parametrize(
    ("sent", "seen", "cause"),
    [
        (486, 486, Cause.BUSY),
        (603, 603, Cause.REJECTED),
        (488, 488, Cause.REJECTED),
        (480, 480, Cause.REJECTED),
        (503, 480, Cause.UNREACHABLE),
        (302, 480, Cause.UNREACHABLE),
        (407, 480, Cause.UNREACHABLE),
    ],
)
def test_the_callee_refuses(sent: int, seen: int, cause: Cause) -> None:
    net, caller, callee = registered_pair()
    callee.on_incoming = lambda incoming: callee.agent.reject(incoming.call, sent, net.now)
    caller.call("05")
    net.run(1)
    assert caller.last(CallFailed).status == seen
    assert net.records[0].cause is cause


def test_nobody_answers() -> None:
    net, caller, callee = registered_pair(ExchangeSettings(ring_seconds=20))
    callee.on_incoming = lambda incoming: callee.agent.ringing(incoming.call, net.now)
    caller.call("05")
    net.run(19.9)
    assert not caller.seen(CallFailed)
    net.run(1)
    assert caller.last(CallFailed).status == 408
    assert callee.seen(Cancelled)
    assert net.records[0].cause is Cause.NO_ANSWER


def test_the_caller_gives_up() -> None:
    net, caller, callee = registered_pair()
    call = caller.call("05")
    net.run(1)
    caller.agent.cancel(call, net.now)
    net.run(1)
    assert callee.seen(Cancelled)
    assert caller.last(CallFailed).status == 487
    (record,) = net.records
    assert (record.cause, record.status, record.answered) == (Cause.CANCELLED, 487, None)
    assert net.exchange.calls_up == 0


def test_cancel_and_answer_cross() -> None:
    """Both ends act in the same instant: whatever wins, no dialogue stays."""
    net, caller, callee = registered_pair()
    call = caller.call("05")
    net.run(1)
    callee.agent.answer(callee.last(IncomingCall).call, ANSWER, net.now)
    caller.agent.cancel(call, net.now)
    net.run(40)
    assert net.exchange.calls_up == 0
    assert len(net.records) == 1
    assert callee.seen(CallEnded) or callee.seen(Cancelled)


def test_a_telephone_that_vanished() -> None:
    net, caller, callee = registered_pair()
    del net.telephones[callee.address]
    caller.call("05")
    net.run(40)
    assert caller.last(CallFailed).status == 408
    assert net.records[0].cause is Cause.UNREACHABLE


def test_a_bye_into_the_void_still_frees_the_line() -> None:
    net, caller, callee = registered_pair()
    call, _ = connected(net, caller, callee)
    del net.telephones[callee.address]
    caller.agent.bye(call, net.now)
    net.run(40)
    assert caller.last(CallEnded).call == call
    assert net.exchange.calls_up == 0
    assert net.exchange.deadline() is not None  # the registration alone


def test_a_wrong_secret_places_no_call_and_registers_nothing() -> None:
    net, _, callee = registered_pair()
    thief = net.telephone("06", "guess")
    thief.register()
    thief.call("05")
    net.run(5)
    assert thief.last(CallFailed).status in (401, 403, 407)
    assert not callee.seen(IncomingCall)
    assert not net.exchange.registrations.find("06", net.now)
    refused = [event for event in net.events if isinstance(event, LoginRefused)]
    assert {event.method for event in refused} == {"REGISTER", "INVITE"}
    assert {event.username for event in refused} == {"06"}
    assert not net.records


def test_no_one_registers_for_another() -> None:
    net = Net(extensions("05", "06"))
    telephone = net.telephone("06")
    telephone.agent.register(
        "sip:05@192.0.2.1", telephone.flow, net.now, credentials=telephone.credentials, expires=600
    )
    net.run(2)
    assert not len(net.exchange.registrations)
    assert [event for event in net.events if isinstance(event, LoginRefused)]


def test_hops_are_used_up() -> None:
    net, caller, _ = registered_pair()
    caller.call("05", max_forwards=0)
    net.run(1)
    assert caller.last(CallFailed).status == 483


def test_an_invite_without_an_offer() -> None:
    net, caller, _ = registered_pair()
    caller.call("05", b"")
    net.run(1)
    assert caller.last(CallFailed).status == 488


def test_the_exchange_is_full() -> None:
    net, caller, callee = registered_pair(ExchangeSettings(calls_limit=1))
    other = net.telephone("06")
    other.register()
    net.exchange.plan = type(net.exchange.plan)(extensions("05", "06", "07", call_limit=2))
    connected(net, caller, callee)
    other.call("05")
    net.run(1)
    assert other.last(CallFailed).status == 503
    assert net.records[0].cause is Cause.CONGESTION


def test_a_reinvite_to_fax_is_refused_by_the_far_end_and_the_call_goes_on() -> None:
    net, caller, callee = registered_pair()
    call, there = connected(net, caller, callee)
    caller.agent.reinvite(call, T38, net.now)
    net.run(0.5)
    asked = callee.last(Reinvite)
    assert asked.sdp == T38
    callee.agent.reject_reinvite(asked.call, net.now, 488)
    net.run(0.5)
    assert caller.last(ReinviteFailed).status == 488
    net.run(30)
    assert not caller.seen(CallEnded)
    callee.agent.bye(there, net.now)
    net.run(1)
    assert caller.seen(CallEnded)


def test_a_reinvite_is_accepted_the_other_way_round() -> None:
    net, caller, callee = registered_pair()
    _, there = connected(net, caller, callee)
    callee.agent.reinvite(there, ANSWER + b"a=x\r\n", net.now)
    net.run(0.5)
    asked = caller.last(Reinvite)
    assert asked.sdp == ANSWER + b"a=x\r\n"
    caller.agent.accept_reinvite(asked.call, OFFER, net.now)
    net.run(0.5)
    assert callee.last(ReinviteAnswered).sdp == OFFER


def test_two_reinvites_cross() -> None:
    net, caller, callee = registered_pair()
    call, there = connected(net, caller, callee)
    for telephone in (caller, callee):
        telephone.events.clear()
    caller.agent.reinvite(call, OFFER, net.now)
    callee.agent.reinvite(there, ANSWER, net.now)
    for _ in range(40):
        net.run(0.25)
        for telephone in (caller, callee):
            for asked in telephone.seen(Reinvite):
                telephone.events.remove(asked)
                telephone.agent.accept_reinvite(asked.call, ANSWER, net.now)
    for telephone in (caller, callee):
        assert telephone.seen(ReinviteAnswered) or telephone.seen(ReinviteFailed)
        assert not telephone.seen(CallEnded)


def test_all_telephones_of_an_extension_ring_and_the_first_wins() -> None:
    net, caller, callee = registered_pair()
    second = net.telephone("05", host="192.0.2.77")
    second.register()
    net.run(1)
    caller.call("05")
    net.run(0.5)
    first_call = callee.last(IncomingCall).call
    assert second.seen(IncomingCall)
    callee.agent.answer(first_call, ANSWER, net.now)
    net.run(1)
    assert caller.seen(CallAnswered)
    assert second.seen(Cancelled)
    assert net.exchange.calls_up == 1


def test_both_telephones_of_an_extension_answer_at_once() -> None:
    net, caller, callee = registered_pair()
    second = net.telephone("05", host="192.0.2.77")
    second.register()
    net.run(1)
    for telephone in (callee, second):
        telephone.on_incoming = lambda incoming, t=telephone: t.agent.answer(incoming.call, ANSWER, net.now)
    caller.call("05")
    net.run(40)
    assert len(caller.seen(CallAnswered)) == 1
    assert len(callee.seen(CallEnded)) + len(second.seen(CallEnded)) == 1
    assert net.exchange.calls_up == 1


def test_one_telephone_is_busy_and_the_other_answers() -> None:
    net, caller, callee = registered_pair()
    second = net.telephone("05", host="192.0.2.77")
    second.register()
    net.run(1)
    callee.on_incoming = lambda incoming: callee.agent.reject(incoming.call, 486, net.now)
    second.on_incoming = lambda incoming: second.agent.answer(incoming.call, ANSWER, net.now)
    caller.call("05")
    net.run(2)
    assert caller.seen(CallAnswered)


def test_one_telephone_is_busy_and_the_other_gone() -> None:
    net, caller, callee = registered_pair()
    second = net.telephone("05", host="192.0.2.77")
    second.register()
    net.run(1)
    callee.on_incoming = lambda incoming: callee.agent.reject(incoming.call, 486, net.now)
    del net.telephones[second.address]
    caller.call("05")
    net.run(40)
    assert caller.last(CallFailed).status == 486


def test_unregistering_makes_an_extension_unreachable() -> None:
    net, caller, _ = registered_pair()
    other = net.telephone("06")
    registration = other.register()
    net.run(1)
    other.agent.unregister(registration, net.now)
    net.run(1)
    assert other.seen(Unregistered)
    caller.call("06")
    net.run(1)
    assert caller.last(CallFailed).status == 480


def test_a_registration_too_short_is_told_the_shortest() -> None:
    net = Net(extensions("05"), ExchangeSettings(min_expires=120))
    telephone = net.telephone("05")
    telephone.register(expires=30)
    net.run(5)
    (binding,) = net.exchange.registrations.find("05", net.now)
    assert binding.expires_at - net.now > 100


@pytest.mark.parametrize("gone", ["caller", "callee"])
def test_a_call_whose_telephone_vanished_ends(gone: str) -> None:
    net, caller, callee = registered_pair(ExchangeSettings(session_seconds=600))
    connected(net, caller, callee)
    net.run(3000)
    assert net.exchange.calls_up == 1, "refreshed, and nobody notices"
    address = (caller if gone == "caller" else callee).address
    net.lose = lambda outgoing: address in (outgoing.flow.local, outgoing.flow.remote)
    net.run(700)
    assert net.exchange.calls_up == 0
    assert net.records[-1].cause is Cause.LOST
    assert (callee if gone == "caller" else caller).seen(CallEnded)


def test_stopping_ends_every_call() -> None:
    net, caller, callee = registered_pair()
    other = net.telephone("06")
    other.register()
    connected(net, caller, callee)
    net.exchange.stop(net.now)
    net.run(1)
    assert caller.seen(CallEnded)
    assert callee.seen(CallEnded)
    assert net.records[0].cause is Cause.SHUTDOWN
    other.call("05")
    net.run(0.5)
    net.exchange.stop(net.now)
    net.run(1)
    assert other.last(CallFailed).status == 503


def test_a_call_survives_loss_of_every_third_datagram() -> None:
    net, caller, callee = registered_pair()
    count = 0

    def lose(_: object) -> bool:
        nonlocal count
        count += 1
        return count % 3 == 0

    net.lose = lose
    callee.on_incoming = lambda incoming: callee.agent.answer(incoming.call, ANSWER, net.now)
    call = caller.call("05")
    net.run(20)
    assert caller.seen(CallAnswered)
    caller.agent.bye(call, net.now)
    net.run(40)
    assert callee.seen(CallEnded)
    assert net.exchange.calls_up == 0
    assert len(net.records) == 1


def test_tcp_telephones() -> None:
    net = Net(extensions("05", "07"))
    caller, callee = net.telephone("07", transport="tcp"), net.telephone("05", transport="tcp")
    caller.register()
    callee.register()
    net.run(1)
    call, _ = connected(net, caller, callee)
    caller.agent.bye(call, net.now)
    net.run(1)
    assert callee.seen(CallEnded)


def sip_objects(net: Net) -> Counter[str]:
    """Count what the SIP engines hold, by class; what the test itself keeps is let go first."""
    net.sent.clear()
    for telephone in net.telephones.values():
        telephone.events.clear()
    gc.collect()
    held = Counter(
        type(thing).__qualname__ for thing in gc.get_objects() if "ansam.sip" in str(type(thing).__module__)
    )
    assert held["UserAgent"] >= 1
    return held


def test_500_registrations_and_100_calls_leave_nothing_behind() -> None:
    numbers = [f"{number:03}" for number in range(500)]
    net = Net(extensions(*numbers))
    for index, number in enumerate(numbers):
        net.telephone(number, host=f"198.51.{index // 250}.{index % 250}").register(expires=3600)
    net.run(40)
    assert len(net.exchange.registrations) == 500
    telephones = list(net.telephones.values())
    # The rest would only slow the search for the next timer.
    net.telephones = {telephone.address: telephone for telephone in telephones[:200]}
    for telephone in telephones[200:]:
        telephone.events.clear()
    before = sip_objects(net)
    for caller, callee in zip(telephones[:100], telephones[100:200], strict=True):
        call, _ = connected(net, caller, callee)
        caller.agent.bye(call, net.now)
        net.run(1)
    net.run(40)
    assert [record.status for record in net.records] == [200] * 100
    assert net.exchange.calls_up == 0
    assert not net.exchange._bridges
    assert sip_objects(net) - before == Counter()


class FakeRelay:
    """Hands out numbered ports."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.opened: list[RelayPorts] = []
        self.aimed: list[tuple[Side, tuple[str, int]]] = []

    def open(self, caller_sees: str, callee_sees: str) -> RelayPorts | None:
        if len(self.opened) >= self.left:
            return None
        base = 20000 + 4 * len(self.opened)
        self.opened.append(RelayPorts((caller_sees, base), (callee_sees, base + 2)))
        return self.opened[-1]

    def move(self, ports: RelayPorts, callee_sees: str) -> RelayPorts | None:
        raise AssertionError("all telephones see the same address")

    def aim(self, ports: RelayPorts, side: Side, target: tuple[str, int]) -> None:
        assert ports in self.opened
        self.aimed.append((side, target))

    def close(self, ports: RelayPorts) -> None:
        self.opened.remove(ports)


def test_media_through_the_relay() -> None:
    relay = FakeRelay(1)
    net, caller, callee = registered_pair(ExchangeSettings(media=MediaMode.RELAY), relay)
    call = caller.call("05")
    net.run(0.5)
    incoming = callee.last(IncomingCall)
    assert b"c=IN IP4 192.0.2.1\r\n" in incoming.sdp
    assert b"m=audio 20002 " in incoming.sdp
    callee.agent.answer(incoming.call, ANSWER, net.now)
    net.run(0.5)
    assert b"m=audio 20000 " in caller.last(CallAnswered).sdp
    assert relay.aimed == [(Side.CALLER, ("192.0.2.7", 4000)), (Side.CALLEE, ("192.0.2.5", 5000))]
    caller.agent.reinvite(call, OFFER.replace(b"4000", b"4444"), net.now)
    net.run(0.5)
    assert b"m=audio 20002 " in callee.last(Reinvite).sdp
    assert len(relay.aimed) == 2  # not before the other end has agreed
    callee.agent.accept_reinvite(incoming.call, ANSWER, net.now)
    net.run(0.5)
    assert relay.aimed[2:] == [(Side.CALLER, ("192.0.2.7", 4444)), (Side.CALLEE, ("192.0.2.5", 5000))]
    caller.agent.bye(call, net.now)
    net.run(1)
    assert not relay.opened


def test_the_relay_has_no_port_left() -> None:
    net, caller, callee = registered_pair(ExchangeSettings(media=MediaMode.RELAY), FakeRelay(0))
    caller.call("05")
    net.run(1)
    assert caller.last(CallFailed).status == 503
    assert not callee.seen(IncomingCall)
    assert net.records[0].cause is Cause.CONGESTION


def test_other_extensions_while_running() -> None:
    net, caller, callee = registered_pair()
    connected(net, caller, callee)
    net.exchange.replace_plan(DialPlan([*extensions("07", "08"), Extension("05", "another")]), net.now)
    assert {binding.number for binding in net.exchange.registrations} == {"07"}
    assert net.exchange.calls_up == 1


class Player:
    """Stands in for io's media of services."""

    def __init__(self) -> None:
        self.ready = True
        self.open_calls: dict[int, Service] = {}
        self.followed: list[bytes] = []

    def open(self, service: Service, local_ip: str, offer: bytes) -> ServiceSession | None:
        if b"PCMA" not in offer:
            return None
        identity = len(self.open_calls)
        self.open_calls[identity] = service
        return ServiceSession(identity, ANSWER.replace(b"192.0.2.5", local_ip.encode()))

    def follow(self, session: ServiceSession, offer: bytes) -> bytes | None:
        self.followed.append(offer)
        return None if b"t38" in offer else session.answer

    def close(self, session: ServiceSession) -> str:
        del self.open_calls[session.identity]
        return "what was found"


def service_net(**settings) -> tuple[Net, Telephone, Player]:
    player = Player()
    services = {"*43": Service.ECHO, "9197": Service.MILLIWATT}
    net = Net(extensions("05", "07"), ExchangeSettings(services=services, **settings), services=player)
    return net, net.telephone("07"), player


def test_a_service_answers_at_once_until_the_caller_hangs_up() -> None:
    net, caller, player = service_net()
    call = caller.call("*43")
    net.run(1)
    assert caller.last(CallAnswered).sdp.count(b"192.0.2.1") == 2
    assert player.open_calls == {0: Service.ECHO}
    caller.agent.reinvite(call, OFFER, net.now)
    net.run(1)
    assert caller.seen(ReinviteAnswered)
    caller.agent.reinvite(call, T38, net.now)
    net.run(1)
    assert caller.last(ReinviteFailed).status == 488
    caller.agent.bye(call, net.now)
    net.run(1)
    assert player.open_calls == {}
    assert [(r.caller, r.callee, r.cause, r.status) for r in net.records] == [
        ("07", "*43", Cause.CALLER_HUNG_UP, 200)
    ]
    assert net.records[0].note == "what was found"
    player.ready = False
    caller.call("*43")
    net.run(1)
    assert caller.last(CallFailed).status == 503
    assert net.exchange.calls_up == 0
    assert told(net) == [("07", "*43", ""), ("07", "*43", "*43")]


def test_a_service_refuses_what_it_cannot_play_and_callers_that_are_busy() -> None:
    net, caller, player = service_net(calls_limit=1)
    caller.call("*43", OFFER.replace(b"PCMA", b"G729"))
    net.run(1)
    assert caller.last(CallFailed).status == 488
    caller.call("9197")
    net.run(1)
    caller.call("*43")
    net.run(1)
    assert caller.last(CallFailed).status == 486
    other = net.telephone("05")
    other.call("*43")
    net.run(1)
    assert other.last(CallFailed).status == 503
    assert list(player.open_calls.values()) == [Service.MILLIWATT]
    net.exchange.service_over(0, Cause.LOST, net.now)
    net.run(1)
    assert caller.seen(CallEnded)
    assert net.exchange.calls_up == 0
    caller.call("*43")
    net.run(1)
    net.exchange.stop(net.now)
    net.run(1)
    assert player.open_calls == {}
    assert net.records[-1].cause is Cause.SHUTDOWN


def test_a_telephone_known_to_be_dead() -> None:
    net, caller, callee = registered_pair()
    connected(net, caller, callee)
    del net.telephones[callee.address]
    net.exchange.line_died("99", net.now)
    net.exchange.line_died("05", net.now)
    net.run(3)
    assert "the modem died" in caller.last(CallEnded).reason
    (record,) = net.records
    assert (record.cause, record.answered_by) == (Cause.LOST, "05")
    caller.call("05")
    net.run(1)
    assert caller.last(CallFailed).status == 480


def test_an_extension_with_two_telephones_of_which_one_is_dead() -> None:
    net, caller, callee = registered_pair()
    net.telephone("05", host="192.0.2.99").register()
    net.run(1)
    connected(net, caller, callee)
    net.exchange.line_died("05", net.now)
    net.run(1)
    assert net.exchange.calls_up == 1
