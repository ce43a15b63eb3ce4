"""The data mode decoder: points of the grid to user bits (V.34 (10/96) clauses 7 to 9, from the far side).

::

    y + noise ─ slice ─ Viterbi ─┬─ newest decisions, at once ─ the receiver's loops
                                 └─ y, `delay` 4D symbols later ─ precoder: c, x ─ u ─┬─ turns: Z, I1
                                                                                      ├─ label: Q, ring m
    bits ─ descrambler ─ parser ◄─ shell mapper's inverse ◄────────────────────────────┘

The code does not change when all points are turned by 90 degrees: then the decisions are turned, and the
differential decoder takes the turn out again, so any of the four carrier phases will do.
"""

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.coding.scrambler import descramble_bit
from ansam.dsp.records import new_record
from ansam.errors import LocalProtocolError
from ansam.modulation.v34.coding import CODES, Coding, code_record
from ansam.modulation.v34.constants import FRAME_BITS
from ansam.modulation.v34.constellation import locate
from ansam.modulation.v34.precoder import PRECODERS, advance, precoder_state, predict
from ansam.modulation.v34.shell import SHELLS, shell_tables, unmap_rings
from ansam.modulation.v34.sync import Sync, find_superframe
from ansam.modulation.v34.viterbi import (
    MAX_DELAY,
    RING,
    VITERBI,
    VITERBIS,
    decide,
    slice_point,
    start,
    step,
    weigh,
)
from ansam.units import Bits

Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"

_ERROR_SHARE = 1 / 128
"""Weight of the newest 4D symbol in the error figures: they look back over about 40 ms."""
_AGREEMENT_SHARE = 1 / 12
"""Weight of the newest bit inversion in `agreement`: it looks back over about 0.2 s."""
_AGREEMENT_START = 1.5
_LOST = 0.5
"""Share of the `agreement` to be expected below which the superframe is lost. Measured at 1 error in 10,000
bits and better: 0.7 or more with the right superframe, soon below 0.3 with a wrong one."""
HISTORY = 1024
"""Points kept: more than one superframe (§8.1: at most 960)."""

DECODER = np.dtype(
    [
        ("delay", "i8"),  # 4D symbols
        ("half", "i8"),  # 1: the first symbol of a pair is in
        ("weights", "f8", (2,)),
        ("received", "c16", (2,)),
        ("newest", "i8"),  # place of the next point in the rings
        ("points", "c8", (HISTORY,)),
        ("point_weights", "f4", (HISTORY,)),
        ("m", "i8"),  # 4D symbol to be received next, from the start of the superframe
        ("decided", "i8"),  # 4D symbol to be decided next
        ("b1", "i8"),  # mapping frames of B1 still to come
        ("skip", "i8"),  # 4D symbols before the first whole mapping frame
        ("z", "i8"),
        ("register", "i8"),
        # the mapping frame being decided
        ("rings", "i8"),
        ("i1", "i8", (4,)),
        ("i", "i8", (4,)),
        ("q", "i8", (8,)),
        ("line", "u1", (FRAME_BITS,)),
        # results, set to 0 by the owner
        ("bits", "i8"),
        ("aux", "i8"),
        # results
        ("tentative", "c16", (2,)),  # newest decisions of the best path
        ("settled", "c16", (2,)),  # decisions that the last step settled
        ("error", "f8"),  # mean |received - tentative|², per symbol that has weight
        ("growth", "f8"),  # mean metric of the best path, per symbol and unit of weight
        ("outside", "i8"),  # decided points outside the constellation
        ("b1_bits", "i8"),
        ("b1_wrong", "i8"),  # bits of B1 that are not 1
        ("checked", "i8"),  # bit inversions seen
        ("mismatched", "i8"),  # of them, other than expected
        ("agreement", "f8"),  # mean evidence for the inversions that are expected
    ]
)
STATES = types.Array(from_dtype(DECODER), 1, "C")


class DecoderRecords(NamedTuple):
    """What the kernels work on; each is an array of one record.

    Attributes:
        shell: Of `shell.shell_tables`.
        code: Of `coding.code_record`.
        precoder: Of `precoder.precoder_state`.
        search: One record of `VITERBI`.
        state: One record of `DECODER`.
    """

    shell: Record
    code: Record
    precoder: Record
    search: Record
    state: Record


RECORDS = types.NamedTuple(  # type: ignore[no-untyped-call]
    (SHELLS, CODES, PRECODERS, VITERBIS, STATES), DecoderRecords
)


