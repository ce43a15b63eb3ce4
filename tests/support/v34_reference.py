"""The encoder of V.34 (10/96) clauses 7 to 9 over again: slow, in plain integers, straight from the text.

It shares nothing with the package but the parameters of a rate (which their own test holds to the tables).
Its tables are those printed: figure 5, figure 9, table 12 and 13.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache

from tests.support.v34_tables import FIGURE_5, FIGURE_9

from ansam.modulation.base import Role
from ansam.modulation.v34.coding import Coding

TABLE_13 = """
0000 0000 0001 0001 1000 1000 1001 1001
0011 0010 0010 0011 1011 1010 1010 1011
0101 0101 0100 0100 1101 1101 1100 1100
0110 0111 0111 0110 1110 1111 1111 1110
1000 1000 1001 1001 0000 0000 0001 0001
1011 1010 1010 1011 0011 0010 0010 0011
1101 1101 1100 1100 0101 0101 0100 0100
1110 1111 1111 1110 0110 0111 0111 0110
"""
INVERSIONS = {8: "01 11 01 11 11 11 10 10", 7: "01 11 01 11 11 11 10"}


def quarter() -> dict[int, tuple[int, int]]:
    """Return the point of each label; every row of figure 5 lies about the column of 1 (or beside it)."""
    points = {}
    for y, labels in FIGURE_5.items():
        # The smallest label of a row stands at real part 1: of its points that one has the least magnitude.
        middle = labels.index(min(labels))
        for place, label in enumerate(labels):
            points[label] = (1 + 4 * (place - middle), y)
    return points


QUARTER = quarter()


@cache
def g2(m: int, p: int) -> int:
    return m - abs(p - m + 1) if 0 <= p <= 2 * (m - 1) else 0


@cache
def g4(m: int, p: int) -> int:
    return sum(g2(m, i) * g2(m, p - i) for i in range(p + 1)) if 0 <= p <= 4 * (m - 1) else 0


@cache
def g8(m: int, p: int) -> int:
    return sum(g4(m, i) * g4(m, p - i) for i in range(p + 1))


def map_rings(bits: list[int], m: int) -> list[int]:
    """Return [m(i,0,0), m(i,0,1), … m(i,3,1)] by the algorithm of §9.4, step by step."""

    def largest(start: int, function: Callable[[int], int]) -> tuple[int, int]:
        """Return the largest index for which the remainder is not negative, and that remainder."""
        index, rest = 0, start
        while rest - function(index) >= 0:
            rest -= function(index)
            index += 1
        return index, rest

    r0 = sum(bit << i for i, bit in enumerate(bits))
    a, rest = largest(r0, lambda p: g8(m, p))
    b, r1 = largest(rest, lambda p: g4(m, p) * g4(m, a - p))
    r2, r3 = r1 % g4(m, b), r1 // g4(m, b)
    c, r4 = largest(r2, lambda p: g2(m, p) * g2(m, b - p))
    d, r5 = largest(r3, lambda p: g2(m, p) * g2(m, a - b - p))
    e, f = r4 % g2(m, c), r4 // g2(m, c)
    g, h = r5 % g2(m, d), r5 // g2(m, d)
    rings = []
    for total, index in ((c, e), (b - c, f), (d, g), (a - b - d, h)):
        if total < m:
            rings += [index, total - index]
        else:
            rings += [total - (m - 1 - index), m - 1 - index]
    return rings


def clockwise(point: tuple[int, int], turns: int) -> tuple[int, int]:
    x, y = point
    for _ in range(turns % 4):
        x, y = y, -x
    return x, y


def subset_label(x: int, y: int) -> int:
    """Return s of figure 9, which repeats with period 8, and with the left bit changed at half of it."""
    column, row = (x + 3) // 4, (y + 3) // 4
    label = int(FIGURE_9[y - 4 * row][(x - 4 * column + 3) // 2], 2)
    return label ^ (4 if (column + row) % 2 else 0)


def nearest(value: Fraction, step: Fraction) -> Fraction:
    """Return the nearest multiple of a step, halves towards zero."""
    whole = abs(value) / step
    below = whole.numerator // whole.denominator
    count = below + (1 if whole - below > Fraction(1, 2) else 0)
    return count * step if value >= 0 else -count * step


class Trellis:
    """Figures 10 to 12 as registers."""

    def __init__(self, states: int) -> None:
        self.states = states
        self.t = [0] * {16: 4, 32: 5, 64: 6}[states]

    @property
    def y0(self) -> int:
        return self.t[-1]

    def clock(self, y4: int, y3: int, y2: int, y1: int) -> None:
        t = self.t
        if self.states == 16:
            self.t = [t[3], t[0] ^ y2 ^ t[3], t[1] ^ y2, t[2] ^ y1]
        elif self.states == 32:
            self.t = [t[4], t[0] ^ y2, t[1] ^ y1, t[2] ^ y4, t[3] ^ y2]
        else:
            self.t = [
                t[0] ^ t[1] ^ y4 ^ (t[2] & (t[1] ^ y1)),
                t[0] ^ t[1] ^ t[3] ^ y3 ^ (y2 & t[2]),
                t[1] ^ t[2] ^ y1,
                t[2],
                t[5],
                t[4] ^ t[2] ^ y2,
            ]


def scramble(bits: Iterator[int], sender: Role) -> Iterator[int]:
    """Divide by 1 + x^-18 + x^-23 or 1 + x^-5 + x^-23 (clause 7)."""
    tap = 18 if sender is Role.CALLING else 5
    line = [0] * 23
    for bit in bits:
        out = bit ^ line[tap - 1] ^ line[22]
        line = [out, *line[:-1]]
        yield out


def symbols(coding: Coding, bits: Iterator[int], aux: Iterator[int], frames: int) -> Iterator[complex]:
    """Yield x(n), before the non-linear encoder, in units of the grid: B1 and then data.

    Args:
        bits: The message, B1's ones first.
        aux: Auxiliary bits, B1's first.
    """
    p = coding.parameters
    line = scramble(bits, coding.sender)
    trellis = Trellis(coding.trellis.states)
    h = [Fraction(part, 1 << 14) for part in coding.precoding]
    past = [(Fraction(0), Fraction(0))] * 3
    z = 0
    halves = INVERSIONS[p.symbol_rate.data_frames].replace(" ", "")
    start = p.superframe - p.symbol_rate.mapping_frames

    def precode() -> tuple[Fraction, Fraction, int, int]:
        real = imag = Fraction(0)
        for (x_real, x_imag), h_real, h_imag in zip(past, h[::2], h[1::2], strict=True):
            real += x_real * h_real - x_imag * h_imag
            imag += x_real * h_imag + x_imag * h_real
        p_real, p_imag = nearest(real, Fraction(1, 128)), nearest(imag, Fraction(1, 128))
        step = Fraction(4 if p.b >= 56 else 2)
        return p_real, p_imag, int(nearest(p_real, step)), int(nearest(p_imag, step))

    for i in range(start, start + frames):
        place = i % p.symbol_rate.mapping_frames
        high = p.swp[place]
        s = [next(line) for _ in range(p.k - 1 + high if p.b > 12 else 0)]
        rings = map_rings(s, p.rings)
        with_i3 = {8: 0, 9: 1, 11: 3, 12: 4}.get(p.b - 1 + high, 4) if p.b <= 12 else 4
        for j in range(4):
            i1 = next(aux) if j == 0 and p.amp[place] else next(line)
            i2 = next(line)
            i3 = next(line) if j < with_i3 else 0
            q = [sum(next(line) << n for n in range(p.q)) for _ in range(2)]
            v = [QUARTER[q[k] + (rings[2 * j + k] << p.q)] for k in range(2)]
            z = (i2 + 2 * i3 + z) % 4
            labels, c_sums = [], []
            for k in range(2):
                p_real, p_imag, c_real, c_imag = precode()
                c_sums.append(c_real // 2 + c_imag // 2)
                turns = z
                if k == 1:
                    m = (4 * i + j) % (4 * p.superframe)
                    v0 = 0
                    if m % (2 * p.symbol_rate.mapping_frames) == 0:
                        v0 = int(halves[m // (2 * p.symbol_rate.mapping_frames)])
                    c0 = (c_sums[0] + c_sums[1]) % 2
                    turns = z + 2 * i1 + (trellis.y0 ^ c0 ^ v0)
                u = clockwise(v[k], turns)
                y = (u[0] + c_real, u[1] + c_imag)
                labels.append(subset_label(*y))
                x = (y[0] - p_real, y[1] - p_imag)
                past = [x, *past[:2]]
                yield complex(float(x[0]), float(x[1]))
            cell = TABLE_13.split()[8 * labels[0] + labels[1]]
            trellis.clock(*(int(bit) for bit in cell))
