"""Call records that wait for the last word of a call's ends: what a modem says in its answer to BYE.

The call itself is over by then; lines are free, and only the record waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansam.call.modem_facts import FIELD, decode
from ansam.pbx.media import Side
from ansam.pbx.records import CallRecord
from ansam.sip.events import CallEnded, CallId
from ansam.units import Seconds

PATIENCE = 2.0
"""Seconds a record waits: time for two retransmissions of a BYE over UDP (RFC 3261 §17.1.2.1, T1 = 0.5 s)."""


@dataclass(slots=True)
class _Waiting:
    record: CallRecord
    legs: dict[CallId, Side]
    until: Seconds


def facts_in(event: CallEnded) -> dict[str, Any]:
    """Return what the far end's modem says in its BYE, or in its answer to ours."""
    return decode(event.headers.first(FIELD))


class Partings:
    """The records that wait."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []

    def add(self, record: CallRecord, legs: Mapping[CallId, Side], now: Seconds) -> CallRecord | None:
        """Take a record; return it at once where no leg's last word is to come."""
        if not legs:
            return record
        self._waiting.append(_Waiting(record, dict(legs), now + PATIENCE))
        return None

    def handle(self, event: CallEnded) -> CallRecord | None:
        """Take the end of a dialogue; return the record that waits for nothing else now."""
        one = next((one for one in self._waiting if event.call in one.legs), None)
        if one is None:
            return None
        side = one.legs.pop(event.call)
        facts = facts_in(event)
        if facts and side is Side.CALLER:
            one.record = replace(one.record, caller_modem=facts)
        elif facts:
            one.record = replace(one.record, callee_modem=facts)
        if one.legs:
            return None
        self._waiting.remove(one)
        return one.record

    def due(self, now: Seconds | None = None) -> list[CallRecord]:
        """Return the records that have waited long enough by `now`; None: all of them."""
        over = [one for one in self._waiting if now is None or now >= one.until]
        for one in over:
            self._waiting.remove(one)
        return [one.record for one in over]

    def deadline(self) -> Seconds | None:
        """Return when `due` has something to return, or None."""
        return min((one.until for one in self._waiting), default=None)
