"""Grades of a call to an answering modem."""

from math import log10

from ansam.doctor import grading_packets, remedies
from ansam.doctor.diagnosis import Grade, Item, graded
from ansam.doctor.grading_echo import SNR_DB
from ansam.doctor.media import Media
from ansam.doctor.modem import ModemFindings
from ansam.doctor.prediction import Prediction, index_of
from ansam.path import Finding, Kind, Severity
from ansam.units import FULL_SCALE_DBM0, SAMPLE_RATE, Samples

RATES = (28800, 9600)
"""Good from the first on, fair from the second."""
LEVELS_DBM0 = (-25.0, -38.0)
"""Received: good down to the first, fair down to the second (V.34 receivers end at -43 dBm)."""
LOUD_DBM0 = -9.0
"""Above it the peaks of a fast modem's signal reach G.711's limit."""
ECHO_LOSS_DB = (12.0, 0.0)
"""What is sent by its echo: good from the first on, fair from the second."""

_GRADES = {Severity.INFO: Grade.GOOD, Severity.WARNING: Grade.FAIR, Severity.FAULT: Grade.BAD}
_NAMES = {
    Kind.WRONG_LAW: "octets",
    Kind.TRANSCODED: "octets",
    Kind.LOSSY_CODEC: "octets",
    Kind.ROBBED_BITS: "octets",
    Kind.GAIN: "octets",
}
"""Names of findings that an echo test has too; the others are named as they are."""


def items(found: ModemFindings, media: Media, hybrid: tuple[Samples, float] | None) -> list[Item]:
    """Return all that was examined, graded."""
    report = found.report
    out = [_connection(found)]
    if found.connect:
        out += [_rate(found), _stability(found)]
    out += [finding(one) for one in found.findings]
    if report.snr_db is not None:
        grade = graded(-report.snr_db, *(-limit for limit in SNR_DB))
        out.append(Item("SNR", report.snr_db, "dB", grade, "as our receiver measures it, on the way here"))
    out += [
        grading_packets.loss(media.lost + media.late, media.lost_there),
        grading_packets.slips((), media.resyncs, found.held_seconds),
        *grading_packets.packets(media, found.held_seconds + (found.connect_seconds or 0.0)),
    ]
    if report.round_trip is not None:
        out.append(grading_packets.round_trip(report.round_trip, media))
    if report.rx_level_dbm0 is not None:
        out.append(_level(report.rx_level_dbm0))
    echo = report.near_echo_loss_db if report.far_echo_loss_db is None else report.far_echo_loss_db
    if any(one.kind is Kind.ECHO for one in found.findings):
        pass  # named already
    elif echo is not None:
        out.append(_echo(echo))
    elif hybrid is not None and hybrid[1] > 0:
        out.append(_reflected(*hybrid))
    if report.timing_offset_ppm is not None and found.connect:
        ppm = report.timing_offset_ppm
        text = "the far modem's symbol clock against the samples that reach us"
        out.append(Item("symbol clock", ppm, "ppm", graded(abs(ppm), *grading_packets.SKEW_PPM), text))
    return out


def finding(one: Finding) -> Item:
    """Return a finding about the audio as an item."""
    name = _NAMES.get(one.kind, one.kind.value.replace("-", " "))
    return Item(name, one.kind.value, "", _GRADES[one.severity], one.text, remedies.of(one.kind))


def _connection(found: ModemFindings) -> Item:
    if not found.connect:
        text = f"no connection: {found.reason or 'the call ended first'}"
        return Item("connection", "none", "", Grade.BAD, text, remedies.FAX)
    seconds = found.connect_seconds or 0.0
    text = f"{found.connect} after {seconds:.1f} s, held for {found.held_seconds:.0f} s"
    if found.modulation == "V.34":
        return Item("connection", found.modulation, "", Grade.GOOD, text)
    return Item("connection", found.modulation, "", Grade.FAIR, f"{text}: the far modem has nothing faster")


def _rate(found: ModemFindings) -> Item:
    receive, transmit = found.rates
    slower = min(receive, transmit)
    grade = graded(-slower, *(-limit for limit in RATES))
    return Item("line rate", float(slower), "bit/s", grade, f"{receive} bit/s here, {transmit} bit/s there")


def _stability(found: ModemFindings) -> Item:
    count = found.retrains + found.renegotiations
    grade = Grade.GOOD if not count else Grade.FAIR if count <= 1 + found.held_seconds / 60 else Grade.BAD
    text = f"{found.retrains} retrains, {found.renegotiations} renegotiations, "
    text += f"{found.frames_resent} frames sent again"
    return Item("stability", float(count), "", grade, text)


def _level(dbm0: float) -> Item:
    if dbm0 > LOUD_DBM0:
        grade = Grade.FAIR if dbm0 < LOUD_DBM0 + 4 else Grade.BAD
        text = f"too loud: peaks are 12 dB above it, and G.711 ends at {FULL_SCALE_DBM0:+.1f} dBm0"
        return Item("level", dbm0, "dBm0", grade, text, remedies.of(Kind.LEVEL_HIGH, Kind.GAIN))
    grade = graded(-dbm0, *(-limit for limit in LEVELS_DBM0))
    text = "received" if grade is Grade.GOOD else "received: weak, G.711's steps show"
    return Item(
        "level", dbm0, "dBm0", grade, text, () if grade is Grade.GOOD else remedies.of(Kind.LEVEL_LOW)
    )


def _echo(loss_db: float) -> Item:
    grade = graded(-loss_db, *(-limit for limit in ECHO_LOSS_DB))
    text = "of what we send comes back, as our echo canceller sees it"
    return Item("echo", -loss_db, "dB", grade, text, () if grade is Grade.GOOD else remedies.of(Kind.ECHO))


def _reflected(delay: Samples, gain: float) -> Item:
    level = 20 * log10(gain)
    text = f"a knock came back after {delay * 1000 / SAMPLE_RATE:.0f} ms: the far line's hybrid"
    return Item("echo", level, "dB", graded(level, -ECHO_LOSS_DB[0], -ECHO_LOSS_DB[1]), text)


def prediction(found: ModemFindings) -> Prediction:
    """Return what line rate to expect of the next call: what this one held."""
    if not found.connect:
        return Prediction(0, 0, found.report.snr_db, None, ("the modems did not connect",))
    rate = min(found.rates)
    baud = round(found.report.symbol_rate) if found.report.symbol_rate else None
    guess = Prediction(
        rate,
        index_of(rate),
        found.report.snr_db,
        baud,
        (f"what this call held at the end ({found.rates[0]}/{found.rates[1]} bit/s)",),
    )
    if min(found.first_rates) > rate:
        guess = guess.because(f"it began at {min(found.first_rates)} bit/s and had to go down")
    return guess
