"""Two guests with pppd who dial up over V.34 and SIP at once and fetch a page from this machine."""

import asyncio
import hashlib
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.support.exchange_live import free_port
from tests.support.ppp_guest import guest

from ansam.io.answer_passwords import hash_password

CALLS = (("07", "05", "ali", "sesame"), ("08", "06", "eva", "rosebud"))
"""Who calls whom, user and password."""

SCRIPT = """
secret {user} {password}
# Dial again where the modems do not come together: a busy machine may hold up both for a second.
ppp /dev/ttyS0 57600 user {user} {more} persist maxfail 3 holdoff 2 connect \\
  "/usr/sbin/chat ABORT BUSY ABORT 'NO CARRIER' TIMEOUT 60 '' ATZ OK ATDT{number} CONNECT ''" &
pppd=$!
up 150 && /bin/busybox time -f 'seconds %e' /bin/busybox wget -q -O - http://10.0.2.2:{port}/ | sha256sum
kill $pppd
wait $pppd
"""


def config(port: int) -> str:
    """Return a configuration: an exchange, two lines that answer, two modems to call with."""
    lines = [f'[exchange]\\nlisten = ["udp:127.0.0.1:{port}"]'.replace("\\n", "\n")]
    for calling, called, user, password in CALLS:
        for number, name, side in (
            (called, f"ttyA{called}", "answer:login"),
            (calling, f"ttyC{calling}", f"pty:run/ttyC{calling}"),
        ):
            lines += [f'[[extension]]\nnumber = "{number}"\nsecret = "secret-{number}"']
            lines += [f'[[modem]]\nname = "{name}"\nline = "sip:{number}@127.0.0.1:{port}"\ndte = "{side}"']
            lines += ['nvram = "none"']
        # One has a hash, for PAP; the other's password is kept as it is, and she will have CHAP.
        key = f'ppp_secret = "{password}"' if user == "eva" else f'password = "{hash_password(password)}"'
        lines += [f'[[user]]\nname = "{user}"\n{key}']
    return "\n".join([*lines, "[ppp]\nhost = true\n"])


@asynccontextmanager
async def page(content: bytes) -> AsyncIterator[int]:
    """Serve one page over HTTP on loopback; give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@asynccontextmanager
async def serve(directory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `ansam serve` until it is no longer needed; its log is `log` there."""
    (directory / "run").mkdir()
    (directory / "ansam.toml").write_text(config(free_port()))
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ansam.cli.main", "serve", "-c", "ansam.toml"),
            cwd=directory,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=log,
        )
    try:
        async with asyncio.timeout(120):
            while b"] ready" not in (directory / "log").read_bytes():
                assert process.returncode is None, (directory / "log").read_text()
                await asyncio.sleep(0.1)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def fetch_twice(directory: Path, content: bytes, seconds: float) -> list[float]:
    """Let two guests fetch a page at once; return how many seconds each took.

    Args:
        directory: For files.
        content: Of the page.
        seconds: For everything.
    """
    async with page(content) as port, serve(directory):
        scripts = [
            SCRIPT.format(
                user=user,
                password=password,
                number=called,
                port=port,
                more="refuse-pap refuse-eap" if user == "eva" else "",
            )
            for _, called, user, password in CALLS
        ]
        said = await asyncio.gather(
            *(
                guest(directory / calling, [directory / "run" / f"ttyC{calling}"], script, seconds)
                for (calling, *_), script in zip(CALLS, scripts, strict=True)
            )
        )
    times = []
    for text in said:
        assert hashlib.sha256(content).hexdigest() in text, text
        found = re.search(r"seconds ([0-9.]+)", text)
        assert found is not None
        times.append(float(found[1]))
    return times
