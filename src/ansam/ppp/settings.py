"""What callers by PPP get."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from ansam.errors import ConfigError
from ansam.ppp.lcp import METHODS
from ansam.ppp.reach import Reach
from ansam.units import Seconds


@dataclass(frozen=True, slots=True)
class PppSettings:
    """One server.

    Attributes:
        auth: How callers prove who they are, best first; the caller's computer may choose another of them.
            Empty: everybody may call.
        names: Name servers given to callers, two at most.
        reach: Where their packets may go.
        idle: Seconds without a packet from the caller before the call ends (0: no limit).
    """

    auth: tuple[str, ...] = ("pap", "chap")
    names: tuple[IPv4Address, ...] = ()
    reach: Reach = field(default_factory=Reach)
    idle: Seconds = 0.0

    def __post_init__(self) -> None:
        for name in self.auth:
            if name not in METHODS:
                raise ConfigError(f"auth: {name!r} is not known", f"there are {', '.join(METHODS)}")
        if len(self.names) > 2:
            raise ConfigError("dns: callers can be given two name servers", "leave some out")
