"""Ending what runs beside a command."""

import asyncio


async def end(task: "asyncio.Task[None]") -> None:
    """Cancel a task and wait for its end, whatever that is."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
