"""Routes of the session: who am I, login, logout; and health."""

from importlib.metadata import version

from starlette.responses import JSONResponse, Response

from ansam.config.web import WebConfig
from ansam.web.auth import COOKIE, SESSION_SECONDS, Doorkeeper, Identity
from ansam.web.errors import Refused
from ansam.web.gate import session_token
from ansam.web.models import Health, Login, SessionInfo
from ansam.web.operations import Call, Operation


class SessionRoutes:
    """What is asked about the one who asks.

    Args:
        config: Of the page.
        doorkeeper: Sessions.
        features: What there is.
    """

    def __init__(self, config: WebConfig, doorkeeper: Doorkeeper, features: list[str]) -> None:
        self._config = config
        self._doorkeeper = doorkeeper
        self._features = features

    def operations(self) -> list[Operation]:
        """Return the routes."""
        return [
            Operation("GET", "/healthz", self._health, "Is the server alive?", None, answer=Health),
            Operation(
                "GET", "/api/session", self._session, "Who am I, and what is there?", answer=SessionInfo
            ),
            Operation(
                *("POST", "/api/login", self._login, "Log in", None),
                answer=SessionInfo,
                body=Login,
                errors={401: "Wrong user or password", 409: "No login is asked", 429: "Too many tries"},
            ),
            Operation("POST", "/api/logout", self._logout, "Log out", status=204),
        ]

    async def _health(self, call: Call[None, None]) -> Health:
        return Health(status="ok")

    def _info(self, identity: Identity) -> SessionInfo:
        return SessionInfo(
            user=identity.user,
            role=identity.role.value,
            csrf=identity.csrf,
            version=version("ansam"),
            loopback=self._config.loopback,
            open=self._doorkeeper.open,
            features=self._features,
        )

    async def _session(self, call: Call[None, None]) -> SessionInfo:
        if call.identity is None:
            raise Refused(401, "log in first", "POST /api/login")
        return self._info(call.identity)

    async def _login(self, call: Call[Login, None]) -> Response:
        client = call.request.client
        address = client.host if client is not None else ""
        token, identity = await self._doorkeeper.login(call.body.user, call.body.password, address)
        answer = JSONResponse(self._info(identity).model_dump(mode="json"))
        secure = call.request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, token, SESSION_SECONDS, path="/", secure=secure, httponly=True, samesite="strict"
        )
        return answer

    async def _logout(self, call: Call[None, None]) -> Response:
        self._doorkeeper.logout(session_token(call.request.headers))
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer
