"""Dialogues: where requests go and what they carry (RFC 3261 §12)."""

import pytest

from ansam.errors import RemoteProtocolError
from ansam.sip.dialog import dialog_of_callee, dialog_of_caller
from ansam.sip.events import Flow
from ansam.sip.headers import Headers
from ansam.sip.message import Request, Response

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.9", 5060))
INVITE = Request(
    "INVITE",
    "sip:05@x",
    Headers.of(
        [
            ("From", '"Seven" <sip:07@x>;tag=a'),
            ("To", "<sip:05@x>"),
            ("Call-ID", "c"),
            ("CSeq", "7 INVITE"),
            ("Contact", "<sip:07@192.0.2.1:5062>"),
            ("Record-Route", "<sip:p2;lr>, <sip:192.0.2.7:5070;lr>"),
        ]
    ),
)
OK = Response(
    200,
    "OK",
    INVITE.headers.replaced("To", "<sip:05@x>;tag=b").replaced("Contact", "<sip:05@192.0.2.2:5064>"),
)


def test_both_ends_have_the_same_dialogue_mirrored() -> None:
    caller = dialog_of_caller(INVITE, OK, FLOW, "sip:07@192.0.2.1", True)
    callee = dialog_of_callee(INVITE, "b", FLOW, "sip:05@192.0.2.2", True)
    assert caller.identity == ("c", "a", "b")
    assert callee.identity == ("c", "b", "a")
    assert caller.routes == callee.routes[::-1] == ("<sip:192.0.2.7:5070;lr>", "<sip:p2;lr>")
    bye = caller.request("BYE")
    assert bye.uri == "sip:05@192.0.2.2:5064"
    assert bye.headers.all("Route") == ["<sip:192.0.2.7:5070;lr>", "<sip:p2;lr>"]
    assert bye.headers.first("CSeq") == "8 BYE"
    assert bye.headers.first("From") == '"Seven" <sip:07@x>;tag=a'
    assert bye.headers.first("To") == "<sip:05@x>;tag=b"
    assert callee.request("BYE").headers.first("To") == '"Seven" <sip:07@x>;tag=a'
    assert callee.request("BYE").headers.first("CSeq") == "2 BYE"
    assert caller.request("ACK", number=7).headers.first("CSeq") == "7 ACK"


def test_the_next_hop_is_the_first_route_or_the_contact_if_it_is_an_address() -> None:
    dialog = dialog_of_caller(INVITE, OK, FLOW, "sip:07@192.0.2.1", True)
    assert dialog.next_hop().remote == ("192.0.2.7", 5070)
    dialog.routes = dialog.routes[1:]
    assert dialog.next_hop() == FLOW  # a name: nobody resolves it here
    dialog.routes = ()
    assert dialog.next_hop().remote == ("192.0.2.2", 5064)
    dialog.target = "sip:05@[2001:db8::5]"
    assert dialog.next_hop().remote == ("2001:db8::5", 5060)
    dialog.target = "tel:05"
    assert dialog.next_hop() == FLOW
    dialog.target, dialog.follow_contact = "sip:05@192.0.2.2", False
    assert dialog.next_hop() == FLOW
    dialog.flow, dialog.follow_contact = Flow("tcp", FLOW.local, FLOW.remote), True
    assert dialog.next_hop() == dialog.flow


def test_a_strict_router_takes_the_place_of_the_uri() -> None:
    dialog = dialog_of_caller(INVITE, OK, FLOW, "sip:07@192.0.2.1", True)
    dialog.routes = ("<sip:old-proxy>", "<sip:p2;lr>")
    bye = dialog.request("BYE")
    assert bye.uri == "sip:old-proxy"
    assert bye.headers.all("Route") == ["<sip:p2;lr>", "<sip:05@192.0.2.2:5064>"]


def test_numbers_must_rise() -> None:
    dialog = dialog_of_callee(INVITE, "b", FLOW, "sip:05@192.0.2.2", True)
    for number, expected in ((7, False), (8, True), (8, False), (5, False), (20, True)):
        request = Request("BYE", "sip:05@x", INVITE.headers.replaced("CSeq", f"{number} BYE"))
        assert dialog.in_order(request) is expected


def test_a_missing_or_broken_contact_keeps_the_target() -> None:
    bare = Response(200, "OK", OK.headers.without("Contact"))
    dialog = dialog_of_caller(INVITE, bare, FLOW, "sip:07@192.0.2.1", True)
    assert dialog.target == "sip:05@x"
    dialog.refresh(Response(200, "OK", Headers.of([("Contact", "<broken")])))
    assert dialog.target == "sip:05@x"
    dialog.refresh(OK)
    assert dialog.target == "sip:05@192.0.2.2:5064"


def test_an_endless_route_set_is_refused() -> None:
    long = INVITE.headers.plus(*[("Record-Route", "<sip:p;lr>")] * 40)
    with pytest.raises(RemoteProtocolError):
        dialog_of_callee(Request("INVITE", "sip:05@x", long), "b", FLOW, "sip:05@x", True)
