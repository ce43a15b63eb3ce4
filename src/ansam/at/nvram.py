"""What survives a power cut: the profiles (&W), the phone numbers (&Z), the choice of Y, passwords (%P0=).

Whoever owns the modem gives the content at the start and a function that keeps it; the content is plain JSON
values, so that a file, a database row or a test's dict will do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansam.at.personalities import USR_56K
from ansam.at.personality import Personality
from ansam.at.settings import Settings
from ansam.errors import ConfigError


def forget(content: Mapping[str, Any]) -> None:
    """Keep nothing: the settings of a modem without a store last as long as the process."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How a modem starts.

    Attributes:
        personality: Which make of modem it is.
        nvram: What `store` was last given, or {} for a modem fresh from the factory.
        store: Called with the whole content after every command that writes.
    """

    personality: Personality = USR_56K
    nvram: Mapping[str, Any] = field(default_factory=dict)
    store: Callable[[Mapping[str, Any]], None] = forget


class Nvram:
    """The memory itself.

    Args:
        profile: Content and store.

    Attributes:
        power_on: What Y said when a profile was last written.
        writes: How often it has been written.

    Raises:
        ConfigError: The content is not what `store` was given.
    """

    def __init__(self, profile: Profile) -> None:
        self._personality = profile.personality
        self._store = profile.store
        factory = Settings(profile.personality).to_dict()
        count, kept = profile.personality.stored_numbers, profile.personality.profiles
        try:
            profiles = [dict(entry) for entry in profile.nvram.get("profiles", [])][:kept]
            numbers = [str(number) for number in profile.nvram.get("numbers", [])][:count]
            self.power_on = int(profile.nvram.get("power_on", 0))
            self.writes = int(profile.nvram.get("writes", 0))
            self._texts = {str(k): str(v) for k, v in dict(profile.nvram.get("texts", {})).items()}
        except (TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"stored profile: {error}", "remove the stored profile") from error
        if self.power_on not in profile.personality.parameters["Y"].allowed:
            raise ConfigError(f"stored profile: power_on={self.power_on} is out of range", "0 to 4")
        self._profiles = profiles + [factory] * (kept - len(profiles))
        self._numbers = numbers + [""] * (count - len(numbers))
        for entry in self._profiles:
            Settings.from_dict(entry, profile.personality)

    def profile(self, index: int) -> Settings:
        """Return stored profile 0 or 1."""
        return Settings.from_dict(self._profiles[index], self._personality)

    def number(self, index: int) -> str:
        """Return stored phone number `index`, "" where none is."""
        return self._numbers[index]

    def write_profile(self, index: int, settings: Settings) -> None:
        """Keep the settings as profile 0 or 1, and the choice of Y with them."""
        self._profiles[index] = settings.to_dict()
        self.power_on = settings["Y"]
        self._write()

    def write_number(self, index: int, number: str) -> None:
        """Keep a phone number."""
        self._numbers[index] = number
        self._write()

    def text(self, name: str) -> str:
        """Return a text such as that of %P0, "" where none is."""
        return self._texts.get(name, "")

    def write_texts(self, texts: Mapping[str, str]) -> None:
        """Keep texts by name; "" erases."""
        self._texts = {name: text for name, text in {**self._texts, **texts}.items() if text}
        self._write()

    def _write(self) -> None:
        self.writes += 1
        self._store(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the whole content as plain JSON values."""
        return {
            "profiles": [dict(entry) for entry in self._profiles],
            "numbers": list(self._numbers),
            "power_on": self.power_on,
            "texts": dict(self._texts),
            "writes": self.writes,
        }
