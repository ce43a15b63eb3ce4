from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ppp.test_reach import packet as ip_packet
from tests.support.ppp_peer import Peer, packets

from ansam.ppp.frame import Protocol, encode_frame
from ansam.ppp.link import Authenticated, Ended, Ending, NetworkUp, Phase, Refused
from ansam.ppp.packet import Code, Packet, decode_options
from ansam.ppp.settings import PppSettings

LCP, IPCP, PAP, CHAP = Protocol.LCP, Protocol.IPCP, Protocol.PAP, Protocol.CHAP
PAP_OPTION = (3, b"\xc0\x23")
CHAP_OPTION = (3, b"\xc2\x23\x05")
NAMES = (IPv4Address("10.0.2.3"),)


def ended(peer: Peer) -> Ended:
    return next(event for event in peer.events if isinstance(event, Ended))


def let_in(settings: PppSettings | None = None) -> Peer:
    peer = Peer(settings or PppSettings(auth=()))
    peer.open_lcp()
    peer.open_ipcp()
    assert peer.server.network_up
    return peer


def test_pap_against_the_hash_of_logins_up_to_ip_packets_both_ways() -> None:
    peer = Peer(PppSettings(names=NAMES))
    peer.open_lcp()
    assert [p.code for p in peer.says_password("ali", "sesame")] == [2]
    assert Authenticated("ali", "pap") in peer.events
    peer.open_ipcp()
    assert NetworkUp(1500) in peer.events
    packet = ip_packet("93.184.216.34")
    peer.say(Protocol.IP, packet)
    assert peer.server.take_packets() == [packet]
    peer.server.send_packet(packet)
    assert peer.listen() == [(Protocol.IP, packet)]
    peer.say(LCP, Packet(Code.TERMINATE_REQUEST, 9))
    peer.wait(4.0)
    assert peer.server.phase is Phase.DEAD
    assert ended(peer).ending is Ending.PEER


@pytest.mark.parametrize(
    ("user", "password"), [("ali", "wrong"), ("nobody", "sesame"), ("eva", "x"), ("", "")]
)
def test_a_wrong_password_by_pap_is_refused_after_a_wait(user: str, password: str) -> None:
    peer = Peer()
    peer.open_lcp()
    begun = peer.now
    assert [p.code for p in peer.says_password(user, password)] == [3]
    assert peer.now - begun == 2.0
    assert Refused(user, "pap") in peer.events
    peer.wait(10.0)
    assert ended(peer).ending is Ending.AUTHENTICATION
    assert not peer.server.network_up


def test_one_who_has_a_secret_uses_it_by_pap_and_by_chap() -> None:
    peer = Peer()
    peer.open_lcp()
    assert [p.code for p in peer.says_password("eva", "rosebud")] == [2]
    peer = Peer(PppSettings(auth=("chap",)))
    peer.open_lcp()
    assert [p.code for p in peer.answers_challenge("eva", "rosebud")] == [3]
    assert Authenticated("eva", "chap") in peer.events


@pytest.mark.parametrize(
    ("user", "secret"), [("eva", "wrong"), ("ali", "sesame"), ("ali", ""), ("nobody", "")]
)
def test_chap_refuses_a_wrong_secret_and_who_has_none(user: str, secret: str) -> None:
    peer = Peer(PppSettings(auth=("chap",)))
    peer.open_lcp()
    assert [p.code for p in peer.answers_challenge(user, secret)] == [4]
    peer.wait(10.0)
    assert ended(peer).ending is Ending.AUTHENTICATION


def test_answers_that_got_lost_are_given_again_and_dated_ones_do_not_count() -> None:
    peer = Peer()
    peer.open_lcp()
    peer.says_password("ali", "sesame")
    again = peer.say(PAP, Packet(1, 7, b"\x03ali\x06sesame"))
    assert [(p.code, p.identifier) for p in packets(again, PAP)] == [(2, 7)]


def test_challenges_go_out_until_somebody_answers_or_nobody_does() -> None:
    peer = Peer(PppSettings(auth=("chap",)))
    peer.open_lcp()
    peer.wait(60.0)
    assert len([p for p in packets(peer.heard, CHAP) if p.code == 1]) == 10
    assert ended(peer).ending is Ending.AUTHENTICATION


def test_who_says_no_name_by_pap_is_shown_out() -> None:
    peer = Peer()
    peer.open_lcp()
    peer.wait(40.0)
    assert ended(peer).text == "peer gave no name (pap)"


def test_the_peer_chooses_another_way_to_prove_who_it_is() -> None:
    peer = Peer()
    peer.asks(LCP, [])
    request = packets(peer.heard, LCP)[0]
    assert PAP_OPTION in (decode_options(request.data) or [])
    answer = peer.say(LCP, Packet(Code.CONFIGURE_NAK, request.identifier, b"\x03\x05\xc2\x23\x05"))
    assert CHAP_OPTION in (decode_options(packets(answer, LCP)[0].data) or [])
    peer.acks(LCP)
    assert [p.code for p in peer.answers_challenge("eva", "rosebud")] == [3]


