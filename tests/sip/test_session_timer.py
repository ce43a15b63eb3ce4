"""Session timers (RFC 4028) and UPDATE (RFC 3311) between two of our agents, and against scripted peers."""

import pytest
from tests.sip.test_ua import Pair, raw, request
from tests.support.sip import ALICE, ANSWER, BOB, OFFER

from ansam.errors import RemoteProtocolError
from ansam.sip.events import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallId,
    IncomingCall,
    Reinvite,
    ReinviteAnswered,
    ReinviteFailed,
)
from ansam.sip.headers import Headers
from ansam.sip.message import Request, Response, parse_message
from ansam.sip.session_timer import Interval, grant, granted_by, granting_fields, session_expires, too_short
from ansam.sip.ua import UserAgentConfig


def invite(*fields: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:x@y", Headers.of(fields))


# --- what is granted ---
@pytest.mark.parametrize(
    ("supported", "asked", "granted"),
    [
        (True, "600;refresher=uac", Interval(600, "uac")),
        (True, "600;refresher=uas", Interval(600, "uas")),
        (True, "600", Interval(600, "uac")),
        (True, "600 ; Refresher=UAS;x=y", Interval(600, "uas")),
        (False, "600;refresher=uac", Interval(600, "uas")),
        (False, "20", Interval(90, "uas")),
        (True, "4000000", Interval(86400, "uac")),
        (True, "", None),
    ],
)
def test_table_2(supported: bool, asked: str, granted: Interval | None) -> None:
    fields = [("Session-Expires", asked)] if asked else []
    made = invite(*fields, *([("Supported", "timer")] if supported else []))
    assert grant(made) == granted
    required = ("Require", "timer") in granting_fields(granted)
    assert required == (granted is not None and granted.refresher == "uac")


def test_an_interval_of_our_own() -> None:
    assert grant(invite(), 30) == Interval(90, "uas")
    assert grant(invite(("x", "200"), ("Supported", "timer")), 600) == Interval(200, "uac")


def test_a_client_that_does_not_know_timers_is_not_told_422() -> None:
    assert too_short(invite(("x", "89"), ("Supported", "timer")))
    assert not too_short(invite(("x", "90"), ("Supported", "timer")))
    assert not too_short(invite(("x", "89")))


def test_what_cannot_be_read() -> None:
    with pytest.raises(RemoteProtocolError):
        session_expires(invite(("Session-Expires", "soon")))
    assert granted_by(Response(200, "OK", Headers.of([("Session-Expires", "soon")]))) is None


# --- between two agents ---
def timed(seconds: int = 600) -> Pair:
    """Alice asks for a session timer."""
    pair = Pair()
    pair.wire.add(ALICE, UserAgentConfig(session_expires=seconds))
    pair.alice = pair.wire.agents[ALICE]
    return pair


def test_nobody_asks_by_default() -> None:
    pair = Pair()
    pair.connect()
    pair.wire.run(10_000)
    assert len(pair.wire.sent(ALICE, b"UPDATE") + pair.wire.sent(BOB, b"UPDATE")) == 0


def test_the_caller_refreshes_by_update_and_nobody_hears_of_it() -> None:
    pair = timed()
    ours, _ = pair.connect()
    pair.wire.run(1801)
    updates = pair.wire.sent(ALICE, b"UPDATE")
    assert len(updates) == 6
    assert b"Session-Expires: 600;refresher=uac" in updates[0]
    assert b"\r\nContact: " in updates[0]
    assert pair.wire.events == {ALICE: [], BOB: []}
    pair.alice.bye(ours, pair.wire.now)
    pair.wire.until(BOB, CallEnded)
    pair.wire.until(ALICE, CallEnded)
    pair.settle()


def test_a_caller_that_vanishes_is_hung_up_shortly_before_the_end() -> None:
    pair = timed()
    _, theirs = pair.connect()
    pair.wire.lose = lambda source, data: source == ALICE
    start = pair.wire.now
    assert pair.wire.until(BOB, CallEnded, 700) == CallEnded(theirs, True, "session expired", 408)
    assert 566 <= pair.wire.now - start <= 600


def test_a_callee_that_vanishes_is_noticed_by_the_refresh() -> None:
    pair = timed()
    ours, _ = pair.connect()
    pair.wire.lose = lambda source, data: source == BOB
    ended = pair.wire.until(ALICE, CallEnded, 700)
    assert (ended.call, ended.by_us, ended.status) == (ours, True, 408)
    assert pair.wire.now - 100 <= 340


@pytest.mark.parametrize("least", [200, 1200])
def test_a_422_is_asked_again_with_what_it_names(monkeypatch: pytest.MonkeyPatch, least: int) -> None:
    pair = timed(150)
    monkeypatch.setattr("ansam.sip.uas.MIN_SE", least)
    monkeypatch.setattr("ansam.sip.session_timer.MIN_SE", least)
    pair.connect()
    first, second = pair.wire.sent(ALICE, b"INVITE")
    assert b"Session-Expires: 150\r\n" in first
    assert f"Session-Expires: {least}\r\n".encode() in second
    assert f"Min-SE: {least}\r\n".encode() in second
    assert b"CSeq: 2 INVITE" in second


def test_a_peer_that_always_says_422_ends_the_call_attempt() -> None:
    pair = timed()
    call = pair.invite()
    for _ in range(5):
        for outgoing in pair.alice.take_outgoing():
            if outgoing.data.startswith(b"INVITE"):
                text = outgoing.data.decode().split("\r\n")
                kept = [line for line in text if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq")]
                kept += ["To: <sip:05@x>;tag=t", "Min-SE: 999999", "Content-Length: 0", "", ""]
                data = "\r\n".join(["SIP/2.0 422 Session Interval Too Small", *kept]).encode()
                pair.alice.receive(data, pair.wire.flow(ALICE, BOB), pair.wire.now)
    failed = [event for event in pair.alice.take_events()]
    assert [(event.call, event.status) for event in failed] == [(call, 422)]


def test_a_short_interval_is_refused_with_what_is_least() -> None:
    pair = Pair()
    extra = "Supported: timer\nSession-Expires: 60\n"
    (answer,) = raw(pair.bob, pair.wire, request("INVITE", extra=extra))
    assert (answer.status, answer.headers.first("Min-SE")) == (422, "90")


# --- a scripted caller ---
def scripted(pair: Pair, extra: str) -> tuple[CallId, str, Response]:
    """Let Bob answer an INVITE; return the call, his tag and his 200."""
    raw(pair.bob, pair.wire, request("INVITE", extra=extra))
    incoming = next(event for event in pair.bob.take_events() if isinstance(event, IncomingCall))
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)
    answer = parse_message(pair.bob.take_outgoing()[-1].data)
    assert isinstance(answer, Response)
    tag = answer.headers.first("To").partition("tag=")[2]
    raw(pair.bob, pair.wire, request("ACK", branch="ack", to=f";tag={tag}"))
    pair.bob.take_events()
    return incoming.call, tag, answer


def sent_by_bob(pair: Pair, start: float, seconds: float) -> list[tuple[float, str]]:
    pair.wire.log.clear()
    pair.wire.run(seconds)
    return [
        (round(at - start, 1), data.split(b" ")[0].decode())
        for at, source, _, data in pair.wire.log
        if source == BOB
    ]


def test_the_callee_refreshes_a_caller_without_update_by_reinvite() -> None:
    pair = Pair()
    _, _, answer = scripted(pair, "Allow: INVITE, ACK, BYE\nSession-Expires: 200\nContact: <sip:07@x>\n")
    assert answer.headers.first("Session-Expires") == "200;refresher=uas"
    assert not answer.headers.tokens("Require")
    start = pair.wire.now
    pair.wire.agents.pop(ALICE)
    log = sent_by_bob(pair, start, 101)
    assert log[0] == (100.0, "INVITE")
    invite = pair.wire.sent(BOB, b"INVITE")[0]
    assert b"Session-Expires: 200;refresher=uac" in invite
    assert invite.endswith(ANSWER)


def test_the_callee_ends_a_call_that_its_caller_does_not_refresh() -> None:
    pair = Pair()
    _, tag, answer = scripted(pair, "Allow: UPDATE\nSupported: timer\nSession-Expires: 90;refresher=uac\n")
    assert answer.headers.tokens("Require") == ["timer"]
    pair.wire.run(50)
    update = request(
        "UPDATE", branch="u", to=f";tag={tag}", cseq=2, extra="Supported: timer\nSession-Expires: 90\n"
    )
    (refreshed,) = raw(pair.bob, pair.wire, update)
    assert refreshed.headers.first("Session-Expires") == "90;refresher=uac"
    start = pair.wire.now
    pair.wire.until(BOB, CallEnded)
    assert pair.wire.now - start == pytest.approx(60)


# --- UPDATE with a description ---
def test_update_with_an_offer_is_a_reinvite_without_ack() -> None:
    pair = Pair()
    call, tag, _ = scripted(pair, "")

    def update(cseq: int, body: str = "v=0\n") -> str:
        text = request("UPDATE", branch=f"u{cseq}", to=f";tag={tag}", cseq=cseq)
        return text.replace("Length: 0\n", f"Type: application/sdp\nContent-Length: {len(body) + 1}\n") + body

    assert raw(pair.bob, pair.wire, update(2)) == []
    assert pair.bob.take_events() == [Reinvite(call, b"v=0\r\n")]
    assert [answer.status for answer in raw(pair.bob, pair.wire, update(3))] == [500]
    pair.bob.reject_reinvite(call, pair.wire.now)
    assert pair.bob.take_outgoing()[0].data.startswith(b"SIP/2.0 488")
    raw(pair.bob, pair.wire, update(4))
    pair.bob.accept_reinvite(call, b"new", pair.wire.now)
    (answer,) = [parse_message(outgoing.data) for outgoing in pair.bob.take_outgoing()]
    assert (answer.status, answer.body) == (200, b"new")  # type: ignore[union-attr]
    pair.wire.run(40)
    assert pair.wire.sent(BOB, b"SIP/2.0") == [], "no ACK is due, so nothing is sent again"


def test_an_offer_of_the_owner_waits_for_a_refresh() -> None:
    pair = Pair()
    pair.wire.add(ALICE, UserAgentConfig(session_expires=200))
    pair.alice = pair.wire.agents[ALICE]
    ours, theirs = pair.connect()
    session = pair.alice._calls.find(ours)
    session._peer_updates = False  # type: ignore[union-attr]
    pair.wire.run(99.98)
    pair.wire.lose = lambda source, data: source == BOB
    pair.wire.run(0.1)
    pair.alice.reinvite(ours, b"wish", pair.wire.now)
    pair.wire.lose = lambda source, data: False
    assert pair.wire.until(BOB, Reinvite).sdp == OFFER
    pair.bob.accept_reinvite(theirs, ANSWER, pair.wire.now)
    pair.wire.until(BOB, CallConfirmed)
    assert pair.wire.until(BOB, Reinvite).sdp == b"wish"
    pair.bob.accept_reinvite(theirs, b"granted", pair.wire.now)
    assert pair.wire.until(ALICE, ReinviteAnswered).sdp == b"granted"


@pytest.mark.parametrize("status", [405, 501, 491, 503])
def test_a_refused_refresh_is_tried_again(status: int) -> None:
    pair = timed(200)
    _, theirs = pair.connect()
    inspect = pair.bob._calls.on_request
    refused: list[str] = []

    def refusing(key: object, asked: Request, now: float) -> None:
        if len(refused) < (1 if status > 500 or status == 405 else 2) and asked.method == "UPDATE":
            refused.append(asked.method)
            pair.bob._core.respond(key, asked, status, now)  # type: ignore[arg-type]
        else:
            inspect(key, asked, now)  # type: ignore[arg-type]

    pair.bob._calls.on_request = refusing  # type: ignore[method-assign, assignment]
    pair.wire.run(115)
    assert refused
    if status in (405, 501):
        assert pair.wire.until(BOB, Reinvite).sdp == OFFER
        pair.bob.accept_reinvite(theirs, ANSWER, pair.wire.now)
        pair.wire.until(BOB, CallConfirmed)
    pair.wire.run(150)
    assert not [
        e for e in pair.wire.events[ALICE] if isinstance(e, CallEnded | ReinviteFailed | CallAnswered)
    ]
