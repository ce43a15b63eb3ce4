"""Debian's kamailio as a registrar and proxy for extensions whose secrets are ``secret-NUMBER``."""

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

CONFIG = """
#!KAMAILIO
debug=0
log_stderror=yes
children=1
disable_tcp=no
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "textops.so"
modparam("usrloc", "db_mode", 0)
modparam("rr", "enable_full_lr", 1)
modparam("registrar", "use_path", 0)
modparam("auth", "algorithm", "{algorithm}")
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK") && t_check_trans()) {{ t_relay(); }}
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("ansam", "secret-$tU", "0")) {{ www_challenge("ansam", "1"); exit; }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("ansam", "secret-$fU", "0")) {{ proxy_challenge("ansam", "1"); exit; }}
        consume_credentials();
        record_route();
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
        t_relay();
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""


@asynccontextmanager
async def running(config: str, port: int, directory: Path) -> AsyncIterator[None]:
    """Run one that listens on a TCP port of this machine; its log is a file `log` in the directory."""
    file = directory / "kamailio.cfg"
    file.write_text(config.lstrip())
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("kamailio", "-f", str(file), "-DD", "-E", "-m", "64", "-M", "8", "-Y", str(directory)),
            *("-P", str(directory / "pid"), "-w", str(directory)),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        await _until_listening(port, process, directory)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _until_listening(port: int, process: asyncio.subprocess.Process, directory: Path) -> None:
    async with asyncio.timeout(15):
        while True:
            assert process.returncode is None, (directory / "log").read_text()[-3000:]
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.05)
