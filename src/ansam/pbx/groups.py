"""Hunt groups: one number for several extensions, and the order in which they ring."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from ansam.errors import ConfigError
from ansam.pbx.dialplan import NUMBER, Extension, forwards_of
from ansam.units import Seconds

NEVER = float("-inf")
"""When an extension that has not talked yet had its last call."""


class Strategy(Enum):
    """Who rings first; the value is what stands behind ``strategy``."""

    ALL = "all"
    """All free members at the same time; the first to answer wins."""
    ORDER = "order"
    """One after the other as they are written: the last ones serve what is left over."""
    ROTATE = "rotate"
    """One after the other, beginning behind the one that rang first for the call before."""
    IDLE_LONGEST = "idle-longest"
    """One after the other, beginning with the one whose last call ended longest ago."""


@dataclass(frozen=True, slots=True)
class Group:
    """A hunt group.

    Attributes:
        number: As dialled.
        members: Numbers of extensions, in order.
        strategy: Who rings first.
        ring_seconds: How long each member rings (with ``all``: how long all do).
        limit: Calls the group may have at the same time, a further caller hears busy; 0: as its members have.
        name: For lists and logs.
        forward_busy: Number its callers get when all its members are busy, or it has all the calls it may
            have; "" for none.
        forward_no_answer: The same when no member answers.
        forward_unreachable: The same when no member is registered.
    """

    number: str
    members: tuple[str, ...]
    strategy: Strategy = Strategy.ORDER
    ring_seconds: Seconds = 20.0
    limit: int = 0
    name: str = ""
    forward_busy: str = ""
    forward_no_answer: str = ""
    forward_unreachable: str = ""

    @property
    def forwards(self) -> dict[str, str]:
        """The numbers it forwards to, by their key."""
        return forwards_of(self)

    def __post_init__(self) -> None:
        if not NUMBER.fullmatch(self.number):
            raise ConfigError(f"group number {self.number!r}", "use 1 to 32 of 0-9 A-Z a-z * # _ . + -")
        if not self.members:
            raise ConfigError(f"group {self.number} has no members", "name extensions")
        if len(set(self.members)) < len(self.members):
            raise ConfigError(f"group {self.number} names a member twice", "name each once")
        if self.ring_seconds <= 0:
            raise ConfigError(
                f"group {self.number} has ring_seconds = {self.ring_seconds:g}", "set a time above 0"
            )
        if self.limit < 0:
            raise ConfigError(f"group {self.number} has limit = {self.limit}", "set it to 0 or more")


class HuntMemory:
    """What the strategies remember from call to call; it does not outlive the exchange."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._talked: dict[str, Seconds] = {}

    def talked(self, number: str, until: Seconds) -> None:
        """Note when an extension's last call ended."""
        self._talked[number] = until

    def rounds(
        self, group: Group, members: Sequence[Extension], free: Callable[[Extension], bool]
    ) -> list[tuple[Extension, ...]]:
        """Return who rings together, round by round, for the next call to a group.

        Args:
            group: The group.
            members: Its members, in order.
            free: Whether one can ring now.

        Returns:
            With ``all`` one round of those free; else a round for each member, whether free now or not: that
            is looked at again when its turn comes.
        """
        if group.strategy is Strategy.ALL:
            ready = tuple(member for member in members if free(member))
            return [ready] if ready else []
        order = list(members)
        if group.strategy is Strategy.ROTATE:
            order = self._rotated(group, order, free)
        elif group.strategy is Strategy.IDLE_LONGEST:
            order.sort(key=lambda member: self._talked.get(member.number, NEVER))
        return [(member,) for member in order]

    def _rotated(
        self, group: Group, members: list[Extension], free: Callable[[Extension], bool]
    ) -> list[Extension]:
        numbers = [member.number for member in members]
        last = self._first.get(group.number)
        start = (numbers.index(last) + 1) % len(numbers) if last in numbers else 0
        order = members[start:] + members[:start]
        first = next((member for member in order if free(member)), None)
        if first is not None:
            self._first[group.number] = first.number
        return order
