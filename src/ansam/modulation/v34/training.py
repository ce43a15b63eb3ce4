"""Phase 3 (V.34 (10/96) §11.3) and the S that begins phase 4 (§11.4.1.1.1): both ends train on each other.

::

    answering  S S- PP TRN J ───────► silence ─────────────────► S S- TRN
                                 │        ▲ trains, J         │
    calling        ▲ trains, J ──► S S- PP TRN J ─────────────► J' TRN

A lost packet may hide S or S-bar, or both: then what follows is looked for from where the signal came out of
silence, as in all three places the far end was silent before.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.echo import Adapt
from ansam.modulation.base import Role
from ansam.modulation.v34.constants import S_BAR_SYMBOLS, S_SYMBOLS, TRN_SYMBOLS
from ansam.modulation.v34.course import Course
from ansam.modulation.v34.hearing import Hearing
from ansam.modulation.v34.mp import J, JReader
from ansam.modulation.v34.phase2 import Entry
from ansam.modulation.v34.signals import WordSender, pp_signal
from ansam.modulation.v34.training_steps import State
from ansam.modulation.v34.transmitter import Segment, Signal, j, pp, s_and_bar
from ansam.units import SAMPLE_RATE, Samples, samples

S_HEARD = 6
"""Windows of S that make it certain: 25 symbols at 3429 Bd."""
S_SURE = 10
"""Windows of S without a reversal after which its end is taken for that of S-bar."""
S_GONE = 8
ECHO_LEAST: Samples = samples(0.5)
"""Echo that the canceller learns from beyond the longest delay there can be."""
AGAIN: Samples = samples(0.06)
S_EXPECTED: Samples = samples(0.6)
"""§11.3.2.2.1, §11.4.2.1.1: from the beginning of our J to the far end's S, beside a round trip."""
_NEAR: Samples = 40
"""Precision of the instants that S tells."""
_AFTER = 30
"""Symbols after the last of a sequence that its equaliser needs."""


class SWatch:
    """Finds the end of S-bar."""

    def __init__(self) -> None:
        self._end = -1.0

    def over(self, hearing: Hearing, t: Samples, symbol: float) -> tuple[float, float] | None:
        """Return between which instants S-bar ended, once it has; a lost packet may have hidden that.

        Args:
            hearing: What was heard.
            t: Now.
            symbol: Samples in a symbol.
        """
        if hearing.reversals and hearing.s_windows >= S_HEARD:
            at = hearing.reversals.pop() + S_BAR_SYMBOLS * symbol
            self._end = -1.0
            return at - _NEAR, at + _NEAR
        if hearing.s_windows >= S_SURE and hearing.s_missing == 0:
            self._end = float(hearing.s_end)
        elif self._end >= 0 and hearing.s_missing >= S_GONE:
            late = t - S_GONE * 10 + S_BAR_SYMBOLS * symbol
            early, self._end = self._end - 2 * S_BAR_SYMBOLS * symbol, -1.0
            return early, late
        return None


