"""Data mode over lines that change: levels, phases, slips, dropouts, echoes; what the modem reports."""

import numpy as np
import pytest
from tests.support.modem_line import Line, Random, Way
from tests.support.v32bis_call import Call

from ansam.modulation.base import CarrierLost, ModulationOptions, Ready, Role
from ansam.modulation.v32bis import V32, V32bis
from ansam.units import FRAME, SAMPLE_RATE


def test_connects_at_the_highest_rate_without_an_error():
    call = Call().connect().run(3)
    assert call.rates(0) == call.rates(1) == [14400]
    assert call.errors(0, 40000) == call.errors(1, 40000) == 0


@pytest.mark.parametrize("change_db", [10.0, 3.0, -1.0, -3.0, -6.0, -10.0])
def test_a_step_of_the_level_needs_no_retrain(change_db: float):
    call = Call(noise_dbm0=-62).connect()
    call.line.down.gain_db = change_db
    call.run(1.5)
    assert call.kinds(0) == []
    assert call.errors(0) == 0


@pytest.mark.parametrize("degrees", [15, 30, 45, 60, 80])
def test_a_jump_of_the_phase_needs_no_retrain(degrees: int):
    call = Call().connect()
    call.line.down.offset_hz = degrees / 360 * SAMPLE_RATE / FRAME
    call.line.step()
    call.line.down.offset_hz = 0.0
    call.run(1)
    assert call.kinds(0) == []
    assert call.errors(0) == 0


@pytest.mark.parametrize("samples", [160, -160])
def test_a_slip_of_a_packet_needs_no_retrain(samples: int):
    call = Call(delay=800).connect()
    call.line.down._at += samples
    call.run(1)
    assert call.kinds(0) == []
    assert call.errors(0) == 0


