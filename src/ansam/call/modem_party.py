"""A modem without a terminal on a call: what brings it there, and one that says the time."""

from collections.abc import Callable
from datetime import datetime

import numpy as np

from ansam.dce.dce import Connected, Dce, Ended
from ansam.dce.progress import AcceptCall, EndCall, PlaceCall, Progress
from ansam.errors import LocalProtocolError
from ansam.units import SAMPLE_RATE, Audio, Samples

TIMERS = 20
"""Timers at most between a command and the dialling, or the answer."""

TIME_COMMAND = {False: b"ATE0Q1S7=30&N1&M0B0A\r", True: b"ATE0Q1S7=30&N1&M0B1A\r"}
"""300 bit/s without error control, which no terminal program of its days had: V.21, or Bell 103."""

TIME_LINES = 300
"""Lines until the time service hangs up: five minutes."""

GOODBYE: Samples = SAMPLE_RATE
"""Before it hangs up: what has been said must arrive."""


def off_hook(dce: Dce, command: bytes) -> Samples:
    """Run a command that dials or answers, and give the modem its talking path.

    Args:
        dce: A modem on hook; to answer, it is called first.
        command: With its CR.

    Returns:
        The instant of the first sample.

    Raises:
        LocalProtocolError: The command does neither.
    """
    if not command.rstrip().endswith(b"T0"):
        dce.incoming_call("", 0)
    dce.receive_dte(command, 0)
    now = 0
    for _ in range(TIMERS):
        if any(isinstance(action, PlaceCall | AcceptCall) for action in dce.take_actions()):
            dce.progress(Progress.CONNECTED, now)
            return now
        due = dce.deadline()
        if due is None:
            break
        dce.handle_timer(due)
        now = max(now, due)
    raise LocalProtocolError("the modem neither dials nor answers")


class TimeOfDay:
    """Answers at 300 bit/s and says once a second what time it is: a `Party`.

    Args:
        clock: The time of day, with its zone.
        bell103: Answer as Bell 103; False: as V.21.

    Attributes:
        over: It has hung up, or its caller's modem has: end the call.
    """

    def __init__(self, clock: Callable[[], datetime], bell103: bool = False) -> None:
        self.over = False
        self._clock = clock
        self._dce = Dce()
        self._now = off_hook(self._dce, TIME_COMMAND[bell103])
        self._connected = False
        self._second = -1
        self._lines = 0
        self._end: Samples | None = None

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Exchange audio; see `Party.process`."""
        if self.over:
            return np.zeros(len(rx), np.float32)
        tx = self._dce.process(rx, self._now, erased)
        self._now += len(rx)
        self._dce.take_dte()
        for event in self._dce.take_events():
            self._connected |= isinstance(event, Connected)
            self.over |= isinstance(event, Ended)
        self.over |= any(isinstance(action, EndCall) for action in self._dce.take_actions())
        if self._connected and not self.over:
            self._say()
        return tx

    def _say(self) -> None:
        """Begin a line when a second begins; a line of 27 characters takes 0.9 s."""
        if self._end is not None:
            if self._now >= self._end:
                self._dce.set_dtr(False, self._now)
            return
        time = self._clock()
        if time.second == self._second:
            return
        self._second = time.second
        self._dce.receive_dte(time.strftime("%Y-%m-%d %H:%M:%S %z\r\n").encode(), self._now)
        self._lines += 1
        if self._lines >= TIME_LINES:
            self._end = self._now + 2 * GOODBYE
