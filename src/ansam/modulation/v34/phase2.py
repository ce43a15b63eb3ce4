"""Phase 2 of V.34 (10/96) §11.2: who is there, how long the way is, what the line can do, what will be used.

Two modems that have agreed on V.34 say in INFO0 what they can do, measure the round trip by reversing the
phase of a tone and answering 40 ms later, probe the line both ways with 21 tones, and agree in INFO1 on
symbol rates, carriers, pre-emphasis and power. A retrain (§11.5) comes here again, without INFO0.

A call of `process` runs the receiver up to the next happening or deadline, then the transmitter over the same
samples, then the role's table; so every change falls on the same sample however the stream was cut.

Lost packets. What a lost packet hides, the recoveries of §11.2.2 repeat, at the cost of a second or more. One
thing they need not: a tone that ends in a gap of the signal has been reversed 10 ms before its end, since
nothing else ends it; so the end is taken for the reversal (`Input.HIDDEN`), its instant being the middle of
the gap.
"""

from enum import Enum

import numpy as np

from ansam.errors import LocalProtocolError
from ansam.modulation.base import ModulationOptions, PhaseEntered, Role, StepMissed
from ansam.modulation.v34.info import Info0, Info1a, Info1c
from ansam.modulation.v34.info_channel import Hearing
from ansam.modulation.v34.phase2_answering import ANSWERING
from ansam.modulation.v34.phase2_calling import CALLING
from ansam.modulation.v34.phase2_core import HEARINGS, LONGEST, Core, Phase2Result
from ansam.modulation.v34.phase2_steps import PAUSE, START_PAUSE, Input, State
from ansam.modulation.v34.probing import LineProbe
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Samples

__all__ = ["Entry", "Phase2", "Phase2Result"]


class Entry(Enum):
    """Where phase 2 is entered."""

    START = "start-up"
    RETRAIN = "retrain by us"
    RESPONSE = "retrain by the far end"
    """Its tone has been heard for more than 50 ms (§11.5.1.2, §11.5.2.2)."""
    MARKS = "INFOMARKS"
    """Phase 3 or 4 failed where §11.3.2.2 or §11.4.2 has INFOMARKS sent."""
    REPEAT = "INFO1 again"
    """Calling modem: INFOMARKSa was heard (§11.3.2.1.1)."""


class Phase2:
    """One end's phase 2; the object lives through the whole call, since a retrain needs what INFO0 said.

    Args:
        role: Calling or answering.
        options: Rates, level, what may be asked for.
        trace: Takes the phases and what was measured.
    """

    def __init__(self, role: Role, options: ModulationOptions, trace: Sink = null_sink) -> None:
        self._core = Core(role, options, CALLING if role is Role.CALLING else ANSWERING, trace)

    @property
    def state(self) -> State:
        """Where in the procedure this end is."""
        return self._core.state

    @property
    def result(self) -> Phase2Result | None:
        """What was agreed; None until phase 2 is over, and when it failed."""
        return self._core.result

    @property
    def failure(self) -> str:
        """Why there will be no result, or ""."""
        return self._core.failure

    @property
    def failure_clause(self) -> str:
        """Where it stands what the failure goes against, or ""."""
        return self._core.failure_clause

    @property
    def over(self) -> bool:
        """Whether there is a result or a failure."""
        return self._core.over

    @property
    def far_end_seen(self) -> bool:
        """Whether an INFO0 of the far end was received: it is certain to speak V.34."""
        return self._core.far is not None

    @property
    def line(self) -> LineProbe | None:
        """What the last probing measured."""
        return self._core.probe

    @property
    def round_trip(self) -> Samples:
        """The round trip, as far as it is known; 0 before."""
        return self._core.round_trip

    def take_events(self) -> list[PhaseEntered | StepMissed]:
        """Return the phases since the last call."""
        out, self._core.events = self._core.events, []
        return out

    def start(self, now: Samples, entry: Entry = Entry.START, pause: Samples = START_PAUSE) -> None:
        """Begin.

        Args:
            now: The end of phase 1 (the last sample of CJ), or of what a retrain breaks off.
            entry: Where; anything but the start-up needs an earlier INFO0 of the far end.
            pause: Silence until INFO0, in a start-up: 75 ± 5 ms from the end of CJ. The far end's INFO0 may
                come before it is over, so begin no later than it does. Before a retrain it is 70 ms.
        """
        core = self._core
        if not core.over and core.state is not State.IDLE:
            raise LocalProtocolError("start() of a phase 2 that is under way")
        if entry is not Entry.START and core.far is None:
            raise LocalProtocolError("retrain without an INFO0 of the far end")
        core.result, core.failure = None, ""
        core.line.restart()
        core.attempts = 0
        core.limit = now + LONGEST
        calling = core.role is Role.CALLING
        if entry is Entry.REPEAT:
            if not calling or core.info1c is None:
                raise LocalProtocolError("only a calling modem that has sent INFO1c can repeat it")
            core.enter(State.C_INFO1, now)
            return
        following = {
            Entry.START: State.C_INFO0 if calling else State.A_INFO0,
            Entry.MARKS: State.C_MARKS if calling else State.A_MARKS,
        }.get(entry, State.C_RETRAIN if calling else State.A_TONE)
        core.pause(following, now, pause if entry is Entry.START else PAUSE)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Take received samples and return as many to send (see `Modulation.process`)."""
        core = self._core
        rx = np.ascontiguousarray(rx, np.float32)
        out = np.zeros(rx.size, np.float32)
        done = 0
        while True:
            deadline = core.deadline
            if deadline is not None and deadline <= now + done:
                core.handle(Input.TIMEOUT, now + done)
                continue
            if done == rx.size:
                return out
            end = rx.size if deadline is None else min(rx.size, deadline - now)
            taken, heard = core.line.hear(rx[done:end], now + done, erased)
            core.line.send(out[done : done + taken])
            done += taken
            if heard:
                self._tell(heard, now + done)

    def _tell(self, heard: Hearing, now: Samples) -> None:
        """Turn what was heard into inputs, until one changes the state: the rest is then void."""
        core = self._core
        state = core.state
        found = []
        if Hearing.FRAME in heard:
            found.append(self._take_frame(now))
        found += [happened for flag, happened in HEARINGS if flag in heard]
        if Hearing.TONE_GONE in heard and core.line.gap_before(now) is not None:
            found.append(Input.HIDDEN)
        for happened in found:
            if happened is not None and (state, happened) in core.table.transitions and core.state is state:
                core.handle(happened, now)

    def _take_frame(self, now: Samples) -> Input | None:
        core = self._core
        frame, filled = core.line.receiver.frame, core.line.receiver.frame_filled
        if isinstance(frame, Info0):
            core.trace(now, "modulation.v34", "info0", role=core.role.other.value, **frame.as_dict())
            return Input.INFO0
        wanted = Info1a if core.role is Role.CALLING else Info1c
        if isinstance(frame, wanted):
            if filled and not core.chooser.agrees(frame, core.probe, core.info1c):
                return None
            core.trace(now, "modulation.v34", "info1", role=core.role.other.value, **frame.as_dict())
            return Input.INFO1
        return None
