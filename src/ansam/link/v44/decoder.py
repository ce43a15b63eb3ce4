"""The decoder of V.44 (11/2000): codes back to characters (§6.4, §7.15).

Written from clause 6.4 by itself; it shares nothing with the encoder but the numbers of clause 7.2. Its
dictionary is the string collection (where in the history each codeword's string ends, and how long it is) and
the history.

The string of the code before the present one always ends the history, so its length is all that Table 2 needs
to know of it; 0 stands for "no string is created" (after a string-extension length, and at the start).

`Unclear:` one STEPUP serves ordinals and codewords; the text does not say how the decoder tells which. An
encoder sends it immediately before the code that needs it (§7.11), so the next code's prefix tells.

A codeword equal to C1 is refused where the code before it can not have created it (after a string-extension
length, at the start, after a string of N7R characters); §6.4.1 3) and 4) name no other case. An extension
that leads beyond N7R creates no string (Table 2) but is copied.
"""

import numba as nb
import numpy as np

from ansam.errors import RemoteProtocolError
from ansam.link.v44.codes import (
    CODEWORD_SIZE,
    ECM,
    EID,
    EPM,
    ESCAPE_STEP,
    ETM,
    I32,
    N5,
    ORDINAL_SIZE,
    REINIT,
    STEPUP,
    U8,
    WIDE_ORDINAL_SIZE,
    Ints,
    Octets,
    S,
    State,
)
from ansam.link.v44.parameters import DEFAULT_CODEWORDS, DEFAULT_STRING, END, Parameters, Proposal

# Indices into the state. PREVIOUS is the length of the string that the next code appends to, CODEWORD the
# codeword that a string-extension length would extend.
_C1, _C2, _C4, _C5, _PREVIOUS, _CODEWORD, _AFTER, _STEPUP, _MODE, _ESCAPE, _ESCAPED = range(11)
_BUFFER, _BITS, _POSITION, _MORE, _COUNT, _VALUE_LEFT, _LENGTH_NEXT, _ENDED = range(11, 19)
_N1, _N2, _N7, _N8, _LONG_BITS = range(19, 24)
_STATE_SIZE = 24

_TRANSPARENT, _COMPRESSED, _PARAMETER = 0, 1, 2

_BAD_CODEWORD, _BAD_STEPUP, _BAD_ORDINAL_STEPUP, _FULL, _BAD_COMMAND, _LONG_PARAMETERS = (
    -1,
    -2,
    -3,
    -4,
    -5,
    -6,
)
_REASONS = {
    _BAD_CODEWORD: ("codeword not created yet", "V.44 (11/2000) §6.4.1"),
    _BAD_STEPUP: ("codeword size stepped up beyond N1", "V.44 (11/2000) §7.15"),
    _BAD_ORDINAL_STEPUP: ("ordinal size stepped up beyond 8", "V.44 (11/2000) §7.15"),
    _FULL: ("more characters than the history holds", "V.44 (11/2000) §6.2.2"),
    _BAD_COMMAND: ("reserved command", "V.44 (11/2000) §7.14"),
    _LONG_PARAMETERS: ("parameter mode without an end", "V.44 (11/2000) §7.4.2"),
}

_LONGEST = 13 + 255
"""Most characters that one code can stand for: a string-extension length of Table 4."""
_PARAMETER_OCTETS = 256
"""Most octets taken in parameter mode; all of Table 10 is 27."""


@nb.njit(nb.void(S), cache=True, nogil=True)
def _restart(s: State) -> None:
    """Empty the dictionary (§7.5.2)."""
    s[_C1] = N5
    s[_C2] = CODEWORD_SIZE
    s[_C4] = 0
    s[_C5] = ORDINAL_SIZE
    s[_PREVIOUS] = 0
    s[_AFTER] = 0
    s[_STEPUP] = 0


@nb.njit(nb.boolean(S, U8, nb.int64), cache=True, nogil=True)
def _have(s: State, data: Octets, bits: int) -> bool:
    """Read octets until `bits` bits are there; False where the data ends before."""
    while s[_BITS] < bits:
        if s[_POSITION] == len(data):
            return False
        s[_BUFFER] |= int(data[s[_POSITION]]) << s[_BITS]
        s[_BITS] += 8
        s[_POSITION] += 1
    return True


