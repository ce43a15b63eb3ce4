"""Grades of an echo test's figures, and what they say about the line rate."""

from dataclasses import replace

import numpy as np

from ansam.codec.g711 import Law
from ansam.doctor import grading_packets, remedies
from ansam.doctor.codewords import NAMES, OTHER, PURE, CodewordReport
from ansam.doctor.diagnosis import Grade, Item, graded
from ansam.doctor.echo import EchoFindings
from ansam.doctor.media import Media
from ansam.doctor.prediction import Prediction, from_probe, loss_of_band
from ansam.path import Kind, Remedy

SNR_DB = (34.0, 22.0)
"""Good from the first on, fair from the second: 31200 and 19200 bit/s."""
CODEC_SNR_DB = 12.0
"""What comes back less like noise sent than this went through a speech codec or a noise reducer."""
DRIFT_PPM = (5.0, 100.0)
"""Of a path that should have no clock: beyond what noise makes of 10 s."""
GAIN_DB = (2.0, 8.0)
"""Of one way."""
MOVED_DB = (1.0, 3.0)
GATED_DB = 6.0
"""A quiet tone that comes back so much weaker than a loud one has been gated."""
CLIPPED_DB = 0.7
USUAL_DB = 3.0
HARMONIC_DB = -28.0
TALK_DB = 4.0
SUDDEN_DB = 6.0
"""A gain control falls slower than so much in 60 ms."""
COMPRESSED_DB = 3.0
"""Quiet tones that come back so much louder than usual ones: a gain control."""
CODEC_NOISE_DB = 10.0
"""Noise so much louder than that in silence comes with the signal: a codec makes it."""
NOISE_DBM0 = -58.0
ECHO_DB = (-35.0, -15.0)
UNSURE_PERCENT, HOPELESS_PERCENT = 6.0, 18.0
"""Losses each way: at 5 % all calls connected, with half the throughput; at 8 to 15 % two of three; at 20 %
none (`ansam sim --loss`)."""
BAND_DB = (4.0, 12.0)
QUIET, USUAL = (-55.0, -45.0, -35.0), -13.0


def items(found: EchoFindings, law: Law, media: Media, seconds: float) -> list[Item]:
    """Return all that was examined, graded."""
    out = [
        octets(found, law),
        _snr(found),
        grading_packets.loss(found.lost_down, found.lost_up, _made_up(found)),
        grading_packets.slips(found.slips, media.resyncs, seconds),
        # An echo of our own packets has no clock of its own that they could tell.
        *grading_packets.packets(replace(media, skew_ppm=None), seconds),
        _drift(found),
        grading_packets.round_trip(found.round_trip, media),
        _gain(found),
        _steady(found),
        _quiet(found),
        _silence(found),
        _clipping(found),
        _double_talk(found),
        _second_echo(found),
        _band(found),
        _answer_tone(found),
    ]
    return [item for item in out if item is not None]


def _made_up(found: EchoFindings) -> bool:
    return found.lost_up > 0 and found.replaced_dbm0 > max(-60.0, found.silence_dbm0 + 6)


def octets(found: EchoFindings, law: Law) -> Item:
    """Grade what became of the octets."""
    report, name = found.noise.octets, NAMES[law]
    share = 100 * report.exact
    if found.transparent:
        text = f"transparent: bit exact, all {report.compared} octets of {name} came back as they were sent"
        return Item("octets", "bit exact", "", Grade.GOOD, text)
    text, grade, cures = _what_changed(found, report, law)
    return Item("octets", share, "% as sent", grade, text, cures)


