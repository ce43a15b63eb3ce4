"""The gate every request passes: host name, origin, session, CSRF token, and the headers of every answer.

It refuses by default: what is not listed in `PUBLIC` needs a session, whether a route exists or not.
"""

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from ansam.config.web import Role, WebConfig
from ansam.web.auth import COOKIE, Doorkeeper, Identity
from ansam.web.errors import Refused

PUBLIC = ("/", "/healthz", "/favicon.ico")
PUBLIC_FOLDER = "/static/"
LOGIN = "/api/login"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Gate:
    """Middleware in front of all routes.

    Args:
        app: What is behind it.
        config: Names of the page.
        doorkeeper: Sessions.
    """

    def __init__(self, app: ASGIApp, config: WebConfig, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._config = config
        self._doorkeeper = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                self._add_headers(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            scope.setdefault("state", {})["identity"] = self._admit(scope)
        except Refused as refused:
            answer = error_response(refused)
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send_with_headers).send_denial_response(answer)
            else:
                await answer(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _add_headers(self, headers: MutableHeaders, scope: Scope) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        if "cache-control" not in headers:
            static = scope["path"].startswith(PUBLIC_FOLDER)
            headers["Cache-Control"] = "no-cache" if static else "no-store"
        if scope["scheme"] in ("https", "wss"):
            headers["Strict-Transport-Security"] = "max-age=31536000"

    def _admit(self, scope: Scope) -> Identity | None:
        headers = Headers(scope=scope)
        self._check_host(headers)
        upgrade = scope["type"] == "websocket"
        changes = not upgrade and scope["method"] not in SAFE_METHODS
        if upgrade or changes:
            check_origin(headers, scope)
        path: str = scope["path"]
        identity = self._doorkeeper.identify(session_token(headers))
        if path == LOGIN or (not changes and not upgrade and _public(path)):
            return identity
        scraped = identity is None and path == "/metrics" and not upgrade and not changes
        if scraped and self._doorkeeper.reads_metrics(headers.get("authorization", "")):
            return Identity("", Role.VIEWER, "")
        if identity is None:
            raise Refused(401, "log in first", "POST /api/login")
        if changes and not hmac.compare_digest(
            headers.get("x-csrf-token", "").encode("utf-8", "replace"), identity.csrf.encode()
        ):
            raise Refused(403, "X-CSRF-Token is missing or wrong", "take csrf of GET /api/session")
        return identity

    def _check_host(self, headers: Headers) -> None:
        """Refuse names that are not ours: a stranger's may have been made to lead here (DNS rebinding)."""
        config = self._config
        if not config.loopback and not config.hosts:
            return
        name = host_name(headers.get("host", ""))
        if name in config.hosts or name in ("localhost", "[::1]") or name.endswith(".localhost"):
            return
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            address = None
        if address is None or (config.loopback and not address.is_loopback):
            raise Refused(421, "this server has another name", "add the name to hosts in [web]")


def error_response(refused: Refused) -> Response:
    """Return the answer to a request that is refused."""
    body = {"error": {"message": refused.message, "remedy": refused.remedy}}
    return JSONResponse(body, refused.status, headers=refused.headers)


def host_name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


def check_origin(headers: Headers, scope: Scope) -> None:
    """Refuse what another site's page sends.

    Raises:
        Refused: 403.
    """
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site", "")
    if origin is None:
        # No browser sends a WebSocket, or changes anything, without it.
        if site in ("cross-site", "same-site"):
            raise Refused(403, "another site's page asks")
        return
    secure = scope["scheme"] in ("https", "wss")
    try:
        parts = urlsplit(origin)
        there = (
            parts.scheme == "https",
            (parts.hostname or "").lower(),
            parts.port or _port(parts.scheme == "https"),
        )
        own = urlsplit(f"//{headers.get('host', '')}")
        here = (secure, (own.hostname or "").lower(), own.port or _port(secure))
    except ValueError:
        raise Refused(403, "Origin can not be read") from None
    if parts.scheme not in ("http", "https") or there != here:
        raise Refused(403, "another site's page asks", "Origin must be the page's own")


def session_token(headers: Headers) -> str:
    """Return the session's token in the cookies, or ""."""
    # `SimpleCookie` drops them all where another program of this host has set one that it dislikes.
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _public(path: str) -> bool:
    return path in PUBLIC or path.startswith(PUBLIC_FOLDER)


def _port(secure: bool) -> int:
    return 443 if secure else 80
