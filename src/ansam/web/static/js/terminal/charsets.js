/**
 * What octets of a terminal look like, and what keys send: own tables, one octet at a time, so that nothing is
 * lost of a stream however it was cut.
 */

import { PetsciiDecoder, petsciiKeys } from './petscii.js';

/** Code page 437 from 80h up. */
const CP437_HIGH =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ' +
  'áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐' +
  '└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀' +
  'αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/** Characters of code page 437 by octet; below 80h octets are ASCII, controls among them. */
export const CP437 = Array.from({ length: 256 }, (_, code) =>
  code < 128 ? String.fromCharCode(code) : CP437_HIGH[code - 128]);

/** Latin-1 is Unicode's beginning. */
const LATIN1 = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

/** A code of one octet for each character. */
class TableCode {
  constructor(characters) {
    this.characters = characters;
    this.octets = new Map(characters.map((character, code) => [character, code]));
  }

  decode(data) {
    let out = '';
    for (const code of data) out += this.characters[code];
    return out;
  }

  encode(text) {
    return Uint8Array.from([...text], (character) => this.octets.get(character) ?? 0x3f);
  }
}

class Utf8 {
  constructor() {
    this.decoder = new TextDecoder();
    this.encoder = new TextEncoder();
  }

  decode(data) {
    return this.decoder.decode(data, { stream: true });
  }

  encode(text) {
    return this.encoder.encode(text);
  }
}

class Petscii {
  constructor() {
    this.decoder = new PetsciiDecoder();
  }

  decode(data) {
    return this.decoder.decode(data);
  }

  encode(text) {
    return petsciiKeys(text);
  }
}

/** Names of the codes, in the order of the choice. */
export const CHARSETS = { cp437: 'CP437 (DOS, BBS)', utf8: 'UTF-8', latin1: 'Latin-1', petscii: 'PETSCII (Commodore)' };

/**
 * Make a code for one conversation.
 * @param {string} name A key of CHARSETS.
 * @returns {{decode: (data: Uint8Array) => string, encode: (text: string) => Uint8Array}}
 */
export function charset(name) {
  if (name === 'petscii') return new Petscii();
  if (name === 'utf8') return new Utf8();
  return new TableCode(name === 'latin1' ? LATIN1 : CP437);
}