def _what_changed(
    found: EchoFindings, report: CodewordReport, law: Law
) -> tuple[str, Grade, tuple[Remedy, ...]]:
    name, other = NAMES[law], NAMES[OTHER[law]]
    response = found.noise.response
    snr = response.snr_db if response else 0.0
    gain = response.gain_db if response else 0.0
    if report.wrong_law:
        return f"{name} octets were read as {other}", Grade.BAD, remedies.of(Kind.WRONG_LAW)
    if report.transcoded:
        text = f"transcoded: {name} became {other} on the way and {name} again"
        return text, Grade.FAIR, remedies.of(Kind.TRANSCODED)
    if report.robbed:
        text = "the last bit of every sixth octet carries signalling (robbed bits): a T1 is in the way"
        return text, Grade.FAIR, remedies.of(Kind.ROBBED_BITS)
    if report.inverted:
        return "every sample came back with its sign turned", Grade.GOOD, ()
    if report.gain_db is not None or (abs(gain) > 0.3 and snr > SNR_DB[0]):
        value = gain if report.gain_db is None else report.gain_db
        text = f"decoded, multiplied by {value:+.1f} dB (both ways together) and coded again"
        return text, Grade.FAIR, remedies.of(Kind.GAIN)
    if suppressed(found) > TALK_DB:
        return "turned down while both directions are busy", Grade.FAIR, remedies.of(Kind.ECHO_SUPPRESSOR)
    if clipped_from(found) is not None and report.exact > 0.5:
        return (
            "loud samples were cut off, the others came back as sent",
            Grade.FAIR,
            remedies.of(Kind.CLIPPING),
        )
    if report.exact > 0.98:
        return "nearly all came back as sent: single octets were changed", Grade.FAIR, ()
    if report.pure >= PURE:
        text = "each octet always came back as the same other one: decoded and coded again"
        return text, Grade.FAIR, remedies.of(Kind.TRANSCODED)
    noise = USUAL + gain - snr
    quiet = found.silence_dbm0 < noise - CODEC_NOISE_DB
    if snr < CODEC_SNR_DB or (snr < SNR_DB[1] and quiet):
        text = f"not comparable, {snr:.0f} dB SNR though silence is quiet: a codec other than G.711"
        return text, Grade.BAD, remedies.of(Kind.LOSSY_CODEC)
    text = "not comparable: the path is not digital all the way, or adds noise"
    return text, Grade.FAIR, ()


def _snr(found: EchoFindings) -> Item:
    response = found.noise.response
    if response is None:
        return Item("SNR", "unknown", "", Grade.BAD, "too little came back to measure it")
    noise, own = 10 ** (-response.snr_db / 10), 10 ** (-found.own_noise_db / 10)
    single = -10 * float(np.log10(own + max(noise - own, 0.0) / 2))
    at_worst = min(response.snr_db, found.own_noise_db)
    grade = graded(-single, *(-limit for limit in SNR_DB))
    text = f"each way, if both are alike ({at_worst:.0f} dB if one has it all); G.711 alone leaves "
    text += f"{found.own_noise_db:.0f} dB"
    if response.echo is not None:
        text += "; the second echo counts as noise here, a modem cancels its own"
    return Item("SNR", single, "dB", grade, text)


def _drift(found: EchoFindings) -> Item:
    ppm = found.drift_ppm
    grade = graded(abs(ppm), *DRIFT_PPM)
    text = "samples come back at the pace they were sent"
    if grade is not Grade.GOOD:
        text = "the delay creeps: somebody resamples between two clocks, there or back"
    return Item("clock skew", ppm, "ppm", grade, text)


def suppressed(found: EchoFindings) -> float:
    """Return by how much the return is turned down while we send, dB."""
    step = -found.gain_step_db
    return max(found.alone_db, step if step > SUDDEN_DB else 0.0)


def _gain(found: EchoFindings) -> Item | None:
    response = found.noise.response
    if response is None or suppressed(found) > TALK_DB:
        return None
    gain = response.gain_db / 2
    grade = graded(abs(gain), *GAIN_DB)
    if grade is Grade.GOOD:
        return Item("level", gain, "dB", grade, "each way: what is sent arrives as loud")
    kind = Kind.LEVEL_LOW if gain < 0 else Kind.LEVEL_HIGH
    text = "each way, if both are alike; "
    text += "weak signals drown in G.711's steps" if gain < 0 else "loud signals clip"
    return Item("level", gain, "dB", grade, text, remedies.of(kind, Kind.GAIN))


