"""The receiver as an object: hears training signals, trains at once from TRN, then decodes.

How it trains: see `modulation.trained`.
"""

import math
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ansam.coding.scrambler import Scrambler
from ansam.dsp.jump import Snapshot, follow, needed
from ansam.dsp.qam import Front
from ansam.dsp.qam_fit import Fit, Trainer
from ansam.dsp.records import new_record
from ansam.modulation.base import Role
from ansam.modulation.trained import TrainedReceiver
from ansam.modulation.v32bis import rate_signal, trellis
from ansam.modulation.v32bis import receiver_kernel as kernel
from ansam.modulation.v32bis.constants import (
    BAUD,
    CARRIER_HZ,
    ROLL_OFF,
    SAMPLES_PER_SYMBOL,
    SCRAMBLER_TAPS,
    STATE_A,
    STATE_C,
    TRAINING_POINTS,
    TRN_TWO_STATE,
    Coding,
)
from ansam.modulation.v32bis.hearing import Hearing
from ansam.modulation.v32bis.slip import fit_diagram
from ansam.units import Audio, Bits, Samples, samples

TAPS = 64
"""Of the equaliser: 32 symbols, 13 ms."""
MAIN = 28
TRAINING = 640
"""Symbols of TRN that the fit uses: half of the least there is."""
KEPT: Samples = 32768
"""Samples kept, 4 s: the longest TRN and what comes around it."""
_NO_BITS: Bits = np.zeros(0, np.uint8)

_CARRIER = (0.02, 5e-5)
_CARRIER_TRAINING = (0.08, 8e-4)
_TIMING = (0.01, 2e-5)
_TIMING_TRAINING = (0.03, 1e-4)
_STEP = 0.01
_STEP_TRAINING = 0.03
_POOR_FIT = 0.25
"""Mean square error of a fit beyond which it is none: 6 dB."""

_BAUD = Fraction(int(BAUD))
_SNAPSHOT: Samples = 800
"""Between two states that are kept to go back to: longer than it takes to see that decisions are guesses."""

_BAD_ERROR = {
    Coding.UNCODED_4800: 0.2,
    Coding.TRELLIS_7200: 0.09,
    Coding.UNCODED_9600: 0.045,
    Coding.TRELLIS_9600: 0.045,
    Coding.TRELLIS_12000: 0.023,
    Coding.TRELLIS_14400: 0.0115,
}
"""Mean square error at which decisions are little better than guesses (those of mere guesses are half as
large again)."""
_ASTRAY, _FOUND = 0.5, 0.6
"""Share of that error from which the signal may have jumped, and which it must not have where it is found."""

_BETTER = 0.5
"""Share of the present error that another place must leave at most."""


def training_symbols(role: Role, count: int) -> NDArray[np.complex128]:
    """Return the first symbols of the TRN that a modem of this role sends (V.32bis (02/91) §5.2.3)."""
    bits = Scrambler(*SCRAMBLER_TAPS[role], 0).process(np.ones(2 * count, np.uint8)).reshape(-1, 2)
    labels = 2 * bits[:, 0] + bits[:, 1]
    two = np.where(bits[:, 0] == 0, STATE_A, STATE_C)
    labels[:TRN_TWO_STATE] = two[:TRN_TWO_STATE]
    return np.ascontiguousarray(TRAINING_POINTS[labels])


