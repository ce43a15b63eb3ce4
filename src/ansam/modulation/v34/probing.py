"""Line probing: 21 tones tell what the line does to a signal, and that decides how V.34 shall use it.

L1 and L2 are the same 21 cosines, 150 Hz apart, L1 for 160 ms with four times the power (V.34 (10/96)
§10.1.2.4). Four places of the grid, 900, 1200, 1800 and 2400 Hz, are left empty: what lies there are products
of distortion. What lies between the tones is noise.

Analysis
    Windows of 120 ms (Blackman, 50 % overlap and more) that hold no erased sample are transformed and their
    powers averaged. Per tone: its level; around it: the density of what lies more than 30 Hz away from any
    place of the grid. Quantising noise of G.711 is periodic, like the signal, and falls on multiples of 50 Hz
    where both clocks agree; two of three of its lines are counted, over two thirds of the band.

Decision, for each symbol rate S, carrier and pre-emphasis filter that may be used
    A data signal of the power of L2, its spectrum shaped by the filter, would arrive with
    SNR(f) = 21 T(f) E(f) / (S N(f)), where T is the level of the tones, N the density of the noise and E the
    filter normalised to mean 1 over the band. The error of the best linear equaliser then has the spectrum
    1 / (1 + SNR(f)), and a precoder with V.34's three complex taps whitens it as far as a linear predictor of
    order 3 can: the error of that predictor is the inverse of 1 + SNR (V.34's precoder is the predictor moved
    to the transmitter; J. G. Proakis and M. Salehi, Digital Communications, 5th ed., §9.5). The best carrier
    and filter win, but a higher index or carrier only by `WORTH_DB`. The data rate is the highest with
    SNR >= (2^(R/S) - 1) Γ; Γ = 6.7 dB is the gap of uncoded QAM for 1e-6 (9.3 dB) less coding gain (4.0 dB)
    and shaping gain (0.6 dB), plus a margin of 2 dB for a real receiver.

Power
    Lowering the power by r dB lowers distortion of the third order by 3 r dB, so that signal to distortion
    improves by 2 r while signal to noise loses r. Where an empty place holds twice the noise of 150 Hz, the
    r with the best result is asked for; otherwise 0, or what brings the level down to where G.711 does not
    clip.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ansam.modulation.v34.constants import RATE_STEP, SYMBOL_RATES, SymbolRate
from ansam.modulation.v34.info import OFFSET_STEP_HZ, OFFSET_UNKNOWN, RateResult
from ansam.units import SAMPLE_RATE, Audio, Samples, rms_from_dbm0, samples

SPACING_HZ = 150
PERIOD: Samples = 160
"""Three repetitions of 150 Hz."""
EMPTY_HZ = (900, 1200, 1800, 2400)
_TURNED_HZ = (300, 1650, 2250, 2700, 3000, 3150, 3300, 3450)
"""Table 17: tones with a phase of 180 degrees; the others have 0."""
TONES_HZ = tuple(f for f in range(150, 3751, SPACING_HZ) if f not in EMPTY_HZ)
L1_LENGTH: Samples = samples(0.160)
L1_ABOVE_DB = 6.0
L2_LONGEST: Samples = samples(0.500)
"""§11.2.1.1.5: the most that a receiver may take of it."""

WINDOWS: tuple[Samples, ...] = (960, 480)
"""The longer is used unless erased samples leave no room for it."""
HOP: Samples = 160
SETTLE: Samples = 160
"""From the beginning of L1 or L2 until the line's response to the change has died away."""
OFFSET_HZ = 1050
_CLEAR_HZ = 33.0
"""Least distance of noise from the grid: half the main lobe of the window, and 7 Hz."""
_FLOOR = 1e-16
DISTORTED = 4.0
"""Power at an empty place, as a multiple of the noise there, that is distortion."""

PRECODER_TAPS = 3
"""§9.6.2."""
GAP_DB = 6.7
FILTERS = tuple(range(11))
"""Pre-emphasis indices (Tables 3 and 4)."""
WORTH_DB = 0.3
MAX_REDUCTION = 7
LOUDEST_DBM0 = -9.0
"""Beyond it the peaks of data, 12 dB above their level, reach the limit of G.711."""
_GRID = 64
"""Frequencies of a band at which SNR(f) is taken."""


_LAGS = np.exp(2j * np.pi * np.outer(np.arange(_GRID), np.arange(PRECODER_TAPS + 1)) / _GRID) / _GRID


