/** Figures over the last minute, drawn by uPlot. */

import { h, text } from '../dom.js';
import { stylesheet } from '../stylesheet.js';
import { colour, onTheme } from '../theme.js';
import { SPAN } from './history.js';

const VENDOR = '/static/vendor/uplot';
const HEIGHT = 120;

/** Title, what it tells, its curves: name, key of the frame, colour, digits and unit. */
export const STRIPS = [
  { title: 'SNR', about: 'Signal to noise ratio as the receiver measures it', curves: [['SNR', 'snr', 'rx', 1, 'dB']] },
  { title: 'Clocks', about: 'How far the far end’s clock is off, as timing recovery finds it', curves: [['offset', 'ppm', 'tx', 1, 'ppm']] },
  {
    title: 'Packets', about: 'RTP: packets lost, and how unevenly they come',
    curves: [['lost', 'loss', 'accent', 2, '%'], ['jitter', 'jitter', 'rx', 1, 'ms']],
  },
  { title: 'Skew', about: 'RTP: the far end’s packet clock beside ours', curves: [['skew', 'skew', 'good', 1, 'ppm']] },
];

let library = null;

function load() {
  library ??= Promise.all([import(`${VENDOR}/uplot.js`), stylesheet(`${VENDOR}/uplot.css`)]).then(([module]) => module.default);
  return library;
}

export class Strips {
  constructor() {
    this.strips = STRIPS.map((strip) => {
      const figures = h('span.figures');
      const place = h('div.strip-plot', { role: 'img', 'aria-label': `${strip.title}: ${strip.about}` });
      const element = h('figure.plot', null, h('figcaption', { title: strip.about }, h('strong', null, strip.title), figures), place);
      return { ...strip, figures, place, element };
    });
    this.elements = this.strips.map(({ element }) => element);
    this.ready = load().then((UPlot) => this.build(UPlot));
    this.unTheme = onTheme(() => this.strips.forEach(({ chart }) => chart?.redraw(false, true)));
  }

  build(UPlot) {
    if (this.closed) return;
    for (const strip of this.strips) strip.chart = new UPlot(options(strip), [[], ...strip.curves.map(() => [])], strip.place);
    this.sizes = new ResizeObserver(() => this.strips.forEach(({ chart, place }) => {
      if (place.clientWidth) chart.setSize({ width: place.clientWidth, height: HEIGHT });
    }));
    this.strips.forEach(({ place }) => this.sizes.observe(place));
  }

  /** Show frames, oldest first. */
  show(frames) {
    const last = frames.at(-1);
    const times = frames.map(({ t }) => t - (last?.t ?? 0));
    for (const { chart, curves, figures } of this.strips) {
      chart?.setData([times, ...curves.map(([, key]) => frames.map((frame) => frame[key] ?? null))]);
      text(figures, curves.map(([name, key, , digits, unit]) => {
        const value = last?.[key];
        return Number.isFinite(value) ? `${curves.length > 1 ? `${name} ` : ''}${value.toFixed(digits)} ${unit}` : '';
      }).filter(Boolean).join(' · '));
    }
  }

  close() {
    this.closed = true;
    this.unTheme();
    this.sizes?.disconnect();
    this.strips.forEach(({ chart }) => chart?.destroy());
  }
}

function options({ curves, place }) {
  const axis = { stroke: () => colour('soft'), grid: { stroke: () => colour('grid'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
  return {
    width: place.clientWidth || 300, height: HEIGHT, padding: [6, 16, 0, 0], legend: { show: false }, cursor: { show: false },
    scales: { x: { time: false, range: [-SPAN, 0] }, y: { range: (_, low, high) => room(low, high) } },
    axes: [{ ...axis, size: 22, values: (_, places) => places.map((place_) => (place_ ? `${place_} s` : 'now')) }, { ...axis, size: 38 }],
    series: [{}, ...curves.map(([label, , name]) => ({ label, stroke: () => colour(name), width: 1.5, spanGaps: true, points: { show: false } }))],
  };
}

/** A range with air around it, never a hair wide. */
function room(low, high) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const air = Math.max((high - low) * 0.15, 0.5);
  return [low - air, high + air];
}
