"""What sits between the terminal's bytes and the information fields: V.42bis, V.44, or nothing."""

from typing import Protocol

from ansam.link import v42bis, v44
from ansam.link.v42 import xid

CHUNK = 256
"""Characters compressed at a time, so that little waits in compressed form when the line is slow."""


class Encoder(Protocol):
    """A compressing direction."""

    def encode(self, data: bytes) -> bytes:
        """Return what to transfer for `data`."""

    def flush(self) -> bytes:
        """Return what brings everything encoded so far to the far end."""

    def initialise(self) -> None:
        """Start anew."""


class Decoder(Protocol):
    """A decompressing direction."""

    def decode(self, data: bytes, limit: int | None = None) -> bytes:
        """Return the characters; RemoteProtocolError where the data is no good."""

    def initialise(self) -> None:
        """Start anew."""


class Identity:
    """No compression."""

    def encode(self, data: bytes) -> bytes:
        """Return the data as it is."""
        return data

    def decode(self, data: bytes, limit: int | None = None) -> bytes:
        """Return the data as it is."""
        return data

    def flush(self) -> bytes:
        """Return nothing: nothing is kept."""
        return b""

    def initialise(self) -> None:
        """Do nothing."""


def codecs(parameters: xid.Parameters, *, originator: bool) -> tuple[Encoder, Decoder, str]:
    """Return the encoder, the decoder and the name of what was negotiated.

    Args:
        parameters: As agreed by XID.
        originator: True where this end sent the XID command.

    Returns:
        Encoder, decoder, and ``V44``, ``V42BIS`` or "".
    """
    if parameters.v44 is not None:
        tx, rx = parameters.v44.transmit, parameters.v44.receive
        return (
            v44.Encoder(tx.codewords, tx.string_length, tx.history) if tx else Identity(),
            v44.Decoder(rx.codewords, rx.string_length, rx.history) if rx else Identity(),
            "V44",
        )
    sent, received = (1, 2) if originator else (2, 1)
    if (chosen := parameters.v42bis) is not None:
        codewords, length = chosen.codewords, chosen.string_length
        return (
            v42bis.Encoder(codewords, length) if chosen.directions & sent else Identity(),
            v42bis.Decoder(codewords, length) if chosen.directions & received else Identity(),
            "V42BIS",
        )
    return Identity(), Identity(), ""


def describe(parameters: xid.Parameters) -> str:
    """Return the compression in force and its dictionary, as ATI6 shows it: ``V42BIS 2048/32``."""
    if parameters.v44 is not None:
        side = parameters.v44.transmit or parameters.v44.receive
        return f"V44 {side.codewords}/{side.string_length}" if side else "V44"
    if parameters.v42bis is not None:
        return f"V42BIS {parameters.v42bis.codewords}/{parameters.v42bis.string_length}"
    return "NONE"


class Outgoing:
    """The data of I frames: bounded queue of the terminal's bytes, compressed as the line asks for them.

    Args:
        limit: Bytes of the terminal held at most.
    """

    def __init__(self, limit: int) -> None:
        self.encoder: Encoder = Identity()
        self._limit = limit
        self._plain = bytearray()
        self._packed = bytearray()

    @property
    def room(self) -> int:
        """Bytes that `send` would take."""
        return self._limit - len(self._plain)

    def send(self, data: bytes) -> int:
        """Queue bytes; return how many were taken."""
        taken = min(len(data), self.room)
        self._plain += data[:taken]
        return taken

    def __len__(self) -> int:
        return len(self._plain) + len(self._packed)

    def waiting(self) -> bool:
        """Return whether there is anything to send."""
        return bool(self._plain or self._packed)

    def take(self, limit: int) -> bytes:
        """Return up to `limit` octets for one I frame."""
        while self._plain and len(self._packed) < limit:
            chunk = bytes(self._plain[:CHUNK])
            del self._plain[:CHUNK]
            self._packed += self.encoder.encode(chunk)
            if not self._plain:
                self._packed += self.encoder.flush()
        out = bytes(self._packed[:limit])
        del self._packed[:limit]
        return out

    def clear(self) -> None:
        """Drop everything and start the compression anew (destructive break)."""
        self._plain.clear()
        self._packed.clear()
        self.encoder.initialise()
