/** The doctor: calls a path, grades it for modems, says what to change. */

import { get, post } from '../api.js';
import { field, fill, h, moment, table } from '../dom.js';
import { attempt } from '../notices.js';

const EVERY = 1500;
const KINDS = { good: 'good', fair: 'warn', bad: 'bad' };

export async function open(root, [chosen], app) {
  const result = h('div', { 'aria-live': 'polite' });
  const history = h('div');
  const target = h('input', { value: '*43', list: 'targets', required: true, spellcheck: 'false' });
  const page = { result, history, chosen, timer: null };
  const submit = (event) => {
    event.preventDefault();
    attempt(async () => {
      const run = await post('/api/doctor', { target: target.value.trim() });
      page.chosen = run.id;
      await refresh(page);
    });
  };
  fill(root,
    h('h1', null, 'Doctor'),
    h('p', null, 'Calls a path as a modem would, measures what it does to the signal, and says which speed to expect.'),
    app.may('operator') && h('form.card.row', { onsubmit: submit, 'aria-label': 'Examine a path' },
      h('div.grow', null, field('Who to call', target, 'A number of this exchange, sip:EXT@HOST, tcp:HOST:PORT, sim:echo or sim:modem')),
      h('datalist', { id: 'targets' }, ['*43', 'sim:echo', 'sim:modem'].map((value) => h('option', { value }))),
      h('button.main', { type: 'submit' }, 'Examine')),
    result,
    h('section.card', null, h('h2', null, 'Examined before'), history));
  await refresh(page);
  page.timer = setInterval(() => { if (page.working) refresh(page).catch(() => {}); }, EVERY);
  return () => clearInterval(page.timer);
}

async function refresh(page) {
  const { runs } = await get('/api/doctor');
  page.working = runs.some((run) => run.state === 'working');
  fill(page.history, table('Examined before', ['When', 'Who', 'Grade', 'What was found'], runs.map((run) => [
    moment(run.started), h('a', { href: `#/doctor/${run.id}` }, run.target), gradeTag(run), run.summary || run.error || '']), 'Nothing yet.'));
  const id = page.chosen ?? runs[0]?.id;
  if (!id) return;
  const run = await get(`/api/doctor/${encodeURIComponent(id)}`);
  const key = `${run.id} ${run.state}`;
  if (page.shown !== key) {
    page.shown = key;
    fill(page.result, report(run));
  }
}

function gradeTag(run) {
  if (run.state === 'working') return h('span.tag', null, 'under way');
  if (run.state === 'failed') return h('span.tag.bad', null, 'failed');
  return h(`span.tag.${KINDS[run.grade] ?? ''}`, null, run.grade);
}

function report(run) {
  const head = h('div.card-head', null, h('h2', null, run.target), gradeTag(run));
  if (run.state === 'working') return h('section.card', null, head, h('p.working', null, 'Calling and listening; this takes up to a minute …'));
  if (run.state === 'failed') return h('section.card', null, head, h('p', null, run.error));
  const { diagnosis } = run;
  return h('section.card', null, head, h('p', null, run.summary), predicted(diagnosis?.predicted), diagnosis && items(diagnosis.items));
}

function predicted(found) {
  if (!found?.rate) return null;
  return h('p.expect', null, h('strong.big', null, `${found.rate} bit/s`), ` to be expected: `, h('code', null, `AT&N${found.n}`),
    found.snr_db ? ` at ${Number(found.snr_db).toFixed(0)} dB of signal to noise` : '', found.reasons?.length ? h('small.hint', null, found.reasons.join('; ')) : null);
}

function items(found) {
  return h('ul.findings', null, found.map((item) => h('li.finding', null,
    h(`span.tag.${KINDS[item.grade] ?? ''}`, null, item.grade || 'note'),
    h('div', null,
      h('strong', null, item.name), item.value === null || item.value === undefined ? '' : ` ${typeof item.value === 'number' ? Number(item.value.toFixed(2)) : item.value} ${item.unit ?? ''}`,
      h('p', null, item.text),
      item.remedies?.length ? h('ul.remedies', null, item.remedies.map((one) => h('li', null, `${one.system}: `, h('strong', null, one.setting), one.value ? ` → ${one.value}` : ''))) : null))));
}
