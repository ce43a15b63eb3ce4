/** Power over frequency now, and below it the same over time, newest on top. */

import { Plot } from './plot.js';

const TOP = 0;
const BOTTOM = -80;
const HIGHEST = 4000;
const ROWS = 240;

/** Quiet to loud: night, blue, violet, orange, white. */
const STOPS = [[0, 6, 8, 16], [0.3, 22, 40, 92], [0.55, 126, 48, 128], [0.78, 238, 110, 60], [0.92, 255, 206, 110], [1, 255, 252, 240]];

function palette() {
  const out = new Uint8ClampedArray(256 * 3);
  for (let index = 0; index < 256; index += 1) {
    const value = index / 255;
    const at = STOPS.findIndex(([place]) => place >= value) || 1;
    const [low, high] = [STOPS[at - 1], STOPS[at]];
    const part = (value - low[0]) / (high[0] - low[0]);
    for (let channel = 0; channel < 3; channel += 1) {
      out[index * 3 + channel] = low[channel + 1] + part * (high[channel + 1] - low[channel + 1]);
    }
  }
  return out;
}

const PALETTE = palette();
const share = (level) => Math.min(1, Math.max(0, (level - BOTTOM) / (TOP - BOTTOM)));

export class SpectrumPlot extends Plot {
  constructor() {
    super('Spectrum', 'Power of what is received and sent over frequency, 0 to 4000 hertz', { ratio: 0.34 });
    this.received = null;
    this.sent = null;
  }

  /** Show two spectra: dB per bin from 0 to 4000 Hz; the second may be missing. */
  show(received, sent) {
    this.received = received;
    this.sent = sent;
    this.draw();
  }

  paint(context, width, height) {
    for (let frequency = 500; frequency < HIGHEST; frequency += 500) {
      const x = (frequency / HIGHEST) * width;
      this.gridLine(x, 0, x, height);
      if (frequency % 1000 === 0) this.label(`${frequency / 1000} kHz`, x + 3, height - 4);
    }
    for (let level = TOP - 20; level > BOTTOM; level -= 20) {
      const y = (1 - share(level)) * height;
      this.gridLine(0, y, width, y);
      this.label(`${level} dB`, 3, y - 3);
    }
    this.curve(context, this.sent, this.colours.tx, width, height);
    this.curve(context, this.received, this.colours.rx, width, height);
  }

  curve(context, levels, stroke, width, height) {
    if (!levels?.length) return;
    context.beginPath();
    levels.forEach((level, bin) => {
      const [x, y] = [(bin / (levels.length - 1)) * width, (1 - share(level)) * height];
      if (bin) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
    context.strokeStyle = stroke;
    context.lineWidth = 1.5;
    context.stroke();
    context.lineTo(width, height);
    context.lineTo(0, height);
    context.globalAlpha = 0.12;
    context.fillStyle = stroke;
    context.fill();
    context.globalAlpha = 1;
  }
}

export class WaterfallPlot extends Plot {
  constructor() {
    super('Waterfall', 'The received spectrum over time, newest on top', { ratio: 0.5 });
    this.rows = document.createElement('canvas');
    this.bins = 0;
  }

  /** Add the newest spectrum. */
  add(levels) {
    this.push(levels);
    this.draw();
  }

  /** Draw anew: spectra, oldest first. */
  rebuild(spectra) {
    this.bins = 0;
    spectra.slice(-ROWS).forEach((levels) => this.push(levels));
    this.draw();
  }

  push(levels) {
    if (!levels?.length) return;
    if (levels.length !== this.bins) {
      this.bins = levels.length;
      this.rows.width = this.bins;
      this.rows.height = ROWS;
      this.inside = this.rows.getContext('2d', { willReadFrequently: false });
      this.row = this.inside.createImageData(this.bins, 1);
    }
    this.inside.drawImage(this.rows, 0, 1);
    const { data } = this.row;
    levels.forEach((level, bin) => {
      const index = Math.round(share(level) * 255) * 3;
      data[bin * 4] = PALETTE[index];
      data[bin * 4 + 1] = PALETTE[index + 1];
      data[bin * 4 + 2] = PALETTE[index + 2];
      data[bin * 4 + 3] = 255;
    });
    this.inside.putImageData(this.row, 0, 0);
  }

  paint(context, width, height) {
    context.fillStyle = `rgb(${PALETTE[0]} ${PALETTE[1]} ${PALETTE[2]})`;
    context.fillRect(0, 0, width, height);
    if (!this.bins) return;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.rows, 0, 0, width, height);
  }
}
