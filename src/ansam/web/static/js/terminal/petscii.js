/**
 * PETSCII, the characters and screen controls of a Commodore, to a terminal's text with ANSI controls, and its keys.
 *
 * Source: Commodore 64 Programmer's Reference Guide, appendices B and C. Shapes that fonts of today rarely have
 * (Unicode's Symbols for Legacy Computing) stand as the nearest box or block.
 */

/** C0h to DFh, the same as 60h to 7Fh, where upper case and graphics are on. */
const GRAPHICS = '─♠│──▔▁││╮╰╯└╲╱┌┐●▁♥▏╭╳○♣▕♦┼▒│π◥';
/** A0h to BFh, the same as E0h to FFh (FFh is pi). */
const BLOCKS = '\u00a0▌▄▔▁▏▒▕▒◤▕├▗└┐▂┌┴┬┤▎▍▐▔▀▃┘▖▝┘▘▚';

/** Colours of the C64 in the order of their codes, as 24-bit colours of its video chip. */
const COLOURS = {
  0x05: [255, 255, 255], 0x1c: [136, 57, 50], 0x1e: [85, 160, 73], 0x1f: [64, 49, 141],
  0x81: [139, 84, 41], 0x90: [0, 0, 0], 0x95: [87, 66, 0], 0x96: [184, 105, 98],
  0x97: [80, 80, 80], 0x98: [120, 120, 120], 0x99: [148, 224, 137], 0x9a: [120, 105, 196],
  0x9b: [159, 159, 159], 0x9c: [139, 63, 150], 0x9e: [191, 206, 114], 0x9f: [103, 182, 189],
};

/** Screen controls: what a terminal does for each. */
const CONTROLS = {
  0x07: '\x07', 0x0a: '', 0x0d: '\x1b[27m\r\n', 0x8d: '\x1b[27m\r\n', 0x11: '\x1b[B', 0x91: '\x1b[A',
  0x1d: '\x1b[C', 0x9d: '\x1b[D', 0x12: '\x1b[7m', 0x92: '\x1b[27m', 0x13: '\x1b[H', 0x93: '\x1b[2J\x1b[H',
  0x14: '\b\x1b[P', 0x94: '\x1b[@',
};

const LOWER = 0x0e;
const UPPER = 0x8e;

/** Turns octets into text; keeps which of the two character sets is on. Begins in lower case, as terminals do. */
export class PetsciiDecoder {
  constructor() {
    this.lower = true;
  }

  decode(data) {
    let out = '';
    for (const code of data) out += this.one(code);
    return out;
  }

  one(code) {
    if (code === LOWER || code === UPPER) {
      this.lower = code === LOWER;
      return '';
    }
    if (code in CONTROLS) return CONTROLS[code];
    if (code in COLOURS) return `\x1b[38;2;${COLOURS[code].join(';')}m`;
    if (code < 0x20 || (code >= 0x80 && code < 0xa0)) return '';
    return this.shape(code);
  }

  shape(code) {
    if (code < 0x41) return String.fromCharCode(code);
    if (code <= 0x5a) return String.fromCharCode(this.lower ? code + 0x20 : code);
    if (code < 0x60) return '[£]↑←'[code - 0x5b];
    if (code === 0xff) return this.lower ? '▒' : 'π';
    if (code >= 0xe0) return this.block(code - 0x40);
    if (code >= 0xa0 && code < 0xc0) return this.block(code);
    const index = code & 0x1f;
    return this.lower && index >= 1 && index <= 26 ? String.fromCharCode(0x40 + index) : GRAPHICS[index];
  }

  block(code) {
    return this.lower && code === 0xba ? '✓' : BLOCKS[code - 0xa0];
  }
}

/** Keys that a terminal sends as escape sequences, and the octet of a Commodore's. */
const KEYS = [
  ['\x1b[A', 0x91], ['\x1b[B', 0x11], ['\x1b[C', 0x1d], ['\x1b[D', 0x9d], ['\x1b[H', 0x13], ['\x1b[2~', 0x94],
  ['\x1b[3~', 0x14], ['\x7f', 0x14], ['\b', 0x14],
];
const SIGNS = { '£': 0x5c, '↑': 0x5e, '^': 0x5e, '←': 0x5f, 'π': 0xff, '|': 0xdd, '_': 0xa4, '`': 0x27 };

/** Return what a Commodore sends for text typed; what it has no key for becomes a question mark. */
export function petsciiKeys(text) {
  const out = [];
  for (let at = 0; at < text.length;) {
    const key = KEYS.find(([sequence]) => text.startsWith(sequence, at));
    out.push(key ? key[1] : typed(text[at]));
    at += key ? key[0].length : 1;
  }
  return Uint8Array.from(out);
}

function typed(character) {
  const code = character.charCodeAt(0);
  if (character in SIGNS) return SIGNS[character];
  if (code >= 0x61 && code <= 0x7a) return code - 0x20;
  if (code >= 0x41 && code <= 0x5a) return code + 0x80;
  return code < 0x60 ? code : 0x3f;
}
