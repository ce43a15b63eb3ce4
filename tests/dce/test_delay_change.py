"""When the delay of what a modem hears may change."""

from ansam.dce.dce import Dce
from ansam.dce.session import RETRAIN_BEGINS, Session
from ansam.modulation.base import ModulationOptions, Renegotiating, Retraining, Role
from ansam.modulation.registry import MODULATIONS


def test_a_modem_on_hook_hears_nothing() -> None:
    assert Dce().delay_may_change


def test_only_the_beginning_of_a_retrain_bears_it() -> None:
    session = Session(Role.CALLING, ModulationOptions(), tuple(MODULATIONS))
    assert not session.delay_may_change(0)
    session._on_modulation(Renegotiating(True), 1000)
    assert not session.delay_may_change(1000)
    session._on_modulation(Retraining(False), 2000)
    assert session.delay_may_change(2000 + RETRAIN_BEGINS - 1)
    assert not session.delay_may_change(2000 + RETRAIN_BEGINS)