def _table() -> Audio:
    n = np.arange(PERIOD)
    wave = np.zeros(PERIOD)
    for f in TONES_HZ:
        wave += (-1.0 if f in _TURNED_HZ else 1.0) * np.cos(2 * np.pi * f * n / SAMPLE_RATE)
    return np.asarray(wave / np.sqrt(np.mean(wave**2)), np.float32)


_TABLE = _table()


class ProbeSender:
    """Sends L1 and, after its 160 ms, L2 for as long as it is asked.

    Args:
        level_dbm0: Nominal power, that of L2.
    """

    def __init__(self, level_dbm0: float) -> None:
        self._rms = rms_from_dbm0(level_dbm0)
        self._at: Samples = 0

    def restart(self, level_dbm0: float) -> None:
        """Begin with L1 again."""
        self._rms = rms_from_dbm0(level_dbm0)
        self._at = 0

    def add_to(self, out: Audio) -> None:
        """Add the next samples to `out`, shape (n,) float32."""
        n = self._at + np.arange(len(out))
        gain = np.where(n < L1_LENGTH, 10 ** (L1_ABOVE_DB / 20), 1.0) * self._rms
        out += (gain * _TABLE[n % PERIOD]).astype(np.float32)
        self._at += len(out)


@dataclass(frozen=True, slots=True)
class LineProbe:
    """What probing found.

    Attributes:
        tones_dbm0: Level of each tone of L2 as received, in the order of `TONES_HZ`.
        noise_dbm0: Noise in 150 Hz around each of them.
        distortion_dbm0: Level at the four empty places; -120 where it is not above the noise.
        offset_hz: Received less sent frequency of the tone of 1050 Hz; None if not known to 0.25 Hz.
        windows: How many were averaged; the more, the better.
    """

    tones_dbm0: tuple[float, ...]
    noise_dbm0: tuple[float, ...]
    distortion_dbm0: tuple[float, ...]
    offset_hz: float | None
    windows: int

    @property
    def level_dbm0(self) -> float:
        """Level of L2 as received."""
        return 10 * math.log10(sum(10 ** (level / 10) for level in self.tones_dbm0))

    @property
    def snr_db(self) -> float:
        """L2 against the noise from 75 to 3825 Hz."""
        noise = np.interp(range(150, 3751, SPACING_HZ), TONES_HZ, self.noise_dbm0)
        return self.level_dbm0 - 10 * math.log10(float(np.sum(10 ** (noise / 10))))

    @property
    def distorted(self) -> bool:
        """Whether distortion matters: twice as much lies at an empty place as noise in 150 Hz.

        Quantising noise alone puts a sixth of that there, on the average.
        """
        distortion = float(np.mean(10 ** (np.array(self.distortion_dbm0) / 10)))
        return distortion > 2 * float(np.mean(10 ** (np.array(self.noise_dbm0) / 10)))

    @property
    def offset_field(self) -> int:
        """The frequency offset as INFO1 has it."""
        if self.offset_hz is None:
            return OFFSET_UNKNOWN
        return max(-511, min(511, round(self.offset_hz / OFFSET_STEP_HZ)))


def _clean_starts(erased: NDArray[np.bool_], size: int) -> list[int]:
    """Return where windows without erased samples begin: as many as fit, one hop apart."""
    starts = []
    at = 0
    while at + size <= len(erased):
        bad = np.flatnonzero(erased[at : at + size])
        if bad.size:
            at += int(bad[-1]) + 1
        else:
            starts.append(at)
            at += HOP
    return starts


def _spectra(audio: Audio, starts: list[int], size: int) -> NDArray[np.complex128]:
    """Return the windows' transforms, |X|² being the power of a tone at full scale ±1."""
    weight = np.blackman(size + 1)[:size]
    frames = np.array([audio[at : at + size] * weight for at in starts], np.float64)
    return np.asarray(np.fft.rfft(frames) * (np.sqrt(2) / weight.sum()))


def _offset(spectra: NDArray[np.complex128], starts: list[int], size: int) -> float | None:
    """Return the frequency offset of 1050 Hz, from the advance of its phase over windows a hop apart."""
    place = OFFSET_HZ * size // SAMPLE_RATE
    # 1050 Hz makes 21 whole turns in a hop. Neighbours over a gap have a multiple of hops or are left out.
    pairs = [k for k in range(1, len(starts)) if starts[k] - starts[k - 1] == HOP]
    if len(pairs) < 2:
        return None
    turns = spectra[1:, place] * spectra[:-1, place].conjugate()
    coarse = float(np.angle(np.sum(turns[[k - 1 for k in pairs]])) * SAMPLE_RATE / (2 * np.pi * HOP))
    first, last = pairs[0] - 1, pairs[-1]
    span = starts[last] - starts[first]
    whole = spectra[last, place] * spectra[first, place].conjugate()
    rest = np.angle(whole * np.exp(-2j * np.pi * (OFFSET_HZ + coarse) * span / SAMPLE_RATE))
    return coarse + float(rest) * SAMPLE_RATE / (2 * np.pi * span)


