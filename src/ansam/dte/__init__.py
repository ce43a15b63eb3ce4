"""The terminal side of the modem: interchange circuits, flow control, the escape sequence."""
