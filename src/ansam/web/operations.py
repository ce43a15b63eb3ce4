"""A route with everything that is true about it: it is served by it, and described by it to programs."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ansam.config.web import Role
from ansam.errors import AnsamError
from ansam.web.auth import Identity
from ansam.web.errors import Refused, refusal_of
from ansam.web.gate import error_response

BODY_LIMIT = 1 << 16
"""Octets of a JSON body."""

BODY_WITHIN = 10.0
"""Seconds that it may take to come."""

B = TypeVar("B")
Q = TypeVar("Q")

_log = structlog.get_logger("ansam.web")


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One request.

    Attributes:
        request: As Starlette has it; its body is read, but for uploads.
        identity: Who asks.
        body: Read and checked.
        query: Likewise.
    """

    request: Request
    identity: Identity | None
    body: B
    query: Q

    @property
    def user(self) -> str:
        """Name of who asks, for logs; "" where no login is asked."""
        return self.identity.user if self.identity is not None else ""

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])


Handler = Callable[[Call[Any, Any]], Awaitable[BaseModel | Response | None]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        method: HTTP method.
        path: With ``{names}``.
        handler: Returns a model, a response, or None for 204.
        summary: One sentence.
        role: The least that may; None: no session is needed.
        answer: What the handler returns; None for none, or for a file.
        media: Media type of a file.
        status: Of success.
        body: What is sent; None for nothing.
        upload: Media types of a file that is sent.
        query: What may stand behind the ``?``.
        errors: Further statuses that are meant, and when.
        parameters: Patterns of the names in the path.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    role: Role | None = Role.VIEWER
    answer: type[BaseModel] | None = None
    media: str = ""
    status: int = 200
    body: type[BaseModel] | None = None
    upload: tuple[str, ...] = ()
    query: type[BaseModel] | None = None
    errors: Mapping[int, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    def route(self) -> Route:
        """Return the route that Starlette serves."""
        return Route(self.path, self._serve, methods=[self.method])

    async def _serve(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except AnsamError as error:
            return error_response(refusal_of(error))
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            _log.exception("request failed", method=self.method, path=self.path)
            return error_response(Refused(500, "something went wrong here", "the log says what"))

    async def _answer(self, request: Request) -> Response:
        identity: Identity | None = request.state.identity
        if self.role is not None and (identity is None or not identity.role.may(self.role)):
            raise Refused(403, f"only for {self.role.value}s")
        query = self._query(request)
        body = await read_json(request, self.body) if self.body is not None else None
        result = await self.handler(Call(request, identity, body, query))
        if isinstance(result, Response):
            return result
        if result is None:
            return Response(status_code=204)
        return JSONResponse(result.model_dump(mode="json"), self.status)

    def _query(self, request: Request) -> BaseModel | None:
        if self.query is None:
            if request.query_params:
                raise Refused(400, f"{next(iter(request.query_params))!r} is not known here")
            return None
        try:
            return self.query.model_validate(dict(request.query_params))
        except ValidationError as error:
            raise Refused(400, _first_fault(error)) from None


async def read_json(request: Request, model: type[BaseModel]) -> BaseModel:
    """Return a body, read and checked.

    Raises:
        Refused: It is too long or too slow, no JSON, or not what is expected.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "the body must be JSON", "Content-Type: application/json")
    data = b""
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for piece in request.stream():
                data += piece
                if len(data) > BODY_LIMIT:
                    raise Refused(413, f"the body has more than {BODY_LIMIT} octets")
    except TimeoutError:
        raise Refused(408, f"the body did not come within {BODY_WITHIN:.0f} s") from None
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is no JSON") from None
    if not isinstance(parsed, dict):
        raise Refused(400, "the body is no JSON object")
    try:
        return model.model_validate(parsed)
    except ValidationError as error:
        raise Refused(400, _first_fault(error)) from None


def _first_fault(error: ValidationError) -> str:
    """Return what is wrong in one line, without repeating what was sent."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part)[:64] for part in first["loc"])
    return f"{place}: {first['msg'].lower()}" if place else first["msg"].lower()
