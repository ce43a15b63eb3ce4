from dataclasses import replace

import pytest
from tests.support.answer import Bench, place

from ansam.answer.events import CallEnded, RunCommand, StopCommand
from ansam.answer.house import House
from ansam.answer.login_config import parse_login_config
from ansam.answer.place import Place
from ansam.answer.ppp import PppPrograms
from ansam.answer.users import Command, Ppp, User, UserBook

PROGRAMS = PppPrograms(Command(("/ppp", "\\Y"), "runner"), Command(("/ppp", "--logged-in")))
LCP = b"\x7e\xff\x7d\x23\xc0\x21\x7d\x21"


def ordered(bench: Bench) -> RunCommand:
    (order,) = bench.named(RunCommand)
    assert isinstance(order, RunCommand)
    return order


def with_ppp(**more: object) -> Place:
    users = UserBook([User("guest"), User("dave", "", Ppp())])
    return replace(place(), users=users, ppp=PROGRAMS, **more)  # type: ignore[arg-type]


def test_a_caller_who_begins_with_ppp_gets_the_program_and_it_all_octets() -> None:
    house = House()
    bench = Bench(with_ppp(house=house))
    bench.call(b"CONNECT 33600/ARQ")
    bench.modem(LCP + b"rest")
    order = ordered(bench)
    assert (order.argv, order.run_as, order.raw) == (("/ppp", "none"), "runner", True)
    assert order.environment["CONNECT"] == "33600/ARQ"
    assert order.environment["CALLER_ID"] == "none"
    assert order.environment["SPEED"] == "57600"
    assert bench.getty.take_command_input() == LCP + b"rest"
    assert [seat.user for seat in house] == ["ppp"]
    bench.getty.command_ended(0, bench.now)
    assert len(house) == 0


def test_login_config_comes_first() -> None:
    rules = parse_login_config("/AutoPPP/ - a_ppp /usr/sbin/pppd auth\n", "login.config")
    bench = Bench(with_ppp(logins=rules))
    bench.call()
    bench.modem(LCP)
    assert ordered(bench).argv == ("/usr/sbin/pppd", "auth")


def test_a_user_whose_entry_is_ppp_is_not_asked_again() -> None:
    bench = Bench(with_ppp())
    bench.call()
    bench.modem(b"dave\r")
    order = ordered(bench)
    assert (order.argv, order.raw) == (("/ppp", "--logged-in"), True)
    assert order.environment["USER"] == "dave"


def test_without_ppp_that_user_has_the_menu() -> None:
    bench = Bench(replace(with_ppp(), ppp=None))
    bench.call()
    assert b"Welcome, dave" in bench.modem(b"dave\r")
    bench = Bench(replace(with_ppp(), ppp=None))
    bench.call()
    bench.modem(LCP)
    assert bench.named(RunCommand) == []


@pytest.mark.parametrize("by_caller", [False, True])
def test_a_line_that_has_nothing_but_ppp(by_caller: bool) -> None:
    bench = Bench(with_ppp(service=PROGRAMS))
    assert bench.call(b"CONNECT 33600/ARQ") == b""
    assert ordered(bench).argv == ("/ppp", "none")
    assert bench.getty.receive(bytes(6000), bench.now) == 4096
    assert bench.getty.take_command_input() == bytes(4096)
    if by_caller:
        bench.getty.carrier_changed(True, bench.now)
        bench.getty.carrier_changed(False, bench.now)
        bench.drain()
        assert bench.named(StopCommand) == [StopCommand()]
        assert bench.named(CallEnded) == [CallEnded("no carrier")]
    else:
        bench.getty.command_ended(12, bench.now)
        bench.wait(5.0)
        assert bench.named(CallEnded) == [CallEnded("command ended with status 12")]
