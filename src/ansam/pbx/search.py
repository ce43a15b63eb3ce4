"""Who rings next for a call: an extension, the members of a group, a trunk, and where they forward to.

::

    dialled ──► extension ──ring──► answered
                   │ busy, no answer, unreachable: its forwarding, if it has one
                   ▼
                group ──► round 1 ──► round 2 ──► … ──► answered
                   │ full or nobody took it: its forwarding, if it has one
                   ▼
                the refusal that says most

A `Search` belongs to one call and is asked for a round when the call begins and whenever a round has failed.
Whether somebody is free is looked at when the turn comes, not when the call began.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ansam.pbx.dialplan import DialPlan, Extension, Outside
from ansam.pbx.groups import Group, HuntMemory
from ansam.pbx.records import Cause
from ansam.pbx.registrations import Registrations
from ansam.pbx.trunks import Caller, Trunk
from ansam.sip.events import Flow
from ansam.units import Seconds


@dataclass(frozen=True, slots=True)
class Refusal:
    """A final status for the caller and its cause for the record."""

    status: int
    reason: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call can be sent: a telephone of an extension, or the far side of a trunk.

    Attributes:
        number: Of the extension; with a trunk, as the far side is to see it.
        contact: Request-URI.
        flow: The way there.
        trunk: The trunk, or None.
    """

    number: str
    contact: str
    flow: Flow
    trunk: Trunk | None = None

    def same_end(self, other: "Place") -> bool:
        """Return whether two places belong to the same extension, or trunk."""
        return (self.number, self.trunk) == (other.number, other.trunk)


@dataclass(frozen=True, slots=True)
class Round:
    """Those who ring at the same time.

    Attributes:
        places: All their telephones, at least one.
        ring_seconds: For how long.
        sign_seconds: How long until the first of them must ring at least, or the round has failed; 0: as long
            as they may ring.
    """

    places: tuple[Place, ...]
    ring_seconds: Seconds
    sign_seconds: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class Office:
    """What a search looks at: the exchange as it is at the moment.

    Attributes:
        plan: Extensions and groups.
        registrations: Who can be reached where.
        memory: Of the groups' strategies.
        busy: Whether an extension has all the calls it may have, the caller's present call not counted.
        calls_of: Calls a group has, the caller's present call not counted.
        ring_seconds: How long an extension rings that has no time of its own.
        way: The way to call over a trunk; None where it can not be called, or has all its calls.
    """

    plan: DialPlan
    registrations: Registrations
    memory: HuntMemory
    busy: Callable[[Extension], bool]
    calls_of: Callable[[str], int]
    ring_seconds: Seconds
    way: Callable[[Trunk], Flow | None]


TRUNK_SIGN = 12.0
"""Seconds until the far end of a trunk must ring where another trunk is left: gateways take up to ten."""

NO_TRUNK = Refusal(503, "No Trunk", Cause.CONGESTION)
SILENT = Refusal(408, "No Sign Of The Far End", Cause.UNREACHABLE)
NOT_REGISTERED = Refusal(480, "Not Registered", Cause.NOT_REGISTERED)
BUSY = Refusal(486, "Busy Here", Cause.BUSY)
GROUP_FULL = Refusal(486, "All Lines Of The Group Are Busy", Cause.BUSY)
NO_ANSWER = Refusal(408, "No Answer", Cause.NO_ANSWER)

_FORWARDED_BY = {
    Cause.BUSY: "forward_busy",
    Cause.NO_ANSWER: "forward_no_answer",
    Cause.NOT_REGISTERED: "forward_unreachable",
    Cause.UNREACHABLE: "forward_unreachable",
}

_TELLING = (Cause.NO_ANSWER, Cause.REJECTED, Cause.BUSY, Cause.UNREACHABLE)
"""What a group's caller is told, the first that happened: somebody was there, somebody was at least busy."""


class Search:
    """Finds who rings for one call.

    Args:
        office: The exchange.
        caller: Who calls: an extension never rings for its own call.
        target: What was dialled.

    Attributes:
        group: Number of the group whose member rings or talks, or "".
    """

    def __init__(self, office: Office, caller: Caller, target: Extension | Group | Outside) -> None:
        self.group = ""
        self._office = office
        self._caller = caller
        self._target = target
        self._trunks = iter(target.trunks if isinstance(target, Outside) else ())
        self._waiting: Iterator[tuple[Extension, ...]] | None = None
        self._failed: list[Refusal] = []

    def next(self, now: Seconds, failure: Refusal | None = None) -> Round | Refusal:
        """Return who rings next.

        Args:
            now: The present.
            failure: How the round before ended; None at the beginning.

        Returns:
            A round, or what the caller is told where nobody is left.
        """
        while True:
            if isinstance(self._target, Outside):
                return self._over_trunk(self._target, failure)
            if isinstance(self._target, Group):
                outcome = self._hunt(self._target, now, failure)
            else:
                outcome = failure or self._ring(self._target, now)
            failure = None
            if isinstance(outcome, Round):
                return outcome
            key = _FORWARDED_BY.get(outcome.cause)
            following = self._office.plan.target(self._target.forwards.get(key, "")) if key else None
            if following is None:
                return outcome
            self._target, self._waiting, self.group = following, None, ""
            self._failed.clear()

    def _places(self, extension: Extension, now: Seconds) -> tuple[Place, ...]:
        bindings = self._office.registrations.find(extension.number, now)
        return tuple(Place(extension.number, binding.contact, binding.flow) for binding in bindings)

    def _taken(self, extension: Extension) -> bool:
        return self._caller.is_extension(extension.number) or self._office.busy(extension)

    def _over_trunk(self, target: Outside, failure: Refusal | None) -> Round | Refusal:
        """Return the next trunk that can be called; what the far end itself refuses stays refused."""
        if failure is not None and failure.status < 500 and failure.cause is not Cause.UNREACHABLE:
            return failure
        for trunk in self._trunks:
            way = self._office.way(trunk)
            if way is not None:
                place = Place(target.number, trunk.uri(target.number), way, trunk)
                last = trunk is target.trunks[-1]
                return Round((place,), self._office.ring_seconds, 0.0 if last else TRUNK_SIGN)
        return failure or NO_TRUNK

    def _ring(self, extension: Extension, now: Seconds) -> Round | Refusal:
        places = self._places(extension, now)
        if not places:
            return NOT_REGISTERED
        if self._taken(extension):
            return BUSY
        return Round(places, extension.ring_seconds or self._office.ring_seconds)

    def _hunt(self, group: Group, now: Seconds, failure: Refusal | None) -> Round | Refusal:
        if failure is not None:
            self._failed.append(failure)
        if self._waiting is None:
            if group.limit and self._office.calls_of(group.number) >= group.limit:
                return GROUP_FULL
            self.group = group.number
            self._waiting = iter(
                self._office.memory.rounds(
                    group,
                    self._office.plan.members(group),
                    lambda member: bool(self._places(member, now)) and not self._taken(member),
                )
            )
        for members in self._waiting:
            free = [member for member in members if not self._taken(member)]
            places = tuple(place for member in free for place in self._places(member, now))
            if places:
                return Round(places, group.ring_seconds)
        return self._nobody(group, now)

    def _nobody(self, group: Group, now: Seconds) -> Refusal:
        for cause in _TELLING:
            found = next((refusal for refusal in self._failed if refusal.cause is cause), None)
            if found is not None:
                return found
        members = self._office.plan.members(group)
        return BUSY if any(self._places(member, now) for member in members) else NOT_REGISTERED
