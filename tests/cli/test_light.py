"""Commands answer before the signal processing is loaded, which takes seconds: errors come at once."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("command", ["answer", "modem", "serve", "terminal"])
def test_no_compiler_is_loaded_before_it_is_needed(command: str) -> None:
    program = f"import sys, ansam.cli.{command}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
