"""Reliable provisional responses (RFC 3262), both sides."""

import pytest
from tests.sip.test_ua import Pair, raw, request
from tests.support.sip import ALICE, ANSWER, BOB

from ansam.sip.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallId,
    CallProgress,
    Cancelled,
    IncomingCall,
)
from ansam.sip.message import Request, Response, parse_message
from ansam.sip.ua import UserAgent

SDP_BODY = "v=0\n"


def ringing(pair: Pair) -> tuple[CallId, str, Response]:
    """Let Bob ring for an INVITE that requires 100rel; return the call, his tag and his 180."""
    text = request("INVITE", extra="Require: 100rel\n")
    body = f"Type: application/sdp\nContent-Length: {len(SDP_BODY) + 1}\n"
    raw(pair.bob, pair.wire, text.replace("Length: 0\n", body) + SDP_BODY)
    incoming = next(event for event in pair.bob.take_events() if isinstance(event, IncomingCall))
    pair.bob.ringing(incoming.call, pair.wire.now)
    answer = parse_message(pair.bob.take_outgoing()[-1].data)
    assert isinstance(answer, Response)
    return incoming.call, answer.headers.first("To").partition("tag=")[2], answer


def prack(tag: str, rack: str, cseq: int = 2) -> str:
    return request("PRACK", branch=f"p{cseq}", to=f";tag={tag}", cseq=cseq, extra=f"RAck: {rack}\n")


def test_our_ringing_is_resent_until_its_prack() -> None:
    pair = Pair()
    call, tag, answer = ringing(pair)
    number = int(answer.headers.one("RSeq"))
    assert answer.headers.tokens("Require") == ["100rel"]
    pair.wire.run(8)
    assert len(pair.wire.sent(BOB, b"SIP/2.0 180")) == 4  # after 0.5, 1.5, 3.5 and 7.5 s
    pair.bob.ringing(call, pair.wire.now, 183)
    assert pair.bob.take_outgoing() == []
    (wrong,) = raw(pair.bob, pair.wire, prack(tag, f"{number + 1} 1 INVITE"))
    assert wrong.status == 481
    (broken,) = raw(pair.bob, pair.wire, prack(tag, "1", 3))
    assert broken.status == 400
    good, following = raw(pair.bob, pair.wire, prack(tag, f"{number} 1 INVITE", 4))[::-1]
    assert (good.status, following.status) == (200, 183)
    assert int(following.headers.one("RSeq")) == number + 1
    pair.bob.answer(call, ANSWER, pair.wire.now)
    pair.bob.take_outgoing()
    pair.wire.log.clear()
    pair.wire.run(20)
    assert not pair.wire.sent(BOB, b"SIP/2.0 1")


def test_without_a_prack_the_call_is_refused() -> None:
    pair = Pair()
    call, _, _ = ringing(pair)
    pair.wire.run(33)
    assert pair.wire.sent(BOB, b"SIP/2.0 504")
    assert pair.wire.events[BOB] == [Cancelled(call)]


def test_what_is_not_done() -> None:
    pair = Pair()
    (answer,) = raw(pair.bob, pair.wire, request("INVITE", extra="Require: 100rel\n"))
    assert (answer.status, answer.headers.first("Unsupported")) == (420, "100rel")
    assert [a.status for a in raw(pair.bob, pair.wire, request("PRACK", branch="2", cseq=2))] == [481]


# --- we call ---
def provisional(
    agent: UserAgent, pair: Pair, invite: Request, status: int, fields: str, to: str = "x"
) -> None:
    lines = [
        f"SIP/2.0 {status} Text",
        f"Via: {invite.headers.first('Via')}",
        f"From: {invite.headers.first('From')}",
    ]
    lines += [f"To: <sip:05@192.0.2.2>;tag={to}", f"Call-ID: {invite.headers.first('Call-ID')}"]
    lines += [f"CSeq: {invite.headers.first('CSeq')}", "Contact: <sip:05@192.0.2.2>", *fields.split("|")]
    text = "\r\n".join([*filter(None, lines), "Content-Length: 0", "", ""])
    agent.receive(text.encode(), pair.wire.flow(ALICE, BOB), pair.wire.now)


