/** The exchange: who may register, who has, groups, trunks, calls under way and calls made. */

import { get, post, request } from '../api.js';
import { duration, field, fill, h, moment, table } from '../dom.js';
import { attempt } from '../notices.js';

const EVERY = 3000;
const PAGE = 50;

const KEYS = [
  ['number', 'Number', { pattern: '[0-9A-Za-z*#_.+\\-]{1,32}', required: true }],
  ['name', 'Name', { maxlength: 60 }],
  ['call_limit', 'Calls at once', { type: 'number', min: 1, max: 1000, required: true }],
  ['ring_seconds', 'Rings for (s), 0 as the exchange', { type: 'number', min: 0, max: 3600, step: 'any', required: true }],
  ['forward_busy', 'Forward when busy', {}],
  ['forward_no_answer', 'Forward without answer', {}],
  ['forward_unreachable', 'Forward when not registered', {}],
];
const NUMBERS = new Set(['call_limit', 'ring_seconds']);

export async function open(root, parts, app) {
  const places = Object.fromEntries(['extensions', 'live', 'registrations', 'groups', 'trunks'].map((name) => [name, h('div')]));
  const records = new Records();
  const admin = app.may('admin');
  const refresh = async () => {
    const [extensions, registrations, groups, trunks, live] = await Promise.all(
      ['extensions', 'registrations', 'groups', 'trunks', 'live-calls'].map((name) => get(`/api/${name}`)));
    fill(places.extensions, extensionTable(extensions.extensions, admin, refresh));
    fill(places.registrations, registrationTable(registrations.registrations));
    fill(places.groups, groupTable(groups.groups));
    fill(places.trunks, trunkTable(trunks.trunks));
    fill(places.live, liveTable(live.calls));
  };
  fill(root,
    h('div.page-head', null, h('h1', null, 'Exchange'),
      admin && h('button.main', { type: 'button', onclick: () => edit(null, refresh) }, 'Add an extension')),
    section('Extensions', places.extensions),
    section('Calls under way', places.live),
    section('Registrations', places.registrations),
    h('div.cards', null, section('Hunt groups', places.groups), section('Trunks', places.trunks)),
    records.element);
  await refresh();
  await records.load();
  const timer = setInterval(() => {
    if (!document.hidden && !root.contains(document.activeElement?.closest('td'))) refresh().catch(() => {});
  }, EVERY);
  return () => clearInterval(timer);
}

function section(title, ...children) {
  return h('section.card', null, h('h2', null, title), children);
}

function extensionTable(extensions, admin, refresh) {
  const buttons = (one) => h('div.row', null,
    h('button', { type: 'button', 'aria-label': `Edit ${one.number}`, onclick: () => edit(one, refresh) }, 'Edit'),
    h('button.danger', { type: 'button', 'aria-label': `Delete ${one.number}`, onclick: () => remove(one, refresh) }, 'Delete'));
  return table('Extensions', ['Number', 'Name', 'Registered', 'Secret', 'Calls at once', 'Forwarding', ...(admin ? [''] : [])],
    extensions.map((one) => [
      h('strong.mono', null, one.number), one.name,
      h(`span.tag.${one.registered ? 'good' : 'warn'}`, null, one.registered ? `yes (${one.registered})` : 'no'),
      h('span', { title: 'Secrets are never shown' }, '••••••'), one.call_limit, forwards(one),
      ...(admin ? [buttons(one)] : [])]));
}

function forwards(one) {
  return [['busy', one.forward_busy], ['no answer', one.forward_no_answer], ['unreachable', one.forward_unreachable]]
    .filter(([, to]) => to).map(([when, to]) => `${when} → ${to}`).join(', ') || '–';
}

