"""What a caller has typed and a program has not got yet."""

COMMAND_INPUT_LIMIT = 4096
"""Octets waiting for the program, beyond which nothing more is taken from the caller."""


class CommandInput:
    """Octets on their way from a caller to a program."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def add(self, data: bytes) -> int:
        """Take octets from the caller; return how many there was room for."""
        taken = data[: COMMAND_INPUT_LIMIT - len(self._octets)]
        self._octets += taken
        return len(taken)

    def take(self) -> bytes:
        """Return the octets since the last call."""
        data = bytes(self._octets)
        self._octets.clear()
        return data
