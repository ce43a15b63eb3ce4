/** Magnitude of taps: an equaliser's, or the echo that a canceller has found. */

import { Plot } from './plot.js';

export class TapsPlot extends Plot {
  /**
   * @param {string} title
   * @param {string} description
   * @param {string} unit What the horizontal axis counts.
   */
  constructor(title, description, unit) {
    super(title, description, { height: 120 });
    this.unit = unit;
    this.taps = [];
  }

  /**
   * Show taps.
   * @param {number[]} taps Magnitudes.
   * @param {number} [first] Place of the first on the axis.
   * @param {number} [step] Places from one to the next.
   */
  show(taps, first = 0, step = 1) {
    this.taps = taps ?? [];
    this.first = first;
    this.step = step;
    this.draw();
  }

  paint(context, width, height) {
    const floor = height - 16;
    this.gridLine(0, floor, width, floor);
    if (!this.taps.length) {
      this.label('nothing yet', width / 2, height / 2, 'center');
      return;
    }
    const most = Math.max(...this.taps, 1e-12);
    const each = width / this.taps.length;
    context.fillStyle = this.colours.tx;
    this.taps.forEach((tap, index) => {
      const tall = (tap / most) * (floor - 6);
      context.fillRect(index * each, floor - tall, Math.max(1, each - (each > 3 ? 1 : 0)), tall);
    });
    const end = this.first + this.step * (this.taps.length - 1);
    const round = (value) => (Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, ''));
    this.label(round(this.first), 2, height - 4);
    this.label(`${round(end)} ${this.unit}`, width - 2, height - 4, 'right');
  }
}
