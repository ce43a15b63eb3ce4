/** What the server's scope messages are to the page: frames to draw and events to list. */

/** Return the event of a message, or null. */
export function eventOf(message) {
  return message.kind ? message : null;
}

/** Return the frame of a message, or null. */
export function frameOf(message) {
  if (!message.spectrum) return null;
  return { ...message, equaliser: [message.equaliser], echo: [message.echo], ...message.rtp };
}