def test_nobody_is_let_in_who_will_not_say_who_it_is() -> None:
    peer = Peer()
    peer.asks(LCP, [])
    reject = Packet(Code.CONFIGURE_REJECT, packets(peer.heard, LCP)[0].identifier, b"\x03\x04\xc0\x23")
    peer.say(LCP, reject)
    peer.wait(10.0)
    assert ended(peer) == Ended(Ending.NEGOTIATION, "peer refuses to authenticate")


def test_who_wants_what_we_have_not_is_offered_all_we_have() -> None:
    """A pppd told to refuse PAP asks for EAP first."""
    peer = Peer()
    peer.asks(LCP, [])
    for offered in (PAP_OPTION, CHAP_OPTION):
        request = [p for p in packets(peer.heard, LCP) if p.code == Code.CONFIGURE_REQUEST][-1]
        assert offered in (decode_options(request.data) or [])
        peer.say(LCP, Packet(Code.CONFIGURE_NAK, request.identifier, b"\x03\x04\xc2\x27"))
    peer.wait(10.0)
    assert ended(peer) == Ended(Ending.NEGOTIATION, "peer wants to authenticate by c227")


def test_rejected_wishes_are_done_without() -> None:
    peer = Peer()
    peer.asks(LCP, [])
    request = packets(peer.heard, LCP)[0]
    rest = [option for option in decode_options(request.data) or [] if option[0] != 3]
    data = b"".join(bytes([kind, len(value) + 2]) + value for kind, value in rest)
    answer = peer.say(LCP, Packet(Code.CONFIGURE_REJECT, request.identifier, data))
    assert decode_options(packets(answer, LCP)[0].data) == [PAP_OPTION]
    peer.acks(LCP)
    assert peer.server.phase is Phase.AUTHENTICATE


def test_lcp_says_what_it_does_not_know_and_what_does_not_suit() -> None:
    peer = Peer()
    # Callback, authentication of ours, multilink; then a tiny MRU and a magic number of zero.
    assert peer.asks(LCP, [(13, b"\x06"), PAP_OPTION, (17, b"\x05\xdc"), (7, b"")]) == (
        Code.CONFIGURE_REJECT,
        [(13, b"\x06"), PAP_OPTION, (17, b"\x05\xdc")],
    )
    code, options = peer.asks(LCP, [(1, b"\x00\x40"), (5, bytes(4))])
    assert (code, options[0]) == (Code.CONFIGURE_NAK, (1, b"\x05\xdc"))
    assert options[1][1] != bytes(4)
    for _ in range(4):
        assert peer.asks(LCP, [(1, b"\x00\x40")])[0] == Code.CONFIGURE_NAK
    assert peer.asks(LCP, [(1, b"\x00\x40")])[0] == Code.CONFIGURE_REJECT


def test_what_the_peer_takes_is_kept_to() -> None:
    peer = Peer(PppSettings(auth=()))
    assert peer.asks(LCP, [(1, b"\x02\x28"), (2, bytes.fromhex("000a0000"))])[0] == Code.CONFIGURE_ACK
    peer.acks(LCP)
    peer.open_ipcp()
    assert NetworkUp(552) in peer.events
    peer.server.send_packet(bytes(553))
    assert peer.server.take_output() == b""
    peer.server.send_packet(b"\x45\x11\x13\x01")
    line = peer.server.take_output()
    assert line.startswith(b"\x7e\xff\x03\x00\x21\x45\x7d\x31\x7d\x33\x01")


def test_addresses_and_name_servers_are_given() -> None:
    peer = Peer(PppSettings(auth=(), names=NAMES))
    peer.open_lcp()
    vj, nbns = (2, b"\x00\x2d\x0f\x01"), (130, bytes(4))
    asked = [(3, bytes(4)), (129, bytes(4)), (131, bytes(4))]
    assert peer.asks(IPCP, [*asked, vj, nbns]) == (Code.CONFIGURE_REJECT, [vj, nbns])
    own, name = bytes([10, 0, 2, 15]), bytes([10, 0, 2, 3])
    assert peer.asks(IPCP, asked) == (Code.CONFIGURE_NAK, [(3, own), (129, name), (131, name)])
    assert peer.acks(IPCP) == [(3, bytes([10, 0, 2, 2]))]


def test_who_does_not_ask_for_an_address_is_told_once_and_servers_that_are_not_there_are_rejected() -> None:
    peer = Peer(PppSettings(auth=()))
    peer.open_lcp()
    assert peer.asks(IPCP, [(129, bytes(4))]) == (Code.CONFIGURE_REJECT, [(129, bytes(4))])
    assert peer.asks(IPCP, []) == (Code.CONFIGURE_NAK, [(3, bytes([10, 0, 2, 15]))])
    assert peer.asks(IPCP, []) == (Code.CONFIGURE_ACK, [])
    # Our own address may be rejected, too.
    request = next(p for p in packets(peer.heard, IPCP) if p.code == 1)
    answer = peer.say(IPCP, Packet(Code.CONFIGURE_REJECT, request.identifier, request.data))
    assert packets(answer, IPCP)[0].data == b""
    peer.acks(IPCP)
    assert peer.server.network_up


