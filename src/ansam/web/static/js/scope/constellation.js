/** Received points on the complex plane, older ones fading. */

import { Plot } from './plot.js';

const OUTERMOST = 0.985;
const SLOW = 0.15;

export class ConstellationPlot extends Plot {
  constructor() {
    super('Constellation', 'Points the receiver decided on, in the complex plane', { ratio: 1 });
    this.batches = [];
    this.span = 1;
  }

  /** Show batches of points, oldest first; each is an array of [real, imaginary]. */
  show(batches) {
    this.batches = batches;
    const reach = batches.flat().map(([re, im]) => Math.max(Math.abs(re), Math.abs(im))).sort((a, b) => a - b);
    if (reach.length) {
      const wanted = (reach[Math.floor(OUTERMOST * (reach.length - 1))] || 1) * 1.15;
      const far = wanted > this.span * 1.6 || wanted < this.span / 1.6;
      this.span = far ? wanted : this.span + SLOW * (wanted - this.span);
    }
    this.say(reach.length ? `${batches.at(-1).length} points` : '');
    this.draw();
  }

  paint(context, width, height) {
    const scale = Math.min(width, height) / 2 / this.span;
    this.gridLine(width / 2, 0, width / 2, height);
    this.gridLine(0, height / 2, width, height / 2);
    context.fillStyle = this.colours.rx;
    this.batches.forEach((points, index) => {
      context.globalAlpha = 0.25 + 0.75 * ((index + 1) / this.batches.length) ** 2;
      for (const [re, im] of points) context.fillRect(width / 2 + re * scale - 1.25, height / 2 - im * scale - 1.25, 2.5, 2.5);
    });
    context.globalAlpha = 1;
  }
}