class Training:
    """The steps up to TRN of phase 4.

    Args:
        course: What all steps share.
    """

    def __init__(self, course: Course) -> None:
        self._course = course

    def begin(self, t: Samples) -> None:
        """Phase 3 begins (§11.3.1.1.1, §11.3.1.2.1)."""
        self._watch = SWatch()
        self._trn_at: tuple[float, float] | None = None
        self._sequence: NDArray[np.complex128] = np.zeros(0, np.complex128)
        self._try_at = 0.0
        self._md_until = 0.0
        self._echo_at = self._ends_at = math.inf
        calling = self._course.role is Role.CALLING
        self._course.enter(State.AWAIT_S if calling else State.PAUSE, t)

    # -- ours ------------------------------------------------------------------------------------------------

    def start_sending(self, t: Samples) -> None:
        """S, S-bar, PP, TRN, J (§11.3.1.1.3 to §11.3.1.1.7, §11.3.1.2)."""
        c = self._course
        baud = float(c.send_symbols.baud)
        self._echo_after = 0.0 if c.role is Role.ANSWERING else c.round_trip + samples(0.05)
        wanted = (self._echo_after + c.round_trip + ECHO_LEAST) * baud / SAMPLE_RATE
        trn = max(TRN_SYMBOLS, math.ceil(wanted))
        c.tx.take_begun()
        c.tx.sixteen = False
        c.tx.send(*s_and_bar(), pp(), Segment(Signal.TRN, trn), j(J.FOUR))
        c.enter(State.SEND, t)

    def send(self, t: Samples) -> None:
        """The echo canceller learns once the far end is silent, and is set when TRN is over."""
        c = self._course
        for segment, symbol in c.tx.take_begun():
            if segment.signal is Signal.S_BAR:
                self._echo_at = float(c.tx.peak(symbol)) + self._echo_after
            elif segment.signal is Signal.J:
                self._ends_at = float(c.tx.peak(symbol))
        if t >= self._echo_at:
            self._echo_at = math.inf
            c.echo.begin_training()
        if t < self._ends_at:
            return
        self._ends_at = math.inf
        c.echo.end_training()
        c.echo.adapt(Adapt.SLOW)
        c.rx.idle()
        c.rx.hearing.forget()
        self._trn_at = None
        c.enter(State.SEND_J, t)

    # -- S, S-bar and what follows them ----------------------------------------------------------------------

    @property
    def _phase_4(self) -> bool:
        """Whether the calling modem has sent its own part of phase 3 already."""
        return self._course.role is Role.CALLING and self._course.state is State.SEND_J

    def _expected(self) -> NDArray[np.complex128]:
        """Return what follows S-bar, as far as it is known."""
        trn = WordSender(self._course.role.other).trn(TRN_SYMBOLS)
        return trn if self._phase_4 else np.concatenate([pp_signal(), trn])

    def await_s(self, t: Samples) -> None:
        """§11.3.1.1.2, §11.3.1.2.4, §11.4.1.1.1: the far end's S turns into S-bar."""
        c = self._course
        if t < self._md_until:
            return
        found = self._watch.over(c.rx.hearing, t, c.symbol) or self._from_silence(t)
        if found is None:
            self._miss_s(t)
            return
        c.rx.hearing.forget()
        md = c.result.receive.md
        if md and self._md_until == 0.0 and not self._phase_4:
            # §11.3.1.1.1: the far end's own signal comes first, and then S again.
            self._md_until = found[0] + md - samples(0.01)
            return
        self._trn_at = found
        self._sequence = self._expected()
        self._try_at = found[1] + (self._sequence.size + _AFTER) * c.symbol + 60
        if not self._phase_4:
            c.tx.send()
            c.enter(State.TRAIN, t)
            return
        c.tx.sixteen = c.asked is J.SIXTEEN
        c.forget_mp()
        c.tx.send(j(J.PRIME, once=True), Segment(Signal.TRN))
        c.enter(State.TRAIN_AGAIN, t)

    def _miss_s(self, t: Samples) -> None:
        """§11.3.2.2.1: INFOMARKSa where the far end stays silent, since it has missed INFO1a or our J.

        A calling modem (§11.4.2.1.1) begins a retrain at once: INFOMARKSc would lead to that as well.
        """
        c = self._course
        if c.state is not State.SEND_J or t - c.since < S_EXPECTED + c.round_trip:
            return
        if c.rx.hearing.onset is None and c.rx.hearing.s_windows == 0:
            calling = c.role is Role.CALLING
            c.retrain(t, "no S followed our J", Entry.RETRAIN if calling else Entry.MARKS)

    def _from_silence(self, t: Samples) -> tuple[float, float] | None:
        """Return where S-bar must have ended if S was what came out of silence, unheard and long ago."""
        c = self._course
        onset = c.rx.hearing.onset
        if onset is None or c.rx.hearing.s_windows:
            return None
        lasted = (S_SYMBOLS + S_BAR_SYMBOLS) * c.symbol
        first, last = onset[0] + lasted - _NEAR, onset[1] + lasted + _NEAR
        return (first, last) if t > last + self._expected().size * c.symbol else None

    def train(self, t: Samples) -> None:
        """Train once enough is there, and again while more of it may help."""
        c = self._course
        if self._trn_at is None or t < self._try_at:
            return
        self._try_at = t + AGAIN
        if not c.rx.train(self._sequence, *self._trn_at):
            # What was taken for S may not have been all of it.
            self._trn_at = (self._trn_at[0] - _NEAR, self._trn_at[1] + _NEAR)
            return
        c.rx.hearing.forget()
        fit = c.rx.fit
        c.note(
            t,
            "trained",
            mse_db=None if fit is None else 10 * math.log10(fit.mse),
            carrier_hz=c.rx.carrier_offset_hz,
            timing_ppm=c.rx.timing_offset_ppm,
        )
        if c.state is State.TRAIN:
            c.j_reader = JReader()
            c.enter(State.AWAIT_J, t)
        else:
            c.enter(State.SEND_TRN, t)

    def await_j(self, t: Samples) -> None:
        """§11.3.1.1.3: the calling modem's turn; §11.3.1.2.6: phase 4 begins."""
        c = self._course
        if c.asked is None:
            return
        if c.role is Role.CALLING:
            self.start_sending(t)
            return
        # The far end goes on from J to J', TRN and MP; our J asked for four points, so nothing changes.
        c.tx.sixteen = c.asked is J.SIXTEEN
        c.forget_mp()
        c.tx.send(*s_and_bar(), Segment(Signal.TRN))
        c.enter(State.SEND_TRN, t)
