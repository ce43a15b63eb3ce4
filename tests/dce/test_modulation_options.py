"""What &N, &U, +MS and the S-registers ask of V.32, V.32bis and V.34."""

import pytest
from tests.support.fake_modems import register

from ansam.at.interpreter import Interpreter
from ansam.at.settings import ModulationChoice, Settings
from ansam.dce.options import allowed_modulations, error_control, modem_capabilities, modulation_options
from ansam.modulation.base import V34_SYMBOL_RATES, ModulationOptions, Role
from ansam.modulation.registry import MODULATIONS

FAST = ("V.34", "V.32bis", "V.32")


@pytest.fixture(autouse=True)
def _fakes(monkeypatch):
    register(monkeypatch, MODULATIONS)


def with_registers(**registers):
    settings = Settings()
    for name, value in registers.items():
        settings.s[int(name[1:])] = value
    return settings


def fast(settings):
    return tuple(name for name in allowed_modulations(settings) if name in FAST)


@pytest.mark.parametrize(
    ("registers", "left"),
    [
        ({}, FAST),
        ({"s27": 2}, ("V.34", "V.32")),
        ({"s27": 4}, ("V.34",)),
        ({"s27": 32}, ("V.34", "V.32")),
        ({"s27": 36}, ("V.34",)),
        ({"s28": 0}, FAST),
        ({"s28": 255}, ("V.32bis", "V.32")),
        ({"s32": 2 | 16}, ("V.32bis", "V.32")),
        ({"s54": 62}, FAST),
        ({"s54": 63}, ("V.32bis", "V.32")),
        ({"s55": 1}, ("V.34", "V.32")),
        ({"s55": 14}, ("V.32bis", "V.32")),
        ({"s56": 64}, ("V.32bis", "V.32")),
        ({"s56": 31}, FAST),
    ],
)
def test_which_modulations_the_registers_leave(registers, left):
    assert fast(with_registers(**registers)) == left


def test_slow_modulations_stay_but_for_s27_and_s28():
    slow = ("V.22bis", "V.22", "Bell 103", "V.21")
    assert set(allowed_modulations(with_registers())) == {*FAST, *slow}
    assert "Bell 103" not in allowed_modulations(with_registers(s27=1))
    assert "V.21" in allowed_modulations(with_registers(s27=1))
    assert allowed_modulations(with_registers(s28=255)) == ("V.32bis", "V.32")


@pytest.mark.parametrize(
    ("registers", "field", "value"),
    [
        ({}, "trellis", True),
        ({"s27": 2}, "trellis", False),
        ({"s55": 1}, "trellis", False),
        ({"s28": 8}, "ac_time", 24000),
        ({"s28": 0}, "ac_time", 0),
        ({"s28": 60}, "ac_time", 48000),
        ({"s28": 255}, "ac_time", 24000),
        ({"s28": 255}, "min_rate", 9600),
        ({"s28": 255}, "max_rate", 9600),
        ({"s32": 2 | 32}, "max_rate", 28800),
        ({"s54": 1 | 32}, "v34_symbol_rates", (2743, 2800, 3000, 3200)),
        ({"s54": 64}, "v34_symbol_rates", V34_SYMBOL_RATES),
        ({"s55": 2 | 8}, "v34_trellis_states", (32,)),
        ({"s56": 1}, "v34_nonlinear", False),
        ({"s56": 2}, "v34_level_deviation", False),
        ({"s56": 4}, "v34_preemphasis", False),
        ({"s56": 8}, "v34_precoding", False),
        ({"s56": 16}, "v34_shaping", False),
        ({"s15": 2}, "fallback", False),
        ({"s13": 64}, "renegotiation", False),
    ],
)
def test_what_the_modulations_are_told(registers, field, value):
    options = modulation_options(with_registers(**registers))
    assert getattr(options, field) == value
    # and nothing else changes with it
    others = {
        name for name in ModulationOptions.__dataclass_fields__ if name not in (field, "min_rate", "max_rate")
    }
    assert all(getattr(options, name) == getattr(ModulationOptions(), name) for name in others)


def test_v34_plus_keeps_a_lower_ceiling():
    settings = with_registers(s32=2 | 32)
    settings["&N"] = 6
    assert modulation_options(settings).max_rate == 9600
    settings["&N"] = 16
    assert allowed_modulations(settings) == ()


@pytest.mark.parametrize("n", range(17))
def test_every_rate_up_to_n16_is_accepted_and_exact(n):
    terminal = Interpreter(modem_capabilities())
    terminal.receive(f"ATE0&N{n}\r".encode(), 0)
    assert b"OK" in terminal.take_output()
    rate = terminal.settings.rate_of(n)
    options = modulation_options(terminal.settings)
    assert (options.min_rate, options.max_rate) == (rate, rate)
    allowed = allowed_modulations(terminal.settings)
    assert allowed
    assert all(rate == 0 or rate in MODULATIONS[name][0].data_rates for name in allowed)
    if rate == 4800:
        assert allowed == FAST


def test_rates_of_no_modulation_are_refused():
    terminal = Interpreter(modem_capabilities())
    for line in (b"AT&N17\r", b"AT&U39\r", b"AT+MS=V90\r", b"AT+MS=V34,1,5000\r"):
        terminal.receive(line, 0)
        assert b"ERROR" in terminal.take_output()


@pytest.mark.parametrize(
    ("choice", "allowed"),
    [
        (ModulationChoice("V32", False), ("V.32",)),
        (ModulationChoice("V32B", False), ("V.32bis",)),
        (ModulationChoice("V34", False), ("V.34",)),
        (ModulationChoice("V32B", True), ("V.32bis", "V.32", "V.22bis", "V.22", "Bell 103", "V.21")),
        (ModulationChoice("V34", True, 4800, 14400, 4800, 14400), FAST),
        (ModulationChoice("V32B", True, 12000), ("V.32bis",)),
    ],
)
def test_ms_chooses(choice, allowed):
    settings = Settings()
    settings.modulation = choice
    assert set(allowed_modulations(settings)) == set(allowed)
    assert allowed_modulations(settings)[: len(FAST)] == allowed[: len(FAST)] or len(allowed) > 3


def test_ms_lists_what_there_is():
    terminal = Interpreter(modem_capabilities())
    terminal.receive(b"ATE0+MS=?;+MS=V32B,0,9600,14400;+MS?\r", 0)
    said = terminal.take_output().decode()
    assert "V22B,V32,V32B,V34" in said
    assert "+MS: V32B,0,9600,14400,0,0" in said


@pytest.mark.parametrize("register", ["s27", "s51"])
def test_selective_reject_can_be_left_out(register):
    assert error_control(with_registers(), Role.CALLING).srej
    assert not error_control(with_registers(**{register: 64}), Role.CALLING).srej