def _dbm0(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(2 * np.maximum(power, 5e-14)) + 3.14)


def analyse(audio: Audio, erased: NDArray[np.bool_]) -> LineProbe | None:
    """Measure L2.

    Args:
        audio: L2 without its beginning (`SETTLE`), shape (n,) float32.
        erased: Which samples never arrived, shape (n,).

    Returns:
        None where no 60 ms in a row have arrived.
    """
    for size in WINDOWS:
        starts = _clean_starts(erased, size)
        if starts:
            break
    else:
        return None
    spectra = _spectra(audio, starts, size)
    power = np.mean(np.abs(spectra) ** 2, axis=0)
    hz = np.arange(power.size) * SAMPLE_RATE / size
    weight = np.blackman(size + 1)[:size]
    bandwidth = SAMPLE_RATE * float(np.sum(weight**2)) / float(weight.sum()) ** 2
    places = np.arange(SPACING_HZ, 3751, SPACING_HZ)
    near = np.abs((hz + SPACING_HZ / 2) % SPACING_HZ - SPACING_HZ / 2)
    clear = near > _CLEAR_HZ
    noise = np.array([float(np.mean(power[clear & (np.abs(hz - f) < SPACING_HZ)])) for f in places])
    noise *= SPACING_HZ / bandwidth
    at = np.array([float(np.max(power[np.abs(hz - f) <= _CLEAR_HZ / 2])) for f in places])
    tone = np.isin(places, TONES_HZ)
    floor = noise * bandwidth / SPACING_HZ
    excess = np.where(at > DISTORTED * floor, at, 0.0)[~tone]
    levels = np.maximum(at - floor, _FLOOR)[tone]
    return LineProbe(
        tuple(_dbm0(levels).tolist()),
        tuple(_dbm0(noise[tone]).tolist()),
        tuple(_dbm0(excess).tolist()),
        _offset(spectra, starts, size),
        len(starts),
    )


