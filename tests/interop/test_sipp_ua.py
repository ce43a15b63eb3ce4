"""Our user agent against sipp (Debian sip-tester) over real UDP, both roles."""

from pathlib import Path

import pytest
from tests.support.sip_socket import SDP, Sipp, SocketAgent

from ansam.sdp.description import parse
from ansam.sdp.negotiation import LocalMedia, negotiate
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
    IncomingCall,
    RegisterContact,
    Registered,
    RegisterReceived,
    RegistrationFailed,
    Reinvite,
    Unregistered,
)
from ansam.sip.ua import UserAgentConfig

pytestmark = pytest.mark.peer("sip-tester")

AUDIO = """v=0
      o=sipp 1 1 IN IP4 127.0.0.1
      s=-
      c=IN IP4 127.0.0.1
      t=0 0
      m=audio 6000 RTP/AVP 8
      a=rtpmap:8 PCMA/8000
"""
T38 = """v=0
      o=sipp 1 2 IN IP4 127.0.0.1
      s=-
      c=IN IP4 127.0.0.1
      t=0 0
      m=image 6002 udptl t38
      a=T38FaxVersion:0
"""


def send(text: str, body: str = "", attributes: str = "") -> str:
    kind = "\n      Content-Type: application/sdp" if body else ""
    return (
        f"<send {attributes}><![CDATA[\n\n      {text.strip()}{kind}\n      Content-Length: [len]\n\n"
        f"      {body}\n    ]]></send>"
    )


def response(status: str, body: str = "", extra: str = "", tag: bool = True) -> str:
    to = "[last_To:]" + (";tag=[call_number]sipp" if tag else "")
    lines = [f"SIP/2.0 {status}", "[last_Via:]", "[last_From:]", to, "[last_Call-ID:]", "[last_CSeq:]"]
    lines += ["Contact: <sip:[local_ip]:[local_port]>", *([extra] if extra else [])]
    return send("\n      ".join(lines), body)


def request(method: str, cseq: int, body: str = "", extra: str = "", to: str = "") -> str:
    via_method = 'retrans="500"' if method not in ("ACK", "CANCEL") else ""
    lines = [
        f"{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "From: sipp <sip:07@[local_ip]:[local_port]>;tag=[call_number]",
        to or "To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        "Contact: <sip:07@[local_ip]:[local_port]>",
        "Max-Forwards: 70",
        *([extra] if extra else []),
    ]
    return send("\n      ".join(lines), body, via_method)


def recv(what: str, attributes: str = "", inner: str = "") -> str:
    kind = "response" if what.isdigit() else "request"
    return f'<recv {kind}="{what}" {attributes}>{inner}</recv>'


def ring(agent: SocketAgent, peer: Sipp, credentials: Credentials | None = None) -> CallId:
    target = f"sip:05@127.0.0.1:{peer.port}"
    return agent.agent.invite(
        target, agent.flow(peer.port), agent.now, from_="sip:07@127.0.0.1", sdp=SDP, credentials=credentials
    )


# --- we call ---
def test_we_call_and_hang_up(tmp_path: Path) -> None:
    with SocketAgent() as agent, Sipp(tmp_path, "uas") as peer:
        call = ring(agent, peer)
        assert agent.until(CallProgress).status == 180
        answered = agent.until(CallAnswered)
        assert parse(answered.sdp).media[0].kind == "audio"
        agent.agent.bye(call, agent.now)
        assert agent.until(CallEnded) == CallEnded(call, True, "", 200)
        agent.finish(peer)


@pytest.mark.parametrize(("status", "text"), [(486, "Busy Here"), (404, "Not Found"), (603, "Decline")])
def test_we_call_and_are_refused(tmp_path: Path, status: int, text: str) -> None:
    scenario = recv("INVITE") + response("180 Ringing") + response(f"{status} {text}") + recv("ACK")
    with SocketAgent() as agent, Sipp(tmp_path, scenario) as peer:
        call = ring(agent, peer)
        assert agent.until(CallFailed) == CallFailed(call, status, text)
        agent.finish(peer)


