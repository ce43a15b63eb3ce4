/** What the server's scope messages (docs/spec/web-api.md) are to the page: frames to draw, events to list. */

/** Return the event of a message, or null. */
export function eventOf(message) {
  return message.type === 'event' ? message : null;
}

/** Return the frame of a message, or null; RTP's figures stand beside the receiver's. */
export function frameOf(message) {
  if (message.type !== 'frame') return null;
  return { ...message, ...message.rtp };
}
