import numpy as np

from ansam.coding.crc import crc16, crc16_of_bits, crc32


def test_check_values_of_the_catalogues() -> None:
    """X.25's CRC-16 and the CRC-32 of zlib over the nine digits."""
    assert crc16(b"123456789") == 0x906E
    assert crc32(b"123456789") == 0xCBF43926


def test_the_crc_over_bits_is_that_of_hdlc_without_the_complement() -> None:
    data = bytes(range(40))
    bits = [octet >> n & 1 for octet in data for n in range(8)]
    assert crc16_of_bits(bits) == crc16(data) ^ 0xFFFF
    assert crc16_of_bits(np.array(bits, np.uint8)) == crc16(data) ^ 0xFFFF


def test_a_sequence_and_its_own_check_leave_nothing() -> None:
    for size in (1, 17, 67):
        bits = np.random.default_rng(size).integers(0, 2, size).tolist()
        check = crc16_of_bits(bits)
        whole = [*bits, *(check >> n & 1 for n in range(16))]
        assert crc16_of_bits(whole) == 0
        whole[0] ^= 1
        assert crc16_of_bits(whole) != 0
