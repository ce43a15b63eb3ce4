"""The command `ansam sim`."""

import json

import pytest

from ansam.cli.main import main

NAMES = """connected connect connect_answering connect_seconds rate_tx rate_rx modulation error_control
compression bytes_sent bytes_received bytes_wrong bytes_lost throughput_bps retrains renegotiations
frames_resent slips disconnect_reason line_seconds cpu_seconds"""
KEYS = NAMES.split()


def sim(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main(["sim", *words])
    said = capsys.readouterr()
    return end.value.code or 0, said.out, said.err


def test_json(capsys, tmp_path):
    words = (
        "--json --seconds 1 --snr 30 --echo -20 --law ulaw --skew -30 --direction up --calling AT&M0+MS=V22B"
    )
    code, out, _ = sim(capsys, *words.split(), "--record", str(tmp_path / "call"))
    result = json.loads(out)
    assert code == 0
    assert list(result)[: len(KEYS) - 1] == KEYS[:-1]
    assert set(KEYS) <= set(result)
    assert result["connect"] == "CONNECT 2400/NONE"
    assert set(result["bytes_sent"]) == {"up", "down"}
    assert 0 < result["cpu_seconds"] < result["line_seconds"]
    assert (tmp_path / "call" / "caller.wav").exists()


def test_a_summary_for_people(capsys):
    code, out, _ = sim(capsys, "--seconds", "1")
    assert code == 0
    assert "CONNECT " in out
    assert "bytes wrong" in out


def test_a_call_that_does_not_connect_is_no_error(capsys):
    code, out, _ = sim(capsys, "--json", "--answering", "ATS0=0", "--calling", "ATS7=5")
    assert code == 0
    assert json.loads(out)["connected"] is False
    code, out, _ = sim(capsys, "--answering", "ATS0=0", "--calling", "ATS7=5")
    assert code == 0
    assert "NO ANSWER" in out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("--law foo", "--law foo (choose one of alaw, ulaw, linear)"),
        ("--direction sideways", "--direction sideways"),
        ("--snr abc", "--snr abc (give a number)"),
        ("--seed 1.5", "--seed 1.5 (give a whole number)"),
        ("--far ata --skew -1000000", "skew of -1e+06 ppm (choose -5000 to 5000)"),
        ("--loss 2", "loss of 2 (choose 0 to 1)"),
        ("--payload /nonexistent", "'/nonexistent'"),
        ("--dial AT&N20DT05", "AT&N20DT05"),
    ],
)
def test_bad_options_end_with_2_and_one_line(capsys, words, named):
    code, out, err = sim(capsys, *words.split())
    assert code == 2
    assert out == ""
    assert named in err
    assert err.count("\n") == 1
