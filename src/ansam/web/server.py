"""The HTTP server on the running event loop: uvicorn with our socket, our signals and our log."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator

import structlog
import uvicorn

from ansam.config.web import WebConfig
from ansam.errors import ConfigError
from ansam.io.sockets import bind_socket
from ansam.web.app import WebApp
from ansam.web.patience import ImpatientProtocol
from ansam.web.sockets import MESSAGE_LIMIT
from ansam.web.sources import Sources

BACKLOG = 128
MAX_CONNECTIONS = 256
KEEP_ALIVE = 15
STOP_SECONDS = 2
HEADER_LIMIT = 16384
"""Octets of a request's line and headers."""

_log = structlog.get_logger("ansam.web")


class WebServer:
    """The page, served.

    Args:
        config: Where and for whom.
        sources: What the page is about.

    Attributes:
        app: What is served.
        url: Where a person finds it, once `start` has returned.
    """

    def __init__(self, config: WebConfig, sources: Sources) -> None:
        self._config = config
        self.app = WebApp(config, sources)
        self.url = ""
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            ConfigError: The certificate can not be used.
            ResourceError: The address is in use, or not ours; nothing stays open.
        """
        config = self._config
        context = _tls_context(config) if config.tls else None
        sock = bind_socket(socket.SOCK_STREAM, config.host, config.port, "web page")
        # asyncio sets it only on sockets made for TCP by name; accepted ones inherit it.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.listen(BACKLOG)
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        settings = uvicorn.Config(
            self.app.asgi,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(config.proxies),
            forwarded_allow_ips=list(config.proxies),
            ws="websockets-sansio",
            ws_max_size=MESSAGE_LIMIT,
            ws_per_message_deflate=False,  # It takes more of a core than all else a viewer costs here.
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=STOP_SECONDS,
            h11_max_incomplete_event_size=HEADER_LIMIT,
            http=ImpatientProtocol,
        )
        settings.load()
        settings.ssl = context
        self._server = _Server(settings)
        self._task = asyncio.create_task(self._server.serve([sock]), name="web")
        self.url = _url(config, sock.getsockname()[1])
        _log.info("web page", url=self.url, login=not config.open)

    async def stop(self) -> None:
        """End all connections and give the port back."""
        await self.app.stop()
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task


class _Server(uvicorn.Server):
    """Leaves signals to those whose process it is."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _url(config: WebConfig, port: int) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)
    shown = f"[{host}]" if ":" in host else host
    return f"http{'s' if config.tls else ''}://{shown}:{port}/"


def _tls_context(config: WebConfig) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(config.certificate, config.private_key)
    except (OSError, ssl.SSLError) as error:
        named = f"{config.certificate!r} and {config.private_key!r}"
        raise ConfigError(
            f"[web] certificate: {error.strerror or error}", f"check {named}: PEM, and of one another"
        ) from error
    return context
