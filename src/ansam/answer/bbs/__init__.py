"""The built-in bulletin board and file server: dialogues without clocks, sockets or disks."""
