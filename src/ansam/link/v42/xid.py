"""XID information fields: what two modems negotiate (V.42 (03/2002) §12.2, V.42bis (01/90) Annex A).

Lengths of information fields are negotiated in bits and kept in octets here. Transmit and receive are those
of the negotiation's initiator, in both frames (Table 11a, Note 2). Unknown groups and parameters are ignored.
"""

from dataclasses import dataclass, replace

from ansam.errors import RemoteProtocolError
from ansam.link.v42bis import MAX_STRING, MIN_CODEWORDS, MIN_STRING
from ansam.link.v44 import Proposal

FORMAT_IDENTIFIER = 0x82
_PARAMETERS, _PRIVATE, _USER_DATA = 0x80, 0xF0, 0xFF
_FUNCTIONS, _N401_TX, _N401_RX, _K_TX, _K_RX = 3, 5, 6, 7, 8

# Table 11a, Note 1: bit positions of the HDLC optional functions, counted from 1.
_REQUIRED = (2, 4, 8, 9, 12)
_FCS16 = 16
_SREJ_SINGLE, _TEST, _FCS32, _SREJ_MULTI = 3, 14, 17, 24

_V42 = b"V42"
_V44 = b"V44"
_V44_IDENTIFIERS = (_V44, b"\x2a44")
"""`Unclear:` Table 11c gives "00101010" for the letter V, which is "*"; V.42bis Annex A has 01010110."""

DEFAULT_N401 = 128
DEFAULT_K = 15


@dataclass(frozen=True, slots=True)
class Compression:
    """What is said of V.42bis.

    Attributes:
        directions: P0: bit 0 initiator to responder, bit 1 responder to initiator.
        codewords: P1.
        string_length: P2.
    """

    directions: int = 0
    codewords: int = 512
    string_length: int = 6


@dataclass(frozen=True, slots=True)
class Parameters:
    """What an XID frame can say; pairs are (initiator to responder, responder to initiator).

    V.44 is the exception: its directions are those of the frame's sender (V.44 (11/2000) §7.4).
    """

    n401: tuple[int, int] = (DEFAULT_N401, DEFAULT_N401)
    k: tuple[int, int] = (DEFAULT_K, DEFAULT_K)
    srej: bool = False
    test: bool = False
    fcs32: bool = False
    v42bis: Compression | None = None
    v44: Proposal | None = None

    def turned(self) -> "Parameters":
        """Return the same values for a negotiation that the other end began."""
        v42bis = self.v42bis
        if v42bis is not None:
            turned = v42bis.directions >> 1 | (v42bis.directions & 1) << 1
            v42bis = replace(v42bis, directions=turned)
        return replace(self, n401=self.n401[::-1], k=self.k[::-1], v42bis=v42bis)


def _item(identifier: int, value: bytes) -> bytes:
    return bytes((identifier, len(value))) + value


