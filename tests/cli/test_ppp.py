import os
from pathlib import Path

import pytest
from tests.support.answer import place

from ansam.answer.service_url import PppService, parse_service
from ansam.cli.answer_ppp import ppp_programs
from ansam.cli.answer_services import Services
from ansam.cli.main import main
from ansam.config import load, parse
from ansam.errors import ConfigError, ResourceError


def fails(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert isinstance(ended.value.code, int)
    return ended.value.code, capfd.readouterr().err


def test_what_is_missing_is_said_in_a_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "ansam.toml"
    config.write_text("")
    assert fails(capfd, "ppp", "-c", str(config)) == (
        2,
        f"ansam: {config}: there is no PPP (add a section [ppp])\n",
    )
    config.write_text('[ppp]\nslirp = "slirp-nowhere"\n')
    missing = (3, "ansam: slirp-nowhere is not installed (apt install slirp)\n")
    assert fails(capfd, "ppp", "-c", str(config)) == missing
    with pytest.raises(ResourceError, match="slirp-nowhere is not installed"):
        ppp_programs(load(config))


def test_programs_of_a_configuration(tmp_path: Path) -> None:
    assert ppp_programs(parse("")) is None
    config = tmp_path / "ansam.toml"
    config.write_text('[ppp]\nslirp = "cat"\n')
    programs = ppp_programs(load(config))
    assert programs is not None
    assert programs.calling.argv[-2:] == ("--config", str(config))
    assert programs.logged_in.argv == (*programs.calling.argv, "--logged-in")
    assert programs.calling.run_as == ("root" if os.geteuid() == 0 else "")
    config.write_text('[ppp]\ncommand = ["/usr/sbin/other", "auth"]\n')
    programs = ppp_programs(load(config))
    assert programs is not None
    assert programs.calling.argv == programs.logged_in.argv == ("/usr/sbin/other", "auth")


@pytest.mark.skipif(Path("/dev/ppp").exists(), reason="this kernel has PPP")
def test_pppd_needs_its_device(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="needs /dev/ppp"):
        ppp_programs(parse('[ppp]\ncommand = ["/usr/sbin/pppd"]\n'))


def test_a_line_for_ppp() -> None:
    assert parse_service("ppp") == PppService()
    with pytest.raises(ConfigError, match=r"add a section \[ppp\]"):
        Services(None).at(place(), PppService())
    programs = ppp_programs(parse('[ppp]\nslirp = "cat"\n'))
    served = Services(None, programs).at(place(), PppService())
    assert served.service is served.ppp is programs
