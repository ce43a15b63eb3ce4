"""A bounded queue of bytes with the hysteresis of a flow-control line."""


class ByteQueue:
    """First in, first out, at most `limit` bytes.

    `open` goes False when the queue is filled above three quarters and True again below one quarter, as a
    modem drops and raises circuit 106; `write` itself refuses only what exceeds the limit.

    Args:
        limit: Capacity in bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.open = True
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data)

    @property
    def room(self) -> int:
        """Bytes that would be taken now."""
        return self.limit - len(self._data)

    def write(self, data: bytes) -> int:
        """Append as much of `data` as fits; return how many bytes that was."""
        taken = min(len(data), self.room)
        self._data += data[:taken]
        self._update()
        return taken

    def read(self, count: int | None = None) -> bytes:
        """Remove and return up to `count` bytes (None: all)."""
        count = len(self._data) if count is None else count
        out = bytes(self._data[:count])
        del self._data[:count]
        self._update()
        return out

    def clear(self) -> None:
        """Forget everything."""
        self._data.clear()
        self._update()

    def _update(self) -> None:
        if len(self._data) * 4 >= self.limit * 3:
            self.open = False
        elif len(self._data) * 4 <= self.limit:
            self.open = True
