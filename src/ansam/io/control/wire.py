r"""What crosses a control socket: one request as a line of JSON, then frames of a kind, a length and octets.

::

    {"do": "scope", "modem": "ttyUSB1"}\n   ──►
                                            ◄──  T 00000123 {...}   one for each message
    (closes)                                ──►

A connection serves one request; whatever is still to come ends with it. Requests: list, state, panel, scope,
audio, terminal, dial, answer, hangup, volume, bundle.
"""

import asyncio
import json
import struct
from typing import Any

from ansam.errors import RemoteProtocolError

TEXT, BINARY, FAULT = b"T", b"B", b"F"
LONGEST = 1 << 24
"""Octets of a frame: a bundle of 60 s has two million."""

LONGEST_REQUEST = 4096
"""Octets of a request's line."""

_HEAD = struct.Struct(">cI")


def pack(kind: bytes, data: bytes) -> bytes:
    """Return a frame."""
    return _HEAD.pack(kind, len(data)) + data


def pack_json(message: object, kind: bytes = TEXT) -> bytes:
    """Return a frame of JSON."""
    return pack(kind, json.dumps(message, separators=(",", ":")).encode())


async def read_frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """Return kind and octets of the next frame; None at the end.

    Raises:
        RemoteProtocolError: What comes is no frame.
    """
    try:
        kind, length = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        if kind not in (TEXT, BINARY, FAULT) or length > LONGEST:
            raise RemoteProtocolError("control socket: no frame", "io.control.wire", bytes(kind))
        return kind, await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def read_request(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Return a request; None where there is none.

    Raises:
        RemoteProtocolError: It is not one.
    """
    try:
        line = await reader.readuntil(b"\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError:
        raise RemoteProtocolError("control socket: the request is too long", "io.control.wire") from None
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise RemoteProtocolError("control socket: the request is no JSON", "io.control.wire", line) from None
    if not isinstance(request, dict) or not isinstance(request.get("do"), str):
        raise RemoteProtocolError("control socket: the request names nothing to do", "io.control.wire", line)
    return request
