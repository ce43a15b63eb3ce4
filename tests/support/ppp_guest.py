"""A Linux of its own with Debian's pppd at serial ports: a kernel in userland (user-mode-linux).

It sees the files of this machine, read-only, and has `/etc` and `/run` to itself.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

KERNEL = "/usr/bin/linux.uml"
MODULES = Path("/usr/lib/uml/modules")
PACKAGES = ("user-mode-linux", "ppp", "busybox-static", "slirp")

START = """\
#!/bin/busybox sh
# Nothing of the guest's own is in the way: `wget` is busybox's.
for name in mount insmod mkdir ip ifconfig grep sleep wget sha256sum nslookup poweroff kill cat; do
  alias $name="/bin/busybox $name"
done
mount -t proc proc /proc
mount -t tmpfs run /run
mount -t tmpfs etc /etc
for module in lib/crc-ccitt drivers/net/slip/slhc drivers/net/ppp/ppp_generic drivers/net/ppp/ppp_async; do
  insmod {modules}/kernel/$module.ko
done
mkdir /etc/ppp
echo root:x:0:0:root:/:/bin/sh > /etc/passwd
: > /etc/ppp/options
secret() {{ (umask 077; echo "$1 * $2 *" | tee -a /etc/ppp/pap-secrets >> /etc/ppp/chap-secrets); }}
ppp() {{ exec /usr/sbin/pppd "$@" nodetach local noauth noipdefault usepeerdns debug logfd 1; }}
up() {{
  for i in $(seq $1); do
    [ "$(ifconfig | grep -c P-t-P)" -ge "${{2:-1}}" ] && return 0
    sleep 0.5
  done
  return 1
}}
{script}
poweroff -f
"""


async def guest(directory: Path, ports: Sequence[str | Path], script: str, seconds: float) -> str:
    """Run a shell script in a guest; return what it said.

    Args:
        directory: For its files.
        ports: Terminals that are /dev/ttyS0, /dev/ttyS1… there.
        script: May use `secret USER PASSWORD`, `ppp OPTION…` (never returns), `up HALF-SECONDS [CALLS]`.
        seconds: That it may take.
    """
    init = _prepared(directory, script)
    said = directory / "said"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(KERNEL, "mem=128M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={init}"),
            *("con0=null,fd:1", "con=null", "quiet"),
            *(f"ssl{number}=tty:{port}" for number, port in enumerate(ports)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ | {"HOME": str(directory)},
        )
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        raise AssertionError(f"the guest hangs: {said.read_text(errors='replace')[-3000:]}") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return said.read_text(errors="replace")


def _prepared(directory: Path, script: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    init = directory / "init"
    modules = min(MODULES.iterdir())
    init.write_text(START.format(modules=modules, script=script))
    init.chmod(0o755)
    return init