def _steady(found: EchoFindings) -> Item | None:
    if suppressed(found) > TALK_DB:
        return None  # another cause, named elsewhere
    moved = found.gain_moved_db if found.lost_up < 0.2 else 0.0
    compressed = max(_gains(found, QUIET[1:])) - _gains(found, (USUAL,))[0]
    if found.noise.octets.wrong_law:
        compressed = 0.0
    grade = graded(max(abs(moved), compressed - COMPRESSED_DB), *MOVED_DB)
    if compressed > COMPRESSED_DB:
        text = f"quiet tones come back {compressed:.0f} dB louder than loud ones: "
        text += "a gain control or echo suppressor"
        grade = Grade.BAD if grade is Grade.BAD else Grade.FAIR
        cures = remedies.of(Kind.MOVING_GAIN, Kind.ECHO_SUPPRESSOR)
        return Item("gain over time", moved, "dB", grade, text, cures)
    if grade is Grade.GOOD:
        return Item("gain over time", moved, "dB", grade, "the level held from the beginning to the end")
    if moved < 0:
        text = "what came back faded: a gain control, or an echo canceller or noise reducer at work"
        return Item(
            "gain over time", moved, "dB", grade, text, remedies.of(Kind.ECHO_SUPPRESSOR, Kind.MOVING_GAIN)
        )
    text = "what came back grew: an automatic gain control"
    return Item("gain over time", moved, "dB", grade, text, remedies.of(Kind.MOVING_GAIN))


def _gated(found: EchoFindings) -> float:
    return _gains(found, (USUAL,))[0] - min(_gains(found, QUIET))


def _quiet(found: EchoFindings) -> Item:
    gated = _gated(found)
    cures = remedies.of(Kind.SILENCE_SUPPRESSION, Kind.ECHO_SUPPRESSOR)
    if found.front_lost_ms:
        text = "of each sound's front are missing behind a silence: a voice activity detector opens too late"
        return Item("silence suppression", found.front_lost_ms, "ms", Grade.BAD, text, cures)
    if gated > GATED_DB:
        text = f"quiet tones come back {gated:.0f} dB weaker than loud ones: a gate or centre clipper"
        return Item("silence suppression", gated, "dB", Grade.BAD, text, cures)
    return Item("silence suppression", "none", "", Grade.GOOD, "quiet and sudden signals come back whole")


def _silence(found: EchoFindings) -> Item:
    level, response = found.silence_dbm0, found.noise.response
    grade = Grade.GOOD if level <= NOISE_DBM0 else Grade.FAIR
    if level <= -100:
        return Item("noise in silence", "none", "", Grade.GOOD, "silence stays digital silence")
    noise = USUAL + (response.gain_db - response.snr_db if response else -120.0)
    if (level > noise + 6 or found.noise.octets.exact > 0.98) and level > -75:
        text = "louder than the noise under a signal: comfort noise is put in where nothing is sent"
        return Item(
            "noise in silence", level, "dBm0", Grade.FAIR, text, remedies.of(Kind.SILENCE_SUPPRESSION)
        )
    return Item("noise in silence", level, "dBm0", grade, "circuit noise")


def clipped_from(found: EchoFindings) -> float | None:
    """Return the level from which on tones are cut off, dBm0; None where none is."""
    usual = _gains(found, (USUAL,))[0]
    response = found.noise.response
    if response is None or abs(usual - response.gain_db) > USUAL_DB:
        return None  # something moves the gain of tones: nothing can be said about their peaks
    levels = [
        level
        for level, gain, harmonic in found.steps
        if level > USUAL and gain < usual - CLIPPED_DB and harmonic > HARMONIC_DB
    ]
    return min(levels, default=None)


def _gains(found: EchoFindings, levels: tuple[float, ...]) -> list[float]:
    return [gain for level, gain, _ in found.steps if level in levels]


def _clipping(found: EchoFindings) -> Item:
    least = clipped_from(found)
    if least is None:
        return Item("clipping", "none", "", Grade.GOOD, "tones up to +3 dBm0 keep their shape")
    grade = Grade.BAD if least <= -6 else Grade.FAIR
    text = f"tones from {least:+.0f} dBm0 on are cut off; a modem's peaks reach 0 dBm0"
    return Item("clipping", least, "dBm0", grade, text, remedies.of(Kind.CLIPPING, Kind.LEVEL_HIGH))


