/** The handshake as a ladder between the two modems, and what was said beside the data: AT lines and LAPM frames. */

import { h } from '../dom.js';

const MOST_LINES = 400;
const NEAR_THE_END = 60;

/** A list that grows at its end, stays there while one looks at its end, and shows what was there at any time. */
class Growing {
  constructor(title, about, draw, name) {
    this.draw = draw;
    this.list = h(`ol.${name}`);
    this.none = h('p.none', null, 'Nothing yet.');
    this.box = h('div.growing', { tabindex: 0, role: 'log', 'aria-label': title, 'aria-live': name === 'ladder' ? 'polite' : 'off' }, this.none, this.list);
    this.element = h('section.card', null, h('h2', { title: about }, title), this.box);
    this.shown = [];
  }

  add(event) {
    const { box } = this;
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_THE_END;
    this.none.hidden = true;
    this.shown.push(event);
    this.list.append(this.draw(event));
    if (this.list.childElementCount > MOST_LINES) {
      this.list.firstElementChild.remove();
      this.shown.shift();
    }
    if (follows) box.scrollTop = box.scrollHeight;
  }

  /** Show these and no others. */
  rebuild(events) {
    this.shown = events.slice(-MOST_LINES);
    this.list.replaceChildren(...this.shown.map(this.draw));
    this.none.hidden = this.shown.length > 0;
    this.box.scrollTop = this.box.scrollHeight;
  }
}

const clock = (t) => h('span.at-time', null, `${t.toFixed(2)} s`);

/** Phases of the handshake: who sends, what it is called, why it is there. */
export class Ladder extends Growing {
  constructor() {
    super('Handshake', 'Each step of the two modems as it happens', rung, 'ladder');
  }
}

function rung({ t, name, text, side, clause }) {
  const way = side === 'far' ? 'far' : side === 'near' ? 'near' : 'both';
  const arrow = { far: '◀', near: '▶', both: '◆' }[way];
  const who = { far: 'the far modem', near: 'this modem', both: 'both' }[way];
  return h(`li.rung.${way}`, null,
    h('span.rung-arrow', { 'aria-hidden': 'true' }, arrow),
    h('div', null,
      h('div.rung-head', null, h('strong', null, name), h('span.hidden', null, `, ${who}`), clock(t), clause && h('span.clause', null, clause)),
      text && h('p', null, text)));
}

/** Commands and result codes. */
export class AtLog extends Growing {
  constructor() {
    super('AT dialogue', 'What the terminal said to the modem, and what it answered', atLine, 'dialogue');
  }
}

function atLine({ t, name, text, side }) {
  return h(`li.${side === 'dte' ? 'typed' : 'said'}`, null, clock(t), h('code', null, text || name));
}

/** Frames of error control. */
export class FrameLog extends Growing {
  constructor() {
    super('LAPM frames', 'Frames of V.42 between the modems: ▶ sent, ◀ received', frameLine, 'frames');
  }
}

function frameLine({ t, name, text, side }) {
  const sent = side === 'near';
  return h(`li.${sent ? 'near' : 'far'}`, null, clock(t),
    h('span', { 'aria-hidden': 'true' }, sent ? '▶' : '◀'), h('span.hidden', null, sent ? 'sent' : 'received'),
    h('strong', null, name), h('span.soft', null, text));
}
