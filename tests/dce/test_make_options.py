"""What the settings of different makes come to in the modem."""

import pytest

from ansam.at.nvram import Profile
from ansam.at.personalities import load
from ansam.dce.dce import Dce
from ansam.dce.options import allowed_modulations, error_control, modulation_options, unprotected
from ansam.modulation.base import Role


def modem(make: str, line: str = "AT") -> Dce:
    dce = Dce(Profile(load(make)))
    dce.receive_dte(f"{line}\r".encode(), 0)
    assert dce.take_dte().endswith(b"OK\r\n")
    return dce


def test_a_hayes_2400_has_no_faster_line_and_no_error_control() -> None:
    settings = modem("hayes-2400").settings
    assert set(allowed_modulations(settings)) == {"V.22bis", "V.22", "Bell 103", "V.21"}
    assert error_control(settings, Role.CALLING) is None


def test_registers_that_mean_something_else_do_not_act() -> None:
    assert "V.32bis" not in allowed_modulations(modem("usr-56k", "ATS27=4").settings)
    assert "V.32bis" in allowed_modulations(modem("rockwell", "ATS27=4").settings)


@pytest.mark.parametrize(
    ("line", "required", "v42bis"),
    [
        ("AT&Q5\\N3%C3", False, 3),
        ("AT\\N4", True, 3),
        ("AT%C0", False, 0),
        ("AT&Q0", None, 0),
        ("AT\\N1", None, 0),
    ],
)
def test_rockwell_error_control(line: str, required: bool | None, v42bis: int) -> None:
    options = error_control(modem("rockwell", line).settings, Role.CALLING)
    assert (options.required if options else None) == required
    if options:
        assert options.v42bis == v42bis


@pytest.mark.parametrize(
    ("value", "bell", "names"), [(1, True, 1), (16, True, 1), (15, False, 0), (0, False, 1)]
)
def test_b(value: int, bell: bool, names: int) -> None:
    settings = modem("usr-56k", f"ATB{value}").settings
    assert modulation_options(settings).bell is bell
    assert allowed_modulations(settings).count("Bell 103") == names


@pytest.mark.parametrize(
    ("s51", "names"),
    [
        (0, set()),
        (1, {"V.22"}),
        (2, {"V.22bis"}),
        (4, {"V.32", "V.32bis"}),
        (64, set()),
        (3, {"V.22", "V.22bis"}),
    ],
)
def test_s51_leaves_error_control_out(s51: int, names: set[str]) -> None:
    assert unprotected(modem("usr-56k", f"ATS51={s51}").settings) == names
