/**
 * Receives files by ZMODEM: octets in, octets and files out, no clock, no screen.
 *
 * Source: C. Forsberg, The ZMODEM Inter Application File Transfer Protocol (14 October 1988). Names are his.
 * Commands of the far end (ZCOMMAND) are not run.
 */

import { crc16, crc32 } from './crc.js';

const ZPAD = 0x2a;
const ZDLE = 0x18;
const [ZBIN, ZHEX, ZBIN32] = [0x41, 0x42, 0x43];
const [ZCRCE, ZCRCG, ZCRCQ, ZCRCW] = [0x68, 0x69, 0x6a, 0x6b];
const [ZRUB0, ZRUB1] = [0x6c, 0x6d];
const FRAME = {
  ZRQINIT: 0, ZRINIT: 1, ZSINIT: 2, ZACK: 3, ZFILE: 4, ZSKIP: 5, ZNAK: 6, ZABORT: 7, ZFIN: 8, ZRPOS: 9, ZDATA: 10,
  ZEOF: 11, ZFERR: 12, ZCRC: 13, ZCHALLENGE: 14, ZCAN: 16, ZFREECNT: 17,
};
/** Full duplex, overlaps writing with receiving, takes CRC-32. */
const ABILITIES = 0x01 | 0x02 | 0x20;
const LONGEST_SUBPACKET = 8192;
const MOST_ERRORS = 20;
/** What ends a session from either side. */
export const CANCEL = Uint8Array.from([...Array(8).fill(ZDLE), ...Array(10).fill(8)]);
const LINE_END = new Set([0x0d, 0x8d, 0x0a, 0x8a]);
const FLOW = new Set([0x11, 0x13, 0x91, 0x93]);

/** The beginning of a sender: pads, ZDLE, a hexadecimal ZRQINIT. */
const OFFER = '**\x18B00';

/** Looks for a sender in a stream, however it is cut. */
export class ZmodemWatch {
  constructor() {
    this.tail = '';
  }

  /**
   * Look through octets.
   * @returns {number} Where in `data` the offer begins (negative: in what came before), or NaN.
   */
  find(data) {
    const before = this.tail.length;
    const seen = this.tail + String.fromCharCode(...data);
    const at = seen.indexOf(OFFER);
    this.tail = at < 0 ? seen.slice(-(OFFER.length - 1)) : '';
    return at < 0 ? NaN : at - before;
  }
}

class Garbled extends Error {}
class Cancelled extends Error {}

/**
 * Make a hexadecimal header.
 * @param {number} type
 * @param {number[]} flags Four octets, ZP0 first.
 */
export function hexHeader(type, flags = [0, 0, 0, 0]) {
  const body = [type, ...flags];
  const check = crc16(body);
  const digits = [...body, check >> 8, check & 0xff].map((octet) => octet.toString(16).padStart(2, '0')).join('');
  const ending = type === FRAME.ZFIN || type === FRAME.ZACK ? '\r\n' : '\r\n\x11';
  return Uint8Array.from(`**\x18B${digits}${ending}`, (character) => character.charCodeAt(0));
}

const position = (value) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff];
const number = (flags) => (flags[0] | (flags[1] << 8) | (flags[2] << 16) | (flags[3] << 24)) >>> 0;

/** One session: any number of files. */
export class ZmodemReceiver {
  /**
   * @param {Object} calls
   * @param {(data: Uint8Array) => void} calls.send Octets for the far end.
   * @param {(file: {name: string, size: number|null, parts: Uint8Array[], received: number}) => void} calls.onfile
   *   A file is whole.
   * @param {(file: Object) => void} [calls.onprogress] More of it has come.
   * @param {(reason: string) => void} calls.onend `done`, or why not.
   */
  constructor(calls) {
    this.calls = calls;
    this.over = false;
    this.file = null;
    this.cans = 0;
    this.errors = 0;
    this.machine = this.session();
    this.machine.next();
  }

  /** Take octets; return those after the session's end. */
  receive(data) {
    for (let at = 0; at < data.length; at += 1) {
      if (this.over) return data.subarray(at);
      this.machine.next(data[at]);
    }
    return data.subarray(data.length);
  }

  /** Give up, and tell the far end. */
  cancel(reason = 'cancelled') {
    if (this.over) return;
    this.calls.send(CANCEL);
    this.end(reason);
  }

  /** Ask again for what did not come: to be called when nothing arrived for some seconds. */
  nothingCame() {
    if (this.over) return;
    this.errors += 1;
    if (this.errors > MOST_ERRORS) this.cancel('nothing comes any more');
    else this.ask();
  }

  end(reason) {
    this.over = true;
    this.calls.onend(reason);
  }

  * session() {
    this.ready();
    while (!this.over) {
      try {
        const header = yield* this.header();
        yield* this.act(header);
      } catch (problem) {
        if (problem instanceof Cancelled) this.end('the far end cancelled');
        else if (problem instanceof Garbled) this.again();
        else throw problem;
      }
    }
  }

  again() {
    this.errors += 1;
    if (this.errors > MOST_ERRORS) this.cancel('too many errors');
    else this.ask();
  }

  ask() {
    if (this.file) this.calls.send(hexHeader(FRAME.ZRPOS, position(this.file.received)));
    else this.ready();
  }

  ready() {
    this.calls.send(hexHeader(FRAME.ZRINIT, [0, 0, 0, ABILITIES]));
  }

