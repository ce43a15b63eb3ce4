"""Two user agents on a hand-stepped wire: every call flow, every message lost once, heavy random loss."""

import contextlib
import itertools
import random

import pytest
from tests.support.sip import ALICE, ANSWER, BOB, OFFER, Wire

from ansam.errors import LocalProtocolError
from ansam.sip.auth import AuthServer, Credentials
from ansam.sip.events import (
    AuthenticationFailed,
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallFailed,
    CallId,
    CallProgress,
    Cancelled,
    Flow,
    IncomingCall,
    RegisterContact,
    Registered,
    RegisterReceived,
    RegistrationFailed,
    RegistrationId,
    Reinvite,
    ReinviteAnswered,
    ReinviteFailed,
    Unregistered,
)
from ansam.sip.message import Request, Response, parse_message, serialise
from ansam.sip.ua import UserAgent, UserAgentConfig

SECRETS = {"07": "secret", "05": "other"}
CREDENTIALS = Credentials("07", "secret")


def exchange_config(**options: object) -> UserAgentConfig:
    auth = AuthServer("ansam", SECRETS.get, b"0123456789abcdef", **options)  # type: ignore[arg-type]
    return UserAgentConfig(registrar=True, auth=auth)


class Pair:
    """Alice calls Bob."""

    def __init__(self, wire: Wire | None = None, bob: UserAgentConfig | None = None) -> None:
        self.wire = wire or Wire()
        self.alice = self.wire.add(ALICE)
        self.bob = self.wire.add(BOB, bob)

    def invite(self, credentials: Credentials | None = None) -> CallId:
        flow = self.wire.flow(ALICE, BOB)
        return self.alice.invite(
            "sip:05@192.0.2.2",
            flow,
            self.wire.now,
            from_="sip:07@192.0.2.2",
            sdp=OFFER,
            credentials=credentials,
        )

    def connect(self) -> tuple[CallId, CallId]:
        ours = self.invite()
        theirs = self.wire.until(BOB, IncomingCall).call
        self.bob.answer(theirs, ANSWER, self.wire.now)
        self.wire.until(ALICE, CallAnswered)
        self.wire.until(BOB, CallConfirmed)
        return ours, theirs

    def settle(self) -> None:
        """Let all timers run out; nothing may be left behind."""
        self.wire.run(200)
        assert self.wire.events == {ALICE: [], BOB: []}
        for agent in (self.alice, self.bob):
            assert agent.deadline() is None
            assert agent.idle()


def test_a_call_from_ring_to_bye() -> None:
    pair = Pair()
    call = pair.invite()
    incoming = pair.wire.until(BOB, IncomingCall)
    assert (incoming.uri, incoming.from_, incoming.sdp) == ("sip:05@192.0.2.2", "sip:07@192.0.2.2", OFFER)
    assert incoming.authenticated_user is None
    pair.bob.ringing(incoming.call, pair.wire.now)
    assert pair.wire.until(ALICE, CallProgress) == CallProgress(call, 180, "Ringing", b"")
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)
    assert pair.wire.until(ALICE, CallAnswered) == CallAnswered(call, ANSWER)
    assert pair.wire.until(BOB, CallConfirmed) == CallConfirmed(incoming.call, b"")
    pair.bob.bye(incoming.call, pair.wire.now, "carrier lost")
    ended = pair.wire.until(ALICE, CallEnded)
    assert (ended.by_us, ended.status) == (False, 200)
    assert "carrier lost" in ended.reason
    assert pair.wire.until(BOB, CallEnded) == CallEnded(incoming.call, True, "", 200)
    pair.settle()


def test_trying_is_sent_at_once() -> None:
    pair = Pair()
    pair.invite()
    pair.wire.until(BOB, IncomingCall)
    assert pair.wire.sent(BOB, b"SIP/2.0 100 Trying")
    assert not pair.wire.sent(BOB, b"SIP/2.0 1")[1:]


@pytest.mark.parametrize("status", [302, 404, 408, 480, 486, 487, 488, 500, 603])
def test_refusals_arrive_with_status_and_reason(status: int) -> None:
    pair = Pair()
    call = pair.invite()
    pair.bob.reject(pair.wire.until(BOB, IncomingCall).call, status, pair.wire.now, "Because")
    assert pair.wire.until(ALICE, CallFailed) == CallFailed(call, status, "Because")
    pair.settle()


def test_a_silent_peer_is_a_408_after_32_seconds() -> None:
    pair = Pair()
    pair.wire.loss = 1.0
    start = pair.wire.now
    call = pair.invite()
    assert pair.wire.until(ALICE, CallFailed) == CallFailed(call, 408, "Request Timeout")
    assert pair.wire.now - start == pytest.approx(32.0)


def test_a_dead_transport_is_a_503() -> None:
    pair = Pair()
    call = pair.invite()
    pair.alice.transport_failed(pair.wire.flow(ALICE, BOB), pair.wire.now)
    assert pair.wire.until(ALICE, CallFailed) == CallFailed(call, 503, "Service Unavailable")


def test_cancel_while_ringing() -> None:
    pair = Pair()
    call = pair.invite()
    incoming = pair.wire.until(BOB, IncomingCall)
    pair.bob.ringing(incoming.call, pair.wire.now)
    pair.wire.until(ALICE, CallProgress)
    pair.alice.cancel(call, pair.wire.now)
    assert pair.wire.until(BOB, Cancelled) == Cancelled(incoming.call)
    assert pair.wire.until(ALICE, CallFailed) == CallFailed(call, 487, "Request Terminated")
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)  # too late: nothing happens
    pair.settle()


