import random
from dataclasses import replace

import numpy as np
import pytest

from ansam.call.call import HELD_KEEP_ALIVE, Call, CallMedia
from ansam.call.party import Echo, Silence, Tone
from ansam.call.raw import RawCall
from ansam.codec.g711 import Law
from ansam.rtp.packet import RtpPacket, build, parse
from ansam.rtp.redundancy import Redundancy
from ansam.rtp.srtp import SrtpKeys, SrtpReceiver, SrtpSender
from ansam.sdp.negotiation import PCMA, PCMU, Direction, RemoteMedia
from ansam.units import Audio, Samples, dbm0_from_power

FAR = ("192.0.2.1", 4000)


class Listener:
    """A party that records what it is given."""

    def __init__(self) -> None:
        self.heard: list[tuple[Samples, int, bool]] = []

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        self.heard.append((now, len(rx), erased))
        return np.zeros(len(rx), np.float32)


def media(law: Law = Law.ALAW) -> CallMedia:
    return CallMedia(FAR, law, law.payload_type, law.payload_type)


def packet(k: int, payload: bytes, payload_type: int = 8) -> bytes:
    return build(RtpPacket(payload_type, k, k * 160, 1, payload))


@pytest.mark.parametrize("law", [Law.ALAW, Law.ULAW])
def test_codewords_come_back_bit_for_bit_from_an_echo(law: Law) -> None:
    call = Call(media(law), Echo(), random.Random(1))
    rng = random.Random(2)
    # µ-law has two zeros that decode to the same amplitude.
    frames = [rng.randbytes(160).replace(b"\x7f", b"\xff") for _ in range(30)]
    out = []
    for k, frame in enumerate(frames):
        call.receive(packet(k, frame, law.payload_type), FAR, call.now)
        sent = call.tick()
        assert sent is not None
        assert sent[1] == FAR
        out.append(parse(sent[0]).payload)
    assert out[3:] == frames[:27]


def test_clock_counts_samples_and_erasures_are_told_exactly() -> None:
    party = Listener()
    call = Call(media(), party, random.Random(1), start=800)
    for k in range(8):
        if k != 2:
            call.receive(packet(k, bytes(160)), FAR, call.now)
        call.tick()
    assert call.now == 800 + 8 * 160
    assert party.heard == [(800 + k * 160, 160, k < 3 or k == 5) for k in range(8)]


def test_statistics() -> None:
    call = Call(media(), Silence(), random.Random(1))
    for k in range(10):
        if k != 4:
            call.receive(packet(k, bytes(160)), FAR, call.now)
        call.receive(b"junk", FAR, call.now)
        call.tick()
    call.receive(packet(9, bytes(160)), FAR, call.now)
    s = call.statistics()
    assert (s.frames, s.packets_sent, s.packets_received) == (10, 10, 9)
    assert (s.lost, s.duplicates, s.refused, s.late) == (1, 1, 10, 0)
    assert s.erased_frames == 1
    assert s.margin_ms == 60
    assert call.silent_frames == 1


def test_hold_sends_nothing_and_the_clock_goes_on() -> None:
    call = Call(media(), Silence(), random.Random(1))
    call.renegotiated(CallMedia(("", 0), Law.ALAW, 8, 8))
    assert call.tick() is None
    call.receive(packet(0, bytes(160)), FAR, call.now)
    assert call.tick() is None, "music on hold is no reason to answer"
    assert call.now == 320
    kept = [sent for sent in (call.tick() for _ in range(2 * HELD_KEEP_ALIVE)) if sent is not None]
    assert kept == [(b"", FAR)] * 2
    assert call.silent_frames == 0
    call.receive(b"", FAR, call.now)
    assert call.statistics().refused == 0
    call.renegotiated(media())
    assert call.tick() is not None
    assert call.rtp.packets_sent == 1


@pytest.mark.parametrize(("codec", "law"), [(PCMA, Law.ALAW), (PCMU, Law.ULAW)])
def test_agreed_media(codec: object, law: Law) -> None:
    remote = RemoteMedia("192.0.2.9", 7000, codec, 97, Direction.SENDRECV)  # type: ignore[arg-type]
    offered = CallMedia.agreed(remote, answered=False)
    answered = CallMedia.agreed(remote, answered=True)
    assert (offered.law, offered.send_type, offered.receive_type) == (law, 97, law.payload_type)
    assert answered.receive_type == 97
    assert (offered.also, offered.redundancy) == (frozenset(), None)
    rich = replace(remote, vbd_type=98, red_type=99, redundancy=1)
    offered, answered = (CallMedia.agreed(rich, answered=answered) for answered in (False, True))
    assert offered.send_type == answered.send_type == 98
    assert (offered.also, answered.also) == ({codec.vbd_type}, {98})  # type: ignore[attr-defined]
    assert offered.redundancy == Redundancy(1, 99, 121)
    assert answered.redundancy == Redundancy(1, 99, 99)
    held = RemoteMedia("192.0.2.9", 7000, PCMA, 8, Direction.INACTIVE)
    assert CallMedia.agreed(held, answered=True).remote[0] == ""


def test_tone_has_its_level_and_an_unbroken_phase() -> None:
    tone = Tone(1020.0, -10.0)
    whole = tone.process(np.zeros(8000, np.float32), 0)
    pieces = np.concatenate([tone.process(np.zeros(160, np.float32), k * 160) for k in range(50)])
    assert dbm0_from_power(float(np.mean(whole**2))) == pytest.approx(-10, abs=0.02)
    np.testing.assert_allclose(whole, pieces, atol=1e-6)


def test_raw_call_counts_its_clock() -> None:
    call = RawCall(Law.ALAW, Echo(), start=160)
    frame = bytes(range(160))
    assert call.exchange(frame) == frame
    assert call.exchange(frame, erased=True) == bytes([0xD5]) * 160
    assert (call.now, call.frames) == (480, 2)


def test_encrypted_audio_goes_on_over_renegotiations() -> None:
    suite, mine, theirs = "AES_CM_128_HMAC_SHA1_80", bytes(30), bytes(range(30))
    call = Call(replace(media(), srtp=SrtpKeys(suite, mine, theirs)), Echo(), random.Random(1))
    far, back = SrtpSender(suite, theirs), SrtpReceiver(suite, mine)
    heard = []
    for k in range(12):
        if k == 5:
            call.renegotiated(replace(media(), srtp=SrtpKeys(suite, mine, theirs)))
        if k == 8:
            theirs = bytes([1]) * 30
            far = SrtpSender(suite, theirs)
            call.renegotiated(replace(media(), srtp=SrtpKeys(suite, mine, theirs)))
        call.receive(far.protect(packet(k, bytes([k]) * 160)), FAR, call.now)
        call.receive(packet(k, bytes(160)), FAR, call.now)
        call.receive(b"junk", FAR, call.now)
        sent = call.tick()
        assert sent is not None
        heard.append(parse(back.unprotect(sent[0])).payload[0])
    assert heard[3:] == list(range(9))
    assert (call.rtp.received.unauthentic, call.rtp.received.malformed) == (12, 12)
    assert (call.rtp.received.packets, call.statistics().lost) == (12, 0)
    call.renegotiated(media())
    sent = call.tick()
    assert sent is not None
    assert len(sent[0]) == 172
