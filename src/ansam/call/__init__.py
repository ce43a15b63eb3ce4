"""One call: a media stream, its sample clock, and the party that speaks and listens on it."""
