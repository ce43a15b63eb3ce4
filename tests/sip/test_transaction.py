"""The four state machines against the figures of RFC 3261 §17, timer by timer."""

import random

import pytest

from ansam.errors import LocalProtocolError
from ansam.sip.events import Flow
from ansam.sip.headers import Headers
from ansam.sip.machines import CLIENT, INVITE_CLIENT, INVITE_SERVER, SERVER, Machine, State, Timer
from ansam.sip.message import Request, Response, parse_message, serialise
from ansam.sip.transaction import (
    AckArrived,
    Finished,
    Key,
    RequestArrived,
    RequestFailed,
    ResponseArrived,
    TransactionLayer,
)

UDP = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
TCP = Flow("tcp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))


def make_request(method: str = "INVITE", branch: str = "") -> Request:
    fields = [("Via", f"SIP/2.0/UDP 192.0.2.2;branch={branch}")] if branch else []
    number_method = "INVITE" if method == "ACK" else method
    fields += [("From", "<sip:a@x>;tag=1"), ("To", "<sip:b@x>"), ("Call-ID", "c1")]
    fields += [("CSeq", f"1 {method}")]
    return Request(number_method if method != "ACK" else "ACK", "sip:b@x", Headers.of(fields))


class Bench:
    """One layer with its outputs."""

    def __init__(self) -> None:
        self.layer = TransactionLayer(random.Random(1))

    def sent(self) -> list[str]:
        return [
            o.data.split(b" SIP/2.0\r\n")[0].split(b"\r\n")[0].decode() for o in self.layer.take_outgoing()
        ]

    def sends_until(self, end: float) -> list[float]:
        """Let the timers run; return the times at which something was sent."""
        times = []
        while (at := self.layer.deadline()) is not None and at <= end:
            self.layer.handle_timer(at)
            times += [at] * len(self.layer.take_outgoing())
        return times

    def answer(self, request: bytes, status: int, now: float, tag: str = "x") -> None:
        message = parse_message(request)
        copied = [(n, v) for n, v in message.headers if n in ("Via", "From", "Call-ID", "CSeq")]
        headers = Headers.of([*copied, ("To", f"<sip:b@x>;tag={tag}")])
        self.layer.receive(Response(status, "x", headers), UDP, now)


def test_invite_client_resends_with_timer_a_and_times_out_with_timer_b() -> None:
    bench = Bench()
    key = bench.layer.request(make_request(), UDP, 0.0)
    assert bench.sent() == ["INVITE sip:b@x"]
    # RFC 3261 §17.1.1.2: T1, 2*T1 … and time-out at 64*T1 = 32 s.
    assert bench.sends_until(100) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert bench.layer.take_indications() == [RequestFailed(key, 408), Finished(key)]


def test_other_client_resends_with_timer_e_and_times_out_with_timer_f() -> None:
    bench = Bench()
    key = bench.layer.request(make_request("OPTIONS"), UDP, 0.0)
    bench.sent()
    assert bench.sends_until(100) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.layer.take_indications() == [RequestFailed(key, 408), Finished(key)]


def test_other_client_resends_every_t2_once_proceeding() -> None:
    bench = Bench()
    key = bench.layer.request(make_request("OPTIONS"), UDP, 0.0)
    data = bench.layer.take_outgoing()[0].data
    bench.answer(data, 100, 0.1)
    assert bench.sends_until(10) == [0.5, 4.5, 8.5]
    bench.answer(data, 200, 10.0)
    assert bench.sends_until(14.9) == []
    assert Finished(key) not in bench.layer.take_indications()
    bench.sends_until(15.1)  # timer K
    assert bench.layer.take_indications() == [Finished(key)]


def test_a_reliable_flow_neither_resends_nor_waits() -> None:
    bench = Bench()
    key = bench.layer.request(make_request(), TCP, 0.0)
    bench.sent()
    assert bench.sends_until(31.9) == []
    bench.sends_until(32.0)
    assert bench.layer.take_indications() == [RequestFailed(key, 408), Finished(key)]
    options = bench.layer.request(make_request("OPTIONS"), TCP, 40.0)
    bench.answer(bench.layer.take_outgoing()[0].data, 200, 40.1)
    bench.sends_until(40.1)  # timer K is zero
    assert bench.layer.take_indications()[-1] == Finished(options)


def test_a_failure_is_acknowledged_each_time_for_timer_d() -> None:
    bench = Bench()
    key = bench.layer.request(make_request(), UDP, 0.0)
    data = bench.layer.take_outgoing()[0].data
    for now in (1.0, 1.5, 20.0):
        bench.answer(data, 486, now)
        ack = parse_message(bench.layer.take_outgoing()[0].data)
        assert isinstance(ack, Request)
        assert (ack.method, ack.uri) == ("ACK", "sip:b@x")
        assert ack.headers.first("Via") == parse_message(data).headers.first("Via")
        assert ack.headers.first("To") == "<sip:b@x>;tag=x"
        assert ack.headers.first("CSeq") == "1 ACK"
    indications = bench.layer.take_indications()
    assert [type(i) for i in indications] == [ResponseArrived]
    assert bench.sends_until(32.9) == []
    bench.sends_until(33.0)
    assert bench.layer.take_indications() == [Finished(key)]


def test_every_2xx_reaches_the_user_for_timer_m() -> None:
    bench = Bench()
    key = bench.layer.request(make_request(), UDP, 0.0)
    data = bench.layer.take_outgoing()[0].data
    bench.answer(data, 180, 0.1)
    bench.answer(data, 200, 1.0)
    bench.answer(data, 200, 1.5)
    bench.answer(data, 200, 1.6, tag="fork")
    bench.answer(data, 486, 1.7)
    statuses = [i.response.status for i in bench.layer.take_indications() if isinstance(i, ResponseArrived)]
    assert statuses == [180, 200, 200, 200]
    assert bench.sent() == []
    bench.sends_until(33.1)  # 64*T1 after the first 2xx
    assert bench.layer.take_indications() == [Finished(key)]
    bench.answer(data, 200, 34.0)
    assert bench.layer.take_indications() == []


def arrive(bench: Bench, method: str, branch: str = "z9hG4bKa") -> Key:
    bench.layer.receive(make_request(method, branch), UDP, 0.0)
    arrived = bench.layer.take_indications()[0]
    assert isinstance(arrived, RequestArrived)
    return arrived.transaction


def reply(bench: Bench, key: Key, status: int, now: float, method: str = "INVITE") -> None:
    headers = make_request(method, "z9hG4bKa").headers
    bench.layer.respond(key, Response(status, "x", headers), now)


def test_invite_server_resends_a_failure_with_timer_g_until_timer_h() -> None:
    bench = Bench()
    key = arrive(bench, "INVITE")
    reply(bench, key, 180, 0.0)
    bench.layer.receive(make_request("INVITE", "z9hG4bKa"), UDP, 0.2)
    assert bench.sent() == ["SIP/2.0 180 x"] * 2
    reply(bench, key, 486, 1.0)
    assert bench.sent() == ["SIP/2.0 486 x"]
    expected = [1.5, 2.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5, 32.5]
    assert bench.sends_until(100) == expected
    assert bench.layer.deadline() is None


def test_an_ack_stops_timer_g_and_timer_i_ends_the_transaction() -> None:
    bench = Bench()
    key = arrive(bench, "INVITE")
    reply(bench, key, 486, 0.0)
    bench.sent()
    bench.layer.receive(make_request("ACK", "z9hG4bKa"), UDP, 0.1)
    bench.layer.receive(make_request("ACK", "z9hG4bKa"), UDP, 0.2)
    bench.layer.receive(make_request("INVITE", "z9hG4bKa"), UDP, 0.3)
    assert bench.layer.take_indications() == []
    assert bench.sends_until(5.0) == []
    assert bench.layer.deadline() == pytest.approx(5.1)
    bench.layer.handle_timer(5.1)
    assert bench.layer.deadline() is None


def test_a_2xx_is_left_to_the_user_and_later_invites_are_absorbed() -> None:
    bench = Bench()
    key = arrive(bench, "INVITE")
    reply(bench, key, 200, 0.0)
    assert bench.sent() == ["SIP/2.0 200 x"]
    bench.layer.receive(make_request("INVITE", "z9hG4bKa"), UDP, 0.2)
    assert bench.sent() == []
    reply(bench, key, 200, 0.5)
    assert bench.sent() == ["SIP/2.0 200 x"]
    reply(bench, key, 486, 0.6)
    assert bench.sent() == []
    bench.layer.receive(make_request("ACK", "z9hG4bKb"), UDP, 0.7)
    assert [type(i) for i in bench.layer.take_indications()] == [AckArrived]
    # Clients of RFC 2543 reuse the branch for the ACK to a 2xx.
    bench.layer.receive(make_request("ACK", "z9hG4bKa"), UDP, 0.8)
    assert [type(i) for i in bench.layer.take_indications()] == [AckArrived]
    assert bench.sends_until(100) == []
    assert bench.layer.deadline() is None


def test_other_server_repeats_its_answer_for_timer_j() -> None:
    bench = Bench()
    key = arrive(bench, "OPTIONS")
    bench.layer.receive(make_request("OPTIONS", "z9hG4bKa"), UDP, 0.1)
    assert bench.sent() == []
    reply(bench, key, 200, 0.2, "OPTIONS")
    reply(bench, key, 404, 0.3, "OPTIONS")
    assert bench.sent() == ["SIP/2.0 200 x"]
    bench.layer.receive(make_request("OPTIONS", "z9hG4bKa"), UDP, 30.0)
    assert bench.sent() == ["SIP/2.0 200 x"]
    bench.sends_until(32.2)
    bench.layer.receive(make_request("OPTIONS", "z9hG4bKa"), UDP, 33.0)
    assert [type(i) for i in bench.layer.take_indications()] == [RequestArrived]


def test_a_dead_transport_fails_the_requests_on_it_only() -> None:
    bench = Bench()
    other = Flow("udp", UDP.local, ("192.0.2.9", 5060))
    first = bench.layer.request(make_request(), UDP, 0.0)
    bench.layer.request(make_request(), other, 0.0)
    bench.layer.transport_failed(UDP, 0.1)
    assert bench.layer.take_indications() == [RequestFailed(first, 503), Finished(first)]


def test_responses_go_where_rport_or_sent_by_says() -> None:
    bench = Bench()
    flow = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 40000))
    for via, port, stamped in (
        ("SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK1", 5070, "SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK1"),
        ("SIP/2.0/UDP host.example;branch=z9hG4bK2", 5060, ";received=192.0.2.2"),
        ("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK3", 40000, ";received=192.0.2.2;rport=40000"),
    ):
        request = Request("OPTIONS", "sip:b@x", make_request("OPTIONS").headers.before(("Via", via)))
        bench.layer.receive(request, flow, 0.0)
        arrived = bench.layer.take_indications()[0]
        assert isinstance(arrived, RequestArrived)
        assert arrived.request.headers.first("Via").endswith(stamped)
        bench.layer.respond(arrived.transaction, Response(200, "OK", arrived.request.headers), 0.0)
        assert bench.layer.take_outgoing()[0].flow.remote == ("192.0.2.2", port)


