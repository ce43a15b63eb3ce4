"""mgetty, or a program in its place, with all that it wants: /dev/ttyUSB0, lock, pid and log files, /etc.

All of that is made in a private mount namespace, so nothing outside is touched; that needs root.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MGETTY_CONFIG = r"""
port ttyUSB0
  speed 9600
  data-only y
  toggle-dtr n
  login-prompt @ \P login:\040
  login-time 60
  term vt102
  issue-file /etc/mgetty/issue
"""
ISSUE = r"Debian GNU/\s \P \S (\I)"

NAMESPACE = r"""
set -e
top=/mnt
mount -t tmpfs none "$top"
mkdir -p "$top/dev/pts" "$top/dev/shm"
for name in null zero full random urandom tty; do
  touch "$top/dev/$name"
  mount --bind "/dev/$name" "$top/dev/$name"
done
mount --rbind /dev/pts "$top/dev/pts"
ln -s pts/ptmx "$top/dev/ptmx"
ln -s "$PTY" "$top/dev/ttyUSB0"
mount -t tmpfs none /run
mkdir -p /run/lock
mount -t tmpfs none /var/log
mkdir /var/log/mgetty
touch /var/log/wtmp
mount -t tmpfs none /etc/mgetty
printf '%s\n' "$CONFIG" > /etc/mgetty/mgetty.config
printf '%s\n' "$ISSUE" > /etc/mgetty/issue
mount --rbind "$top/dev" /dev
hostname cl-002
"""


def mgetty_command(
    config: str = MGETTY_CONFIG, program: str = "/usr/sbin/mgetty -x0 -s 57600 ttyUSB0"
) -> tuple[list[str], dict[str, str]]:
    """Return the command that runs mgetty, or a program in its place, and its environment."""
    script = f"{NAMESPACE}exec {program}\n"
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CONFIG": config, "ISSUE": ISSUE}
    return ["unshare", "--mount", "--uts", "sh", "-c", script], environment


@contextmanager
def process(
    command: list[str], environment: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process group of its own, ended with all of it."""
    running = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(running.pid, number)
                running.wait(5)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        running.wait()
        assert running.stderr is not None
        running.stderr.close()


def until(condition: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.1)
