"""V.42bis (01/90): compression of the terminal's characters over an error-corrected link.

What does it do? Both ends grow the same dictionary of strings, a tree in which every node adds one character
to its parent. The encoder sends the codeword of the longest string it knows, then adds that string plus the
character that did not fit. Data that does not shrink is sent as it is (transparent mode) while both
dictionaries keep growing from it; an escape character, which moves by 51 whenever it appears, carries the
commands.

How does it work? The dictionary is flat arrays indexed by codeword; the children of a node are found by
hashing (parent, character). Entries are re-used in the order of `C1`, leaves only (§6.5). The loops over
characters are compiled: `_encode` and `_decode` hold no state of their own, everything is in the arrays of
`_Side`.

Names follow §10: N2 codewords, N5 first string entry, N7 longest string, C1 next entry, C2 codeword size, C3
threshold.

`Unclear:` §6.3 b) bars "that entry created by the last invocation of the string matching procedure". Where
the last invocation created none (§6.4 a or b) nothing is barred here; libspandsp bars the older entry after a
string of N7 characters. It matters in transparent mode alone, where the decoder matches by itself.
"""

from typing import Any, TypeAlias

import numba as nb
import numpy as np

from ansam.errors import ConfigError, RemoteProtocolError

N4 = 256
N6 = 3
N5 = N4 + N6
ETM, FLUSH, STEPUP = 0, 1, 2
"""Control codewords, Table 2."""
ECM, EID, RESET = 0, 1, 2
"""Command codes, Table 2."""

MIN_CODEWORDS, MAX_CODEWORDS = 512, 65535
MIN_STRING, MAX_STRING = 6, 250

# Indices into the state of one side.
_C1, _C2, _C3, _STRING, _LENGTH, _LAST, _PENDING, _ESCAPE = 0, 1, 2, 3, 4, 5, 6, 7
_COMPRESSED, _BUFFER, _BITS, _BALANCE, _ESCAPED, _N2, _N7, _PENDING_LENGTH = 8, 9, 10, 11, 12, 13, 14, 15
_POSITION = 16
_STATE_SIZE = 17

# Errors of the decoder, and what each breaks.
_BAD_COMMAND, _BAD_CODEWORD, _BAD_STEPUP = -1, -2, -3
_REASONS = {
    _BAD_COMMAND: ("reserved command code", "V.42bis (01/90) §9.1"),
    _BAD_CODEWORD: ("codeword of an empty dictionary entry", "V.42bis (01/90) §5.8"),
    _BAD_STEPUP: ("codeword size stepped up beyond N1", "V.42bis (01/90) §5.8"),
}

_BALANCE_LIMIT = 128
"""Balance at which the mode changes: two bits saved (or lost) a string, over the last 64 strings or so."""

# Arrays inside the kernels: compiled, their elements are plain integers, which NumPy's types can not say.
_State: TypeAlias = Any
_Ints: TypeAlias = Any
_Octets: TypeAlias = Any

_S = nb.int64[::1]
_I = nb.int32[::1]
_B = nb.uint8[::1]


