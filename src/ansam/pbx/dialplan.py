"""The extensions of the exchange and how a dialled number finds one.

A number is a string: ``05`` and ``5`` are two extensions, as on any private exchange.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ansam.errors import ConfigError

NUMBER = re.compile(r"[0-9A-Za-z*#_.+-]{1,32}")
"""What a number may consist of: the user part of a SIP URI that needs no escapes, with ``#`` beside them."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension.

    Attributes:
        number: As dialled, such as ``05``; also the user name of its registration.
        secret: Password of its registration and of its calls.
        name: Display name, shown to those it calls.
        call_limit: Calls it may have at the same time, 1 or more.
    """

    number: str
    secret: str = field(repr=False)
    name: str = ""
    call_limit: int = 1

    def __post_init__(self) -> None:
        if not NUMBER.fullmatch(self.number):
            raise ConfigError(f"extension number {self.number!r}", "use 1 to 32 of 0-9 A-Z a-z * # _ . + -")
        if not self.secret:
            raise ConfigError(f"extension {self.number} has an empty secret", "set one")
        if self.call_limit < 1:
            raise ConfigError(
                f"extension {self.number} has call_limit = {self.call_limit}", "set it to 1 or more"
            )
        if any(not sign.isprintable() for sign in self.name):
            raise ConfigError(f"name of extension {self.number} has control characters", "remove them")


class DialPlan:
    """The extensions by number.

    Args:
        extensions: Each number once.

    Raises:
        ConfigError: A number is there twice.
    """

    def __init__(self, extensions: Iterable[Extension] = ()) -> None:
        self._extensions: dict[str, Extension] = {}
        for extension in extensions:
            if extension.number in self._extensions:
                raise ConfigError(f"extension {extension.number} is there twice", "remove one")
            self._extensions[extension.number] = extension

    def find(self, number: str) -> Extension | None:
        """Return the extension a number reaches, or None."""
        return self._extensions.get(number)

    def secret(self, number: str) -> str | None:
        """Return the secret of an extension, or None where there is no such extension."""
        extension = self._extensions.get(number)
        return None if extension is None else extension.secret

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._extensions.values())

    def __len__(self) -> int:
        return len(self._extensions)
