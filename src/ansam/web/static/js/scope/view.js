/** The scope of a modem: everything its receiver knows, live, paused, or some seconds back. */

import { Channel } from '../api.js';
import { h, text } from '../dom.js';
import { ConstellationPlot } from './constellation.js';
import { History, SPAN } from './history.js';
import { AtLog, FrameLog, Ladder } from './ladder.js';
import { eventOf, frameOf } from './messages.js';
import { SpectrumPlot, WaterfallPlot } from './spectrum.js';
import { Strips } from './strips.js';
import { TapsPlot } from './taps.js';

/** Frames of the constellation shown at once. */
const BATCHES = 12;
const STRIPS_EVERY = 300;
/** Seconds an event may come late, and more than which means another call. */
const BACK = 2;

export class ScopeView {
  /** @param {string} id The modem's. */
  constructor(id) {
    this.id = id;
    this.history = new History();
    this.pausedAt = null;
    this.spectrum = new SpectrumPlot();
    this.waterfall = new WaterfallPlot();
    this.constellation = new ConstellationPlot();
    this.equaliser = new TapsPlot('Equaliser', 'Magnitude of the equaliser’s taps: the shape of the line, inverted', 'symbols');
    this.echo = new TapsPlot('Echo', 'The echo of our own signal as the canceller has learnt it', 'ms');
    this.strips = new Strips();
    this.ladder = new Ladder();
    this.dialogue = new AtLog();
    this.frames = new FrameLog();
    this.plots = [this.spectrum, this.waterfall, this.constellation, this.equaliser, this.echo];
    this.logs = { phase: this.ladder, note: this.ladder, at: this.dialogue, lapm: this.frames };
    this.toolbar = this.buildToolbar();
    this.channel = new Channel(`/ws/modems/${encodeURIComponent(id)}/scope`, {
      onmessage: (messages) => messages.forEach((message) => this.receive(message)),
      onopen: () => text(this.state, ''),
      onstate: (state) => { if (state !== 'open') text(this.state, 'waiting for the server …'); },
    });
  }

  buildToolbar() {
    this.state = h('span.hint', { role: 'status' });
    this.pauseButton = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => this.pause(this.pausedAt === null) }, 'Pause');
    this.slider = h('input.scrub', {
      type: 'range', min: -SPAN, max: 0, step: 0.1, value: 0, 'aria-label': 'Seconds back', 'aria-valuetext': 'live',
      oninput: () => this.scrub(Number(this.slider.value)),
    });
    this.place = h('output.mono', null, 'live');
    const bundle = h('a.button', { href: `/api/modems/${encodeURIComponent(this.id)}/bundle`, download: '', title: 'The last 60 s, for ansam listen' }, 'Save bundle');
    return h('div.toolbar', { role: 'toolbar', 'aria-label': 'Time' }, this.pauseButton, this.slider, this.place, bundle, this.state);
  }

  receive(message) {
    const event = eventOf(message);
    if (event) this.addEvent(event);
    const frame = frameOf(message);
    if (frame) this.addFrame(frame);
  }

  addFrame(frame) {
    if (frame.t < this.history.last) this.newCall();
    this.history.addFrame(frame);
    if (this.pausedAt !== null) return;
    this.waterfall.add(frame.spectrum);
    this.latest = frame;
    this.request ??= requestAnimationFrame(() => {
      this.request = null;
      this.showFrame(this.latest.t);
    });
  }

  /** Time began anew: what was before belongs to the call before, but for what was typed to begin this one. */
  newCall() {
    this.history.newCall();
    this.pause(false);
  }

  addEvent(event) {
    const last = this.history.events.at(-1);
    event.t ??= last?.t ?? 0;
    if (event.kind === 'call' || (last && event.t < last.t - BACK)) this.newCall();
    this.history.addEvent(event);
    if (this.pausedAt === null) this.logs[event.kind]?.add(event);
  }

  /** Show all that belongs to a time but the waterfall and the logs. */
  showFrame(t) {
    const frame = this.history.at(t);
    if (!frame) return;
    this.spectrum.show(frame.spectrum, frame.spectrum_tx);
    this.spectrum.say([
      Number.isFinite(frame.level) && `received ${frame.level.toFixed(1)} dBm0`, frame.symbol_rate && `${frame.symbol_rate} Bd`,
    ].filter(Boolean).join(' · '));
    const upTo = this.history.until(t);
    this.constellation.show(upTo.slice(-BATCHES).map(({ constellation }) => constellation).filter((points) => points?.length));
    this.equaliser.show(frame.equaliser);
    this.echo.show(frame.echo);
    const now = performance.now();
    if (this.pausedAt !== null || now - (this.stripsAt ?? 0) > STRIPS_EVERY) {
      this.stripsAt = now;
      this.strips.show(upTo);
    }
  }

  pause(on) {
    this.pausedAt = on ? this.history.last : null;
    this.pauseButton.setAttribute('aria-pressed', String(on));
    text(this.pauseButton, on ? 'Go on' : 'Pause');
    if (!on) {
      this.slider.value = 0;
      this.label(0);
    }
    this.showAll(this.pausedAt ?? Infinity);
  }

  scrub(back) {
    if (this.pausedAt === null) this.pause(true);
    this.label(back);
    this.showAll(this.pausedAt + back);
  }

  label(back) {
    const words = this.pausedAt === null ? 'live' : `${back.toFixed(1)} s`;
    text(this.place, words);
    this.slider.setAttribute('aria-valuetext', words);
  }

  showAll(t) {
    this.waterfall.rebuild(this.history.until(t).map(({ spectrum }) => spectrum));
    for (const log of new Set(Object.values(this.logs))) {
      log.rebuild(this.history.events.filter((event) => this.logs[event.kind] === log && event.t <= t));
    }
    this.showFrame(t);
  }

  close() {
    this.channel.close();
    cancelAnimationFrame(this.request);
    this.plots.forEach((plot) => plot.close());
    this.strips.close();
  }
}
