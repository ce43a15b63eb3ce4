/** Plays what arrives, after a little in store; runs in the audio thread. */

/** Samples kept before playing begins, and the most that may wait: beyond it the oldest are left out. */
const STORE = 1600;
const MOST = 6400;
const SIZE = 16384;
const FULL_SCALE = 32768;

class Call extends AudioWorkletProcessor {
  constructor() {
    super();
    this.left = new Float32Array(SIZE);
    this.right = new Float32Array(SIZE);
    this.write = 0;
    this.read = 0;
    this.playing = false;
    this.port.onmessage = ({ data }) => this.take(new Int16Array(data));
  }

  take(samples) {
    for (let at = 0; at + 1 < samples.length; at += 2) {
      const place = this.write % SIZE;
      this.left[place] = samples[at] / FULL_SCALE;
      this.right[place] = samples[at + 1] / FULL_SCALE;
      this.write += 1;
    }
    if (this.write - this.read > MOST) this.read = this.write - STORE;
    if (this.write - this.read >= STORE) this.playing = true;
  }

  process(_, [[left, right]]) {
    for (let at = 0; at < left.length; at += 1) {
      if (this.playing && this.read >= this.write) this.playing = false;
      if (!this.playing) break;
      left[at] = this.left[this.read % SIZE];
      right[at] = this.right[this.read % SIZE];
      this.read += 1;
    }
    return true;
  }
}

registerProcessor('call', Call);