@pytest.mark.parametrize("milliseconds", [20, 100, 500])
@pytest.mark.parametrize("marked", [True, False], ids=["erased", "silent"])
def test_a_dropout_needs_no_retrain(milliseconds: int, marked: bool):
    call = Call(skew_ppm=200.0, offset_hz=7.0).connect(then=2)
    frames = range(call.line.frame, call.line.frame + milliseconds // 20)
    for way in (call.line.up, call.line.down):
        if marked:
            way.erase = frames
        else:
            way.mute = frames
    call.run(milliseconds / 1000 + 0.7)
    assert call.kinds(0) == call.kinds(1) == []
    assert call.clean()


@pytest.mark.parametrize("seconds", [0.04, 0.1, 0.2])
def test_a_burst_of_noise_as_loud_as_the_signal_needs_no_retrain(seconds: float):
    call = Call().connect()
    call.line.down.noise_dbm0 = -12.0
    call.run(seconds)
    call.line.down.noise_dbm0 = -50.0
    call.run(1)
    assert call.kinds(0) == []
    assert call.errors(0) == 0


@pytest.mark.parametrize(("noise", "limit"), [(-50.0, 1.2), (-30.0, 9.0)])
def test_noise_in_place_of_the_signal_is_the_end_of_the_call(noise: float, limit: float):
    call = Call().connect()
    call.line.down.gain_db, call.line.down.noise_dbm0 = -90.0, noise
    begun = call.line.now
    assert call.line.run(limit, lambda: call.line.calling.event(CarrierLost))
    assert call.line.now - begun > 5600
    call.run(0.5)
    assert not call.sent(0)[-1600:].any()


def test_carrier_loss_waits_for_s10():
    call = Call(ModulationOptions(carrier_loss=16000)).connect()
    call.line.down.mute = range(call.line.frame, call.line.frame + 90)
    call.run(2.5)
    assert call.kinds(0) == []
    assert call.errors(0) == 0


def test_bits_while_the_signal_is_gone_are_ones():
    call = Call().connect()
    call.line.down.mute = range(call.line.frame, call.line.frame + 20)
    call.run(0.2)
    mark = len(call.line.calling.bits())
    call.run(0.15)
    assert call.line.calling.bits()[mark:].all()


@pytest.mark.parametrize("delay_ms", [20, 160, 600, 1450])
def test_an_echo_10_db_down_at_any_delay(delay_ms: int):
    call = Call(echo_db=-10.0, echo_delay=8 * delay_ms, delay=8 * (delay_ms // 2 + 10))
    call.connect(45).run(1)
    assert call.rates(0) == [14400]
    assert call.clean()
    report = call.modems[0].report()
    found = [loss for loss in (report.near_echo_loss_db, report.far_echo_loss_db) if loss is not None]
    assert len(found) == 1
    assert found[0] == pytest.approx(10, abs=0.5)


def test_an_echo_with_a_frequency_offset():
    call = Call(echo_db=-16.0, echo_delay=2400, delay=1200)
    for echo in call.line._echoes:
        assert echo is not None
        echo.offset_hz = 5.0
    call.connect(30).run(3)
    assert call.rates(0) == [14400]
    assert call.clean()


def test_an_echo_that_jumps_by_a_packet_is_found_again():
    call = Call(echo_db=-20.0, echo_delay=960, delay=480).connect(then=3)
    for echo in call.line._echoes:
        assert echo is not None
        echo._at += FRAME
    call.run(6)
    assert "Retraining" not in call.kinds(0) + call.kinds(1)
    assert call.clean()
    (path,) = call.modems[0]._echo.report.paths
    assert path.delay == pytest.approx(960 + FRAME, abs=5)


def test_report():
    call = Call(ModulationOptions(max_rate=9600), skew_ppm=50.0, offset_hz=-4.0, delay=480).connect()
    report = call.modems[0].report()
    assert report.rates == (9600, 9600)
    assert report.trellis == ("8S-2D", "8S-2D")
    assert report.carrier_offset_hz == pytest.approx(-4, abs=0.2)
    assert report.timing_offset_ppm == pytest.approx(50, abs=40)
    assert report.snr_db == pytest.approx(37.5, abs=2)
    assert len(report.constellation) == 1024
    assert report.near_echo_loss_db is None


@pytest.mark.parametrize("delay", [80, 480, 4800])
def test_round_trip(delay: int):
    call = Call(delay=delay).connect(45)
    for modem in call.modems:
        # Two ways, and a frame for each end to answer in.
        assert modem.report().round_trip == pytest.approx(2 * delay + 2 * FRAME, abs=20)


def test_v32_without_a_trellis():
    call = Call(ModulationOptions(trellis=False), makers=(V32, V32bis)).connect()
    assert call.rates(0) == [9600]
    assert call.modems[0].report().trellis == ("NONE", "NONE")
    assert call.clean()


@pytest.mark.parametrize("makers", [(V32, V32bis), (V32bis, V32)])
def test_a_peer_of_v32_works_by_its_rules(makers: tuple[type[V32bis], type[V32bis]]):
    call = Call(makers=makers).connect()
    assert call.rates(0) == call.rates(1) == [9600]
    assert call.modems[0].report().trellis == ("8S-2D", "8S-2D")
    assert call.clean()


def test_telemetry_once_a_second():
    seen = []

    def trace(now: int, source: str, name: str, **values: object) -> None:
        if name == "receiver":
            seen.append((now, source, values))

    call = Call(echo_db=-20.0, echo_delay=800)
    call.line.calling.modem = V32bis(Role.CALLING, ModulationOptions(), Random(1), trace)
    call.line.calling.modem.start(0)
    call.connect().run(2)
    assert len(seen) == 3
    assert seen[0][1] == "modulation.v32bis.calling"
    values = seen[0][2]
    assert np.asarray(values["equaliser"]).size == 64
    assert isinstance(values["echo"], list)
    (echo,) = values["echo"]
    assert echo.loss_db == pytest.approx(20, abs=0.5)
    # The echo of a frame sent is heard two frames later at the earliest on this line.
    assert echo.delay + np.argmax(np.abs(echo.taps)) == pytest.approx(800 + 2 * FRAME, abs=2)


def test_nothing_is_pulled_and_nothing_delivered_before_ready():
    call = Call()
    while not call.line.calling.ready:
        assert not call.line.calling.bits().size
        assert not call.bits[0].given
        call.line.step()


def test_listening_is_silent_until_the_far_end_is_seen():
    """`SilentStart`: a calling modem goes on by itself, an answering one only when told to."""
    calling, answering = (
        V32bis(role, ModulationOptions(), Random(k)) for k, role in enumerate((Role.CALLING, Role.ANSWERING))
    )
    line = Line(calling, answering, Way(), Way(seed=1), start=False)
    calling.listen(0)
    answering.listen(0)
    line.run(1)
    assert not line.calling.audio().any()
    assert not line.answering.audio().any()
    answering.speak(line.now)
    assert line.connect(10)
    assert isinstance(line.calling.event(Ready), Ready)
