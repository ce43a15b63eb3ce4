"""From figures to grades, and what the whole is made of."""

import pytest

from ansam.call.statistics import CallStatistics
from ansam.codec.g711 import Law
from ansam.doctor import (
    Diagnosis,
    Far,
    Grade,
    Item,
    Media,
    Prediction,
    diagnose,
    grading_modem,
    grading_packets,
)
from ansam.doctor.diagnosis import graded, worst
from ansam.doctor.modem import ModemFindings
from ansam.doctor.party import Findings
from ansam.doctor.prediction import gain_of, index_of, one_way, reference
from ansam.modulation.base import SignalReport
from ansam.path import Finding, Kind, Remedy, Severity, System


def test_figures_are_graded_by_two_limits() -> None:
    assert [graded(value, 1, 3) for value in (1, 2, 3, 3.1)] == [
        Grade.GOOD,
        Grade.FAIR,
        Grade.FAIR,
        Grade.BAD,
    ]
    assert worst([Grade.GOOD, Grade.BAD, Grade.FAIR]) is Grade.BAD
    assert worst([]) is Grade.GOOD


def test_a_setting_is_named_once_for_the_worst_item() -> None:
    long, short = (Remedy(System.PAP2T, "Network Jitter Level", value) for value in ("high", "low"))
    items = (
        Item("delay", 1.0, "ms", Grade.FAIR, "", (short,)),
        Item("loss", 1.0, "%", Grade.BAD, "", (long,)),
    )
    found = Diagnosis(Far.ECHO, Grade.BAD, items, Prediction(0, 0, None))
    assert found.remedies == (long,)
    with pytest.raises(KeyError):
        found.item("echo")


@pytest.mark.parametrize(("rate", "index"), [(33600, 16), (2400, 3), (300, 1), (14400, 8), (0, 0), (1, 0)])
def test_the_index_of_a_rate(rate: int, index: int) -> None:
    assert index_of(rate) == index


@pytest.mark.parametrize("gain_db", [0.0, -15.0, 3.0])
def test_one_way_of_a_path_that_only_codes_is_what_coders_make_of_it(gain_db: float) -> None:
    known = reference(Law.ALAW, gain_db)
    single = one_way(known.twice, known)
    assert single.snr_db == pytest.approx(known.once.snr_db, abs=0.01)
    assert single.tones_dbm0 == pytest.approx(known.once.tones_dbm0)
    assert gain_of(known.twice) == pytest.approx(gain_db, abs=0.1)


def test_statistics_of_a_call_become_shares() -> None:
    statistics = CallStatistics(
        frames=1000,
        packets_sent=1000,
        packets_received=950,
        lost=50,
        late=10,
        duplicates=0,
        refused=3,
        erased_frames=60,
        resyncs=1,
        jitter_ms=12.0,
        margin_ms=50.0,
        skew_ppm=-80.0,
        far_lost=20,
        round_trip_ms=33.0,
    )
    refused = ("the far end asked for T.38 fax instead of audio (refused)",)
    media = Media.of(statistics, 60.0, 55.0, refused)
    assert (media.lost, media.late, media.lost_there) == (0.05, 0.01, 0.02)
    items = {item.name: item for item in grading_packets.packets(media, 60.0)}
    assert items["jitter"].grade is Grade.FAIR
    assert items["clock skew"].grade is Grade.FAIR
    assert items["late packets"].grade is Grade.FAIR
    assert items["this machine"].value == 55.0
    assert "fax" in items["foreign packets"].text
    assert "T.38" in items["re-INVITE"].text
    assert "clock skew" not in {item.name for item in grading_packets.packets(media, 5.0)}
    assert "33 ms are the network's" in grading_packets.round_trip(1000, media).text


def test_what_was_done_to_the_audio_of_a_modem_is_named() -> None:
    seen = Finding(Kind.TRANSCODED, Severity.WARNING, "transcoded from µ-law")
    report = SignalReport(rx_level_dbm0=-30.0, snr_db=25.0, round_trip=8000, near_echo_loss_db=5.0)
    found = ModemFindings("CONNECT 19200", "V.34", "", 9.0, 10.0, (19200, 21600), (24000, 24000), report)
    items = {item.name: item for item in grading_modem.items(found, Media(0.0, 0.0), None)}
    assert items["line rate"].grade is items["level"].grade is items["echo"].grade is Grade.FAIR
    assert items["round trip"].grade is Grade.BAD
    told = grading_modem.finding(seen)
    assert (told.name, told.grade) == ("octets", Grade.FAIR)
    assert any("Preferred Codec" in remedy.setting for remedy in told.remedies)
    guess = grading_modem.prediction(found)
    assert (guess.rate, guess.index) == (19200, 10)
    assert "had to go down" in guess.reasons[1]


def test_a_modem_that_did_not_connect_has_its_reason() -> None:
    failed = Findings(Far.MODEM, modem=ModemFindings(reason="no carrier within S7"), hybrid=(900, 0.3))
    found = diagnose(failed, Law.ALAW, Media(0.0, 0.0))
    assert found.grade is Grade.BAD
    assert "no carrier within S7" in found.item("connection").text
    assert found.item("echo").value == pytest.approx(-10.5, abs=0.1)
    assert found.summary.startswith("answering modem: bad for connection")
