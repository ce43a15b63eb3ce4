import { h } from './dom.js';

const loaded = new Map();

/** Load a stylesheet of a library once; resolves when it counts. */
export function stylesheet(href) {
  if (!loaded.has(href)) {
    loaded.set(href, new Promise((resolve, reject) => {
      document.head.append(h('link', { rel: 'stylesheet', href, onload: resolve, onerror: reject }));
    }));
  }
  return loaded.get(href);
}
