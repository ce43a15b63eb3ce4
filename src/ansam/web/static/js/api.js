/** Talk to the server: requests with the session's CSRF token, WebSockets that come back after a break. */

/** A request that was answered with an error; `message` is what the server says of it. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let csrf = '';

/** Take the token that every changing request carries. */
export function useToken(token) {
  csrf = token ?? '';
}

/**
 * Ask the server.
 * @param {string} method
 * @param {string} path
 * @param {Object|FormData|Blob} [body] An object goes as JSON.
 * @returns {Promise<any>} JSON decoded, or null for an empty answer.
 */
export async function request(method, path, body) {
  const headers = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf;
  let payload = body;
  if (body !== undefined && !(body instanceof FormData) && !(body instanceof Blob)) {
    headers['Content-Type'] = 'application/json';
    payload = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: payload, credentials: 'same-origin' });
  } catch {
    throw new ApiError(0, 'The server does not answer; is it still running?');
  }
  const data = await readJson(answer);
  if (!answer.ok) throw refused(answer.status, data);
  return data;
}

function refused(status, data) {
  const { message, remedy } = data?.error ?? {};
  if (status === 401) dispatchEvent(new Event('ansam-unauthorised'));
  if (!message) return new ApiError(status, `The server answered ${status}.`);
  return new ApiError(status, remedy ? `${message}: ${remedy}` : message);
}

async function readJson(answer) {
  const text = await answer.text();
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const get = (path) => request('GET', path);
export const post = (path, body = {}) => request('POST', path, body);

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;
const BROKE_THE_RULES = 1008;

/**
 * A WebSocket that opens again after a break, ever less eagerly.
 * `onopen()`, `onmessage(data)`, `onstate('open'|'waiting'|'refused')` are called where given.
 */
export class Channel {
  constructor(path, { onmessage, onopen, onstate, binary = false }) {
    this.path = path;
    this.calls = { onmessage, onopen, onstate };
    this.binary = binary;
    this.wait = FIRST_WAIT;
    this.open();
  }

  open() {
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.socket = new WebSocket(url);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.calls.onstate?.('open');
      this.calls.onopen?.();
    };
    this.socket.onmessage = ({ data }) => this.calls.onmessage(typeof data === 'string' ? JSON.parse(data) : data);
    this.socket.onclose = (event) => this.closed(event);
  }

  closed(event) {
    if (this.done) return;
    if (event.code === BROKE_THE_RULES) {
      this.calls.onstate?.('refused', event.reason);
      return;
    }
    this.calls.onstate?.('waiting');
    this.timer = setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  /** Send octets or an object, if open; return whether it was. */
  send(data) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(data instanceof Uint8Array || typeof data === 'string' ? data : JSON.stringify(data));
    return true;
  }

  close() {
    this.done = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
