"""The doctor on a real line: place the call, let the examination have its audio, hang up when it is done."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock

from ansam.call.statistics import CallStatistics
from ansam.dce.causes import Source
from ansam.dce.progress import Progress
from ansam.doctor import Examination
from ansam.errors import ResourceError
from ansam.io.line import Line
from ansam.units import Audio, Samples

ANSWER_LIMIT = 60.0
"""Seconds the far end may ring."""

LONGEST_CALL = 240.0
"""Seconds of talking path, whatever the examination says."""

_REMEDIES = {
    Progress.BUSY: "try again later",
    Progress.NO_ANSWER: "see whether it is registered and answers by itself",
    Progress.NO_SUCH_NUMBER: "check the number",
    Progress.REFUSED: "give an extension that may call it (--line sip:USER:SECRET@HOST), or ;law=ulaw",
    Progress.UNREACHABLE: "check the address and that the exchange runs",
}


@dataclass(frozen=True, slots=True)
class Called:
    """What a call told beside its audio.

    Attributes:
        statistics: How the packets fared; None on a line that has none.
        noticed: What signalling did, in order: sentences.
    """

    statistics: CallStatistics | None
    noticed: tuple[str, ...] = ()


class DoctorUser:
    """An `Observer` that examines instead of answering.

    Args:
        examination: What the audio is for.

    Attributes:
        failed: Why there is no talking path.
        noticed: What signalling did.
    """

    def __init__(self, examination: Examination) -> None:
        self.lock = RLock()
        self.failed: Progress | None = None
        self.noticed: list[str] = []
        self._examination = examination
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._talking = False
        self._told = False

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """See `LineUser.process`."""
        return self._examination.process(rx, now, erased)

    def media_started(self) -> Samples:
        """See `LineUser.media_started`."""
        self._talking = True
        self._changed.set()
        return 0

    def media_stopped(self) -> None:
        """See `LineUser.media_stopped`."""

    def frame_done(self) -> None:
        """See `LineUser.frame_done`."""
        if self._examination.done and not self._told:
            self._told = True
            with contextlib.suppress(RuntimeError):  # The loop has ended: nobody waits any more.
                self._loop.call_soon_threadsafe(self._changed.set)

    def line_ready(self, ready: bool) -> None:
        """See `LineUser.line_ready`."""

    def incoming(self, caller: str, name: str = "") -> bool:
        """See `LineUser.incoming`: the doctor takes no calls."""
        return False

    def incoming_stopped(self) -> None:
        """See `LineUser.incoming_stopped`."""

    def progress(self, progress: Progress) -> None:
        """See `LineUser.progress`."""
        if progress not in (Progress.RINGING, Progress.CONNECTED):
            self.failed = progress
            self._changed.set()

    def far_end_hung_up(self) -> None:
        """See `LineUser.far_end_hung_up`."""
        with self.lock:
            self._examination.far_end_hung_up()
        self._changed.set()

    def observed(self, source: Source, text: str, clause: str = "") -> None:
        """See `Observer.observed`."""
        if source is Source.SIGNALLING:
            self.noticed.append(text)

    def line_not_ready(self, why: str) -> None:
        """See `Observer.line_not_ready`."""

    async def answered(self) -> None:
        """Wait until there is a talking path, or none to be had."""
        await self._until(lambda: self._talking or self.failed is not None)

    async def examined(self) -> None:
        """Wait until the examination is over."""
        await self._until(lambda: self._examination.done)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            if not condition():
                await self._changed.wait()


async def examine(line: Line, number: str, examination: Examination) -> Called:
    """Call a number and examine the path to it.

    Args:
        line: Not yet open; closed afterwards.
        number: What to dial; "" where the line leads to one place only.
        examination: Is done afterwards.

    Returns:
        What it told beside the audio.

    Raises:
        ResourceError: The call could not be placed, or was not answered.
        AnsamError: The line can not be opened.
    """
    user = DoctorUser(examination)
    await line.open(user)
    try:
        line.place_call(number)
        await _answered(user, number or line.name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_CALL):
                await user.examined()
        line.end_call("examined")
        return Called(line.statistics(), tuple(user.noticed))
    finally:
        await line.close()


async def _answered(user: DoctorUser, name: str) -> None:
    try:
        async with asyncio.timeout(ANSWER_LIMIT):
            await user.answered()
    except TimeoutError:
        raise ResourceError(f"{name} does not answer within {ANSWER_LIMIT:.0f} s") from None
    if user.failed is not None:
        what = user.noticed[-1] if user.noticed else user.failed.value
        raise ResourceError(f"{name}: {what}", _REMEDIES.get(user.failed, ""))
