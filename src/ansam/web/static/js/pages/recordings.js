/** Recordings: upload one, see what `ansam listen` hears in it drawn over its spectrogram, play from any phase. */

import { get, request } from '../api.js';
import { duration, field, fill, h, moment, octets, table } from '../dom.js';
import { attempt, notice } from '../notices.js';

const EVERY = 1500;

export async function open(root, [chosen], app) {
  const list = h('div');
  const sheet = h('div');
  const page = { list, sheet, chosen, app };
  fill(root, h('h1', null, 'Recordings'),
    h('p', null, 'A WAV, a packet capture or a scope’s bundle of a modem call: what the two modems negotiated, and when.'),
    app.may('operator') && upload(page), sheet, h('section.card', null, h('h2', null, 'Kept here'), list));
  await refresh(page);
  const timer = setInterval(() => { if (page.working) refresh(page).catch(() => {}); }, EVERY);
  return () => clearInterval(timer);
}

function upload(page) {
  const file = h('input', { type: 'file', accept: '.wav,.pcap,.pcapng,.zip,audio/wav', required: true });
  const button = h('button.main', { type: 'submit' }, 'Upload');
  const submit = async (event) => {
    event.preventDefault();
    const [one] = file.files;
    if (page.limit && one.size > page.limit) {
      notice(`${one.name} has ${octets(one.size)}; at most ${octets(page.limit)} are taken.`, 'bad');
      return;
    }
    button.disabled = true;
    await attempt(async () => {
      const body = new Blob([one], { type: 'application/octet-stream' });
      const made = await request('POST', `/api/recordings?${new URLSearchParams({ name: one.name })}`, body);
      page.chosen = made.id;
      event.target.reset();
      await refresh(page);
    });
    button.disabled = false;
  };
  page.quota = h('small.hint');
  return h('form.card.row', { onsubmit: submit, 'aria-label': 'Upload' }, h('div.grow', null, field('WAV, pcap or bundle', file)), button, page.quota);
}

async function refresh(page) {
  const { recordings, upload_limit: limit, quota, used } = await get('/api/recordings');
  page.limit = limit;
  page.working = recordings.some(({ state }) => state === 'working');
  if (page.quota) page.quota.textContent = `At most ${octets(limit)} each; ${octets(used)} of ${octets(quota)} used.`;
  fill(page.list, table('Recordings', ['Name', 'Uploaded', 'Length', 'State', ''], recordings.map((one) => [
    h('a', { href: `#/recordings/${one.id}` }, one.name), moment(one.uploaded), duration(one.seconds), stateTag(one),
    page.app.may('operator') && h('button.danger', { type: 'button', 'aria-label': `Delete ${one.name}`, onclick: () => remove(page, one) }, 'Delete')]), 'None yet.'));
  const id = page.chosen ?? recordings[0]?.id;
  if (!id) {
    fill(page.sheet);
    return;
  }
  const one = await get(`/api/recordings/${encodeURIComponent(id)}`);
  const key = `${one.id} ${one.state}`;
  if (page.shown === key) return;
  page.shown = key;
  fill(page.sheet, one.state === 'ready' ? timeline(one) : h('section.card', null, h('h2', null, one.name), h('p', null, one.error || 'Listening …')));
}

function stateTag({ state, error }) {
  const kind = { ready: 'good', failed: 'bad' }[state] ?? '';
  return h(`span.tag.${kind}`, { title: error || null }, state === 'working' ? 'listening …' : state);
}

async function remove(page, one) {
  if (!await attempt(() => request('DELETE', `/api/recordings/${encodeURIComponent(one.id)}`), `${one.name} is gone.`)) return;
  if (page.chosen === one.id) page.chosen = null;
  page.shown = null;
  await refresh(page);
}

