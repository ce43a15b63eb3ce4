"""Messages cut out of a byte stream (TCP) by Content-Length (RFC 3261 §18.3, §7.5)."""

from ansam.errors import RemoteProtocolError
from ansam.sip.message import (
    MAX_BODY,
    MAX_HEAD,
    Message,
    content_length,
    find_head_end,
    parse_head,
    with_body,
)


class StreamReader:
    """One direction of one connection. However the stream is cut, the same messages come out.

    The buffer holds at most one message (`MAX_HEAD` + `MAX_BODY` octets) beside the piece just received.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Message | None = None
        self._missing = 0

    @property
    def between_messages(self) -> bool:
        """True if nothing of a message waits for its end."""
        return self._head is None and not self._buffer

    def receive(self, data: bytes) -> list[Message]:
        """Take a piece and return the messages that it completes.

        Raises:
            RemoteProtocolError: The stream cannot be read any further: close the connection. Messages
                completed by the same piece before the fault are in the exception's `complete`.
        """
        self._buffer += data
        complete: list[Message] = []
        try:
            while (message := self._next()) is not None:
                complete.append(message)
        except RemoteProtocolError as error:
            self._buffer.clear()
            raise StreamBroken(error, complete) from error
        return complete

    def _next(self) -> Message | None:
        if self._head is None and not self._read_head():
            return None
        if self._head is None or len(self._buffer) < self._missing:
            return None
        message = with_body(self._head, bytes(self._buffer[: self._missing]))
        del self._buffer[: self._missing]
        self._head = None
        return message

    def _read_head(self) -> bool:
        # §7.5: line ends before a start line are ignored; they also serve as keep-alive (RFC 5626 §3.5.1).
        blank = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
        del self._buffer[:blank]
        end, body_at = find_head_end(self._buffer, 0)
        if end < 0 or end > MAX_HEAD:
            if len(self._buffer) > MAX_HEAD:
                raise RemoteProtocolError(
                    f"header fields of more than {MAX_HEAD} octets",
                    "RFC 3261 §18.3",
                    bytes(self._buffer[:64]),
                )
            return False
        head = parse_head(bytes(self._buffer[:end]))
        length = content_length(head.headers)
        if length is None:
            raise RemoteProtocolError(
                "no Content-Length on a stream", "RFC 3261 §18.3", bytes(self._buffer[:64])
            )
        if length > MAX_BODY:
            raise RemoteProtocolError(f"Content-Length {length}", "RFC 3261 §18.3", bytes(self._buffer[:64]))
        del self._buffer[:body_at]
        self._head, self._missing = head, length
        return True


class StreamBroken(RemoteProtocolError):
    """A stream that cannot be read any further; `complete` holds the messages read before the fault."""

    def __init__(self, cause: RemoteProtocolError, complete: list[Message]) -> None:
        super().__init__(cause.message, "", cause.octets)
        self.clause = cause.clause
        self.complete = complete
