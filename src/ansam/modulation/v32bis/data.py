"""Data mode, and how it changes: rate renegotiation (V.32bis (02/91) §8), and what leads to a retrain (§7).

::

    initiator  data ─ preamble R4 R4 R4 R4 R4 R4 R4 R4 E B1 ─ data
                               │              ▲
                               ▼              │
    responder  data ────────── preamble R5 R5 R5 E B1 ─ data

Both may begin at once: then each takes the other's R4 for R5. Packets that are lost may hide any part:

- A preamble that was not heard: the decisions become guesses and the points are training states: R4.
- R5: the initiator goes on with R4, and the responder, which misses E, answers again.
- E: the receiver goes over to data by itself (`receiver_kernel`).
"""

from ansam.modulation.base import ModulationOptions, Renegotiating
from ansam.modulation.patience import Wish
from ansam.modulation.v32bis.adaptation import Adaptation, Quality
from ansam.modulation.v32bis.constants import CLEARDOWN_MIN, RENEGOTIATION_RATE_MIN
from ansam.modulation.v32bis.course import RETRAIN_HEARD, Course, T
from ansam.modulation.v32bis.rate_signal import RateSignal, common
from ansam.modulation.v32bis.rates import Rates, closing
from ansam.modulation.v32bis.signals import Signal, preamble, rate
from ansam.modulation.v32bis.steps import State
from ansam.units import Samples, rms_from_dbm0, samples

PREAMBLE_HEARD = 9
"""Windows of AA or AC that may be the preamble of a rate renegotiation: 27 of its 56 symbols."""
ATTEMPTS = 3
"""To renegotiate, or to answer; then a retrain (§8 note 3)."""
PREAMBLE = 64
_HOPE = samples(0.2)
"""So long the signal is looked for elsewhere; then the line is bad, and has not jumped."""
_FAINT = rms_from_dbm0(-43.0) ** 2
"""Power that is no carrier where there was a stronger one (§2.5: circuit 109 is ON from -43 dBm0 on)."""
_LOOK = samples(0.1)
"""Between two looks at the quality of what is received."""


