"""The exchange as it stands, for pages and lists; nothing in it changes by itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from ansam.pbx.dialplan import Extension
from ansam.pbx.groups import Group
from ansam.pbx.records import OpenCall
from ansam.pbx.registrations import Binding
from ansam.pbx.trunk_lines import TrunkStatus
from ansam.units import Seconds


@dataclass(frozen=True, slots=True)
class PlaceStatus:
    """One telephone of an extension.

    Attributes:
        address: Such as ``udp:192.0.2.7:5060``.
        user_agent: What it calls itself.
        expires_in: Seconds until its registration ends.
    """

    address: str
    user_agent: str
    expires_in: Seconds


@dataclass(frozen=True, slots=True)
class ExtensionStatus:
    """One extension.

    Attributes:
        number: As dialled.
        name: Its display name.
        calls: Its calls at present.
        call_limit: Calls it may have.
        places: Where it can be reached; empty: not registered.
    """

    number: str
    name: str
    calls: int
    call_limit: int
    places: tuple[PlaceStatus, ...]


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """One hunt group.

    Attributes:
        number: As dialled.
        name: Its name.
        strategy: Who rings first, as in the configuration.
        members: Their numbers.
        calls: Calls that ring at a member or have been answered by one.
        limit: Calls it may have; 0: as its members have.
    """

    number: str
    name: str
    strategy: str
    members: tuple[str, ...]
    calls: int
    limit: int


@dataclass(frozen=True, slots=True)
class LiveCall:
    """One call in progress.

    Attributes:
        call: Who calls whom, and since when, in the clock of the engine.
        group: Number of the group it rings or talks in, or "".
        ringing: Numbers that ring; empty once it is answered.
        seconds: How long it has been there.
        talking: How long it has been answered, or None.
    """

    call: OpenCall
    group: str
    ringing: tuple[str, ...]
    seconds: Seconds
    talking: Seconds | None


@dataclass(frozen=True, slots=True)
class ExchangeStatus:
    """Everything, at one moment."""

    extensions: tuple[ExtensionStatus, ...]
    groups: tuple[GroupStatus, ...]
    trunks: tuple[TrunkStatus, ...]
    calls: tuple[LiveCall, ...]


def extension_status(
    extension: Extension, calls: int, bindings: Iterable[Binding], now: Seconds
) -> ExtensionStatus:
    """Return an extension as it stands, with so many calls, at these places."""
    places = tuple(
        PlaceStatus(
            "{}:{}:{}".format(binding.flow.transport, *binding.flow.remote),
            binding.user_agent,
            binding.expires_at - now,
        )
        for binding in bindings
    )
    return ExtensionStatus(extension.number, extension.name, calls, extension.call_limit, places)


def group_status(group: Group, calls: int) -> GroupStatus:
    """Return a group as it stands, with so many calls."""
    return GroupStatus(group.number, group.name, group.strategy.value, group.members, calls, group.limit)


def live_call(call: OpenCall, group: str, ringing: tuple[str, ...], now: Seconds) -> LiveCall:
    """Return a call in progress as it stands."""
    talking = None if call.answered is None else now - call.answered
    return LiveCall(call, group, ringing, now - call.started, talking)
