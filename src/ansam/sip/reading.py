"""From octets to messages that can be worked on: datagrams, streams, and what is refused unread."""

from collections.abc import Callable

from ansam.errors import RemoteProtocolError
from ansam.sip.core import Core
from ansam.sip.events import Flow
from ansam.sip.message import (
    BodyTooShort,
    Message,
    Response,
    UnsupportedVersion,
    parse_message,
)
from ansam.sip.registration import KEEP_ALIVE
from ansam.sip.stream import StreamBroken, StreamReader
from ansam.sip.uas import check_message
from ansam.units import Seconds

MAX_STREAMS = 4096
"""TCP connections read at once; the one silent longest is closed for a new one."""

PONG = b"\r\n"
"""Answer to a keep-alive on a connection (RFC 5626 §4.4.1)."""


class Reading:
    """The receiving side of a user agent, up to the transaction layer.

    Args:
        core: The agent's.
        pump: Works off what the transaction layer reports; called between two messages of one piece.

    Attributes:
        malformed: Messages dropped or refused because they could not be read.
    """

    def __init__(self, core: Core, pump: Callable[[Seconds], None]) -> None:
        self._core = core
        self._pump = pump
        self._streams: dict[Flow, StreamReader] = {}
        self.malformed = 0

    def receive(self, data: bytes, flow: Flow, now: Seconds) -> None:
        """Take one datagram (udp) or any piece of a stream (tcp, tls)."""
        if flow.transport == "udp":
            self._receive_datagram(data, flow, now)
        else:
            self._receive_stream(data, flow, now)

    def forget(self, flow: Flow) -> None:
        """Drop what a stream has sent in part: its connection is gone."""
        self._streams.pop(flow, None)

    def close(self, flow: Flow) -> None:
        """Close a connection; what it has sent in part is forgotten."""
        self.forget(flow)
        self._core.layer.close(flow)

    def _receive_datagram(self, data: bytes, flow: Flow, now: Seconds) -> None:
        if not data.strip(b"\r\n\0 "):
            return  # keep-alive (RFC 5626 §3.5.1 and what adaptors make of it)
        try:
            message = parse_message(data)
        except BodyTooShort as error:
            self._refuse_unread(error.head, 400, "Body Too Short", flow)
        except UnsupportedVersion as error:
            self._refuse_unread(error.head, 505, "", flow)
        except RemoteProtocolError:
            self.malformed += 1
        else:
            self._receive_message(message, flow, now)

    def _receive_stream(self, data: bytes, flow: Flow, now: Seconds) -> None:
        reader = self._streams.pop(flow, None) or StreamReader()
        if data == KEEP_ALIVE and reader.between_messages:
            self._core.layer.send_raw(PONG, flow)
        # Taken out and put in again: the first in the dict is the one silent longest.
        self._streams[flow] = reader
        if len(self._streams) > MAX_STREAMS:
            self.close(next(iter(self._streams)))
        broken = False
        try:
            messages = reader.receive(data)
        except StreamBroken as error:
            messages, broken = error.complete, True
            self.malformed += 1
        for message in messages:
            self._receive_message(message, flow, now)
            self._pump(now)
        if broken:
            self.close(flow)

    def _receive_message(self, message: Message, flow: Flow, now: Seconds) -> None:
        try:
            check_message(message)
            self._core.layer.receive(message, flow, now)
        except RemoteProtocolError:
            self._refuse_unread(message, 400, "", flow)

    def _refuse_unread(self, message: Message, status: int, reason: str, flow: Flow) -> None:
        """Answer a request that cannot be worked on, if it can be answered at all; drop a response."""
        self.malformed += 1
        if isinstance(message, Response) or message.method == "ACK":
            return
        response = self._core.make_response(message, status, reason=reason)
        self._core.layer.refuse(message, flow, response)
