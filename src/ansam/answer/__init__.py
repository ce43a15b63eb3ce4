"""What a caller finds: the modem answered as mgetty does, issue text, login, menu or a command."""
