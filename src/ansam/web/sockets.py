"""WebSockets: panel, scope, sound and terminal, relayed from the modems.

A viewer that does not keep up is cut off, never waited for: what it has not taken stands in its own socket's
buffer, and a write that takes longer than `SLOW` ends it. What comes in is read at the pace of the modem.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar

import structlog
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ansam.config.web import Role
from ansam.errors import AnsamError
from ansam.io.control import ControlHub, TerminalStream
from ansam.io.control.race import first_of
from ansam.web.auth import Doorkeeper, Identity
from ansam.web.errors import Refused, refusal_of
from ansam.web.gate import error_response, session_token
from ansam.web.modems import find_modem, modem_info, states_of

SLOW = 10.0
"""Seconds a page may take to accept a message."""

MAX_SOCKETS = 64
"""At once; a page has three or four."""

MESSAGE_LIMIT = 1 << 16
"""Octets of a message."""

RECHECK = 30.0
"""Seconds between looks whether the session still lives."""

GOING_AWAY, POLICY, BUSY, TOO_SLOW = 1001, 1008, 1013, 4408

_log = structlog.get_logger("ansam.web")

T = TypeVar("T")
Work = Callable[[WebSocket], Awaitable[None]]


class Sockets:
    """All open WebSockets.

    Args:
        hub: The modems.
        doorkeeper: Sessions.
    """

    def __init__(self, hub: ControlHub, doorkeeper: Doorkeeper) -> None:
        self._hub = hub
        self._doorkeeper = doorkeeper
        self._open: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def routes(self) -> list[WebSocketRoute]:
        """Return the routes."""
        return [
            WebSocketRoute("/ws/panel", self._route(Role.VIEWER, self._panel)),
            WebSocketRoute("/ws/modems/{id}/scope", self._route(Role.VIEWER, self._scope)),
            WebSocketRoute("/ws/modems/{id}/audio", self._route(Role.VIEWER, self._audio)),
            WebSocketRoute("/ws/modems/{id}/terminal", self._route(Role.OPERATOR, self._terminal)),
        ]

    async def stop(self) -> None:
        """End all of them."""
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _route(self, role: Role, work: Work) -> Work:
        async def serve(socket: WebSocket) -> None:
            identity: Identity | None = socket.state.identity
            try:
                if identity is None or not identity.role.may(role):
                    raise Refused(403, f"only for {role.value}s")
                if len(self._open) >= MAX_SOCKETS:
                    raise Refused(503, "too many sockets are open", "close another page")
                if "id" in socket.path_params:
                    find_modem(self._hub, socket.path_params["id"])
            except Refused as refused:
                await socket.send_denial_response(error_response(refused))
                return
            task = asyncio.ensure_future(self._keep(socket, work))
            self._open.add(task)
            try:
                await task
            except asyncio.CancelledError:
                await _close(socket, GOING_AWAY)
            finally:
                self._open.discard(task)

        return serve

    async def _keep(self, socket: WebSocket, work: Work) -> None:
        watch = asyncio.create_task(self._watch(socket))
        try:
            await work(socket)
            await _close(socket, 1000)
        except TimeoutError:
            await _close(socket, TOO_SLOW)
        except Refused as refused:
            await _close(socket, POLICY if refused.status == 400 else BUSY, refused.message)
        except AnsamError as error:
            await _close(socket, BUSY, error.message)
        except (WebSocketDisconnect, RuntimeError):
            pass  # The page has gone, perhaps in the middle of a message of ours.
        finally:
            watch.cancel()

    async def _watch(self, socket: WebSocket) -> None:
        """Close the socket of a session that has ended; a user who lost a role has to come again."""
        token, had = session_token(socket.headers), socket.state.identity
        while True:
            await asyncio.sleep(RECHECK)
            now = self._doorkeeper.identify(token, busy=False)
            if now is None or now.role is not had.role:
                await _close(socket, POLICY, "log in again")
                return

    # -- what each does --------------------------------------------------------------------------------------

    async def _panel(self, socket: WebSocket) -> None:
        await socket.accept()
        fronts = [modem_info(state) for state in await states_of(self._hub)]
        first = {"type": "modems", "modems": [front.model_dump() for front in fronts]}
        await _send(socket, json.dumps(first))

        async def messages() -> AsyncIterator[str]:
            shown = {front.id: front for front in fronts}
            async with contextlib.aclosing(_closable(self._hub.panel())) as panel:
                async for state in panel:
                    front = modem_info(state)
                    if front != shown.get(front.id):
                        shown[front.id] = front
                        yield json.dumps({"type": "modem", "modem": front.model_dump()})

        await self._relay(socket, messages())

    async def _scope(self, socket: WebSocket) -> None:
        modem = find_modem(self._hub, socket.path_params["id"])
        await socket.accept()
        await self._relay(socket, modem.scope())

    async def _audio(self, socket: WebSocket) -> None:
        modem = find_modem(self._hub, socket.path_params["id"])
        await socket.accept()
        await self._relay(socket, modem.audio())

    async def _relay(self, socket: WebSocket, messages: AsyncIterator[str] | AsyncIterator[bytes]) -> None:
        """Send what comes until either end has enough; nothing is expected from the page."""
        await first_of(_listen(socket), _pump(socket, messages))

    async def _terminal(self, socket: WebSocket) -> None:
        modem = find_modem(self._hub, socket.path_params["id"])
        try:
            stream = await modem.terminal()
        except AnsamError as error:
            await socket.send_denial_response(error_response(refusal_of(error)))
            return
        _log.info("terminal opened", modem=modem.id, user=socket.state.identity.user)
        try:
            await socket.accept()
            await first_of(_type(socket, stream), _show(socket, stream))
        finally:
            await stream.close()
            _log.info("terminal closed", modem=modem.id)


async def _pump(socket: WebSocket, messages: AsyncIterator[str] | AsyncIterator[bytes]) -> None:
    async with contextlib.aclosing(_closable(messages)) as stream:
        async for message in stream:
            await _send(socket, message)


async def _closable(messages: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Iterate over what may have no `aclose`, and close it if it has: nobody looks any more."""
    try:
        async for message in messages:
            yield message
    finally:
        close = getattr(messages, "aclose", None)
        if close is not None:
            await close()


async def _listen(socket: WebSocket) -> None:
    """Read what a page sends where nothing is expected, until it goes."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        raise Refused(400, "nothing is expected here")


async def _type(socket: WebSocket, stream: TerminalStream) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        data = message.get("bytes")
        if data is None or len(data) > MESSAGE_LIMIT:
            raise Refused(400, "octets are expected here")
        if data:
            await stream.write(data)


async def _show(socket: WebSocket, stream: TerminalStream) -> None:
    while data := await stream.read():
        await _send(socket, data)
    await _send(socket, json.dumps({"type": "closed", "reason": "the modem has gone"}))


async def _send(socket: WebSocket, message: object) -> None:
    async with asyncio.timeout(SLOW):
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_text(str(message))


async def _close(socket: WebSocket, code: int, reason: str = "") -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        async with asyncio.timeout(1.0):
            await socket.close(code, reason.encode()[:120].decode("utf-8", "ignore"))
