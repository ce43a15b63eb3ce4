"""Sends a file to a caller piece by piece, line ends as CR LF, stopping at every screenful where wanted.

Nothing is read ahead of the line: a piece is made when the line can take it, so a file of any size costs one
piece of memory.
"""

from ansam.answer.shelf import Shelf

PIECE = 512
"""Octets read at a time."""


class Paper:
    """One file on its way out.

    Args:
        shelf: Where it lies.
        name: Its name.
        page: Lines after which to stop, or 0 for never.
    """

    def __init__(self, shelf: Shelf, name: str, page: int) -> None:
        self.name = name
        self.page = page
        self.at_end = False
        self.page_full = False
        self._shelf = shelf
        self._offset = 0
        self._lines = 0
        self._after_cr = False
        self._held = b""

    def next_page(self) -> None:
        """Go on after a full page."""
        self._lines = 0
        self.page_full = False

    def pull(self) -> bytes:
        """Return the next piece, or b"" when a page is full or the file is at its end."""
        if self.page_full or self.at_end:
            return b""
        raw = self._held or self._shelf.read(self.name, self._offset, PIECE)
        if not raw:
            self.at_end = True
            return b""
        if not self._held:
            self._offset += len(raw)
        taken = self._cut(raw)
        self._held = raw[len(taken) :]
        return self._line_ends(taken)

    def _cut(self, raw: bytes) -> bytes:
        """Return as much of `raw` as fits on the page; mark the page full at its last line end."""
        if not self.page:
            return raw
        at = 0
        while (end := raw.find(b"\n", at)) >= 0:
            at = end + 1
            self._lines += 1
            if self._lines >= self.page:
                self.page_full = True
                return raw[:at]
        return raw

    def _line_ends(self, raw: bytes) -> bytes:
        """Put a CR before every LF that has none."""
        marked = (b"\r" if self._after_cr else b"") + raw
        self._after_cr = raw.endswith(b"\r")
        turned = marked.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if len(marked) == len(raw):
            return turned
        # The CR of the piece before has gone out already.
        return turned[1:]
