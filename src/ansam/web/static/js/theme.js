/** Light and dark: as the system has it, until somebody switches. */

import { h } from './dom.js';

const KEY = 'ansam-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function chosen() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A browser that keeps nothing still switches, for this visit.
  }
}

/** Return the theme in force. */
export function theme() {
  return document.documentElement.dataset.theme;
}

function apply(name) {
  document.documentElement.dataset.theme = name;
  dispatchEvent(new CustomEvent('ansam-theme', { detail: name }));
}

/** Begin with what was chosen before, or what the system has; return the button that switches. */
export function themeSwitch() {
  const button = h('button.quiet', { type: 'button', onclick: () => {
    const next = theme() === 'dark' ? 'light' : 'dark';
    keep(next);
    apply(next);
    label();
  } });
  const label = () => {
    const next = theme() === 'dark' ? 'light' : 'dark';
    button.textContent = next === 'dark' ? '☾' : '☀';
    button.setAttribute('aria-label', `Switch to ${next}`);
    button.title = `Switch to ${next}`;
  };
  apply(chosen() ?? (system.matches ? 'dark' : 'light'));
  label();
  system.addEventListener('change', () => {
    if (!chosen()) {
      apply(system.matches ? 'dark' : 'light');
      label();
    }
  });
  return button;
}

/** Read a colour of the theme for a canvas. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Call back at every change of theme; return what ends that. */
export function onTheme(callback) {
  addEventListener('ansam-theme', callback);
  return () => removeEventListener('ansam-theme', callback);
}
