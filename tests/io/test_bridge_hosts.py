"""Callers put through to Debian's own servers: OpenSSH's sshd, telnetd of GNU inetutils, rlogind."""

import os
from pathlib import Path

import pytest
from tests.support.bbs_live import on_board
from tests.support.bridged import bridge
from tests.support.real_call import Caller
from tests.support.real_hosts import ALL, ME, inetd, program, sshd

CONNECT = b"115200/ARQ/V34/LAPM/V42BIS"


async def all_octets_pass(caller: Caller) -> None:
    """All 256 octets both ways, a key echoed, and an end that sets the line up for the next caller."""
    assert (await caller.says(b" end\r\n")).endswith(b"octets " + ALL + b" end\r\n")
    os.write(caller.fd, ALL)
    await caller.says(b"equal\r\n")
    os.write(caller.fd, b"\xff")
    await caller.says(b"\xff")
    os.write(caller.fd, b"q")
    await caller.says(b"ATQ0V1H0\r")


@pytest.mark.peer("openssh-server")
async def test_openssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with sshd(tmp_path) as port:
        async with on_board(bridge(f"ssh:{ME}@127.0.0.1:{port};term=vt100"), "07") as caller:
            seen = await caller.says(b"\r\n")
            while b"seen" not in seen:
                seen = await caller.says(b"\r\n")
            assert seen.strip() == b"seen vt100|07|" + CONNECT + f"|{ME} 80x24".encode()
            await all_octets_pass(caller)
        # Another key than the one known: the caller learns nothing, and nothing of the host is shown.
        known = tmp_path / ".ssh/known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {(tmp_path / '.ssh/id_ed25519.pub').read_text()}")
        async with on_board(bridge(f"ssh:{ME}@127.0.0.1:{port}")) as caller:
            await caller.says(b"does not answer now")


@pytest.mark.peer("inetutils-telnetd")
async def test_telnetd(tmp_path: Path) -> None:
    accepts = ("--accept-env=CALLER_ID", "--accept-env=CONNECT")
    async with (
        inetd("/usr/sbin/telnetd", "-h", *accepts, f"--exec-login={program(tmp_path)}") as port,
        on_board(bridge(f"telnet:127.0.0.1:{port};term=vt100"), "07") as caller,
    ):
        seen = await caller.says(b" 80x24\r\n")
        assert b"seen vt100|07|" + CONNECT in seen
        await all_octets_pass(caller)


@pytest.mark.peer("rsh-redone-server")
@pytest.mark.skipif(os.geteuid() != 0, reason="rlogind serves callers from root's ports alone")
async def test_rlogind() -> None:
    """As far as one comes without an account here: greeting, names, and its question to the caller."""
    async with (
        inetd("/usr/sbin/in.rlogind") as port,
        on_board(bridge(f"rlogin:nobody@127.0.0.1:{port}"), "07") as caller,
    ):
        await caller.says(b"Password: ")
        os.write(caller.fd, b"\r\nNO CARRIER\r\n")
        await caller.says(b"ATQ0V1H0\r")
