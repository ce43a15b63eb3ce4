"""Our user agent, as registrar and as both ends of a call, against baresip (Debian baresip-core)."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.baresip import prepare
from tests.support.sip_socket import SocketAgent

from ansam.sdp.description import parse
from ansam.sdp.negotiation import PCMA, PLAIN, Features, LocalMedia, accept, offer
from ansam.sip.auth import AuthServer
from ansam.sip.events import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallId,
    IncomingCall,
    RegisterContact,
    RegisterReceived,
    ReinviteAnswered,
)
from ansam.sip.ua import UserAgentConfig

pytestmark = pytest.mark.peer("baresip-core")

MEDIA = LocalMedia("127.0.0.1", 4000, 7)


@contextmanager
def baresip(folder: Path, agent: SocketAgent, mode: str, *commands: str) -> Iterator[RegisterReceived]:
    """Run baresip as extension 05 and register it at `agent`."""
    account = f"<sip:05@127.0.0.1:{agent.local[1]}>;auth_user=05;auth_pass=secret;regint=600"
    prepare(folder, f"{account};audio_codecs=pcma;answermode={mode}")
    words = [word for command in commands for word in ("-e", command)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["baresip", "-f", str(folder), *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    answered: list[RegisterReceived] = []
    try:
        register = agent.until(RegisterReceived)
        contacts = [RegisterContact(contact.uri, 600) for contact in register.contacts]
        agent.agent.respond_register(register.request, 200, agent.now, contacts)
        yield register
    finally:
        process.terminate()
        limit = time.monotonic() + 10
        while process.poll() is None and time.monotonic() < limit:
            agent.pump()  # it unregisters and waits for our answer
            for event in agent.events:
                if isinstance(event, RegisterReceived) and event not in answered:
                    answered.append(event)
                    agent.agent.respond_register(event.request, 200, agent.now)
        process.kill()
        process.wait()


def registrar() -> UserAgentConfig:
    # baresip 1.0.0 gives up at a second challenge with SHA-256, wherever it stands.
    auth = AuthServer("ansam", {"05": "secret"}.get, b"0123456789abcdef", algorithms=("MD5",))
    return UserAgentConfig(registrar=True, auth=auth, authenticate=frozenset({"REGISTER"}))


def ring(agent: SocketAgent, register: RegisterReceived, features: Features = PLAIN) -> CallId:
    sdp = offer(MEDIA, features=features).serialise()
    target = register.contacts[0].uri
    return agent.agent.invite(target, register.flow, agent.now, from_="sip:07@127.0.0.1", sdp=sdp)


def test_baresip_registers_with_digest_and_unregisters(tmp_path: Path) -> None:
    with SocketAgent(registrar()) as agent:
        with baresip(tmp_path, agent, "manual") as register:
            assert (register.user, register.authenticated_user) == ("05", "05")
            assert register.user_agent.startswith("baresip")
        assert agent.until(RegisterReceived).contacts[0].expires == 0


def test_a_softphone_ignores_what_it_does_not_know_of_our_offer(tmp_path: Path) -> None:
    """Voice-band data and redundancy are offered; it answers with the law alone."""
    features = Features(vbd=True, redundancy=2)
    with SocketAgent(registrar()) as agent, baresip(tmp_path, agent, "auto") as register:
        call = ring(agent, register, features)
        remote = accept(parse(agent.until(CallAnswered).sdp), features=features)
        assert remote is not None
        assert (remote.codec, remote.vbd_type, remote.red_type) == (PCMA, None, None)
        agent.agent.bye(call, agent.now)
        agent.until(CallEnded)


def test_we_call_change_the_session_and_hang_up(tmp_path: Path) -> None:
    with SocketAgent(registrar()) as agent, baresip(tmp_path, agent, "auto") as register:
        call = ring(agent, register)
        remote = accept(parse(agent.until(CallAnswered).sdp))
        assert remote is not None
        assert (remote.codec, remote.payload_type) == (PCMA, 8)
        agent.agent.reinvite(call, offer(MEDIA.next_version()).serialise(), agent.now)
        assert accept(parse(agent.until(ReinviteAnswered).sdp)) is not None
        agent.agent.bye(call, agent.now)
        assert agent.until(CallEnded) == CallEnded(call, True, "", 200)


def test_baresip_calls_and_we_answer_and_hang_up(tmp_path: Path) -> None:
    with SocketAgent(registrar()) as agent, baresip(tmp_path, agent, "manual", "/dial 07"):
        incoming = agent.until(IncomingCall)
        assert incoming.from_.startswith("sip:05@")
        agent.agent.answer(incoming.call, offer(MEDIA).serialise(), agent.now)
        agent.until(CallConfirmed)
        agent.agent.bye(incoming.call, agent.now)
        assert agent.until(CallEnded) == CallEnded(incoming.call, True, "", 200)
