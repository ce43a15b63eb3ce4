"""What the terminals send, and the account of what arrived."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ansam.errors import ConfigError

MAX_FILE = 64 << 20

_SENTENCE = """the quick brown fox jumps over a lazy dog while modems whistle to each other across copper
lines and nobody in the house may lift the receiver until the file has arrived at last"""

_WINDOW = 2048
"""How many bytes the comparison looks ahead for the place where the streams agree again."""

_AGREE = 8
"""That many equal bytes are agreement."""


class Source(Protocol):
    """An endless stream of bytes."""

    def read(self, count: int) -> bytes:
        """Return the next `count` bytes."""


class RandomBytes:
    """Bytes of all values, evenly."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def read(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        return self._rng.bytes(count)


class Text:
    """Lines of English-looking text, as compressible as such text is."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._words = _SENTENCE.split()
        self._ready = b""

    def read(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        while len(self._ready) < count:
            words = self._rng.choice(self._words, int(self._rng.integers(5, 13)))
            self._ready += " ".join(words).encode() + b"\r\n"
        out, self._ready = self._ready[:count], self._ready[count:]
        return out


class Cycle:
    """The same bytes over and over."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        out = bytearray()
        while len(out) < count:
            piece = self._data[self._at : self._at + count - len(out)]
            out += piece
            self._at = (self._at + len(piece)) % len(self._data)
        return bytes(out)


def open_payload(name: str, rng: np.random.Generator) -> Source:
    """Return the stream of that name.

    Args:
        name: ``random``, ``text`` or the path of a file.
        rng: Source of chance.

    Raises:
        ConfigError: The file cannot be read, is empty or longer than 64 MiB.
    """
    if name == "random":
        return RandomBytes(rng)
    if name == "text":
        return Text(rng)
    remedy = "choose random, text or the path of a file that can be read"
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"payload {name!r}: {reason}", remedy) from error
    if not data:
        raise ConfigError(f"payload {name!r} is empty", remedy)
    if len(data) > MAX_FILE:
        raise ConfigError(f"payload {name!r} is longer than 64 MiB", remedy)
    return Cycle(data)


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a stream.

    Attributes:
        right: Bytes that arrived as sent and in order.
        wrong: Bytes that arrived and were not sent like that: changed or invented.
        lost: Bytes sent for which nothing arrived.
    """

    right: int
    wrong: int
    lost: int


def compare(sent: bytes, received: bytes) -> Account:
    """Align two streams and count.

    Where they part, the nearest pair of places from which eight bytes agree is where they are taken up
    again; of what lies between, received bytes are wrong, and sent ones lost as far as they outnumber them.
    """
    # Characters no byte becomes, so that an error among the last bytes finds agreement too.
    end = "".join(chr(0x100 + n) for n in range(_AGREE))
    a, b = sent.decode("latin-1") + end, received.decode("latin-1") + end
    i = j = right = wrong = lost = 0
    while True:
        run = _common(a, i, b, j)
        right += run
        i, j = i + run, j + run
        if i == len(a) and j == len(b):
            break
        skip_sent, skip_received = _agreement(a, i, b, j)
        wrong += skip_received
        lost += max(0, skip_sent - skip_received)
        i, j = i + skip_sent, j + skip_received
    return Account(right - len(end), wrong, lost)


def _common(a: str, i: int, b: str, j: int) -> int:
    """Return how many characters agree from a[i] and b[j] on."""
    run = 0
    while True:
        x, y = a[i + run : i + run + 4096], b[j + run : j + run + 4096]
        if x == y and x:
            run += len(x)
            continue
        length = min(len(x), len(y))
        codes = (np.frombuffer(z[:length].encode("utf-16-le"), np.uint16) for z in (x, y))
        differ = np.flatnonzero(np.not_equal(*codes))
        return run + (int(differ[0]) if len(differ) else length)


def _agreement(a: str, i: int, b: str, j: int) -> tuple[int, int]:
    """Return the smallest steps in a and b after which they agree; both to their end where there are none."""
    places: dict[str, int] = {}
    for step in range(min(_WINDOW, len(a) - i - _AGREE), -1, -1):
        places[a[i + step : i + step + _AGREE]] = step
    best: tuple[int, int] | None = None
    for step in range(min(_WINDOW, len(b) - j - _AGREE) + 1):
        if best is not None and step >= sum(best):
            break
        found = places.get(b[j + step : j + step + _AGREE])
        if found is not None and (best is None or found + step < sum(best)):
            best = (found, step)
    if best is not None:
        return best
    # Nothing in sight: a long stretch was lost or all is noise. Give up the window; the ends always agree.
    far_a, far_b = len(a) - i - _AGREE, len(b) - j - _AGREE
    return min(_WINDOW // 2, far_a), min(_WINDOW // 2, far_b)
