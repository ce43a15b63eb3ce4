/** The two checks of ZMODEM. */

const CRC32_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-16 of XMODEM and ZMODEM: polynomial 1021h, begins at 0, most significant bit first. */
export function crc16(data, start = 0) {
  let value = start;
  for (const octet of data) {
    value ^= octet << 8;
    for (let bit = 0; bit < 8; bit += 1) value = value & 0x8000 ? (value << 1) ^ 0x1021 : value << 1;
    value &= 0xffff;
  }
  return value;
}

/** CRC-32 of ISO 3309: least significant bit first, complemented at both ends. */
export function crc32(data) {
  let value = 0xffffffff;
  for (const octet of data) value = CRC32_TABLE[(value ^ octet) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
