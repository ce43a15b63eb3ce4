/** The front of a modem: its lights, what it says of itself, and what one can do with it. */

import { post } from './api.js';
import { duration, field, h, text } from './dom.js';
import { LIGHTS, LINK_RATES } from './lights.js';
import { attempt } from './notices.js';

const STATES = {
  offline: 'no line', idle: 'on hook', dialling: 'dialling', ringing: 'RING', handshake: 'handshake', connected: 'connected',
};
const ON_HOOK = new Set(['offline', 'idle', 'ringing']);
const MODELS = {
  'usr-56k': '56K', 'usr-x2': 'x2', 'courier-v34': 'Courier V.34', 'hayes-2400': '2400', rockwell: 'Rockwell', wifi: 'WiFi',
};
const VOLUMES = ['off', 'low', 'medium', 'high'];
const TICK = 250;

export class Faceplate {
  /**
   * @param {Object} app Session and roles.
   * @param {Object} modem Its first state.
   * @param {(command: {number: string, link: number}) => void} dial What the dial button does.
   * @param {...Node} more Further controls.
   */
  constructor(app, modem, dial, ...more) {
    this.id = modem.id;
    this.lights = new Map();
    this.state = h('div.glass-state');
    this.facts = ['number', 'rate', 'time', 'terminal'].map((name) => h('span', { title: name }));
    this.element = h('section.faceplate', { 'aria-label': `Modem ${modem.name}` },
      this.head(modem),
      h('div.faceplate-vents', { 'aria-hidden': 'true' }),
      h('div.faceplate-front', null, this.lens(), h('div.glass', null, this.state, h('div.glass-facts', null, this.facts))),
      app.may('operator') ? this.controls(modem, dial, more) : more.length ? h('div.controls', null, more) : null);
    this.timer = setInterval(() => this.tick(), TICK);
    this.update(modem);
  }

  head(modem) {
    return h('div.faceplate-head', null,
      h('span.faceplate-mark', { 'aria-hidden': 'true' }, 'ansam'),
      h('h2', null, h('a', { href: `#/modems/${encodeURIComponent(modem.id)}` }, modem.name)),
      h('span.faceplate-model', null,
        [MODELS[modem.personality] ?? modem.personality, modem.extension && `extension ${modem.extension}`].filter(Boolean).join(' · ')));
  }

  lens() {
    return h('div.lens', null, h('ul.lights', { 'aria-label': 'Lights' }, LIGHTS.map(([name, title, meaning]) => {
      const said = h('span.hidden', null, 'off');
      const light = h('li.light', { 'data-light': name, 'data-on': 'false', title: `${title}: ${meaning}` },
        h('span.lamp', { 'aria-hidden': 'true' }), h('abbr', { title }, name), said);
      this.lights.set(name, { light, said });
      return light;
    })));
  }

  controls(modem, dial, more) {
    const number = h('input.dial-number', { type: 'tel', placeholder: '05', autocomplete: 'off', spellcheck: 'false', maxlength: 60 });
    this.link = h('select', null, LINK_RATES.map((rate, n) => h('option', { value: n }, rate ? `&N${n} · ${rate}` : 'as set · &N')));
    this.dialButton = h('button.main', { type: 'submit' }, 'Dial');
    this.answerButton = h('button', { type: 'button', onclick: () => this.does('answer') }, 'Answer');
    this.hangUpButton = h('button', { type: 'button', onclick: () => this.does('hangup') }, 'Hang up');
    const submit = (event) => {
      event.preventDefault();
      dial({ number: number.value.trim() || number.placeholder, link: Number(this.link.value) });
    };
    return h('form.controls', { onsubmit: submit, 'aria-label': `Controls of ${modem.name}` },
      labelled('number', 'Number', number), labelled('rate', 'Highest rate', this.link),
      this.dialButton, this.answerButton, this.hangUpButton, this.volume(), h('span.spring'), more);
  }

  volume() {
    const slider = h('input', {
      type: 'range', min: 0, max: 3, step: 1, value: 1, 'aria-valuetext': VOLUMES[1],
      oninput: () => slider.setAttribute('aria-valuetext', VOLUMES[slider.value]),
      onchange: () => this.does('volume', { level: Number(slider.value) }),
    });
    return field('Speaker (ATL)', slider);
  }

  does(what, body = {}) {
    return attempt(() => post(`/api/modems/${encodeURIComponent(this.id)}/${what}`, body));
  }

  /** Show a state. */
  update(modem) {
    this.modem = modem;
    for (const [name, { light, said }] of this.lights) {
      const on = String(Boolean(modem.lights?.[name]));
      if (light.dataset.on !== on) {
        light.dataset.on = on;
        text(said, on === 'true' ? 'on' : 'off');
      }
    }
    text(this.state, modem.state === 'connected' && modem.connect ? modem.connect : STATES[modem.state] ?? modem.state);
    text(this.facts[0], modem.number ? modem.number : '');
    text(this.facts[1], modem.rate ? `${modem.rate} bit/s` : '');
    text(this.facts[3], modem.terminal_in_use ? 'terminal in use' : '');
    if (this.dialButton) {
      this.dialButton.disabled = modem.state !== 'idle';
      this.answerButton.disabled = modem.state !== 'ringing';
      this.hangUpButton.disabled = ON_HOOK.has(modem.state);
    }
    this.tick();
  }

  tick() {
    const { state, seconds, since } = this.modem;
    const held = !ON_HOOK.has(state) && Number.isFinite(seconds);
    text(this.facts[2], held ? `${duration(seconds + (performance.now() - since) / 1000)}` : '');
  }

  close() {
    clearInterval(this.timer);
  }
}

function labelled(name, label, control) {
  const box = field(label, control);
  box.classList.add(name);
  return box;
}

/** What is typed to dial: the original session's way, `AT&N4DT05`. */
export function dialCommand({ number, link }) {
  return `AT${link ? `&N${link}` : ''}DT${number}`;
}