def test_we_call_and_cancel(tmp_path: Path) -> None:
    invite = recv(
        "INVITE", inner='<action><ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="1"/></action>'
    )
    cancelled = response("487 Request Terminated").replace("[last_CSeq:]", "CSeq: 1 INVITE")
    scenario = (
        invite + response("180 Ringing") + recv("CANCEL") + response("200 OK") + cancelled + recv("ACK")
    )
    scenario += '<Reference variables="1"/>'
    with SocketAgent() as agent, Sipp(tmp_path, scenario) as peer:
        call = ring(agent, peer)
        agent.until(CallProgress)
        agent.agent.cancel(call, agent.now)
        assert agent.until(CallFailed) == CallFailed(call, 487, "Request Terminated")
        agent.finish(peer)


def test_we_call_someone_who_never_answers(tmp_path: Path) -> None:
    with SocketAgent(speed=40) as agent, Sipp(tmp_path, recv("OPTIONS")) as peer:
        start = agent.now
        call = ring(agent, peer)
        assert agent.until(CallFailed) == CallFailed(call, 408, "Request Timeout")
        assert 32 <= agent.now - start <= 60
        assert sum(data.startswith(b"INVITE") for data in agent.sent) == 7


def test_the_peer_hangs_up_and_its_answer_is_resent_until_our_ack(tmp_path: Path) -> None:
    answer = response("200 OK", AUDIO).replace("<send ", '<send retrans="500" ')
    # sipp keeps the caller's address from the INVITE and turns it round for its BYE.
    keep = '<action><ereg regexp="&lt;.*" search_in="hdr" header="From:" assign_to="2"/></action>'
    bye = request("BYE", 1, to="To: [$2]").replace("sipp <sip:07@", "<sip:05@")
    bye = bye.replace("tag=[call_number]", "tag=[call_number]sipp")
    scenario = recv("INVITE", inner=keep) + answer + recv("ACK") + bye + recv("200")
    with SocketAgent() as agent, Sipp(tmp_path, scenario) as peer:
        ring(agent, peer)
        agent.until(CallAnswered)
        assert not agent.until(CallEnded).by_us
        agent.finish(peer)


def test_we_acknowledge_ringing_that_the_callee_makes_reliable(tmp_path: Path) -> None:
    keep = '<action><ereg regexp=".*" search_in="hdr" header="Via:" assign_to="1"/></action>'
    answer = response("200 OK", AUDIO).replace("[last_Via:]", "Via:[$1]")
    answer = answer.replace("[last_CSeq:]", "CSeq: 1 INVITE")
    scenario = recv("INVITE", inner=keep) + response(
        "183 Session Progress", AUDIO, "Require: 100rel\n      RSeq: 9"
    )
    scenario += recv("PRACK") + response("200 OK") + answer + recv("ACK") + recv("BYE") + response("200 OK")
    with SocketAgent() as agent, Sipp(tmp_path, scenario) as peer:
        call = ring(agent, peer)
        agent.until(CallAnswered)
        assert any(b"RAck: 9 1 INVITE" in data for data in agent.sent)
        agent.agent.bye(call, agent.now)
        agent.until(CallEnded)
        agent.finish(peer)


def test_the_callee_demands_a_longer_session(tmp_path: Path) -> None:
    refusal = response("422 Session Interval Too Small", extra="Min-SE: 300")
    timer = "Require: timer\n      Session-Expires: 300;refresher=uac"
    scenario = recv("INVITE") + refusal + recv("ACK") + recv("INVITE") + response("200 OK", AUDIO, timer)
    scenario += (
        recv("ACK") + recv("UPDATE") + response("200 OK", extra=timer) + recv("BYE") + response("200 OK")
    )
    scenario = scenario.replace("Contact:", "Allow: INVITE, ACK, BYE, UPDATE\n      Contact:")
    config = UserAgentConfig(session_expires=120)
    with SocketAgent(config, speed=100) as agent, Sipp(tmp_path, scenario) as peer:
        call = ring(agent, peer)
        agent.until(CallAnswered)
        start = agent.now
        while not any(data.startswith(b"UPDATE") for data in agent.sent):
            agent.pump()
        assert 140 <= agent.now - start <= 250
        agent.pump()
        agent.agent.bye(call, agent.now)
        agent.until(CallEnded)
        agent.finish(peer)


