/** Elements without a framework: made in one call, styled by CSSOM only (the page's policy allows no style attribute). */

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS = new Set(['svg', 'path', 'g', 'rect', 'circle', 'line', 'text', 'title', 'polyline']);

/**
 * Make an element.
 * @param {string} tag Its name, with classes after dots: `div.card.wide`.
 * @param {Object} [attributes] Attributes; `onclick` and the like are listeners, `style` an object of properties,
 *   `true` an attribute without value; null, undefined and false leave it out.
 * @param {...(Node|string|number|null|undefined|false|Array)} children
 * @returns {HTMLElement|SVGElement}
 */
export function h(tag, attributes, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = SVG_TAGS.has(name) ? document.createElementNS(SVG, name) : document.createElement(name);
  if (classes.length) element.setAttribute('class', classes.join(' '));
  for (const [key, value] of Object.entries(attributes ?? {})) set(element, key, value);
  append(element, children);
  return element;
}

function set(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
  else if (key === 'style') Object.entries(value).forEach(([name, text]) => element.style.setProperty(name, text));
  else if (key === 'value') element.value = value;
  else if (key === 'checked') element.checked = value;
  else element.setAttribute(key, value === true ? '' : String(value));
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Put children in the place of what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** Change a text only where it differs: what nobody sees change is not announced or laid out again. */
export function text(element, value) {
  const wanted = String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

let made = 0;

/** Return an id for a label and its control. */
export function freshId(name) {
  made += 1;
  return `${name}-${made}`;
}

/**
 * Make a label with its control below.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [hint] What to type there.
 */
export function field(label, control, hint) {
  control.id ||= freshId('field');
  const note = hint && h('small.hint', { id: `${control.id}-hint` }, hint);
  if (note) control.setAttribute('aria-describedby', note.id);
  return h('div.field', null, h('label', { for: control.id }, label), control, note);
}

/** Seconds as m:ss or h:mm:ss. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Octets as people say them. */
export function octets(count) {
  if (count < 1000) return `${count} octets`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

/** A moment as local date and time; accepts seconds since 1970 or an ISO text. */
export function moment(when) {
  if (when === null || when === undefined || when === '') return '–';
  const date = new Date(typeof when === 'number' ? when * 1000 : when);
  return Number.isNaN(date.valueOf()) ? String(when) : date.toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });
}

/**
 * Make a table that scrolls sideways in itself on a narrow screen.
 * @param {string} caption Read to people who do not see it.
 * @param {string[]} columns
 * @param {Array<Array<Node|string>>} rows
 * @param {string} [none] What stands there without rows.
 */
export function table(caption, columns, rows, none = 'None.') {
  if (!rows.length) return h('p.none', null, none);
  return h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': caption },
    h('table', null,
      h('caption.hidden', null, caption),
      h('thead', null, h('tr', null, columns.map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', null, rows.map((row) => h('tr', null,
        row.map((cell, at) => h('td', { 'data-label': columns[at] || null }, cell)))))));
}

/** Save data as a file of the visitor's machine. */
export function saveFile(name, parts, type = 'application/octet-stream') {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
