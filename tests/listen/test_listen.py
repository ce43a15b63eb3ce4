"""The ears on calls of our own making, where every instant is known; mono; what is no modem."""

from pathlib import Path

import numpy as np
import pytest
from tests.support.phase2_line import Pair

from ansam.line.parameters import CircuitParameters, Echo, End, PathParameters
from ansam.listen import Report, Sound, listen
from ansam.listen.ear import Place
from ansam.listen.engine import find_parts, find_roles
from ansam.listen.v8_ear import V8Ear, octet_names
from ansam.modulation.base import Role
from ansam.modulation.v8.menu import CJ, sequence
from ansam.modulation.v34.phase2 import Entry as PhaseEntry
from ansam.scope.spectrogram import Mark, spectrogram_png
from ansam.tones.v25 import AnswerTone
from ansam.units import Audio


@pytest.fixture(scope="module")
def pair() -> Pair:
    pair = Pair(CircuitParameters(echoes={end: [Echo(-25)] for end in End}, up=PathParameters(snr_db=35)), 1)
    assert pair.run(10)
    return pair


def sounds(pair: Pair) -> Sound:
    """What an ear at the calling end has: left what it sent, right what it heard."""
    return Sound((np.concatenate(pair.sent[End.CALLING]), np.concatenate(pair.heard[End.CALLING])), 8000)


@pytest.fixture(scope="module")
def report(pair: Pair) -> Report:
    return listen(sounds(pair))


def starts(report: Report, role: Role, *names: str) -> list[float]:
    return [entry.start / 8 for entry in report.of(role, *names)]


def test_instants_of_phase_2(pair: Pair, report: Report) -> None:
    phases = {phase: ms for ms, phase in pair.phases(End.CALLING)}
    assert starts(report, Role.CALLING, "INFO0c") == [pytest.approx(phases["INFO0c"], abs=10)]
    assert starts(report, Role.CALLING, "INFO1c") == [pytest.approx(phases["INFO1c"], abs=10)]
    probe = phases["L1 and L2 sent, waiting for tone A"]
    assert starts(report, Role.CALLING, "L1") == [pytest.approx(probe, abs=8)]
    assert starts(report, Role.CALLING, "L2") == [pytest.approx(probe + 160, abs=10)]
    names = [entry.what for entry in report.entries if entry.role is Role.ANSWERING]
    assert names == ["INFO0a", "tone A", "L1", "L2", "tone A", "tone A", "INFO1a"]


def test_details(report: Report) -> None:
    (info1a,) = report.of(Role.ANSWERING, "INFO1a")
    assert info1a.details["symbol_rate_to_call"] == 3429
    (info1c,) = report.of(Role.CALLING, "INFO1c")
    rates = info1c.details["rates"]
    assert isinstance(rates, dict)
    assert rates["3429"]["bit_rate"] == 33600
    (tone, *_) = report.of(Role.ANSWERING, "tone A")
    assert isinstance(tone.details["reversals"], list)
    assert len(tone.details["reversals"]) == 2
    assert "33600" in info1c.text


def test_a_retrain_and_infomarks() -> None:
    """INFO1a is lost, INFOMARKSa asks for INFO1c again."""

    def spoil(hears: End, frame: int, audio: Audio, erased: bool) -> tuple[Audio, bool]:
        lost = hears is End.CALLING and 140 <= frame < 144
        return (audio * np.float32(0), True) if lost else (audio, erased)

    pair = Pair(spoil=spoil)
    assert pair.run(12)
    report = listen(
        Sound((np.concatenate(pair.sent[End.CALLING]), np.concatenate(pair.heard[End.CALLING])), 8000)
    )
    assert len(report.of(Role.CALLING, "INFO1c")) == 2
    assert len(report.of(Role.ANSWERING, "INFOMARKSa")) == 1
    assert PhaseEntry.MARKS.value == "INFOMARKS"


def test_one_channel_with_both_ends(pair: Pair, report: Report) -> None:
    left, right = sounds(pair).channels
    mono = listen(Sound(((left + right) / 2,), 8000))
    assert mono.channels == {Role.CALLING: 0, Role.ANSWERING: 0}
    for role, names in ((Role.CALLING, ("INFO0c", "INFO1c")), (Role.ANSWERING, ("INFO0a", "INFO1a"))):
        assert len(mono.of(role, *names)) == len(report.of(role, *names))


