"""The exchange's engine: registrar, routing of calls between extensions, and their records.

It owns one `UserAgent`, which demands digest authentication of every REGISTER and INVITE: no call and no
registration comes here unproved. The decisions, in order:

=============================================  ======================================
the caller's digest names no extension         403
`Max-Forwards` is used up                      483 (RFC 3261 §16.3 step 3)
the INVITE carries no session description      488
the number dialled is none                     404
the caller has all the calls it may have       486
the number is registered nowhere               480, or its forwarding
the callee has all the calls it may have       486, or its forwarding
the group has all the calls it may have        486
all lines of the exchange are in use           503
nobody answers within the ring time            408, or its forwarding
=============================================  ======================================

A number of `ExchangeSettings.services` is answered by the exchange itself; see `services`. Hunt groups and
forwarding are in `search`. What is neither a number nor a service may become one by a rule; see `patterns`.
"""

import random

from ansam.pbx.bridge import Bridge, BridgeState, Parties
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
)
from ansam.pbx.extension_guard import ExtensionGuard
from ansam.pbx.groups import HuntMemory
from ansam.pbx.guard import Guard
from ansam.pbx.media import MediaRelay
from ansam.pbx.records import CallRecord, Cause
from ansam.pbx.registrations import Registrations
from ansam.pbx.search import BUSY, Office, Refusal, Search
from ansam.pbx.services import ServiceCall, ServiceMedia
from ansam.pbx.settings import ExchangeSettings, Service
from ansam.sip.auth import AuthServer
from ansam.sip.events import (
    AuthenticationFailed,
    CallAnswered,
    CallId,
    Event,
    Flow,
    IncomingCall,
    Outgoing,
    RegisterReceived,
)
from ansam.sip.ua import UserAgent, UserAgentConfig
from ansam.sip.uri import user_of
from ansam.trace import Sink, null_sink
from ansam.units import Seconds

ALL_IN_USE = ("All Lines In Use", Cause.CONGESTION)

