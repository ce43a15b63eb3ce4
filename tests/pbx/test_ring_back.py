"""Call back and camping on, in virtual time."""

import pytest
from tests.support.exchange import ANSWER, EXCHANGE, OFFER, Net, NoMedia, Telephone, extensions

from ansam.call.modem_facts import CALLING, ROLE
from ansam.errors import ConfigError
from ansam.pbx.callbacks import CallBack
from ansam.pbx.dialplan import DialPlan, PlanError
from ansam.pbx.groups import Group
from ansam.pbx.media import RelayPorts, Side
from ansam.pbx.patterns import Rule
from ansam.pbx.records import Carried, Cause
from ansam.pbx.settings import ExchangeSettings, Service
from ansam.pbx.trunks import Trunk
from ansam.sip.events import Address, CallAnswered, CallEnded, CallFailed, Flow, IncomingCall

BACK = CallBack("58", "50", ("07", "00171."), 5.0)
TRUNK = Trunk("one", "192.0.2.200", 5060, caller_prefix="0", dids=(Rule("4989", number="58"),))


class Relay:
    """Sockets that are only counted."""

    def __init__(self) -> None:
        self.open_calls: dict[RelayPorts, dict[Side, Address]] = {}
        self._port = 20000

    def __len__(self) -> int:
        return len(self.open_calls)

    def open(self, caller_sees: str, callee_sees: str) -> RelayPorts | None:
        self._port += 4
        ports = RelayPorts((caller_sees, self._port), (callee_sees, self._port + 2))
        self.open_calls[ports] = {}
        return ports

    def move(self, ports: RelayPorts, callee_sees: str) -> RelayPorts | None:
        self._port += 4
        moved = RelayPorts(ports.caller, (callee_sees, self._port + 2))
        self.open_calls[moved] = self.open_calls.pop(ports)
        return moved

    def aim(self, ports: RelayPorts, side: Side, target: Address) -> None:
        self.open_calls[ports][side] = target

    def close(self, ports: RelayPorts) -> tuple[Carried, Carried] | None:
        del self.open_calls[ports]
        return Carried(100, 1), Carried(100, 0)


class Office:
    def __init__(self) -> None:
        self.relay = Relay()
        settings = ExchangeSettings(ring_seconds=20, services={"*37": Service.CAMP_ON})
        self.net = Net([], settings, services=NoMedia(), back_relay=self.relay)
        plan = DialPlan(
            *(extensions("05", "06", "07"), [Group("50", ("05",))]),
            rules=(Rule("0.", strip=1, trunks=("one",)),),
            trunks=(TRUNK,),
            callbacks=(BACK,),
        )
        self.net.exchange.replace_plan(plan, self.net.now)
        self.phones = {number: self.net.telephone(number) for number in ("05", "06", "07")}
        for phone in self.phones.values():
            phone.register()
        self.net.run(1)

    def dial(self, who: str, number: str) -> int:
        call = self.phones[who].call(number)
        self.net.run(1)
        return call

    def answer(self, phone: Telephone, sdp: bytes = ANSWER) -> IncomingCall:
        incoming = phone.last(IncomingCall)
        phone.agent.answer(incoming.call, sdp, self.net.now)
        self.net.run(1)
        return incoming


def test_a_number_on_the_list_is_called_back_and_connected() -> None:
    office = Office()
    caller, callee = office.phones["07"], office.phones["05"]
    office.dial("07", "58")
    failed = caller.last(CallFailed)
    assert (failed.status, failed.reason) == (486, "Will Call Back")
    office.net.run(3)
    assert not caller.seen(IncomingCall)
    office.net.run(2)
    ringing = office.answer(caller, OFFER)
    assert ringing.from_.startswith("sip:50@")
    assert ROLE not in ringing.headers
    assert b"RTP/AVP 8\r\n" in ringing.sdp
    connected = office.answer(callee)
    assert connected.from_.startswith("sip:07@")
    assert connected.headers.first(ROLE) == CALLING
    (aims,) = office.relay.open_calls.values()
    assert aims == {Side.CALLER: ("192.0.2.7", 4000), Side.CALLEE: ("192.0.2.5", 5000)}
    (live,) = office.net.exchange.status(office.net.now).calls
    assert (live.call.caller, live.call.callee, live.group, live.talking) == ("07", "50", "50", 1.0)
    callee.agent.bye(connected.call, office.net.now)
    office.net.run(3)
    assert caller.seen(CallEnded)
    record = office.net.records[-1]
    assert (record.caller, record.callee, record.answered_by) == ("07", "50", "05")
    assert (record.cause, record.note) == (Cause.CALLEE_HUNG_UP, "called back")
    assert not office.relay.open_calls
    assert office.net.exchange.calls_up == 0


