"""The encoder of V.44 (11/2000): string matching, string extension, codes (§6.3, §6.6, §7.11 to §7.14).

Each character of the terminal goes into the history. A string is matched down the tree from its first
character; the node that ends the longest match gives the codeword, and the characters that go on matching the
history behind that node give a string-extension length. A node is a *segment*: a place in the history and a
length. Nothing found: the character goes out as an ordinal.

The tree is flat arrays indexed by codeword. The segments that branch off one node (or root) with one first
character are found by hashing the two; that takes the place of the down- and side-indices of §6.2.1, with the
same result. An appended node gets its number when the character behind the string arrives (Appendix II allows
either time), which is before that character is coded: codewords as new as the decoder's C1 are in use.

`_encode` drives both modes. In compressed mode it looks ahead up to one string; in transparent mode it goes
character by character and codes into nothing, only to count the bits (§6.5, §7.11.5).

The dictionary starts anew when codeword N2 - 1 is taken (I.1: "as soon as"), so no decoder is ever asked to
create codeword N2.

`Unclear:` §6.3.1 speaks of the "longest string in the dictionary"; two segments with one first character can
both match. We take the longest whole segment at each level and do not go back. Any choice decodes.
"""

import numba as nb
import numpy as np

from ansam.link.v44.codes import (
    CODEWORD_SIZE,
    ECM,
    EID,
    EPM,
    ESCAPE_STEP,
    ETM,
    FLUSH,
    I32,
    N4,
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
from ansam.link.v44.parameters import DEFAULT_CODEWORDS, DEFAULT_STRING, END, MAX_STRING, Parameters, Proposal

# Indices into the state. START is where the string in progress begins, C4 behind the last character that may
# be looked at, LOADED behind the last one in the history; AT and LENGTH say how far the string is matched.
_C1, _C2, _C3, _C4, _C5, _START, _LOADED, _AT, _LENGTH, _EXTENDING, _EXTENSION = range(11)
_APPEND, _AFTER, _COMPRESSED, _ESCAPE, _BUFFER, _BITS, _BALANCE, _UNFLUSHED = range(11, 19)
_CODED, _N2, _N7, _N8, _LONG_BITS = range(19, 24)
_STATE_SIZE = 24

_NONE = -1
_LOOK_AHEAD = MAX_STRING + 1
"""A string of N7 characters and the one behind it decide everything."""

_ENCODE, _END_STRING, _LEAVE = 0, 1, 2
"""What to do when the data is at its end: wait for more, flush (§7.13), go to transparent mode (§6.5.1)."""

_LEAVE_AT, _ENTER_AT, _FORGOTTEN = 96, 192, 32
"""The test of §7.11.5, a cumulative sum of the bits that coding saves.

Net bits lost at which compressed mode is left and net bits saved at which it is entered, and how much the
opposite counts at most, so that a change of the data is seen at once. Entering costs the dictionary (§6.5),
hence more.
"""

_RESERVE = 1024
"""Octets that waiting characters, control codes and alignment can add to those of the data."""


@nb.njit(nb.int64(nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _bucket(node: int, character: int, mask: int) -> int:
    return ((node * 0x9E3779B1) ^ (character * 0x85EBCA6B) ^ (node >> 3)) & mask


@nb.njit(nb.int64(S, U8, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _put(s: State, out: Octets, n: int, value: int, bits: int) -> int:
    """Transfer bits, least significant first (§6.6); in transparent mode only count them."""
    s[_BALANCE] -= bits
    if s[_COMPRESSED] == 0:
        return n
    s[_UNFLUSHED] = 1
    s[_BUFFER] |= value << s[_BITS]
    s[_BITS] += bits
    while s[_BITS] >= 8:
        out[n] = s[_BUFFER] & 0xFF
        n += 1
        s[_BUFFER] >>= 8
        s[_BITS] -= 8
    return n


@nb.njit(nb.int64(S, U8, nb.int64, nb.int64), cache=True, nogil=True)
def _put_control(s: State, out: Octets, n: int, code: int) -> int:
    n = _put(s, out, n, 1 | code << 1, 1 + s[_C2])
    s[_AFTER] = 0
    return n


@nb.njit(nb.int64(S, U8, nb.int64), cache=True, nogil=True)
def _align(s: State, out: Octets, n: int) -> int:
    """Fill up with 0 bits to an octet (§6.6)."""
    if s[_BITS] > 0:
        out[n] = s[_BUFFER] & 0xFF
        n += 1
    s[_BUFFER] = 0
    s[_BITS] = 0
    s[_UNFLUSHED] = 0
    return n


@nb.njit(nb.int64(S, U8, nb.int64, nb.int64), cache=True, nogil=True)
def _put_ordinal(s: State, out: Octets, n: int, character: int) -> int:
    """§7.11.1 and Table 5."""
    if character > 127 and s[_C5] == ORDINAL_SIZE:
        n = _put_control(s, out, n, STEPUP)
        s[_C5] = WIDE_ORDINAL_SIZE
    prefix = 1 + s[_AFTER]
    n = _put(s, out, n, character << prefix, prefix + s[_C5])
    s[_AFTER] = 0
    return n


@nb.njit(nb.int64(S, U8, nb.int64, nb.int64), cache=True, nogil=True)
def _put_codeword(s: State, out: Octets, n: int, code: int) -> int:
    """§7.11.2."""
    while code >= s[_C3]:
        n = _put_control(s, out, n, STEPUP)
        s[_C2] += 1
        s[_C3] *= 2
    n = _put(s, out, n, 1 | code << 1, 1 + s[_C2])
    s[_AFTER] = 1
    return n


@nb.njit(nb.int64(S, U8, nb.int64, nb.int64), cache=True, nogil=True)
def _put_extension(s: State, out: Octets, n: int, length: int) -> int:
    """Tables 3 and 4; the prefix "0" "1" comes first."""
    if length == 1:
        code, bits = 1, 1
    elif length <= 4:
        code, bits = (length - 1) << 1, 3
    elif length <= 12:
        code, bits = (length - 5) << 4, 7
    else:
        code, bits = 1 << 3 | (length - 13) << 4, 4 + s[_LONG_BITS]
    n = _put(s, out, n, 2 | code << 2, 2 + bits)
    s[_AFTER] = 0
    return n


@nb.njit(nb.void(S, U8, I32, nb.int64), cache=True, nogil=True)
def _restart(s: State, history: Octets, head: Ints, keep: int) -> None:
    """Empty the dictionary (§7.5.1); the characters from `keep` on are its first ones."""
    head[:] = 0
    s[_C1] = N5
    s[_C2] = CODEWORD_SIZE
    s[_C3] = 1 << CODEWORD_SIZE
    s[_C5] = ORDINAL_SIZE
    for k in range(keep, s[_LOADED]):
        history[k - keep] = history[k]
    s[_LOADED] -= keep
    s[_C4] -= keep
    s[_START] = 0
    s[_AT] = _NONE
    s[_LENGTH] = 0
    s[_EXTENDING] = 0
    s[_EXTENSION] = 0
    s[_APPEND] = _NONE
    s[_AFTER] = 0


@nb.njit(nb.void(S, U8, I32, I32, I32, I32, I32, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _create(
    s: State,
    history: Octets,
    first: Ints,
    length: Ints,
    parent: Ints,
    head: Ints,
    chain: Ints,
    node: int,
    position: int,
    count: int,
) -> None:
    """Create a segment of `count` characters at `position` of the history below `node` (§6.3.3)."""
    new = s[_C1]
    s[_C1] += 1
    first[new] = position
    length[new] = count
    parent[new] = node
    bucket = _bucket(node, history[position], len(head) - 1)
    entry = head[bucket]
    while entry != 0:
        if (
            parent[entry] == node
            and length[entry] == count == 1
            and history[first[entry]] == history[position]
        ):
            return  # Twice the same, after a flush: it has its number, but the older one has the branches.
        entry = chain[entry]
    chain[new] = head[bucket]
    head[bucket] = new


@nb.njit(nb.boolean(S, U8, I32, I32, I32, I32, I32, nb.boolean), cache=True, nogil=True)
def _match(
    s: State,
    history: Octets,
    first: Ints,
    length: Ints,
    parent: Ints,
    head: Ints,
    chain: Ints,
    final: bool,
) -> bool:
    """Go down the tree as far as the characters match (§6.3.1); False where more of them must be seen."""
    if s[_LENGTH] == 0:
        s[_AT] = history[s[_START]]
        s[_LENGTH] = 1
    mask = len(head) - 1
    end = s[_C4]
    while True:
        at = s[_START] + s[_LENGTH]
        if at == end:
            return final
        character = history[at]
        best, longest = 0, 0
        entry = head[_bucket(s[_AT], character, mask)]
        while entry != 0:
            if parent[entry] == s[_AT] and history[first[entry]] == character and length[entry] > longest:
                k = 1
                while k < length[entry] and at + k < end and history[at + k] == history[first[entry] + k]:
                    k += 1
                if k == length[entry]:
                    best, longest = entry, k
                elif at + k == end and not final:
                    return False
            entry = chain[entry]
        if best == 0:
            return True
        s[_AT] = N4 + best
        s[_LENGTH] += longest


@nb.njit(nb.int64(S, U8, I32, I32, I32, I32, I32, U8, nb.int64, nb.boolean), cache=True, nogil=True)
def _code_string(
    s: State,
    history: Octets,
    first: Ints,
    length: Ints,
    parent: Ints,
    head: Ints,
    chain: Ints,
    out: Octets,
    n: int,
    final: bool,
) -> int:
    """Code one string or ordinal (Table 1); return the octets in `out`.

    CODED in the state becomes 0 where nothing can be decided without more characters. With `final` there will
    be no more of them for this string than up to C4.
    """
    s[_CODED] = 0
    if s[_START] == s[_C4]:
        return n
    if s[_APPEND] != _NONE:
        _create(s, history, first, length, parent, head, chain, s[_APPEND], s[_START], 1)
        s[_APPEND] = _NONE
        if s[_C1] == s[_N2]:  # §7.11.3
            n = _put_control(s, out, n, REINIT)
            _restart(s, history, head, s[_START])
    if s[_EXTENDING] == 0:
        if not _match(s, history, first, length, parent, head, chain, final):
            return n
        if s[_AT] >= N4:
            n = _put_codeword(s, out, n, s[_AT] - N4)
            s[_EXTENDING] = 1
    matched = s[_LENGTH]
    if s[_EXTENDING] == 0:
        n = _put_ordinal(s, out, n, s[_AT])
        s[_APPEND] = s[_AT]
    else:
        # §6.3.2: compare with what follows the last segment in the history.
        node = s[_AT] - N4
        follows = first[node] + length[node]
        begin = s[_START] + matched
        k = s[_EXTENSION]
        while matched + k < s[_N7]:
            if begin + k == s[_C4]:
                if not final:
                    s[_EXTENSION] = k
                    return n
                break
            if history[follows + k] != history[begin + k]:
                break
            k += 1
        if k > 0:
            n = _put_extension(s, out, n, k)
            _create(s, history, first, length, parent, head, chain, s[_AT], begin, k)
            matched += k
        elif matched < s[_N7]:
            s[_APPEND] = s[_AT]
        s[_EXTENDING] = 0
        s[_EXTENSION] = 0
    s[_START] += matched
    s[_LENGTH] = 0
    s[_BALANCE] += 8 * matched
    if s[_COMPRESSED] != 0:
        s[_BALANCE] = min(s[_BALANCE], _FORGOTTEN)
    else:
        s[_BALANCE] = max(s[_BALANCE], -_FORGOTTEN)
    s[_CODED] = 1
    return n


@nb.njit(nb.int64(S, U8, I32, U8, nb.int64), cache=True, nogil=True)
def _adjust(s: State, history: Octets, head: Ints, out: Octets, n: int) -> int:
    """After a string: change the mode, or start a new dictionary where this one is full (§7.11)."""
    if s[_COMPRESSED] != 0 and s[_BALANCE] < -_LEAVE_AT:
        n = _put_control(s, out, n, ETM)  # §6.5.1
        n = _align(s, out, n)
        s[_COMPRESSED] = 0
        _restart(s, history, head, s[_START])
        s[_C4] = 0
        s[_BALANCE] = 0
    elif s[_COMPRESSED] == 0 and s[_BALANCE] > _ENTER_AT:
        out[n] = s[_ESCAPE]  # §6.5.2
        out[n + 1] = ECM
        n += 2
        s[_COMPRESSED] = 1
        _restart(s, history, head, s[_C4])
        s[_BALANCE] = 0
    elif s[_C1] == s[_N2] or s[_START] == s[_N8]:  # §7.11.3, §7.11.4
        n = _put_control(s, out, n, REINIT)
        _restart(s, history, head, s[_START])
    return n


@nb.njit(nb.int64(S, U8, I32, I32, I32, I32, I32, U8, U8, nb.int64), cache=True, nogil=True)
def _encode(
    s: State,
    history: Octets,
    first: Ints,
    length: Ints,
    parent: Ints,
    head: Ints,
    chain: Ints,
    data: Octets,
    out: Octets,
    then: int,
) -> int:
    """Encode `data` into `out`, then do as `then` says; return the octets written."""
    n = 0
    i = 0
    while True:
        final = s[_C4] == s[_N8]
        if then != _ENCODE and s[_COMPRESSED] != 0 and i == len(data) and s[_C4] == s[_LOADED]:
            final = True
        n = _code_string(s, history, first, length, parent, head, chain, out, n, final)
        if s[_CODED] != 0:
            n = _adjust(s, history, head, out, n)
        elif s[_COMPRESSED] != 0:
            room = min(s[_N8], s[_START] + _LOOK_AHEAD) - s[_LOADED]
            for _ in range(min(room, len(data) - i)):
                history[s[_LOADED]] = data[i]
                s[_LOADED] += 1
                i += 1
            if s[_LOADED] == s[_C4]:
                break
            s[_C4] = s[_LOADED]
        else:
            if s[_C4] == s[_LOADED]:
                if i == len(data):
                    break
                history[s[_LOADED]] = data[i]
                s[_LOADED] += 1
                i += 1
            character = history[s[_C4]]
            s[_C4] += 1
            out[n] = character
            n += 1
            if character == s[_ESCAPE]:  # §7.14
                out[n] = EID
                n += 1
                s[_ESCAPE] = (s[_ESCAPE] + ESCAPE_STEP) & 0xFF
    if s[_COMPRESSED] != 0:
        if then == _END_STRING and s[_UNFLUSHED] != 0:
            n = _put_control(s, out, n, FLUSH)
            n = _align(s, out, n)
        elif then == _LEAVE:
            n = _put_control(s, out, n, ETM)
            n = _align(s, out, n)
            s[_COMPRESSED] = 0
            _restart(s, history, head, s[_START])
            s[_BALANCE] = 0
    return n


class Encoder:
    """The sending direction; starts in compressed mode (§7.5).

    Args:
        codewords: N2T, 256 to 65535.
        string_length: N7T, 32 to 255.
        history: N8T, 512 to 65535; None for 3 · N2T.

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
        self._history = np.zeros(self.parameters.history, np.uint8)
        buckets = 1 << (2 * codewords - 1).bit_length()
        self._head = np.zeros(buckets, np.int32)
        self._tables = (
            self._history,
            np.zeros(codewords, np.int32),
            np.zeros(codewords, np.int32),
            np.zeros(codewords, np.int32),
            self._head,
            np.zeros(codewords, np.int32),
        )
        self.initialise()

    @property
    def compressed(self) -> bool:
        """True in compressed mode, False in transparent mode."""
        return bool(self._state[_COMPRESSED])

    def initialise(self) -> None:
        """Start anew (C-INIT, §7.5): empty dictionary, compressed mode, ESCAPE 0."""
        values = self.parameters
        self._state[:] = 0
        self._state[[_N2, _N7, _N8]] = values.codewords, values.string_length, values.history
        self._state[_LONG_BITS] = (values.string_length - 15).bit_length()  # Table 4
        self._state[_COMPRESSED] = 1
        _restart(self._state, self._history, self._head, 0)

    def encode(self, data: bytes) -> bytes:
        """Return what to transfer for `data`; the end of it may wait for more (`flush`)."""
        return self._run(data, _ENCODE)

    def flush(self) -> bytes:
        """Return what brings everything encoded so far to the far terminal (C-FLUSH, §7.13)."""
        return self._run(b"", _END_STRING)

    def propose(self, proposal: Proposal) -> bytes:
        """Return what carries parameters in parameter mode (C-PARM_request, §7.4.2).

        Transparent mode follows. The far end must have said that it supports this (C0); when negotiation is
        complete, both ends initialise.
        """
        out = self._run(b"", _LEAVE)
        return out + bytes((int(self._state[_ESCAPE]), EPM)) + proposal.octets() + bytes((END,))

    def _run(self, data: bytes, then: int) -> bytes:
        out = np.empty(4 * len(data) + _RESERVE, np.uint8)
        source = np.frombuffer(data, np.uint8).copy()
        count = _encode(self._state, *self._tables, source, out, then)
        return out[:count].tobytes()