/** Ask for the keys of an extension, old or new, and write them. */
function edit(one, refresh) {
  const inputs = KEYS.map(([key, label, attributes]) => {
    const value = one?.[key] ?? (key === 'call_limit' ? 1 : NUMBERS.has(key) ? 0 : '');
    return [key, field(label, h('input', { ...attributes, name: key, value, disabled: one && key === 'number' }))];
  });
  const secret = h('input', { name: 'secret', type: 'password', autocomplete: 'new-password' });
  const dialog = h('dialog', { 'aria-label': one ? `Extension ${one.number}` : 'New extension', onclose: () => dialog.remove() });
  const submit = async (event) => {
    event.preventDefault();
    if (await attempt(() => write(one, inputs, secret.value))) {
      dialog.close();
      await refresh();
    }
  };
  fill(dialog, h('form', { onsubmit: submit },
    h('h2', null, one ? `Extension ${one.number}` : 'New extension'),
    inputs.map(([, box]) => box),
    field('Secret', secret, one ? 'Leave empty to keep it.' : 'Leave empty to have one made.'),
    h('div.row', null, h('button.main', { type: 'submit' }, 'Save'), h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'))));
  document.body.append(dialog);
  dialog.showModal();
}

async function write(one, inputs, secret) {
  const body = {};
  for (const [key, box] of inputs) {
    const { value, disabled } = box.querySelector('input');
    if (!disabled) body[key] = NUMBERS.has(key) ? Number(value) : value;
  }
  if (secret) body.secret = secret;
  if (one) {
    await request('PATCH', `/api/extensions/${encodeURIComponent(one.number)}`, body);
    return;
  }
  const made = await post('/api/extensions', body);
  if (made.secret) tellSecret(made);
}

/** A secret that was made up is shown this once. */
function tellSecret({ extension, secret }) {
  const dialog = h('dialog', { 'aria-label': 'The secret', onclose: () => dialog.remove() });
  fill(dialog, h('form', { method: 'dialog' },
    h('h2', null, `Extension ${extension.number} is there`),
    h('p', null, 'Its secret, shown this once:'), h('p', null, h('code.secret', null, secret)),
    h('div.row', null,
      h('button', { type: 'button', onclick: () => attempt(() => navigator.clipboard.writeText(secret), 'Copied.') }, 'Copy'),
      h('button.main', { type: 'submit' }, 'Done'))));
  document.body.append(dialog);
  dialog.showModal();
}

function remove(one, refresh) {
  const dialog = h('dialog', { 'aria-label': `Delete ${one.number}`, onclose: () => dialog.remove() });
  const really = async (event) => {
    event.preventDefault();
    await attempt(() => request('DELETE', `/api/extensions/${encodeURIComponent(one.number)}`), `Extension ${one.number} is gone.`);
    dialog.close();
    await refresh();
  };
  fill(dialog, h('form', { onsubmit: really },
    h('p', null, `Delete extension ${one.number}? Who is registered with it is cut off.`),
    h('div.row', null, h('button.danger', { type: 'submit' }, 'Delete'), h('button', { type: 'button', onclick: () => dialog.close() }, 'Keep'))));
  document.body.append(dialog);
  dialog.showModal();
}

function registrationTable(registrations) {
  return table('Registrations', ['Number', 'Contact', 'From', 'Expires in', 'Program'], registrations.map((one) => [
    h('strong.mono', null, one.number), h('code', null, one.contact), `${one.transport} ${one.address}:${one.port}`,
    duration(one.expires_seconds), one.user_agent || '–']), 'Nobody is registered.');
}

function groupTable(groups) {
  return table('Hunt groups', ['Number', 'Name', 'Members', 'Order'],
    groups.map((one) => [h('strong.mono', null, one.number), one.name, one.members.join(', '), one.strategy]), 'No groups.');
}

function trunkTable(trunks) {
  return table('Trunks', ['Name', 'Host', 'State'], trunks.map((one) => [
    one.name, one.host, h(`span.tag.${one.state === 'registered' ? 'good' : 'warn'}`, { title: one.text }, one.state)]), 'No trunks.');
}

function liveTable(calls) {
  return table('Calls under way', ['From', 'To', 'Answered by', 'State', 'For', 'Trunk'], calls.map((one) => [
    h('strong.mono', null, one.caller), h('strong.mono', null, one.callee), one.answered_by || '–', one.state, duration(one.seconds), one.trunk || '–']),
  'Nobody is calling.');
}

/** Call records, searched and page by page. */
class Records {
  constructor() {
    this.search = h('input', { type: 'search', placeholder: 'number, cause, reason' });
    this.list = h('div');
    this.csv = h('a.button', { download: 'calls.csv' }, 'CSV');
    this.more = h('button', { type: 'button', hidden: true, onclick: () => attempt(() => this.load(this.next)) }, 'Older');
    this.calls = [];
    const submit = (event) => {
      event.preventDefault();
      attempt(() => this.load());
    };
    this.element = section('Calls made',
      h('form.row', { role: 'search', 'aria-label': 'Calls', onsubmit: submit }, h('div.grow', null, field('Search', this.search)),
        h('button', { type: 'submit' }, 'Search'), this.csv),
      this.list, this.more);
    this.element.classList.add('records');
  }

  async load(before) {
    const query = new URLSearchParams({ search: this.search.value.trim(), limit: PAGE });
    if (before) query.set('before', before);
    const { calls, next } = await get(`/api/calls?${query}`);
    this.calls = before ? [...this.calls, ...calls] : calls;
    this.next = next;
    this.more.hidden = !next;
    this.csv.href = `/api/calls.csv?${new URLSearchParams({ search: this.search.value.trim() })}`;
    fill(this.list, table('Calls', ['Began', 'From', 'To', 'Answered by', 'Lasted', 'Ended', 'Packets lost'], this.calls.map((call) => [
      moment(call.started), h('strong.mono', null, call.caller), h('strong.mono', null, call.callee), call.answered_by || '–',
      duration(call.seconds), ending(call), lost(call)]), 'No calls yet.'));
  }
}

function ending({ cause, reason, status }) {
  const kind = status && status >= 300 ? 'warn' : 'good';
  return [h(`span.tag.${kind}`, { title: status ? `SIP ${status}` : null }, cause || 'under way'), reason ? ` ${reason}` : ''];
}

function lost(call) {
  const part = (gone, all) => (gone === null || !all ? '–' : `${gone} of ${all + gone}`);
  return `${part(call.caller_lost, call.caller_packets)} / ${part(call.callee_lost, call.callee_packets)}`;
}
