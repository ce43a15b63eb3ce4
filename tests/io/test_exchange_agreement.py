"""The file names who there is, the database what happens: extensions come and go, by command or by hand."""

import asyncio
from pathlib import Path

from tests.support.exchange_live import exchange, phone

from ansam.config import load
from ansam.config.edit import add_block, remove_block
from ansam.io.exchange import ExchangeServer
from ansam.sip.events import RegistrationFailed

BY_HAND = """
# written by hand
[[extension]]  # with a comment
secret   = 'secret-07'
number   = "07"
name = \"\"\"Seven\"\"\"
"""


def numbers(server: ExchangeServer) -> set[str]:
    assert server._store is not None
    return {binding.number for binding in server._store.registrations()}


async def until(server: ExchangeServer, wanted: set[str]) -> None:
    async with asyncio.timeout(10):
        while numbers(server) != wanted:  # noqa: ASYNC110 - a database has no event
            await asyncio.sleep(0.02)


async def test_the_file_and_the_database_agree(tmp_path: Path) -> None:
    file, database = tmp_path / "ansam.toml", str(tmp_path / "db.sqlite")
    file.write_text("[exchange]\n")
    add_block(file, "extension", {"number": "05", "secret": "secret-05"})
    file.write_text(file.read_text() + BY_HAND)
    async with exchange(database, plan=load(file).plan()) as server:
        address = server.address("udp")
        async with phone("05", address) as five, phone("07", address) as seven:
            await five.register()
            await seven.register()
            await until(server, {"05", "07"})
            remove_block(file, "extension", "number", "07")  # the command, on what was written by hand
            assert "written by hand" in file.read_text()
            server.replace_plan(load(file).plan())
            await until(server, {"05"})
            assert [one.number for one in server.status().extensions] == ["05"]
            seven.start_register()
            assert (await seven.wait(RegistrationFailed)).status == 401
            file.write_text(
                file.read_text().replace("secret-05", "another")
            )  # by hand, on what the command wrote
            server.replace_plan(load(file).plan())
            await until(server, set())
    file.write_text("[exchange]\n" + BY_HAND)
    async with (
        exchange(database, plan=load(file).plan()) as server,
        phone("07", server.address("udp")) as seven,
    ):
        await seven.register()
        await until(server, {"07"})
    file.write_text("[exchange]\n")  # while nothing runs
    async with exchange(database, plan=load(file).plan()) as server:
        assert not server.status().extensions
        assert not len(server.exchange.registrations)
        await until(server, set())