  * act({ type, flags, wide }) {
    switch (type) {
      case FRAME.ZRQINIT: this.ready(); break;
      case FRAME.ZSINIT:
        yield* this.subpacket(wide, true);
        this.calls.send(hexHeader(FRAME.ZACK, position(1)));
        break;
      case FRAME.ZFILE: yield* this.offered(wide); break;
      case FRAME.ZDATA: yield* this.contents(number(flags), wide); break;
      case FRAME.ZEOF: this.endOfFile(number(flags)); break;
      case FRAME.ZFREECNT: this.calls.send(hexHeader(FRAME.ZACK, position(0x7fffffff))); break;
      case FRAME.ZCHALLENGE: this.calls.send(hexHeader(FRAME.ZACK, flags)); break;
      case FRAME.ZFIN:
        this.calls.send(hexHeader(FRAME.ZFIN));
        yield* this.overAndOut();
        break;
      case FRAME.ZABORT: case FRAME.ZCAN: case FRAME.ZFERR: this.end('the far end gave up'); break;
      default: break;
    }
  }

  /** The sender's "OO"; one that leaves it out is at its end as well. */
  * overAndOut() {
    this.end('done');
    yield;
  }

  * offered(wide) {
    const { data } = yield* this.subpacket(wide);
    const text = new TextDecoder('latin1').decode(data).split('\0');
    const size = Number.parseInt((text[1] ?? '').split(' ')[0], 10);
    const name = text[0].split(/[/\\]/).pop() || 'unnamed';
    if (this.file?.name !== name) {
      this.file = { name, size: Number.isFinite(size) ? size : null, parts: [], received: 0 };
    }
    this.calls.send(hexHeader(FRAME.ZRPOS, position(this.file.received)));
  }

  * contents(at, wide) {
    if (!this.file || at !== this.file.received) throw new Garbled();
    for (;;) {
      const { data, ending } = yield* this.subpacket(wide);
      this.file.parts.push(data);
      this.file.received += data.length;
      this.errors = 0;
      this.calls.onprogress?.(this.file);
      if (ending === ZCRCQ || ending === ZCRCW) this.calls.send(hexHeader(FRAME.ZACK, position(this.file.received)));
      if (ending === ZCRCE || ending === ZCRCW) return;
    }
  }

  endOfFile(at) {
    if (this.file) {
      if (at !== this.file.received) return;  // A ZEOF of before the last ZRPOS: the data come again.
      this.calls.onfile(this.file);
      this.file = null;
    }
    this.ready();
  }

  * header() {
    for (;;) {
      while ((yield* this.octet()) !== ZPAD);
      let next = yield* this.octet();
      while (next === ZPAD) next = yield* this.octet();
      if (next !== ZDLE) continue;
      const form = yield* this.octet();
      if (form === ZHEX) return yield* this.hex();
      if (form === ZBIN || form === ZBIN32) return yield* this.binary(form === ZBIN32);
    }
  }

  * hex() {
    const octets = [];
    for (let count = 0; count < 7; count += 1) {
      const digits = String.fromCharCode((yield* this.octet()) & 0x7f, (yield* this.octet()) & 0x7f);
      if (!/^[0-9a-f]{2}$/.test(digits)) throw new Garbled();
      octets.push(Number.parseInt(digits, 16));
    }
    if (crc16(octets) !== 0) throw new Garbled();
    return { type: octets[0], flags: octets.slice(1, 5), wide: false };
  }

  * binary(wide) {
    const octets = [];
    for (let count = 0; count < 5; count += 1) octets.push(yield* this.escaped());
    yield* this.checked(octets, wide);
    return { type: octets[0], flags: octets.slice(1), wide };
  }

  * checked(octets, wide) {
    const check = [];
    for (let count = 0; count < (wide ? 4 : 2); count += 1) check.push(yield* this.escaped());
    const right = wide ? crc32(octets) === number(check) : crc16([...octets, ...check]) === 0;
    if (!right || check.some((octet) => octet > 0xff)) throw new Garbled();
  }

  /** Data with their check; `afterHex`: the line end of a hexadecimal header may come first. */
  * subpacket(wide, afterHex = false) {
    const octets = [];
    for (;;) {
      const octet = yield* this.escaped();
      if (afterHex && !octets.length && LINE_END.has(octet)) continue;
      if (octet > 0xff) {
        const ending = octet & 0xff;
        const data = Uint8Array.from(octets);
        octets.push(ending);
        yield* this.checked(octets, wide);
        return { data, ending };
      }
      octets.push(octet);
      if (octets.length > LONGEST_SUBPACKET) throw new Garbled();
    }
  }

  /** An octet with its escape undone; the end of a subpacket comes with 100h added. */
  * escaped() {
    let octet = yield* this.octet();
    while (FLOW.has(octet)) octet = yield* this.octet();
    if (octet !== ZDLE) return octet;
    do octet = yield* this.octet(); while (FLOW.has(octet) || octet === ZDLE);
    if (octet >= ZCRCE && octet <= ZCRCW) return 0x100 | octet;
    if (octet === ZRUB0) return 0x7f;
    if (octet === ZRUB1) return 0xff;
    if ((octet & 0x60) === 0x40) return octet ^ 0x40;
    throw new Garbled();
  }

  /** The next octet as it came; five CAN in a row end the session. */
  * octet() {
    const octet = yield;
    this.cans = octet === ZDLE ? this.cans + 1 : 0;
    if (this.cans >= 5) throw new Cancelled();
    return octet;
  }
}