def test_others_hear_busy_and_nothing_follows() -> None:
    office = Office()
    office.dial("06", "58")
    assert office.phones["06"].last(CallFailed).reason == "Busy Here"
    office.net.run(60)
    assert not office.phones["06"].seen(IncomingCall)


def test_a_number_outside_is_called_back_over_the_trunk() -> None:
    office = Office()
    far = office.net.telephone("4989", host="192.0.2.200")
    way = (Flow("udp", EXCHANGE, far.address),)
    office.net.exchange.trunk_located("one", way, office.net.now)
    office.net.settle()
    far.call("4989", claim="0171555")
    office.net.run(1)
    assert far.last(CallFailed).reason == "Will Call Back"
    office.net.run(6)
    assert office.answer(far).uri == "sip:0171555@192.0.2.200:5060"
    office.answer(office.phones["05"])
    office.net.exchange.stop(office.net.now)
    office.net.run(3)
    assert office.net.records[-1].trunk == "one"
    assert office.net.records[-1].caller == "00171555"


@pytest.mark.parametrize("who", ["nobody answers", "refuses", "callee busy", "callee refuses"])
def test_a_call_back_that_comes_to_nothing(who: str) -> None:
    office = Office()
    caller = office.phones["07"]
    office.dial("07", "58")
    if who == "callee busy":
        office.dial("06", "05")
    office.net.run(6)
    if who == "nobody answers":
        office.net.run(30)
    elif who == "refuses":
        caller.agent.reject(caller.last(IncomingCall).call, 486, office.net.now)
    else:
        office.answer(caller)
    if who == "callee refuses":
        callee = office.phones["05"]
        callee.agent.reject(callee.last(IncomingCall).call, 480, office.net.now)
    office.net.run(3)
    record = next(one for one in office.net.records if one.note)
    assert record.answered is None
    assert not office.relay.open_calls
    assert not any("05" not in live.ringing for live in office.net.exchange.status(office.net.now).calls)


def test_camping_on_a_line_that_is_busy() -> None:
    office = Office()
    caller, callee = office.phones["07"], office.phones["05"]
    talk = office.dial("06", "05")
    office.answer(callee)
    office.dial("07", "05")
    assert caller.last(CallFailed).status == 486
    office.dial("07", "*37")
    assert caller.last(CallFailed).reason == "Camped On"
    office.net.run(100)
    assert not caller.seen(IncomingCall)
    office.phones["06"].agent.bye(talk, office.net.now)
    office.net.run(2)
    assert not caller.seen(IncomingCall)
    office.net.run(3)
    ringing = office.answer(caller)
    assert ringing.headers.first(ROLE) == CALLING
    assert ROLE not in office.answer(callee).headers
    assert len(callee.seen(IncomingCall)) == 2
    assert not caller.seen(CallAnswered)


def test_camping_waits_for_both_and_not_for_ever() -> None:
    office = Office()
    caller = office.phones["07"]
    talk = office.dial("06", "05")
    office.answer(office.phones["05"])
    office.dial("07", "05")
    office.dial("07", "*37")
    office.dial("07", "*37")
    assert caller.last(CallFailed).reason == "Nothing To Camp On"
    office.net.run(2000)
    office.phones["06"].agent.bye(talk, office.net.now)
    office.net.run(30)
    assert not caller.seen(IncomingCall)


def test_what_cannot_call_back() -> None:
    with pytest.raises(ConfigError, match="calls nobody back"):
        CallBack("58", "50", ())
    with pytest.raises(ConfigError, match="number"):
        CallBack("5 8", "50", ("07",))
    with pytest.raises(PlanError, match="no extension and no group"):
        DialPlan(extensions("07"), callbacks=(BACK,))
    with pytest.raises(PlanError, match="twice"):
        DialPlan(extensions("58", "50"), callbacks=(BACK,))
