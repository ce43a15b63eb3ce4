import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc16, crc32 } from '../../../src/ansam/web/static/js/terminal/crc.js';
import { hexHeader, ZmodemReceiver, ZmodemWatch } from '../../../src/ansam/web/static/js/terminal/zmodem.js';

const ascii = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const haveSz = spawnSync('sz', ['--version']).error === undefined;

test('checks have their published values for 123456789', () => {
  assert.equal(crc16(ascii('123456789')), 0x31c3);
  assert.equal(crc32(ascii('123456789')), 0xcbf43926);
});

test('headers are those of lrzsz', () => {
  assert.equal(String.fromCharCode(...hexHeader(1, [0, 0, 0, 0x23])), '**\x18B0100000023be50\r\n\x11');
  assert.equal(String.fromCharCode(...hexHeader(8)), '**\x18B0800000000022d\r\n');
});

test('an offer is found however the stream is cut', () => {
  const stream = ascii('rz\r**\x18B00000000000000\r');
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const watch = new ZmodemWatch();
    const places = [watch.find(stream.subarray(0, cut)), watch.find(stream.subarray(cut)) + cut];
    assert.equal(places.find((place) => !Number.isNaN(place)), 3, `cut at ${cut}`);
  }
  assert.ok(Number.isNaN(new ZmodemWatch().find(ascii('no offer ** here'))));
});

test('five CAN end it', () => {
  let reason = '';
  const receiver = new ZmodemReceiver({ send() {}, onfile() {}, onend: (why) => { reason = why; } });
  assert.deepEqual([...receiver.receive(ascii('\x18\x18\x18\x18\x18rest'))], [...ascii('rest')]);
  assert.equal(reason, 'the far end cancelled');
});

test('whatever comes does not break it, and it gives up', () => {
  let reason = '';
  const receiver = new ZmodemReceiver({ send() {}, onfile() { assert.fail('a file out of nothing'); }, onend: (why) => { reason = why; } });
  let seed = 5;
  const random = () => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed >> 16; };
  for (let turn = 0; turn < 400 && !receiver.over; turn += 1) {
    receiver.receive(Uint8Array.from({ length: 200 }, () => [0x2a, 0x18, 0x41, 0x42, 0x43, random() & 0xff][random() % 6]));
  }
  while (!receiver.over) receiver.nothingCame();
  assert.notEqual(reason, 'done');
});

/** Receive what `sz` sends; `harm` may spoil octets on their way. */
function receive(files, options = [], harm = (data) => data) {
  return new Promise((resolve, reject) => {
    const sender = spawn('sz', ['-q', ...options, ...files], { stdio: ['pipe', 'pipe', 'ignore'] });
    const got = [];
    const receiver = new ZmodemReceiver({
      send: (data) => sender.stdin.write(data),
      onfile: ({ name, parts }) => got.push([name, Buffer.concat(parts)]),
      onend: (reason) => { sender.stdin.end(); resolve({ got, reason }); },
    });
    const timer = setInterval(() => receiver.nothingCame(), 1000);
    sender.stdout.on('data', (data) => receiver.receive(harm(data)));
    sender.stdin.on('error', () => {});
    sender.on('error', reject);
    sender.on('close', () => clearInterval(timer));
  });
}

function same({ got, reason }, wanted) {
  assert.equal(reason, 'done');
  assert.deepEqual(got.map(([name]) => name), wanted.map(([name]) => name));
  got.forEach(([name, data], at) => assert.ok(data.equals(wanted[at][1]), `${name} differs`));
}

test('files of lrzsz arrive whole: CRC-32, CRC-16, escaped controls, spoilt on the way', { skip: haveSz ? false : 'sz (lrzsz) is not installed' }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zmodem-'));
  try {
    const contents = Buffer.from(Array.from({ length: 20000 }, (_, at) => (at * 7919 + (at >> 8)) & 0xff));
    const paths = ['every octet.bin', 'small.txt', 'empty'].map((name) => join(folder, name));
    writeFileSync(paths[0], contents);
    writeFileSync(paths[1], 'hello\n');
    writeFileSync(paths[2], '');
    const wanted = [['every octet.bin', contents], ['small.txt', Buffer.from('hello\n')], ['empty', Buffer.alloc(0)]];
    for (const options of [[], ['-o'], ['-e']]) same(await receive(paths, options), wanted);
    let passed = 0;
    const spoil = (data) => {
      const copy = Buffer.from(data);
      for (let at = 0; at < copy.length; at += 1) if ((passed + at) % 6007 === 3000) copy[at] ^= 0x55;
      passed += data.length;
      return copy;
    };
    same(await receive(paths.slice(0, 1), [], spoil), wanted.slice(0, 1));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
