"""Where calls back are ordered: what `exchange` asks before it routes a call, and after one is over."""

from collections.abc import Callable

from ansam.pbx.callbacks import (
    BOTH_FREE,
    CAMPED_ON,
    NOTHING_TO_CAMP_ON,
    WILL_CALL_BACK,
    Order,
    Orders,
)
from ansam.pbx.groups import Group
from ansam.pbx.records import CallRecord, Cause
from ansam.pbx.routing import Board
from ansam.pbx.search import BUSY, Refusal
from ansam.pbx.settings import Service
from ansam.pbx.trunks import Caller
from ansam.units import Seconds


class BackDesk:
    """The orders of an exchange.

    Args:
        board: Returns the exchange as it is at the moment.
    """

    def __init__(self, board: Callable[[], Board]) -> None:
        self._board = board
        self._orders = Orders()

    def order(self, caller: Caller, number: str, now: Seconds) -> Refusal | None:
        """Take the order where somebody calls a number that calls back, or camps; return what it is told."""
        board = self._board()
        if caller.trunk is not None:
            number = caller.trunk.reached(number) or ""
        back = board.plan.callback(number)
        if back is not None:
            noted = back.allows(caller.number) and self._orders.call_back(caller.number, back, now)
            return WILL_CALL_BACK if noted else BUSY
        if board.settings.services.get(number) is not Service.CAMP_ON or caller.extension is None:
            return None
        return CAMPED_ON if self._orders.camp(caller.number, now) else NOTHING_TO_CAMP_ON

    def note(self, record: CallRecord) -> None:
        """Let an extension camp on the number of ours that it has found busy."""
        if record.cause is not Cause.BUSY or record.trunk:
            return
        plan = self._board().plan
        if plan.find(record.caller) is not None and plan.target(record.callee) is not None:
            self._orders.was_busy(record.caller, record.callee, record.ended)

    def look(self, now: Seconds) -> None:
        """Set a time for those who camp where both ends have become free."""
        for order in self._orders.camping():
            if order.due is None and self.both_free(order, now):
                order.due = now + BOTH_FREE

    def due(self, now: Seconds) -> list[Order]:
        """Return whom to call back now; those who camp wait on where an end is taken again."""
        ready = []
        for order in self._orders.due(now):
            if order.camping and not self.both_free(order, now):
                order.due = None
                self._orders.again(order)
            else:
                ready.append(order)
        return ready

    def deadline(self) -> Seconds | None:
        """Return when `due` has something to do, or None."""
        return self._orders.deadline()

    def both_free(self, order: Order, now: Seconds) -> bool:
        """Return whether both ends of an order could take a call."""
        return self._free(order.who, now) and self._free(order.wanted, now)

    def _free(self, number: str, now: Seconds) -> bool:
        board = self._board()
        target = board.plan.target(number)
        if isinstance(target, Group):
            full = 0 < target.limit <= board.calls_of_group(target.number)
            return not full and any(self._free(member, now) for member in target.members)
        if target is None or board.busy(target):
            return False
        return bool(board.registrations.find(number, now))
