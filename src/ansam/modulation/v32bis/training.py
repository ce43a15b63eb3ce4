"""Training: ours, from which the echo canceller learns, and the far end's, from which the receiver does.

V.32bis (02/91) §5.2, and its place in §6.1 and §6.2. Only one end sends at a time.
"""

import math

from ansam.dsp.echo import Adapt
from ansam.dsp.lines import HOP
from ansam.modulation.base import Role
from ansam.modulation.v32bis.constants import S_BAR_SYMBOLS, TRN_MAX, TRN_USUAL
from ansam.modulation.v32bis.course import Course, T
from ansam.modulation.v32bis.hearing import Pattern
from ansam.modulation.v32bis.receiver import TRAINING
from ansam.modulation.v32bis.signals import Segment, Signal, conditioning
from ansam.modulation.v32bis.steps import State
from ansam.units import Samples, samples

S_HEARD = 6
S_SURE = 12
"""Windows of S without a reversal after which its end is taken for that of S-bar."""
S_GONE = 8
"""Clean windows without S that are its end; a reversal has four."""
MATURE = (TRAINING + 24) * T + 40
"""From the first symbol of TRN to the instant at which the receiver can be trained."""
AGAIN = samples(0.08)
"""From one attempt to train to the next."""
LATE_END = samples(0.3)
"""For how much longer than the round trip the answerer's AC may be heard."""
WIDEN = samples(0.02)
WIDEST = samples(0.15)
"""By how much later attempts look for TRN further away, either way, and up to which width."""
ECHO_LEAST = samples(0.45)
"""Echo that the canceller learns from beyond the longest delay there can be."""


def trn(course: Course) -> tuple[Segment, ...]:
    """Return S, S-bar and a TRN that lets the echo canceller hear enough of the latest possible echo."""
    wanted = math.ceil(((course.round_trip or 0.0) + ECHO_LEAST) / T)
    return conditioning(min(TRN_MAX, max(TRN_USUAL, wanted)))


class Training:
    """The steps of both trainings."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self.reset()

    def reset(self) -> None:
        """Nothing of a training was heard or sent yet."""
        self._ends_at: float | None = None
        self._await_trn()

    def _await_trn(self) -> None:
        self._trn_at: tuple[float, float] | None = None
        self._try_at = 0.0
        self._s_long = False
        self._s_end = 0.0

    def send_trn(self, t: Samples) -> None:
        """While the far end is silent, the echo canceller learns from S on; when TRN is over, it is set."""
        c = self._course
        for segment, symbol in c.tx.take_begun():
            if segment.signal is Signal.S_BAR:
                c.echo.begin_training()
            elif segment.signal is Signal.RATE:
                self._ends_at = float(c.tx.peak(symbol))
        if self._ends_at is None or t < self._ends_at:
            return
        self._ends_at = None
        report = c.echo.end_training()
        c.echo.adapt(Adapt.SLOW)
        c.note(t, "echo", near_db=report.near_db, far_db=report.far_db, erle_db=report.erle_db)
        c.rx.hearing.forget()
        self._await_trn()
        c.enter(State.R1 if c.role is Role.ANSWERING else State.AWAIT_S2, t)

    def send_r1(self, t: Samples) -> None:
        """§6.2: S of the calling modem silences us; what is left of ours is still on its way."""
        c = self._course
        if c.rx.hearing.runs[Pattern.S].windows < S_HEARD:
            c.far_end_begins_again(t)
            return
        c.tx.send()
        c.enter(State.AWAIT_S_BAR, t)

    def await_s(self, t: Samples) -> None:
        """S turns into S-bar 16 symbols before TRN; a lost packet may hide that."""
        c = self._course
        hearing = c.rx.hearing
        run = hearing.runs[Pattern.S]
        if c.state is State.AWAIT_S and t - c.since < (c.round_trip or 0.0):
            # AC and the echo of our CC look like S.
            hearing.reversals.clear()
            return
        heard = hearing.reversals.pop() if hearing.reversals else None
        if heard is not None and run.windows >= S_HEARD:
            at = heard + S_BAR_SYMBOLS * T
            self._trn_at = (at - 40, at + 40)
        elif run.windows >= S_SURE and run.missing == 0:
            self._s_end = float(run.end)
            self._s_long = True
        elif self._s_long and run.missing >= S_GONE:
            self._trn_at = (self._s_end - 2 * S_BAR_SYMBOLS * T, t - S_GONE * HOP + S_BAR_SYMBOLS * T)
        if self._trn_at is None:
            # AC goes on for as long as lost packets hide the end of CC.
            c.far_end_begins_again(t, LATE_END if c.state is State.AWAIT_S else 0)
            return
        self._try_at = self._trn_at[0] + MATURE
        following = {State.AWAIT_S: State.TRAIN, State.AWAIT_S2: State.TRAIN2}
        c.enter(following.get(c.state, State.ANSWER_TRAIN), t)

    def train(self, t: Samples) -> None:
        """Train once enough of TRN is there, and again while more of it may help."""
        c = self._course
        if self._trn_at is None or t < self._try_at:
            return
        self._try_at = t + AGAIN
        begin, end = self._trn_at
        if not c.rx.train(begin, end):
            # A reversal that fell into lost packets was anywhere in them.
            if end - begin < WIDEST:
                self._trn_at = begin - WIDEN, end + WIDEN
            return
        c.rx.hearing.forget()
        self._await_trn()
        c.note(
            t,
            "trained",
            snr_db=c.rx.snr_db,
            carrier_hz=c.rx.carrier_offset_hz,
            timing_ppm=c.rx.timing_offset_ppm,
        )
        following = {State.TRAIN: State.AWAIT_R1, State.TRAIN2: State.AWAIT_R3}
        c.enter(following.get(c.state, State.AWAIT_R2), t)