def _double_talk(found: EchoFindings) -> Item:
    more = suppressed(found)
    if more <= TALK_DB:
        text = "what comes in is as loud while we send as while we are silent"
        return Item("echo suppression", "none", "", Grade.GOOD, text)
    text = "weaker while both directions are busy: an echo suppressor or its non-linear processor"
    return Item("echo suppression", more, "dB", Grade.BAD, text, remedies.of(Kind.ECHO_SUPPRESSOR))


def _second_echo(found: EchoFindings) -> Item:
    echo = found.noise.response.echo if found.noise.response else None
    if echo is None:
        return Item("second echo", "none", "", Grade.GOOD, "what is sent comes back once")
    delay, level = echo
    text = f"another copy {delay / 8:+.3g} ms from the first: a hybrid reflects"
    grade = graded(level, *ECHO_DB)
    return Item(
        "second echo", level, "dB", grade, text, () if grade is Grade.GOOD else remedies.of(Kind.ECHO)
    )


def _band(found: EchoFindings) -> Item | None:
    if found.probe is None:
        return None
    lost = loss_of_band(found.probe) / 2
    grade = graded(lost, *BAND_DB)
    text = (
        "flat from 300 to 3300 Hz" if grade is Grade.GOOD else "each way: a filter cuts the band's edges off"
    )
    return Item("band", lost, "dB", grade, text, () if grade is Grade.GOOD else remedies.of(Kind.BAND_LIMIT))


def _answer_tone(found: EchoFindings) -> Item | None:
    name, before, after = "answer tone", found.noise, found.after
    if suppressed(found) > TALK_DB or _gated(found) > GATED_DB or found.slips:
        return None  # what meddles with the noise meddles with it now this way and now that
    if after is None:
        text = "nothing came back after 2100 Hz: a gateway changed to fax and ended the audio"
        return Item(name, "cut off", "", Grade.BAD, text, remedies.FAX)
    was, now = before.response, after.response
    change = now.snr_db - was.snr_db if was and now else 0.0
    if before.octets.transparent and not after.octets.transparent:
        text = "the path was transparent until 2100 Hz was heard: a gateway reacts to it"
        return Item(name, "changes the path", "", Grade.BAD, text, remedies.FAX)
    if change < -6:
        text = f"2100 Hz costs {-change:.0f} dB of SNR: a gateway reacts to it"
        return Item(name, change, "dB", Grade.BAD, text, remedies.FAX)
    if change > 6:
        text = f"2100 Hz gains {change:.0f} dB: a canceller switches itself off, as it should for modems"
        return Item(name, change, "dB", Grade.FAIR, text, remedies.of(Kind.ECHO_SUPPRESSOR))
    return Item(name, "no reaction", "", Grade.GOOD, "2100 Hz changes nothing")


def prediction(found: EchoFindings, law: Law) -> Prediction:
    """Return what line rate to expect between two modems over this path."""
    if found.probe is None:
        return Prediction(0, 0, None, None, ("line probing did not come back",))
    guess = from_probe(found.probe, law)
    if found.transparent:
        guess = guess.because("every octet crosses unchanged")
    return _with_losses(guess, 100 * max(found.lost_down, found.lost_up))


def _with_losses(guess: Prediction, percent: float) -> Prediction:
    """Say what losses do to a prediction; measured with two of our modems at 33600 bit/s."""
    if percent > HOPELESS_PERCENT:
        return Prediction(
            0, 0, guess.snr_db, None, (f"with {percent:.0f} % of the packets lost no call connects",)
        )
    if percent > UNSURE_PERCENT:
        return guess.because(f"with {percent:.1f} % of the packets lost every third call does not connect")
    if percent > grading_packets.LOSS_PERCENT[0]:
        return guess.because(
            f"{percent:.2g} % lost packets cost throughput, not line rate: frames are resent"
        )
    return guess
