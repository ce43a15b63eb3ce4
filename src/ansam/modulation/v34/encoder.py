"""The data mode encoder: user bits to 2D symbols, a mapping frame of eight at a time (V.34 (10/96) clause 9).

::

    bits ─ scrambler ─┬─ K bits ─ shell mapper ─ ring m ─┐
                      ├─ I2, I3 ─ differential ─ Z ──────┤
                      ├─ I1 (or an auxiliary bit) ───────┼─ map ─ u ─ precoder ─ x ─ non-linear ─ symbol
                      └─ Q ──────────────────────────────┤         └─ y, c ┐
                                                     U0 ─┴─ trellis encoder┘

The kernels hold no tables of their own: everything is in the four records of `EncoderRecords`.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.coding.scrambler import scramble_bit
from ansam.dsp.records import new_record
from ansam.modulation.v34.coding import CODES, Coding, code_record
from ansam.modulation.v34.constants import FRAME_BITS, SYMBOLS_PER_FRAME
from ansam.modulation.v34.constellation import QUARTER, subset, turn
from ansam.modulation.v34.precoder import FRACTION, PRECODERS, advance, precoder_state, predict, project
from ansam.modulation.v34.shell import SHELLS, map_rings, shell_tables
from ansam.modulation.v34.trellis import NEXT, OUTPUT_SHIFT, PAIR_BITS
from ansam.units import Bits

Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"

ENCODER = np.dtype(
    [
        ("frame", "i8"),  # the next mapping frame, counted from the start of the superframe
        ("b1", "i8"),  # mapping frames of B1 still to come
        ("register", "i8"),  # scrambler
        ("z", "i8"),  # differential encoder
        ("state", "i8"),  # convolutional encoder
        ("taken", "i8"),  # bits used up in this call
        ("aux_taken", "i8"),
        # one mapping frame, parsed (§9.3)
        ("rings", "i8"),  # an octet each
        ("i1", "i8", (4,)),
        ("i", "i8", (4,)),  # I2 + 2 I3
        ("q", "i8", (8,)),
        ("line", "u1", (FRAME_BITS,)),  # its scrambled bits
    ]
)
STATES = types.Array(from_dtype(ENCODER), 1, "C")


class EncoderRecords(NamedTuple):
    """What the kernels work on; each is an array of one record.

    Attributes:
        shell: Of `shell.shell_tables`.
        code: Of `coding.code_record`.
        precoder: Of `precoder.precoder_state`.
        state: One record of `ENCODER`.
    """

    shell: Record
    code: Record
    precoder: Record
    state: Record


RECORDS = types.NamedTuple(  # type: ignore[no-untyped-call]
    (SHELLS, CODES, PRECODERS, STATES), EncoderRecords
)
_TWO = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]
_FIVE = types.UniTuple(types.int64, 5)  # type: ignore[no-untyped-call]


@njit(types.void(RECORDS), cache=True, nogil=True)
def begin(coder: EncoderRecords) -> None:
    """Make B1 the next thing to be sent.

    §10.1.3.1: scrambler, trellis encoder, differential encoder and precoder start from zeros, and B1 is the
    last data frame of a superframe. Data follows with nothing reset.
    """
    s, code, precoder = coder.state[0], coder.code[0], coder.precoder[0]
    s.frame = code.superframe - code.frames
    s.b1 = code.frames
    s.register = 0
    s.z = 0
    s.state = 0
    for i in range(6):
        precoder.x[i] = 0


@njit(_TWO(RECORDS, types.int64), cache=True, nogil=True)
def bits_wanted(coder: EncoderRecords, frames: int) -> tuple[int, int]:
    """Return how many (primary, auxiliary) bits the next mapping frames take; those of B1 take none."""
    s, code = coder.state[0], coder.code[0]
    primary = 0
    auxiliary = 0
    for n in range(s.b1, frames):
        place = (s.frame + n) % code.frames
        primary += code.b - 1 + code.swp[place] - code.amp[place]
        auxiliary += code.amp[place]
    return primary, auxiliary


@njit(types.void(RECORDS, types.uint8[::1]), cache=True, nogil=True)
def _scramble(coder: EncoderRecords, bits: Bits) -> None:
    """Put the scrambled bits of the next mapping frame into `line`: ones in B1, and where `bits` ends."""
    s, code = coder.state[0], coder.code[0]
    place = s.frame % code.frames
    line = s.line
    register, taken = s.register, s.taken
    for n in range(code.b - 1 + code.swp[place] - code.amp[place]):
        bit = 1
        if s.b1 == 0 and taken < bits.size:
            bit = int(bits[taken]) & 1
            taken += 1
        out, register, _ = scramble_bit(register, 0, bit, code.tap_a, code.tap_b, 0)
        line[n] = out
    s.register = register
    s.taken = taken


@njit(types.int64(RECORDS, types.uint8[::1]), cache=True, nogil=True)
def _auxiliary_bit(coder: EncoderRecords, aux: Bits) -> int:
    """Return the next auxiliary bit, not scrambled (clause 7).

    Unclear: what it is in B1, "scrambled ones"; ones are sent.
    """
    s = coder.state[0]
    if s.b1 or s.aux_taken >= aux.size:
        return 1
    s.aux_taken += 1
    return int(aux[s.aux_taken - 1]) & 1


@njit(types.void(RECORDS, types.uint8[::1]), cache=True, nogil=True)
def _parse(coder: EncoderRecords, aux: Bits) -> None:
    """Split the bits of one mapping frame (§9.3) and map its rings."""
    s, code = coder.state[0], coder.code[0]
    place = s.frame % code.frames
    high = code.swp[place]
    line = s.line
    at = code.k - 1 + high if code.k else 0
    r0 = 0
    for n in range(at):
        r0 |= int(line[n]) << n
    s.rings = map_rings(coder.shell, r0)
    for j in range(4):
        if j == 0 and code.amp[place] == 1:
            s.i1[j] = _auxiliary_bit(coder, aux)
        else:
            s.i1[j] = int(line[at])
            at += 1
        s.i[j] = int(line[at])
        at += 1
        # §9.3.2: with b <= 12, 8 bits leave no I3, 9 one, 11 three and 12 four.
        if code.b > 12 or j < code.b - 9 + high:
            s.i[j] |= int(line[at]) << 1
            at += 1
        for k in range(2):
            q = 0
            for n in range(code.q):
                q |= int(line[at + n]) << n
            s.q[2 * j + k] = q
            at += code.q


@njit(_FIVE(RECORDS, types.int64, types.int64), cache=True, nogil=True)
def _symbol(coder: EncoderRecords, n: int, turns: int) -> tuple[int, int, int, int, int]:
    """Map and precode symbol n of the frame (§9.6.1, §9.6.2).

    Returns:
        (x real, x imaginary) in 2^-7, the subset label of y, and (c real, c imaginary).
    """
    s, code = coder.state[0], coder.code[0]
    label = s.q[n] + ((s.rings >> 8 * n & 255) << code.q)
    u_real, u_imag = turn(QUARTER[label, 0], QUARTER[label, 1], turns & 3)
    p_real, p_imag, c_real, c_imag = predict(coder.precoder)
    y_real, y_imag = u_real + c_real, u_imag + c_imag
    x_real, x_imag = advance(coder.precoder, y_real, y_imag, p_real, p_imag)
    return x_real, x_imag, subset(y_real, y_imag), c_real, c_imag


@njit("complex128(int64, int64, float64, float64)", cache=True, nogil=True)
def to_line(x_real: int, x_imag: int, kappa: float, scale: float) -> complex:
    """Return the symbol of mean power 1 for x(n) in 2^-7: the non-linear encoder and the level."""
    unit = 1.0 / (1 << FRACTION)
    return scale * project(complex(x_real * unit, x_imag * unit), kappa)


@njit(
    types.void(RECORDS, types.uint8[::1], types.uint8[::1], types.complex128[::1], types.int64),
    cache=True,
    nogil=True,
)
def encode_frame(
    coder: EncoderRecords, bits: Bits, aux: Bits, out: NDArray[np.complex128], first: int
) -> None:
    """Encode one mapping frame into out[first : first + 8]; for use inside a transmitter's kernel.

    `taken` and `aux_taken` of the state move on along `bits` and `aux`; their owner sets them to 0.
    """
    s, code = coder.state[0], coder.code[0]
    _scramble(coder, bits)
    _parse(coder, aux)
    for j in range(4):
        m = 4 * s.frame + j
        s.z = (s.z + s.i[j]) & 3
        x_real, x_imag, label, c_real, c_imag = _symbol(coder, 2 * j, s.z)
        out[first + 2 * j] = to_line(x_real, x_imag, code.kappa, code.scale)
        odd = (c_real + c_imag) >> 1
        # x of the first symbol goes into c of the second: C0 is known only now (Table 11).
        _, _, c_real, c_imag = predict(coder.precoder)
        u0 = (odd ^ ((c_real + c_imag) >> 1)) & 1  # C0
        u0 ^= s.state >> OUTPUT_SHIFT[code.trellis] & 1  # Y0
        if m % code.half == 0:
            u0 ^= code.inversions[m // code.half]  # V0
        x_real, x_imag, label2, c_real, c_imag = _symbol(coder, 2 * j + 1, s.z + 2 * s.i1[j] + u0)
        out[first + 2 * j + 1] = to_line(x_real, x_imag, code.kappa, code.scale)
        s.state = NEXT[code.trellis, s.state, PAIR_BITS[8 * label + label2]]
    s.frame = (s.frame + 1) % code.superframe
    s.b1 = max(0, s.b1 - 1)


@njit(types.void(RECORDS, types.uint8[::1], types.uint8[::1], types.complex128[::1]), cache=True, nogil=True)
def encode(coder: EncoderRecords, bits: Bits, aux: Bits, out: NDArray[np.complex128]) -> None:
    """Encode as many whole mapping frames as `out` has room for.

    Args:
        coder: Of `encoder_records`, after `begin`.
        bits: Primary channel, not scrambled, as many as `bits_wanted` says.
        aux: Auxiliary channel, likewise.
        out: Shape (8 n,): symbols of mean power 1.
    """
    coder.state[0].taken = 0
    coder.state[0].aux_taken = 0
    for frame in range(out.size // SYMBOLS_PER_FRAME):
        encode_frame(coder, bits, aux, out, SYMBOLS_PER_FRAME * frame)


def encoder_records(coding: Coding) -> EncoderRecords:
    """Return the records of a direction, ready to send B1."""
    p = coding.parameters
    coder = EncoderRecords(
        shell_tables(p.k, p.rings),
        code_record(coding),
        precoder_state(coding.precoding, p.w),
        new_record(ENCODER),
    )
    begin(coder)
    return coder


class Encoder:
    """Encodes one direction; B1 comes first.

    Args:
        coding: How.
    """

    def __init__(self, coding: Coding) -> None:
        self.coding = coding
        self.records = encoder_records(coding)

    def restart(self) -> None:
        """Send B1 again next (rate renegotiation, retrain)."""
        begin(self.records)

    def bits_wanted(self, frames: int) -> tuple[int, int]:
        """Return how many (primary, auxiliary) bits the next mapping frames take."""
        primary, auxiliary = bits_wanted(self.records, frames)
        return primary, auxiliary

    def encode(self, frames: int, bits: Bits, aux: Bits | None = None) -> NDArray[np.complex128]:
        """Return the symbols of the next mapping frames.

        Args:
            frames: How many.
            bits: As many as `bits_wanted` says.
            aux: Likewise; ones where None.

        Returns:
            Shape (8 * frames,), mean power 1.
        """
        out = np.zeros(SYMBOLS_PER_FRAME * frames, np.complex128)
        extra = np.zeros(0, np.uint8) if aux is None else aux
        encode(self.records, bits, extra, out)
        return out