def test_other_protocols_are_rejected_only_where_they_might_be_spoken() -> None:
    peer = Peer()
    assert peer.say(0x80FD, Packet(1, 1)) == []
    peer.open_lcp()
    assert peer.say(0x80FD, Packet(1, 1)) == []
    peer.says_password("ali", "sesame")
    (answer,) = packets(peer.say(0x80FD, Packet(1, 1)), LCP)
    assert (answer.code, answer.data) == (Code.PROTOCOL_REJECT, b"\x80\xfd" + Packet(1, 1).encode())
    (answer,) = packets(peer.say(LCP, Packet(77, 1)), LCP)
    assert (answer.code, answer.data) == (Code.CODE_REJECT, Packet(77, 1).encode())


def test_echoes_are_answered_and_what_a_windows_says_of_itself_is_not() -> None:
    peer = let_in()
    (answer,) = packets(peer.say(LCP, Packet(Code.ECHO_REQUEST, 5, b"abcdtail")), LCP)
    assert (answer.code, answer.identifier, answer.data[4:]) == (Code.ECHO_REPLY, 5, b"tail")
    assert answer.data[:4] != b"abcd"
    assert peer.say(LCP, Packet(Code.IDENTIFICATION, 6, b"abcdMSRASV4.00")) == []
    assert peer.say(LCP, Packet(Code.DISCARD_REQUEST, 7, b"abcd")) == []


def test_packets_to_where_callers_may_not_go_are_dropped_and_counted() -> None:
    peer = let_in()
    peer.say(Protocol.IP, ip_packet("10.0.2.0", port=23))
    assert peer.server.take_packets() == []
    assert peer.server.strayed == 1


def test_before_the_peer_is_let_in_nothing_passes() -> None:
    peer = Peer()
    peer.open_lcp()
    peer.say(Protocol.IP, ip_packet("93.184.216.34"))
    assert peer.say(IPCP, Packet(Code.CONFIGURE_REQUEST, 1)) == []
    peer.server.send_packet(ip_packet("10.0.2.15"))
    assert peer.listen() == []
    assert peer.server.take_packets() == []


def test_a_peer_that_negotiates_anew_has_to_prove_anew_who_it_is() -> None:
    peer = Peer()
    peer.open_lcp()
    peer.says_password("ali", "sesame")
    peer.open_ipcp()
    peer.open_lcp()
    assert peer.server.phase is Phase.AUTHENTICATE
    assert not peer.server.network_up
    assert [p.code for p in peer.says_password("ali", "wrong")] == [3]


def test_a_peer_that_says_nothing_is_given_up() -> None:
    peer = Peer()
    peer.wait(60.0)
    assert len([p for p in packets(peer.heard, LCP) if p.code == 1]) == 10
    assert ended(peer) == Ended(Ending.NEGOTIATION, "peer does not answer")


def test_an_idle_link_and_one_that_is_closed_here_end() -> None:
    peer = let_in(PppSettings(auth=(), idle=60.0))
    peer.wait(50.0)
    peer.say(Protocol.IP, ip_packet("93.184.216.34"))
    peer.wait(50.0)
    assert peer.server.network_up
    peer.wait(20.0)
    assert ended(peer) == Ended(Ending.IDLE, "no packet for 60 s")
    peer = let_in()
    peer.server.close("stopped", peer.now)
    request = packets(peer.listen(), LCP)[0]
    assert request.code == Code.TERMINATE_REQUEST
    peer.say(LCP, Packet(Code.TERMINATE_ACK, request.identifier))
    assert ended(peer) == Ended(Ending.OURS, "stopped")


@given(
    st.lists(
        st.tuples(st.sampled_from([*Protocol, 0x80FD, 0xC0]), st.integers(0, 14), st.binary(max_size=30))
    )
)
def test_no_packet_lets_anybody_in_who_has_not_proved_who_it_is(said: list[tuple[int, int, bytes]]) -> None:
    peer = Peer()
    peer.open_lcp()
    for protocol, code, data in said:
        peer.say(protocol, Packet(code, 1, data))
    peer.wait(5.0)
    assert not any(isinstance(event, Authenticated | NetworkUp) for event in peer.events)
    assert peer.server.take_packets() == []


@given(st.binary(max_size=300), st.integers(1, 20))
def test_results_do_not_depend_on_how_the_stream_is_cut(noise: bytes, piece: int) -> None:
    line = (
        encode_frame(LCP, Packet(1, 1, b"\x07\x02").encode())
        + noise
        + encode_frame(LCP, Packet(5, 2).encode())
    )
    whole, cut = Peer(), Peer()
    whole.server.receive(line, 1.0)
    for at in range(0, len(line), piece):
        cut.server.receive(line[at : at + piece], 1.0)
    assert whole.server.take_output() == cut.server.take_output()
    assert whole.server.phase is cut.server.phase