class Receiver(TrainedReceiver[Hearing]):
    """One end's receiver; instants are samples since it was made.

    Args:
        role: Of this end; the far end has the other one.
    """

    def __init__(self, role: Role) -> None:
        super().__init__(Front(BAUD, CARRIER_HZ, TAPS, ROLL_OFF), Hearing(), KEPT)
        self._symbols = training_symbols(role.other, TRAINING)
        self._trainer = Trainer(self._front, self._symbols, MAIN)
        self._decoder = new_record(trellis.DECODER)
        self._detector = new_record(rate_signal.DETECTOR)
        self._points = np.zeros(kernel.HISTORY, np.complex128)
        self._bits: Bits = np.zeros(6 * 100, np.uint8)
        self._usual = 1.0
        s = self._state = new_record(kernel.STATE)
        # Views of single fields, which are read with every frame.
        self._mode, self._count, self._mse = s["mode"], s["bits"], s["mse"]
        self._bad, self._absent, self._four = s["bad"], s["absent"], s["four"]
        self._word = s["rate_word"]
        s["tap_a"], s["tap_b"] = SCRAMBLER_TAPS[role.other]
        s["rate_word"] = s["data"] = -1
        s["mse"] = 1.0

    def _run(self, x: Audio, erased: bool) -> Bits:
        if self._mode.item() == kernel.IDLE:
            return _NO_BITS
        room = 6 * (math.ceil(x.size / SAMPLES_PER_SYMBOL) + 2)
        if self._bits.size < room:
            self._bits = np.zeros(room, np.uint8)
        self._count[0] = 0
        f = self._front
        kernel.receive(
            self._state,
            f.state,
            self._decoder,
            self._detector,
            x,
            erased,
            f.real,
            f.imag,
            f.table,
            f.line_real,
            f.line_imag,
            f.line_good,
            f.taps_real,
            f.taps_imag,
            self._symbols,
            self._points,
            self._bits,
        )
        count = self._count.item()
        return self._bits[:count].copy() if count else _NO_BITS

    # -- what the owner asks for -----------------------------------------------------------------------------

    def idle(self) -> None:
        """Follow no signal: the far end is silent, or sends what is not for the loops."""
        self._mode[0] = kernel.IDLE

    def seek_words(self) -> None:
        """Decide among four points and look for a new rate signal, with the loops as they are (§8).

        What comes before it is none of the four points (data), or always the same (a tone): only the phase of
        the carrier is followed until `await_end` or `resume`.
        """
        f = self._front.state
        f["carrier_integral"] = f["timing_gain"] = f["timing_integral"] = f["step"] = 0.0
        s = self._state
        self._mode[0] = kernel.WORDS
        self._good.clear()
        self._usual = 1.0
        s["rate_word"] = s["data"] = -1
        s["rate_symbol"] = s["erased_symbol"] = self._front.state["symbols"]
        s["bad_error"] = _BAD_ERROR[Coding.UNCODED_4800]
        rate_signal.restart_detector(self._detector, 2)
        trellis.restart(self._decoder, int(Coding.UNCODED_4800), trellis.DEPTH, False, 0)

    def await_end(self, coding: Coding, clamp: int) -> None:
        """After E, decode data of this coding; the first `clamp` symbols are not delivered."""
        s = self._state
        s["data"], s["clamp"], s["deliver"] = int(coding), clamp, 1
        s["bad_error"] = _BAD_ERROR[coding]
        self._tune(training=False)

    def resume(self, coding: Coding) -> None:
        """Decode data again from the next symbol on: there was no rate signal after all."""
        s = self._state
        self._mode[0] = kernel.DATA
        s["data"] = -1
        s["clamp"] = s["bad"] = s["four"] = 0
        s["bad_error"] = _BAD_ERROR[coding]
        self._tune(training=False)
        trellis.restart(self._decoder, int(coding), trellis.DEPTH, False, 0)

    def look_back(self) -> None:
        """Keep the loops for `follow_slip` as they are now; for regular instants, whatever is received."""
        if self.astray or self._absent.item() or not self.in_data:
            return
        if not self._good or self._past.end - self._good[-1].at >= _SNAPSHOT:
            self._good = [*self._good[-1:], Snapshot.of(self._front, self._past.end)]
            self._usual = float(self._mse.item())

    @property
    def astray(self) -> bool:
        """Whether decisions have become much worse than they were, so that the signal may have jumped.

        At 9600 bit/s points of a wrong phase are nearer to the diagram than those of noise.
        """
        s = self._state[0]
        return bool(s.fast > max(_ASTRAY * s.bad_error, 3.0 * self._usual))

    def follow_slip(self, coding: Coding) -> bool:
        """Look for data as they would be had the signal jumped by some samples; see `dsp.jump`.

        Returns:
            Whether they were found: then they are decoded on from now.
        """
        x, erased, first = self._past.since(self._past.end - needed(self._front))
        if not self.in_data or len(self._good) < 2 or erased.any() or first < self._good[0].at:
            return False
        measure = partial(fit_diagram, coding)
        # More noise is no jump: then no other place is much better than the present one.
        most = min(_FOUND * _BAD_ERROR[coding], _BETTER * float(self._state[0].fast))
        points = follow(self._front, self._good[0], _BAUD, measure, most, x, first)
        if points is None:
            return False
        r = self._state[0]
        # The points may begin before the jump; the line is what it was.
        r.mse = r.fast = min(measure(points)[0], 2.0 * self._usual)
        r.bad = r.steps = r.counted = 0
        r.power = 0.0
        trellis.restart(self._decoder, int(coding), trellis.DEPTH, False, 0)
        return True

    @property
    def in_data(self) -> bool:
        """Whether data are decoded: E was received."""
        return bool(self._mode.item() == kernel.DATA)

    @property
    def rate_word(self) -> int | None:
        """The last rate signal received, or None."""
        word = int(self._word.item())
        return word if word >= 0 else None

    @property
    def bad_symbols(self) -> int:
        """For how many symbols decisions have been little better than guesses."""
        return int(self._bad.item())

    @property
    def absent_symbols(self) -> int:
        """For how many symbols the signal has been gone, or at least 14 dB weaker than it was."""
        return int(self._absent.item())

    @property
    def four_states(self) -> bool:
        """Whether, in data mode, the far end was found to send training states, as in a rate signal."""
        return bool(self._four.item())

    # -- what it knows ---------------------------------------------------------------------------------------

    @property
    def mse(self) -> float:
        """Mean square error of the decisions, for points of mean power 1."""
        return float(self._mse.item())

    def constellation(self) -> list[complex]:
        """Return the last points, oldest first."""
        points: list[complex] = np.roll(self._points, -int(self._state["history"].item())).tolist()
        return points

    # -- training --------------------------------------------------------------------------------------------

    def train(self, begin: float, end: float) -> bool:
        """Fit TRN, whose first symbol lies between two instants, and decode four points from it on.

        Returns:
            Whether that succeeded; if not, nothing has changed, and it may be tried again later.
        """
        reach = samples(0.1)
        x, erased, first = self._past.since(round(begin) - reach)
        at, _ = self._trainer.find(x, erased, begin - first, end - first)
        fit = self._trainer.fit(x, erased, at)
        if fit is None or not fit.mse < _POOR_FIT:
            return False
        self.fit = fit
        start = self._follow(fit)
        self._catch_up(x[start:], erased[start:])
        return True

    def _follow(self, fit: Fit) -> int:
        """Set the loops so that symbol 0 meets the main tap; return the index of the first sample to run."""
        start = self._front.align(fit.first, fit.taps, MAIN, fit.gain, fit.frequency, fit.drift)
        self._tune(training=True)
        r = self._state[0]
        self._good.clear()
        self._usual = 1.0
        r.mode = kernel.WORDS
        r.known = TRAINING
        r.mse = r.fast = max(fit.mse, 1e-4)
        r.rate_word = r.data = -1
        r.rate_symbol = r.erased_symbol = 0
        rate_signal.restart_detector(self._detector, 2)
        r.register = 0
        r.bad = r.absent = r.settle = r.counted = r.steps = r.strange = 0
        r.bad_error = _BAD_ERROR[Coding.UNCODED_4800]
        r.level = r.usual = 1.0
        r.power = 0.0
        trellis.restart(self._decoder, int(Coding.UNCODED_4800), trellis.DEPTH, False, 0)
        return start

    def _tune(self, training: bool) -> None:
        s = self._front.state[0]
        s.carrier_gain, s.carrier_integral = _CARRIER_TRAINING if training else _CARRIER
        s.timing_gain, s.timing_integral = _TIMING_TRAINING if training else _TIMING
        s.step = _STEP_TRAINING if training else _STEP
