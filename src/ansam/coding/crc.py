"""Cyclic redundancy checks: of HDLC (V.42 (03/2002) §8.1.1.6), and of start-up sequences.

Those of HDLC are computed least significant bit first, preset to ones, complemented at the end, and sent low
octet first. The sequences of V.34 and later use the 16-bit one over bits, without the complement.
"""

import zlib
from collections.abc import Iterable

_POLYNOMIAL = 0x8408
"""x^16 + x^12 + x^5 + 1, reflected."""


def _table() -> tuple[int, ...]:
    entries = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        entries.append(value)
    return tuple(entries)


_TABLE = _table()


def crc16(data: bytes) -> int:
    """Return the 16-bit FCS of `data` (V.42 (03/2002) §8.1.1.6.1)."""
    crc = 0xFFFF
    for octet in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ octet) & 0xFF]
    return crc ^ 0xFFFF


def crc32(data: bytes) -> int:
    """Return the 32-bit FCS of `data` (V.42 (03/2002) §8.1.1.6.2); it is the CRC of zlib."""
    return zlib.crc32(data)


def crc16_of_bits(bits: Iterable[int]) -> int:
    """Return the register of V.34 (10/96) figure 14 after information bits; its bit 0 is sent first.

    Over a sequence and its own check the result is 0.
    """
    crc = 0xFFFF
    for bit in bits:
        crc = crc >> 1 ^ (_POLYNOMIAL if (crc ^ int(bit)) & 1 else 0)
    return crc
