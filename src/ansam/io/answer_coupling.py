"""Couples a caller with what has the line: a command, a transfer, or a connection to a host."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from ansam.answer.events import HoldCommand, OpenBridge, Reattach, RunCommand
from ansam.answer.getty import Getty
from ansam.errors import AnsamError, ResourceError
from ansam.io.answer_bridge import BridgeProcess
from ansam.io.answer_channel import CHANNEL_LIMIT, Channel
from ansam.io.answer_command import CommandProcess
from ansam.io.answer_held import AGAIN, HELD, KEPT, SCREEN, Process
from ansam.io.answer_pipes import PipeProcess

PIECE = 2048
"""Octets of a command's output that are put on the line at once."""

_T = TypeVar("_T")


class Spawner(Protocol):
    """Starts tasks that end with their line, and end it where they fail."""

    def __call__(self, work: Coroutine[Any, Any, _T], /) -> asyncio.Task[_T]:
        """Start one."""


class Coupling:
    """What has the caller of one line, if anything has.

    Args:
        getty: The line's engine.
        outgoing: To the modem.
        wake: Has the engine looked at.
        spawn: Starts a task of the line.
        log: Of the line.

    Attributes:
        input: The caller's octets for the command.
    """

    def __init__(
        self, getty: Getty, outgoing: Channel, wake: Callable[[], None], spawn: Spawner, log: Any
    ) -> None:
        self.input = Channel(CHANNEL_LIMIT, wake)
        self._getty = getty
        self._outgoing = outgoing
        self._wake = wake
        self._spawn = spawn
        self._log = log
        self._command: Process | None = None
        self._runner: asyncio.Task[None] | None = None
        self._recent = bytearray()
        self._to_say = 0

    def begin(self, order: RunCommand | OpenBridge | Reattach) -> None:
        """Let something have the caller."""
        self._runner = self._spawn(self._run(order))

    def give_up(self) -> None:
        """The caller is gone: so is what they had, or was still being started for them."""
        self.input.clear()
        if self._runner is not None:
            self._runner.cancel()
        self._spawn(self.stop())

    async def stop(self) -> None:
        """End the command, if there is one."""
        command, self._command = self._command, None
        if command is not None:
            await self._let_go(command)

    async def hold(self, order: HoldCommand) -> None:
        """Let what the caller had go on without its caller."""
        self.input.clear()
        command, self._command = self._command, None
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        if command is None:
            order.gone(order.token)  # It was still being started.
        else:
            again = min(AGAIN, SCREEN + self._getty.under_way(time.monotonic())) + self._to_say
            HELD.put(order.token, command, bytes(self._recent[-again:]), order.seconds, order.gone)
        for token in order.instead:
            await HELD.end(token)

    async def _run(self, order: RunCommand | OpenBridge | Reattach) -> None:
        await self.stop()
        session = self._getty.session
        self._recent.clear()
        self._to_say = 0
        try:
            command = await self._begin(order)
        except AnsamError as error:
            self._log.warning("command", error=str(error))
            self._over(127, error.message)
            return
        except Exception as error:
            # No descriptor left, say: a fault met for one caller may not cost the line its next ones.
            self._log.error("command", error=repr(error), exc_info=error)
            self._over(127, "something went wrong here")
            return
        if session is None or self._getty.session is not session:
            await self._let_go(command)
            return
        self._command = command
        feeder = self._spawn(self._feed(command))
        try:
            await self._say(command, bytes(self._recent))
            while self._command is command and (data := await command.read()):
                # Kept before it waits for the line: it is not lost if the line breaks now.
                self._recent += data
                del self._recent[: -2 * AGAIN - KEPT]
                await self._say(command, data)
        finally:
            feeder.cancel()
        if self._command is command:
            self._command = None
            status = await self._let_go(command)
            await self._outgoing.until_idle()
            self._over(status)

    async def _begin(self, order: RunCommand | OpenBridge | Reattach) -> Process:
        """Start what is ordered, or take what was held; its last words are `_recent` then."""
        if isinstance(order, Reattach):
            found = await HELD.take(order.token)
            if found is None:
                raise ResourceError("the session has just ended")
            command, recent = found
            self._recent += recent
            return command
        if isinstance(order, OpenBridge):
            command = BridgeProcess(order)
        else:
            command = PipeProcess(order) if order.pipes else CommandProcess(order)
        try:
            await command.start()
        except asyncio.CancelledError:
            await self._let_go(command)
            raise
        return command

    async def _say(self, command: Process, data: bytes) -> None:
        """Put a command's words on the line as it takes them, as long as the command has it."""
        self._to_say = len(data)
        for at in range(0, len(data), PIECE):
            await self._outgoing.until_idle()
            if self._command is not command:
                return
            piece = data[at : at + PIECE]
            self._getty.count_output(piece, time.monotonic())
            self._outgoing.add(piece)
            self._to_say -= len(piece)

    async def _feed(self, command: Process) -> None:
        while True:
            await command.write(await self.input.get())
            self.input.delivered()

    async def _let_go(self, command: Process) -> int:
        """End a command, all the way even where whoever waits for that is cancelled; return its status."""
        return await asyncio.shield(self._spawn(command.stop()))

    def _over(self, status: int, error: str = "") -> None:
        self.input.clear()
        self._getty.command_ended(status, time.monotonic(), error)
        self._wake()
