"""The exceptions of ansam.

::

    AnsamError                 everything raised on purpose; its text is one line for a person
    ├── ConfigError            a setting is wrong: names the key, where it stands and the remedy
    ├── ResourceError          the machine refuses: port in use, path exists, device missing
    ├── LocalProtocolError     our caller broke an engine's rules (a bug on our side)
    └── RemoteProtocolError    the peer broke a protocol: names the clause and the offending octets

What is part of life (busy, no carrier, a bad checksum, a retrain) is an event and a counter, never an
exception. Each class carries the exit code that the command line ends with.
"""


class AnsamError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: One line that names the culprit.
        remedy: What the reader can do about it, or "" where nothing can be said.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


class ConfigError(AnsamError):
    """A setting is wrong: an unknown key, a value out of range, settings that contradict each other."""

    exit_code = 2


class ResourceError(AnsamError):
    """The machine refused something: a port in use, a path that exists, a device that is missing."""

    exit_code = 3


class LocalProtocolError(AnsamError):
    """Our own code called an engine in a way its state does not allow."""

    exit_code = 70


class RemoteProtocolError(AnsamError):
    """The peer broke a protocol.

    Args:
        message: What it did.
        clause: The clause it broke, such as ``RFC 3261 §8.1.1``.
        octets: The offending octets (at most the first 64 are kept).
    """

    exit_code = 4

    def __init__(self, message: str, clause: str = "", octets: bytes = b"") -> None:
        super().__init__(f"{message} [{clause}]" if clause else message)
        self.clause = clause
        self.octets = bytes(octets[:64])
