import assert from 'node:assert/strict';
import { test } from 'node:test';
import { charset, CP437 } from '../../../src/ansam/web/static/js/terminal/charsets.js';
import { PetsciiDecoder, petsciiKeys } from '../../../src/ansam/web/static/js/terminal/petscii.js';

const all = Uint8Array.from({ length: 256 }, (_, code) => code);

test('every octet of CP437 and Latin-1 comes back as it went', () => {
  for (const name of ['cp437', 'latin1']) {
    const code = charset(name);
    assert.deepEqual(code.encode(code.decode(all)), all);
  }
});

test('CP437 has the shapes of the IBM PC', () => {
  assert.equal(new Set(CP437).size, 256);
  const code = charset('cp437');
  assert.equal(code.decode(Uint8Array.from([0xc9, 0xcd, 0xbb, 0xb0, 0xdb, 0x82, 0xe1, 0xfe])), '╔═╗░█éß■');
});

test('what CP437 does not have is sent as a question mark', () => {
  assert.deepEqual([...charset('cp437').encode('a€')], [0x61, 0x3f]);
});

test('UTF-8 survives being cut in the middle of a character', () => {
  const code = charset('utf8');
  assert.equal(code.decode(Uint8Array.from([0xe2, 0x82])) + code.decode(Uint8Array.from([0xac])), '€');
});

test('PETSCII: both character sets, colours, screen controls', () => {
  const decoder = new PetsciiDecoder();
  assert.equal(decoder.decode(Uint8Array.from([0x48, 0xc1, 0x5c, 0xba])), 'hA£✓');
  assert.equal(decoder.decode(Uint8Array.from([0x8e, 0x48, 0xc1, 0xff])), 'H♠π');
  assert.equal(decoder.decode(Uint8Array.from([0x93])), '\x1b[2J\x1b[H');
  assert.equal(decoder.decode(Uint8Array.from([0x05])), '\x1b[38;2;255;255;255m');
  assert.equal(decoder.decode(Uint8Array.from([0x0d])), '\x1b[27m\r\n');
});

test('PETSCII: every octet becomes one shape, a control or nothing', () => {
  for (const start of [0x0e, 0x8e]) {
    for (const code of all) {
      const decoder = new PetsciiDecoder();
      decoder.decode([start]);
      const shown = decoder.decode([code]);
      assert.equal(typeof shown, 'string');
      if ((code >= 0x20 && code < 0x80) || code >= 0xa0) assert.equal([...shown].length, 1, code.toString(16));
    }
  }
});

test('PETSCII keys: letters have their cases swapped, cursors are octets', () => {
  assert.deepEqual([...petsciiKeys('aZ\x1b[A\x7f\r')], [0x41, 0xda, 0x91, 0x14, 0x0d]);
  const lower = new PetsciiDecoder();
  const typed = 'the quick brown fox JUMPS 0123 [£]';
  assert.equal(lower.decode(petsciiKeys(typed)), typed);
});
