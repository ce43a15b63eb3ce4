"""What was heard, made visible: pictures of signals."""
