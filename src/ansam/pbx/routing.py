"""Where a call goes, or why there is none: the table of decisions of `exchange`, without its dialogues."""

from collections.abc import Callable
from dataclasses import dataclass

from ansam.pbx.bridge import Parties
from ansam.pbx.dialplan import DialPlan, Extension, Outside
from ansam.pbx.groups import Group, HuntMemory
from ansam.pbx.records import Cause
from ansam.pbx.registrations import Registrations
from ansam.pbx.search import BUSY, Office, Refusal, Search
from ansam.pbx.settings import ExchangeSettings, Service
from ansam.pbx.trunks import Caller, Trunk
from ansam.sip.events import Flow, IncomingCall
from ansam.units import Seconds

ALL_IN_USE = ("All Lines In Use", Cause.CONGESTION)
NO_CODEC = Refusal(488, "No Codec For A Modem", Cause.REJECTED)
UNKNOWN = Refusal(404, "Unknown Number", Cause.UNKNOWN_NUMBER)

OWN_LINE = Refusal(486, "Your Line Is In Use", Cause.BUSY)

REFUSING: dict[Service | None, Refusal] = {
    Service.BUSY: BUSY,
    Service.CONGESTION: Refusal(503, "Congestion", Cause.CONGESTION),
    Service.CAMP_ON: UNKNOWN,  # for extensions the exchange sees to it before
}
"""Services that consist of a refusal."""


@dataclass(frozen=True, slots=True)
class Board:
    """What routing looks at: the exchange as it is at the moment.

    Attributes:
        settings: Limits, times, and the services' numbers.
        plan: Extensions, groups, rules, trunks.
        registrations: Who can be reached where.
        memory: Of the groups' strategies.
        busy: Whether an extension has all the calls it may have.
        calls_of_group: Calls of a group.
        calls_of_trunk: Calls over a trunk.
        way: The way to a trunk, None where it can not be called.
        calls_up: All calls.
        plays: Whether services can be played at all, ...
        ready: ... and at present.
    """

    settings: ExchangeSettings
    plan: DialPlan
    registrations: Registrations
    memory: HuntMemory
    busy: Callable[[Extension], bool]
    calls_of_group: Callable[[str], int]
    calls_of_trunk: Callable[[str], int]
    way: Callable[[Trunk], Flow | None]
    calls_up: int
    plays: bool
    ready: bool

    def route(
        self, incoming: IncomingCall, caller: Caller, number: str, now: Seconds
    ) -> Parties | Service | Refusal:
        """Find the callee, or why there is no call; in the order of the exchange's table."""
        if incoming.max_forwards <= 0:
            return Refusal(483, "Too Many Hops", Cause.REJECTED)
        offer = incoming.sdp
        if not offer:
            return Refusal(488, "Offer Required", Cause.REJECTED)
        if caller.trunk is not None:
            offer = caller.trunk.offer(offer)
            if not offer:
                return NO_CODEC
        callee = self.callee(caller, number)
        if callee is None:
            return UNKNOWN
        if caller.extension is not None and self.busy(caller.extension):
            return OWN_LINE
        if caller.trunk is not None and self._trunk_full(caller.trunk):
            return Refusal(486, "All Lines Of The Trunk Are In Use", Cause.BUSY)
        if isinstance(callee, Service):
            free = self.ready and not self._full
            return REFUSING.get(callee) or (callee if free else Refusal(503, *ALL_IN_USE))
        if isinstance(callee, Outside):
            usable = tuple(trunk for trunk in callee.trunks if trunk.offer(offer))
            if not usable:
                return NO_CODEC
            callee = Outside(callee.number, usable)
        search = Search(self.office(), caller, callee)
        first = search.next(now)
        if isinstance(first, Refusal):
            return first
        if self._full:
            return Refusal(503, *ALL_IN_USE)
        return Parties(caller, number, search, first, offer)

    def callee(self, caller: Caller, number: str) -> Extension | Group | Outside | Service | None:
        """Return what a number reaches for somebody, or None.

        Over a trunk only its own table counts: neither rules nor other trunks can be reached.
        """
        made: str | Outside = number
        if caller.trunk is not None:
            made = caller.trunk.reached(number) or ""
        elif self._ours(number) is None:
            made = self.plan.translate(number, caller.number)
        return made if isinstance(made, Outside) else self._ours(made)

    def _ours(self, number: str) -> Extension | Group | Service | None:
        service = self.settings.services.get(number) if self.plays else None
        return self.plan.target(number) or service

    def office(self) -> Office:
        """Return what a search looks at."""
        return Office(
            self.plan,
            self.registrations,
            self.memory,
            self.busy,
            self.calls_of_group,
            self.settings.ring_seconds,
            lambda trunk: None if self._trunk_full(trunk) else self.way(trunk),
        )

    def _trunk_full(self, trunk: Trunk) -> bool:
        return 0 < trunk.calls_limit <= self.calls_of_trunk(trunk.name)

    @property
    def _full(self) -> bool:
        return self.calls_up >= self.settings.calls_limit