def test_roles_follow_the_answer_tone() -> None:
    tone = np.concatenate([np.zeros(4000, np.float32), AnswerTone(-13, modulated=True).generate(16000)])
    quiet = (0.01 * tone).astype(np.float32)
    assert find_roles(Sound((tone, quiet), 8000)) == {Role.ANSWERING: 0, Role.CALLING: 1}
    assert find_roles(Sound((quiet, tone), 8000)) == {Role.ANSWERING: 1, Role.CALLING: 0}
    assert find_roles(Sound((0 * tone, 0 * tone), 8000)) == {Role.ANSWERING: 1, Role.CALLING: 0}


def test_parts_may_be_exchanged_as_in_v90(pair: Pair) -> None:
    left, right = sounds(pair).channels
    swapped = {Role.CALLING: 1, Role.ANSWERING: 0}
    assert find_parts(Sound((left, right), 8000), swapped) == {role: role.other for role in Role}
    assert find_parts(Sound((left, right), 8000), {Role.CALLING: 0, Role.ANSWERING: 1}) == {
        r: r for r in Role
    }
    assert find_parts(Sound((0 * left, 0 * left), 8000), swapped) == {r: r for r in Role}


def test_answer_tone_and_menus() -> None:
    from ansam.dsp.fsk import FskSender
    from ansam.modulation.v21 import V21_PLAN
    from ansam.units import rms_from_dbm0

    tone = AnswerTone(-13, modulated=True).generate(24_000)
    answering = V8Ear(Place(Role.ANSWERING, Role.ANSWERING))
    answering.feed(np.concatenate([np.zeros(8000, np.float32), tone, np.zeros(8000, np.float32)]))
    (heard,) = answering.close()
    assert heard.what == "ANSam"
    assert heard.details["reversals"] == 6
    octets = bytes.fromhex("C16513900D27")
    bits = np.concatenate([*[sequence(octets)] * 4, CJ, np.ones(20, np.uint8)])
    sender = FskSender(V21_PLAN.channels[Role.CALLING], rms_from_dbm0(-13))
    calling = V8Ear(Place(Role.CALLING, Role.CALLING))
    calling.feed(np.concatenate([np.zeros(4000, np.float32), sender.send(bits, len(bits) * 80 // 3)]))
    what = {entry.what: entry for entry in calling.close()}
    assert set(what) == {"CM", "CJ"}
    assert what["CM"].details["octets"] == "C1 65 13 90 0D 27"
    assert what["CM"].start == pytest.approx(4000, abs=150)
    assert "V.34" in str(what["CM"].details["menu"])
    explained = octet_names(octets)
    assert explained[:3] == ["C1 call function", "65 modulations", "13 extension"]
    assert octet_names(b"\x08") == ["08 unknown"]


def test_noise_speech_and_nothing() -> None:
    rng = np.random.default_rng(1)
    noise = (0.05 * rng.standard_normal(80_000)).astype(np.float32)
    assert not listen(Sound((noise, np.zeros_like(noise)), 8000)).entries
    assert not listen(Sound((noise[:50],), 8000)).entries


def test_results_do_not_depend_on_the_block(
    pair: Pair, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansam.listen.engine.BLOCK", 777)
    assert listen(sounds(pair)).entries == report.entries


def test_json(report: Report) -> None:
    plain = report.as_dict()
    assert plain["channels"] == {"calling": 0, "answering": 1}
    entries = plain["entries"]
    assert isinstance(entries, list)
    assert entries[0]["what"] in ("INFO0c", "INFO0a")
    assert entries == sorted(entries, key=lambda e: e["start"])


def test_a_picture(pair: Pair, report: Report, tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "call.png"
    marks = [Mark(report.channels[e.role], e.start, e.end, e.what) for e in report.entries]
    spectrogram_png(sounds(pair).channels, marks, path, ["calling", "answering"])
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width == 640
        assert image.height > 512
        pixels = np.asarray(image)
    assert pixels.std() > 20