def test_cancel_before_any_response_waits_for_one() -> None:
    pair = Pair()
    call = pair.invite()
    pair.alice.cancel(call, pair.wire.now)
    assert not pair.wire.sent(ALICE, b"CANCEL")
    pair.wire.until(BOB, Cancelled)
    pair.wire.until(ALICE, CallFailed)
    assert pair.wire.sent(ALICE, b"CANCEL")
    pair.wire.events[BOB].clear()
    pair.settle()


def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() -> None:
    pair = Pair()
    call = pair.invite()
    incoming = pair.wire.until(BOB, IncomingCall)
    pair.wire.run(0.1)
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)
    pair.alice.cancel(call, pair.wire.now)
    assert pair.wire.until(ALICE, CallFailed) == CallFailed(call, 487, "Request Terminated")
    pair.wire.until(BOB, CallConfirmed)
    ended = pair.wire.until(BOB, CallEnded)
    assert not ended.by_us
    pair.settle()


def test_a_cancel_without_a_final_response_ends_after_32_seconds() -> None:
    pair = Pair()
    call = pair.invite()
    pair.wire.until(BOB, IncomingCall)
    pair.wire.run(0.1)
    pair.wire.lose = lambda source, data: source == BOB
    start = pair.wire.now
    pair.alice.cancel(call, pair.wire.now)
    pair.wire.until(ALICE, CallFailed)
    assert pair.wire.now - start == pytest.approx(32.0)


def test_both_hang_up_at_once() -> None:
    pair = Pair()
    ours, theirs = pair.connect()
    pair.alice.bye(ours, pair.wire.now)
    pair.bob.bye(theirs, pair.wire.now)
    assert pair.wire.until(ALICE, CallEnded).by_us
    assert pair.wire.until(BOB, CallEnded).by_us
    pair.settle()


def test_a_bye_right_after_the_answer_waits_for_the_ack() -> None:
    pair = Pair()
    pair.invite()
    incoming = pair.wire.until(BOB, IncomingCall)
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)
    pair.bob.bye(incoming.call, pair.wire.now)
    pair.wire.until(BOB, CallEnded)
    order = [data.split(b" ")[0] for _, _, _, data in pair.wire.log]
    assert order.index(b"BYE") > order.index(b"ACK")


def test_a_2xx_is_resent_until_its_ack() -> None:
    pair = Pair()
    lost = itertools.count()
    pair.wire.lose = lambda source, data: data.startswith(b"ACK") and next(lost) < 3
    pair.connect()
    assert len(pair.wire.sent(BOB, b"SIP/2.0 200")) == 4
    acks = pair.wire.sent(ALICE, b"ACK")
    assert len(set(acks)) == 1


def test_without_any_ack_the_call_is_ended_with_408() -> None:
    pair = Pair()
    pair.wire.lose = lambda source, data: data.startswith(b"ACK")
    pair.invite()
    incoming = pair.wire.until(BOB, IncomingCall)
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)
    assert pair.wire.until(BOB, CallEnded) == CallEnded(incoming.call, True, "no ACK", 408)
    pair.wire.until(ALICE, CallAnswered)
    assert not pair.wire.until(ALICE, CallEnded).by_us


def test_a_bye_nobody_answers_ends_with_408() -> None:
    pair = Pair()
    ours, _ = pair.connect()
    pair.wire.loss = 1.0
    pair.alice.bye(ours, pair.wire.now)
    assert pair.wire.until(ALICE, CallEnded) == CallEnded(ours, True, "no answer to BYE", 408)


def test_an_invite_without_offer_gets_ours() -> None:
    pair = Pair()
    flow = pair.wire.flow(ALICE, BOB)
    pair.alice.invite("sip:05@192.0.2.2", flow, pair.wire.now, from_="sip:07@x", sdp=b"")
    incoming = pair.wire.until(BOB, IncomingCall)
    assert incoming.sdp == b""
    pair.bob.answer(incoming.call, OFFER, pair.wire.now)
    assert pair.wire.until(ALICE, CallAnswered).sdp == OFFER


# --- re-INVITE ---
def test_a_refused_reinvite_leaves_the_call_as_it_was() -> None:
    pair = Pair()
    ours, theirs = pair.connect()
    pair.bob.reinvite(theirs, b"v=0 image", pair.wire.now)
    asked = pair.wire.until(ALICE, Reinvite)
    assert asked == Reinvite(ours, b"v=0 image")
    pair.alice.reject_reinvite(ours, pair.wire.now)
    assert pair.wire.until(BOB, ReinviteFailed) == ReinviteFailed(theirs, 488, "Not Acceptable Here")
    pair.alice.bye(ours, pair.wire.now)
    pair.wire.until(BOB, CallEnded)
    pair.wire.until(ALICE, CallEnded)
    pair.settle()


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_an_accepted_reinvite(who: str) -> None:
    pair = Pair()
    ours, theirs = pair.connect()
    asker, call = (pair.alice, ours) if who == "alice" else (pair.bob, theirs)
    answerer, other = (pair.bob, theirs) if who == "alice" else (pair.alice, ours)
    places = (ALICE, BOB) if who == "alice" else (BOB, ALICE)
    for sdp in (b"one", b"two"):
        asker.reinvite(call, sdp, pair.wire.now)
        assert pair.wire.until(places[1], Reinvite) == Reinvite(other, sdp)
        answerer.accept_reinvite(other, b"yes " + sdp, pair.wire.now)
        assert pair.wire.until(places[0], ReinviteAnswered) == ReinviteAnswered(call, b"yes " + sdp)
        pair.wire.until(places[1], CallConfirmed)
    pair.alice.bye(ours, pair.wire.now)
    pair.wire.until(BOB, CallEnded)
    pair.wire.until(ALICE, CallEnded)
    pair.settle()