class DataMode:
    """The steps of data mode and renegotiation."""

    def __init__(self, course: Course, rates: Rates, options: ModulationOptions) -> None:
        self._course, self._rates, self._options = course, rates, options
        self._adaptation = Adaptation(options.fallback)
        self._attempts = 0
        self._look_at: Samples = 0
        self._lowest = 0
        self._bad_since: Samples | None = None
        self._higher: RateSignal | None = None

    def begin(self, t: Samples) -> None:
        """Data mode begins."""
        c = self._course
        self._attempts = 0
        self._adaptation.begin(c.coding, t)
        self._look_at = t
        self._bad_since = None
        self._lowest = min(common(c.offered, c.far).rates, default=0)
        self._higher = self._rise()

    def data(self, t: Samples) -> None:
        """Watch for the far end's wishes, the carrier's end, and our own wishes."""
        c = self._course
        hearing = c.rx.hearing
        absent = c.rx.absent_symbols * T >= self._options.carrier_loss
        if hearing.quiet.length >= self._options.carrier_loss or (absent and hearing.level < _FAINT):
            c.end(t, "no carrier for as long as S10 allows", "§2.5")
        elif hearing.runs[c.tone].windows >= PREAMBLE_HEARD or c.rx.four_states:
            c.rx.seek_words()
            c.enter(State.SUSPECT, t)
        elif absent:
            c.retrain(t, "noise where the signal was")
        elif not self._recover(t) and t >= self._look_at:
            self._look_at = t + _LOOK
            self._adapt(t)

    def _recover(self, t: Samples) -> bool:
        """Where decisions became bad, see whether the signal has jumped; return whether there is hope."""
        c = self._course
        c.rx.look_back()
        if not c.rx.astray:
            self._bad_since = None
            return False
        if self._bad_since is None:
            self._bad_since = t
        if t - self._bad_since > _HOPE:
            return False
        if c.rx.follow_slip(c.coding):
            c.note(t, "signal jumped", after=t - self._bad_since)
        return True

    # -- our own wishes --------------------------------------------------------------------------------------

    @property
    def _can_renegotiate(self) -> bool:
        """§8 is of V.32bis, and may be switched off."""
        c = self._course
        return c.bis and c.far.bis and self._options.renegotiation

    def _adapt(self, t: Samples) -> None:
        c = self._course
        quality = Quality(c.rx.snr_db or 0.0, c.rx.bad_symbols)
        at_lowest = c.coding.rate <= self._lowest
        lower = not at_lowest and self._can_renegotiate
        wish = self._adaptation.decide(t, quality, self._higher, lower, at_lowest)
        if wish is Wish.DOWN:
            rates = c.possible(c.offered).limited(lambda rate: rate < c.coding.rate).rates or {self._lowest}
            self._propose(t, c.offered.limited(lambda rate: rate <= max(rates)))
        elif wish is Wish.UP:
            higher = self._adaptation.reachable(quality.snr_db, c.offered)
            self._propose(t, higher or c.offered)
        elif wish is Wish.RETRAIN:
            c.retrain(t, "the line became too bad for any rate")

    def _rise(self) -> RateSignal | None:
        """Return what a rise could lead to; None where the far end's receiver is what limits the rate."""
        c = self._course
        if not self._can_renegotiate:
            return None
        ours = c.wanted.best
        return common(c.offered, c.far) if ours is not None and ours.rate <= c.coding.rate else None

    def renegotiate(self, t: Samples, wanted: RateSignal) -> None:
        """Propose these rates (§8.1), where that is possible."""
        if self._course.state is State.DATA and self._course.bis:
            self._propose(t, wanted)

    def _propose(self, t: Samples, wanted: RateSignal) -> None:
        c = self._course
        c.wanted = wanted
        c.leave_data(t, Renegotiating(by_us=True))
        self._attempts = 0
        self._send_r4(t)

    def _send_r4(self, t: Samples) -> None:
        """§8.1: the preamble and R4, until R5 has come."""
        c = self._course
        self._attempts += 1
        c.rx.hearing.forget()
        c.rx.seek_words()
        c.tx.send(*preamble(c.role), rate(c.wanted))
        c.enter(State.R4, t)

    def send_r4(self, t: Samples) -> None:
        """§8.1: R5, then E once R4 has lasted 64 symbols."""
        c = self._course
        theirs = c.heard_rate(t, "R5")
        if theirs is None:
            c.far_end_begins_again(t)
            return
        sent = c.tx.sent if c.tx.segment.signal is Signal.RATE else c.tx.sent - PREAMBLE
        at = c.tx.symbols + max(0, RENEGOTIATION_RATE_MIN - sent)
        settled = self._rates.settle(theirs)
        c.tx.send(*closing(common(c.wanted, theirs)), at=at)
        if settled:
            c.enter(State.END_R4, t)
        else:
            self._clear_down(t, at)

    def _clear_down(self, t: Samples, at: int) -> None:
        """§8 note 2: E is repeated."""
        c = self._course
        c.cleared_at = float(c.tx.peak(at + CLEARDOWN_MIN + 16))
        c.enter(State.CLEARDOWN, t)

    # -- the far end's wishes --------------------------------------------------------------------------------

    def suspect(self, t: Samples) -> None:
        """AA or AC in data: a rate signal follows (§8.2), or it goes on (§7)."""
        c = self._course
        if c.rx.hearing.runs[c.tone].windows >= RETRAIN_HEARD:
            c.retrain(t, "the far end asks for it", by_us=False)
            return
        theirs = c.heard_rate(t, "R4")
        if theirs is None:
            return
        c.leave_data(t, Renegotiating(by_us=False))
        c.wanted = c.possible(c.offered)
        self._attempts = 0
        self._answer(t, theirs)

    def _answer(self, t: Samples, theirs: RateSignal) -> None:
        """§8.2: the preamble, R5 for 64 symbols, E, B1."""
        c = self._course
        self._attempts += 1
        settled = self._rates.settle(theirs)
        chosen = common(c.wanted, theirs)
        c.tx.send(*preamble(c.role), rate(c.wanted, RENEGOTIATION_RATE_MIN), *closing(chosen))
        if settled:
            c.enter(State.R5, t)
        else:
            self._clear_down(t, c.tx.symbols + PREAMBLE + RENEGOTIATION_RATE_MIN)

    def time_out(self, t: Samples) -> bool:
        """Deal with a step whose time is over; return whether that is a matter for data mode."""
        c = self._course
        if c.state is State.SUSPECT:
            c.rx.resume(c.coding)
            c.enter(State.DATA, t)
            return True
        if c.state not in (State.R4, State.R5) or self._attempts >= ATTEMPTS:
            return False
        theirs = c.rx.rate_word
        if c.state is State.R4:
            self._send_r4(t)
            return True
        if theirs is None:
            return False
        # R4 goes on, so what we answered was lost.
        self._answer(t, RateSignal.parse(theirs))
        return True
