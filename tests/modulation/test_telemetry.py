"""The trace event ``receiver``."""

import numpy as np

from ansam.modulation.telemetry import EchoPath, ReceiverState, Telemetry
from ansam.trace import Recorder, null_sink

TAPS = np.array([0.1, 1 + 0.5j, -0.1], np.complex64)


def state():
    near = EchoPath(3, np.array([0.1, 0.2], np.float32), loss_db=12.0)
    return ReceiverState(TAPS, 0.01, 50.0, -1.5, (near,))


def test_once_a_second_however_the_stream_is_cut():
    for step in (37, 160, 4000):
        trace = Recorder()
        telemetry = Telemetry(trace, "modulation.test")
        for now in range(0, 80001 + step, step):
            telemetry.update(now, state)
        assert {(e.source, e.name) for e in trace.events} == {("modulation.test", "receiver")}
        assert len(trace.events) == 10
        assert all(0 <= e.now % 8000 < step for e in trace.events)


def test_values():
    trace = Recorder()
    telemetry = Telemetry(trace, "x")
    telemetry.update(0, state)
    telemetry.update(8000, state)
    values = trace.events[0].values
    np.testing.assert_array_equal(values["equaliser"], TAPS)
    assert values["equaliser"] is not TAPS
    assert (values["mse"], values["timing_ppm"], values["carrier_hz"]) == (0.01, 50.0, -1.5)
    assert [path.delay for path in values["echo"]] == [3]


def test_a_pause_begins_a_new_second():
    trace = Recorder()
    telemetry = Telemetry(trace, "x")
    telemetry.update(0, state)
    telemetry.update(7000, state)
    telemetry.pause()
    telemetry.update(9000, state)
    telemetry.update(16000, state)
    assert not trace.events
    telemetry.update(17000, state)
    assert [e.now for e in trace.events] == [17000]


def test_without_a_trace_nothing_is_copied():
    def never():
        raise AssertionError

    telemetry = Telemetry(null_sink, "x")
    telemetry.update(0, never)
    telemetry.update(80000, never)
