/** Short messages in a corner, read out by screen readers. */

import { h } from './dom.js';

const SHOWN = 7000;

/** Show a message; kind `bad` is for what failed. */
export function notice(message, kind = '') {
  const box = h(`div.notice${kind && `.${kind}`}`, null, message);
  document.getElementById('notices').append(box);
  setTimeout(() => box.remove(), SHOWN);
}

/** Do something that asks the server, and say so where it fails; return whether it worked. */
export async function attempt(work, done) {
  try {
    await work();
    if (done) notice(done);
    return true;
  } catch (error) {
    notice(error.message, 'bad');
    return false;
  }
}
