"""The exchange's engine: registrar, routing of calls between extensions, and their records.

It owns one `UserAgent`, which demands digest authentication of every REGISTER, and of every INVITE that does
not come from a trunk's address: no call and no registration comes here unproved. The decisions, in order:

=============================================  ======================================
the caller's digest names no extension         403
`Max-Forwards` is used up                      483 (RFC 3261 §16.3 step 3)
the INVITE carries no session description      488
the number dialled is none                     404
a trunk's call offers none of its codecs       488
the caller has all the calls it may have       486
the number is registered nowhere               480, or its forwarding
the callee has all the calls it may have       486, or its forwarding
the group has all the calls it may have        486, or its forwarding
every trunk that a rule names is down or full  503
all lines of the exchange are in use           503
nobody answers within the ring time            408, or its forwarding
=============================================  ======================================

A number of `ExchangeSettings.services` is answered by the exchange itself; see `services`. Hunt groups and
forwarding are in `search`. What is neither a number nor a service may become one by a rule, or go to a trunk;
see `patterns`, `trunks` and `routing`.
"""

import random
from collections.abc import Mapping
from typing import TypeAlias

from ansam.pbx.back_desk import BackDesk
from ansam.pbx.bridge import Bridge, BridgeState
from ansam.pbx.callbacks import Order
from ansam.pbx.callers import caller_of
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.events import (
    CallConnected,
    CallOver,
    CallStarted,
    ExchangeEvent,
    ExtensionClosed,
    LoginRefused,
    RegistrationsChanged,
    SourceBanned,
    TrunkChanged,
)
from ansam.pbx.extension_guard import ExtensionGuard
from ansam.pbx.groups import HuntMemory
from ansam.pbx.guard import Guard
from ansam.pbx.media import MediaRelay, Side
from ansam.pbx.partings import Partings
from ansam.pbx.records import CallRecord, Cause, OpenCall
from ansam.pbx.registrations import Registrations
from ansam.pbx.ring_back import RingBack
from ansam.pbx.routing import OWN_LINE, Board
from ansam.pbx.search import Refusal
from ansam.pbx.services import ServiceCall, ServiceMedia
from ansam.pbx.settings import ExchangeSettings, Service
from ansam.pbx.status import ExchangeStatus, extension_status, group_status, live_call
from ansam.pbx.trunk_lines import TrunkLines
from ansam.pbx.trunks import Caller, Trunk
from ansam.sip.auth import AuthServer
from ansam.sip.events import (
    AuthenticationFailed,
    CallAnswered,
    CallEnded,
    CallId,
    Event,
    Flow,
    IncomingCall,
    Outgoing,
    Registered,
    RegisterReceived,
    RegistrationFailed,
    Unregistered,
)
from ansam.sip.ua import UserAgent, UserAgentConfig
from ansam.sip.uri import user_of
from ansam.trace import Sink, null_sink
from ansam.units import Seconds

Conversation: TypeAlias = Bridge | ServiceCall | RingBack