def pre_emphasis_db(index: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the magnitude of a pre-emphasis filter (V.34 (10/96) §5.4.1, figures 1 and 2).

    Args:
        index: 0 … 10.
        x: Frequency over symbol rate.
    """
    if index <= 5:
        return np.asarray(2.0 * index * x)
    beta, gamma = 0.5 * (index - 5), 1.0 * (index - 5)
    return np.interp(x, [0.4, 0.8, 1.2], [0.0, beta, beta + gamma])


def effective_snr(snr: NDArray[np.float64], taps: int = PRECODER_TAPS) -> NDArray[np.float64]:
    """Return the SNR after the best equaliser and a precoder.

    Args:
        snr: SNR(f) at `_GRID` equally spaced frequencies over one symbol rate, as power ratios; shape
            (n, _GRID).
        taps: Complex taps of the precoder, 0 … 3; 0 for none.

    Returns:
        Shape (n,).
    """
    lags = (1 / (1 + snr)) @ _LAGS[:, : taps + 1]
    residue = lags[:, 0].real
    if taps:
        column = np.concatenate((lags[:, taps - 1 : 0 : -1].conj(), lags[:, :taps]), axis=1)
        toeplitz = np.arange(taps)[:, None] - np.arange(taps)[None, :] + taps - 1
        matrix = column[:, toeplitz] + np.eye(taps) * (1e-9 * lags[:, :1, None].real)
        predictor = np.linalg.solve(matrix, lags[:, 1:, None])[:, :, 0]
        residue = residue - np.sum(lags[:, 1:].conj() * predictor, axis=1).real
    return np.asarray(1 / np.maximum(residue, 1e-9) - 1)


def needed_snr_db(bit_rate: int, rate: SymbolRate) -> float:
    """Return the SNR that a data rate needs (see the module)."""
    return 10 * math.log10(2 ** (bit_rate / float(rate.baud)) - 1) + GAP_DB


Allowed = Callable[[int, bool], bool]
"""Whether a symbol rate (0 … 5) may be used with the low or high carrier."""


def _signal_to_noise(
    probe: LineProbe, rate: SymbolRate, high: bool, indices: Sequence[int], reduction: float
) -> NDArray[np.float64]:
    """Return SNR(f) over the band for each pre-emphasis filter, shape (len(indices), _GRID)."""
    baud, carrier = float(rate.baud), rate.carrier_hz(high)
    hz = carrier + baud * ((np.arange(_GRID) + 0.5) / _GRID - 0.5)
    shape = 10 ** (np.array([pre_emphasis_db(index, hz / baud) for index in indices]) / 10)
    shape /= np.mean(shape, axis=1, keepdims=True)
    tone = 10 ** (np.interp(hz, TONES_HZ, probe.tones_dbm0) / 10)
    noise = 10 ** (np.interp(hz, TONES_HZ, probe.noise_dbm0) / 10)
    # What lies at the four empty places lies, on average, at all.
    distortion = sum(10 ** (level / 10) for level in probe.distortion_dbm0 if level > -119) / len(EMPTY_HZ)
    lower = 10 ** (-reduction / 10)
    signal = len(TONES_HZ) * SPACING_HZ / baud * tone * lower * shape
    return np.asarray(signal / (noise + distortion * lower**3))


@dataclass(frozen=True, slots=True)
class RateChoice:
    """The best that one symbol rate can do.

    Attributes:
        result: As INFO1 has it.
        snr_db: SNR after equaliser and precoder.
        margin_db: What it has beyond the need of the data rate chosen.
    """

    result: RateResult
    snr_db: float
    margin_db: float


def _choose_rate(
    probe: LineProbe,
    rate: SymbolRate,
    allowed: Allowed,
    max_rate: int,
    reduction: float,
    taps: int,
    filters: Sequence[int],
) -> RateChoice:
    best: tuple[float, bool, int] | None = None
    for high in (False, True):
        if not allowed(rate.index, high):
            continue
        snr = effective_snr(_signal_to_noise(probe, rate, high, filters, reduction), taps)
        for index, found in zip(filters, 10 * np.log10(np.maximum(snr, 1e-3)), strict=True):
            if best is None or found > best[0] + WORTH_DB:
                best = (float(found), high, index)
    if best is None:
        return RateChoice(RateResult(), -30.0, 0.0)
    snr_db, high, index = best
    fits = [r for r in rate.rates if r <= max_rate and needed_snr_db(r, rate) <= snr_db]
    if not fits:
        return RateChoice(RateResult(high, index, 0), snr_db, 0.0)
    margin = snr_db - needed_snr_db(fits[-1], rate)
    return RateChoice(RateResult(high, index, fits[-1] // RATE_STEP), snr_db, margin)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a receiver asks for.

    Attributes:
        rates: Per symbol rate, 2400 first.
        power_reduction: By how much the far transmitter shall go below its power, dB, 0 … 7.
    """

    rates: tuple[RateChoice, ...]
    power_reduction: int

    @property
    def results(self) -> tuple[RateResult, ...]:
        """The fields of INFO1c."""
        return tuple(choice.result for choice in self.rates)

    def rank(self, index: int) -> tuple[int, int]:
        """Return what to compare symbol rates by: data rate, then the higher symbol rate."""
        return self.rates[index].result.max_rate, index


def choose(
    probe: LineProbe,
    allowed: Allowed,
    max_rate: int,
    may_reduce: bool = True,
    taps: int = PRECODER_TAPS,
    pre_emphasis: bool = True,
) -> Choice:
    """Decide how the far end shall send.

    Args:
        probe: What was measured.
        allowed: What its transmitter and our receiver can do.
        max_rate: Highest data rate that may be chosen, bit/s.
        may_reduce: Its transmitter can lower its power.
        taps: Of the precoder that our receiver will ask it to use.
        pre_emphasis: Filters other than 0 may be asked for.
    """
    reduction = 0
    if may_reduce and probe.distorted:
        best = -math.inf
        for r in range(MAX_REDUCTION + 1):
            ways = [(k, high) for k in SYMBOL_RATES for high in (False, True) if allowed(k.index, high)]
            gain = max(
                float(k.baud)
                * math.log2(1 + effective_snr(_signal_to_noise(probe, k, high, (0,), r), taps)[0])
                for k, high in ways
            )
            if gain > best + float(SYMBOL_RATES[0].baud) * WORTH_DB / 3:
                best, reduction = gain, r
    if may_reduce:
        reduction = max(reduction, min(MAX_REDUCTION, math.ceil(probe.level_dbm0 - LOUDEST_DBM0)))
    filters = FILTERS if pre_emphasis else FILTERS[:1]
    rates = [_choose_rate(probe, rate, allowed, max_rate, reduction, taps, filters) for rate in SYMBOL_RATES]
    return Choice(tuple(rates), reduction)
