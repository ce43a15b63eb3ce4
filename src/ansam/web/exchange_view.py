"""The running exchange as the page sees it."""

from collections.abc import Sequence
from datetime import datetime

from ansam.io.exchange import ExchangeServer
from ansam.io.exchange_search import FoundCall
from ansam.pbx.dialplan import DialPlan
from ansam.pbx.status import LiveCall
from ansam.web.models import CallInfo, LiveCallInfo, RegistrationInfo, TrunkInfo


class LiveExchange:
    """See `ExchangeView`.

    Args:
        server: Running on the same event loop.
    """

    def __init__(self, server: ExchangeServer) -> None:
        self._server = server

    @property
    def plan(self) -> DialPlan:
        """See `ExchangeView.plan`."""
        return self._server.exchange.plan

    def registrations(self) -> Sequence[RegistrationInfo]:
        """See `ExchangeView.registrations`."""
        found = []
        names = {extension.number: extension.name for extension in self.plan}
        now = self._server.now()
        for binding in self._server.exchange.registrations:
            left = round(binding.expires_at - now)
            if left > 0:
                address, port = binding.flow.remote
                found.append(
                    RegistrationInfo(
                        number=binding.number,
                        name=names.get(binding.number, ""),
                        contact=binding.contact,
                        transport=binding.flow.transport,
                        address=address,
                        port=port,
                        expires_seconds=left,
                        user_agent=binding.user_agent,
                    )
                )
        return found

    def trunks(self) -> Sequence[TrunkInfo]:
        """See `ExchangeView.trunks`."""
        hosts = {trunk.name: trunk.host for trunk in self.plan.trunks}
        return [
            TrunkInfo(name=one.name, host=hosts.get(one.name, ""), state=one.state.value, text=one.detail)
            for one in self._server.status().trunks
        ]

    def live_calls(self) -> Sequence[LiveCallInfo]:
        """See `ExchangeView.live_calls`."""
        return [_live(one) for one in self._server.status().calls]

    async def calls(self, search: str, limit: int, before: int | None) -> Sequence[CallInfo]:
        """See `ExchangeView.calls`."""
        return [_info(one) for one in await self._server.search_calls(search, limit, before)]


def _live(one: LiveCall) -> LiveCallInfo:
    call = one.call
    return LiveCallInfo(
        id=str(call.identity),
        caller=call.caller,
        callee=call.callee,
        answered_by=call.answered_by,
        state="ringing" if one.talking is None else "talking",
        seconds=round(one.seconds if one.talking is None else one.talking, 1),
        trunk=call.trunk,
    )


def _info(found: FoundCall) -> CallInfo:
    call = found.call
    return CallInfo(
        id=found.id,
        caller=call.caller,
        callee=call.callee,
        answered_by=call.answered_by,
        started=call.started.isoformat(),
        answered=_text(call.answered),
        ended=call.ended.isoformat(),
        seconds=round(call.duration, 3),
        cause=call.cause,
        reason=call.reason,
        status=call.status,
        caller_packets=call.from_caller.packets if call.from_caller else None,
        caller_lost=call.from_caller.lost if call.from_caller else None,
        callee_packets=call.from_callee.packets if call.from_callee else None,
        callee_lost=call.from_callee.lost if call.from_callee else None,
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
