"""The receiver of phases 3 and 4 and of data as an object: trains at once from PP and TRN, then decodes.

How it trains: see `modulation.trained`.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.jump import Snapshot, follow, needed
from ansam.dsp.qam import Front
from ansam.dsp.qam_fit import Trainer
from ansam.dsp.records import new_record
from ansam.modulation.base import Role
from ansam.modulation.trained import TrainedReceiver
from ansam.modulation.v34 import decoder as data
from ansam.modulation.v34 import receiver_kernel as kernel
from ansam.modulation.v34.coding import GRID_NOISE, Coding
from ansam.modulation.v34.constants import FRAME_BITS, SCRAMBLER_TAPS
from ansam.modulation.v34.front import front_record, to_grid
from ansam.modulation.v34.hearing import Hearing
from ansam.modulation.v34.parameters import Parameters
from ansam.modulation.v34.phase2_choice import Direction
from ansam.modulation.v34.precoder import COEFFICIENT_FRACTION, FRACTION, Coefficients, precoder_state
from ansam.modulation.v34.slip import BETTER, FITS, fit_grid
from ansam.units import SAMPLE_RATE, Audio, Bits, Samples

TAPS = 80
"""Of the equaliser: 40 symbols, 12 ms at 3429 Bd."""
MAIN = 36
ROLL_OFF = 0.1
HALF_TAPS = 48
"""Delay of the low-pass: its edges are steep, since the image of the carrier is near."""
KEPT: Samples = 40960
"""Samples kept, 5 s."""
DELAY = 32
"""4D symbols from a symbol to its decision."""

_CARRIER = (0.01, 1.2e-5)
_CARRIER_TRAINING = (0.06, 4e-4)
_TIMING = (0.006, 6e-6)
_TIMING_TRAINING = (0.02, 5e-5)
_STEP = 0.006
_STEP_TRAINING = 0.03
_POOR_FIT = 0.2
SEARCHED = 1024
"""Points in which the superframe is looked for."""
WORTH_DB = 0.3
"""What precoding must gain to be asked for."""
_H_LIMIT = 1.9
"""Of a component of h; MP has room for 2."""
_NONE: Bits = np.zeros(0, np.uint8)
_SNAPSHOT: Samples = 800
"""Between two states that are kept to go back to: longer than it takes to see that decisions are guesses."""
_RING = 0.1
"""Spread of the points' power below which they are taken for four points; that of data is 0.3 and more."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """A filter 1 + h that makes the errors of four-point decisions smallest.

    Attributes:
        coefficients: h(1) to h(3) as MP has them.
        gain_db: What the noise behind it is less.
    """

    coefficients: Coefficients
    gain_db: float


class Receiver(TrainedReceiver[Hearing]):
    """One end's receiver; instants are samples since it was made.

    Args:
        role: Of this end; the far end has the other one.
        direction: How the far end sends.

    Attributes:
        coding: The data mode that is expected or in force, or None.
    """

    def __init__(self, role: Role, direction: Direction) -> None:
        rate = direction.symbol_rate
        front = Front(float(rate.baud), direction.carrier_hz, TAPS, ROLL_OFF, HALF_TAPS)
        super().__init__(front, Hearing(role, direction), KEPT)
        self.direction = direction
        self.coding: Coding | None = None
        self._role = role
        self._symbol = SAMPLE_RATE / float(rate.baud)
        self._training = np.zeros(0, np.complex128)
        self._points = np.zeros(kernel.HISTORY, np.complex128)
        self._weights = np.zeros(kernel.HISTORY)
        self._bits: Bits = np.zeros(0, np.uint8)
        self._aux: Bits = np.zeros(0, np.uint8)
        self._state = new_record(kernel.STATE)
        s = self._s = self._state[0]
        # Python reads a field of a record fastest by a view of it.
        fields = ("mode", "bits", "bad", "spread")
        self._mode, self._count, self._bad, self._spread = (self._state[name] for name in fields)
        s.tap_a, s.tap_b = SCRAMBLER_TAPS[role.other]
        s.mse = s.spread = 1.0
        s.averaged = kernel.AVERAGED
        self._use(Coding(Parameters(rate, rate.bottom_rate), role.other))

    def _use(self, coding: Coding) -> None:
        self._decoder = data.decoder_records(coding, DELAY)
        self._scaling = front_record(coding)
        self._growth = self._decoder.state["growth"]
        self._mean_power = coding.mean_power()
        self._loop_precoder = precoder_state(coding.precoding, coding.parameters.w)

    def _run(self, x: Audio, erased: bool) -> Bits:
        self._count[0] = 0
        if self._mode.item() == kernel.IDLE:
            return _NONE
        room = FRAME_BITS * (x.size // 16 + 2)
        if self._bits.size < room:
            self._bits, self._aux = np.zeros(room, np.uint8), np.zeros(room, np.uint8)
        f = self._front
        kernel.receive(
            self._state,
            f.state,
            self._decoder,
            self._scaling,
            self._loop_precoder,
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
            self._training,
            self._points,
            self._weights,
            self._bits,
            self._aux,
        )
        return self._bits[: self._count.item()].copy()

    # -- what the owner asks for -----------------------------------------------------------------------------

    def train(self, symbols: NDArray[np.complex128], begin: float, end: float, sixteen: bool = False) -> bool:
        """Fit a training sequence whose first symbol lies between two instants, and follow it.

        Args:
            symbols: As sent, mean power 1.
            begin: Earliest instant of the first one.
            end: Latest.
            sixteen: What follows has 16 points.

        Returns:
            Whether that succeeded; if not, nothing has changed, and it may be tried again later.
        """
        x, erased, first = self._past.since(round(begin) - 800)
        trainer = Trainer(self._front, symbols, MAIN)
        at, _ = trainer.find(x, erased, begin - first, end - first)
        fit = trainer.fit(x, erased, at)
        if fit is None or not fit.mse < _POOR_FIT:
            return False
        self.fit = fit
        start = self._front.align(fit.first, fit.taps, MAIN, fit.gain, fit.frequency, fit.drift)
        self._training = symbols
        self._tune(training=True)
        self.seek_words(sixteen)
        s = self._s
        s.known = symbols.size
        s.mse, s.averaged = max(fit.mse, 1e-5), kernel.AVERAGED
        self._catch_up(x[start:], erased[start:])
        return True

    def idle(self) -> None:
        """Follow no signal: the far end is silent, or sends what is not for the loops."""
        self._s.mode = kernel.IDLE

    def seek_words(self, sixteen: bool = False) -> None:
        """Decide among 4 or 16 points, with the loops as they are, and deliver descrambled bits."""
        s = self._s
        s.mode, s.deliver, s.points16 = kernel.WORDS, 1, int(sixteen)
        s.armed = s.ended = s.ones = s.bad = s.searching = 0
        self._good.clear()

    def await_end(self, coding: Coding) -> None:
        """After E, decode data of this coding."""
        self.coding = coding
        self._use(coding)
        s = self._s
        s.armed = 1
        self._tune(training=False)

    def find_data(self) -> bool:
        """Look for the superframe in the last points, where data must have begun unnoticed.

        Returns:
            Whether it was found: then data are decoded from now on, and B1 counts as over.
        """
        if self.coding is None or (self.on_a_ring and not self.has_ring):
            return False
        order = (np.arange(SEARCHED) + int(self._s.history) - SEARCHED) % kernel.HISTORY
        points, weights = self._points[order], self._weights[order]
        self._use(self.coding)
        for n, (point, weight) in enumerate(zip(points, weights, strict=True)):
            points[n], weights[n] = to_grid(self._scaling, point, 1.0 if weight >= 1.0 else 0.0)
        found = data.go_on(self._decoder, points, weights)
        if found is None:
            return False
        s = self._s
        s.mode, s.ended, s.armed, s.bad = kernel.DATA, 1, 0, 0
        return True

    def resynchronise(self) -> bool:
        """Look for the superframe among the last points of data mode; see `decoder.resynchronise`."""
        found = data.resynchronise(self._decoder) is not None
        if found and self.searching:
            self._s.searching = self._s.bad = 0
        return found

    def look_back(self) -> None:
        """Keep the loops for `follow_slip` as they are now; for regular instants, whatever is received."""
        if self._bad.item() or self.searching or not self.in_data:
            return
        if not self._good or self._past.end - self._good[-1].at >= _SNAPSHOT:
            self._good = [*self._good[-1:], Snapshot.of(self._front, self._past.end)]

    def follow_slip(self) -> bool:
        """Look for the signal as it would be had it jumped by some samples; see `dsp.jump`.

        Returns:
            Whether it was found: then the loops follow it, and `resynchronise` will find the superframe when
            enough points have come.
        """
        x, erased, first = self._past.since(self._past.end - needed(self._front))
        if not self.in_data or len(self._good) < 2 or erased.any():
            return False
        good = self._good[0]
        if first < good.at:
            return False
        measure = partial(fit_grid, self._scaling)
        # More noise is no jump: then no other place is much better than the present one.
        most = min(FITS, BETTER * float(self._decoder.state[0].error))
        points = follow(self._front, good, self.direction.symbol_rate.baud, measure, most, x, first)
        if points is None:
            return False
        s, d = self._s, self._decoder.state[0]
        s.searching, s.bad = 1, 0
        d.error = 0.0
        d.point_weights[:] = 0
        self._scaling[0].dirty = self._scaling[0].taps + 1
        for point in points:
            data.keep(self._decoder, *to_grid(self._scaling, complex(point), 1.0))
        unit = 1 << FRACTION
        x_now = self._scaling[0].x
        self._loop_precoder[0].x[:] = np.rint(np.stack([x_now.real, x_now.imag], axis=1).ravel() * unit)
        return True

    def stop_searching(self) -> None:
        """Decode on as if nothing had happened: the superframe can not be found."""
        self._s.searching = 0

    def _tune(self, training: bool) -> None:
        s = self._front.state[0]
        s.carrier_gain, s.carrier_integral = _CARRIER_TRAINING if training else _CARRIER
        s.timing_gain, s.timing_integral = _TIMING_TRAINING if training else _TIMING
        s.step = _STEP_TRAINING if training else _STEP

    # -- what it knows ---------------------------------------------------------------------------------------

    @property
    def in_data(self) -> bool:
        """Whether data are decoded: E was received."""
        return bool(self._mode.item() == kernel.DATA)

    @property
    def searching(self) -> bool:
        """Whether the place in the superframe is unknown since `follow_slip`."""
        return bool(self._s.searching)

    @property
    def b1_over(self) -> bool:
        """Whether all of B1 has been decided."""
        return self.in_data and bool(self._decoder.state[0].b1 == 0)

    @property
    def b1_errors(self) -> tuple[int, int]:
        """(Bits of B1, wrong ones among them)."""
        s = self._decoder.state[0]
        return int(s.b1_bits), int(s.b1_wrong)

    @property
    def superframe_lost(self) -> bool:
        """Whether the bit inversions are not where they should be."""
        return self.in_data and data.superframe_lost(self._decoder)

    @property
    def guesses(self) -> Samples:
        """For how long decisions have been little better than guesses."""
        return round(int(self._bad.item()) * self._symbol)

    @property
    def on_a_ring(self) -> bool:
        """Whether the last points have the same power, as the four of TRN and MP, and not those of data."""
        return bool(self._spread.item() < _RING)

    @property
    def has_ring(self) -> bool:
        """Whether data of the coding in force lie on a ring themselves."""
        return self.coding is not None and self.coding.parameters.points <= 16

    @property
    def margin_db(self) -> float:
        """By how much the noise at the decoder is below what gives 1 wrong bit in 100,000."""
        assert self.coding is not None
        return 10 * math.log10(GRID_NOISE[self.coding.trellis] / max(self._noise, 1e-6))

    @property
    def data_es_n0_db(self) -> float:
        """Es/N0 in data mode, the noise taken behind the filter 1 + h."""
        assert self.coding is not None
        return 10 * math.log10(self._mean_power / max(self._noise, 1e-6))

    @property
    def _noise(self) -> float:
        """Mean square noise in units of the grid."""
        return float(self._growth.item())

    @property
    def mse(self) -> float:
        """Mean square error of the decisions, for points of mean power 1."""
        return float(self._s.mse)

    def whitening(self) -> Whitening | None:
        """Return what the errors of the last 1024 four-point decisions suggest.

        Returns:
            None where that would gain less than `WORTH_DB`.

        Source: S. Haykin, Adaptive Filter Theory, 3rd ed., ch. 6 (linear prediction).
        """
        points = np.roll(self._points, -int(self._s.history))[-1024:]
        arrived = np.roll(self._weights, -int(self._s.history))[-1024:] >= 1.0
        sent = (np.where(points.real > 0, 1, -1) + 1j * np.where(points.imag > 0, 1, -1)) / math.sqrt(2)
        error = np.where(arrived, points - sent, 0)
        lags = np.array([np.vdot(error[: error.size - k], error[k:]) for k in range(4)])
        if not lags[0].real > 0:
            return None
        matrix = np.array(
            [[lags[i - j] if i >= j else lags[j - i].conj() for j in range(3)] for i in range(3)]
        )
        h = -np.linalg.solve(matrix + 1e-6 * lags[0].real * np.eye(3), lags[1:])
        rest = lags[0].real + float(np.real(np.vdot(lags[1:], h)))
        if not 0 < rest * 10 ** (WORTH_DB / 10) < lags[0].real or np.max(np.abs(h)) >= _H_LIMIT:
            return None
        parts = np.rint(np.stack([h.real, h.imag], axis=1).ravel() * (1 << COEFFICIENT_FRACTION))
        a, b, c, d, e, f = (int(part) for part in parts)
        return Whitening((a, b, c, d, e, f), 10 * math.log10(lags[0].real / rest))

    def constellation(self) -> list[complex]:
        """Return the last 512 points, oldest first."""
        newest = np.arange(-512, 0) + int(self._s.history)
        points: list[complex] = self._points.take(newest, mode="wrap").tolist()
        return points
