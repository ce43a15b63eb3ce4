"""TRN, MP, E and B1: the end of start-up (V.34 (10/96) §11.4), of renegotiation (§11.6); cleardown (§11.7).

::

    TRN ── MP MP ─┬── MP' MP' ─┬── E B1 ─ data          either end
                  │            │
            MP received     MP' sent whole, MP' or E received

MP is repeated, so a lost packet costs time only; but E comes once. Where it was lost, data arrive instead of
MP: then the superframe is looked for in them (`Receiver.find_data`).
"""

from ansam.modulation.base import Role
from ansam.modulation.v34.constants import TRN_SYMBOLS
from ansam.modulation.v34.course import Course
from ansam.modulation.v34.mp import Mp, agree
from ansam.modulation.v34.offer import clearing_mp, our_mp
from ansam.modulation.v34.training_steps import State
from ansam.modulation.v34.transmitter import Segment, Signal, ending, mp, s_and_bar
from ansam.units import SAMPLE_RATE, Samples, samples

PATIENCE = {Role.CALLING: samples(0.8), Role.ANSWERING: samples(1.95)}
"""TRN of phase 4 lasts until the far end's MP has come, or so long: 2 s are allowed (§11.4.1.1.2,
§11.4.1.2.2), and modems that train by it, and judge the line by that, use them. Two modems must not wait for
each other."""
PATIENCE_AGAIN: Samples = samples(0.2)
"""The same in a rate renegotiation, where nothing has to be trained."""
LOST_E: Samples = samples(0.5)
"""After so long without an MP, E is taken for lost."""
SEARCH_AGAIN: Samples = samples(0.1)
CLEAR_SYMBOLS = 600
"""For how long a cleardown is answered: six MP'."""


class Settling:
    """The steps from TRN of phase 4 to data.

    Args:
        course: What all steps share.
    """

    def __init__(self, course: Course) -> None:
        self._course = course
        self._acknowledged = False
        self._agreed_on: Mp | None = None
        self._search_at: Samples = 0

    def begin_renegotiation(self, t: Samples) -> None:
        """§11.6.1.2.2: S, S-bar, TRN; what follows is as in phase 4."""
        c = self._course
        c.tx.sixteen = False
        c.tx.send(*s_and_bar(), Segment(Signal.TRN))
        c.enter(State.SEND_TRN, t)

    def send_trn(self, t: Samples) -> None:
        """TRN for 512 symbols at least, and until our receiver knows what it can do (§11.4.1.1.2)."""
        c = self._course
        if c.tx.segment.signal is not Signal.TRN or c.tx.sent < TRN_SYMBOLS:
            return
        length = c.tx.sent * SAMPLE_RATE / float(c.send_symbols.baud)
        patience = PATIENCE[c.role] if c.starting else PATIENCE_AGAIN
        if c.far_mp is None and length < patience:
            return
        if c.starting and c.options.v34_precoding:
            c.whitening = c.rx.whitening()
        c.our_mp = our_mp(c, c.rx.snr_db or 0.0)
        c.note(t, "offers", mp=c.our_mp, snr_db=c.rx.snr_db)
        c.tx.send(mp(c.our_mp, c.tx.sixteen))
        self._acknowledged = False
        self._agreed_on = None
        c.enter(State.MP, t)

    def exchange(self, t: Samples) -> None:
        """§11.4.1.1.2 to §11.4.1.1.4, §11.4.1.2.2 to §11.4.1.2.4."""
        c = self._course
        theirs, ours = c.far_mp, c.our_mp
        if theirs is None or ours is None:
            return
        if theirs.acknowledged != self._agreed_on and not c.rx.in_data:
            # The last MP counts, which may be another one than the first.
            if not self._agree(t, ours, theirs):
                return
            self._agreed_on = theirs.acknowledged
        if c.state is State.MP:
            c.tx.send(mp(ours.acknowledged, c.tx.sixteen))
            c.tx.take_begun()
            c.enter(State.MP_ACKNOWLEDGED, t)
            return
        self._acknowledged |= any(s.signal is Signal.MP for s, _ in c.tx.take_begun())
        self._find_data(t)
        # §11.4.1.2.3: until an MP' was sent whole and MP' or E received.
        if self._acknowledged and (theirs.acknowledge or c.rx.in_data):
            c.tx.send(*ending(c.coding(c.role), c.tx.sixteen))
            c.enter(State.AWAIT_E, t)

    def _agree(self, t: Samples, ours: Mp, theirs: Mp) -> bool:
        c = self._course
        if theirs.clears_down:
            self._clear(t)
            return False
        call, answer = (ours, theirs) if c.role is Role.CALLING else (theirs, ours)
        rates = (c.send_symbols, c.receive_symbols)
        up, down = rates if c.role is Role.CALLING else rates[::-1]
        agreement = agree(call, answer, up, down, c.kept)
        if agreement is None:
            self._clear(t)
            return False
        c.agreement = agreement
        c.rx.await_end(agreement.sent_by(c.role.other))
        self._search_at = t + LOST_E
        return True

    def _clear(self, t: Samples) -> None:
        """§11.7.2.2: MP' with zeroes, whoever wants the end."""
        c = self._course
        clearing = mp(clearing_mp().acknowledged, c.tx.sixteen)
        length = CLEAR_SYMBOLS // clearing.unit * clearing.unit
        c.tx.send(Segment(Signal.MP, length, clearing.unit, clearing.bits))
        c.enter(State.CLEARDOWN, t)

    def clear_down(self, t: Samples) -> None:
        """Silence once the answer has been sent."""
        c = self._course
        if c.tx.segment.signal is not Signal.SILENCE:
            return
        far = c.far_mp
        if far is not None and far.clears_down:
            c.end(t, "the far end cleared down")
        else:
            c.end(t, "no data rate in common that the line carries")

    def await_e(self, t: Samples) -> None:
        """Data mode once B1 has been received and sent."""
        c = self._course
        self._find_data(t)
        if c.rx.b1_over and c.tx.in_data:
            c.become_ready(t)

    def _find_data(self, t: Samples) -> None:
        """Where neither MP nor E comes any more, look for the data that must have begun."""
        c = self._course
        if c.rx.in_data or t < max(self._search_at, c.far_mp_at + LOST_E):
            return
        self._search_at = t + SEARCH_AGAIN
        if c.rx.find_data():
            c.note(t, "E was lost")
