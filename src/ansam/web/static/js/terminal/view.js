/** A terminal on a modem's DTE: xterm.js on the screen, own codes for its octets, ZMODEM files saved by the browser. */

import { Channel } from '../api.js';
import { fill, h, octets, saveFile, text } from '../dom.js';
import { notice } from '../notices.js';
import { stylesheet } from '../stylesheet.js';
import { onTheme, theme } from '../theme.js';
import { charset, CHARSETS } from './charsets.js';
import { CANCEL, ZmodemReceiver, ZmodemWatch } from './zmodem.js';

const VENDOR = '/static/vendor';
const QUIET = 10_000;
const PIECE = 16_384;
const THEMES = {
  dark: { background: '#07090d', foreground: '#d6f5e3', cursor: '#7ff5cf', selectionBackground: '#2d4f6b' },
  light: {
    background: '#fffefa', foreground: '#1d1f24', cursor: '#b3261e', selectionBackground: '#cfe0f7',
    green: '#1a6e32', yellow: '#805500', cyan: '#00616b', brightBlack: '#5d5d5d',
  },
};

let library = null;

/** Load xterm.js once, when the first terminal opens. */
function load() {
  library ??= Promise.all([
    import(`${VENDOR}/xterm/xterm.js`), import(`${VENDOR}/xterm-fit/addon-fit.js`), stylesheet(`${VENDOR}/xterm/xterm.css`),
  ]).then(([{ Terminal }, { FitAddon }]) => ({ Terminal, FitAddon }));
  return library;
}

export class TerminalView {
  /** @param {string} id The modem's. */
  constructor(id) {
    this.id = id;
    this.code = charset('cp437');
    this.watch = new ZmodemWatch();
    this.receiver = null;
    this.pending = null;
    this.screen = h('div.terminal-screen', { role: 'group', 'aria-label': `Terminal of ${id}` });
    this.state = h('span.hint', { role: 'status' }, 'opening …');
    this.transfer = h('div.transfer', { hidden: true, role: 'group', 'aria-label': 'File transfer' });
    this.element = h('section.card.terminal', { 'aria-labelledby': `terminal-${id}` },
      h('div.card-head', null, h('h2', { id: `terminal-${id}` }, 'Terminal'), this.choice()),
      this.screen, this.transfer,
      h('div.row.middle', null, this.state, h('span.hint', null, h('kbd', null, 'F6'), ' leaves the terminal')));
  }

  choice() {
    return h('select', { 'aria-label': 'Characters', onchange: (event) => {
      this.code = charset(event.target.value);
      this.terminal.focus();
    } }, Object.entries(CHARSETS).map(([value, name]) => h('option', { value }, name)));
  }

  /** Load, draw, connect. */
  async open() {
    const { Terminal, FitAddon } = await load();
    if (this.closed) return;
    this.terminal = new Terminal({
      fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace', fontSize: innerWidth < 500 ? 12 : 14,
      scrollback: 5000, cursorBlink: true, theme: THEMES[theme()], screenReaderMode: true, minimumContrastRatio: 4.5,
    });
    const fit = new FitAddon();
    this.terminal.loadAddon(fit);
    this.terminal.open(this.screen);
    fit.fit();
    this.terminal.onData((typed) => this.send(this.code.encode(typed)));
    this.terminal.onBinary((typed) => this.send(Uint8Array.from(typed, (character) => character.charCodeAt(0) & 0xff)));
    this.terminal.attachCustomKeyEventHandler((event) => this.key(event));
    this.sizes = new ResizeObserver(() => fit.fit());
    this.sizes.observe(this.screen);
    this.unTheme = onTheme(() => { this.terminal.options.theme = THEMES[theme()]; });
    this.channel = new Channel(`/ws/modems/${encodeURIComponent(this.id)}/terminal`, {
      onmessage: (data) => this.receive(data), onopen: () => this.opened(), onstate: (state, reason) => this.told(state, reason),
    });
  }

  key(event) {
    if (event.key !== 'F6') return true;
    if (event.type === 'keydown') {
      const choice = this.element.querySelector('select');
      choice.focus();
      event.preventDefault();
    }
    return false;
  }

  opened() {
    if (this.pending) this.channel.send(this.pending);
    this.pending = null;
  }

  told(state, reason) {
    const words = { open: 'connected to the port', waiting: 'the port is not free or not there; trying again …' };
    // What waits for a port that somebody else has would be dialled minutes later.
    if (state === 'waiting') this.pending = null;
    text(this.state, words[state] ?? `closed: ${reason || 'not for you'}`);
  }

  /** Type a line, at once or when the port is open. */
  type(line) {
    const data = new TextEncoder().encode(`${line}\r`);
    if (!this.channel?.send(data)) this.pending = data;
    this.terminal?.focus();
  }

  send(data) {
    if (this.receiver) return;
    // The server takes 64 KiB in one message.
    for (let at = 0; at < data.length; at += PIECE) this.channel.send(data.subarray(at, at + PIECE));
  }

  receive(data) {
    if (!(data instanceof ArrayBuffer)) {
      if (data.type === 'closed') text(this.state, data.reason);
      return;
    }
    let rest = new Uint8Array(data);
    if (this.receiver) {
      this.alive();
      rest = this.receiver.receive(rest);
    }
    if (!rest.length) return;
    const at = this.watch.find(rest);
    this.terminal.write(this.code.decode(Number.isNaN(at) ? rest : rest.subarray(0, Math.max(0, at))));
    if (!Number.isNaN(at)) this.offer();
  }

  /** A sender is there: ask the visitor, who may take it as long as the sender tries. */
  offer() {
    if (!this.transfer.hidden) return;
    const close = () => { this.transfer.hidden = true; this.terminal.focus(); };
    fill(this.transfer, h('span', null, 'The far end offers files by ZMODEM.'),
      h('button.main', { type: 'button', onclick: () => this.take() }, 'Receive'),
      h('button', { type: 'button', onclick: () => { this.channel.send(CANCEL); close(); } }, 'Refuse'));
    this.transfer.hidden = false;
    this.transfer.querySelector('button').focus();
  }

  calls() {
    return {
      send: (data) => this.channel.send(data),
      onfile: (file) => {
        saveFile(file.name, file.parts);
        notice(`${file.name}: ${octets(file.received)} received`);
      },
      onprogress: (file) => this.progress(file),
      onend: (reason) => this.ended(reason),
    };
  }

  take() {
    this.bar = h('progress', { max: 1, 'aria-label': 'File transfer' });
    this.said = h('span', null, 'waiting for the file …');
    fill(this.transfer, this.said, this.bar,
      h('button', { type: 'button', onclick: () => this.receiver?.cancel() }, 'Cancel'));
    this.receiver = new ZmodemReceiver(this.calls());
    this.alive();
  }

  alive() {
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => {
      this.receiver?.nothingCame();
      if (this.receiver) this.alive();
    }, QUIET);
  }

  progress({ name, size, received }) {
    text(this.said, `${name}: ${octets(received)}${size ? ` of ${octets(size)}` : ''}`);
    if (size) this.bar.value = received / size;
  }

  ended(reason) {
    clearTimeout(this.quiet);
    this.receiver = null;
    this.transfer.hidden = true;
    if (reason !== 'done') notice(`File transfer: ${reason}`, 'bad');
    this.terminal.focus();
  }

  close() {
    this.closed = true;
    clearTimeout(this.quiet);
    this.sizes?.disconnect();
    this.unTheme?.();
    this.channel?.close();
    this.terminal?.dispose();
  }
}