/** The picture with the phases on it, the player, and the phases in words. */
function timeline(one) {
  const base = `/api/recordings/${encodeURIComponent(one.id)}`;
  const { entries, remarks, channels, told } = one.report;
  const audio = h('audio', { controls: true, src: `${base}/audio.wav`, preload: 'metadata', 'aria-label': `Play ${one.name}` });
  const head = h('div.playhead', { 'aria-hidden': 'true' });
  const share = (time) => `${(100 * time) / one.seconds}%`;
  const play = (time) => {
    audio.currentTime = time;
    audio.play().catch((error) => notice(error.message, 'bad'));
  };
  audio.addEventListener('timeupdate', () => head.style.setProperty('left', share(audio.currentTime)));
  const mark = (entry) => h('button.mark', {
    type: 'button', title: `${entry.start.toFixed(2)} s ${entry.what}: ${entry.text}`, 'aria-label': `Play ${entry.what} of the ${entry.role} modem from ${entry.start.toFixed(2)} s`,
    onclick: () => play(entry.start), style: {
      left: share(entry.start), width: share(Math.max(entry.end - entry.start, 0)),
    },
  }, h('span', null, entry.what));
  const lanes = lanesOf(entries).map((lane) => h('div.lane', { 'data-channel': lane.channel }, lane.entries.map(mark)));
  const names = Array.from({ length: one.channels }, (_, channel) => Object.keys(channels ?? {}).find((role) => channels[role] === channel) ?? `channel ${channel + 1}`);
  const picture = h('img', { src: `${base}/spectrogram.png`, alt: `Spectrogram of ${one.name}: ${names.join(' above ')}, 0 to 4000 Hz over ${one.seconds.toFixed(1)} s` });
  const strip = h('div.timeline', { style: { width: `${Math.max(100, one.seconds * 4)}%` } }, lanes,
    h('div.spectra', { onclick: (event) => play((event.offsetX / event.currentTarget.clientWidth) * one.seconds) }, picture,
      names.map((name, channel) => h('span.channel-name', { style: { top: `${(100 * channel) / names.length}%` } }, name))), head);
  return h('section.card.recording', null,
    h('div.card-head', null, h('h2', null, one.name), h('span.hint', null, `${one.seconds.toFixed(1)} s`)),
    audio, h('div.scroll.film', { tabindex: 0, role: 'region', 'aria-label': 'Timeline' }, strip),
    remarks?.map((remark) => h('p.hint', null, remark)),
    phases(entries, play), told?.length ? [h('h3', null, 'Told by the modem itself'), events(told, play)] : null);
}

/** Put entries in as few rows as hold them without covering one another. */
function lanesOf(entries) {
  const lanes = [];
  for (const entry of [...entries].sort((a, b) => a.start - b.start)) {
    let lane = lanes.find((one) => one.channel === entry.channel && one.end <= entry.start);
    if (!lane) {
      lane = { channel: entry.channel, entries: [], end: 0 };
      lanes.push(lane);
    }
    lane.entries.push(entry);
    lane.end = entry.end;
  }
  return lanes.sort((a, b) => a.channel - b.channel);
}

function phases(entries, play) {
  return h('div.phases', null, table('Phases', ['From', 'Until', 'Modem', 'Phase', 'What it says'], entries.map((entry) => [
    h('button.quiet.mono', { type: 'button', 'aria-label': `Play from ${entry.start.toFixed(2)} s`, onclick: () => play(entry.start) }, `▶ ${entry.start.toFixed(2)}`),
    h('span.mono', null, entry.end.toFixed(2)), h(`span.role.${entry.role}`, null, entry.role), h('strong', null, entry.what), entry.text]), 'No modem was recognised.'));
}

/** What the modem itself told while it was heard: only a bundle has that. */
function events(told, play) {
  const who = { near: 'this modem', far: 'far modem', both: 'both', dte: 'terminal', dce: 'this modem' };
  return h('div.phases', null, table('Told by the modem itself', ['At', 'Who', 'Step', 'What it is for'], told.map(({ at, side, name, text, clause }) => [
    at < 0 ? h('span.mono', null, at.toFixed(2))
      : h('button.quiet.mono', { type: 'button', 'aria-label': `Play from ${at.toFixed(2)} s`, onclick: () => play(at) }, `▶ ${at.toFixed(2)}`),
    who[side] ?? side, h('strong', null, name), h('span', { title: clause || null }, text)])));
}