class Exchange:
    """Registrar and back-to-back user agent of a set of extensions.

    Call a method, then drain `take_outgoing` and `take_events` and re-arm one timer for `deadline`.

    Args:
        settings: Limits and times.
        plan: The extensions.
        rng: Tags, branches and identities.
        key: At least 16 random octets that sign the nonces of digest authentication.
        relay: Sockets for media; None where media goes straight between the ends.
        trace: Sink for events of the SIP engine.
        services: Plays the numbers of `ExchangeSettings.services`; None where there are none.
        back_relay: Sockets for the media of calls back; None: `relay`; without either nobody is called back.
    """

    def __init__(
        self,
        settings: ExchangeSettings,
        plan: DialPlan,
        rng: random.Random,
        key: bytes,
        relay: MediaRelay | None = None,
        trace: Sink = null_sink,
        services: ServiceMedia | None = None,
        back_relay: MediaRelay | None = None,
    ) -> None:
        self.settings = settings
        self.plan = plan
        self.guard = Guard(settings)
        self.extension_guard = ExtensionGuard(settings)
        self.registrations = Registrations(settings, self._registrations_changed)
        self._partings = Partings()
        self._relay = relay
        self._services = services
        self._back_relay = relay if back_relay is None else back_relay
        self._desk = BackDesk(self._board)
        self._ua = UserAgent(
            UserAgentConfig(
                product="ansam exchange",
                auth=AuthServer(
                    settings.realm,
                    self._secret,
                    key,
                    algorithms=settings.algorithms,
                    closed=self.extension_guard.closed,
                ),
                registrar=True,
                max_calls=3 * settings.calls_limit,
                follow_contact=False,
                session_expires=settings.session_seconds or None,
                admit=lambda flow: self.trunks.knows(flow),
            ),
            rng,
            trace,
        )
        self.trunks = TrunkLines(self._ua, lambda status: self._events.append(TrunkChanged(status)))
        self.trunks.replace(plan.trunks, 0.0)
        self._bridges: dict[CallId, Conversation] = {}
        self._open: dict[Conversation, set[CallId]] = {}
        self._events: list[ExchangeEvent] = []
        self._changed: dict[str, None] = {}
        self._memory = HuntMemory()

    def _secret(self, username: str) -> str | None:
        return self.plan.secret(username)

    def _registrations_changed(self, number: str) -> None:
        self._changed[number] = None

    # -- transport and time ----------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: Seconds) -> None:
        """Take one datagram, or a piece of a TCP stream; see `Guard` for whose are read."""
        if not self.guard.admits(flow.remote, now):
            if flow.transport != "udp":
                # A stream with a hole can not be read any further.
                self._ua.close(flow)
            return
        self._ua.receive(data, flow, now)
        self._process(now)

    def transport_failed(self, flow: Flow, now: Seconds) -> None:
        """Learn that a flow is dead: connection closed or refused, address unreachable."""
        if flow.reliable:
            self.registrations.flow_closed(flow, now)
        self._ua.transport_failed(flow, now)
        self._process(now)

    def take_outgoing(self) -> list[Outgoing]:
        """Drain what is to be sent, in order."""
        return self._ua.take_outgoing()

    def take_events(self) -> list[ExchangeEvent]:
        """Drain what happened; several changes of one extension's registrations come as one."""
        events, self._events = self._events, []
        return events

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` is due, or None."""
        times = [self._ua.deadline(), self.registrations.deadline(), self._partings.deadline()]
        times.append(self._desk.deadline())
        times += [bridge.deadline() for bridge in self._open]
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: Seconds) -> None:
        """Let every timer due at `now` fire."""
        self._ua.handle_timer(now)
        self._process(now)
        self.registrations.handle_timer(now)
        for bridge in list(self._open):
            bridge.handle_timer(now)
            self._settle(bridge, now)
        for record in self._partings.due(now):
            self._events.append(CallOver(record))
        for order in self._desk.due(now):
            self._ring_back(order, now)
        self._process(now)

    def stop(self, now: Seconds) -> None:
        """End all calls and sign off: out of service. What must still be sent comes out as ever."""
        for bridge in list(self._open):
            bridge.hang_up(Cause.SHUTDOWN, now)
            self._settle(bridge, now)
        self.trunks.stop(now)
        self._process(now)

    def finish(self) -> None:
        """Wait no longer for what ends say of calls that are over: their records come out."""
        for record in self._partings.due():
            self._events.append(CallOver(record))

    def replace_plan(self, plan: DialPlan, now: Seconds) -> list[Trunk]:
        """Take over other extensions; those that are gone or got another secret must register anew.

        Calls in progress go on.

        Returns:
            Trunks to be located; see `trunk_located`.
        """
        for number in {binding.number for binding in self.registrations}:
            if plan.secret(number) != self.plan.secret(number):
                self.registrations.forget(number, now)
        self.plan = plan
        new = self.trunks.replace(plan.trunks, now)
        self._process(now)
        return new

    def trunk_located(self, name: str, ways: tuple[Flow, ...], now: Seconds, trouble: str = "") -> None:
        """Learn where a trunk's servers are; see `TrunkLines.located`."""
        self.trunks.located(name, ways, now, trouble)
        self._process(now)

    def line_died(self, number: str, now: Seconds) -> None:
        """Learn that the only telephone of an extension is dead: its calls end, and it is not registered.

        Of an extension that has others too, nothing is known: which of them has the call?
        """
        if self.plan.find(number) is None or len(self.registrations.find(number, now)) > 1:
            return
        self.registrations.forget(number, now)
        for call in [call for call in self._open if call.involves(number)]:
            call.hang_up(Cause.LOST, now, "the modem died")
            self._settle(call, now)
        self._process(now)

    def service_over(self, identity: int, cause: Cause, now: Seconds) -> None:
        """End the call of a service that is done, or whose caller is gone; unknown ones are none."""
        for call in list(self._open):
            if isinstance(call, ServiceCall) and call.is_session(identity):
                call.hang_up(cause, now)
                self._settle(call, now)
        self._process(now)

    @property
    def calls_up(self) -> int:
        """Calls in progress, answered or not."""
        return len(self._open)

    # -- events of the user agent ----------------------------------------------------------------------------

    def _process(self, now: Seconds) -> None:
        while events := self._ua.take_events():
            for event in events:
                self._dispatch(event, now)
        for number in self._changed:
            self._events.append(RegistrationsChanged(number, self.registrations.find(number, now)))
        self._changed.clear()
        self._desk.look(now)

    def _dispatch(self, event: Event, now: Seconds) -> None:
        match event:
            case RegisterReceived():
                self._register(event, now)
            case AuthenticationFailed():
                self._login_refused(event.method, event.username, event.flow, now)
            case IncomingCall():
                self._proved(event.authenticated_user or "", event.flow, now)
                self._incoming(event, now)
            case Registered() | RegistrationFailed():
                self.trunks.handle(event, now)
            case Unregistered():
                self.trunks.gone(event)
            case _:
                call = getattr(event, "call", None)
                bridge = None if call is None else self._bridges.get(call)
                if bridge is not None:
                    bridge.handle(event, now)
                    self._settle(bridge, now)
                elif isinstance(event, CallEnded):
                    record = self._partings.handle(event)
                    if record is not None:
                        self._events.append(CallOver(record))
                elif isinstance(event, CallAnswered):
                    self._ua.hang_up(event.call, now)

    def _settle(self, bridge: Conversation, now: Seconds) -> None:
        """Bring the table of dialogues up to date after a call has moved."""
        known, current = self._open.pop(bridge, set()), bridge.calls
        over = bridge.state is BridgeState.OVER
        for call in known if over else known - current:
            del self._bridges[call]
        if not over:
            self._open[bridge] = current
            self._bridges.update(dict.fromkeys(current - known, bridge))
        elif bridge.record is not None:
            self._over(bridge.record, bridge.parting, now)

    def _over(self, record: CallRecord, legs: Mapping[CallId, Side], now: Seconds) -> None:
        if record.answered is not None:
            self._memory.talked(record.caller, record.ended)
            self._memory.talked(record.answered_by, record.ended)
        self._desk.note(record)
        complete = self._partings.add(record, legs, now)
        if complete is not None:
            self._events.append(CallOver(complete))

    def _proved(self, number: str, flow: Flow, now: Seconds) -> None:
        self.guard.proved(flow.remote, now)
        self.extension_guard.proved(number, flow.remote[0], now)

    def _login_refused(self, method: str, username: str, flow: Flow, now: Seconds) -> None:
        self._events.append(LoginRefused(method, username, flow))
        if self.guard.failed(flow.remote, now):
            self._events.append(SourceBanned(flow.remote[0], self.settings.ban_seconds))
        known = self.plan.find(username) is not None
        if known and self.extension_guard.failed(username, flow.remote[0], now):
            self._events.append(ExtensionClosed(username, self.settings.ban_seconds))

    # -- registrar -------------------------------------------------------------------------------------------

    def _register(self, request: RegisterReceived, now: Seconds) -> None:
        number = request.user
        if request.authenticated_user != number or self.plan.find(number) is None:
            # RFC 3261 §10.3 step 4: the client proved who it is, and that is someone else.
            self._login_refused("REGISTER", request.authenticated_user or "", request.flow, now)
            self._ua.respond_register(request.request, 403, now)
            return
        self._proved(number, request.flow, now)
        verdict = self.registrations.register(number, request, now)
        self._ua.respond_register(
            request.request,
            verdict.status,
            now,
            verdict.contacts,
            min_expires=self.settings.min_expires if verdict.status == 423 else None,
        )

    # -- calls -----------------------------------------------------------------------------------------------

    def _incoming(self, incoming: IncomingCall, now: Seconds) -> None:
        # The host part is not looked at: clients write there whatever name they know the exchange by.
        number = user_of(incoming.uri)
        caller = caller_of(incoming, number, self.plan, self.trunks)
        if caller is None:
            self._ua.reject(incoming.call, 403, now)
            return
        parties = self._desk.order(caller, number, now) or self._board().route(incoming, caller, number, now)
        if isinstance(parties, Refusal):
            self._ua.reject(incoming.call, parties.status, now, parties.reason)
            self._record(caller, number, parties, now)
            return
        bridge: Conversation
        if isinstance(parties, Service):
            assert self._services is not None
            bridge = ServiceCall(
                self._ua, incoming, caller, number, parties, self._services, now, self._answered
            )
        else:
            bridge = Bridge(self._ua, incoming, parties, self._relay, now, self._answered)
        self._events.append(CallStarted(bridge.open_call))
        bridge.start(now)
        self._settle(bridge, now)

    def _board(self) -> Board:
        return Board(
            self.settings,
            self.plan,
            self.registrations,
            self._memory,
            self._busy,
            self._calls_of,
            self._calls_over,
            self.trunks.way,
            self.calls_up,
            self._services is not None,
            self._services is not None and self._services.ready,
        )

    def _calls_of(self, group: str) -> int:
        return sum(call.group == group for call in self._open)

    def _busy(self, extension: Extension) -> bool:
        calls = sum(bridge.involves(extension.number) for bridge in self._open)
        return calls >= extension.call_limit

    def _calls_over(self, trunk: str) -> int:
        return sum(call.over_trunk(trunk) for call in self._open)

    def _answered(self, call: OpenCall) -> None:
        self._events.append(CallConnected(call))

    def _record(self, caller: Caller, callee: str, refusal: Refusal, now: Seconds) -> None:
        trunk = "" if caller.trunk is None else caller.trunk.name
        record = CallRecord(caller.number, callee, now, None, now, refusal.cause, refusal.status, trunk=trunk)
        if refusal is not OWN_LINE:
            self._desk.note(record)
        self._events.append(CallOver(record))

    # -- calls back ------------------------------------------------------------------------------------------

    def _ring_back(self, order: Order, now: Seconds) -> None:
        if self._back_relay is None or self.calls_up >= self.settings.calls_limit:
            return
        call = RingBack(self._ua, order, self._board, self._back_relay, now, self._answered)
        if call.start(now):
            self._events.append(CallStarted(call.open_call))
            self._settle(call, now)

    # -- how it stands ---------------------------------------------------------------------------------------

    def status(self, now: Seconds) -> ExchangeStatus:
        """Return the exchange as it stands."""
        extensions = tuple(
            extension_status(
                one,
                sum(call.involves(one.number) for call in self._open),
                self.registrations.find(one.number, now),
                now,
            )
            for one in self.plan
        )
        groups = tuple(group_status(group, self._calls_of(group.number)) for group in self.plan.groups)
        calls = tuple(live_call(call.open_call, call.group, call.ringing, now) for call in self._open)
        return ExchangeStatus(extensions, groups, self.trunks.statuses(self._calls_over), calls)
