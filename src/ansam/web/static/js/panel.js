/** The state of all modems as the server tells it, for every page that shows one. */

import { Channel } from './api.js';

export class Panel {
  constructor() {
    this.modems = new Map();
    this.watchers = new Set();
    this.state = 'waiting';
    this.channel = new Channel('/ws/panel', {
      onmessage: (message) => this.receive(message),
      onstate: (state) => {
        this.state = state;
        this.tell();
      },
    });
  }

  /** Take a message: all modems, or one that has changed. `since` lets `seconds` go on without messages. */
  receive(message) {
    const since = performance.now();
    if (message.type === 'modems') this.modems = new Map(message.modems.map((modem) => [modem.id, { ...modem, since }]));
    if (message.type === 'modem') this.modems.set(message.modem.id, { ...message.modem, since });
    this.tell();
  }

  /** Call back now and at every change; return what ends that. */
  watch(callback) {
    this.watchers.add(callback);
    callback(this);
    return () => this.watchers.delete(callback);
  }

  tell() {
    this.watchers.forEach((callback) => callback(this));
  }

  close() {
    this.watchers.clear();
    this.channel.close();
  }
}
