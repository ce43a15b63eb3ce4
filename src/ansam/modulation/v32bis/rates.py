"""The rate signals R1 to R3 and E, which end start-up and retrain (V.32bis (02/91) §5.3, §6.1, §6.2).

Each receiver says in its own signal (R2, R3) only what it can decide on this line; R1 comes before the
answering modem has heard anything, and says what the modem has.
"""

import math
from dataclasses import replace

from ansam.modulation.base import Ready
from ansam.modulation.v32bis.constants import (
    B1_SYMBOLS,
    CLEARDOWN_MIN,
    RENEGOTIATION_B1,
    TRN_USUAL,
    V32_SPEC,
)
from ansam.modulation.v32bis.course import Course, T
from ansam.modulation.v32bis.rate_signal import CLEARDOWN, RateSignal, common
from ansam.modulation.v32bis.signals import Segment, Signal, conditioning, ending, rate
from ansam.modulation.v32bis.steps import State
from ansam.modulation.v32bis.training import trn
from ansam.units import Samples


def closing(signal: RateSignal) -> tuple[Segment, ...]:
    """Return E and B1 without end, or E without end where the signal calls for a cleardown.

    B1 goes on until data may: no user bits are sent before `Ready`.
    """
    end, *following = ending(signal)
    return (end, replace(following[0], symbols=None)) if following else (end,)


class Rates:
    """The steps from the first rate signal to data."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def await_r1(self, t: Samples) -> None:
        """§6.1: R1; then S for as long as R1 may still arrive, our training, and R2."""
        c = self._course
        theirs = c.heard_rate(t, "R1")
        if theirs is None:
            c.far_end_begins_again(t)
            return
        c.rx.idle()
        c.wanted = c.possible(common(c.offered, theirs))
        # S for NT, so that R1 has ended where TRN begins (§6.1).
        nt = math.ceil((c.round_trip or 0.0) / T) + 64
        c.tx.take_begun()
        c.tx.send(Segment(Signal.S, nt + nt % 2), *trn(c), rate(c.wanted))
        c.why = c.mismatch(theirs) if c.wanted.cleardown else ""
        c.enter(State.SEND_TRN, t)

    def await_r2(self, t: Samples) -> None:
        """§6.2: R2; then our second training and R3, which chooses."""
        c = self._course
        theirs = c.heard_rate(t, "R2")
        if theirs is None:
            c.far_end_begins_again(t)
            return
        c.wanted = c.possible(common(c.offered, theirs))
        chosen = c.wanted.best
        if chosen is None:
            c.why = c.mismatch(theirs)
            c.tx.send(*conditioning(), rate(CLEARDOWN))
            # Note 6; the first of them comes after S, S-bar and TRN.
            c.cleared_at = t + (TRN_USUAL + 288 + CLEARDOWN_MIN) * T
            c.enter(State.CLEARDOWN, t)
            return
        c.tx.send(*conditioning(), rate(RateSignal.of(chosen, theirs.bis and c.bis)))
        c.await_end(chosen, B1_SYMBOLS)
        c.enter(State.SEND_R3, t)

    def await_r3(self, t: Samples) -> None:
        """§6.1: R3 names the rate; E and B1."""
        c = self._course
        theirs = c.heard_rate(t, "R3")
        if theirs is None:
            c.far_end_begins_again(t)
            return
        chosen = common(c.offered, theirs).best
        if chosen is None:
            c.end(t, c.why or c.mismatch(theirs))
            return
        c.await_end(chosen, B1_SYMBOLS)
        c.tx.send(*closing(theirs))
        c.enter(State.AWAIT_E, t)

    def await_e(self, t: Samples) -> None:
        """Once E has come, ours follows where it has not yet been sent; data begin when both are through."""
        c = self._course
        if not c.rx.in_data:
            c.far_end_begins_again(t)
            return
        if c.state is State.SEND_R3:
            c.tx.send(*closing(RateSignal.of(c.coding, c.far.bis and c.bis)))
        c.enter(State.B1, t)

    def send_b1(self, t: Samples) -> None:
        """Data begin when B1 has lasted long enough."""
        c = self._course
        if c.tx.segment.signal is not Signal.B1 or c.tx.sent < c.b1:
            return
        c.tx.send(Segment(Signal.DATA, coding=c.coding))
        c.ready = c.ever_ready = True
        c.ready_at = t
        c.rx.hearing.forget()
        # By the rules of V.32 where one end has no others (V.32bis (02/91) table 5, note 1).
        spec = c.spec if c.far.bis else V32_SPEC
        c.say(Ready(spec.name, c.coding.rate, c.coding.rate))
        c.enter(State.DATA, t)

    def settle(self, theirs: RateSignal) -> bool:
        """Take the highest rate of R4 and R5 for both directions (§8); return whether there is one."""
        c = self._course
        chosen = common(c.wanted, theirs).best
        if chosen is None:
            c.why = c.mismatch(theirs)
            return False
        c.await_end(chosen, RENEGOTIATION_B1)
        return True

    def clear(self, t: Samples) -> None:
        """Wait until the cleardown has been heard."""
        c = self._course
        if t >= c.cleared_at:
            c.end(t, c.why)
