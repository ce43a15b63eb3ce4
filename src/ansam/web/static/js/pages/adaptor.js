/** The adaptor between modem and network, by the names on the pages of a Linksys PAP2T. */

import { get, request } from '../api.js';
import { fill, freshId, h } from '../dom.js';
import { attempt } from '../notices.js';

const SEVERITIES = { breaks: ['bad', 'breaks calls'], harms: ['warn', 'harms calls'], remark: ['', 'worth a look'] };

export async function open(root, parts, app) {
  const { adaptors } = await get('/api/adaptor');
  fill(root,
    h('h1', null, 'Adaptor'),
    h('p', null, 'What a modem needs of its adaptor, under the names on the pages of a PAP2T. A value that does not fit says why.'),
    adaptors.length ? adaptors.map((adaptor) => new Sheet(adaptor, app).element) : h('p.none', null, 'No adaptor is configured here.'));
}

class Sheet {
  constructor(adaptor, app) {
    this.may = app.may('admin');
    this.element = h('section.card.adaptor');
    this.draw(adaptor);
  }

  draw(adaptor) {
    this.adaptor = adaptor;
    const pages = Map.groupBy(adaptor.settings, ({ page }) => page);
    const editable = this.may && adaptor.settings.some((one) => one.editable);
    this.inputs = new Map();
    fill(this.element,
      h('div.card-head', null,
        h('h2', null, `${adaptor.title} · ${adaptor.kind === 'hardware' ? adaptor.model.toUpperCase() : 'in software'}`),
        this.saved && h('span.tag.warn', { role: 'status' }, `saved; counts ${adaptor.applies}`),
        h(`span.tag.${adaptor.fit ? 'good' : 'bad'}`, null, adaptor.fit ? 'fit for modems' : 'not fit for modems')),
      h('form', { onsubmit: (event) => this.save(event) },
        [...pages].map(([page, settings]) => h('fieldset', null, h('legend', null, page), h('div.settings', null, settings.map((one) => this.row(one))))),
        editable && h('div.row.middle', null, h('button.main', { type: 'submit' }, 'Save'), h('span.hint', null, `Counts ${adaptor.applies}.`))));
  }

  row(one) {
    const id = freshId('setting');
    const enabled = this.may && one.editable;
    const input = one.choices.length
      ? h('select', { id, disabled: !enabled }, one.choices.map((choice) => h('option', { value: choice }, choice)))
      : h('input', { id, disabled: !enabled, placeholder: one.name === 'Password' ? 'unchanged' : '', type: one.name === 'Password' ? 'password' : 'text', autocomplete: 'off' });
    input.value = one.value;
    this.inputs.set(one.key, { input, before: input.value });
    const [kind, words] = SEVERITIES[one.severity] ?? ['', ''];
    const about = h('small.hint', { id: `${id}-about` },
      one.fits ? null : h(`strong.tag.${kind}`, null, `${words}; choose ${one.wanted}`), one.fits ? '' : ' ', one.why);
    input.setAttribute('aria-describedby', about.id);
    return h(`div.setting${one.fits ? '' : '.unfit'}`, null, h('label', { for: id }, one.name), input, about);
  }

  async save(event) {
    event.preventDefault();
    const settings = {};
    for (const [key, { input, before }] of this.inputs) if (!input.disabled && input.value !== before) settings[key] = input.value;
    if (!Object.keys(settings).length) return;
    const { id, applies } = this.adaptor;
    await attempt(async () => {
      const changed = await request('PUT', '/api/adaptor', { id, settings });
      this.saved = true;
      this.draw(changed);
    }, `Saved. It counts ${applies}.`);
  }
}
