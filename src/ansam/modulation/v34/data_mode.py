"""Data mode, and how it changes: rate renegotiation (V.34 (10/96) §11.6) and cleardown (§11.7).

::

    initiator  data ─ S S- TRN ──────── MP MP' E B1 ─ data
                       │        ▲
                       ▼        │
    responder  data ──────── S S- TRN ── MP MP' E B1 ─ data

Both may begin at once: then each takes the other's S for the answer. Packets that are lost may hide S;
then that the points lie on a ring, as those of TRN and MP do, is enough.
"""

from ansam.modulation.base import Renegotiating, Role
from ansam.modulation.patience import Wish
from ansam.modulation.v34.adaptation import UP_DB, Adaptation, Quality
from ansam.modulation.v34.course import Course
from ansam.modulation.v34.offer import wanted_coding
from ansam.modulation.v34.recovery import Recovery
from ansam.modulation.v34.settling import Settling
from ansam.modulation.v34.training import S_HEARD, SWatch
from ansam.modulation.v34.training_steps import State
from ansam.modulation.v34.transmitter import Segment, Signal, s_and_bar
from ansam.units import Samples, samples

ADAPT: Samples = samples(0.1)
"""How often the rate is thought about."""
SEARCH_AGAIN: Samples = samples(0.5)
UPSET: Samples = samples(10)
"""Decisions that become guesses again within this time are the line's fault."""
_AFTER_ATTEMPT: Samples = samples(2)
"""Time after a renegotiation that came to nothing within which the next is a retrain instead."""


