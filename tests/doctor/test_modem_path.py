"""Calls to an answering modem of ours over the simulated circuit."""

import pytest
from tests.support.doctor import diagnosis

from ansam.doctor import Far, Grade
from ansam.sim.doctor import answering_modem


def test_the_call_connects_and_its_figures_are_told() -> None:
    found = diagnosis(answering_modem(("ATS0=1",)))
    assert found.far is Far.MODEM
    assert found.grade is Grade.GOOD
    assert found.connect.startswith("CONNECT 33600/ARQ/V34/LAPM")
    assert found.prediction.rate == 33600
    assert found.item("connection").value == "V.34"
    assert found.item("SNR").value == pytest.approx(37.5, abs=1.5)
    assert found.item("level").value == pytest.approx(-13, abs=1)
    assert found.item("round trip").value == pytest.approx(160, abs=3)
    assert found.item("stability").value == 0


def test_a_slow_modem_is_no_fault_of_the_path_but_a_remark() -> None:
    found = diagnosis(answering_modem(("ATS0=1+MS=V22B",)), snr=30.0)
    assert found.item("connection").grade is Grade.FAIR
    assert found.item("connection").value == "V.22bis"
    assert found.item("line rate").value == found.prediction.rate == 2400
    assert found.prediction.index == 3