@nb.njit(nb.int64(nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _bucket(parent: int, character: int, mask: int) -> int:
    return ((parent * 0x9E3779B1) ^ (character * 0x85EBCA6B) ^ (parent >> 3)) & mask


@nb.njit(nb.int64(_I, _B, _I, _I, nb.int64, nb.int64), cache=True, nogil=True)
def _find(parent: _Ints, character: _Octets, head: _Ints, chain: _Ints, string: int, octet: int) -> int:
    """Return the entry `string` + `octet`, or 0."""
    if string == 0:
        return octet + N6
    entry = head[_bucket(string, octet, len(head) - 1)]
    while entry != 0:
        if parent[entry] == string and character[entry] == octet:
            return int(entry)
        entry = chain[entry]
    return 0


@nb.njit(nb.int64(_S, _I, _B, _I, _I, _I, nb.int64, nb.int64), cache=True, nogil=True)
def _add(
    s: _State,
    parent: _Ints,
    character: _Octets,
    head: _Ints,
    chain: _Ints,
    children: _Ints,
    string: int,
    octet: int,
) -> int:
    """Create the entry `string` + `octet` (§6.4) and recover the next one (§6.5); return the new entry."""
    mask = len(head) - 1
    new = s[_C1]
    parent[new] = string
    character[new] = octet
    children[new] = 0
    children[string] += 1
    bucket = _bucket(string, octet, mask)
    chain[new] = head[bucket]
    head[bucket] = new
    entry = new
    while True:
        entry += 1  # §6.5 a)
        if entry >= s[_N2]:
            entry = N5  # §6.5 b)
        if children[entry] == 0:  # §6.5 c)
            break
    if parent[entry] != 0:  # §6.5 d)
        bucket = _bucket(parent[entry], character[entry], mask)
        at = head[bucket]
        if at == entry:
            head[bucket] = chain[entry]
        else:
            while chain[at] != entry:
                at = chain[at]
            chain[at] = chain[entry]
        children[parent[entry]] -= 1
        parent[entry] = 0
    s[_C1] = entry
    return int(new)


@nb.njit(nb.int64(_S, _B, nb.int64, nb.int64), cache=True, nogil=True)
def _put_codeword(s: _State, out: _Octets, n: int, code: int) -> int:
    s[_BUFFER] |= code << s[_BITS]
    s[_BITS] += s[_C2]
    while s[_BITS] >= 8:
        out[n] = s[_BUFFER] & 0xFF
        n += 1
        s[_BUFFER] >>= 8
        s[_BITS] -= 8
    return n


@nb.njit(nb.int64(_S, _B, nb.int64), cache=True, nogil=True)
def _align(s: _State, out: _Octets, n: int) -> int:
    """Fill up with 0 bits to an octet (§7.5)."""
    if s[_BITS] > 0:
        out[n] = s[_BUFFER] & 0xFF
        n += 1
    s[_BUFFER] = 0
    s[_BITS] = 0
    return n


@nb.njit(nb.int64(_S, _B, nb.int64), cache=True, nogil=True)
def _send_string(s: _State, out: _Octets, n: int) -> int:
    """Transfer the codeword of the matched string, with as many STEPUPs as it needs (§7.4)."""
    while s[_STRING] >= s[_C3]:
        n = _put_codeword(s, out, n, STEPUP)
        s[_C2] += 1
        s[_C3] *= 2
    return _put_codeword(s, out, n, s[_STRING])


@nb.njit(nb.void(_S), cache=True, nogil=True)
def _weigh(s: _State) -> None:
    """Compressibility test (§7.8): a leaky sum of the bits that codewords save."""
    cost, threshold = s[_C2], s[_C3]
    while s[_STRING] >= threshold:
        cost += 1
        threshold *= 2
    s[_BALANCE] += 8 * s[_LENGTH] - cost - (s[_BALANCE] >> 6)


@nb.njit(nb.int64(_S, _I, _B, _I, _I, _I, _B, _B), cache=True, nogil=True)
def _encode(
    s: _State,
    parent: _Ints,
    character: _Octets,
    head: _Ints,
    chain: _Ints,
    children: _Ints,
    data: _Octets,
    out: _Octets,
) -> int:
    """Encode `data` into `out`; return the octets written (at most 4 for each character, and 8)."""
    n = 0
    for i in range(len(data)):
        octet = int(data[i])
        if s[_PENDING] != 0:
            # Exception process next character (Figure I-7): the string ended before its longest match.
            if _find(parent, character, head, chain, s[_PENDING], octet) == 0 and s[_PENDING_LENGTH] < s[_N7]:
                s[_LAST] = _add(s, parent, character, head, chain, children, s[_PENDING], octet)
            else:
                s[_LAST] = 0
            s[_PENDING] = 0
        ended = False
        entry = _find(parent, character, head, chain, s[_STRING], octet)
        if entry != 0 and (s[_STRING] == 0 or entry != s[_LAST]):
            s[_STRING] = entry
            s[_LENGTH] += 1
        else:
            # Figure I-3: the string is complete, the character starts the next one.
            ended = True
            _weigh(s)
            if s[_COMPRESSED] != 0:
                n = _send_string(s, out, n)
            if entry == 0 and s[_LENGTH] < s[_N7]:  # §6.4 a) and b)
                s[_LAST] = _add(s, parent, character, head, chain, children, s[_STRING], octet)
            else:
                s[_LAST] = 0
            s[_STRING] = octet + N6
            s[_LENGTH] = 1
        if s[_COMPRESSED] == 0:
            out[n] = octet
            n += 1
            if octet == s[_ESCAPE]:
                out[n] = EID
                n += 1
        if octet == s[_ESCAPE]:
            s[_ESCAPE] = (s[_ESCAPE] + 51) & 0xFF  # §9.2 b)
        if not ended:
            continue
        if s[_COMPRESSED] == 0 and s[_BALANCE] > _BALANCE_LIMIT:
            # §7.8.1: the string so far went out as characters; the dictionary takes it with the next one.
            out[n] = s[_ESCAPE]
            out[n + 1] = ECM
            n += 2
            s[_COMPRESSED] = 1
            s[_BUFFER] = 0
            s[_BITS] = 0
            s[_PENDING] = s[_STRING]
            s[_PENDING_LENGTH] = s[_LENGTH]
            s[_STRING] = 0
            s[_LENGTH] = 0
            s[_BALANCE] = _BALANCE_LIMIT
        elif s[_COMPRESSED] != 0 and s[_BALANCE] < -_BALANCE_LIMIT:
            # §7.8.2
            n = _send_string(s, out, n)
            n = _put_codeword(s, out, n, ETM)
            n = _align(s, out, n)
            s[_COMPRESSED] = 0
            s[_PENDING] = s[_STRING]
            s[_PENDING_LENGTH] = s[_LENGTH]
            s[_STRING] = 0
            s[_LENGTH] = 0
            s[_BALANCE] = -_BALANCE_LIMIT
    return n


@nb.njit(nb.int64(_S, _B), cache=True, nogil=True)
def _flush(s: _State, out: _Octets) -> int:
    """Send what is matched so far (§7.9); return the octets written (at most 16)."""
    if s[_COMPRESSED] == 0:
        return 0
    n = 0
    if s[_STRING] != 0:
        _weigh(s)
        n = _send_string(s, out, n)
        s[_PENDING] = s[_STRING]
        s[_PENDING_LENGTH] = s[_LENGTH]
        s[_STRING] = 0
        s[_LENGTH] = 0
    if s[_BITS] != 0:
        n = _put_codeword(s, out, n, FLUSH)
        n = _align(s, out, n)
    return n


@nb.njit(nb.void(_S, _I, _B, _I, _I, _I), cache=True, nogil=True)
def _initialise(
    s: _State, parent: _Ints, character: _Octets, head: _Ints, chain: _Ints, children: _Ints
) -> None:
    """§6.2, §7.2: root nodes alone, transparent mode, escape character 0."""
    parent[:] = 0
    head[:] = 0
    chain[:] = 0
    children[:] = 0
    for octet in range(N4):
        character[octet + N6] = octet
    n2, n7 = s[_N2], s[_N7]
    s[:] = 0
    s[_N2], s[_N7] = n2, n7
    s[_C1] = N5
    s[_C2] = 9
    s[_C3] = 2 * N4


@nb.njit(nb.void(_S, _I, _B, _I, _I, _I, nb.int64), cache=True, nogil=True)
def _follow(
    s: _State, parent: _Ints, character: _Octets, head: _Ints, chain: _Ints, children: _Ints, octet: int
) -> None:
    """Transparent mode of the decoder: match and grow as the encoder does."""
    if s[_PENDING] != 0:
        if _find(parent, character, head, chain, s[_PENDING], octet) == 0 and s[_PENDING_LENGTH] < s[_N7]:
            s[_LAST] = _add(s, parent, character, head, chain, children, s[_PENDING], octet)
        else:
            s[_LAST] = 0
        s[_PENDING] = 0
    entry = _find(parent, character, head, chain, s[_STRING], octet)
    if entry != 0 and (s[_STRING] == 0 or entry != s[_LAST]):
        s[_STRING] = entry
        s[_LENGTH] += 1
        return
    if entry == 0 and s[_LENGTH] < s[_N7]:
        s[_LAST] = _add(s, parent, character, head, chain, children, s[_STRING], octet)
    else:
        s[_LAST] = 0
    s[_STRING] = octet + N6
    s[_LENGTH] = 1


@nb.njit(nb.int64(_S, _I, _B, _I, _I, _I, _B, nb.int64, _B), cache=True, nogil=True)
def _decode(
    s: _State,
    parent: _Ints,
    character: _Octets,
    head: _Ints,
    chain: _Ints,
    children: _Ints,
    data: _Octets,
    start: int,
    out: _Octets,
) -> int:
    """Decode `data` from `start` on until it ends or `out` could overflow.

    Returns:
        Octets written, or a negative error; the next position in `data` is left in the state.
    """
    n = 0
    i = start
    room = len(out) - MAX_STRING
    while i < len(data) and n < room:
        if s[_COMPRESSED] == 0:
            octet = int(data[i])
            i += 1
            if s[_ESCAPED] != 0:
                s[_ESCAPED] = 0
                if octet == ECM:
                    s[_COMPRESSED] = 1
                    s[_BUFFER] = 0
                    s[_BITS] = 0
                    if s[_STRING] != 0:
                        s[_PENDING] = s[_STRING]
                        s[_PENDING_LENGTH] = s[_LENGTH]
                    s[_STRING] = 0
                    s[_LENGTH] = 0
                    continue
                if octet == RESET:
                    _initialise(s, parent, character, head, chain, children)
                    continue
                if octet != EID:
                    s[_POSITION] = i
                    return _BAD_COMMAND
                octet = s[_ESCAPE]
                s[_ESCAPE] = (s[_ESCAPE] + 51) & 0xFF
            elif octet == s[_ESCAPE]:
                s[_ESCAPED] = 1
                continue
            out[n] = octet
            n += 1
            _follow(s, parent, character, head, chain, children, octet)
            continue
        while s[_BITS] < s[_C2] and i < len(data):
            s[_BUFFER] |= int(data[i]) << s[_BITS]
            s[_BITS] += 8
            i += 1
        if s[_BITS] < s[_C2]:
            break
        code = s[_BUFFER] & ((1 << s[_C2]) - 1)
        s[_BUFFER] >>= s[_C2]
        s[_BITS] -= s[_C2]
        if code == STEPUP:
            if s[_C3] >= s[_N2]:
                s[_POSITION] = i
                return _BAD_STEPUP
            s[_C2] += 1
            s[_C3] *= 2
            continue
        if code in (FLUSH, ETM):
            # Bits up to the octet boundary are fill (§7.5); whole octets in the buffer can not be there.
            s[_BUFFER] = 0
            s[_BITS] = 0
            if code == ETM:
                s[_COMPRESSED] = 0
                s[_STRING] = 0
                s[_LENGTH] = 0
            continue
        if code >= s[_N2] or (code >= N5 and parent[code] == 0):
            s[_POSITION] = i
            return _BAD_CODEWORD
        length = 0
        node = code
        while node != 0:
            length += 1
            node = parent[node] if node >= N5 else 0
        node = code
        for k in range(n + length - 1, n - 1, -1):
            out[k] = character[node]
            node = parent[node] if node >= N5 else 0
        if s[_PENDING] != 0:
            first = int(out[n])
            if _find(parent, character, head, chain, s[_PENDING], first) == 0 and s[_PENDING_LENGTH] < s[_N7]:
                s[_LAST] = _add(s, parent, character, head, chain, children, s[_PENDING], first)
                if code >= N5 and parent[code] == 0:
                    # The entry that held this string has just been recovered: no encoder sends it.
                    s[_POSITION] = i
                    return _BAD_CODEWORD
            else:
                s[_LAST] = 0
        s[_PENDING] = code
        s[_PENDING_LENGTH] = length
        for k in range(n, n + length):
            if out[k] == s[_ESCAPE]:
                s[_ESCAPE] = (s[_ESCAPE] + 51) & 0xFF
        n += length
    s[_POSITION] = i
    return n


class _Side:
    """Dictionary and state of one direction."""

    def __init__(self, codewords: int, string_length: int) -> None:
        if not MIN_CODEWORDS <= codewords <= MAX_CODEWORDS:
            raise ConfigError(f"V.42bis: {codewords} codewords", f"{MIN_CODEWORDS} to {MAX_CODEWORDS}")
        if not MIN_STRING <= string_length <= MAX_STRING:
            raise ConfigError(f"V.42bis: strings of {string_length}", f"{MIN_STRING} to {MAX_STRING}")
        buckets = 1 << (2 * codewords - 1).bit_length()
        self.state = np.zeros(_STATE_SIZE, np.int64)
        self.state[_N2], self.state[_N7] = codewords, string_length
        self.dictionary = (
            np.zeros(codewords, np.int32),
            np.zeros(codewords, np.uint8),
            np.zeros(buckets, np.int32),
            np.zeros(codewords, np.int32),
            np.zeros(codewords, np.int32),
        )
        self.initialise()

    def initialise(self) -> None:
        _initialise(self.state, *self.dictionary)

    @property
    def compressed(self) -> bool:
        return bool(self.state[_COMPRESSED])


class Encoder:
    """The sending direction.

    Args:
        codewords: N2, 512 to 65535, as negotiated from P1.
        string_length: N7, 6 to 250, as negotiated from P2.

    Raises:
        ConfigError: A parameter is out of its range (§5.1).
    """

    def __init__(self, codewords: int = 2048, string_length: int = 32) -> None:
        self._side = _Side(codewords, string_length)

    @property
    def compressed(self) -> bool:
        """True in compressed mode, False in transparent mode."""
        return self._side.compressed

    def encode(self, data: bytes) -> bytes:
        """Return what to transfer for `data`; the end of it may wait for more (`flush`)."""
        out = np.empty(4 * len(data) + 8, np.uint8)
        source = np.frombuffer(data, np.uint8).copy()
        count = _encode(self._side.state, *self._side.dictionary, source, out)
        return out[:count].tobytes()

    def flush(self) -> bytes:
        """Return what brings everything encoded so far to the far terminal (C-FLUSH, §7.9)."""
        out = np.empty(32, np.uint8)
        return out[: _flush(self._side.state, out)].tobytes()

    def initialise(self) -> None:
        """Start anew (C-INIT, §5.2)."""
        self._side.initialise()


class Decoder:
    """The receiving direction.

    Args:
        codewords: As for `Encoder`.
        string_length: As for `Encoder`.

    Raises:
        ConfigError: A parameter is out of its range (§5.1).
    """

    def __init__(self, codewords: int = 2048, string_length: int = 32) -> None:
        self._side = _Side(codewords, string_length)
        self._out = np.empty(8192, np.uint8)

    @property
    def compressed(self) -> bool:
        """True in compressed mode, False in transparent mode."""
        return self._side.compressed

    def decode(self, data: bytes, limit: int | None = None) -> bytes:
        """Return the characters that `data` stands for.

        Args:
            data: Octets as they were transferred, cut anywhere.
            limit: Most characters to return; an octet stands for up to 250 of them, and a peer decides which.

        Raises:
            RemoteProtocolError: The data is not V.42bis, or `limit` was passed; the link must start anew
                (C-ERROR, §5.8).
        """
        source = np.frombuffer(data, np.uint8).copy()
        pieces: list[bytes] = []
        position = total = 0
        while position < len(source):
            count = _decode(self._side.state, *self._side.dictionary, source, position, self._out)
            position = int(self._side.state[_POSITION])
            if count < 0:
                reason, clause = _REASONS[count]
                raise RemoteProtocolError(f"V.42bis: {reason}", clause, data[max(0, position - 8) : position])
            total += count
            if limit is not None and total > limit:
                raise RemoteProtocolError(f"V.42bis: {len(data)} octets expand to more than {limit}")
            pieces.append(self._out[:count].tobytes())
        return b"".join(pieces)

    def initialise(self) -> None:
        """Start anew (C-INIT, §5.2)."""
        self._side.initialise()
