"""`ansam ppp`: be the other end of a PPP link on standard input and output.

It is what `ansam answer` and `ansam serve` start for a caller whose computer begins with PPP, and what the
line ``/AutoPPP/`` of an mgetty's `login.config` may name. Standard error is the line, too, so it tells syslog
what happens, as pppd does; its exit codes are pppd's.
"""

import asyncio
import os
import pwd
import signal
import sys
import syslog
import termios
import tty
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import typer

from ansam.cli.config import ConfigOption, find_config
from ansam.config import load
from ansam.config.ppp import PppConfig
from ansam.errors import AnsamError, ConfigError
from ansam.io.answer_command import NOBODY
from ansam.io.ppp import PppCall
from ansam.io.ppp_slirp import find_slirp, own_name_server
from ansam.io.terminal_fd import Descriptor
from ansam.ppp.auth import PppUser
from ansam.ppp.link import Authenticated, Ended, NetworkUp, PppEvent, Refused

LOGGED_IN = "--logged-in"


def ppp(
    config: ConfigOption = None,
    logged_in: Annotated[
        bool, typer.Option(LOGGED_IN, help="Ask for no password: the caller has given one already.")
    ] = False,
) -> None:
    """Serve one caller by PPP on standard input and output."""
    syslog.openlog("ansam-ppp", syslog.LOG_PID, syslog.LOG_DAEMON)
    caller, connect = os.environ.get("CALLER_ID", "none"), os.environ.get("CONNECT", "")
    try:
        path = find_config(config)
        loaded = load(path)
        if loaded.ppp is None:
            raise ConfigError(f"{path}: there is no PPP", "add a section [ppp]")
        find_slirp(loaded.ppp.slirp)
        users = {} if logged_in else loaded.ppp.callers(loaded.users)
        _drop_root()
        syslog.syslog(syslog.LOG_INFO, f"caller {caller}, {connect or 'no connect string'}")
        ended = asyncio.run(_serve(loaded.ppp, users, logged_in))
    except AnsamError as error:
        syslog.syslog(syslog.LOG_ERR, str(error))
        raise
    sys.exit(ended.ending.value)


def _drop_root() -> None:
    """Become nobody, once the configuration has been read."""
    if os.geteuid() != 0:
        return
    account = pwd.getpwnam(NOBODY)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


async def _serve(config: PppConfig, users: dict[str, PppUser], logged_in: bool) -> Ended:
    settings = config.settings
    if logged_in:
        settings = replace(settings, auth=())
    server = config.name_server or own_name_server()
    if server is None:
        settings = replace(settings, names=())
    with suppress(termios.error):
        tty.setraw(0)
    call = PppCall(Descriptor(os.dup(0)), settings, users, config.slirp, _tell, server)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, call.hang_up, "told to stop")
    return await call.run()


def _tell(event: PppEvent) -> None:
    match event:
        case Authenticated(user=user, method=method):
            syslog.syslog(syslog.LOG_NOTICE, f"{user} is in ({method})")
        case Refused(user=user, method=method):
            syslog.syslog(syslog.LOG_WARNING, f"refused {user or 'a caller without a name'} ({method})")
        case NetworkUp(mtu=mtu):
            syslog.syslog(syslog.LOG_INFO, f"network up, MTU {mtu}")
        case Ended(text=text):
            syslog.syslog(syslog.LOG_INFO, f"over: {text}")
        case _:
            pass
