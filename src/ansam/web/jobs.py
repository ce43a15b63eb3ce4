"""Work that another process does: started, waited for, ended with the server."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Coroutine, Mapping, Sequence

from ansam.errors import ResourceError

OUTPUT_LIMIT = 4 << 20
"""Octets that a worker may say."""


async def run_python(
    arguments: Sequence[str], within: float, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run ``python ARGUMENTS`` and return its exit code and what it wrote to both outputs.

    Args:
        arguments: Behind the interpreter's name.
        within: Seconds after which it is killed.
        environment: Added to ours.

    Raises:
        ResourceError: It took too long, or can not be started.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=OUTPUT_LIMIT,
            env={**os.environ, **(environment or {})},
            # A ^C at our terminal is ours to pass on.
            start_new_session=True,
        )
    except OSError as error:
        raise ResourceError(f"no process can be started: {error.strerror}") from error
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate()
    except TimeoutError:
        raise ResourceError(f"it took more than {within:.0f} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode or 0, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def reason(error_text: str) -> str:
    """Return the last line of what a worker wrote to standard error, for people."""
    lines = [line for line in error_text.splitlines() if line.strip()]
    return lines[-1].removeprefix("ansam: ")[:500] if lines else "the worker died"


class Jobs:
    """Tasks that end with the server."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Let work run by the side."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End all of it."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