@njit(types.void(RECORDS, types.int64, types.boolean), cache=True, nogil=True)
def begin(decoder: DecoderRecords, m: int, b1: bool) -> None:
    """Make the next point the first of a 4D symbol.

    Args:
        decoder: Of `decoder_records`.
        m: Index of that 4D symbol in its superframe; not used where `b1`.
        b1: It is the first of B1 (§10.1.3.1), so that all start states are known. False: none is, and the
            first bits are worthless until the scrambler's 23 have passed.
    """
    s, code, precoder = decoder.state[0], decoder.code[0], decoder.precoder[0]
    s.m = 4 * (code.superframe - code.frames) if b1 else m % (4 * code.superframe)
    s.decided = s.m
    s.b1 = code.frames if b1 else 0
    s.skip = -s.m & 3
    s.half = 0
    s.z = 0
    s.register = 0
    s.rings = 0
    s.b1_bits = 0
    s.b1_wrong = 0
    s.agreement = _AGREEMENT_START
    for i in range(6):
        precoder.x[i] = 0
    start(decoder.search, 0 if b1 else -1)


@njit(types.int64(RECORDS), cache=True, nogil=True)
def _join(decoder: DecoderRecords) -> int:
    """Put the bits of a decided mapping frame in order (§9.3), in `line`; return their number.

    An auxiliary bit is left in `i1[0]`.
    """
    s, code = decoder.state[0], decoder.code[0]
    place = (s.decided >> 2) % code.frames
    high = code.swp[place]
    line = s.line
    r0 = unmap_rings(decoder.shell, s.rings)
    count = code.k - 1 + high if code.k else 0
    for n in range(count):
        line[n] = r0 >> n & 1
    for j in range(4):
        if j > 0 or code.amp[place] == 0:
            line[count] = s.i1[j]
            count += 1
        line[count] = s.i[j] & 1
        count += 1
        # §9.3.2: with b <= 12, 8 bits leave no I3, 9 one, 11 three and 12 four.
        if code.b > 12 or j < code.b - 9 + high:
            line[count] = s.i[j] >> 1
            count += 1
        for k in range(2):
            for n in range(code.q):
                line[count] = s.q[2 * j + k] >> n & 1
                count += 1
    return count


@njit(types.void(RECORDS, types.uint8[::1], types.uint8[::1]), cache=True, nogil=True)
def _deliver(decoder: DecoderRecords, bits: Bits, aux: Bits) -> None:
    """Descramble the bits of a decided mapping frame and deliver them; those of B1 are only counted."""
    s, code = decoder.state[0], decoder.code[0]
    line = s.line
    register, at, ones = s.register, s.bits, 0
    count = _join(decoder)
    for n in range(count):
        bit, register, _ = descramble_bit(register, 0, int(line[n]), code.tap_a, code.tap_b, 0)
        ones += bit
        if s.b1 == 0 and at < bits.size:
            bits[at] = bit
            at += 1
    s.register = register
    s.bits = at
    if s.b1:
        s.b1 -= 1
        s.b1_bits += count
        s.b1_wrong += count - ones
    elif code.amp[(s.decided >> 2) % code.frames] and s.aux < aux.size:
        aux[s.aux] = s.i1[0]
        s.aux += 1
    s.rings = 0


@njit(types.int64(RECORDS, types.int64, types.int64, types.int64), cache=True, nogil=True)
def _undo_symbol(decoder: DecoderRecords, n: int, y_real: int, y_imag: int) -> int:
    """Undo precoding and mapping of symbol n of its frame; return its clockwise turns."""
    s, code = decoder.state[0], decoder.code[0]
    p_real, p_imag, c_real, c_imag = predict(decoder.precoder)
    advance(decoder.precoder, y_real, y_imag, p_real, p_imag)
    turns, label = locate(y_real - c_real, y_imag - c_imag)
    if label < 0 or label >= code.quarter:
        s.outside += 1
        label = code.quarter - 1
    s.q[n] = label & ((1 << code.q) - 1)
    s.rings |= label >> code.q << 8 * n
    return turns


@njit(types.void(RECORDS, types.uint8[::1], types.uint8[::1]), cache=True, nogil=True)
def _settle(decoder: DecoderRecords, bits: Bits, aux: Bits) -> None:
    """Decide the 4D symbol of `delay` steps ago; the fourth of a mapping frame delivers its bits."""
    s, search = decoder.state[0], decoder.search[0]
    pair = decide(decoder.search, s.delay)
    row = (search.row - s.delay) & (RING - 1)
    j = s.decided & 3
    first = search.points[row, 0, pair >> 3]
    second = search.points[row, 1, pair & 7]
    s.settled[0] = complex(first[0], first[1])
    s.settled[1] = complex(second[0], second[1])
    z = _undo_symbol(decoder, 2 * j, first[0], first[1])
    turns = _undo_symbol(decoder, 2 * j + 1, second[0], second[1])
    s.i[j] = (z - s.z) & 3
    s.i1[j] = (turns - z) >> 1 & 1
    s.z = z
    if s.skip > 0:
        s.skip -= 1
        s.rings = 0
    elif j == 3:
        _deliver(decoder, bits, aux)
    s.decided = (s.decided + 1) % (4 * decoder.code[0].superframe)


