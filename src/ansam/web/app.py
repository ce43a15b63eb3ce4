"""The application: gate, routes, WebSockets, static files."""

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ansam.config.web import WebConfig, WebUser
from ansam.web.auth import Doorkeeper
from ansam.web.desk import AdaptorRoutes, DoctorRoutes, RecordingRoutes
from ansam.web.errors import Refused
from ansam.web.exchange import ExchangeRoutes
from ansam.web.gate import Gate, error_response
from ansam.web.metrics import Metrics
from ansam.web.modems import ModemRoutes
from ansam.web.openapi import document
from ansam.web.operations import Call, Operation
from ansam.web.session import SessionRoutes
from ansam.web.sockets import Sockets
from ansam.web.sources import Sources

STATIC = Path(str(files("ansam.web") / "static"))


class WebApp:
    """What a server runs.

    Args:
        config: Names and users.
        sources: What the page is about.

    Attributes:
        asgi: The application.
        operations: Its REST routes.
        doorkeeper: Sessions.
    """

    def __init__(self, config: WebConfig, sources: Sources) -> None:
        self._sources = sources
        self.doorkeeper = Doorkeeper(config)
        self._sockets = Sockets(sources.modems, self.doorkeeper) if sources.modems is not None else None
        self._metrics = Metrics(sources, self._open_sockets, lambda: self.doorkeeper.sessions)
        self.operations = self._operations(config)
        self._document = document(self.operations, version("ansam"))
        routes: list[BaseRoute] = [
            Route("/", _index),
            Route("/favicon.ico", _icon),
            *(one.route() for one in self.operations),
            *(self._sockets.routes() if self._sockets is not None else ()),
            Mount("/static", GZipMiddleware(StaticFiles(directory=STATIC, check_dir=False))),
        ]
        middleware = [
            Middleware(_Count, metrics=self._metrics),
            Middleware(Gate, config=config, doorkeeper=self.doorkeeper),
        ]
        handlers: dict[Any, Any] = {HTTPException: _refuse}
        self.asgi = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)
        self.asgi.router.redirect_slashes = False

    def _operations(self, config: WebConfig) -> list[Operation]:
        sources = self._sources
        session = SessionRoutes(config, self.doorkeeper, sources.features)
        found = [*session.operations(), self._metrics.operation()]
        found.append(
            Operation("GET", "/openapi.json", self._openapi, "This document", media="application/json")
        )
        if sources.modems is not None:
            found += ModemRoutes(sources.modems).operations()
        if sources.exchange is not None:
            found += ExchangeRoutes(sources).operations()
        if sources.adaptors is not None:
            found += AdaptorRoutes(sources.adaptors).operations()
        if sources.recordings is not None:
            found += RecordingRoutes(sources.recordings).operations()
        if sources.doctor is not None:
            found += DoctorRoutes(sources.doctor).operations()
        return found

    def _open_sockets(self) -> int:
        return len(self._sockets) if self._sockets is not None else 0

    async def _openapi(self, call: Call[None, None]) -> Response:
        return JSONResponse(self._document)

    def replace_users(self, users: tuple[WebUser, ...]) -> None:
        """Take over other users; sessions of those that are gone end."""
        self.doorkeeper.replace_users(users)

    async def stop(self) -> None:
        """End WebSockets and work that is under way."""
        if self._sockets is not None:
            await self._sockets.stop()
        for desk in (self._sources.recordings, self._sources.doctor):
            if desk is not None:
                await desk.stop()


def create_app(config: WebConfig, sources: Sources) -> Starlette:
    """Return the application alone, as tests and other servers run it."""
    return WebApp(config, sources).asgi


class _Count:
    """Counts answers by their status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.answered(scope["method"], message["status"])
            await send(message)

        await self._app(scope, receive, counted if scope["type"] == "http" else send)


async def _index(request: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


async def _icon(request: Request) -> Response:
    return RedirectResponse("/static/icon.svg")


async def _refuse(request: Request, error: HTTPException) -> Response:
    texts = {404: "there is no such thing", 405: f"{request.method} is not for this"}
    headers = dict(error.headers or {})
    return error_response(Refused(error.status_code, texts.get(error.status_code, error.detail), "", headers))
