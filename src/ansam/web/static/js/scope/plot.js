/** A canvas in a figure, sharp on any screen, with a caption and a line of figures. */

import { h, text } from '../dom.js';
import { colour, onTheme } from '../theme.js';

const NAMES = ['plot', 'grid', 'soft', 'ink', 'rx', 'tx', 'accent', 'good', 'warn', 'line'];

export class Plot {
  /**
   * @param {string} title
   * @param {string} description What it shows, for people who do not see it.
   * @param {{ratio?: number, height?: number}} size Height over width, or height in pixels.
   */
  constructor(title, description, size) {
    this.size = size;
    this.canvas = h('canvas', { role: 'img', 'aria-label': description });
    this.figures = h('span.figures');
    this.element = h('figure.plot', null, h('figcaption', { title: description }, h('strong', null, title), this.figures), this.canvas);
    this.context = this.canvas.getContext('2d');
    this.colours = {};
    this.readColours();
    this.unTheme = onTheme(() => {
      this.readColours();
      this.draw();
    });
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.canvas);
  }

  readColours() {
    for (const name of NAMES) this.colours[name] = colour(name);
  }

  resize() {
    const width = this.canvas.clientWidth;
    if (!width) return;
    const scale = devicePixelRatio || 1;
    this.width = width;
    this.height = this.size.height ?? Math.round(width * this.size.ratio);
    this.canvas.width = Math.round(this.width * scale);
    this.canvas.height = Math.round(this.height * scale);
    this.canvas.style.setProperty('height', `${this.height}px`);
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.draw();
  }

  /** Show figures beside the title. */
  say(line) {
    text(this.figures, line);
  }

  draw() {
    if (!this.width) return;
    this.context.fillStyle = this.colours.plot;
    this.context.fillRect(0, 0, this.width, this.height);
    this.paint(this.context, this.width, this.height);
  }

  /** A thin line with a label at its beginning. */
  gridLine(x1, y1, x2, y2) {
    const { context } = this;
    context.strokeStyle = this.colours.grid;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  label(words, x, y, align = 'left') {
    const { context } = this;
    context.fillStyle = this.colours.soft;
    context.font = '11px system-ui, sans-serif';
    context.textAlign = align;
    context.fillText(words, x, y);
  }

  close() {
    this.unTheme();
    this.sizes.disconnect();
  }
}
