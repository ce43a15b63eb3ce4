"""`ansam listen` on calls of real modems: everything the README of the recordings says they said."""

import re
from collections import Counter
from functools import cache

import pytest
from tests.support.recordings import FOLDER, Truth, truths

from ansam.listen import Entry, Report, Sound, listen, read
from ansam.modulation.base import Role
from ansam.modulation.v34.info_channel import Hearing, InfoReceiver

TRUTHS = truths()
pytestmark = [
    pytest.mark.skipif(not TRUTHS, reason=f"no recordings in {FOLDER}"),
    pytest.mark.xdist_group("recordings"),  # each is listened to once
]
ROWS = pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.name.removesuffix(".wav"))
V34 = [truth for truth in TRUTHS if truth.selection.startswith("V.34")]
V90 = [truth for truth in TRUTHS if truth.selection.startswith("V.90")]


@cache
def sound(truth: Truth) -> Sound:
    return read(FOLDER / truth.name)


@cache
def report(truth: Truth) -> Report:
    # What follows phase 2 takes long, and is held by tests/listen/test_duplex.py.
    return listen(sound(truth), followers=())


def octets(entries: list[Entry]) -> set[bytes]:
    return {bytes.fromhex(str(entry.details["octets"])) for entry in entries}


def frames_everywhere(truth: Truth) -> Counter[str]:
    """Count INFO sequences in both channels, echoes and all."""
    found: Counter[str] = Counter()
    for audio in sound(truth).channels:
        for part in Role:
            receiver = InfoReceiver(part)
            done = 0
            while done < len(audio):
                taken, heard = receiver.process(audio[done:])
                done += taken
                if Hearing.FRAME in heard and receiver.frame is not None:
                    found[
                        receiver.frame.NAME[:5]
                        + ("" if receiver.frame.NAME < "INFO1" else receiver.frame.NAME[5:])
                    ] += 1
    return found


@ROWS
def test_channels_and_answer_tone(truth: Truth) -> None:
    heard = report(truth)
    assert heard.channels[Role.ANSWERING] == truth.answering_channel
    tone = max(heard.of(Role.ANSWERING, "ANSam", "ANS"), key=lambda entry: entry.end - entry.start)
    assert (tone.what == "ANSam") == (truth.depth > 0.1)
    assert tone.start / 8000 == pytest.approx(truth.tone[0], abs=0.15)
    assert tone.end / 8000 == pytest.approx(truth.tone[1], abs=0.15)


@ROWS
def test_menus(truth: Truth) -> None:
    heard = report(truth)
    assert octets(heard.of(Role.CALLING, "CM")) == ({truth.cm} if truth.cm else set())
    assert octets(heard.of(Role.ANSWERING, "JM")) == ({truth.jm} if truth.jm else set())
    assert len(heard.of(Role.CALLING, "CJ")) == (truth.jm is not None)


@ROWS
def test_no_sequence_of_the_readme_is_missing(truth: Truth) -> None:
    found = frames_everywhere(truth)
    counts = found["INFO0"], found["INFO1c"], found["INFO1a"]
    assert all(ours >= theirs for ours, theirs in zip(counts, truth.info, strict=True)), counts


@pytest.mark.parametrize("truth", V34, ids=lambda truth: truth.name.removesuffix(".wav"))
def test_phase_2_of_v34(truth: Truth) -> None:
    heard = report(truth)
    for role, names in ((Role.CALLING, ("INFO0c", "INFO1c")), (Role.ANSWERING, ("INFO0a", "INFO1a"))):
        for name in names:
            assert heard.of(role, name)
        assert not heard.of(role.other, *names)
        assert heard.of(role, "L1")
        assert heard.of(role, "L2")
        assert all(30 < float(str(e.details["snr_db"])) < 45 for e in heard.of(role, "L1"))
    down, up, carrier, index = re.fullmatch(
        r"V\.34 a->c (\d+), c->a (\d+)([LH]) pre-emph (\d+)", truth.selection
    ).groups()  # type: ignore[union-attr]
    last = heard.of(Role.ANSWERING, "INFO1a")
    wanted = (int(down), int(up), carrier == "H", int(index))
    selections = [
        (
            entry.details["symbol_rate_to_call"],
            entry.details["symbol_rate_to_answer"],
            entry.details["high_carrier"],
            entry.details["pre_emphasis"],
        )
        for entry in last
    ]
    assert wanted in selections


@pytest.mark.parametrize("truth", V34, ids=lambda truth: truth.name.removesuffix(".wav"))
def test_reversals_of_real_modems_keep_the_times(truth: Truth) -> None:
    """Tone A is reversed twice, then L1 begins 10 ms later (V.34 (10/96) §11.2.1.2.5)."""
    heard = report(truth)
    tone = next(e for e in heard.of(Role.ANSWERING, "tone A") if e.details["reversals"])
    probe = heard.of(Role.ANSWERING, "L1")[0]
    reversals = tone.details["reversals"]
    assert isinstance(reversals, list)
    assert len(reversals) == 2
    assert probe.start / 8000 - reversals[1] == pytest.approx(0.010, abs=0.008)


@pytest.mark.parametrize("truth", V90, ids=lambda truth: truth.name.removesuffix(".wav"))
def test_phase_2_of_v90(truth: Truth) -> None:
    heard = report(truth)
    assert heard.of(Role.ANSWERING, "INFO0d")
    assert heard.of(Role.CALLING, "INFO0a")
    ucode, rate = re.fullmatch(r"V\.90/92, Uinfo (\d+), up (\d+)", truth.selection).groups()  # type: ignore[union-attr]
    (selected,) = heard.of(Role.CALLING, "INFO1a")
    assert selected.details["ucode"] == int(ucode)
    assert f"up {rate} Bd" in selected.text


def test_a_call_without_v34() -> None:
    (truth,) = [t for t in TRUTHS if "banksia" in t.name]
    heard = {entry.what for entry in report(truth).entries}
    assert "ANSam" in heard
    assert not {what for what in heard if what.startswith(("INFO", "tone", "CM", "JM", "L1", "L2"))}


def test_retrains_show() -> None:
    (truth,) = [t for t in TRUTHS if "motorola" in t.name]
    heard = report(truth)
    assert len(heard.of(Role.CALLING, "INFO1c")) == 10
    assert len(heard.of(Role.ANSWERING, "INFO1a")) == 4
    assert len(heard.of(Role.ANSWERING, "INFOMARKSa")) >= 6
