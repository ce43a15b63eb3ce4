import os
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from ansam.answer.mgetty_config import parse_mgetty_config
from ansam.errors import ConfigError, ResourceError
from ansam.io.mgetty_files import own_port, read_mgetty_files

ROOT = os.geteuid() == 0


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    structlog.reset_defaults()


def files(directory: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = directory / f"{name}.config"
        path.write_text(text)
        path.chmod(0o600)
    return directory / "mgetty.config"


def test_everything_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "issue").write_text("\\P\n")
    path = files(
        tmp_path,
        mgetty="issue-file issue\nfax-id 1\nnotify x",
        login="a - - /bin/a\n/AutoPPP/ - - /usr/sbin/pppd",
        dialin="!416",
    )
    with capture_logs() as log:
        found = read_mgetty_files(path, "ttyS0")
    assert (found.issue, len(found.logins), found.callers.rules) == ("\\P\n", 2, ("!416",))
    told = [entry.get("option") for entry in log if entry["event"] == "no effect"]
    assert told == ["fax-id", "notify"]
    missing = [entry["at"] for entry in log if entry["event"] == "pppd will not work"]
    assert missing == ([] if Path("/dev/ppp").exists() else [f"{tmp_path}/login.config:2"])


def test_issue_of_a_program_and_none(tmp_path: Path) -> None:
    assert read_mgetty_files(files(tmp_path, mgetty="issue-file !echo hello"), "x").issue == "hello\n"
    assert read_mgetty_files(files(tmp_path, mgetty="issue-file"), "x").issue == ""
    with capture_logs() as log:
        assert read_mgetty_files(files(tmp_path, mgetty="issue-file nowhere"), "x").issue == ""
    assert log[0]["event"] == "no issue text"
    with pytest.raises(ConfigError, match="status 3"):
        read_mgetty_files(files(tmp_path, mgetty="issue-file !exit 3"), "x")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"can not read .*mgetty.config: No such file"):
        read_mgetty_files(tmp_path / "mgetty.config", "x")
    with pytest.raises(ConfigError, match=r"can not read .*other: No such file"):
        read_mgetty_files(files(tmp_path, mgetty=""), "x", tmp_path / "other")


@pytest.mark.skipif(not ROOT, reason="only root runs what login.config says as root")
def test_others_may_not_tell_root_what_to_run(tmp_path: Path) -> None:
    path = files(tmp_path, mgetty="issue-file", login="* - - /bin/login @")
    (tmp_path / "login.config").chmod(0o620)
    with pytest.raises(ResourceError, match="others than root can write it"):
        read_mgetty_files(path, "x")


@pytest.mark.skipif(not Path("/etc/mgetty/mgetty.config").exists(), reason="no mgetty of Debian")
@pytest.mark.skipif(not ROOT, reason="Debian keeps login.config for root")
def test_debians_own_files() -> None:
    assert len(read_mgetty_files(Path("/etc/mgetty/mgetty.config"), "ttyS0").logins) == 2


@pytest.mark.skipif(not ROOT, reason="only root gives files away")
def test_the_port_gets_its_owner(tmp_path: Path) -> None:
    port = tmp_path / "tty"
    port.touch()
    own_port(str(port), parse_mgetty_config("port-owner nobody\nport-mode 0640", "m", "x"))
    assert port.owner() == "nobody"
    assert port.stat().st_mode & 0o777 == 0o640
    with pytest.raises(ConfigError, match="no such user"):
        own_port(str(port), parse_mgetty_config("port-owner no-such-user-x", "m", "x"))
