"""Who is listened to: floods and guessers of passwords are shut out before their messages are read.

Two things are counted for each source address: messages, against a flood, and wrong credentials, against
guessing. Both are leaky buckets: what flows out each second is allowed for ever, the bucket's size at once.
Too many wrong credentials ban the address for a while; nothing from it is read then, so that an attack costs
no more than the octets it sends.

A flow (address and port) that has proved itself lately is judged alone and not by its neighbours at the same
address: telephones behind one NAT go on working while another machine there is banned. Only credentials for a
nonce of ours that was sent to that very address count as wrong, so nobody is banned by forged packets.
"""

from collections import OrderedDict
from dataclasses import dataclass

from ansam.pbx.settings import ExchangeSettings
from ansam.sip.events import Address
from ansam.units import Seconds

MAX_SOURCES = 4096
"""Sources remembered; the one not heard of for longest is forgotten, and with it its ban."""

MAX_PROVED = 8192
"""Flows remembered that have proved themselves."""

PROOF_SECONDS = 7200.0
"""How long a proof is good: twice the longest usual registration."""

BURST_SECONDS = 4.0
"""Messages of so many seconds may come at once."""

FAILURES_SECONDS = 60.0
"""Time in which the wrong credentials that ban are counted."""


@dataclass(slots=True)
class _Source:
    """What is known of one address, or of one flow that has proved itself."""

    at: Seconds
    messages: float = 0.0
    failures: float = 0.0
    banned_until: Seconds = 0.0


class Guard:
    """Decides for each datagram, or piece of a stream, whether it is read.

    Args:
        settings: Limits; see `ExchangeSettings`.

    Attributes:
        refused: Datagrams and pieces that were not read.
    """

    def __init__(self, settings: ExchangeSettings) -> None:
        self._settings = settings
        self._sources: OrderedDict[str | Address, _Source] = OrderedDict()
        self._proved: OrderedDict[Address, Seconds] = OrderedDict()
        self.refused = 0

    def __len__(self) -> int:
        return len(self._sources)

    def admits(self, remote: Address, now: Seconds) -> bool:
        """Return whether a message from there is read; counts it."""
        if remote[0] in self._settings.trusted:
            return True
        source = self._source(remote, now)
        limit = self._settings.messages_per_second
        if now < source.banned_until or (limit and source.messages >= limit * BURST_SECONDS):
            self.refused += 1
            return False
        source.messages += 1
        return True

    def failed(self, remote: Address, now: Seconds) -> bool:
        """Count wrong credentials; return True if the source is banned from now on."""
        limit = self._settings.failures_limit
        if not limit or remote[0] in self._settings.trusted:
            return False
        source = self._source(remote, now)
        source.failures += 1
        if source.failures < limit or now < source.banned_until:
            return False
        if self._proved.pop(remote, None) is not None:
            # Its proof is used up; from here on it is judged with its neighbours.
            return False
        source.banned_until = now + self._settings.ban_seconds
        return True

    def proved(self, remote: Address, now: Seconds) -> None:
        """Note that a flow has proved who it is."""
        self._proved[remote] = now + PROOF_SECONDS
        self._proved.move_to_end(remote)
        if len(self._proved) > MAX_PROVED:
            self._proved.popitem(last=False)

    def _source(self, remote: Address, now: Seconds) -> _Source:
        """Return the state a message counts for, its buckets leaked to the present."""
        key: str | Address = remote if self._proved.get(remote, now) > now else remote[0]
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = _Source(now)
            if len(self._sources) > MAX_SOURCES:
                self._sources.popitem(last=False)
        else:
            self._sources.move_to_end(key)
        passed = max(0.0, now - source.at)
        source.at = now
        source.messages = max(0.0, source.messages - passed * self._settings.messages_per_second)
        leak = self._settings.failures_limit / FAILURES_SECONDS
        source.failures = max(0.0, source.failures - passed * leak)
        return source
