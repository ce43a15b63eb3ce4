"""Calling back: numbers that ring their caller up and connect it, and camping on a line that is busy.

::

    caller            exchange              callee
      | INVITE 58       |                     |     a number of a `CallBack`, or that of camping on
      |---------------->|                     |
      |            486  |                     |     it is noted who wants whom
      |<----------------|                     |
      |          INVITE |                     |     after a while; camping on: once both are free
      |<----------------|                     |
      | 200 OK          | INVITE              |
      |---------------->|-------------------->|
      |                 |              200 OK |
      |<================|====================>|     a call as any other, its media through the relay

Whoever pretends to be somebody else makes that one's telephone ring: that is the point of dial-back security.
A modem that is called back answers, as its program does for any call; so that two modems do not both answer,
that of the callee is told to behave as the calling one (`ROLE`), which modems of ours understand. Camping on
is the other way round: whoever camps is to behave as the one who calls.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ansam.call.modem_facts import CALLING, ROLE
from ansam.errors import ConfigError
from ansam.pbx.dialplan import NUMBER
from ansam.pbx.patterns import compile_pattern
from ansam.pbx.records import Cause
from ansam.pbx.search import Refusal
from ansam.units import Seconds

AS_CALLING = ((ROLE, CALLING),)
"""Fields of an INVITE whose modem is to behave as the calling one."""

BUSY_REMEMBERED = 120.0
"""Seconds after which nobody can camp on a line any more that was busy."""

CAMP_LASTS = 1800.0
"""Seconds somebody camps at most."""

BOTH_FREE = 3.0
"""Seconds both must have been free until the telephone of who camps rings."""

WILL_CALL_BACK = Refusal(486, "Will Call Back", Cause.BUSY)
CAMPED_ON = Refusal(480, "Camped On", Cause.REJECTED)
NOTHING_TO_CAMP_ON = Refusal(480, "Nothing To Camp On", Cause.REJECTED)

ORDERS = 100
"""Calls back that may wait; a further one is not noted."""


@dataclass(frozen=True, slots=True)
class CallBack:
    """A number that calls back.

    Attributes:
        number: As dialled; its caller hears busy.
        target: Extension or group that those called back are connected to.
        callers: Patterns of the numbers that are called back; others hear busy and nothing happens.
        delay: Seconds from the caller's hanging up to the call back.
    """

    number: str
    target: str
    callers: tuple[str, ...]
    delay: Seconds = 5.0
    _forms: tuple[re.Pattern[str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not NUMBER.fullmatch(self.number):
            raise ConfigError(f"callback number {self.number!r}", "use 1 to 32 of 0-9 A-Z a-z * # _ . + -")
        if not self.callers:
            raise ConfigError(f"callback {self.number} calls nobody back", 'callers = ["07"]')
        object.__setattr__(self, "_forms", tuple(compile_pattern(pattern) for pattern in self.callers))

    def allows(self, caller: str) -> bool:
        """Return whether a number is called back."""
        return any(form.fullmatch(caller) for form in self._forms)


@dataclass(slots=True)
class Order:
    """Somebody wants to be called back.

    Attributes:
        who: Number to call back.
        wanted: Number to connect it to.
        camping: It camps on that number; False: a `CallBack`.
        due: When to ring; None: once both are free.
        until: When it is void.
    """

    who: str
    wanted: str
    camping: bool
    due: Seconds | None
    until: Seconds


class Orders:
    """Who waits to be called back, one order for each number; it does not outlive the exchange."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._busy: dict[str, tuple[str, Seconds]] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def was_busy(self, caller: str, number: str, now: Seconds) -> None:
        """Note that somebody found a number busy."""
        self._busy.pop(caller, None)
        self._busy[caller] = (number, now)
        if len(self._busy) > ORDERS:
            del self._busy[next(iter(self._busy))]

    def camp(self, caller: str, now: Seconds) -> bool:
        """Let somebody camp on the number it found busy last; return whether there is one."""
        number, at = self._busy.pop(caller, ("", 0.0))
        if not number or now - at > BUSY_REMEMBERED:
            return False
        return self._add(Order(caller, number, True, None, now + CAMP_LASTS))

    def call_back(self, caller: str, back: CallBack, now: Seconds) -> bool:
        """Note that a number is to be called back; return False where too many are."""
        return self._add(Order(caller, back.target, False, now + back.delay, now + back.delay + CAMP_LASTS))

    def again(self, order: Order) -> None:
        """Let an order wait once more."""
        self._orders.setdefault(order.who, order)

    def _add(self, order: Order) -> bool:
        if len(self._orders) >= ORDERS and order.who not in self._orders:
            return False
        self._orders[order.who] = order
        return True

    def camping(self) -> Sequence[Order]:
        """Return those who camp, the first that came first."""
        return [order for order in self._orders.values() if order.camping]

    def due(self, now: Seconds) -> list[Order]:
        """Return the orders whose time has come; they, and those that are void, are gone."""
        ready = [order for order in self._orders.values() if order.due is not None and order.due <= now]
        for order in [order for order in self._orders.values() if order in ready or order.until <= now]:
            del self._orders[order.who]
        return ready

    def deadline(self) -> Seconds | None:
        """Return when `due` has something to do, or None."""
        times = [order.until if order.due is None else order.due for order in self._orders.values()]
        return min(times, default=None)
