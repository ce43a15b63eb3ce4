"""What two ends of V.44 agree on: ranges, proposals, the agreed values (V.44 (11/2000) + Cor.1 §7.4, §8).

"P" values are proposed, "N" values agreed. Transmit is the direction of the sender's encoder, so one end's
P1T is compared with the other end's P1R and the lesser holds (§7.4).
"""

from dataclasses import dataclass

from ansam.errors import ConfigError, RemoteProtocolError

MIN_CODEWORDS, MAX_CODEWORDS = 256, 65535
MIN_STRING, MAX_STRING = 32, 255
MIN_HISTORY, MAX_HISTORY = 512, 65535
"""Table 10; the upper end of the history is what its two octets can say."""

DEFAULT_CODEWORDS, DEFAULT_STRING = 1024, 255

# Identifiers, Table 10. The odd one of a pair is transmit, the even one receive.
_C0, _P0, _P1T, _P1R, _P2T, _P2R, _P3T, _P3R = range(0x41, 0x49)
END = 0xFF

_TRANSMIT, _RECEIVE = 1, 2


def default_history(codewords: int) -> int:
    """Return the default of P3, three times P1 (Table 10), as far as two octets can say it."""
    return min(max(3 * codewords, MIN_HISTORY), MAX_HISTORY)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The agreed values of one direction.

    Attributes:
        codewords: N2, control codes included, 256 to 65535.
        string_length: N7, longest string in characters, 32 to 255.
        history: N8, characters kept, 512 to 65535; 0 stands for the default of 3 · N2.

    Raises:
        ConfigError: A value is out of its range.
    """

    codewords: int = DEFAULT_CODEWORDS
    string_length: int = DEFAULT_STRING
    history: int = 0

    def __post_init__(self) -> None:
        if not self.history:
            object.__setattr__(self, "history", default_history(self.codewords))
        for name, value, low, high in (
            ("codewords", self.codewords, MIN_CODEWORDS, MAX_CODEWORDS),
            ("longest string", self.string_length, MIN_STRING, MAX_STRING),
            ("history", self.history, MIN_HISTORY, MAX_HISTORY),
        ):
            if not low <= value <= high:
                raise ConfigError(f"V.44: {name} of {value}", f"{low} to {high}")

    @property
    def codeword_size(self) -> int:
        """N1: bits of the largest codeword, N2 - 1."""
        return (self.codewords - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one end proposes; its own encoder is the transmit direction.

    Attributes:
        transmit: P1T, P2T and P3T, or None for no compression that way (P0).
        receive: P1R, P2R and P3R, likewise.
    """

    transmit: Parameters | None = Parameters()
    receive: Parameters | None = Parameters()

    def octets(self) -> bytes:
        """Return P0 to P3R as they stand in an XID frame (Table A.1) or in parameter mode (Table 10)."""
        directions = _TRANSMIT * (self.transmit is not None) + _RECEIVE * (self.receive is not None)
        out = bytes((_P0, 1, directions))
        for offset, side in ((0, self.transmit), (1, self.receive)):
            if side is not None:
                out += bytes((_P1T + offset, 2)) + side.codewords.to_bytes(2, "big")
                out += bytes((_P2T + offset, 1, side.string_length))
                out += bytes((_P3T + offset, 2)) + side.history.to_bytes(2, "big")
        return out

    @classmethod
    def from_octets(cls, data: bytes) -> "Proposal":
        """Read parameters; what is absent has its default, what is unknown is skipped.

        Raises:
            RemoteProtocolError: A value lies below its minimum (§7.4: "shall result in disconnection").
        """
        values: dict[int, int] = {}
        position = 0
        while position + 2 <= len(data) and data[position] != END:
            end = position + 2 + data[position + 1]
            values[data[position]] = int.from_bytes(data[position + 2 : end], "big")
            position = end
        directions = values.get(_P0, _TRANSMIT | _RECEIVE)

        def side(offset: int, direction: int) -> Parameters | None:
            if not directions & direction:
                return None
            codewords = values.get(_P1T + offset, DEFAULT_CODEWORDS)
            history = values.get(_P3T + offset, default_history(codewords))
            length = values.get(_P2T + offset, DEFAULT_STRING)
            try:
                return Parameters(codewords, length, max(history, 1))
            except ConfigError as error:
                raise RemoteProtocolError(f"{error.message} proposed", "V.44 (11/2000) §7.4", data) from error

        return cls(side(0, _TRANSMIT), side(1, _RECEIVE))

    def agree(self, theirs: "Proposal") -> "Proposal":
        """Return the N values of this end; the far end computes the same with the directions swapped."""
        return Proposal(_lesser(self.transmit, theirs.receive), _lesser(self.receive, theirs.transmit))


def _lesser(ours: Parameters | None, theirs: Parameters | None) -> Parameters | None:
    if ours is None or theirs is None:
        return None
    return Parameters(
        min(ours.codewords, theirs.codewords),
        min(ours.string_length, theirs.string_length),
        min(ours.history, theirs.history),
    )
