"""Shared fixtures: peers that may be absent."""

import os
import subprocess

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more about what else the machine does than about us.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let modems that tests start keep their memory in a directory of the tests."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def private_mounts() -> None:
    """Skip where a private mount namespace can not be had."""
    if os.geteuid() != 0:
        pytest.skip("a private mount namespace needs root")
    if subprocess.run(["unshare", "--mount", "--uts", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this container may not make a mount namespace")


def _installed(package: str) -> bool:
    done = subprocess.run(
        ["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True, check=False
    )
    return done.returncode == 0 and "install ok installed" in done.stdout


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a test after what it is given only where that is short.

    A file made for a test may hold the time of day: two of pytest's workers then collect different names.
    """
    if isinstance(val, str | bytes) and len(val) > 60:
        return f"{argname} of {len(val)}"
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave benchmarks to `make bench`."""
    if "bench" in (config.option.markexpr or ""):
        return
    keep = [item for item in items if item.get_closest_marker("bench") is None]
    dropped = [item for item in items if item.get_closest_marker("bench") is not None]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = keep


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose Debian peer is absent; with ANSAM_REQUIRE_PEERS=1 (CI) fail instead."""
    for mark in item.iter_markers("peer"):
        missing = []
        for package in mark.args:
            try:
                present = _installed(package)
            except FileNotFoundError:
                present = False
            if not present:
                missing.append(package)
        if not missing:
            continue
        reason = f"Debian package not installed: {' '.join(missing)}"
        if os.environ.get("ANSAM_REQUIRE_PEERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
