"""The extensions of the exchange and how a dialled number finds one.

A number is a string: ``05`` and ``5`` are two extensions, as on any private exchange.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ansam.errors import ConfigError
from ansam.units import Seconds

if TYPE_CHECKING:
    from ansam.pbx.callbacks import CallBack
    from ansam.pbx.groups import Group
    from ansam.pbx.patterns import Rule
    from ansam.pbx.trunks import Trunk

NUMBER = re.compile(r"[0-9A-Za-z*#_.+-]{1,32}")
"""What a number may consist of: the user part of a SIP URI that needs no escapes, with ``#`` beside them."""

FORWARDS_LIMIT = 16
"""Extensions one behind the other that a call may be forwarded through."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension.

    Attributes:
        number: As dialled, such as ``05``; also the user name of its registration.
        secret: Password of its registration and of its calls.
        name: Display name, shown to those it calls.
        call_limit: Calls it may have at the same time, 1 or more.
        ring_seconds: How long it rings before nobody has answered; 0: as long as the exchange's setting says.
        forward_busy: Number its callers get when it is busy, or refuses as busy; "" for none.
        forward_no_answer: The same when nobody answers.
        forward_unreachable: The same when it is not registered, or its telephones do not react.
        caller_id: Number shown to those it calls over a trunk; "": what the trunk shows.
    """

    number: str
    secret: str = field(repr=False)
    name: str = ""
    call_limit: int = 1
    ring_seconds: Seconds = 0.0
    forward_busy: str = ""
    forward_no_answer: str = ""
    forward_unreachable: str = ""
    caller_id: str = ""

    @property
    def forwards(self) -> dict[str, str]:
        """The numbers it forwards to, by their key."""
        return forwards_of(self)

    def __post_init__(self) -> None:
        if not NUMBER.fullmatch(self.number):
            raise ConfigError(f"extension number {self.number!r}", "use 1 to 32 of 0-9 A-Z a-z * # _ . + -")
        if not self.secret:
            raise ConfigError(f"extension {self.number} has an empty secret", "set one")
        if self.call_limit < 1:
            raise ConfigError(
                f"extension {self.number} has call_limit = {self.call_limit}", "set it to 1 or more"
            )
        if self.ring_seconds < 0:
            raise ConfigError(
                f"extension {self.number} has ring_seconds = {self.ring_seconds:g}", "set a time above 0"
            )
        if self.caller_id and not NUMBER.fullmatch(self.caller_id):
            raise ConfigError(
                f"extension {self.number} has caller_id {self.caller_id!r}",
                "use 1 to 32 of 0-9 A-Z a-z * # _ . + -",
            )
        if any(not sign.isprintable() for sign in self.name):
            raise ConfigError(f"name of extension {self.number} has control characters", "remove them")


@dataclass(frozen=True, slots=True)
class Outside:
    """A number that is called over trunks.

    Attributes:
        number: As the far side is to see it.
        trunks: Those that may take it, the first that can does.
    """

    number: str
    trunks: "tuple[Trunk, ...]"


def forwards_of(what: "Extension | Group") -> dict[str, str]:
    """Return the numbers that an extension or a group forwards to, by their key."""
    keys = ("forward_busy", "forward_no_answer", "forward_unreachable")
    return {key: number for key in keys if (number := getattr(what, key))}


