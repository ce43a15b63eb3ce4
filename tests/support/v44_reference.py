"""V.44 as its clauses read, slowly: strings as strings, codes as text of bits. It checks the compiled codec.

The encoder walks a tree with down- and side-indices (V.44 (11/2000) §6.2.1) and appends a node before its
character has come (Appendix II); the decoder keeps whole strings (§6.4). Compressed mode only, no flush: that
is what can be said without choices of the implementation.
"""

ETM, FLUSH, STEPUP, REINIT = range(4)


def lsb_first(value, bits):
    return "".join(str(value >> k & 1) for k in range(bits))


def extension_bits(length, n7):
    """Tables 3 and 4, in order of transmission."""
    if length == 1:
        return "1"
    if length <= 4:
        return "0" + {2: "10", 3: "01", 4: "11"}[length]
    if length <= 12:
        return "0" + "00" + "0" + lsb_first(length - 5, 3)
    last = 5 if n7 <= 46 else 6 if n7 <= 78 else 7 if n7 <= 142 else 8
    return "0" + "00" + "1" + lsb_first(length - 13, last)


def octets(bits):
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[k : k + 8][::-1], 2) for k in range(0, len(bits), 8))


class _Segment:
    def __init__(self, codeword, position, length):
        self.codeword, self.position, self.length = codeword, position, length
        self.down = []  # The nodes reached by the down-index and then side-indices.


class ReferenceEncoder:
    def __init__(self, n2, n7, n8):
        self.n2, self.n7, self.n8 = n2, n7, n8
        self.bits = ""

    def encode(self, data):
        """Return the bits of `data`, all of it coded."""
        base = 0
        while base < len(data):
            base += self._dictionary(data[base : base + self.n8], more=len(data) > base + self.n8)
        return self.bits

    def _control(self, code):
        self.bits += "1" + lsb_first(code, self.c2)
        self.after_codeword = False

    def _dictionary(self, history, more):
        """Code until a dictionary is used up; return the characters coded."""
        self.c1, self.c2, self.c5 = 4, 6, 7
        self.after_codeword = False
        roots = {}
        start = 0
        while start < len(history):
            node, length = self._match(roots, history, start)
            if node is None:
                self._ordinal(history[start])
                level, end = roots.setdefault(history[start], []), start + 1
                segment = 1
            else:
                self._codeword(node.codeword)
                end = start + length
                source = node.position + node.length
                while (
                    end < len(history)
                    and end - start < self.n7
                    and history[end] == history[source + end - start - length]
                ):
                    end += 1
                level, segment = node.down, end - start - length
                if segment:
                    self.bits += "01" + extension_bits(segment, self.n7)
                    self.after_codeword = False
                elif length < self.n7:
                    segment = 1
            extended = node is not None and end - start > length
            if segment and (extended or end < len(history)):
                level.append(_Segment(self.c1, end - segment if extended else end, segment))
                self.c1 += 1
            start = end
            if self.c1 == self.n2 or start == self.n8:
                self._control(REINIT)
                return start
        return start

    def _match(self, roots, history, start):
        """§6.3.1: the last completely matched segment and the length of the string up to it."""
        node, length = None, 1
        level = roots.get(history[start], [])
        while True:
            at = start + length
            matching = [
                s
                for s in level
                if history[at : at + s.length] == history[s.position : s.position + s.length]
                and at + s.length <= len(history)
            ]
            if not matching:
                return node, length
            node = max(matching, key=lambda s: s.length)
            length += node.length
            level = node.down

    def _ordinal(self, character):
        if character > 127 and self.c5 == 7:
            self._control(STEPUP)
            self.c5 = 8
        self.bits += ("00" if self.after_codeword else "0") + lsb_first(character, self.c5)
        self.after_codeword = False

    def _codeword(self, code):
        while code >= 1 << self.c2:
            self._control(STEPUP)
            self.c2 += 1
        self.bits += "1" + lsb_first(code, self.c2)
        self.after_codeword = True


class ReferenceDecoder:
    """§6.4 with the string of each codeword spelt out, beside where it ends in the history."""

    def __init__(self, n2, n7):
        self.n2, self.n7 = n2, n7

    def decode(self, data):
        self._bits = "".join(lsb_first(octet, 8) for octet in data)
        self._at = 0
        out = b""
        history, strings, previous, after = self._empty()
        while len(self._bits) - self._at > 7 or "1" in self._bits[self._at :]:
            if self._take(1) == 1:
                code = self._take(self.c2)
                if code == FLUSH:
                    self._at += -self._at % 8
                elif code == STEPUP and self._bits[self._at] == "0":
                    self.c5 += 1
                elif code == STEPUP:
                    self.c2 += 1
                elif code == REINIT:
                    out += history
                    history, strings, previous, after = self._empty()
                elif code > 3:
                    c1 = 4 + len(strings)
                    assert code <= c1, "§6.4.1 6)"
                    text = previous + previous[:1] if code == c1 else strings[code][0]
                    self._create(strings, previous, text[:1], len(history))
                    history += text
                    previous, after = text, code
                    continue
                after = None
            elif after is not None and self._take(1) == 1:
                count = self._length()
                text, last = strings[after]
                for _ in range(count):
                    last += 1
                    text += history[last : last + 1]
                    history += history[last : last + 1]
                if len(text) <= self.n7 and 4 + len(strings) < self.n2:
                    strings[4 + len(strings)] = (text, len(history) - 1)
                previous, after = b"", None
            else:
                character = bytes((self._take(self.c5),))
                self._create(strings, previous, character, len(history))
                history += character
                previous, after = character, None
        return out + history

    def _empty(self):
        self.c2, self.c5 = 6, 7
        return b"", {}, b"", None

    def _create(self, strings, previous, character, position):
        if previous and len(previous) < self.n7 and 4 + len(strings) < self.n2:
            strings[4 + len(strings)] = (previous + character, position)

    def _take(self, bits):
        text = self._bits[self._at : self._at + bits]
        assert len(text) == bits
        self._at += bits
        return int(text[::-1], 2)

    def _length(self):
        """Find the one length of Tables 3 and 4 that the next bits spell."""
        for length in range(1, self.n7 - 1):
            code = extension_bits(length, self.n7)
            if self._bits.startswith(code, self._at):
                self._at += len(code)
                return length
        raise AssertionError("no string-extension length")
