"""Follows V.34 from phase 3 to data, both directions at once: S, J, MP, E, B1, LAPM frames, renegotiations.

Everything that a modem knows of its far end from phase 2 and from its own MP stands in the recording: symbol
rate and carrier in INFO1, the constellation of phase 4 in the other's J, the coding in both MPs.
"""

import math

import numpy as np

from ansam.listen.duplex import STEP, Follower, run
from ansam.listen.timeline import Entry
from ansam.modulation.base import Role
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import S_BAR_SYMBOLS, TRN_SYMBOLS, symbol_rate
from ansam.modulation.v34.mp import J, JReader, Mp, MpReader, agree
from ansam.modulation.v34.phase2_choice import Direction
from ansam.modulation.v34.precoder import NO_PRECODING, Coefficients
from ansam.modulation.v34.receiver import Receiver
from ansam.modulation.v34.signals import Symbols, WordSender, pp_signal
from ansam.units import Audio, Bits, Samples, samples

TONE_HEARD: Samples = samples(0.06)
S_HEARD = 6
ECHO_AFTER: Samples = samples(0.4)
"""From one end's S-bar of phase 3 until the other is surely silent."""
POINTS_STEP: Samples = samples(0.25)
"""From one look at the constellation to the next; the last one before data end is kept."""
SEARCH = 60
"""Samples around the expected end of S-bar."""


def direction(info1c: Entry, info1a: Entry, role: Role) -> Direction:
    """Return how the modem of a role sends, as INFO1c and INFO1a say."""
    a, c = info1a.details, info1c.details
    to_call = role is Role.ANSWERING
    name = a["symbol_rate_to_call"] if to_call else a["symbol_rate_to_answer"]
    rates = c["rates"]
    assert isinstance(name, int)
    assert isinstance(rates, dict)
    high = rates[str(name)]["high_carrier"] if to_call else a["high_carrier"]
    md = a["md_length"] if to_call else c["md_length"]
    assert isinstance(md, int)
    return Direction(symbol_rate(name), bool(high), 0, 0, 0, samples(0.035 * md))


class _End(Follower):
    """One direction of V.34 from phase 3 on."""

    def __init__(self, role: Role, how: Direction) -> None:
        super().__init__(role)
        self.how = how
        self.receiver = Receiver(role.other, how)
        self.begin: Samples = 0
        self.phase = 3
        self.asks: J | None = None
        self.mp: Mp | None = None
        self.kept: Coefficients = NO_PRECODING
        self.armed = False
        self.data_at: Samples | None = None
        self.trained_at: float | None = None
        self._skipped = how.md == 0
        self._left_j = False
        self._points: list[complex] = []
        self._j, self._mp = JReader(), MpReader()
        self._t = 8000 / float(how.symbol_rate.baud)
        self._sequence = np.zeros(0, np.complex128)
        self._trn_at: float | None = None
        self._j_at = 0.0
        self._rate = 0
        self._text = ""

    def wait(self, rest: Audio) -> None:
        """Take samples in which there can be nothing of this end's."""
        self.receiver.process(rest, False)
        self.receiver.hearing.forget()

    def hear(self, rest: Audio, now: Samples, sixteen: bool) -> str | None:
        """Take samples without echo; return what just happened, where the other end must know of it."""
        was_data = self.receiver.in_data
        bits = self.receiver.process(rest, False)
        happened = None
        if was_data:
            self.frames.feed(bits, now)
        else:
            happened = self._read(bits, now, sixteen)
        if self.receiver.in_data and self.data_at is None:
            self.data_at = now
        return self._look(now, sixteen) or happened

    def _look(self, now: Samples, sixteen: bool) -> str | None:
        hearing = self.receiver.hearing
        if self.data_at is not None and now % POINTS_STEP < STEP and not hearing.s_windows:
            self._points = self.receiver.constellation()
        if self.data_at is not None and hearing.tone >= TONE_HEARD:
            self.leave_data(now, "retrain")
        if hearing.reversals and hearing.s_windows >= S_HEARD:
            at = self.begin + hearing.reversals.pop()
            hearing.forget()
            return self._s_bar(at, now, sixteen)
        if self._trn_at is not None and now >= self._trn_at + (self._sequence.size + 30) * self._t + SEARCH:
            return self._train(now, sixteen)
        return None

    def _s_bar(self, at: float, now: Samples, sixteen: bool) -> str | None:
        """S became S-bar: training begins, or a rate renegotiation."""
        self.note(at - 128 * self._t, at + S_BAR_SYMBOLS * self._t, "S", "S, S-bar")
        if self.data_at is not None:
            self.leave_data(now, "rate renegotiation")
            self.receiver.seek_words(False)
            self._mp, self.armed = MpReader(), False
            return None
        if not self._skipped:
            self._skipped = True
            return None
        self._trn_at = at + S_BAR_SYMBOLS * self._t
        if self.phase == 3:
            self._sequence = np.concatenate([pp_signal(), self._trn(TRN_SYMBOLS, False)])
            return "phase 3"
        self._sequence = self._trn(TRN_SYMBOLS, sixteen)
        return None

    def _trn(self, count: int, sixteen: bool) -> Symbols:
        words = WordSender(self.role)
        words.sixteen = sixteen
        return words.trn(count)

    def _train(self, now: Samples, sixteen: bool) -> str | None:
        assert self._trn_at is not None
        at = self._trn_at - self.begin
        name, phase = ("PP, TRN", 3) if self.phase == 3 else ("TRN", 4)
        done = self.receiver.train(self._sequence, at - SEARCH, at + SEARCH, sixteen and self.phase == 4)
        fit = self.receiver.fit
        if done and fit is not None:
            self.note(
                self._trn_at,
                now,
                name,
                f"equalised to {-10 * math.log10(fit.mse):.1f} dB",
                snr_db=round(-10 * math.log10(fit.mse), 1),
                carrier_offset_hz=round(self.receiver.carrier_offset_hz, 3),
                timing_offset_ppm=round(self.receiver.timing_offset_ppm, 1),
            )
            self.phase = 4
            self._j, self._mp = JReader(), MpReader()
        self._trn_at = None
        return "TRN of phase 4" if phase == 4 else None

    def _read(self, bits: Bits, now: Samples, sixteen: bool) -> str | None:
        happened = None
        for bit in bits:
            j = self._j.push(int(bit))
            if j is J.PRIME:
                self.note(now, now, "J'")
                self.leave_j(sixteen)
            elif j is not None and j is not self.asks:
                self.asks = j
                self.note(now, now, "J", f"asks for {16 if j is J.SIXTEEN else 4} points in phase 4")
                happened = "J"
            mp = self._mp.push(int(bit))
            if mp is not None and mp != self.mp:
                self.mp = mp
                self._note_mp(mp, now)
                happened = "MP"
        return happened

    def leave_j(self, sixteen: bool) -> None:
        """J is over: TRN and MP come with the points that the other end's J asked for."""
        if self.mp is None and not self._left_j:
            self._left_j = True
            self.receiver.seek_words(sixteen)
            self._mp = MpReader()

    def _note_mp(self, mp: Mp, now: Samples) -> None:
        precoding = "" if mp.precoding is None else f", precoder {' '.join(map(str, mp.precoding))}"
        kind = "expanded" if mp.expanded else "minimum"
        nonlinear, asymmetric = ", non-linear" * mp.nonlinear, ", asymmetric" * mp.asymmetric
        self.note(
            now,
            now,
            "MP'" if mp.acknowledge else "MP",
            f"to answerer {mp.call_to_answer}, to caller {mp.answer_to_call} bit/s, "
            f"{mp.trellis.states} states, {kind}{nonlinear}"
            f"{asymmetric}{precoding}",
            call_to_answer=mp.call_to_answer,
            answer_to_call=mp.answer_to_call,
            rates=list(mp.rates),
            trellis_states=mp.trellis.states,
            nonlinear=mp.nonlinear,
            expanded=mp.expanded,
            asymmetric=mp.asymmetric,
            auxiliary=mp.auxiliary,
            acknowledge=mp.acknowledge,
            precoding=None if mp.precoding is None else list(mp.precoding),
        )

    def arm(self, coding: Coding) -> None:
        """Know the coding of the data that follow E."""
        self.receiver.await_end(coding)
        self.armed, self.kept, self._rate = True, coding.precoding, coding.parameters.rate
        nonlinear, precoded = ", non-linear" * coding.nonlinear, ", precoded" * coding.precoded
        self._text = f"{coding.trellis.states} states{nonlinear}{precoded}"

    def leave_data(self, now: Samples, why: str) -> None:
        """Data are over."""
        if self.data_at is None:
            return
        bits, wrong = self.receiver.b1_errors
        self.note_data(
            self.data_at,
            now,
            f"{self._rate} bit/s, {self._text}, B1 {bits} bits, {wrong} wrong, until {why}",
            self._points,
            rate=self._rate,
            b1_bits=bits,
            b1_wrong=wrong,
            snr_db=None if self.receiver.snr_db is None else round(self.receiver.snr_db, 1),
            until=why,
        )
        self.data_at = None


