"""Against guessing one extension's secret from many addresses, none of which guesses enough to be banned.

Wrong secrets are counted for each extension over an hour, and of each address only so many: one telephone
that was set up wrongly shuts nobody out. An extension with too many of them is *closed* for a while: from
addresses where its secret has not been proved lately even the right one is refused, in the same words as a
wrong one, so that a guesser does not learn what he has hit. Telephones that are registered go on working.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from ansam.pbx.guard import PROOF_SECONDS
from ansam.pbx.settings import ExchangeSettings
from ansam.units import Seconds

WINDOW_SECONDS = 3600.0
"""Time over which wrong secrets are counted."""

ADDRESSES = 5
"""An extension closes at as many wrong secrets as ban so many addresses."""

MAX_EXTENSIONS = 1024
"""Extensions watched; that with the oldest failure is forgotten."""

MAX_ADDRESSES = 512
"""Addresses remembered for one extension."""

MAX_PROVED = 8192
"""Pairs of extension and address remembered that have proved themselves."""


@dataclass(slots=True)
class _Watched:
    """What is known of one extension."""

    since: Seconds
    count: int = 0
    addresses: dict[str, int] = field(default_factory=dict)
    closed_until: Seconds = 0.0


class ExtensionGuard:
    """Counts wrong secrets by extension.

    Args:
        settings: `failures_limit` (0: nothing is counted), `ban_seconds` and `trusted` count.
    """

    def __init__(self, settings: ExchangeSettings) -> None:
        self._settings = settings
        self._watched: OrderedDict[str, _Watched] = OrderedDict()
        self._proved: OrderedDict[tuple[str, str], Seconds] = OrderedDict()

    def closed(self, number: str, address: str, now: Seconds) -> bool:
        """Return whether a login from there is refused whatever its secret."""
        watched = self._watched.get(number)
        if watched is None or now >= watched.closed_until or address in self._settings.trusted:
            return False
        return self._proved.get((number, address), now) <= now

    def failed(self, number: str, address: str, now: Seconds) -> bool:
        """Count a wrong secret; return True if it closes the extension."""
        limit = self._settings.failures_limit
        if not limit or address in self._settings.trusted:
            return False
        watched = self._watched.get(number)
        if watched is None or (now - watched.since > WINDOW_SECONDS and now >= watched.closed_until):
            watched = self._watched[number] = _Watched(now)
            if len(self._watched) > MAX_EXTENSIONS:
                self._watched.popitem(last=False)
        self._watched.move_to_end(number)
        before = watched.addresses.get(address, 0)
        if before < limit:
            watched.count += 1
            if address in watched.addresses or len(watched.addresses) < MAX_ADDRESSES:
                watched.addresses[address] = before + 1
        if watched.count < limit * ADDRESSES:
            return False
        news = now >= watched.closed_until
        watched.closed_until = now + self._settings.ban_seconds
        return news

    def proved(self, number: str, address: str, now: Seconds) -> None:
        """Note that the extension's secret was right from there."""
        self._proved[number, address] = now + PROOF_SECONDS
        self._proved.move_to_end((number, address))
        if len(self._proved) > MAX_PROVED:
            self._proved.popitem(last=False)