@pytest.mark.parametrize("seed", range(5))
def test_crossing_reinvites_both_succeed_in_the_end(seed: int) -> None:
    pair = Pair(Wire(seed))
    ours, theirs = pair.connect()
    pair.alice.reinvite(ours, b"a", pair.wire.now)
    pair.bob.reinvite(theirs, b"b", pair.wire.now)
    with pytest.raises(LocalProtocolError):
        pair.alice.reinvite(ours, b"again", pair.wire.now)
    asked = pair.wire.until(ALICE, Reinvite)  # Bob does not own the Call-ID: he is the first to try again
    pair.alice.accept_reinvite(asked.call, b"a2", pair.wire.now)
    assert pair.wire.until(BOB, ReinviteAnswered).sdp == b"a2"
    asked = pair.wire.until(BOB, Reinvite)
    pair.bob.accept_reinvite(asked.call, b"b2", pair.wire.now)
    assert pair.wire.until(ALICE, ReinviteAnswered).sdp == b"b2"
    assert len(pair.wire.sent(ALICE, b"SIP/2.0 491")) == len(pair.wire.sent(BOB, b"SIP/2.0 491")) == 1


def test_a_second_offer_before_the_first_is_settled_gets_500() -> None:
    pair = Pair()
    _, theirs = pair.connect()
    pair.bob.reinvite(theirs, b"one", pair.wire.now)
    pair.wire.until(ALICE, Reinvite)
    invite = pair.wire.sent(BOB, b"INVITE")[-1]
    again = invite.replace(b"CSeq: 1 ", b"CSeq: 2 ").replace(b"branch=z9hG4bK", b"branch=z9hG4bKx")
    pair.alice.receive(again, pair.wire.flow(ALICE, BOB), pair.wire.now)
    pair.wire.run(0.1)
    assert b"\r\nRetry-After: " in pair.wire.sent(ALICE, b"SIP/2.0 500")[0]


def test_a_bye_during_an_open_reinvite_settles_both() -> None:
    pair = Pair()
    ours, theirs = pair.connect()
    pair.bob.reinvite(theirs, b"one", pair.wire.now)
    pair.wire.until(ALICE, Reinvite)
    pair.alice.bye(ours, pair.wire.now)
    pair.wire.until(ALICE, CallEnded)
    pair.wire.until(BOB, CallEnded)
    assert pair.wire.until(BOB, ReinviteFailed).status == 487
    pair.alice.accept_reinvite(ours, b"late", pair.wire.now)
    pair.settle()


def test_a_reinvite_nobody_answers_ends_the_call() -> None:
    pair = Pair()
    ours, _ = pair.connect()
    pair.wire.loss = 1.0
    pair.alice.reinvite(ours, b"one", pair.wire.now)
    assert pair.wire.until(ALICE, CallEnded).status == 408


# --- authentication ---
@pytest.mark.parametrize("algorithms", [("SHA-256", "MD5"), ("MD5",), ("SHA-256",), ("MD5", "SHA-256")])
def test_a_call_with_digest(algorithms: tuple[str, ...]) -> None:
    pair = Pair(bob=exchange_config(algorithms=algorithms))
    pair.invite(CREDENTIALS)
    incoming = pair.wire.until(BOB, IncomingCall)
    assert incoming.authenticated_user == "07"
    strongest = b"SHA-256" if "SHA-256" in algorithms else b"MD5"
    assert b"algorithm=" + strongest in pair.wire.sent(ALICE, b"INVITE")[-1]


@pytest.mark.parametrize("credentials", [None, Credentials("07", "wrong"), Credentials("99", "secret")])
def test_no_call_without_the_right_password(credentials: Credentials | None) -> None:
    pair = Pair(bob=exchange_config())
    call = pair.invite(credentials)
    assert pair.wire.until(ALICE, CallFailed) == CallFailed(call, 401, "Unauthorized")
    events = pair.wire.events[BOB]
    assert len(events) == (0 if credentials is None else 1)
    assert all(isinstance(event, AuthenticationFailed) for event in events)
    events.clear()
    pair.settle()


def test_a_challenged_bye_is_repeated_with_credentials() -> None:
    pair = Pair()
    call = pair.invite(CREDENTIALS)
    incoming = pair.wire.until(BOB, IncomingCall)
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)
    pair.wire.until(BOB, CallConfirmed)
    pair.wire.events[ALICE].clear()
    pair.alice.bye(call, pair.wire.now)
    bye = parse_message(pair.alice.take_outgoing()[0].data)
    assert isinstance(bye, Request)
    copied = bye.headers.without("Max-Forwards", "User-Agent", "Content-Length")
    challenge = ("Proxy-Authenticate", 'Digest realm="p", nonce="n", qop="auth,auth-int"')
    refused = Response(407, "Proxy Authentication Required", copied.plus(challenge))
    pair.alice.receive(serialise(refused), pair.wire.flow(ALICE, BOB), pair.wire.now)
    pair.wire.until(BOB, CallEnded)
    pair.wire.until(ALICE, CallEnded)
    assert b"\r\nProxy-Authorization: Digest " in pair.wire.sent(ALICE, b"BYE")[-1]


