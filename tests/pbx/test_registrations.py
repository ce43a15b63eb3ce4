"""The location service: RFC 3261 §10.3, flows, limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.pbx.registrations import Registrations, reachable_by
from ansam.pbx.settings import ExchangeSettings
from ansam.sip.events import Flow, RegisterContact, RegisterReceived, RequestId

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.5", 40000))
TCP = Flow("tcp", ("192.0.2.1", 5060), ("192.0.2.5", 40000))
NEAR = "sip:05@192.0.2.5:5070"
BEHIND_NAT = "sip:05@10.0.0.9:5070"


def asking(
    *contacts: tuple[str, int | None],
    call: str = "a",
    cseq: int = 1,
    flow: Flow = FLOW,
    remove_all: bool = False,
) -> RegisterReceived:
    return RegisterReceived(
        RequestId(1),
        "sip:05@h",
        "05",
        tuple(RegisterContact(uri, expires) for uri, expires in contacts),
        remove_all,
        call,
        cseq,
        "05",
        flow,
        "test",
    )


@pytest.fixture
def changed() -> list[str]:
    return []


@pytest.fixture
def book(changed: list[str]) -> Registrations:
    return Registrations(ExchangeSettings(min_expires=60, max_expires=600, contacts_limit=3), changed.append)


def test_register_refresh_expire(book: Registrations, changed: list[str]) -> None:
    verdict = book.register("05", asking((NEAR, 100)), 0)
    assert verdict.status == 200
    assert verdict.contacts == (RegisterContact(NEAR, 100, 1.0),)
    book.register("05", asking((NEAR, 100), cseq=2), 50)
    assert len(book) == 1
    assert book.find("05", 149.9)
    assert not book.find("05", 150)
    assert book.deadline() == 100
    book.handle_timer(100)
    assert book.deadline() == 150
    book.handle_timer(150)
    assert (len(book), book.deadline()) == (0, None)
    assert changed == ["05"] * 3


def test_a_query_changes_nothing(book: Registrations, changed: list[str]) -> None:
    book.register("05", asking((NEAR, 100)), 0)
    assert book.register("05", asking(cseq=2), 1).contacts == (RegisterContact(NEAR, 99, 1.0),)
    assert changed == ["05"]


def test_bounds_of_expiry(book: Registrations) -> None:
    assert book.register("05", asking((NEAR, 59)), 0).status == 423
    assert book.register("05", asking((NEAR, None)), 0).contacts[0].expires == 600
    assert book.register("05", asking((NEAR, 9999), cseq=2), 0).contacts[0].expires == 600


def test_all_contacts_or_none(book: Registrations) -> None:
    assert book.register("05", asking((NEAR, 100), (BEHIND_NAT, 5)), 0).status == 423
    assert len(book) == 0


def test_removal(book: Registrations) -> None:
    book.register("05", asking((NEAR, 100), (BEHIND_NAT, 100)), 0)
    book.register("05", asking((NEAR, 0), cseq=2), 1)
    assert [binding.contact for binding in book.find("05", 1)] == [BEHIND_NAT]
    book.register("05", asking(remove_all=True, cseq=3), 2)
    assert len(book) == 0


def test_requests_out_of_order(book: Registrations) -> None:
    book.register("05", asking((NEAR, 100), cseq=5), 0)
    assert book.register("05", asking((NEAR, 0), cseq=4), 1).status == 500
    assert book.register("05", asking(remove_all=True, cseq=5), 1).status == 500
    assert len(book) == 1
    assert book.register("05", asking((NEAR, 0), call="b", cseq=1), 1).status == 200
    assert len(book) == 0


def test_the_binding_refreshed_longest_ago_makes_room(book: Registrations) -> None:
    for index in range(3):
        book.register("05", asking((f"sip:05@10.0.0.{index}", 100), call=str(index)), index)
    book.register("05", asking(("sip:05@10.0.0.0", 100), call="0", cseq=2), 10)
    book.register("05", asking(("sip:05@10.0.0.9", 100), call="9"), 11)
    assert [binding.contact[-1] for binding in book.find("05", 12)] == ["9", "0", "2"]


@pytest.mark.parametrize(
    ("contact", "flow", "remote"),
    [
        (NEAR, FLOW, ("192.0.2.5", 5070)),
        ("sip:05@192.0.2.5", FLOW, ("192.0.2.5", 5060)),
        (BEHIND_NAT, FLOW, ("192.0.2.5", 40000)),
        ("sip:05@phone.invalid", FLOW, ("192.0.2.5", 40000)),
        ("tel:05", FLOW, ("192.0.2.5", 40000)),
        (NEAR, TCP, ("192.0.2.5", 40000)),
    ],
)
def test_the_way_back(book: Registrations, contact: str, flow: Flow, remote: tuple[str, int]) -> None:
    book.register("05", asking((contact, 100), flow=flow), 0)
    assert book.find("05", 1)[0].flow.remote == remote


def test_a_lost_connection(book: Registrations) -> None:
    book.register("05", asking((NEAR, 100), (BEHIND_NAT, 100), flow=TCP), 0)
    book.flow_closed(TCP, 1)
    (left,) = book.find("05", 1)
    assert left.flow == reachable_by(NEAR, TCP)


def test_restore(book: Registrations, changed: list[str]) -> None:
    book.register("05", asking((NEAR, 100), (BEHIND_NAT, 100)), 0)
    book.register("05", asking(("sip:x@10.9.9.9", 100), call="t", flow=TCP), 0)
    changed.clear()
    other = Registrations(ExchangeSettings(), changed.append)
    other.restore(list(book), 50)
    assert {binding.contact for binding in other.find("05", 50)} == {NEAR, BEHIND_NAT}
    assert not changed
    late = Registrations(ExchangeSettings())
    late.restore(list(book), 100)
    assert len(late) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([0, 60, 100, 900]), st.integers(0, 200), st.booleans()),
        max_size=30,
    )
)
def test_limits_hold_whatever_comes(steps: list[tuple[int, int, int, bool]]) -> None:
    book = Registrations(ExchangeSettings(contacts_limit=3))
    now = 0.0
    for cseq, (who, expires, wait, timer) in enumerate(steps):
        now += wait
        book.register("05", asking((f"sip:{who}@10.0.0.1", expires), cseq=cseq), now)
        if timer:
            book.handle_timer(now)
        living = book.find("05", now)
        assert len(living) <= 3
        if expires:
            assert living[0].contact == f"sip:{who}@10.0.0.1"
        due = book.deadline()
        if living:
            assert due is not None
            assert due <= min(binding.expires_at for binding in living)
