/** The call in the browser's loudspeakers: line in left, line out right, as 8000 samples a second come. */

import { Channel } from './api.js';

const RATE = 8000;

export class Audio {
  /** @param {(state: string) => void} onstate Told `playing`, `waiting` or `off`. */
  constructor(onstate) {
    this.onstate = onstate;
    this.volume = 0.5;
  }

  get on() {
    return Boolean(this.context);
  }

  /** Begin; browsers allow it as the answer to a click only. */
  async start(id) {
    if (!window.isSecureContext) throw new Error('Browsers play the call only where the page comes by HTTPS, or from this machine.');
    const context = new AudioContext({ sampleRate: RATE });
    this.context = context;
    await context.audioWorklet.addModule('/static/js/audio-worklet.js');
    if (this.context !== context) return;
    const node = new AudioWorkletNode(context, 'call', { numberOfInputs: 0, outputChannelCount: [2] });
    this.gain = new GainNode(context, { gain: this.volume });
    node.connect(this.gain).connect(context.destination);
    this.channel = new Channel(`/ws/modems/${encodeURIComponent(id)}/audio`, {
      onmessage: (data) => {
        if (data instanceof ArrayBuffer) node.port.postMessage(data, [data]);
      },
      onstate: (state) => this.onstate(state === 'open' ? 'playing' : 'waiting'),
    });
    await context.resume();
  }

  /** Set the loudness, 0 to 1. */
  setVolume(volume) {
    this.volume = volume;
    if (this.gain) this.gain.gain.value = volume;
  }

  stop() {
    this.channel?.close();
    this.channel = null;
    this.context?.close();
    this.context = null;
    this.onstate('off');
  }
}
