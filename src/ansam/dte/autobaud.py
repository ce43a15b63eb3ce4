"""The rate of the terminal, found from what A and T turn into at another rate.

A serial port that runs faster than the terminal samples each of its bits several times: the character falls
to pieces, most of them without a stop element (a framing error, a break where all of it was 0). Which pieces
come depends on the ratio of the rates alone, so that the letters A and T tell it::

    terminal, 57600      A:  0   1   0   0   0   0   0   1   0   1
    port, 115200             0 0 1 1 0 0 0 0 0 0 . . . . . . . . . .     06 without a stop element, then ...
                             S 0 1 1 0 0 0 0 0 P

From ten times the terminal's rate on every run of zeros is a break, and slow rates look alike. The port then
goes down to the fastest of them and waits for the next line: one line is enough for a terminal at 115200 to
9600 bit/s, two are for one at 4800 to 1200, three for one slower than that. The line after it is understood.

Whether a receiver goes on after a framing error with the element that should have been the stop element
(16550) or waits for the line to be 1 first differs between makes; both are looked for. Every sign has a
piece without a stop element in it, so data that arrive whole never change the rate.

A terminal that is faster than the port gives no sign. The port begins at the fastest rate, and goes back to
it when DTR drops (`restart`) or when hardly anything arrives whole.
"""

from collections import deque
from collections.abc import Iterator
from functools import cache
from itertools import product

RATES = (115200, 57600, 38400, 19200, 9600, 4800, 2400, 1200, 600, 300)
"""Bit/s, the ones looked for, fastest first."""

Piece = tuple[int, bool]
"""What a port's receiver made of the line: an octet, and whether its stop element was missing. A break is
(0, True)."""

KEPT = 16
"""Pieces remembered; A and T make 7 at most where the port is ten times too fast or more."""

HOPELESS = 12
"""Pieces without a stop element, of those kept, that make the search begin anew."""

_GAP = 12
"""Elements of 1 between two letters typed by hand, at the terminal's rate: more than a character."""

_TOPS = ((0, 0), (0, 0x80), (0x80, 0), (0x80, 0x80))
"""Eighth elements of A and T: none or space, even, odd, mark (of a and t: odd for even)."""

_LEADS = (b"", b"\r", b"\x8d")
"""What may stand right before the letters, so that their first pieces are still its own: nothing, CR."""


def _elements(letters: bytes, gap: int) -> list[int]:
    """Return start-stop characters of ten elements, with 1 before and between (`gap`) them."""
    out = [1]
    for letter in letters:
        out += [1] * gap + [0, *((letter >> place) & 1 for place in range(8)), 1]
    return out


def _pieces(elements: list[int], ratio: int, *, waits: bool) -> Iterator[Piece]:
    """Yield what a receiver makes of elements that are each `ratio` of its own long.

    A piece that goes on into what follows the elements is left out: that may be anything.

    Args:
        elements: As they come; the first and the last are 1.
        ratio: Of the receiver's rate to the sender's, 2 or more.
        waits: After a framing error the receiver waits for 1; else it takes the element for a start.
    """
    line = [element for element in elements for _ in range(ratio)]
    at, end = 0, len(line) - 10
    while at <= end:
        if line[at]:
            at += 1
            continue
        octet = sum(line[at + 1 + place] << place for place in range(8))
        whole = bool(line[at + 9])
        yield octet, not whole
        at += 9
        if not whole and (waits or octet == 0):
            while not line[at]:
                at += 1


@cache
def _signs(port: int) -> dict[tuple[Piece, ...], int]:
    """Return the signs of all slower terminals at a port of this rate, each with the rate to go on at."""
    signs: dict[tuple[Piece, ...], int] = {}
    for rate in RATES:  # The fastest first: that is the one to go on at where several look alike.
        if rate >= port or port % rate:
            continue
        for letters, tops, lead in product((b"AT", b"at"), _TOPS, _LEADS):
            sent = lead + bytes(letter | top for letter, top in zip(letters, tops, strict=True))
            for gap, waits in product((0, _GAP), (False, True)):
                sign = tuple(_pieces(_elements(sent, gap), port // rate, waits=waits))
                signs.setdefault(sign, rate)
    return {sign: rate for sign, rate in signs.items() if any(wrong for _, wrong in sign)}


class RateFinder:
    """Watches what a port receives.

    Args:
        rate: At which the port runs, bit/s.
    """

    def __init__(self, rate: int = RATES[0]) -> None:
        self.restart(rate)

    def restart(self, rate: int = RATES[0]) -> None:
        """The port runs at this rate from now on, and nothing is known."""
        self.rate = rate
        self._kept: deque[Piece] = deque(maxlen=KEPT)
        self._wrong = 0

    @property
    def doubts(self) -> bool:
        """Whether a piece without a stop element is among those kept."""
        return self._wrong > 0

    def skip(self, octets: bytes) -> None:
        """Take octets that came whole while there are no doubts."""
        self._kept.extend((octet, False) for octet in octets[-KEPT:])

    def hear(self, octet: int, wrong: bool) -> int | None:
        """Take one octet; return the rate at which the port is to go on, where that is another one.

        Args:
            octet: As received.
            wrong: Its stop element was missing; a break is a 0 of this kind.
        """
        if len(self._kept) == KEPT:
            self._wrong -= self._kept[0][1]
        self._kept.append((octet, wrong))
        self._wrong += wrong
        if not self._wrong:
            return None
        found = self._found()
        if found is None and self._wrong >= HOPELESS and self.rate != RATES[0]:
            found = RATES[0]
        if found is not None:
            self.restart(found)
        return found

    def _found(self) -> int | None:
        """Return the rate of the longest sign that what is kept ends with."""
        signs, kept = _signs(self.rate), tuple(self._kept)
        for begin in range(len(kept)):
            if (rate := signs.get(kept[begin:])) is not None:
                return rate
        return None
