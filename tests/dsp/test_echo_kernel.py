"""The canceller's kernels, compiled and interpreted."""

import copy

import numpy as np
import pytest
from tests.support.echo_line import HYBRID, EchoCall, LinePath

from ansam.dsp import echo_kernel as kernel
from ansam.dsp import echo_loops as loops
from ansam.dsp.echo import Adapt, EchoCanceller

KERNELS = {
    kernel: (
        "_filter",
        "_correlate",
        "_dot",
        "_turn",
        "_learn",
        "_move_taps",
        "cancel",
        "guide",
        "end_block",
    ),
    loops: ("_doubt", "_steer", "_watch"),
}


def interpret(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, names in KERNELS.items():
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name).py_func)


@pytest.mark.parametrize("mode", list(Adapt))
def test_compiled_and_interpreted_kernels_agree(mode: Adapt, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [LinePath(-15, 400, 0, HYBRID), LinePath(-20, 1500, 3, HYBRID)]
    call = EchoCall(paths, 0.5, training=0.5, lost=0.1)
    compiled = EchoCanceller()
    call.train(compiled)
    compiled.adapt(mode)
    interpreted, twin = copy.deepcopy(compiled), copy.deepcopy(call)
    call.finish(compiled, guide=0.001)
    interpret(monkeypatch)
    # Interpreted, the records need their attributes.
    interpreted._records = interpreted._paths, interpreted._state
    twin.finish(interpreted, guide=0.001)
    np.testing.assert_allclose(twin.out, call.out, atol=1e-6)
    np.testing.assert_allclose(interpreted._taps[0], compiled._taps[0], atol=1e-6)
    np.testing.assert_allclose(interpreted._spread, compiled._spread, rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_measurement_that_surprises_opens_the_phase_loop(compiled: bool) -> None:
    steer = loops._steer if compiled else loops._steer.py_func
    paths = np.zeros(1, loops.PATH).view(np.recarray)
    spread = np.zeros((1, 3, 3))
    spread[0] = np.diag([1e-6, 1e-8, loops.RATE_DEVIATION**2])
    drift, true = 5e-3, 0.0
    late = []
    for block in range(300):
        true += drift * (block * 0.1) * 0.1
        paths[0].angle += paths[0].step * loops.BLOCK
        late.append(true - paths[0].angle)
        paths[0].energy = 1.0
        paths[0].product = late[-1]
        steer(paths, 0, spread, 1e-3)
    assert max(np.abs(late)) < 0.2
    assert max(np.abs(late[-20:])) < 0.03
