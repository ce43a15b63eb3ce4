"""Two modems that both answer, because the exchange called both: one is told to behave as the calling one."""

import numpy as np

from ansam.call.modem_party import off_hook
from ansam.dce.dce import Connected, Dce
from ansam.dce.progress import AcceptCall, Progress
from ansam.units import FRAME, SAMPLE_RATE


def test_one_of_them_calls() -> None:
    called_back, service = Dce(), Dce()
    now = off_hook(called_back, b"AT&N3A\r")
    service.receive_dte(b"AT&N3S0=1\r", now)
    assert service.incoming_call("07", now, calling=True)
    assert any(isinstance(action, AcceptCall) for action in service.take_actions())
    service.progress(Progress.CONNECTED, now)
    to_service = to_called = np.zeros(FRAME, np.float32)
    connected = set()
    for at in range(now, now + 20 * SAMPLE_RATE, FRAME):
        to_service, to_called = called_back.process(to_called, at), service.process(to_service, at)
        for modem in (called_back, service):
            if any(isinstance(event, Connected) for event in modem.take_events()):
                connected.add(modem)
        if len(connected) == 2:
            break
    assert len(connected) == 2
