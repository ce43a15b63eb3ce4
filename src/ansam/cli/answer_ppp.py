"""Says which program serves callers by PPP."""

import os
import sys
from pathlib import Path

from ansam.answer.ppp import PppPrograms
from ansam.answer.users import Command
from ansam.cli.ppp import LOGGED_IN
from ansam.config import Config
from ansam.errors import ResourceError
from ansam.io.answer_command import PPP_DEVICE, ppp_is_missing
from ansam.io.ppp_slirp import find_slirp


def ppp_programs(config: Config) -> PppPrograms | None:
    """Return what serves callers by PPP, or None where the configuration has no PPP.

    Raises:
        ResourceError: A program is not installed, or the kernel has no PPP for pppd.
    """
    ppp = config.ppp
    if ppp is None:
        return None
    if ppp.command:
        if ppp_is_missing(ppp.command):
            raise ResourceError(
                f"{ppp.command[0]} needs {PPP_DEVICE}, which this kernel has not",
                "modprobe ppp_generic, or leave out [ppp] command",
            )
        command = Command(ppp.command, run_as=_who())
        return PppPrograms(command, command)
    find_slirp(ppp.slirp)
    argv = (sys.executable, "-m", "ansam.cli.main", "ppp", "--config", str(Path(config.path).absolute()))
    return PppPrograms(Command(argv, run_as=_who()), Command((*argv, LOGGED_IN), run_as=_who()))


def _who() -> str:
    """Return the account it starts as: it has to read the configuration; then it drops what rights it has."""
    return "root" if os.geteuid() == 0 else ""