@njit(types.int64(RECORDS), cache=True, nogil=True)
def _expected_inversion(decoder: DecoderRecords) -> int:
    """Return V0 of the 4D symbol that is being received, and hold the evidence to it (§9.6.3)."""
    s, code, search = decoder.state[0], decoder.code[0], decoder.search[0]
    if s.m % code.half:
        return 0
    v0 = code.inversions[s.m // code.half]
    least = min(s.weights[0], s.weights[1])
    if least > 0.0 and search.steps >= 16:
        seen = min(4.0, max(-4.0, search.inversion / least))
        agrees = -seen if v0 else seen
        s.checked += 1
        s.mismatched += agrees < 0.0
        s.agreement += _AGREEMENT_SHARE * (agrees - s.agreement)
    return int(v0)


@njit(types.void(RECORDS), cache=True, nogil=True)
def _newest(decoder: DecoderRecords) -> None:
    """Publish the newest decisions of the best path, and the error figures."""
    s, search = decoder.state[0], decoder.search[0]
    pair = search.back[search.row, search.best] >> 6
    square = 0.0
    count = 0
    for n in range(2):
        label = pair >> 3 if n == 0 else pair & 7
        point = search.points[search.row, n, label]
        s.tentative[n] = complex(point[0], point[1])
        if s.weights[n] > 0.0:
            miss = s.received[n] - s.tentative[n]
            square += miss.real * miss.real + miss.imag * miss.imag
            count += 1
    weight = s.weights[0] + s.weights[1]
    if count:
        s.error += _ERROR_SHARE * (square / count - s.error)
        s.growth += _ERROR_SHARE * (min(search.growth, 1e3) / weight - s.growth)


@njit(types.void(RECORDS, types.complex128, types.float64), cache=True, nogil=True)
def keep(decoder: DecoderRecords, point: complex, weight: float) -> None:
    """Put a point among those that `resynchronise` looks at, without decoding it."""
    s = decoder.state[0]
    s.points[s.newest] = point if weight > 0.0 else 0j
    s.point_weights[s.newest] = weight
    s.newest = (s.newest + 1) % HISTORY


@njit(
    types.boolean(RECORDS, types.complex128, types.float64, types.uint8[::1], types.uint8[::1]),
    cache=True,
    nogil=True,
)
def push(decoder: DecoderRecords, point: complex, weight: float, bits: Bits, aux: Bits) -> bool:
    """Take one point.

    Args:
        decoder: Of `decoder_records`, after `begin`.
        point: y(n) plus noise, in units of the grid (`front.to_grid`).
        weight: 1 for a usual symbol, 0 for one that never arrived, between them for one that is noisier
            than usual; the ratio is that of the inverse noise powers.
        bits: Room for primary channel bits, descrambled; those of a mapping frame (at most 79) come together,
            from `state[0].bits` on, which the owner sets to 0.
        aux: Room for auxiliary channel bits likewise, from `state[0].aux` on.

    Returns:
        True where the point was the second of its 4D symbol: `tentative` of the state now holds the newest
        decisions for this point and the one before, and `settled` those of `delay` 4D symbols ago.
    """
    s, search = decoder.state[0], decoder.search[0]
    s.received[s.half] = point
    weight = slice_point(decoder.code, decoder.search, s.half, point, weight)
    s.weights[s.half] = weight
    keep(decoder, point, weight)
    if s.half == 0:
        s.half = 1
        return False
    s.half = 0
    weigh(decoder.code, decoder.search)
    step(decoder.code, decoder.search, _expected_inversion(decoder))
    s.m = (s.m + 1) % (4 * decoder.code[0].superframe)
    _newest(decoder)
    if search.steps > s.delay:
        _settle(decoder, bits, aux)
    return True


@njit(
    types.int64(RECORDS, types.complex128[::1], types.float64[::1], types.uint8[::1], types.uint8[::1]),
    cache=True,
    nogil=True,
)
def decode(
    decoder: DecoderRecords,
    points: NDArray[np.complex128],
    weights: NDArray[np.float64],
    bits: Bits,
    aux: Bits,
) -> int:
    """Take a block of points, as `push` does one; `bits` and `aux` of the state count from 0.

    Returns:
        How many bits there are in `bits`.
    """
    s = decoder.state[0]
    s.bits = 0
    s.aux = 0
    for n in range(points.size):
        push(decoder, points[n], weights[n], bits, aux)
    return int(s.bits)


def superframe_lost(decoder: DecoderRecords) -> bool:
    """Return whether the bit inversions are not where they should be, as far as 0.2 s can tell."""
    s = decoder.state[0]
    # Noise moves the evidence by four times the largest of four coordinates' errors, on the average 1.46 of
    # their standard deviation, which is that of `growth` over two.
    expected = max(0.6, 4.0 - 4.0 * 1.46 * math.sqrt(max(0.0, s.growth) / 2))
    return bool(s.agreement < _LOST * expected)


_PRIMER = 256
"""Points heard again after a resynchronisation, so that paths, precoder and descrambler are in step."""


def resynchronise(decoder: DecoderRecords) -> Sync | None:
    """Look for the superframe in the points kept, and go on decoding from what is found.

    Bits that are still in the decoder are lost; as the place in the stream is another one, they mean nothing.

    Returns:
        What was found; None where it is not certain, and nothing was changed.
    """
    s = decoder.state[0]
    points = np.roll(s.points, -int(s.newest)).astype(np.complex128)
    weights = np.roll(s.point_weights, -int(s.newest)).astype(np.float64)
    return go_on(decoder, points, weights)


def go_on(
    decoder: DecoderRecords, points: NDArray[np.complex128], weights: NDArray[np.float64]
) -> Sync | None:
    """Look for the superframe in points, shape (n,) in units of the grid, and go on decoding after the last.

    Args:
        decoder: Of `decoder_records`.
        points: The newest last.
        weights: Shape (n,), as `push` takes them.

    Returns:
        As `resynchronise`.
    """
    s = decoder.state[0]
    found = find_superframe(decoder.code, points, weights)
    if found is None:
        return None
    first = found.first + (points.size - _PRIMER) // 2 * 2
    m = found.m + (first - found.first) // 2
    none = np.zeros(0, np.uint8)
    begin(decoder, m, False)
    for point, weight in zip(points[first:], weights[first:], strict=True):
        push(decoder, point, weight, none, none)
    s.bits = 0
    s.aux = 0
    return found


def decoder_records(coding: Coding, delay: int = 32) -> DecoderRecords:
    """Return the records of a direction, ready for the first point of B1.

    Args:
        coding: How the far end codes.
        delay: 4D symbols from a decision to the point it follows, 1 to 62.
    """
    if not 1 <= delay <= MAX_DELAY:
        raise LocalProtocolError(f"a decoding delay of {delay} 4D symbols is not in 1 to {MAX_DELAY}")
    p = coding.parameters
    decoder = DecoderRecords(
        shell_tables(p.k, p.rings),
        code_record(coding),
        precoder_state(coding.precoding, p.w),
        new_record(VITERBI),
        new_record(DECODER),
    )
    decoder.state[0].delay = delay
    begin(decoder, 0, True)
    return decoder


class Decoder:
    """Decodes one direction from the first point of B1 on.

    Args:
        coding: How the far end codes.
        delay: 4D symbols from a decision to the point it follows.
    """

    def __init__(self, coding: Coding, delay: int = 32) -> None:
        self.coding = coding
        self.records = decoder_records(coding, delay)
        self._room = coding.parameters.b

    def restart(self, m: int = 0, b1: bool = True) -> None:
        """Take the next point as the first of B1, or of 4D symbol m of a superframe; forget all before."""
        begin(self.records, m, b1)

    @property
    def superframe_lost(self) -> bool:
        """Whether the bit inversions are not where they should be, as far as 0.2 s can tell."""
        return superframe_lost(self.records)

    def resynchronise(self) -> Sync | None:
        """Look for the superframe in the last 1024 points, and go on from what is found."""
        return resynchronise(self.records)

    def decode(
        self, points: NDArray[np.complex128], weights: NDArray[np.float64] | None = None
    ) -> tuple[Bits, Bits]:
        """Return the (primary, auxiliary) bits that more points settle.

        Args:
            points: Shape (n,), in units of the grid.
            weights: Shape (n,), as `push` takes them; all 1 where None.
        """
        given = np.ones(points.size) if weights is None else np.asarray(weights, np.float64)
        bits = np.zeros((points.size // 8 + 1) * self._room, np.uint8)
        aux = np.zeros(points.size // 8 + 1, np.uint8)
        count = decode(self.records, np.asarray(points, np.complex128), given, bits, aux)
        return bits[:count], aux[: int(self.records.state[0].aux)]
