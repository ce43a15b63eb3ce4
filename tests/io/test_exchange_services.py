"""Numbers that the exchange answers itself, over real UDP."""

import asyncio
import random

import numpy as np
import pytest
from tests.support.exchange_live import exchange, phone, recorded, run, sdp

from ansam.call.call import CallMedia
from ansam.call.line_url import SipLineUrl
from ansam.call.party import Echo
from ansam.codec.g711 import Law
from ansam.doctor import Examination, Far, Media, diagnose
from ansam.errors import ResourceError
from ansam.io.answer_modem import modem_on
from ansam.io.clock import FramePacer
from ansam.io.doctor import examine
from ansam.io.exchange_services import EchoCall
from ansam.io.line_sip import SipLine
from ansam.pbx.callbacks import CallBack
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.settings import Service
from ansam.rtp.packet import RtpPacket, build, parse
from ansam.sip.events import CallAnswered, CallEnded, CallFailed
from ansam.units import FRAME

SERVICES = {"9199": Service.DOCTOR, "*43": Service.ECHO, "9197": Service.MILLIWATT, "9198": Service.SILENCE}
FAR = ("192.0.2.7", 4000)


@pytest.mark.parametrize("law", [Law.ALAW, Law.ULAW])
def test_the_echo_returns_every_octet_as_it_is(law: Law) -> None:
    call = EchoCall(
        CallMedia(FAR, law, law.payload_type, law.payload_type), Echo(), random.Random(1), delay=FRAME
    )
    octets = np.arange(2 * FRAME).astype(np.uint8).tobytes()
    came = b""
    for index in range(4):
        payload = octets[index * FRAME : (index + 1) * FRAME] or bytes(FRAME)
        packet = RtpPacket(law.payload_type, index, index * FRAME, 7, payload)
        call.receive(build(packet), FAR, call.now - FRAME / 2)
        out = call.tick()
        assert out is not None
        came += parse(out[0]).payload
    assert octets in came


@pytest.mark.bench  # in real time; sipp's echo is examined in every run
def test_the_doctor_finds_the_echo_number_transparent() -> None:
    async def test() -> None:
        async with exchange(services=SERVICES) as server:
            pacer = FramePacer()
            pacer.start()
            host, port = server.address("udp")
            line = SipLine(SipLineUrl("07", "secret-07", host, port), pacer, register=False)
            examination = Examination(Law.ALAW, 2.0)
            try:
                called = await examine(line, "*43", examination)
            finally:
                pacer.stop()
            assert called.statistics is not None
            found = diagnose(examination.findings(), Law.ALAW, Media.of(called.statistics, 60.0))
            assert found.far is Far.ECHO
            assert found.item("octets").value == "bit exact", found.item("octets")
            assert found.prediction.rate == 33600
            assert server.exchange.calls_up == 0
            assert server.services is not None
            assert len(server.services) == 0

    run(test)


def test_services_are_for_extensions_alone_and_speak_g711_alone() -> None:
    async def test() -> None:
        async with exchange(services=SERVICES) as server:
            address = server.address("udp")
            async with phone("07", address) as caller:
                caller.call("9198", sdp(4000).replace(b" 8", b" 18").replace(b"PCMA", b"G729"))
                assert (await caller.wait(CallFailed)).status == 488
                caller.call("9197", sdp(4000))
                answer = await caller.wait(CallAnswered)
                assert b"RTP/AVP 8" in answer.sdp
                caller.node.do(lambda agent, now: agent.bye(answer.call, now))
            pacer = FramePacer()
            pacer.start()
            line = SipLine(SipLineUrl("07", "guess", *address), pacer, register=False)
            with pytest.raises(ResourceError, match=r"40[13]|not allowed"):
                await examine(line, "*43", Examination(Law.ALAW, 2.0))
            pacer.stop()

    run(test)


def test_what_the_line_doctor_finds_is_in_the_record() -> None:
    async def test() -> None:
        async with exchange(services=SERVICES) as server, phone("07", server.address("udp")) as caller:
            call = caller.call("9199", sdp(4000))
            await caller.wait(CallAnswered)
            await asyncio.sleep(0.3)
            caller.node.do(lambda agent, now: agent.bye(call, now))
            await caller.wait(CallEnded)
            (found,) = await recorded(server, 1)
            assert found.note.startswith("line doctor: bad for connection")
            assert not len(server.services)

    run(test)


@pytest.mark.bench
@pytest.mark.parametrize(("number", "said"), [("9199", b"Goodbye."), ("9195", b" +")])
def test_a_modem_calls_a_modem_of_the_exchange(number: str, said: bytes) -> None:
    async def test() -> None:
        services = {**SERVICES, "9195": Service.TIME}
        async with exchange(services=services) as server:
            pacer = FramePacer()
            pacer.start()
            line = SipLine(SipLineUrl("07", "secret-07", *server.address("udp")), pacer)
            shown = bytearray()
            async with modem_on(line, "m", "") as port:
                await port.open()
                await port.write(f"ATE0DT{number}\r".encode())
                async with asyncio.timeout(60):
                    while said not in shown:
                        shown += await port.read()
            pacer.stop()

    run(test)


@pytest.mark.bench
def test_a_modem_is_called_back_and_connects() -> None:
    async def test() -> None:
        people = [Extension(number, f"secret-{number}") for number in ("05", "07")]
        plan = DialPlan(people, callbacks=(CallBack("58", "05", ("07",), 2.0),))
        async with exchange(plan=plan) as server:
            pacer = FramePacer()
            pacer.start()
            lines = [
                SipLine(SipLineUrl(n, f"secret-{n}", *server.address("udp")), pacer) for n in ("05", "07")
            ]
            async with modem_on(lines[0], "host", "ATS0=1&N6") as host, modem_on(lines[1], "m", "") as port:
                await host.open()
                await port.open()
                await port.write(b"ATE0S0=1&N6DT58\r")
                shown = bytearray()
                async with asyncio.timeout(60):
                    while b"BUSY" not in shown:
                        shown += await port.read()
                    while b"CONNECT" not in shown:
                        shown += await port.read()
                    heard = bytearray()
                    while b"CONNECT" not in heard:
                        heard += await host.read()
                    await host.write(b"who is there?")
                    while b"who is there?" not in shown:
                        shown += await port.read()
                assert b"RING" in shown
            pacer.stop()
            busy, back = await recorded(server, 2)
            assert (busy.callee, busy.cause, back.caller, back.note) == ("58", "busy", "07", "called back")
            assert back.callee_modem["modulation"] == back.caller_modem["modulation"] == "V.34"

    run(test)
