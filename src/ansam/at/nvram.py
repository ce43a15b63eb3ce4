"""What survives a power cut: two profiles (&W), the phone numbers (&Z), the choice of Y.

Whoever owns the modem gives the content at the start and a function that keeps it; the content is plain JSON
values, so that a file, a database row or a test's dict will do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansam.at.personality import USR_56K, Personality
from ansam.at.settings import Settings
from ansam.errors import ConfigError

PROFILES = 2


def forget(content: Mapping[str, Any]) -> None:
    """Keep nothing: the settings of a modem without a store last as long as the process."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How a modem starts.

    Attributes:
        personality: Which make of modem it is.
        nvram: What `store` was last given, or {} for a modem fresh from the factory.
        store: Called with the whole content after &W and &Zn=.
    """

    personality: Personality = USR_56K
    nvram: Mapping[str, Any] = field(default_factory=dict)
    store: Callable[[Mapping[str, Any]], None] = forget


class Nvram:
    """The memory itself.

    Args:
        profile: Content and store.

    Raises:
        ConfigError: The content is not what `store` was given.
    """

    def __init__(self, profile: Profile) -> None:
        self._personality = profile.personality
        self._store = profile.store
        factory = Settings(profile.personality).to_dict()
        count = profile.personality.stored_numbers
        try:
            profiles = [dict(entry) for entry in profile.nvram.get("profiles", [])][:PROFILES]
            numbers = [str(number) for number in profile.nvram.get("numbers", [])][:count]
            self.power_on = int(profile.nvram.get("power_on", 0))
        except (TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"stored profile: {error}", "remove the stored profile") from error
        if self.power_on not in profile.personality.parameters["Y"].allowed:
            raise ConfigError(f"stored profile: power_on={self.power_on} is out of range", "0 to 4")
        self._profiles = profiles + [factory] * (PROFILES - len(profiles))
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
        self._store(self.to_dict())

    def write_number(self, index: int, number: str) -> None:
        """Keep a phone number."""
        self._numbers[index] = number
        self._store(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the whole content as plain JSON values."""
        return {
            "profiles": [dict(entry) for entry in self._profiles],
            "numbers": list(self._numbers),
            "power_on": self.power_on,
        }