REFUSING: dict[Service | None, Refusal] = {
    Service.BUSY: BUSY,
    Service.CONGESTION: Refusal(503, "Congestion", Cause.CONGESTION),
}
"""Services that consist of a refusal."""


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
    ) -> None:
        self.settings = settings
        self.plan = plan
        self.guard = Guard(settings)
        self.extension_guard = ExtensionGuard(settings)
        self.registrations = Registrations(settings, self._registrations_changed)
        self._relay = relay
        self._services = services
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
            ),
            rng,
            trace,
        )
        self._bridges: dict[CallId, Bridge | ServiceCall] = {}
        self._open: dict[Bridge | ServiceCall, set[CallId]] = {}
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
        times = [self._ua.deadline(), self.registrations.deadline()]
        times += [bridge.deadline() for bridge in self._open]
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: Seconds) -> None:
        """Let every timer due at `now` fire."""
        self._ua.handle_timer(now)
        self._process(now)
        self.registrations.handle_timer(now)
        for bridge in list(self._open):
            bridge.handle_timer(now)
            self._settle(bridge)
        self._process(now)

    def stop(self, now: Seconds) -> None:
        """End all calls: the exchange goes out of service. What must still be sent comes out as ever."""
        for bridge in list(self._open):
            bridge.hang_up(Cause.SHUTDOWN, now)
            self._settle(bridge)
        self._process(now)

    def replace_plan(self, plan: DialPlan, now: Seconds) -> None:
        """Take over other extensions; those that are gone or got another secret must register anew.

        Calls in progress go on.
        """
        for number in {binding.number for binding in self.registrations}:
            if plan.secret(number) != self.plan.secret(number):
                self.registrations.forget(number, now)
        self.plan = plan
        self._process(now)

    def service_silent(self, identity: int, now: Seconds) -> None:
        """End the call of a service whose caller sends nothing any more; unknown ones are none."""
        for call in list(self._open):
            if isinstance(call, ServiceCall) and call.session and call.session.identity == identity:
                call.hang_up(Cause.LOST, now)
                self._settle(call)
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

    def _dispatch(self, event: Event, now: Seconds) -> None:
        match event:
            case RegisterReceived():
                self._register(event, now)
            case AuthenticationFailed():
                self._login_refused(event.method, event.username, event.flow, now)
            case IncomingCall():
                self._proved(event.authenticated_user or "", event.flow, now)
                self._incoming(event, now)
            case _:
                call = getattr(event, "call", None)
                bridge = None if call is None else self._bridges.get(call)
                if bridge is not None:
                    bridge.handle(event, now)
                    self._settle(bridge)
                elif isinstance(event, CallAnswered):
                    self._ua.hang_up(event.call, now)

    def _settle(self, bridge: Bridge | ServiceCall) -> None:
        """Bring the table of dialogues up to date after a call has moved."""
        known, current = self._open.pop(bridge, set()), bridge.calls
        over = bridge.state is BridgeState.OVER
        for call in known if over else known - current:
            del self._bridges[call]
        if not over:
            self._open[bridge] = current
            self._bridges.update(dict.fromkeys(current - known, bridge))
        elif bridge.record is not None:
            self._over(bridge.record)

    def _over(self, record: CallRecord) -> None:
        if record.answered is not None:
            self._memory.talked(record.caller, record.ended)
            self._memory.talked(record.answered_by, record.ended)
        self._events.append(CallOver(record))

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
        caller = self.plan.find(incoming.authenticated_user or "")
        if caller is None:
            self._ua.reject(incoming.call, 403, now)
            return
        parties = self._route(incoming, caller, number, now)
        if isinstance(parties, Refusal):
            self._ua.reject(incoming.call, parties.status, now, parties.reason)
            self._record(caller.number, number, parties.cause, parties.status, now)
            return
        self._events.append(CallStarted(caller.number, number))
        bridge: Bridge | ServiceCall
        if isinstance(parties, Service):
            assert self._services is not None
            bridge = ServiceCall(
                self._ua, incoming, caller, number, parties, self._services, now, self._answered
            )
        else:
            bridge = Bridge(self._ua, incoming, parties, self._relay, now, self._answered)
        bridge.start(now)
        self._settle(bridge)

    def _route(
        self, incoming: IncomingCall, caller: Extension, number: str, now: Seconds
    ) -> Parties | Service | Refusal:
        """Find the callee, or why there is no call; in the order of the table above."""
        if incoming.max_forwards <= 0:
            return Refusal(483, "Too Many Hops", Cause.REJECTED)
        if not incoming.sdp:
            return Refusal(488, "Offer Required", Cause.REJECTED)
        if self.plan.target(number) is None and number not in self.settings.services:
            number = self.plan.translate(number)
        callee = self.plan.target(number)
        service = self.settings.services.get(number) if self._services is not None else None
        if callee is None and service is None:
            return Refusal(404, "Unknown Number", Cause.UNKNOWN_NUMBER)
        if self._busy(caller):
            return Refusal(486, "Your Line Is In Use", Cause.BUSY)
        if callee is None:
            if service in REFUSING:
                return REFUSING[service]
            return service if service and not self._full else Refusal(503, *ALL_IN_USE)
        search = Search(self._office(), caller, callee)
        first = search.next(now)
        if isinstance(first, Refusal):
            return first
        if self._full:
            return Refusal(503, *ALL_IN_USE)
        return Parties(caller, number, search, first)

    def _office(self) -> Office:
        return Office(
            self.plan,
            self.registrations,
            self._memory,
            self._busy,
            self._calls_of,
            self.settings.ring_seconds,
        )

    def _calls_of(self, group: str) -> int:
        return sum(isinstance(bridge, Bridge) and bridge.group == group for bridge in self._open)

    def _busy(self, extension: Extension) -> bool:
        calls = sum(bridge.involves(extension.number) for bridge in self._open)
        return calls >= extension.call_limit

    @property
    def _full(self) -> bool:
        return self.calls_up >= self.settings.calls_limit

    def _answered(self, caller: str, callee: str) -> None:
        self._events.append(CallConnected(caller, callee))

    def _record(self, caller: str, callee: str, cause: Cause, status: int, now: Seconds) -> None:
        self._events.append(CallOver(CallRecord(caller, callee, now, None, now, cause, status)))