class PlanError(ConfigError):
    """Something is wrong between several numbers.

    Args:
        number: The extension or group at fault.
        message: What is wrong with it.
        remedy: What helps.
    """

    def __init__(self, number: str, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.number = number


class DialPlan:
    """The extensions and hunt groups by number, and the trunks by name.

    Args:
        extensions: Each number once.
        groups: Hunt groups of these extensions.
        rules: For numbers that are none themselves, in order: the first whose pattern fits.
        trunks: Lines to elsewhere.
        callbacks: Numbers that call back, those of the plan.

    Raises:
        PlanError: A number is there twice, a group or a forwarding names a number that is not there, or
            forwarding leads in a circle.
    """

    def __init__(
        self,
        extensions: Iterable[Extension] = (),
        groups: Iterable["Group"] = (),
        rules: Iterable["Rule"] = (),
        trunks: Iterable["Trunk"] = (),
        callbacks: Iterable["CallBack"] = (),
    ) -> None:
        self._callbacks = {back.number: back for back in callbacks}
        self._trunks = {trunk.name: trunk for trunk in trunks}
        self._rules = tuple(rules)
        self._extensions: dict[str, Extension] = {}
        for extension in extensions:
            if extension.number in self._extensions:
                raise PlanError(
                    extension.number, f"extension {extension.number} is there twice", "remove one"
                )
            self._extensions[extension.number] = extension
        self._groups: dict[str, Group] = {}
        for group in groups:
            if group.number in self._groups or group.number in self._extensions:
                raise PlanError(
                    group.number, f"group {group.number}: the number is there twice", "choose another"
                )
            self._groups[group.number] = group
        self._check_callbacks()
        self._check_members()
        self._check_forwards()

    def _check_callbacks(self) -> None:
        for back in self._callbacks.values():
            if self.target(back.number) is not None:
                raise PlanError(
                    back.number, f"callback {back.number}: the number is there twice", "choose another"
                )
            if self.target(back.target) is None:
                raise PlanError(
                    back.number,
                    f"callback {back.number}: target {back.target!r} is no extension and no group",
                    "add it, or change the target",
                )

    def callback(self, number: str) -> "CallBack | None":
        """Return what calls back from a number, or None."""
        return self._callbacks.get(number)

    def _check_members(self) -> None:
        for group in self._groups.values():
            for member in group.members:
                if member in self._groups:
                    raise PlanError(
                        group.number,
                        f"group {group.number}: member {member} is a group",
                        "name its extensions instead",
                    )
                if member not in self._extensions:
                    raise PlanError(
                        group.number,
                        f"group {group.number}: member {member} is no extension",
                        "add it, or remove it there",
                    )

    def _check_forwards(self) -> None:
        """Refuse forwarding into the void and in circles: nobody knows when such a call would end."""
        sound: set[str] = set()
        for start in (*self._extensions, *self._groups):
            self._walk(start, (), sound)

    def _walk(self, number: str, way: tuple[str, ...], sound: set[str]) -> None:
        if number in way:
            circle = " → ".join((*way[way.index(number) :], number))
            raise PlanError(
                number,
                f"{self._kind(number)} {number}: forwarding leads in a circle, {circle}",
                "remove one forwarding, or make a [[group]] of them",
            )
        if len(way) > FORWARDS_LIMIT:
            raise PlanError(
                way[0],
                f"{self._kind(way[0])} {way[0]} forwards through more than {FORWARDS_LIMIT} others",
                "shorten the way",
            )
        start = self.target(number)
        if start is None or number in sound:
            return
        for key, following in start.forwards.items():
            if self.target(following) is None:
                raise PlanError(
                    number,
                    f"{self._kind(number)} {number}: {key} = {following!r} is no extension and no group",
                    "add it, or remove the forwarding",
                )
            self._walk(following, (*way, number), sound)
        sound.add(number)

    def _kind(self, number: str) -> str:
        return "extension" if number in self._extensions else "group"

    def find(self, number: str) -> Extension | None:
        """Return the extension a number reaches, or None."""
        return self._extensions.get(number)

    def target(self, number: str) -> "Extension | Group | None":
        """Return the extension or hunt group a number reaches, or None."""
        return self._extensions.get(number) or self._groups.get(number)

    def translate(self, dialled: str, caller: str = "") -> "str | Outside":
        """Return what a rule makes of a number; it is not translated again.

        Args:
            dialled: The number.
            caller: The extension that dials it: rules for others do not count.
        """
        for rule in self._rules:
            if rule.callers and caller not in rule.callers:
                continue
            number = rule.apply(dialled)
            if number is None:
                continue
            if not rule.trunks:
                return number
            trunks = [self._trunks[name] for name in rule.trunks if name in self._trunks]
            if trunks and NUMBER.fullmatch(number):
                return Outside(number, tuple(trunks))
            return dialled
        return dialled

    @property
    def trunks(self) -> tuple["Trunk", ...]:
        """The trunks."""
        return tuple(self._trunks.values())

    def trunk_of(self, user: str) -> "Trunk | None":
        """Return the trunk whose callers prove themselves by this user name, or None."""
        return next((one for one in self._trunks.values() if one.authenticate and one.user == user), None)

    def members(self, group: "Group") -> list[Extension]:
        """Return the members of one of the plan's groups, in order."""
        return [self._extensions[number] for number in group.members]

    def secret(self, number: str) -> str | None:
        """Return the secret of an extension, or of a trunk's callers; None where there is no such user."""
        user = self._extensions.get(number) or self.trunk_of(number)
        return None if user is None else user.secret

    @property
    def groups(self) -> tuple["Group", ...]:
        """The hunt groups."""
        return tuple(self._groups.values())

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._extensions.values())

    def __len__(self) -> int:
        return len(self._extensions)