def follow_v34(calling: Audio, answering: Audio, so_far: tuple[Entry, ...]) -> list[Entry]:
    """Return what the two modems of a V.34 call said from phase 3 on.

    Args:
        calling: What the calling modem sent.
        answering: What the answering modem sent.
        so_far: What has been heard already; nothing can be done without INFO1c and INFO1a.
    """
    info1a = [e for e in so_far if e.what == "INFO1a" and "symbol_rate_to_call" in e.details]
    info1c = [e for e in so_far if e.what == "INFO1c" and info1a and e.start < info1a[-1].start]
    if not info1a or not info1c:
        return []
    ends = {role: _End(role, direction(info1c[-1], info1a[-1], role)) for role in Role}
    begin = info1a[-1].end
    for end in ends.values():
        end.begin = begin

    def step(role: Role, heard: Audio, other: Audio, now: Samples) -> None:
        end, far = ends[role], ends[role.other]
        rest = end.cancel(heard, other, now)
        if role is Role.CALLING and far.asks is None:
            end.wait(rest)  # its turn comes after the answering modem's J; until then S is an echo
            return
        happened = end.hear(rest, now, far.asks is J.SIXTEEN)
        if happened == "phase 3":
            far.learn_echo(now + ECHO_AFTER)
        elif happened == "J":
            far.stop_learning()
        elif happened == "MP":
            _arm(ends)
        elif happened == "TRN of phase 4" and role is Role.ANSWERING:
            far.leave_j(end.asks is J.SIXTEEN)  # even if its J' was not to be read

    run(calling, answering, begin, step)
    length = min(calling.size, answering.size)
    for end in ends.values():
        end.leave_data(length, "the end")
    return [entry for end in ends.values() for entry in end.entries]


def _arm(ends: dict[Role, _End]) -> None:
    """With both MPs read, the coding of both directions is known."""
    call, answer = ends[Role.CALLING], ends[Role.ANSWERING]
    if call.mp is None or answer.mp is None:
        return
    agreement = agree(
        call.mp, answer.mp, call.how.symbol_rate, answer.how.symbol_rate, (call.kept, answer.kept)
    )
    if agreement is None:
        return
    for end in ends.values():
        if not end.armed:
            end.arm(agreement.sent_by(end.role))
