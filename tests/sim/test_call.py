"""Whole calls: real modems, real circuit, virtual time."""

import itertools
import json
import wave

import pytest

from ansam.codec import Law
from ansam.errors import ConfigError, ResourceError
from ansam.sim import Direction, Far, SimOptions, run
from ansam.sim.recording import Recording

RAW = ("AT&M0+MS=V22B",)
"""Without error control, so that the bytes are the modulation's own."""


def call(**options):
    return run(SimOptions(**{"seconds": 2, "calling": RAW, "answering": RAW} | options))


@pytest.mark.parametrize(
    ("line", "modulation", "rate", "connect"),
    [
        ("AT&M0+MS=V22B", "V.22bis", 2400, "CONNECT 2400/NONE"),
        ("AT&M0+MS=V22", "V.22", 1200, "CONNECT 1200/NONE"),
        ("AT&M0&N1", "V.21", 300, "CONNECT/NONE"),
        ("AT&M0&N1B1", "Bell 103", 300, "CONNECT/NONE"),
    ],
)
def test_every_modulation_carries_every_byte(line, modulation, rate, connect):
    result = call(calling=(line,), answering=(line,))
    assert (result.modulation, result.rate_tx, result.rate_rx) == (modulation, rate, rate)
    assert result.connect == result.connect_answering == connect
    assert (result.error_control, result.compression) == ("NONE", "NONE")
    assert result.clean
    assert result.bytes_received.up == result.bytes_sent.up > rate / 10
    assert result.throughput_bps.up == pytest.approx(0.8 * rate, rel=0.05)
    assert 3 < result.connect_seconds < 9
    assert result.talk_seconds < result.line_seconds < 30
    assert result.disconnect_reason == "DTR dropped"


@pytest.mark.parametrize("law", Law)
def test_with_everything_a_line_can_do(law):
    result = call(
        law=law, snr=25, skew=-100, offset=5, gain=-15, echo=-20, echo_delay=120, delay=150, jitter=40
    )
    assert result.connect == "CONNECT 2400/NONE"
    assert result.clean
    assert result.slips == 0


def test_the_default_call():
    result = run(SimOptions(seconds=3, payload="text"))
    assert result.connected
    assert result.connect.startswith("CONNECT ")
    assert result.clean


def test_the_same_options_give_the_same_call():
    options = {"snr": 9, "loss": 0.02, "skew": 60, "seed": 5}
    assert call(**options) == call(**options)
    assert call(**options) != call(**options | {"seed": 6})


@pytest.mark.parametrize(
    ("direction", "up", "down"), [(Direction.UP, True, False), (Direction.DOWN, False, True)]
)
def test_one_direction(direction, up, down):
    result = call(direction=direction)
    assert bool(result.bytes_sent.up) is up
    assert bool(result.bytes_received.down) is down
    assert result.clean


def test_a_file(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"+++ATH\r" * 30)
    result = call(payload=str(file))
    assert result.bytes_sent.up > 200
    assert result.clean
    assert result.disconnect_reason == "DTR dropped"


def test_lost_packets_show_in_the_account():
    result = call(loss=0.05, loss_burst=2, seconds=6, seed=3)
    assert result.connected
    assert result.packets_lost.up > 0
    assert result.bytes_wrong.up + result.bytes_lost.up > 0
    assert not result.clean


def test_nobody_answers():
    result = call(answering=("ATS0=0",), calling=("ATS7=20",))
    assert not result.connected
    assert result.connect == "NO ANSWER"
    assert result.connect_answering == ""
    assert result.connect_seconds is None
    assert result.disconnect_reason == "no answer within S7"
    assert result.line_seconds == pytest.approx(20, abs=1)
    assert result.talk_seconds == 0


def test_rates_that_do_not_meet():
    result = call(calling=("AT&M0&N1",), answering=("AT&M0&N3",))
    assert not result.connected
    assert result.connect == "NO CARRIER"
    assert (result.rate_tx, result.modulation, result.bytes_sent.up) == (0, "", 0)
    assert result.disconnect_reason


def test_a_dial_command_that_does_not_dial():
    result = call(dial="ATI0")
    assert not result.connected
    assert result.connect == "OK"
    assert result.line_seconds < 1


@pytest.mark.parametrize(
    "options", [{"dial": "AT&N20DT05"}, {"calling": ("AT&N20",)}, {"answering": ("ATS0=1", "AT@@")}]
)
def test_commands_the_modem_refuses(options):
    with pytest.raises(ConfigError, match="answers ERROR to"):
        call(**options)


@pytest.mark.parametrize("line", ["V0", "Q1", "E0X0", "&D0", "&D1"])
def test_settings_of_the_terminal_side(line):
    line = f"AT{line}&M0+MS=V22B"
    result = call(calling=(line,), answering=(line,))
    assert result.clean
    assert result.bytes_received.up > 200
    assert result.line_seconds < 40


def test_numeric_result_codes():
    assert call(calling=("AT&M0V0+MS=V22B",)).connect.isdigit()


def test_the_clock_of_the_process_is_given():
    ticks = itertools.count(5.0, 0.25)
    result = run(SimOptions(seconds=0), cpu_clock=lambda: next(ticks))
    assert result.cpu_seconds == 0.25


@pytest.mark.parametrize("far", Far)
def test_frames_follow_the_far_end(far):
    result = call(skew=300, far=far, jitter=10, seconds=25)
    assert result.clean
    assert result.slips == 0
    # Between two of ours every sample arrives; a modem behind an adaptor has a quartz of its own.
    heard = -300 if far is Far.ATA else 0
    assert result.signal.down.timing_offset_ppm == pytest.approx(heard, abs=40)


def test_two_of_ours_follow_a_box_in_the_middle():
    result = call(skew=300, pbx_skew=-200, seconds=25)
    assert result.clean
    assert result.slips == 0


def test_adaptors_that_slip_are_counted():
    result = call(far=Far.ATA, skew=1500, pbx_skew=-1500, seconds=25)
    assert result.slips > 0


def test_recording(tmp_path):
    folder = tmp_path / "new" / "call"
    with Recording(folder) as recording:
        result = run(SimOptions(seconds=1, calling=RAW, skew=40), recording=recording)
    assert json.loads((folder / "result.json").read_text()) == result.as_dict()
    events = [json.loads(line) for line in (folder / "trace.jsonl").read_text().splitlines()]
    assert {event["end"] for event in events} == {"calling", "answering"}
    assert any(event["values"].get("words", "").startswith("CONNECT") for event in events)
    for name in ("caller.wav", "answerer.wav"):
        with wave.open(str(folder / name)) as sound:
            assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, 8000, 2)
            assert sound.getnframes() / 8000 == pytest.approx(result.talk_seconds, abs=1)


def test_a_recording_has_pictures_of_what_was_received(tmp_path):
    with Recording(tmp_path) as recording:
        run(SimOptions(seconds=1), recording=recording)
    for name in ("caller.png", "answerer.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    with Recording(tmp_path / "slow") as recording:
        run(SimOptions(seconds=0, calling=("AT&N1",)), recording=recording)
    assert not list((tmp_path / "slow").glob("*.png"))


def test_a_recording_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="recording in"):
        Recording(tmp_path / "file" / "below")
