"""What a far end that is no modem sounds like, and the journal of causes."""

import numpy as np
import pytest

from ansam.codec import Law
from ansam.dce.causes import CHAIN, NOTES, RECENT, Cause, Journal, Source, screen
from ansam.dce.media_watch import MediaWatch
from ansam.dce.survey import Kind, Survey
from ansam.tones.progress import Progress, ProgressTone
from ansam.tones.v25 import AnswerTone


def tones(*segments):
    """Return a sound: each segment is (seconds, hertz …), one that names no frequency is silence."""
    out = []
    for seconds, *frequencies in segments:
        t = np.arange(round(8000 * seconds)) / 8000
        out.append(sum((0.1 * np.sin(2 * np.pi * hz * t) for hz in frequencies), np.zeros(len(t))))
    return np.concatenate(out)


def progress(tone, seconds=10):
    return ProgressTone(tone).generate(8000 * seconds)


def hear(sound, *, cut=160, speaking=None, erased=()):
    survey = Survey()
    heard = Law.ALAW.through(np.asarray(sound, np.float32))
    for at in range(0, len(heard), cut):
        speaks = bool(speaking and speaking(at))
        survey.hear(heard[at : at + cut], at, at // 160 in erased, speaks)
    return survey.verdict()


SIT = tones((1.0,), (0.33, 950), (0.33, 1400), (0.33, 1800), (3.0,))
US_BUSY = np.tile(tones((0.5, 480, 620), (0.5,)), 8)
US_DIAL = tones((6.0, 350, 440))
US_RINGING = np.tile(tones((2.0, 440, 480), (4.0,)), 3)
CNG = np.tile(tones((0.5, 1100), (3.0,)), 3)


@pytest.mark.parametrize(
    ("sound", "kind"),
    [
        (tones((5.0,)), Kind.SILENCE),
        (progress(Progress.BUSY), Kind.BUSY),
        (progress(Progress.CONGESTION), Kind.BUSY),
        (progress(Progress.RINGBACK, 14), Kind.RINGING),
        (progress(Progress.DIAL), Kind.DIAL),
        (US_BUSY, Kind.BUSY),
        (US_DIAL, Kind.DIAL),
        (US_RINGING, Kind.RINGING),
        (SIT, Kind.ANNOUNCEMENT),
        (CNG, Kind.FAX_CALLER),
        (AnswerTone(-13.0, False).generate(20000), Kind.ANSWER_TONE),
        (tones((3.0, 1300), (2.0,)), Kind.TONE),
        (0.05 * np.random.default_rng(1).standard_normal(40000), Kind.SIGNAL),
        (0.002 * np.random.default_rng(1).standard_normal(40000), Kind.NOISE),
    ],
)
def test_each_is_told_apart(sound, kind):
    verdict = hear(sound)
    assert verdict is not None
    assert verdict.kind is kind
    assert hear(sound, cut=37) == verdict


def test_lost_packets_change_no_verdict():
    verdict = hear(progress(Progress.BUSY), erased=set(range(0, 500, 40)))
    assert verdict is not None
    assert verdict.kind is Kind.BUSY


def test_nothing_heard_is_no_verdict():
    assert Survey().verdict() is None
    assert hear(np.zeros(16000), erased=set(range(100))) is None


def test_an_echo_is_no_far_end():
    sound = tones((2.0, 2100), (6.0,))
    verdict = hear(sound, speaking=lambda at: at < 16000)
    assert verdict is not None
    assert verdict.kind is Kind.ECHO


def test_what_repeats_is_counted():
    journal = Journal()
    for at in (1, 2, 3):
        journal.note(Cause(at, Source.LINK, "again", "§1"))
    first, last = journal.chain(Cause(4, Source.LINK, "over"))
    assert (first.at, first.times, first.describe()) == (1, 3, "again, 3 times (§1)")
    assert last.text == "over"


def test_a_chain_is_short_and_recent():
    journal = Journal()
    journal.note(Cause(0, Source.SIGNALLING, "T.38 refused"), lasting=True)
    journal.note(Cause(1, Source.MEDIA, "long ago"))
    end = RECENT + 1000
    for i in range(2 * NOTES):
        journal.note(Cause(end - 500 + i, Source.MEDIA, f"note {i}"))
    chain = journal.chain(Cause(end, Source.MODULATION, "over"))
    assert len(chain) == CHAIN
    assert [chain[0].text, chain[-2].text, chain[-1].text] == [
        "T.38 refused",
        f"note {2 * NOTES - 1}",
        "over",
    ]
    assert "long ago" not in [cause.text for cause in chain]


def test_the_screen_fits_a_terminal():
    lines = screen([Cause(80000, Source.MEDIA, "word " * 40, "V.34 (10/96) §11.2")], 8000)
    assert lines[0].startswith("    9.0 s  media      word")
    assert all(len(line) <= 79 for line in lines)
    assert len(lines) > 2


def test_losses_are_counted_between_instants():
    watch = MediaWatch()
    assert watch.nothing
    for frame in range(100):
        watch.hear(np.zeros(160, np.float32), frame * 160, frame < 10 or frame in (50, 51, 60) or frame >= 95)
    assert not watch.nothing
    found = watch.losses(40 * 160, 70 * 160)
    assert found is not None
    assert (found.packets, found.of, found.first, found.last) == (3, 30, 50 * 160, 61 * 160)
    assert watch.losses(0, 40 * 160) is None  # the way to the first packet is no loss
    assert watch.missing_since == 95 * 160
