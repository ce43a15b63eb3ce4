"""What is found, and that nothing is found where nothing is."""

import numpy as np
import pytest
from tests.support.path_signals import SHAPES, call, kinds, meddle, qam, watched

from ansam.codec import Law
from ansam.path import REMEDIES, Kind, NetworkFacts, Severity
from ansam.path.watch import PathWatch
from ansam.units import rms_from_dbm0

MODEMS = sorted(SHAPES)


def line(name, seed, noise_dbm0=-55.0, gain_db=-6.0):
    """Return an ordinary line: noise and gain before the first coder."""
    x = call(name, seed)
    noise = rms_from_dbm0(noise_dbm0) * np.random.default_rng(seed + 100).standard_normal(len(x))
    return ((x + noise) * 10 ** (gain_db / 20)).astype(np.float32)


@pytest.mark.parametrize("name", MODEMS)
@pytest.mark.parametrize("law", [Law.ALAW, Law.ULAW])
def test_a_clean_call_has_no_findings(name, law):
    assert not watched(call(name), name, law=law).findings


@pytest.mark.parametrize("name", MODEMS)
def test_an_ordinary_line_has_no_findings(name):
    assert not watched(line(name, 3), name).findings


@pytest.mark.parametrize("name", MODEMS)
def test_nor_has_one_that_nobody_tells_about(name):
    assert not watched(line(name, 4)).findings


EVERYWHERE = {
    "transcode": "transcoded",
    "wrong-law": "wrong-law",
    "gain:-3": "gain",
    "gain:1.5": "gain",
    "clip:-12": "clipping",
    "robbed-bit:3": "robbed-bits",
    "plc:0.02": "concealment",
    "lost:0.02": "lost-upstream",
    "stretch:1.5": "time-slip",
}


@pytest.mark.parametrize("name", MODEMS)
@pytest.mark.parametrize("meddler", EVERYWHERE)
def test_what_is_found_whatever_the_modem(name, meddler):
    assert EVERYWHERE[meddler] in kinds(watched(meddle(call(name), meddler), name))


@pytest.mark.parametrize("meddler", ["adpcm", "vocoder"])
@pytest.mark.parametrize("name", ["V.32bis", "V.34"])
def test_a_lossy_codec(name, meddler):
    assert "lossy-codec" in kinds(watched(meddle(call(name), meddler), name))


def test_the_sign_and_size_of_a_gain():
    found = watched(meddle(call("V.34"), "gain:-2.5"), "V.34").findings
    assert [f.evidence["gain_db"] for f in found if f.kind is Kind.GAIN] == [-2.5]


def test_transcoding_says_what_was_seen():
    found = watched(meddle(call("V.32bis"), "transcode"), "V.32bis").findings[0]
    assert found.severity is Severity.WARNING
    assert found.evidence["missing_codewords"] == 16
    assert "through µ-law and back" in found.text
    assert found.as_dict()["kind"] == "transcoded"


def test_audio_that_a_far_gateway_converted_once():
    once = Law.ULAW.through(call("V.34"))
    found = watched(once, "V.34").findings
    assert [f.kind for f in found] == [Kind.TRANSCODED]
    assert "from µ-law" in found[0].text


def test_octets_of_the_other_law():
    octets = Law.ULAW.encode(call("V.32bis"))
    watch = PathWatch(Law.ALAW)
    watch.receive(octets)
    assert kinds(watch) == {"wrong-law"}
    assert "although A-law was agreed on" in watch.findings[0].text


def test_our_own_signal_in_the_other_direction():
    rx, tx = call("V.32bis"), np.zeros(0, np.float32)
    tx = np.concatenate([np.zeros(34000, np.float32), qam("V.32bis", 12, 9)])[: len(rx)]
    heard = rx.copy()
    heard[1600:] += 0.1 * tx[:-1600]
    found = [f for f in watched(heard, "V.32bis", tx=tx).findings if f.kind is Kind.ECHO]
    assert found
    assert found[0].evidence["delay_ms"] == pytest.approx(200, abs=0.2)
    assert found[0].evidence["level_db"] == pytest.approx(-20, abs=1)


def test_a_suppressor_that_turns_the_answer_tone_down_when_we_speak():
    rx = call("V.34")
    tx = np.zeros_like(rx)
    tx[20000:28000] = qam("V.22bis", 1, 9)
    found = watched(meddle(rx, "suppressor:12", tx=tx), tx=tx).findings
    assert [f.kind for f in found] == [Kind.ECHO_SUPPRESSOR]
    assert found[0].evidence["drop_db"] == pytest.approx(12, abs=1)


def test_comfort_noise_and_events_of_the_network():
    watch = PathWatch(Law.ALAW)
    watch.note_network(NetworkFacts(comfort_noise=1, events=2))
    assert kinds(watch) == {"silence-suppression", "dtmf-clamp"}
    assert len(watch.take_findings()) == 2
    assert not watch.take_findings()


def test_lost_packets_are_not_meddling():
    rng = np.random.default_rng(6)
    erased = set(np.flatnonzero(rng.random(800) < 0.05).tolist())
    rx = call("V.34")
    for frame in erased:
        rx[160 * frame : 160 * frame + 160] = 0
    assert not watched(rx, "V.34", erased=erased).findings


@pytest.mark.parametrize("meddler", ["transcode", "plc:0.03", "stretch:1.5", "lost:0.03"])
def test_findings_do_not_depend_on_how_the_stream_was_cut(meddler):
    rx = meddle(call("V.34"), meddler)
    whole = watched(rx)
    assert [f.as_dict() for f in watched(rx, cuts=3).findings] == [f.as_dict() for f in whole.findings]


def test_every_kind_that_a_setting_can_cure_names_it():
    missing = set(Kind) - set(REMEDIES)
    assert missing == {Kind.BAND_LIMIT}
    assert all(remedy.setting and remedy.value for remedies in REMEDIES.values() for remedy in remedies)