def test_a_cancel_finds_its_invite_and_copies_its_identity() -> None:
    client, server = Bench(), Bench()
    request = make_request()
    key = client.layer.request(
        Request("INVITE", "sip:b@x", request.headers.plus(("Route", "<sip:p;lr>"))), UDP, 0
    )
    invite = client.layer.take_outgoing()[0].data
    assert client.layer.cancel(key, 0.0) is None  # §9.1: not before a provisional response
    client.answer(invite, 100, 0.1)
    assert client.layer.cancel(key, 0.2) is not None
    cancel = client.layer.take_outgoing()[0].data
    server.layer.receive(parse_message(invite), UDP, 0.0)
    server.layer.receive(parse_message(cancel), UDP, 0.3)
    first, second = server.layer.take_indications()
    assert isinstance(first, RequestArrived)
    assert isinstance(second, RequestArrived)
    assert server.layer.matching_invite(second.transaction) == first.transaction
    assert second.request.headers.first("Route") == "<sip:p;lr>"
    assert second.request.headers.first("CSeq") == "1 CANCEL"


def test_old_clients_without_the_magic_cookie_are_matched() -> None:
    bench = Bench()
    for branch in ("1", "z9hG4bK"):
        request = make_request("INVITE", branch)
        bench.layer.receive(request, UDP, 0.0)
        bench.layer.receive(request, UDP, 0.5)
        arrived = bench.layer.take_indications()
        assert len(arrived) == 1
        assert isinstance(arrived[0], RequestArrived)
        bench.layer.respond(arrived[0].transaction, Response(486, "x", request.headers), 0.6)
        bench.layer.receive(make_request("ACK", branch), UDP, 0.7)
        assert bench.layer.take_indications() == []


