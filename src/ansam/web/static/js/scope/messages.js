/** What the server's scope messages (docs/spec/web-api.md) are to the page: frames to draw, events to list. */

/** Return the event of a message, or null. */
export function eventOf(message) {
  return message.type === 'event' ? message : null;
}

/** Return the frame of a message, or null: levels in dB, points as pairs, RTP's figures beside the receiver's. */
export function frameOf(message) {
  if (message.type !== 'frame') return null;
  const levels = (tenths) => tenths.map((level) => level / 10);
  const { constellation: parts } = message;
  const constellation = [];
  for (let at = 0; at < parts.length; at += 2) constellation.push([parts[at] / 1000, parts[at + 1] / 1000]);
  return { ...message, ...message.rtp, constellation, spectrum: levels(message.spectrum), spectrum_tx: levels(message.spectrum_tx) };
}
