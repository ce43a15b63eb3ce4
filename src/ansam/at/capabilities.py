"""What the modem around the interpreter can do.

The interpreter knows neither modulations nor links, yet has to answer truthfully: a rate that no modulation
offers is ERROR, `&M5` without error control is ERROR, `+MS=?` lists what is there. All of that is data given
at the start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ansam.errors import ConfigError


def no_report(number: int) -> str | None:
    """Answer every ATIn that the interpreter can not answer itself with "unknown"."""
    return None


def no_response() -> str | None:
    """Answer ATY11 with "unknown"."""
    return None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the modem offers.

    Attributes:
        rates: Every data rate that some modulation has, bit/s.
        modulations: `+MS` carrier name -> its data rates in bit/s, in rising order of preference: the last
            one is what the modem tries first.
        error_control: V.42 LAPM is there.
        compression: V.42bis or V.44 is there.
        report: Text of ATIn (n = 3, 6 and 11), lines joined by a line feed; None where there is none.
        response: Text of ATY11, the frequency response of the line; None where there is none.
        product: Who made it, for `+GMI` and the identity screens.
        version: Its version.
        serial: Serial number for `+GSN`; "" where there is none.
    """

    rates: frozenset[int]
    modulations: Mapping[str, tuple[int, ...]]
    error_control: bool = False
    compression: bool = False
    report: Callable[[int], str | None] = no_report
    response: Callable[[], str | None] = no_response
    product: str = "ansam"
    version: str = "0"
    serial: str = ""

    def __post_init__(self) -> None:
        for name, rates in self.modulations.items():
            stray = sorted(set(rates) - self.rates)
            if stray:
                raise ConfigError(
                    f"capabilities: {name} has rates {stray} that are not in rates",
                    "list every rate in rates",
                )
