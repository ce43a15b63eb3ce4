"""RTP without sockets (RFC 3550, RFC 3551): packets, one session, playout that never touches the audio."""
