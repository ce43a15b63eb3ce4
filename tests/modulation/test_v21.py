"""What is V.21's own; the rest is in the contract suite."""

import numpy as np
import pytest
from tests.support.fsk_wave import characters, read_8n1, wave
from tests.support.modem_line import End, Line, Random, Way

from ansam.dsp.nco import Oscillator
from ansam.link.v14 import CharacterFormat, StartStop
from ansam.modulation.base import (
    CarrierDetected,
    CarrierLost,
    Marks,
    ModulationOptions,
    PhaseEntered,
    Ready,
    Role,
)
from ansam.modulation.v21 import CLEAR_TO_SEND, V21, V21_SPEC
from ansam.units import SAMPLE_RATE, rms_from_dbm0

OPTIONS = ModulationOptions()
BIT = SAMPLE_RATE / 300


def hear(end: End, x: np.ndarray, frame: int = 160) -> None:
    now = 0
    for k in range(0, len(x) - frame + 1, frame):
        end.run(x[k : k + frame].astype(np.float32), now)
        now += frame


def caller(options: ModulationOptions = OPTIONS) -> End:
    modem = V21(Role.CALLING, options, Marks())
    modem.start(0)
    return End(modem)


def test_spec_is_start_stop() -> None:
    assert V21_SPEC.start_stop
    assert V21_SPEC.data_rates == (300,)


def test_sequence_of_events_on_both_sides() -> None:
    line = Line(V21(Role.CALLING, OPTIONS, Marks()), V21(Role.ANSWERING, OPTIONS, Marks()))
    assert line.connect()
    line.run(1)
    assert [type(e) for _, e in line.calling.events] == [CarrierDetected, PhaseEntered, Ready]
    assert [type(e) for _, e in line.answering.events] == [PhaseEntered, CarrierDetected, Ready]


@pytest.mark.parametrize("s9", [2400, 4800, 16000])
def test_circuit_109_waits_for_s9_and_106_for_the_far_ends(s9: int) -> None:
    end = caller(ModulationOptions(carrier_detect=s9))
    hear(end, Oscillator(1650, 0.05).generate(2 * s9 + 16000))
    at = {type(e): t for t, e in end.events}
    assert s9 <= at[CarrierDetected] <= s9 + 480
    sent_from = at[PhaseEntered]
    assert at[Ready] - sent_from >= s9 + CLEAR_TO_SEND - 160


@pytest.mark.parametrize(
    "frequency", [1800, 2100, 2225, 1620, 980, 1300], ids=lambda f: f"{f} Hz is no V.21 mark"
)
def test_other_tones_are_not_a_far_end(frequency: float) -> None:
    end = caller()
    hear(end, Oscillator(frequency, 0.1).generate(40000))
    assert not end.events
    assert not end.modem.far_end_seen


def test_carrier_level_thresholds() -> None:
    """V.21: circuit 109 ON above -43 dBm, OFF below -48 dBm."""
    for level, there in ((-43.0, True), (-48.5, False)):
        end = caller()
        hear(end, Oscillator(1650, rms_from_dbm0(level)).generate(16000))
        assert (end.event(CarrierDetected) is not None) is there


def test_s10_is_obeyed_and_shorter_gaps_are_marks() -> None:
    options = ModulationOptions(carrier_loss=16000)
    far = np.concatenate(
        (
            Oscillator(1650, 0.05).generate(24000),
            np.zeros(12000, np.float32),
            Oscillator(1650, 0.05).generate(12000),
            np.zeros(24000, np.float32),
        )
    )
    end = caller(options)
    hear(end, far)
    lost = [t for t, e in end.events if isinstance(e, CarrierLost)]
    assert len(lost) == 1
    assert 48000 + 16000 <= lost[0] <= 48000 + 16000 + 1600
    assert end.bits().all()


@pytest.mark.parametrize("seed", range(3))
def test_far_uart_sends_when_it_pleases(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 256, 200).astype(np.uint8).tobytes()
    channel = V21(Role.ANSWERING, OPTIONS, Marks())._sender.channel
    x = wave(channel, characters(data, BIT, lambda: 4 * rng.random(), lead=900))
    x = (x + rng.normal(0, 0.03, len(x))).astype(np.float32)
    end = caller()
    hear(end, x)
    assert read_8n1(end.bits()) == data


def test_bits_that_come_before_106_are_not_lost() -> None:
    """The far end may talk as soon as it hears us; our own 106 follows later."""
    data = b"login: "
    channel = V21(Role.ANSWERING, OPTIONS, Marks())._sender.channel
    x = wave(channel, characters(data, BIT, lambda: 0.0, lead=220, tail=600))
    end = caller()
    hear(end, x)
    assert end.ready is not None
    assert end.ready_at() > (220 + 70) / 300
    assert read_8n1(end.bits()) == data


def test_characters_both_ways_with_the_link() -> None:
    links = [StartStop(CharacterFormat(), start_stop=True) for _ in range(2)]
    for link in links:
        link.start(0)
    line = Line(
        V21(Role.CALLING, OPTIONS, links[0]),
        V21(Role.ANSWERING, OPTIONS, links[1]),
        Way(law=True, noise_dbm0=-40),
        Way(law=True, noise_dbm0=-40, seed=1),
    )
    assert line.connect()
    texts = [bytes(range(256)), bytes(range(255, -1, -1))]
    for link, text in zip(links, texts, strict=True):
        assert link.send(text) == 256
    line.run(11)
    links[1].receive_bits(line.answering.bits(), line.now)
    links[0].receive_bits(line.calling.bits(), line.now)
    assert links[1].take_data() == texts[0]
    assert links[0].take_data() == texts[1]


def test_received_bits_are_bounded() -> None:
    source = Random(1)
    line = Line(V21(Role.CALLING, OPTIONS, Marks()), V21(Role.ANSWERING, OPTIONS, source))
    assert line.connect()
    modem = line.calling.modem
    take, modem.take_bits = modem.take_bits, lambda: np.zeros(0, np.uint8)  # type: ignore[method-assign]
    line.run(40)
    assert len(take()) == 8192
    assert len(take()) == 0


def test_listen_and_speak() -> None:
    """Automode's: an answering modem may only listen, and a calling one may speak first."""
    for role in Role:
        modem = V21(role, OPTIONS, Marks())
        modem.listen(0)
        assert not modem.process(np.zeros(800, np.float32), 0).any()
        modem.speak(800)
        modem.speak(800)
        assert modem.process(np.zeros(800, np.float32), 800).any()
        modem.listen(1600)
        assert not modem.process(np.zeros(800, np.float32), 1600).any()
        modem.retrain(2400)
        modem.clear_down(2400)
        modem.speak(2400)
        assert not modem.process(np.zeros(800, np.float32), 2400).any()


def test_report_before_a_carrier() -> None:
    report = caller().modem.report()
    assert report.rx_level_dbm0 is None
    assert report.carrier_offset_hz is None
    assert report.carriers_hz == (1750.0, 1080.0)
