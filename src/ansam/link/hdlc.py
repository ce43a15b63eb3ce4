"""HDLC framing: flags, zero insertion, aborts and check sequences (V.42 (03/2002) §8.1.1).

A frame is the octets between two flags without its FCS; octets cross least significant bit first (§8.1.2.2).
The two loops over bits are compiled; everything per frame is Python.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numba as nb
import numpy as np

from ansam.coding.crc import crc16, crc32
from ansam.units import Bits

FLAG = np.array([0, 1, 1, 1, 1, 1, 1, 0], np.uint8)
FLAGS = np.tile(FLAG, 256)

# The receiver's state, kept in an array so that the kernel holds none.
_ONES, _OCTET, _COUNT, _LENGTH, _OPEN, _FLAGS, _WHOLE = range(7)


@nb.njit(nb.int64(nb.uint8[::1], nb.uint8[::1]), cache=True, nogil=True)
def _stuff(octets: Any, out: Any) -> int:
    """Write the bits of a frame with inserted zeros into `out`; return how many."""
    n = 0
    ones = 0
    for octet in octets:
        for i in range(8):
            bit = (octet >> i) & 1
            out[n] = bit
            n += 1
            ones = ones + 1 if bit else 0
            if ones == 5:
                out[n] = 0
                n += 1
                ones = 0
    return n


@nb.njit(nb.int64(nb.int64[::1], nb.uint8[::1], nb.int64, nb.uint8[::1]), cache=True, nogil=True)
def _unstuff(s: Any, bits: Any, start: int, frame: Any) -> int:
    """Take bits until a flag or an abort ends a frame, or the bits are used up.

    The octets so far are in `frame`, their number in the state; one that would overflow `frame` is an abort.

    Returns:
        The next position; -1 - position where a frame ended: by a flag, or by an abort (`_OPEN` is 0 then).
    """
    for i in range(start, len(bits)):
        bit = bits[i]
        if bit:
            s[_ONES] += 1
            if s[_ONES] >= 7:
                s[_FLAGS] = 0
                if s[_OPEN]:
                    s[_OPEN] = 0
                    return -2 - i
                continue
        else:
            ones = s[_ONES]
            s[_ONES] = 0
            if ones == 5:
                continue
            if ones == 6:
                s[_FLAGS] += 1
                if s[_OPEN] and s[_LENGTH] > 0:
                    s[_FLAGS] = 1
                    # The flag's first seven bits were taken for data: they leave seven bits of an octet.
                    s[_WHOLE] = s[_COUNT] == 7
                    return -2 - i
                s[_OPEN] = 1
                s[_OCTET] = 0
                s[_COUNT] = 0
                continue
            if ones > 6:
                continue
        if s[_OPEN] == 0:
            continue
        s[_OCTET] |= bit << s[_COUNT]
        s[_COUNT] += 1
        if s[_COUNT] == 8:
            if s[_LENGTH] == len(frame):
                s[_OPEN] = 0
                return -2 - i
            frame[s[_LENGTH]] = s[_OCTET]
            s[_LENGTH] += 1
            s[_OCTET] = 0
            s[_COUNT] = 0
    return len(bits)


class Transmitter:
    """Turns frames into bits.

    Args:
        next_frame: Asked for the next frame each time the line would idle; None is answered with flags, one
            at a time.

    Attributes:
        fcs32: Use the 32-bit check sequence for the next frames.
    """

    def __init__(self, next_frame: Callable[[], bytes | None]) -> None:
        self.fcs32 = False
        self._next_frame = next_frame
        self._bits = np.zeros(0, np.uint8)
        self._position = 0

    def pull(self, count: int) -> Bits:
        """Return exactly `count` bits."""
        pieces = []
        idle = False
        while count > 0:
            if self._position == len(self._bits):
                idle = idle or not self._load()
                if idle:
                    self._bits = FLAGS[: (count + 7) // 8 * 8]
                    self._position = 0
            piece = self._bits[self._position : self._position + count]
            self._position += len(piece)
            count -= len(piece)
            pieces.append(piece)
        return np.concatenate(pieces) if pieces else np.zeros(0, np.uint8)

    def _load(self) -> bool:
        """Put the next frame and its closing flag; False where there is none."""
        frame = self._next_frame()
        if frame is None:
            return False
        self._position = 0
        fcs = crc32(frame).to_bytes(4, "little") if self.fcs32 else crc16(frame).to_bytes(2, "little")
        octets = np.frombuffer(frame + fcs, np.uint8).copy()
        bits = np.empty(len(octets) * 10 + 8, np.uint8)
        count = _stuff(octets, bits)
        bits[count : count + 8] = FLAG
        self._bits = bits[: count + 8]
        return True


class Receiver:
    """Turns bits into frames.

    Args:
        max_octets: Longest frame, address to FCS; what runs on for longer is dropped (§8.5.5, Note).

    Attributes:
        fcs32: Accept the 32-bit check sequence.
        fcs16: Accept the 16-bit check sequence. Both may be on (§8.10.2).
        bad_frames: Frames dropped: FCS wrong, not whole octets, too short, too long, aborted.
    """

    def __init__(self, max_octets: int = 1100) -> None:
        self.fcs16 = True
        self.fcs32 = False
        self.bad_frames = 0
        self._frame = np.zeros(max_octets, np.uint8)
        self._state = np.zeros(7, np.int64)

    def receive(self, bits: Bits) -> Iterator[bytes]:
        """Yield the good frames in the bits, without their FCS."""
        s = self._state
        position = 0
        while position < len(bits):
            position = _unstuff(s, bits, position, self._frame)
            if position >= 0:
                return
            position = -1 - position
            frame = self._ended()
            if frame is not None:
                yield frame

    @property
    def flags(self) -> int:
        """Flags seen since the last frame or abort."""
        return int(self._state[_FLAGS])

    def _ended(self) -> bytes | None:
        """A frame ended: return it if it is good."""
        s = self._state
        length, whole = int(s[_LENGTH]), bool(s[_OPEN] and s[_WHOLE])
        s[_OCTET] = s[_COUNT] = s[_LENGTH] = 0
        octets = self._frame[:length].tobytes()
        if whole and length >= 4:
            if self.fcs16 and crc16(octets[:-2]) == int.from_bytes(octets[-2:], "little"):
                return octets[:-2]
            if self.fcs32 and length >= 6 and crc32(octets[:-4]) == int.from_bytes(octets[-4:], "little"):
                return octets[:-4]
        self.bad_frames += length > 0
        return None