@pytest.mark.parametrize("machine", [INVITE_CLIENT, CLIENT, INVITE_SERVER, SERVER], ids=lambda m: m.name)
def test_tables_are_closed(machine: Machine) -> None:
    reached = {machine.start} | {state for _, state in machine.table.values()}
    inputs_of = {state: {what for where, what in machine.table if where is state} for state in reached}
    for state in reached - {State.TERMINATED}:
        running = set(machine.timers.get(state, ()))
        assert {what for what in inputs_of[state] if isinstance(what, Timer)} == running
        from_the_wire = {what for what in inputs_of[state] if not isinstance(what, Timer)}
        assert any(what.name == "TRANSPORT_ERROR" for what in from_the_wire)
    assert not inputs_of.get(State.TERMINATED)


def test_a_pair_outside_the_table_is_our_fault() -> None:
    bench = Bench()
    key = bench.layer.request(make_request(), UDP, 0.0)
    with pytest.raises(LocalProtocolError, match="INVITE client transaction: SEND_FAILURE in CALLING"):
        bench.layer.respond(key, Response(486, "x", make_request().headers), 0.0)


def test_serialised_requests_carry_what_a_stateless_reader_needs() -> None:
    bench = Bench()
    bench.layer.request(make_request("OPTIONS"), UDP, 0.0)
    data = bench.layer.take_outgoing()[0].data
    assert serialise(parse_message(data)) == data
    assert b"Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK" in data