@pytest.mark.parametrize("password", ["secret", "wrong"])
def test_we_register_with_digest(tmp_path: Path, password: str) -> None:
    check = '<action><verifyauth assign_to="good" username="07" password="secret"/></action>'
    challenge = response(
        "401 Unauthorized",
        extra='WWW-Authenticate: Digest realm="sipp", nonce="47ebe028cda119c35", qop="auth"',
    )
    scenario = recv("REGISTER") + challenge + recv("REGISTER", inner=check)
    scenario += '<nop next="1" test="good"/>' + challenge + '<nop next="2"/>'
    scenario += '<label id="1"/>' + response("200 OK", extra="Expires: 600") + '<label id="2"/><nop/>'
    with SocketAgent() as agent, Sipp(tmp_path, scenario) as peer:
        aor = f"sip:07@127.0.0.1:{peer.port}"
        credentials = Credentials("07", password)
        registration = agent.agent.register(aor, agent.flow(peer.port), agent.now, credentials=credentials)
        if password == "secret":
            assert agent.until(Registered) == Registered(registration, 600)
        else:
            assert agent.until(RegistrationFailed).status == 401
        agent.finish(peer)


def test_we_unregister(tmp_path: Path) -> None:
    gone = recv(
        "REGISTER",
        inner='<action><ereg regexp="0" search_in="hdr" header="Expires:" check_it="true" '
        'assign_to="1"/></action>',
    )
    scenario = recv("REGISTER") + response("200 OK", extra="Expires: 600") + gone + response("200 OK")
    scenario += '<Reference variables="1"/>'
    with SocketAgent() as agent, Sipp(tmp_path, scenario) as peer:
        registration = agent.agent.register(f"sip:07@127.0.0.1:{peer.port}", agent.flow(peer.port), agent.now)
        agent.until(Registered)
        agent.agent.unregister(registration, agent.now)
        assert agent.until(Unregistered) == Unregistered(registration)
        agent.finish(peer)


# --- sipp calls ---
def test_sipp_calls_and_hangs_up(tmp_path: Path) -> None:
    with SocketAgent() as agent, Sipp(tmp_path, "uac", agent.local) as peer:
        incoming = agent.until(IncomingCall)
        assert incoming.display == "sipp"
        agent.agent.ringing(incoming.call, agent.now)
        agent.agent.answer(incoming.call, SDP, agent.now)
        agent.until(CallConfirmed)
        assert not agent.until(CallEnded).by_us
        agent.finish(peer)


def test_sipp_is_busied(tmp_path: Path) -> None:
    scenario = request("INVITE", 1, AUDIO) + recv("100", 'optional="true"') + recv("486") + request("ACK", 1)
    with SocketAgent() as agent, Sipp(tmp_path, scenario, agent.local) as peer:
        agent.agent.reject(agent.until(IncomingCall).call, 486, agent.now)
        agent.finish(peer)


def test_sipp_cancels(tmp_path: Path) -> None:
    cancel = request("CANCEL", 1).replace("[branch]", "[branch-3]").replace("[peer_tag_param]", "")
    ack = request("ACK", 1).replace("[branch]", "[branch-6]")
    scenario = (
        request("INVITE", 1, AUDIO) + recv("100") + recv("180") + cancel + recv("200") + recv("487") + ack
    )
    with SocketAgent() as agent, Sipp(tmp_path, scenario, agent.local) as peer:
        incoming = agent.until(IncomingCall)
        agent.agent.ringing(incoming.call, agent.now)
        assert agent.until(Cancelled) == Cancelled(incoming.call)
        agent.finish(peer)


