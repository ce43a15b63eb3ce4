"""S32, S54, +A8E and &M as V.8 sees them."""

import pytest

from ansam.at.settings import Settings
from ansam.at.v8_settings import V8Settings
from ansam.dce.options import modulation_options
from ansam.modulation.base import Role


@pytest.mark.parametrize(
    ("registers", "v8", "calling", "answering", "indicator"),
    [
        ({}, V8Settings(), True, True, False),
        ({32: 0}, V8Settings(), False, False, False),
        ({54: 128}, V8Settings(), False, False, False),
        ({32: 3}, V8Settings(), True, True, True),
        ({32: 3, 54: 64}, V8Settings(), True, True, False),
        ({}, V8Settings(originating=False), False, True, False),
        ({}, V8Settings(answering=False), True, False, False),
        ({}, V8Settings(indicator=True), True, True, True),
        ({54: 64}, V8Settings(indicator=True), True, True, False),
    ],
)
def test_registers(registers, v8, calling, answering, indicator) -> None:
    settings = Settings()
    settings.v8 = v8
    for number, value in registers.items():
        settings.s[number] = value
    assert modulation_options(settings, Role.CALLING).v8 is calling
    assert modulation_options(settings, Role.ANSWERING).v8 is answering
    assert modulation_options(settings, Role.CALLING).v8_ci is indicator


def test_lapm_follows_error_control() -> None:
    settings = Settings()
    assert modulation_options(settings, Role.CALLING).lapm
    settings["&M"] = 0
    assert not modulation_options(settings, Role.CALLING).lapm
    assert not modulation_options(settings, Role.ANSWERING).lapm
