"""The settings of a running modem: what commands and S-registers hold.

A command's number is read by its US Robotics name (``settings["&C"]``) whatever the make of modem calls it, a
register by ``settings.s[7]`` (above S12 by ``settings.s.usr(27)``: its US Robotics meaning). The object stays
the same for the life of the modem, so whoever holds it sees every change; ATZ and &F load another content
into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansam.at import link_settings, v8_settings
from ansam.at.capabilities import Capabilities
from ansam.at.link_settings import ES_OF_M, LinkSettings
from ansam.at.personalities import USR_56K
from ansam.at.personality import Personality, Style
from ansam.at.registers import Registers
from ansam.at.v8_settings import V8Settings
from ansam.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ModulationChoice:
    """What +MS set: V.250 (07/2003) §6.4.1.

    Attributes:
        carrier: +MS name, or "" for the best there is.
        automode: Other modulations may be agreed on.
        min_tx_rate: Bit/s, 0 for no limit; likewise the others.
        max_tx_rate: See above.
        min_rx_rate: See above.
        max_rx_rate: See above.
    """

    carrier: str = ""
    automode: bool = True
    min_tx_rate: int = 0
    max_tx_rate: int = 0
    min_rx_rate: int = 0
    max_rx_rate: int = 0


@dataclass(frozen=True, slots=True)
class PortFormat:
    """What the letters A and T of the last command line showed of the terminal's port.

    Attributes:
        rate: Bit/s, 0 where the port has none.
        data_bits: 7 or 8.
        parity: N, E, O, M or S.
    """

    rate: int = 0
    data_bits: int = 8
    parity: str = "N"


FASTEST_LINE = 57333
"""Bit/s. A make whose table of rates ends below it has no faster line."""


class Settings:
    """Everything that ATI4 shows.

    Args:
        personality: Gives names, ranges and defaults.
        template: Factory template (&Fn) to start from; None for the shipping one.

    Attributes:
        personality: As given.
        s: The S-registers.
        pulse: P was given last, not T.
        modulation: What +MS set.
        link: What +ES, +DS, +DS44 (and &M, &K) say.
        v8: What +A8E says.
        character_format: +ICF, (format, parity) after V.250 (07/2003) §6.2.11; (3, 3) is 8 bits, no parity.
        port: What the modem found out about the terminal's port; None before the first command line.
    """

    __slots__ = (
        *("_numbers", "character_format", "link", "modulation", "personality", "port", "pulse", "s", "v8"),
    )

    def __init__(self, personality: Personality = USR_56K, template: int | None = None) -> None:
        self.personality = personality
        chosen = personality.shipping_template if template is None else template
        self._numbers = {name: p.default for name, p in personality.parameters.items()}
        for command in personality.commands.values():
            self._numbers.update(command.sets.get(command.default, {}))
        self._numbers.update(personality.templates[chosen])
        self.s = Registers(personality.registers)
        self.pulse = False
        self.modulation = ModulationChoice()
        self.link = LinkSettings()
        self.v8 = V8Settings()
        self.character_format = (3, 3)
        for name in ("&M", "&K"):
            self[name] = self._numbers[name]
        self.port: PortFormat | None = None

    def __getitem__(self, name: str) -> int:
        return self._numbers[name]

    def __setitem__(self, name: str, value: int) -> None:
        if value not in self.personality.parameters[name].allowed:
            raise ConfigError(f"AT{name}: {value} is out of range", "see docs/howto/at-commands.md")
        self._numbers[name] = value
        if name == "&M":
            self.link = link_settings.from_values(self.link, {"es": list(ES_OF_M[value])})
        elif name == "&K":
            self._compress(value != 0)

    def _compress(self, on: bool) -> None:
        """Write the directions of +DS: both or none; without compression there is no V.44 either."""
        values = {"ds": [3 if on else 0, *self.link.ds[1:]]}
        if not on:
            values["ds44"] = [0, *self.link.ds44[1:]]
        self.link = link_settings.from_values(self.link, values)

    def assign(self, other: "Settings") -> None:
        """Take over what a profile holds; what no profile holds (Y, ring count) stays."""
        for name, parameter in self.personality.parameters.items():
            if parameter.stored:
                self._numbers[name] = other._numbers[name]
        for number, value in other.s.stored().items():
            self.s[number] = value
        self.pulse = other.pulse
        self.modulation = other.modulation
        self.link = other.link
        self.v8 = other.v8
        self.character_format = other.character_format

    @property
    def echo(self) -> bool:
        """Commands are echoed (E1)."""
        return self["E"] == 1

    @property
    def verbose(self) -> bool:
        """Result codes are words (V1)."""
        return self["V"] == 1

    @property
    def blind_dial(self) -> bool:
        """Dial tone is not awaited (X0, X1, X3, X5): S6 seconds pass instead."""
        return self["X"] in self.personality.results.blind

    @property
    def port_rate(self) -> int:
        """Bit/s between modem and terminal: what +IPR says, or what the port showed; 0 for not known."""
        return self["+IPR"] or (self.port.rate if self.port is not None else 0)

    @property
    def idle_seconds(self) -> int:
        """Seconds without data after which the modem hangs up; 0 for never (S19, or S30 of other makes)."""
        if self.personality.results.style is Style.USR:
            return 60 * self.s.usr(19)
        unit = 10 if self.personality.results.style is Style.ROCKWELL else 60
        return unit * self.s[30] if 30 in self.s else 0

    def rate_of(self, index: int) -> int:
        """Return the rate behind an index of &N and &U in bit/s, 0 for "any" or an unknown index."""
        ladder = self.personality.rates
        return ladder[index] if index < len(ladder) else 0

    @property
    def rate_window(self) -> tuple[int, int]:
        """Lowest and highest line rate to accept in bit/s (0: no limit), from &N, &U and +MS together.

        &N alone means that rate only; &U makes it a ceiling (usr TechMemo 01-0011B p. 20). Contradicting
        settings give a window that no rate lies in.
        """
        ceiling, floor = self.rate_of(self["&N"]), self.rate_of(self["&U"])
        low = max(floor or ceiling, self.modulation.min_tx_rate, self.modulation.min_rx_rate)
        fastest = max(self.personality.rates)
        limits = (
            *(ceiling, self.modulation.max_tx_rate, self.modulation.max_rx_rate),
            fastest if fastest < FASTEST_LINE else 0,
        )
        return low, min((limit for limit in limits if limit), default=0)

    def carriers(self, capabilities: Capabilities) -> tuple[str, ...]:
        """Return the +MS names of the modulations allowed, in rising order of preference.

        Without automode only the one named; with it also those that are no faster (V.250 (07/2003) §6.4.1).
        """
        known = capabilities.modulations
        chosen = self.modulation.carrier
        if not chosen:
            return tuple(known)
        if not self.modulation.automode:
            return (chosen,)
        others = [name for name in known if name != chosen and max(known[name]) <= max(known[chosen])]
        return (*others, chosen)

    def to_dict(self) -> dict[str, Any]:
        """Return what &W keeps, as plain JSON values."""
        choice = self.modulation
        stored = {n: self._numbers[n] for n, p in self.personality.parameters.items() if p.stored}
        rates = [choice.min_tx_rate, choice.max_tx_rate, choice.min_rx_rate, choice.max_rx_rate]
        return {
            "commands": stored,
            "registers": {str(number): value for number, value in self.s.stored().items()},
            "pulse": self.pulse,
            "modulation": [choice.carrier, int(choice.automode), *rates],
            "format": list(self.character_format),
            "link": link_settings.to_values(self.link),
            "v8": v8_settings.to_values(self.v8),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], personality: Personality = USR_56K) -> "Settings":
        """Return the settings that `to_dict` wrote; what is absent keeps its default.

        Raises:
            ConfigError: A key or value is not one of the personality's.
        """
        settings = cls(personality)
        try:
            for name, value in data.get("commands", {}).items():
                settings[name] = value
            for number, value in data.get("registers", {}).items():
                if not settings.s.accepts(int(number), value):
                    raise ConfigError(f"stored profile: S{number}={value} is out of range")
                settings.s[int(number)] = value
            settings.pulse = bool(data.get("pulse", False))
            if "modulation" in data:
                carrier, automode, *rates = data["modulation"]
                settings.modulation = ModulationChoice(str(carrier), bool(automode), *map(int, rates))
            if "link" in data:
                settings.link = link_settings.from_values(settings.link, dict(data["link"]))
            if "v8" in data:
                settings.v8 = v8_settings.from_values(list(data["v8"]))
            if "format" in data:
                form, parity = map(int, data["format"])
                settings.character_format = (form, parity)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise ConfigError(f"stored profile: {error}", "remove the stored profile") from error
        return settings