# --- registration ---
class Registrar:
    """Answers every REGISTER of the wire's second agent."""

    def __init__(self, pair: Pair, granted: int = 60) -> None:
        self.pair = pair
        self.granted = granted
        self.seen: list[RegisterReceived] = []

    def serve(self, seconds: float) -> None:
        wire = self.pair.wire
        end = wire.now + seconds
        while wire.step(end):
            for event in list(wire.events[BOB]):
                if isinstance(event, RegisterReceived):
                    wire.events[BOB].remove(event)
                    self.seen.append(event)
                    contacts = [
                        RegisterContact(contact.uri, min(self.granted, contact.expires or 0))
                        for contact in event.contacts
                        if contact.expires
                    ]
                    self.pair.bob.respond_register(event.request, 200, wire.now, contacts)
        wire.now = end


def test_registration_is_refreshed_and_removed() -> None:
    pair = Pair(bob=exchange_config())
    registrar = Registrar(pair)
    flow = pair.wire.flow(ALICE, BOB)
    identity = pair.alice.register("sip:07@192.0.2.2", flow, pair.wire.now, credentials=CREDENTIALS)
    registrar.serve(200)
    assert registrar.seen[0].aor == "sip:07@192.0.2.2"
    assert registrar.seen[0].authenticated_user == "07"
    assert registrar.seen[0].contacts == (RegisterContact("sip:07@192.0.2.1:5060", 3600),)
    assert {event.call_id for event in registrar.seen} == {registrar.seen[0].call_id}
    # Within 200 s of 60 s each: at least every 45 s, at most every 25 s.
    assert 4 <= len(registrar.seen) <= 8
    registered = [event for event in pair.wire.events[ALICE] if isinstance(event, Registered)]
    assert registered == [Registered(identity, 60)] * len(registrar.seen)
    pair.alice.unregister(identity, pair.wire.now)
    pair.alice.unregister(identity, pair.wire.now)
    registrar.serve(1)
    assert registrar.seen[-1].contacts[0].expires == 0
    assert pair.wire.events[ALICE][-1] == Unregistered(identity)
    pair.wire.events[ALICE].clear()
    pair.settle()


def test_a_challenge_is_answered_once_and_then_anticipated() -> None:
    pair = Pair(bob=exchange_config())
    registrar = Registrar(pair)
    flow = pair.wire.flow(ALICE, BOB)
    pair.alice.register("sip:07@192.0.2.2", flow, pair.wire.now, credentials=CREDENTIALS)
    registrar.serve(150)
    assert len(pair.wire.sent(BOB, b"SIP/2.0 401")) == 1
    registrar.serve(300)  # the nonce has grown stale meanwhile
    assert len(pair.wire.sent(BOB, b"SIP/2.0 401")) == 2
    assert not [event for event in pair.wire.events[BOB] if isinstance(event, AuthenticationFailed)]


def test_too_short_an_interval_is_asked_for_again() -> None:
    pair = Pair(bob=UserAgentConfig(registrar=True))
    flow = pair.wire.flow(ALICE, BOB)
    pair.alice.register("sip:07@192.0.2.2", flow, pair.wire.now, expires=30)
    event = pair.wire.until(BOB, RegisterReceived)
    pair.bob.respond_register(event.request, 423, pair.wire.now, min_expires=120)
    event = pair.wire.until(BOB, RegisterReceived)
    assert event.contacts[0].expires == 120
    pair.bob.respond_register(
        event.request, 200, pair.wire.now, [RegisterContact(event.contacts[0].uri, 120)]
    )
    assert pair.wire.until(ALICE, Registered).expires == 120


def test_a_dead_registrar_is_tried_again_ever_more_rarely() -> None:
    pair = Pair()
    pair.wire.loss = 1.0
    flow = pair.wire.flow(ALICE, BOB)
    pair.alice.register("sip:07@192.0.2.2", flow, pair.wire.now)
    waits = [pair.wire.until(ALICE, RegistrationFailed, 500).retry_in for _ in range(10)]
    assert 1.6 <= waits[0] <= 2.4
    assert 3.2 <= waits[1] <= 4.8
    assert all(240 <= wait <= 360 for wait in waits[8:])


def test_a_wrong_password_is_not_hammered() -> None:
    pair = Pair(bob=exchange_config())
    flow = pair.wire.flow(ALICE, BOB)
    pair.alice.register("sip:07@192.0.2.2", flow, pair.wire.now, credentials=Credentials("07", "no"))
    failed = pair.wire.until(ALICE, RegistrationFailed)
    assert failed.status == 401
    assert failed.retry_in >= 240
    assert pair.wire.until(BOB, AuthenticationFailed).username == "07"


def test_a_lost_tcp_connection_is_registered_anew() -> None:
    pair = Pair(bob=UserAgentConfig(registrar=True))
    pair.wire.transport = "tcp"
    registrar = Registrar(pair)
    flow = pair.wire.flow(ALICE, BOB)
    pair.alice.register("sip:07@192.0.2.2", flow, pair.wire.now)
    registrar.serve(5)
    pair.alice.transport_failed(flow, pair.wire.now)
    registrar.serve(5)
    assert len(registrar.seen) == 2
    assert "transport=tcp" in registrar.seen[0].contacts[0].uri


