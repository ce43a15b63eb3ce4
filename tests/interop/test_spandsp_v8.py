"""libspandsp's V.8 against ours, both roles, through A-law, noise and delay: the same menus at both ends.

What 0.0.6 does not do is not asked of it: as answerer it repeats the caller's modes in JM whatever it has.
"""

import numpy as np
import pytest
from tests.support import spandsp_v8 as spandsp
from tests.support.modem_line import Random, Way, alaw

from ansam.modulation.automode import Automode
from ansam.modulation.base import Failed, ModulationEvent, ModulationOptions, PhaseEntered, Role
from ansam.modulation.v8.menu import Mode
from ansam.units import FRAME

pytestmark = pytest.mark.peer("libspandsp2")

ALL = ("V.22bis", "V.22", "V.21", "Bell 103")
THEIRS = spandsp.V21 | spandsp.V22 | spandsp.V34


class Call:
    """Ours in one role, spandsp in the other, until both have a result or 15 s have passed."""

    def __init__(
        self,
        role: Role,
        theirs: int = THEIRS,
        names: tuple[str, ...] = ALL,
        options: ModulationOptions | None = None,
        delay: int = FRAME,
        noise: float | None = None,
        send_ci: bool = False,
    ) -> None:
        self.ours = Automode(role, options or ModulationOptions(), names, Random(1))
        self.theirs = spandsp.SpandspV8(role is Role.ANSWERING, theirs, send_ci=send_ci)
        self.events: list[ModulationEvent] = []
        ways = [Way(delay=delay, noise_dbm0=noise, seed=k) for k in range(2)]
        self.ours.start(0)
        sent = np.zeros(FRAME, np.float32)
        for frame in range(750):
            back = self.ours.process(alaw(ways[0].carry(sent)), frame * FRAME)
            self.events += self.ours.take_events()
            sent = self.theirs.process(alaw(ways[1].carry(back)))
            if self.done():
                break
        self.theirs.close()

    def done(self) -> bool:
        reported = any(status >= spandsp.CALL for status, _, _ in self.theirs.results)
        return reported and (self.ours.far_end_seen or any(isinstance(e, Failed) for e in self.events))

    @property
    def phases(self) -> list[str]:
        return [e.name for e in self.events if isinstance(e, PhaseEntered)]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("delay", "noise"), [(160, None), (800, -45.0), (2400, -35.0), (4800, -50.0)])
def test_both_agree(role: Role, delay: int, noise: float | None) -> None:
    call = Call(role, delay=delay, noise=noise)
    assert call.ours.spec.name == "V.22bis"
    assert call.theirs.results[-1] == (spandsp.CALL, spandsp.V21 | spandsp.V22, spandsp.LAPM)
    assert call.ours.v8.lapm
    assert call.ours.v8.received is not None
    expected = "c1 05 12 90 2a" if role is Role.CALLING else "c1 45 12 90 2a"
    assert call.ours.v8.received.octets.hex(" ") == expected


@pytest.mark.parametrize("role", Role)
def test_the_only_common_mode(role: Role) -> None:
    call = Call(role, names=("V.21",))
    assert call.ours.spec.name == "V.21"
    assert call.ours.v8.mode is Mode.V21
    assert call.theirs.results[-1][1] == spandsp.V21


@pytest.mark.parametrize("role", Role)
def test_without_lapm(role: Role) -> None:
    call = Call(role, options=ModulationOptions(lapm=False))
    assert call.ours.spec.name == "V.22bis"
    assert not call.ours.v8.lapm


def test_nothing_in_common() -> None:
    call = Call(Role.ANSWERING, theirs=spandsp.V34, names=("V.22bis", "V.21"))
    assert call.theirs.results[-1][:2] == (spandsp.CALL, 0)
    failed = next(e for e in call.events if isinstance(e, Failed))
    assert "no modulation in common" in failed.reason
    assert "V.34" in failed.reason


def test_call_indicator_does_no_harm() -> None:
    assert Call(Role.ANSWERING, send_ci=True).ours.spec.name == "V.22bis"
    ours = Call(Role.CALLING, options=ModulationOptions(v8_ci=True), delay=8000)
    assert ours.ours.spec.name == "V.22bis"
    assert "CI" in ours.phases
