"""A serial line and a receiver on it, bit by bit: start-stop characters as they are framed, in real time.

Times are in seconds. The receiver works as the data sheets of the 8250 family describe: sixteen looks in an
element's time; a start element that is still 0 in its middle counts; data and stop elements are looked at in
their middle. Nothing of it is taken from the package.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator

LOOKS = 16


class Line:
    """What a terminal sends: levels with the times at which they begin."""

    def __init__(self, rate: float, begins: float = 0.001) -> None:
        self.element = 1 / rate
        self.now = begins
        self.changes: list[tuple[float, int]] = [(0.0, 1)]

    def send(self, octet: int, pause: float = 0.0) -> None:
        """One start element, eight of data (parity is the eighth), one stop element; then a pause."""
        levels = [0] + [(octet >> place) % 2 for place in range(8)] + [1]
        for number, level in enumerate(levels):
            self.changes.append((self.now + number * self.element, level))
        self.now += len(levels) * self.element + pause

    def level(self, time: float) -> int:
        return self.changes[bisect_right(self.changes, (time, 2)) - 1][1]

    def fall(self, time: float) -> float | None:
        """Return when the line next goes to 0 after a time."""
        before = self.level(time)
        for begins, level in self.changes[bisect_right(self.changes, (time, 2)) :]:
            if before and not level:
                return begins
            before = level
        return None


def received(line: Line, rate: float, *, resynchronises: bool) -> Iterator[tuple[int, bool]]:
    """Yield octets, and whether their stop element was missing, as a receiver at `rate` has them.

    Args:
        line: After everything was sent.
        rate: Of the receiver.
        resynchronises: Takes a missing stop element for the next start (16550); else waits for 1.
    """
    look = 1 / rate / LOOKS
    time = 0.0
    while (fall := line.fall(time)) is not None:
        begin = math.ceil(fall / look) * look
        while True:
            if line.level(begin + 8 * look):  # No start element: too short.
                time = begin + 9 * look
                break
            octet = sum(line.level(begin + (8 + LOOKS * n) * look) << (n - 1) for n in range(1, 9))
            stop = line.level(begin + (8 + LOOKS * 9) * look)
            yield octet, not stop
            time = begin + (9 + LOOKS * 9) * look
            if stop or not resynchronises or octet == 0:
                break
            begin += LOOKS * 9 * look
