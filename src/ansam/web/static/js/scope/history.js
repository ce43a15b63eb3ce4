/** The last 60 s of a scope: frames and events by time, for pausing and scrubbing back. */

export const SPAN = 60;
/** Lines of the AT dialogue that outlive their call. */
const KEPT = 20;

export class History {
  constructor() {
    this.frames = [];
    this.events = [];
  }

  /** Keep a frame. Time that goes back begins a new call. */
  addFrame(frame) {
    const last = this.frames.at(-1);
    if (last && frame.t < last.t) this.frames = [];
    this.frames.push(frame);
    const oldest = frame.t - SPAN;
    let gone = 0;
    while (this.frames[gone].t < oldest) gone += 1;
    if (gone) this.frames.splice(0, gone);
  }

  /** Keep an event; those of the whole call stay, up to a bound. */
  addEvent(event) {
    this.events.push(event);
    if (this.events.length > 4000) this.events.splice(0, 1000);
  }

  /** Forget the call before; the AT dialogue stays, as of before the call. */
  newCall() {
    const last = this.events.at(-1)?.t ?? 0;
    this.frames = [];
    this.events = this.events.filter(({ kind }) => kind === 'at').slice(-KEPT).map((event) => ({ ...event, t: Math.min(0, event.t - last) }));
  }

  get first() {
    return this.frames[0]?.t ?? 0;
  }

  get last() {
    return this.frames.at(-1)?.t ?? 0;
  }

  /** Frames up to a time, oldest first. */
  until(t) {
    return this.frames.slice(0, this.indexAfter(t));
  }

  /** The frame that was shown at a time. */
  at(t) {
    return this.frames[Math.max(0, this.indexAfter(t) - 1)];
  }

  indexAfter(t) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle].t <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
