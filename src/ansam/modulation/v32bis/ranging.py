"""Tones and their reversals, which measure the round trip: AA and CC of the caller, AC and CA of the other.

V.32bis (02/91) §6.1 and §6.2, up to the receiver conditioning signal.
"""

import math

from ansam.dsp.lines import HOP
from ansam.modulation.base import Role
from ansam.modulation.v32bis.course import Course, T
from ansam.modulation.v32bis.hearing import Pattern
from ansam.modulation.v32bis.signals import Segment, Signal, rate
from ansam.modulation.v32bis.steps import State
from ansam.modulation.v32bis.training import trn
from ansam.units import Samples, samples

TURN = 64 * T
"""From a reversal heard to ours, at the line terminals (§6.1, §6.2: 64 ± 2 symbols)."""
HEARD = math.ceil(64 * T / HOP)
"""Windows of AA or AC that make it certain (§6.2: 64 symbols)."""
GONE = 3
"""Clean windows without AA that are its end."""
UNANSWERED = samples(3)
"""A retrain's first tone is sent for so long, and a round trip, without an answer."""


class Ranging:
    """The steps from the first tone to silence (calling) or our training (answering)."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._turned_at = 0.0

    def listen(self, t: Samples) -> None:
        """Hear without being heard."""
        c = self._course
        if c.rx.hearing.runs[c.tone].windows >= HEARD:
            c.see_far_end()
            if c.role is Role.CALLING:
                c.begin(t)

    def _reversal(self) -> float | None:
        """Return the last reversal of the far end's tone since the last one used, or None."""
        found = self._course.rx.hearing.reversals
        return found.pop() if found else None

    def _turn_at(self, heard: float, signal: Signal) -> None:
        """Change to a signal 64 symbols after a reversal was heard."""
        tx = self._course.tx
        symbol = max(tx.symbol_at(heard + TURN), tx.symbols)
        tx.send(Segment(signal), at=symbol)
        self._turned_at = float(tx.peak(symbol))

    def _note_round_trip(self, heard: float) -> None:
        self._course.round_trip = max(0.0, heard - self._turned_at - TURN)

    def _unanswered(self, t: Samples) -> bool:
        """Give up a retrain that nobody answers; start-up is given up by whoever began it."""
        c = self._course
        if not c.ever_ready:
            return False
        if c.rx.hearing.quiet.length >= c.options.carrier_loss:
            c.end(t, "no carrier for as long as S10 allows", "§2.5")
        elif t - c.since > UNANSWERED + (c.round_trip or 0.0):
            c.end(t, "the far end answers our retrain with nothing known")
        return c.state is State.DOWN

    def send_aa(self, t: Samples) -> None:
        """§6.1: AC, then its first reversal."""
        c = self._course
        hearing = c.rx.hearing
        if hearing.runs[Pattern.AC].windows < HEARD and (c.ever_ready or not c.far_end_seen):
            hearing.reversals.clear()
            self._unanswered(t)
            return
        c.see_far_end()
        heard = self._reversal()
        if heard is not None:
            self._turn_at(heard, Signal.CC)
            c.enter(State.CC, t)
        else:
            self._unanswered(t)

    def send_cc(self, t: Samples) -> None:
        """§6.1: the second reversal stops the counter and the transmitter."""
        heard = self._reversal()
        if heard is None:
            return
        c = self._course
        self._note_round_trip(heard)
        c.tx.send()
        c.rx.hearing.sending = None
        c.rx.hearing.forget()
        c.enter(State.AWAIT_S, t)

    def send_ac(self, t: Samples) -> None:
        """§6.2: AC for 128 symbols at least, and AA for 64; then CA."""
        c = self._course
        if c.rx.hearing.runs[Pattern.AA].windows < HEARD:
            self._unanswered(t)
            return
        c.see_far_end()
        began = c.tx.began if c.tx.segment.signal is Signal.AC else c.tx.symbols
        symbol = max(c.tx.symbols, began + 128)
        symbol += (symbol - began) % 2
        c.rx.hearing.reversals.clear()
        c.tx.send(Segment(Signal.CA), at=symbol)
        self._turned_at = float(c.tx.peak(symbol))
        c.enter(State.CA, t)

    def send_ca(self, t: Samples) -> None:
        """§6.2: the reversal of AA stops the counter."""
        heard = self._reversal()
        if heard is None:
            return
        self._note_round_trip(heard)
        self._turn_at(heard, Signal.AC)
        self._course.enter(State.AC_AGAIN, t)

    def send_ac_again(self, t: Samples) -> None:
        """§6.2: CC ends: 16 symbols of silence, then the receiver conditioning signal."""
        c = self._course
        if c.rx.hearing.runs[Pattern.AA].missing < GONE:
            return
        c.tx.take_begun()
        c.tx.send(Segment(Signal.SILENCE, 16), *trn(c), rate(c.available))
        c.rx.hearing.sending = None
        c.enter(State.ANSWER_TRN, t)