def _number(value: int, least: int = 1) -> bytes:
    return value.to_bytes(max(least, (value.bit_length() + 7) // 8), "big")


def encode(parameters: Parameters, *, response: bool = False) -> bytes:
    """Return the information field of an XID command, or of a response."""
    bits = list(_REQUIRED)
    if not (response and parameters.fcs32):
        bits.append(_FCS16)
    bits += [_SREJ_SINGLE] * parameters.srej + [_TEST] * parameters.test + [_FCS32] * parameters.fcs32
    mask = sum(1 << (bit - 1) for bit in bits)
    items = _item(_FUNCTIONS, mask.to_bytes(4, "little"))
    items += _item(_N401_TX, _number(8 * parameters.n401[0], 2))
    items += _item(_N401_RX, _number(8 * parameters.n401[1], 2))
    items += _item(_K_TX, _number(parameters.k[0])) + _item(_K_RX, _number(parameters.k[1]))
    out = bytes((FORMAT_IDENTIFIER,)) + _group(_PARAMETERS, items)
    if parameters.v42bis is not None:
        c = parameters.v42bis
        private = _item(0, _V42) + _item(1, _number(c.directions))
        private += _item(2, _number(c.codewords, 2)) + _item(3, _number(c.string_length))
        out += _group(_PRIVATE, private)
    if parameters.v44 is not None:
        # The user data subfield has no length (§12.2.1.3).
        out += bytes((_USER_DATA,)) + _item(64, _V44) + _item(65, b"\x00") + parameters.v44.octets()
    return out


def _group(identifier: int, items: bytes) -> bytes:
    return bytes((identifier,)) + len(items).to_bytes(2, "big") + items


def _items(data: bytes) -> dict[int, bytes]:
    """Return parameter identifier -> value; a truncated tail is ignored."""
    found: dict[int, bytes] = {}
    position = 0
    while position + 2 <= len(data):
        identifier, length = data[position], data[position + 1]
        value = data[position + 2 : position + 2 + length]
        if len(value) < length:
            break
        found.setdefault(identifier, value)
        position += 2 + length
    return found


def decode(information: bytes) -> Parameters:
    """Read the information field of an XID frame; what is absent has its default (§9.2.3, §9.2.4).

    Raises:
        RemoteProtocolError: A parameter that is out of range ends the connection (V.42bis §5.1, V.44 §7.4).
    """
    if not information or information[0] != FORMAT_IDENTIFIER:
        return Parameters()
    groups: dict[int, dict[int, bytes]] = {}
    user_data = b""
    position = 1
    while position < len(information):
        identifier = information[position]
        if identifier == _USER_DATA:
            user_data = information[position + 1 :]
            break
        length = int.from_bytes(information[position + 1 : position + 3], "big")
        groups[identifier] = _items(information[position + 3 : position + 3 + length])
        position += 3 + length
    parameters = groups.get(_PARAMETERS, {})
    mask = int.from_bytes(parameters.get(_FUNCTIONS, b""), "little")

    def has(bit: int) -> bool:
        return bool(mask >> (bit - 1) & 1)

    def pair(first: int, second: int, default: int, scale: int = 1) -> tuple[int, int]:
        values = (parameters.get(i, _number(default * scale)) for i in (first, second))
        tx, rx = (max(1, int.from_bytes(v, "big") // scale) for v in values)
        return tx, rx

    return Parameters(
        n401=pair(_N401_TX, _N401_RX, DEFAULT_N401, 8),
        k=pair(_K_TX, _K_RX, DEFAULT_K),
        srej=has(_SREJ_SINGLE),
        test=has(_TEST),
        fcs32=has(_FCS32),
        v42bis=_v42bis(groups.get(_PRIVATE, {})),
        v44=_v44(user_data),
    )


def _v42bis(items: dict[int, bytes]) -> Compression | None:
    if 1 not in items:
        return None
    codewords = int.from_bytes(items.get(2, b"\x02\x00"), "big")
    length = int.from_bytes(items.get(3, b"\x06"), "big")
    if codewords < MIN_CODEWORDS or not MIN_STRING <= length <= MAX_STRING:
        raise RemoteProtocolError(
            f"V.42bis with {codewords} codewords and strings of {length}", "V.42bis (01/90) §5.1"
        )
    return Compression(int.from_bytes(items[1], "big") & 3, codewords, length)


def _v44(data: bytes) -> Proposal | None:
    items = _items(data)
    if items.get(64) not in _V44_IDENTIFIERS or 66 not in items:
        return None
    return Proposal.from_octets(data)


def _agree(wanted: int, offered: int, default: int) -> int:
    """Return the value between the initiator's and the default that is nearest to ours (§9.2.3, §9.2.4)."""
    low, high = sorted((offered, default))
    return min(max(wanted, low), high)


def _v42bis_agreed(ours: Compression | None, theirs: Compression | None) -> Compression | None:
    """Take directions both want and the smaller of each parameter (V.42bis (01/90) §5.1)."""
    if ours is None or theirs is None or not ours.directions & theirs.directions:
        return None
    return Compression(
        ours.directions & theirs.directions,
        min(ours.codewords, theirs.codewords),
        min(ours.string_length, theirs.string_length),
    )


def _v44_agreed(ours: Proposal | None, theirs: Proposal | None) -> Proposal | None:
    if ours is None or theirs is None:
        return None
    agreed = ours.agree(theirs)
    return agreed if agreed.transmit or agreed.receive else None


def respond(offer: Parameters, wanted: Parameters) -> Parameters:
    """Return what the responder chooses.

    Args:
        offer: The initiator's XID command.
        wanted: What this end would like, seen with the initiator's directions.

    Returns:
        The values in force from now on, as they stand in the XID response.
    """
    n401 = tuple(_agree(w, o, DEFAULT_N401) for w, o in zip(wanted.n401, offer.n401, strict=True))
    k = tuple(_agree(w, o, DEFAULT_K) for w, o in zip(wanted.k, offer.k, strict=True))
    v44 = _v44_agreed(wanted.v44, offer.v44)
    return Parameters(
        n401=(n401[0], n401[1]),
        k=(k[0], k[1]),
        srej=wanted.srej and offer.srej,
        test=wanted.test and offer.test,
        fcs32=offer.fcs32,
        v42bis=None if v44 else _v42bis_agreed(wanted.v42bis, offer.v42bis),
        v44=v44,
    )


def accept(response: Parameters, offered: Parameters) -> Parameters:
    """Return what the initiator has in force after the response; nothing it did not offer can come back.

    A size below both the offer and the default is against §9.2.3, but the far end will have its reason.
    """
    n401 = tuple(min(r, max(o, DEFAULT_N401)) for r, o in zip(response.n401, offered.n401, strict=True))
    k = tuple(min(r, max(o, DEFAULT_K)) for r, o in zip(response.k, offered.k, strict=True))
    return Parameters(
        n401=(n401[0], n401[1]),
        k=(k[0], k[1]),
        srej=response.srej and offered.srej,
        test=response.test and offered.test,
        fcs32=response.fcs32 and offered.fcs32,
        v42bis=_v42bis_agreed(offered.v42bis, response.v42bis) if response.v44 is None else None,
        v44=_v44_agreed(offered.v44, response.v44),
    )
