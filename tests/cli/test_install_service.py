"""The units that `ansam install-service` writes: complete, as systemd wants them, and with little to lose."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ansam.cli.install_service import unit_files
from ansam.cli.main import main
from ansam.errors import ConfigError

SERVICE, LINE = "usr/local/lib/systemd/system/ansam.service", "usr/local/lib/systemd/system/ansam@.service"
ACCOUNT = "etc/sysusers.d/ansam.conf"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze (package systemd)"
)


def written(directory: Path) -> dict[str, str]:
    """The files as installed below a directory, with a program that exists."""
    files = unit_files("/bin/true", Path("/etc/ansam/ansam.toml"))
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return files


def test_units_are_complete() -> None:
    files = unit_files("/opt/ansam/bin/ansam", Path("/etc/ansam/ansam.toml"), "dialup")
    assert set(files) == {SERVICE, LINE, ACCOUNT}
    for text in files.values():
        assert not re.search(r"@[A-Z]+@", text)
    assert "ExecStart=/opt/ansam/bin/ansam serve --config /etc/ansam/ansam.toml\n" in files[SERVICE]
    assert "--port /dev/%I --name %I" in files[LINE]
    assert "--mgetty-config /etc/ansam/mgetty.config\n" in files[LINE]
    for unit in (files[SERVICE], files[LINE]):
        for setting in (
            "Type=notify",
            "User=dialup",
            "RestartSec=2",
            "WatchdogSec=30",
            "NoNewPrivileges=yes",
        ):
            assert f"\n{setting}\n" in unit
        assert "\nCapabilityBoundingSet=\n" in unit
        assert "\nProtectHome=yes\n" in unit
    assert files[ACCOUNT].splitlines()[1].startswith("u dialup - ")


def test_a_program_at_home_is_seen() -> None:
    assert "ProtectHome=read-only" in unit_files("/home/ali/bin/ansam", Path("/etc/a.toml"))[SERVICE]


@pytest.mark.parametrize("path", ["/etc/my files/a.toml", "/etc/%h.toml", "/etc/$A"])
def test_a_path_that_would_mean_something_else(path: str) -> None:
    with pytest.raises(ConfigError, match="can not stand in a unit"):
        unit_files("/bin/true", Path(path))


def test_installed_or_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["install-service", "--prefix", str(tmp_path), "--print"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    with pytest.raises(SystemExit):
        main(["install-service", "--prefix", str(tmp_path)])
    assert str(tmp_path / SERVICE) in capsys.readouterr().out
    assert (tmp_path / SERVICE).read_text() in printed
    assert (tmp_path / LINE).read_text() in printed


def test_a_place_that_can_not_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "usr").write_text("a file")
    with pytest.raises(SystemExit) as ended:
        main(["install-service", "--prefix", str(tmp_path)])
    assert ended.value.code == 3
    assert "can not write" in capsys.readouterr().err


@needs_systemd
def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    written(tmp_path)
    directory = tmp_path / Path(SERVICE).parent
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "./ansam.service", "./ansam@ttyUSB0.service"],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "ansam" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize("name", [SERVICE, LINE])
def test_there_is_little_to_lose(tmp_path: Path, name: str) -> None:
    written(tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(tmp_path / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) <= 2.0
