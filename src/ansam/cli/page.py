"""The web page beside what `ansam serve` and `ansam demo` run."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ansam.config import Config
from ansam.errors import ConfigError
from ansam.pbx.dialplan import Extension

if TYPE_CHECKING:
    from ansam.io.exchange import ExchangeServer
    from ansam.web.server import WebServer


def check_extra() -> None:
    """Look whether what the page needs is installed.

    Raises:
        ConfigError: It is not.
    """
    try:
        import prometheus_client  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(f"the web page needs {error.name}", "pip install 'ansam[web]'") from None


async def start_page(
    stack: AsyncExitStack,
    path: Path,
    config: Config,
    exchange: "ExchangeServer | None",
    sockets: Sequence[Path],
    changed: Callable[[Config], None],
) -> "WebServer":
    """Serve the page as long as the stack lasts.

    Args:
        stack: Ends it.
        path: The configuration.
        config: What it says.
        exchange: Running here, or None.
        sockets: Of the workers whose modems are shown.
        changed: Told what the configuration says when the page has changed it.

    Raises:
        ConfigError: The extra is not installed, or the certificate can not be used.
        ResourceError: The address is in use, or the directory can not be written.
    """
    check_extra()
    from ansam.io.control.hub import SocketHub
    from ansam.web.adaptors import AdaptorBook
    from ansam.web.doctor import DoctorDesk, no_exchange
    from ansam.web.exchange_view import LiveExchange
    from ansam.web.extensions import ExtensionBook
    from ansam.web.recordings import RecordingShelf
    from ansam.web.server import WebServer
    from ansam.web.sources import Sources

    web = config.web
    hub = SocketHub(sockets)
    directory = Path(web.directory)
    destination = exchange_destination(exchange) if exchange is not None else no_exchange
    sources = Sources(
        modems=hub,
        exchange=LiveExchange(exchange) if exchange is not None else None,
        extensions=ExtensionBook(path, changed) if exchange is not None else None,
        adaptors=AdaptorBook(path, changed),
        recordings=RecordingShelf(directory / "recordings", web.upload_limit, web.quota),
        doctor=DoctorDesk(directory / "doctor", destination),
    )
    server = WebServer(web, sources)
    await server.start()
    stack.push_async_callback(server.stop)
    hub.start()
    stack.push_async_callback(hub.stop)
    return server


def exchange_destination(exchange: "ExchangeServer") -> Callable[[str], tuple[str, str]]:
    """Return how the doctor calls a number of an exchange: as one of its extensions that has no call."""

    def find(number: str) -> tuple[str, str]:
        caller = _free_extension(exchange, number)
        if caller is None:
            raise ConfigError("no extension is free to call from", "add one, or wait")
        listen = next((one for one in exchange.listening if one.transport == "udp"), exchange.listening[0])
        if listen.transport == "tls":
            raise ConfigError("the exchange listens on TLS alone", "write sip:EXT@HOST;transport=tls")
        host = f"[{listen.host}]" if ":" in listen.host else listen.host
        secret = quote(caller.secret, safe="")
        line = (
            f"sip:{quote(caller.number, safe='')}:{secret}@{host}:{listen.port};transport={listen.transport}"
        )
        return f"sip:{quote(number, safe='*+')}@{host}:{listen.port}", line

    return find


def _free_extension(exchange: "ExchangeServer", number: str) -> Extension | None:
    free = {one.number for one in exchange.status().extensions if one.calls < one.call_limit}
    ordered = sorted(exchange.exchange.plan, key=lambda one: one.number == number)
    return next((one for one in ordered if one.number in free), None)