# --- odd requests ---
def raw(agent: UserAgent, wire: Wire, text: str) -> list[Response]:
    """Send a request to Bob as it stands; return his answers."""
    agent.take_outgoing()
    agent.receive(text.replace("\n", "\r\n").encode(), wire.flow(BOB, ALICE), wire.now)
    answers = [parse_message(outgoing.data) for outgoing in agent.take_outgoing()]
    return [answer for answer in answers if isinstance(answer, Response)]


REQUEST = """{method} {uri} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{branch}
From: <sip:07@x>;tag=f1
To: <sip:05@x>{to}
Call-ID: id1
CSeq: {cseq} {method}
{extra}Content-Length: 0

"""


def request(
    method: str, uri: str = "sip:05@x", branch: str = "1", to: str = "", cseq: int = 1, extra: str = ""
) -> str:
    return REQUEST.format(method=method, uri=uri, branch=branch, to=to, cseq=cseq, extra=extra)


@pytest.mark.parametrize(
    ("text", "status", "header"),
    [
        (request("OPTIONS"), 200, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK"),
        (request("REGISTER"), 405, "Allow: INVITE"),
        (request("MESSAGE"), 405, "Allow: INVITE"),
        (request("NONSENSE"), 501, "Allow: INVITE"),
        (request("BYE"), 481, ""),
        (request("BYE", to=";tag=none"), 481, ""),
        (request("INVITE", to=";tag=none"), 481, ""),
        (request("CANCEL"), 481, ""),
        (request("INVITE", uri="http://05@x"), 416, ""),
        (request("INVITE", extra="Require: timer, path, 100rel\n"), 420, "Unsupported: path, 100rel"),
        (request("INVITE", extra="Max-Forwards: 256\n"), 400, ""),
        (request("INVITE", cseq=1 << 31), 400, ""),
        (request("INVITE", extra="Record-Route: broken\n"), 400, ""),
        (request("INVITE").replace("CSeq: 1 INVITE", "CSeq: 1 BYE"), 400, ""),
        (request("INVITE").replace("Content-Length: 0", "Content-Length: 10"), 400, ""),
        (request("INVITE").replace("SIP/2.0\nVia", "SIP/7.0\nVia"), 505, ""),
        (
            request("INVITE").replace("Length: 0\n", "Type: text/plain\nContent-Length: 2\n") + "hi",
            415,
            "Accept: app",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_as_the_rfc_has_it(text: str, status: int, header: str) -> None:
    pair = Pair()
    answers = raw(pair.bob, pair.wire, text)
    assert [answer.status for answer in answers] == [status]
    assert header.encode() in b"\r\n".join(f"{n}: {v}".encode() for n, v in answers[0].headers)
    assert pair.bob.take_events() == []


def test_a_request_that_comes_by_two_paths_is_a_loop() -> None:
    pair = Pair()
    assert [answer.status for answer in raw(pair.bob, pair.wire, request("INVITE"))] == [100]
    assert [answer.status for answer in raw(pair.bob, pair.wire, request("INVITE", branch="2"))] == [482]
    assert [answer.status for answer in raw(pair.bob, pair.wire, request("INVITE"))] == [100]


def test_requests_out_of_order_are_refused() -> None:
    pair = Pair()
    raw(pair.bob, pair.wire, request("INVITE", cseq=5))
    incoming = next(event for event in pair.bob.take_events() if isinstance(event, IncomingCall))
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)
    answer = parse_message(pair.bob.take_outgoing()[-1].data)
    tag = answer.headers.first("To").partition("tag=")[2]
    late = request("BYE", branch="3", to=f";tag={tag}", cseq=4)
    assert [answer.status for answer in raw(pair.bob, pair.wire, late)] == [500]
    good = request("BYE", branch="4", to=f";tag={tag}", cseq=6)
    assert [answer.status for answer in raw(pair.bob, pair.wire, good)] == [200]


def test_a_bye_in_the_early_dialogue_ends_the_invite() -> None:
    pair = Pair()
    raw(pair.bob, pair.wire, request("INVITE"))
    incoming = next(event for event in pair.bob.take_events() if isinstance(event, IncomingCall))
    pair.bob.ringing(incoming.call, pair.wire.now)
    tag = parse_message(pair.bob.take_outgoing()[-1].data).headers.first("To").partition("tag=")[2]
    answers = raw(pair.bob, pair.wire, request("BYE", branch="3", to=f";tag={tag}", cseq=2))
    assert [answer.status for answer in answers] == [200, 487]
    assert pair.bob.take_events() == [Cancelled(incoming.call)]


def test_too_many_calls_are_busy() -> None:
    pair = Pair(bob=UserAgentConfig(max_calls=1))
    pair.invite()
    second = pair.invite()
    assert pair.wire.until(ALICE, CallFailed) == CallFailed(second, 486, "Busy Here")


def test_ringing_is_repeated_every_minute() -> None:
    pair = Pair()
    pair.invite()
    incoming = pair.wire.until(BOB, IncomingCall)
    pair.bob.ringing(incoming.call, pair.wire.now)
    pair.wire.run(130)
    assert len(pair.wire.sent(BOB, b"SIP/2.0 180")) == 3


def test_of_two_forks_the_first_wins_and_the_second_is_ended() -> None:
    pair = Pair()
    call = pair.invite()
    incoming = pair.wire.until(BOB, IncomingCall)
    pair.wire.run(0.1)
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)
    answer = pair.bob.take_outgoing()[0].data
    flow = pair.wire.flow(ALICE, BOB)
    tag = parse_message(answer).headers.first("To").partition("tag=")[2].encode()
    for data in (answer, answer.replace(tag, b"fork"), answer, answer.replace(tag, b"fork")):
        pair.alice.receive(data, flow, pair.wire.now)
    out = [parse_message(outgoing.data) for outgoing in pair.alice.take_outgoing()]
    sent = [(m.method, m.headers.first("To").partition("tag=")[2]) for m in out if isinstance(m, Request)]
    winner = tag.decode()
    expected = [("ACK", winner), ("ACK", "fork"), ("BYE", "fork"), ("ACK", winner), ("ACK", "fork")]
    assert sent == expected
    assert [type(event) for event in pair.alice.take_events()] == [CallAnswered]
    pair.alice.bye(call, pair.wire.now)


def test_methods_in_the_wrong_state_are_our_fault() -> None:
    pair = Pair()
    ours, theirs = pair.connect()
    for wrong in (
        lambda: pair.bob.answer(theirs, ANSWER, pair.wire.now),
        lambda: pair.bob.ringing(theirs, pair.wire.now),
        lambda: pair.bob.reject(theirs, 486, pair.wire.now),
        lambda: pair.alice.bye(CallId(99), pair.wire.now),
        lambda: pair.alice.answer(CallId(0), ANSWER, pair.wire.now),
    ):
        with pytest.raises(LocalProtocolError):
            wrong()
    pair.alice.hang_up(ours, pair.wire.now)
    pair.wire.until(BOB, CallEnded)
    pair.bob.hang_up(theirs, pair.wire.now)


# --- transport ---
def test_keep_alives_hold_the_way_to_the_registrar() -> None:
    pair = Pair(bob=UserAgentConfig(registrar=True))
    flow = pair.wire.flow(ALICE, BOB)
    identity = pair.alice.register("sip:07@192.0.2.2", flow, pair.wire.now, keep_alive=25.0)
    pair.wire.run(60)
    assert pair.wire.sent(ALICE, b"\r\n") == [], "only a registration that stands is worth it"
    event = pair.wire.until(BOB, RegisterReceived)
    while pair.wire.events[BOB]:
        event = pair.wire.until(BOB, RegisterReceived)
    bound = [RegisterContact(event.contacts[0].uri, 3600)]
    pair.bob.respond_register(event.request, 200, pair.wire.now, bound)
    pair.wire.until(ALICE, Registered)
    pair.wire.run(101)
    assert pair.wire.sent(ALICE, b"\r\n") == [b"\r\n\r\n"] * 4
    pair.alice.unregister(identity, pair.wire.now)
    event = pair.wire.until(BOB, RegisterReceived)
    pair.bob.respond_register(event.request, 200, pair.wire.now)
    pair.wire.until(ALICE, Unregistered)
    pair.wire.run(100)
    assert len(pair.wire.sent(ALICE, b"\r\n")) == 4
    assert pair.alice.deadline() is None


def test_a_keep_alive_on_a_connection_is_answered() -> None:
    pair = Pair()
    flow = Flow("tls", BOB, ALICE)
    pair.bob.receive(b"\r\n\r\n", flow, pair.wire.now)
    assert [outgoing.data for outgoing in pair.bob.take_outgoing()] == [b"\r\n"]
    pair.bob.receive(b"OPTIONS sip:x SIP/2.0", flow, pair.wire.now)
    pair.bob.receive(b"\r\n\r\n", flow, pair.wire.now)
    assert b"\r\n" not in [outgoing.data for outgoing in pair.bob.take_outgoing()]


def test_keep_alives_are_ignored_and_nonsense_is_counted() -> None:
    pair = Pair()
    flow = pair.wire.flow(BOB, ALICE)
    for data in (b"", b"\r\n\r\n", b"\0\0\0\0"):
        pair.bob.receive(data, flow, pair.wire.now)
    assert pair.bob.malformed == 0
    pair.bob.receive(b"nonsense", flow, pair.wire.now)
    assert pair.bob.malformed == 1
    assert pair.bob.take_outgoing() == []


def test_a_broken_stream_is_closed_after_the_messages_before_the_fault() -> None:
    pair = Pair()
    flow = Flow("tcp", BOB, ALICE)
    text = request("OPTIONS").replace("\n", "\r\n").encode()
    pair.bob.receive(text + b"GARBAGE\r\n\r\n", flow, pair.wire.now)
    answer, close = pair.bob.take_outgoing()
    assert answer.data.startswith(b"SIP/2.0 200")
    assert (close.data, close.flow, close.close) == (b"", flow, True)


def test_the_stream_silent_longest_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.sip.reading.MAX_STREAMS", 2)
    pair = Pair()
    flows = [Flow("tcp", BOB, ("192.0.2.9", port)) for port in (1, 2, 3)]
    for flow in (flows[0], flows[1], flows[0], flows[2]):
        pair.bob.receive(b"\r\n", flow, pair.wire.now)
    assert [outgoing.flow for outgoing in pair.bob.take_outgoing()] == [flows[1]]


def test_an_answer_whose_routes_cannot_be_read_fails_the_call() -> None:
    pair = Pair()
    call = pair.invite()
    invite = parse_message(pair.alice.take_outgoing()[0].data)
    headers = invite.headers.without("Max-Forwards", "Contact").plus(("Record-Route", "<broken"))
    pair.alice.receive(serialise(Response(200, "OK", headers)), pair.wire.flow(ALICE, BOB), pair.wire.now)
    assert pair.alice.take_events() == [CallFailed(call, 502, "Bad Gateway")]


def test_options_within_a_call() -> None:
    pair = Pair()
    raw(pair.bob, pair.wire, request("INVITE"))
    incoming = next(event for event in pair.bob.take_events() if isinstance(event, IncomingCall))
    pair.bob.ringing(incoming.call, pair.wire.now)
    tag = parse_message(pair.bob.take_outgoing()[-1].data).headers.first("To").partition("tag=")[2]
    early = request("OPTIONS", branch="2", to=f";tag={tag}", cseq=2)
    assert [answer.status for answer in raw(pair.bob, pair.wire, early)] == [200]
    again = request("INVITE", branch="3", to=f";tag={tag}", cseq=3)
    assert [answer.status for answer in raw(pair.bob, pair.wire, again)] == [500]
    pair.bob.answer(incoming.call, ANSWER, pair.wire.now)
    late = request("OPTIONS", branch="4", to=f";tag={tag}", cseq=4)
    assert [answer.status for answer in raw(pair.bob, pair.wire, late)] == [200]


def test_a_cancelled_reinvite_is_terminated() -> None:
    pair = Pair()
    _, theirs = pair.connect()
    pair.bob.reinvite(theirs, b"one", pair.wire.now)
    ours = pair.wire.until(ALICE, Reinvite).call
    invite = parse_message(pair.wire.sent(BOB, b"INVITE")[-1])
    assert isinstance(invite, Request)
    headers = invite.headers.replaced("CSeq", "1 CANCEL").without("Contact", "Content-Type")
    cancel = serialise(Request("CANCEL", invite.uri, headers))
    pair.alice.receive(cancel, pair.wire.flow(ALICE, BOB), pair.wire.now)
    pair.alice.accept_reinvite(ours, b"late", pair.wire.now)
    assert pair.wire.until(BOB, ReinviteFailed).status == 487


@pytest.mark.parametrize(
    ("extra", "expires"),
    [
        ((("Contact", "<sip:07@192.0.2.1:5060>;expires=90"),), 90),
        ((("Contact", "<sip:08@192.0.2.1>;expires=5, <sip:07@192.0.2.1>;expires=80"),), 80),
        ((("Contact", "broken"), ("Expires", "70")), 70),
        ((("Expires", "0"),), 1),
        ((), 3600),
    ],
)
def test_the_time_granted_is_read_from_wherever_it_stands(
    extra: tuple[tuple[str, str], ...], expires: int
) -> None:
    pair = Pair()
    pair.alice.register("sip:07@192.0.2.2", pair.wire.flow(ALICE, BOB), pair.wire.now)
    register = parse_message(pair.alice.take_outgoing()[0].data)
    headers = register.headers.without("Contact", "Expires", "Max-Forwards").plus(*extra)
    pair.alice.receive(serialise(Response(200, "OK", headers)), pair.wire.flow(ALICE, BOB), pair.wire.now)
    assert [e.expires for e in pair.alice.take_events() if isinstance(e, Registered)] == [expires]
    assert pair.alice.deadline() is not None


def test_retry_after_is_obeyed() -> None:
    pair = Pair()
    pair.alice.register("sip:07@192.0.2.2", pair.wire.flow(ALICE, BOB), pair.wire.now)
    register = parse_message(pair.alice.take_outgoing()[0].data)
    headers = register.headers.without("Contact", "Expires").plus(("Retry-After", "120 (busy);duration=5"))
    pair.alice.receive(serialise(Response(503, "", headers)), pair.wire.flow(ALICE, BOB), pair.wire.now)
    (failed,) = pair.alice.take_events()
    assert isinstance(failed, RegistrationFailed)
    assert (failed.status, failed.reason, failed.retry_in) == (503, "Service Unavailable", 120.0)


def test_unregistering_from_a_dead_registrar_ends_too() -> None:
    pair = Pair()
    pair.wire.loss = 1.0
    identity = pair.alice.register("sip:07@192.0.2.2", pair.wire.flow(ALICE, BOB), pair.wire.now)
    pair.alice.unregister(identity, pair.wire.now)
    assert pair.wire.until(ALICE, Unregistered) == Unregistered(identity)
    pair.settle()
    with pytest.raises(LocalProtocolError):
        pair.alice.unregister(RegistrationId(99), pair.wire.now)


@pytest.mark.parametrize(
    ("contact", "status"),
    [
        ("Contact: *\nExpires: 0\n", 0),
        ("Contact: *\nExpires: 60\n", 400),
        ("Contact: *, <sip:a@b>\nExpires: 0\n", 400),
        ("Contact: <broken\n", 400),
        ("Contact: " + ", ".join(["<sip:a@b>"] * 17) + "\n", 400),
        ("Contact: <sip:a@b>;q=0.5;expires=x, <sip:c@d>;q=x;expires=9\nExpires: 60\n", 0),
        ("", 0),
    ],
)
def test_contacts_of_a_register(contact: str, status: int) -> None:
    pair = Pair(bob=UserAgentConfig(registrar=True))
    answers = raw(pair.bob, pair.wire, request("REGISTER", extra=contact))
    assert [answer.status for answer in answers] == ([status] if status else [])
    events = [event for event in pair.bob.take_events() if isinstance(event, RegisterReceived)]
    assert len(events) == (0 if status else 1)
    if "q=" in contact:
        expected = (RegisterContact("sip:a@b", None, 0.5), RegisterContact("sip:c@d", 9, 1.0))
        assert events[0].contacts == expected
    if "*" in contact and not status:
        assert events[0].remove_all
    for event in events:
        pair.bob.respond_register(event.request, 200, pair.wire.now)
        with pytest.raises(LocalProtocolError):
            pair.bob.respond_register(event.request, 200, pair.wire.now)


# --- loss ---
def whole_call(pair: Pair) -> None:
    """Register, call, ring, answer, re-INVITE, BYE; every step must come through."""
    wire = pair.wire
    flow = wire.flow(ALICE, BOB)
    pair.alice.register("sip:07@192.0.2.2", flow, wire.now, credentials=CREDENTIALS, expires=36000)
    event = wire.until(BOB, RegisterReceived)
    pair.bob.respond_register(event.request, 200, wire.now, [RegisterContact(event.contacts[0].uri, 36000)])
    wire.until(ALICE, Registered)
    call = pair.invite(CREDENTIALS)
    incoming = wire.until(BOB, IncomingCall)
    assert incoming.authenticated_user == "07"
    pair.bob.ringing(incoming.call, wire.now)
    wire.run(1)
    pair.bob.answer(incoming.call, ANSWER, wire.now)
    assert wire.until(ALICE, CallAnswered) == CallAnswered(call, ANSWER)
    wire.until(BOB, CallConfirmed)
    pair.bob.reinvite(incoming.call, b"change", wire.now)
    pair.alice.reject_reinvite(wire.until(ALICE, Reinvite).call, wire.now)
    wire.until(BOB, ReinviteFailed)
    pair.alice.bye(call, wire.now)
    wire.until(BOB, CallEnded)
    assert wire.until(ALICE, CallEnded) == CallEnded(call, True, "", 200)


@pytest.mark.parametrize("nth", range(18))
def test_a_whole_call_survives_the_loss_of_any_one_message(nth: int) -> None:
    wire = Wire()
    count = itertools.count()
    wire.lose = lambda source, data: next(count) == nth
    whole_call(Pair(wire, exchange_config()))
    assert next(count) > nth, "the call has fewer messages than the test loses"


@pytest.mark.parametrize("seed", range(40))
def test_a_whole_call_survives_30_percent_loss_and_reordering(seed: int) -> None:
    whole_call(Pair(Wire(seed, loss=0.3, delay=(0.001, 0.3)), exchange_config()))


@pytest.mark.parametrize("seed", range(20))
def test_a_whole_call_over_tcp_in_pieces(seed: int) -> None:
    wire = Wire(seed)
    wire.transport = "tcp"
    pair = Pair(wire, exchange_config())
    cut = random.Random(seed)
    for agent in (pair.alice, pair.bob):
        receive = agent.receive

        def in_pieces(data: bytes, flow: object, now: float, receive: object = receive) -> None:
            while data:
                size = cut.randrange(1, 400)
                receive(data[:size], flow, now)  # type: ignore[operator]
                data = data[size:]

        agent.receive = in_pieces  # type: ignore[method-assign, assignment]
    whole_call(pair)


def test_the_same_seed_gives_the_same_octets() -> None:
    logs = []
    for _ in range(2):
        pair = Pair(Wire(7, loss=0.2), exchange_config())
        whole_call(pair)
        logs.append(pair.wire.log)
    assert logs[0] == logs[1]


@pytest.mark.parametrize("seed", range(10))
def test_random_owners_never_break_the_engine(seed: int) -> None:
    """Two owners call methods at random; only `LocalProtocolError` may come, and all calls end."""
    wire = Wire(seed, loss=0.2, delay=(0.001, 1.0))
    pair = Pair(wire)
    rng = random.Random(seed)
    calls: dict[object, set[CallId]] = {pair.alice: set(), pair.bob: set()}
    for _ in range(300):
        wire.run(rng.choice((0.0, 0.05, 0.5, 3.0)))
        agent, place, other = rng.choice(((pair.alice, ALICE, BOB), (pair.bob, BOB, ALICE)))
        for address, owner in ((ALICE, pair.alice), (BOB, pair.bob)):
            for event in wire.events[address]:
                if isinstance(event, IncomingCall):
                    calls[owner].add(event.call)
            wire.events[address].clear()
        if rng.random() < 0.2:
            flow = wire.flow(place, other)
            calls[agent].add(agent.invite("sip:x@y", flow, wire.now, from_="sip:z@y", sdp=OFFER))
        if calls[agent]:
            call = rng.choice(sorted(calls[agent]))
            now = wire.now
            method, *arguments = rng.choice(
                (
                    (agent.ringing, now),
                    (agent.answer, ANSWER, now),
                    (agent.reject, 486, now),
                    (agent.cancel, now),
                    (agent.bye, now),
                    (agent.reinvite, OFFER, now),
                    (agent.accept_reinvite, ANSWER, now),
                    (agent.reject_reinvite, now),
                )
            )
            with contextlib.suppress(LocalProtocolError):
                method(call, *arguments)  # type: ignore[operator]
    for owner, known in calls.items():
        for call in known:
            owner.hang_up(call, wire.now)  # type: ignore[attr-defined]
    for _ in range(5):
        for address, owner in ((ALICE, pair.alice), (BOB, pair.bob)):
            for event in wire.events[address]:
                if isinstance(event, IncomingCall):
                    owner.hang_up(event.call, wire.now)
            wire.events[address].clear()
        wire.run(120)
    assert pair.alice.idle()
    assert pair.bob.idle()
