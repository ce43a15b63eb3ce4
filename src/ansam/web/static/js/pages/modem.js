/** One modem: its front, its terminal, and the scope. */

import { Audio } from '../audio.js';
import { field, fill, h, text } from '../dom.js';
import { dialCommand, Faceplate } from '../faceplate.js';
import { post } from '../api.js';
import { attempt } from '../notices.js';
import { ScopeView } from '../scope/view.js';
import { TerminalView } from '../terminal/view.js';

const VIEWS = [['', 'Both'], ['scope', 'Scope'], ['terminal', 'Terminal']];

/** Make the controls that let one hear the call. */
function hearing(id) {
  const button = h('button', { type: 'button', 'aria-pressed': 'false', title: 'Line in on the left, line out on the right' }, 'Hear it');
  const loudness = h('input', { type: 'range', min: 0, max: 1, step: 0.05, value: 0.5 });
  const audio = new Audio((state) => {
    button.setAttribute('aria-pressed', String(state !== 'off'));
    text(button, { off: 'Hear it', waiting: 'Hear it …', playing: 'Hearing it' }[state]);
  });
  button.addEventListener('click', () => (audio.on ? audio.stop() : attempt(() => audio.start(id))));
  loudness.addEventListener('input', () => audio.setVolume(Number(loudness.value)));
  return { audio, controls: [button, field('Loudness here', loudness)] };
}

function tabs(id, view) {
  return h('div.tabs', { role: 'group', 'aria-label': 'What is shown' }, VIEWS.map(([name, title]) => h('a.button', {
    href: `#/modems/${encodeURIComponent(id)}${name && `/${name}`}`, 'aria-current': name === view ? 'true' : null,
  }, title)));
}

function layout(scope, terminal) {
  const card = (name, ...children) => h(`section.card.${name}`, null, children);
  return [
    terminal?.element,
    scope && card('signal', scope.spectrum.element, scope.waterfall.element),
    scope && card('points', scope.constellation.element, scope.equaliser.element),
    scope && Object.assign(scope.ladder.element, { className: 'card handshake' }),
    scope && card('strips', scope.echo.element, scope.strips.elements),
    scope && Object.assign(scope.dialogue.element, { className: 'card at' }),
    scope && Object.assign(scope.frames.element, { className: 'card lapm' }),
  ];
}

export async function open(root, [id, view = ''], app) {
  const terminal = app.may('operator') && view !== 'scope' ? new TerminalView(id) : null;
  const scope = view === 'terminal' ? null : new ScopeView(id);
  const { audio, controls } = hearing(id);
  const dial = (command) => dialWith(terminal, id, command, app);
  const front = h('div.front', null, h('p.none', null, 'Waiting for the server …'));
  fill(root,
    h('div.page-head', null, h('h1', null, `Modem ${id}`), tabs(id, view)),
    front, scope?.toolbar, h(`div.bench${scope && terminal ? '.both' : ''}`, null, layout(scope, terminal)));

  let plate = null;
  const unwatch = app.panel.watch((panel) => {
    const modem = panel.modems.get(id);
    if (!modem) {
      if (panel.state === 'open' && panel.modems.size) fill(front, h('p.none', null, `There is no modem ${id} here.`));
    } else if (plate) plate.update(modem);
    else {
      plate = new Faceplate(app, modem, dial, ...controls);
      fill(front, plate.element);
    }
  });
  if (app.pendingDial?.id === id) {
    const { command } = app.pendingDial;
    app.pendingDial = null;
    dial(command);
  }
  await terminal?.open();
  return () => {
    unwatch();
    plate?.close();
    if (audio.on) audio.stop();
    scope?.close();
    terminal?.close();
  };
}

/** Dial as a person at the terminal would; without one, by the server's button. */
function dialWith(terminal, id, command, app) {
  if (terminal) {
    terminal.type(dialCommand(command));
  } else if (command.link) {
    app.pendingDial = { id, command };
    app.go(`modems/${encodeURIComponent(id)}`);
  } else {
    attempt(() => post(`/api/modems/${encodeURIComponent(id)}/dial`, { string: command.number }));
  }
}
