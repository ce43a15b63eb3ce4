/** All modems of this server. */

import { fill, h } from '../dom.js';
import { Faceplate } from '../faceplate.js';

export function open(root, parts, app) {
  const list = h('div.plates');
  const none = h('p.none', null, 'Waiting for the server …');
  const plates = new Map();
  fill(root, h('h1', null, 'Modems'), list, none);

  const dialFrom = (id) => (command) => {
    app.pendingDial = { id, command };
    app.go(`modems/${encodeURIComponent(id)}`);
  };
  const links = (id) => ['Scope', 'Terminal'].map((name) =>
    h('a.button', { href: `#/modems/${encodeURIComponent(id)}/${name.toLowerCase()}` }, name));

  const draw = (panel) => {
    none.hidden = panel.modems.size > 0;
    none.textContent = panel.state === 'open' ? 'No modem runs here: see [[modem]] in the configuration.' : 'Waiting for the server …';
    for (const [id, plate] of plates) {
      if (!panel.modems.has(id)) {
        plate.close();
        plate.element.remove();
        plates.delete(id);
      }
    }
    for (const [id, modem] of panel.modems) {
      if (plates.has(id)) plates.get(id).update(modem);
      else {
        const plate = new Faceplate(app, modem, dialFrom(id), ...links(id));
        plates.set(id, plate);
        list.append(plate.element);
      }
    }
  };
  const unwatch = app.panel.watch(draw);
  return () => {
    unwatch();
    plates.forEach((plate) => plate.close());
  };
}
