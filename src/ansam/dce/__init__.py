"""The modem: AT commands, terminal, modulation and link joined into one state machine."""