def sent(agent: UserAgent, method: str) -> list[Request]:
    made = [parse_message(outgoing.data) for outgoing in agent.take_outgoing()]
    return [message for message in made if isinstance(message, Request) and message.method == method]


def test_we_acknowledge_what_the_callee_makes_reliable() -> None:
    pair = Pair()
    call = pair.invite()
    (invite,) = sent(pair.alice, "INVITE")
    provisional(pair.alice, pair, invite, 183, "Require: 100rel|RSeq: 700")
    (first,) = sent(pair.alice, "PRACK")
    assert first.headers.first("RAck") == "700 1 INVITE"
    assert first.headers.first("CSeq") == "2 PRACK"
    for number in (700, 702):
        provisional(pair.alice, pair, invite, 183, f"Require: 100rel|RSeq: {number}")
    assert sent(pair.alice, "PRACK") == []
    provisional(pair.alice, pair, invite, 180, "Require: 100rel|RSeq: 701")
    assert [made.headers.first("CSeq") for made in sent(pair.alice, "PRACK")] == ["3 PRACK"]
    provisional(pair.alice, pair, invite, 180, "Require: 100rel|RSeq: 5", to="fork")
    assert [made.headers.first("RAck") for made in sent(pair.alice, "PRACK")] == ["5 1 INVITE"]
    events = pair.alice.take_events()
    assert [event.status for event in events if isinstance(event, CallProgress)] == [183, 180, 180]
    provisional(pair.alice, pair, invite, 200, "")
    assert [type(event) for event in pair.alice.take_events()] == [CallAnswered]
    pair.alice.take_outgoing()
    pair.alice.bye(call, pair.wire.now)
    (bye,) = sent(pair.alice, "BYE")
    assert bye.headers.first("CSeq") == "4 BYE", "the numbers of the early dialogue go on"


def test_a_421_that_demands_100rel_is_obeyed() -> None:
    pair = Pair()
    call = pair.invite()
    (invite,) = sent(pair.alice, "INVITE")
    assert invite.headers.tokens("Supported") == ["timer"]
    provisional(pair.alice, pair, invite, 421, "Require: 100rel")
    (again,) = sent(pair.alice, "INVITE")
    assert again.headers.tokens("Supported") == ["100rel", "timer"]
    provisional(pair.alice, pair, again, 421, "Require: precondition")
    assert pair.alice.take_events() == [CallFailed(call, 421, "Text")]


@pytest.mark.parametrize(
    ("method", "cseq", "status"),
    [("UPDATE", 1, 200), ("OPTIONS", 1, 200), ("INVITE", 1, 491), ("BYE", 1, 481)],
)
def test_requests_of_a_callee_that_rings(method: str, cseq: int, status: int) -> None:
    pair = Pair()
    call = pair.invite()
    (invite,) = sent(pair.alice, "INVITE")
    provisional(pair.alice, pair, invite, 180, "")
    ours, call_id = invite.headers.first("From"), invite.headers.first("Call-ID")

    def asked(number: int) -> Response:
        text = request(method, branch=f"e{number}", cseq=number).replace(
            "From: <sip:07@x>;tag=f1", f"To: {ours}"
        )
        text = text.replace("To: <sip:05@x>\n", "From: <sip:05@x>;tag=x\n").replace("id1", call_id)
        answers = raw(pair.alice, pair.wire, text)
        assert len(answers) == 1
        return answers[0]

    assert asked(5).status == status
    assert asked(4).status == 500
    provisional(pair.alice, pair, invite, 200, "")
    pair.alice.take_events()
    assert asked(4).status == 500, "the order outlives the answer"
    pair.alice.hang_up(call, pair.wire.now)
    pair.wire.until(ALICE, CallEnded)
    assert pair.alice._calls.idle()
