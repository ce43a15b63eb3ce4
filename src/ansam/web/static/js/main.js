/** Start of the page: who is here, the frame around the pages, and which page the address names. */

import { ApiError, get, post, useToken } from './api.js';
import { fill, h } from './dom.js';
import { notice } from './notices.js';
import { Panel } from './panel.js';
import { themeSwitch } from './theme.js';

const PAGES = [
  { path: 'modems', name: 'Modems', load: () => import('./pages/modems.js') },
  { path: 'exchange', name: 'Exchange', feature: 'exchange', load: () => import('./pages/exchange.js') },
  { path: 'adaptor', name: 'Adaptor', feature: 'adaptors', load: () => import('./pages/adaptor.js') },
  { path: 'recordings', name: 'Recordings', feature: 'recordings', load: () => import('./pages/recordings.js') },
  { path: 'doctor', name: 'Doctor', feature: 'doctor', load: () => import('./pages/doctor.js') },
];
const LOGIN = { path: 'login', name: 'Log in', load: () => import('./pages/login.js') };
const MODEM = { path: 'modems', name: 'Modem', load: () => import('./pages/modem.js') };
const ROLES = ['viewer', 'operator', 'admin'];

const main = document.getElementById('main');
const nav = document.getElementById('nav');
const tools = document.getElementById('tools');

/** What every page gets. */
const app = {
  session: null,
  panel: null,
  may: (role) => ROLES.indexOf(app.session?.role) >= ROLES.indexOf(role),
  go: (path) => { location.hash = `#/${path}`; },
  enter,
};

let leave = null;
let shown = 0;

/** Read the address: `#/modems/usb0/scope` names page `modems` with parts `usb0`, `scope`. */
function address() {
  const [path, ...parts] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return { path: path || 'modems', parts };
}

function wantedPage({ path, parts }) {
  if (!app.session || path === 'login') return LOGIN;
  if (path === 'modems' && parts.length) return MODEM;
  return PAGES.find((page) => page.path === path) ?? PAGES[0];
}

async function show() {
  const turn = ++shown;
  const here = address();
  const page = wantedPage(here);
  leave?.();
  leave = null;
  drawNav(page);
  document.title = `${page.name} · ansam`;
  const root = h('div.page');
  fill(main, root);
  try {
    const { open } = await page.load();
    if (turn !== shown) return;
    const close = await open(root, here.parts, app);
    if (turn === shown) leave = close;
    else close?.();
  } catch (error) {
    failed(root, error);
  }
  if (turn > 1 && turn === shown) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function failed(root, error) {
  if (error instanceof ApiError && error.status === 401) {
    app.session = null;
    app.go('login');
    return;
  }
  console.error(error);
  fill(root, h('h1', null, 'This page cannot be shown'), h('p', null, error.message));
}

/** What the server does not do has no page. */
function offered({ feature }) {
  return !feature || app.session.features.includes(feature);
}

function drawNav(current) {
  const item = (page) => h('li', null, h('a', {
    href: `#/${page.path}`, 'aria-current': page.path === current.path ? 'page' : null,
  }, page.name));
  fill(nav, app.session ? PAGES.filter(offered).map(item) : []);
}

const switcher = themeSwitch();

function drawTools() {
  const { session } = app;
  const user = session?.user;
  fill(tools,
    user && h('span', { title: `Role: ${session.role}` }, user),
    user && h('button.quiet', { type: 'button', onclick: logOut }, 'Log out'),
    switcher);
}

async function logOut() {
  await post('/api/logout').catch((error) => notice(error.message, 'bad'));
  app.panel?.close();
  app.session = null;
  drawTools();
  app.go('login');
}

/** Ask who is here and begin; the login page calls it again. */
async function enter() {
  try {
    const session = await get('/api/session');
    useToken(session.csrf);
    app.session = session.role ? session : null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 401) notice(error.message, 'bad');
    app.session = null;
  }
  app.panel?.close();
  app.panel = app.session && new Panel();
  drawTools();
}

addEventListener('hashchange', show);
addEventListener('ansam-unauthorised', () => app.go('login'));
await enter();
await show();