@pytest.mark.parametrize(
    "offer", [T38, AUDIO.replace("RTP/AVP 8", "RTP/AVP 18").replace("8 PCMA", "18 G729")]
)
def test_a_reinvite_to_fax_or_another_codec_is_refused_and_the_call_goes_on(
    tmp_path: Path, offer: str
) -> None:
    scenario = request("INVITE", 1, AUDIO) + recv("100") + recv("200") + request("ACK", 1)
    scenario += request("INVITE", 2, offer) + recv("100") + recv("488") + request("ACK", 2)
    # The call is as alive as before: the peer can ask for what it had, and ends it in order.
    scenario += request("INVITE", 3, AUDIO) + recv("100") + recv("200") + request("ACK", 3)
    scenario += request("BYE", 4) + recv("200")
    media = LocalMedia("127.0.0.1", 4000, 7)
    with SocketAgent() as agent, Sipp(tmp_path, scenario, agent.local) as peer:
        call = agent.until(IncomingCall).call
        agent.agent.answer(call, SDP, agent.now)
        agent.until(CallConfirmed)
        asked = agent.until(Reinvite)
        assert negotiate(parse(asked.sdp), media) is None
        agent.agent.reject_reinvite(call, agent.now)
        agreement = negotiate(parse(agent.until(Reinvite).sdp), media)
        assert agreement is not None
        agent.agent.accept_reinvite(call, agreement.answer.serialise(), agent.now)
        agent.until(CallConfirmed)
        assert agent.until(CallEnded) == CallEnded(call, False, "", 200)
        agent.finish(peer)


def exchange(*algorithms: str) -> UserAgentConfig:
    auth = AuthServer("ansam", {"07": "secret"}.get, b"0123456789abcdef", algorithms=algorithms)
    return UserAgentConfig(registrar=True, auth=auth)


@pytest.mark.parametrize("algorithms", [("MD5",), ("MD5", "SHA-256")])
def test_sipp_registers_with_digest(tmp_path: Path, algorithms: tuple[str, ...]) -> None:
    to = "To: <sip:07@[remote_ip]:[remote_port]>"
    login = "[authentication username=07 password=secret]"
    scenario = request("REGISTER", 1, to=to) + recv("401", 'auth="true"')
    scenario += request("REGISTER", 2, extra=login, to=to) + recv("200")
    with SocketAgent(exchange(*algorithms)) as agent, Sipp(tmp_path, scenario, agent.local) as peer:
        received = agent.until(RegisterReceived)
        assert (received.authenticated_user, received.user) == ("07", "07")
        contacts = [RegisterContact(contact.uri, 600) for contact in received.contacts]
        agent.agent.respond_register(received.request, 200, agent.now, contacts)
        agent.finish(peer)


def test_sipp_calls_with_digest_and_with_a_wrong_password(tmp_path: Path) -> None:
    for number, password in enumerate(("secret", "wrong")):
        folder = tmp_path / str(number)
        folder.mkdir()
        login = f"[authentication username=07 password={password}]"
        scenario = request("INVITE", 1, AUDIO) + recv("401", 'auth="true"') + request("ACK", 1)
        scenario += request("INVITE", 2, AUDIO, extra=login).replace("[peer_tag_param]", "")
        if password == "secret":
            scenario += recv("100") + recv("200") + request("ACK", 2) + request("BYE", 3) + recv("200")
        else:
            scenario += recv("401") + request("ACK", 2)
        with SocketAgent(exchange("MD5")) as agent, Sipp(folder, scenario, agent.local) as peer:
            if password == "secret":
                incoming = agent.until(IncomingCall)
                assert incoming.authenticated_user == "07"
                agent.agent.answer(incoming.call, SDP, agent.now)
                agent.until(CallEnded)
            else:
                assert agent.until(AuthenticationFailed).username == "07"
            agent.finish(peer)