@nb.njit(nb.int64(S, nb.int64, nb.int64), cache=True, nogil=True)
def _take(s: State, skip: int, bits: int) -> int:
    """Drop `skip` bits, then take a number of `bits` bits."""
    value = (s[_BUFFER] >> skip) & ((1 << bits) - 1)
    s[_BUFFER] >>= skip + bits
    s[_BITS] -= skip + bits
    return int(value)


@nb.njit(nb.void(S, I32, I32, nb.int64, nb.int64), cache=True, nogil=True)
def _collect(s: State, last: Ints, length: Ints, position: int, count: int) -> None:
    """Create a string that ends at `position` (§6.4.2), unless it is too long or no codeword is left."""
    if count <= s[_N7] and s[_C1] < s[_N2]:
        last[s[_C1]] = position
        length[s[_C1]] = count
        s[_C1] += 1


@nb.njit(nb.int64(S, U8, U8, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _copy(s: State, history: Octets, out: Octets, n: int, source: int, count: int) -> int:
    """Copy characters of the history to its end and to the output, one by one: they may overlap."""
    if s[_C4] + count > s[_N8]:
        return _FULL
    for k in range(count):
        character = history[source + k]
        history[s[_C4]] = character
        s[_C4] += 1
        out[n] = character
        n += 1
    return n


@nb.njit(nb.int64(S, U8, I32, I32, U8, nb.int64, nb.int64), cache=True, nogil=True)
def _codeword(s: State, history: Octets, last: Ints, length: Ints, out: Octets, n: int, code: int) -> int:
    """§6.4.1 2) to 4) and 6). The string of C1 is the one before, and its own first character."""
    known = s[_C1]
    if s[_PREVIOUS] > 0:
        _collect(s, last, length, s[_C4], s[_PREVIOUS] + 1)
    if code > known or code >= s[_C1]:
        return _BAD_CODEWORD
    n = _copy(s, history, out, n, last[code] - length[code] + 1, length[code])
    s[_PREVIOUS] = length[code]
    s[_CODEWORD] = code
    s[_AFTER] = 1
    return n


@nb.njit(nb.int64(S, U8, U8, I32, I32, U8, nb.int64), cache=True, nogil=True)
def _extension(s: State, data: Octets, history: Octets, last: Ints, length: Ints, out: Octets, n: int) -> int:
    """§6.4.1 5) with Tables 3 and 4. Nothing is taken, and `n` returned, where bits are missing."""
    # Behind the two bits of the prefix: "1"; or "0" and two bits; or "0" "00" "0" and three; or "0" "00" "1".
    if not _have(s, data, 3):
        return n
    if s[_BUFFER] >> 2 & 1 == 1:
        _take(s, 2, 1)
        count = 1
    else:
        if not _have(s, data, 5):
            return n
        if s[_BUFFER] >> 3 & 3 != 0:
            count = _take(s, 3, 2) + 1
        else:
            if not _have(s, data, 6):
                return n
            if s[_BUFFER] >> 5 & 1 == 0:
                if not _have(s, data, 9):
                    return n
                count = _take(s, 6, 3) + 5
            else:
                if not _have(s, data, 6 + s[_LONG_BITS]):
                    return n
                count = _take(s, 6, s[_LONG_BITS]) + 13
    code = s[_CODEWORD]
    n = _copy(s, history, out, n, last[code] + 1, count)
    if n >= 0:
        _collect(s, last, length, s[_C4] - 1, length[code] + count)
    s[_PREVIOUS] = 0
    s[_AFTER] = 0
    return n


@nb.njit(nb.int64(S, U8, U8, I32, I32, U8, nb.int64), cache=True, nogil=True)
def _compressed_code(
    s: State, data: Octets, history: Octets, last: Ints, length: Ints, out: Octets, n: int
) -> int:
    """Process one code of the compressed mode; return the octets in `out`, or a negative error."""
    if not _have(s, data, 1):
        return n
    prefix = s[_BUFFER] & 1
    if s[_STEPUP] != 0:
        s[_STEPUP] = 0
        if prefix == 0:
            if s[_C5] == WIDE_ORDINAL_SIZE:
                return _BAD_ORDINAL_STEPUP
            s[_C5] = WIDE_ORDINAL_SIZE
        else:
            if s[_C2] == s[_N1]:
                return _BAD_STEPUP
            s[_C2] += 1
    if prefix == 1:
        if not _have(s, data, 1 + s[_C2]):
            return n
        code = _take(s, 1, s[_C2])
        if code >= N5:
            return _codeword(s, history, last, length, out, n, code)
        s[_AFTER] = 0
        if code == STEPUP:
            s[_STEPUP] = 1
        elif code == REINIT:
            _restart(s)
        else:
            # FLUSH or ETM. What is left is less than an octet: the 0 bits of §6.6.
            s[_BUFFER] = 0
            s[_BITS] = 0
            if code == ETM:
                s[_MODE] = _TRANSPARENT
        return n
    if s[_AFTER] != 0:
        if not _have(s, data, 2):
            return n
        if s[_BUFFER] & 2 != 0:
            return _extension(s, data, history, last, length, out, n)
    if not _have(s, data, 1 + s[_AFTER] + s[_C5]):
        return n
    character = _take(s, 1 + s[_AFTER], s[_C5])
    if s[_C4] == s[_N8]:
        return _FULL
    if s[_PREVIOUS] > 0:
        _collect(s, last, length, s[_C4], s[_PREVIOUS] + 1)
    history[s[_C4]] = character
    s[_C4] += 1
    out[n] = character
    s[_PREVIOUS] = 1
    s[_AFTER] = 0
    return n + 1


@nb.njit(nb.int64(S, U8, nb.int64, nb.int64), cache=True, nogil=True)
def _transparent_octet(s: State, out: Octets, n: int, octet: int) -> int:
    """Process one octet of the transparent mode (§7.14); it does not enter the history (§6.5)."""
    if s[_ESCAPED] == 0:
        if octet == s[_ESCAPE]:
            s[_ESCAPED] = 1
            return n
        out[n] = octet
        return n + 1
    s[_ESCAPED] = 0
    if octet == ECM:
        _restart(s)
        s[_MODE] = _COMPRESSED
        s[_BUFFER] = 0
        s[_BITS] = 0
        return n
    if octet == EPM:
        s[_MODE] = _PARAMETER
        s[_COUNT] = 0
        s[_VALUE_LEFT] = 0
        s[_LENGTH_NEXT] = 0
        return n
    if octet == EID:
        out[n] = s[_ESCAPE]
        s[_ESCAPE] = (s[_ESCAPE] + ESCAPE_STEP) & 0xFF
        return n + 1
    return _BAD_COMMAND


@nb.njit(nb.boolean(S, U8, nb.int64), cache=True, nogil=True)
def _parameter_octet(s: State, parameters: Octets, octet: int) -> bool:
    """Keep one octet of the parameter mode (Table 10); False where there are too many."""
    if s[_VALUE_LEFT] > 0:
        s[_VALUE_LEFT] -= 1
    elif s[_LENGTH_NEXT] != 0:
        s[_LENGTH_NEXT] = 0
        s[_VALUE_LEFT] = octet
    elif octet == END:
        s[_MODE] = _TRANSPARENT
        s[_ENDED] = 1
        return True
    else:
        s[_LENGTH_NEXT] = 1
    if s[_COUNT] == len(parameters):
        return False
    parameters[s[_COUNT]] = octet
    s[_COUNT] += 1
    return True


@nb.njit(nb.int64(S, U8, I32, I32, U8, U8, U8), cache=True, nogil=True)
def _decode(
    s: State, history: Octets, last: Ints, length: Ints, parameters: Octets, data: Octets, out: Octets
) -> int:
    """Decode `data` from the state's position on until it ends, `out` could overflow or parameters end.

    Returns:
        Octets written, or a negative error; the state says whether there is more to do.
    """
    n = 0
    s[_MORE] = 0
    s[_ENDED] = 0
    while True:
        if n > len(out) - _LONGEST or s[_ENDED] != 0:
            s[_MORE] = 1
            return n
        if s[_MODE] == _COMPRESSED:
            bits, position = s[_BITS], s[_POSITION]
            n = _compressed_code(s, data, history, last, length, out, n)
            if n < 0:
                return n
            if s[_POSITION] == len(data) and s[_BITS] == bits + 8 * (len(data) - position):
                return n  # Everything is read and no bit was taken: the code is not complete.
            continue
        if s[_POSITION] == len(data):
            return n
        octet = int(data[s[_POSITION]])
        s[_POSITION] += 1
        if s[_MODE] == _TRANSPARENT:
            n = _transparent_octet(s, out, n, octet)
            if n < 0:
                return n
        elif not _parameter_octet(s, parameters, octet):
            return _LONG_PARAMETERS


class Decoder:
    """The receiving direction; starts in compressed mode (§7.5).

    Args:
        codewords: N2R, 256 to 65535.
        string_length: N7R, 32 to 255.
        history: N8R, 512 to 65535; None for 3 · N2R.

    Raises:
        ConfigError: A parameter is out of its range (Table 10).
    """

    def __init__(
        self,
        codewords: int = DEFAULT_CODEWORDS,
        string_length: int = DEFAULT_STRING,
        history: int | None = None,
    ) -> None:
        self.parameters = Parameters(codewords, string_length, history or 0)
        self._state = np.zeros(_STATE_SIZE, np.int64)
        self._received = np.zeros(_PARAMETER_OCTETS, np.uint8)
        self._tables = (
            np.zeros(self.parameters.history, np.uint8),
            np.zeros(codewords, np.int32),
            np.zeros(codewords, np.int32),
            self._received,
        )
        self._out = np.empty(8192, np.uint8)
        self._proposal: Proposal | None = None
        self.initialise()

    @property
    def compressed(self) -> bool:
        """True in compressed mode, False in transparent or parameter mode."""
        return bool(self._state[_MODE] == _COMPRESSED)

    def initialise(self) -> None:
        """Start anew (C-INIT, §7.5): empty dictionary, compressed mode, ESCAPE 0."""
        values = self.parameters
        self._state[:] = 0
        self._state[[_N1, _N2, _N7, _N8]] = (
            values.codeword_size,
            values.codewords,
            values.string_length,
            values.history,
        )
        self._state[_LONG_BITS] = (values.string_length - 15).bit_length()  # Table 4
        self._state[_MODE] = _COMPRESSED
        self._proposal = None
        _restart(self._state)

    def decode(self, data: bytes, limit: int | None = None) -> bytes:
        """Return the characters that `data` stands for.

        Args:
            data: Octets as they were transferred, cut anywhere.
            limit: Most characters to return; an octet can stand for hundreds, and a peer decides which.

        Raises:
            RemoteProtocolError: The data is not V.44, or `limit` was passed; the link must start anew
                (C-ERROR, §7.15).
        """
        source = np.frombuffer(data, np.uint8).copy()
        pieces: list[bytes] = []
        total = 0
        self._state[_POSITION] = 0
        more = True
        while more:
            count = _decode(self._state, *self._tables, source, self._out)
            if count < 0:
                reason, clause = _REASONS[count]
                position = int(self._state[_POSITION])
                raise RemoteProtocolError(f"V.44: {reason}", clause, data[max(0, position - 8) : position])
            total += count
            if limit is not None and total > limit:
                raise RemoteProtocolError(f"V.44: {len(data)} octets expand to more than {limit}")
            pieces.append(self._out[:count].tobytes())
            if self._state[_ENDED]:
                self._proposal = Proposal.from_octets(self._received[: self._state[_COUNT]].tobytes())
            more = bool(self._state[_MORE])
        return b"".join(pieces)

    def take_proposal(self) -> Proposal | None:
        """Return what the far end proposed last in parameter mode (C-PARM_indication, §7.4.2), once."""
        proposal, self._proposal = self._proposal, None
        return proposal
