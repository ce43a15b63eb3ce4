"""CM and JM of real modems, octets exactly: the calls of ../shared/recordings, whose README has the truth."""

import wave
from functools import cache

import numpy as np
import pytest
from tests.support.recordings import FOLDER, Truth, truths

from ansam.modulation.base import Role
from ansam.modulation.v8.listener import V8Listener
from ansam.modulation.v8.sequences import Kind
from ansam.units import SAMPLE_RATE, Audio

TRUTHS = truths()
pytestmark = [
    pytest.mark.skipif(not TRUTHS, reason=f"no recordings in {FOLDER}"),
    pytest.mark.xdist_group("recordings"),  # each is listened to once
]
ROWS = pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.name.removesuffix(".wav"))


def channels(name: str) -> list[Audio]:
    with wave.open(str(FOLDER / name)) as file:
        assert file.getframerate() == SAMPLE_RATE
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    return [np.ascontiguousarray(data[:, k], np.float32) / 32768 for k in range(data.shape[1])]


@cache
def listened(truth: Truth) -> V8Listener:
    audio = channels(truth.name)
    listener = V8Listener()
    listener.feed(Role.ANSWERING, audio[truth.answering_channel])
    listener.feed(Role.CALLING, audio[1 - truth.answering_channel])
    listener.close()
    return listener


def menus(truth: Truth, role: Role) -> list[bytes]:
    heard = listened(truth).sequences(role)
    return [h.sequence.octets for h in heard if h.sequence.kind is Kind.MENU]


@ROWS
def test_call_menu(truth: Truth) -> None:
    heard = menus(truth, Role.CALLING)
    assert set(heard) == ({truth.cm} if truth.cm else set())
    twice = [h.sequence.repeated for h in listened(truth).sequences(Role.CALLING)]
    assert any(twice) or not truth.cm


@ROWS
def test_joint_menu(truth: Truth) -> None:
    heard = menus(truth, Role.ANSWERING)
    assert set(heard) == ({truth.jm} if truth.jm else set())
    assert len(heard) >= truth.jm_count


@ROWS
def test_terminator(truth: Truth) -> None:
    heard = listened(truth).terminators(Role.CALLING)
    assert (len(heard) == 1) == (truth.jm is not None)


@ROWS
def test_answer_tone(truth: Truth) -> None:
    tones = listened(truth).answer_tones(Role.ANSWERING)
    tone = max(tones, key=lambda t: t.end - t.begin)
    assert tone.modulated == (truth.depth > 0.1)
    assert tone.begin / SAMPLE_RATE == pytest.approx(truth.tone[0], abs=0.15)
    assert tone.end / SAMPLE_RATE == pytest.approx(truth.tone[1], abs=0.15)
    assert tone.reversals >= 2