class DataMode:
    """The steps of data mode and renegotiation.

    Args:
        course: What all steps share.
        settling: What a renegotiation ends with.
    """

    def __init__(self, course: Course, settling: Settling) -> None:
        self._course, self._settling = course, settling
        self._adaptation = Adaptation(course.options.fallback)
        self._recovery = Recovery(course)
        self._watch = SWatch()
        self._search_at: Samples = 0
        self._began: Samples = 0
        self._adapt_at: Samples = 0
        self._before = 0
        self._upset_at: Samples | None = None
        self._needed: dict[int, float] = {}
        self._possible: list[int] = []

    def begin(self, t: Samples) -> None:
        """Data mode begins."""
        self._began = self._search_at = self._adapt_at = t
        self._watch = SWatch()
        self._recovery.begin()
        self._needed.clear()
        self._possible = self._rates()
        self._adaptation.begin(self._course.rx_rate, self._course.epoch + t)

    def data(self, t: Samples) -> None:
        """Watch for the far end's wishes, the carrier's end, and our own wishes."""
        c = self._course
        hearing = c.rx.hearing
        if hearing.quiet >= c.options.carrier_loss:
            c.end(t, "no carrier for as long as S10 allows", "§6.6.1")
        elif hearing.s_windows >= S_HEARD:
            c.enter(State.AWAIT_S_BAR, t)
        elif hearing.quiet:
            pass
        elif c.rx.on_a_ring and not hearing.tone and not c.rx.has_ring:
            self._respond(t)
        elif not self._recovery.pursue(t) and t >= self._adapt_at:
            self._adapt_at = t + ADAPT
            if t >= self._search_at and c.rx.superframe_lost:
                self._search_at = t + SEARCH_AGAIN
                c.note(t, "superframe lost", found=c.rx.resynchronise())
            else:
                self._adapt(t)

    # -- our own wishes --------------------------------------------------------------------------------------

    def _rates(self) -> list[int]:
        """Return the data rates that our receiver may have."""
        c = self._course
        far = c.far_mp
        if far is None:
            return []
        top = far.answer_to_call if c.role is Role.CALLING else far.call_to_answer
        enabled = set(far.rates)
        return [r for r in c.receive_symbols.rates if r in enabled and r <= top and c.options.allows(r)]

    def _margin_at(self, rate: int) -> float:
        c = self._course
        needed = self._needed.get(rate)
        if needed is None:
            coding = wanted_coding(rate, c.receive_symbols, c.role.other, c.options, c.whitening)
            needed = self._needed[rate] = coding.needed_es_n0_db()
        return c.rx.data_es_n0_db - needed

    def _adapt(self, t: Samples) -> None:
        c = self._course
        may = c.options.renegotiation
        rates, now = self._possible, c.rx_rate
        lower = [r for r in rates if r < now]
        higher = next((r for r in rates if r > now), None) if self._we_limit else None
        up = may and higher is not None and self._margin_at(higher) >= UP_DB
        quality = Quality(c.rx.margin_db, c.rx.guesses)
        wish = self._adaptation.decide(c.epoch + t, quality, up, may and bool(lower))
        if wish is Wish.DOWN:
            self._lower(t, lower, quality.guesses > 0)
        elif wish is Wish.UP:
            self._propose(t, max(r for r in rates if r > now and self._margin_at(r) >= UP_DB))
        elif wish is Wish.RETRAIN:
            c.retrain(t, "the line became too bad for its rate")

    def _lower(self, t: Samples, lower: list[int], guesses: bool) -> None:
        c = self._course
        now = c.epoch + t
        if guesses and (self._upset_at is None or now - self._upset_at > UPSET):
            # The loops may have lost their way in a moment of silence: TRN puts them right, and then tells
            # what the line carries.
            self._upset_at = now
            self._propose(t, c.rx_rate)
            return
        if t - self._began < _AFTER_ATTEMPT and self._before == c.rx_rate and not guesses:
            c.retrain(t, "renegotiation did not help")
            return
        carried = [r for r in lower if self._margin_at(r) >= 0.0]
        self._propose(t, max(carried, default=min(lower)))

    @property
    def _we_limit(self) -> bool:
        """Whether it is our receiver that keeps the rate where it is."""
        c = self._course
        if c.our_mp is None:
            return False
        ours = c.our_mp.answer_to_call if c.role is Role.CALLING else c.our_mp.call_to_answer
        return ours <= c.rx_rate

    def renegotiate(self, t: Samples, rate: int | None = None) -> None:
        """Begin a rate renegotiation (§11.6.1.1), where that is possible.

        Args:
            t: Now.
            rate: The most that we shall ask for; None for what the line seems to carry.
        """
        if self._course.state is State.DATA:
            self._propose(t, rate)

    def _propose(self, t: Samples, rate: int | None) -> None:
        c = self._course
        self._leave(by_us=True)
        c.limit = rate
        c.tx.sixteen = False
        c.tx.send(*s_and_bar(), Segment(Signal.TRN))
        c.enter(State.RENEGOTIATE, t)

    def _leave(self, by_us: bool) -> None:
        c = self._course
        self._before = c.rx_rate
        c.leave_data(Renegotiating(by_us))
        c.forget_mp()
        c.rx.seek_words()

    # -- the far end's wishes --------------------------------------------------------------------------------

    def await_s_bar(self, t: Samples) -> None:
        """§11.6.1.2: the far end begins a rate renegotiation."""
        c = self._course
        if self._watch.over(c.rx.hearing, t, c.symbol) is not None:
            self._respond(t)

    def _respond(self, t: Samples) -> None:
        c = self._course
        higher = [r for r in self._possible if self._margin_at(r) >= UP_DB]
        self._leave(by_us=False)
        c.rx.hearing.forget()
        c.limit = max([c.rx_rate, *higher])
        self._settling.begin_renegotiation(t)

    def await_answer(self, t: Samples) -> None:
        """§11.6.1.1.2: S-bar of the far end, or what follows it."""
        c = self._course
        if self._watch.over(c.rx.hearing, t, c.symbol) is not None:
            c.forget_mp()
        elif c.far_mp is None:
            return
        c.rx.hearing.forget()
        c.enter(State.SEND_TRN, t)
