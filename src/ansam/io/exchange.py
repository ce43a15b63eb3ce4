"""The exchange on the network: sockets, clock, database and log around `pbx.exchange.Exchange`."""

import asyncio
import fcntl
import random
import secrets
import socket
import ssl
import struct
import time
from typing import cast

import structlog

from ansam.config.settings import ExchangeConfig, Listen
from ansam.errors import ConfigError, ResourceError
from ansam.io.exchange_late import LatePlayer
from ansam.io.exchange_relay import SocketRelay
from ansam.io.exchange_search import FoundCall, search_calls
from ansam.io.exchange_store import ExchangeStore, StoredCall
from ansam.io.exchange_trunks import TrunkLocator
from ansam.io.exchange_writer import StoreWriter
from ansam.io.sip import SipNode
from ansam.pbx.dialplan import DialPlan
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
from ansam.pbx.exchange import Exchange
from ansam.pbx.records import Cause
from ansam.pbx.settings import MediaMode
from ansam.pbx.status import ExchangeStatus
from ansam.pbx.trunk_lines import TrunkState, TrunkStatus
from ansam.sip.events import Flow
from ansam.sip.ua import UserAgent

GOODBYE = 1.0
"""Seconds that ends get to confirm the end of their calls when the exchange stops."""

_SIOCGIFADDR = 0x8915
"""Linux netdevice(7): the IPv4 address of an interface."""

_log = structlog.get_logger("ansam.exchange")


class ExchangeServer:
    """The exchange, running on the present event loop.

    Args:
        config: Section ``[exchange]``.
        plan: The extensions.
        rng: Source of tags and identities; the system's by default.
        late: Services are played once `load_services` has been called: what handles audio loads longer than
            the rest, and telephones wait.

    Attributes:
        exchange: The engine.
        listening: Addresses in use, once `start` has returned.
        relay: Media sockets, where media is relayed.
        services: Plays the numbers that the exchange answers itself; None where there are none.
    """

    def __init__(
        self, config: ExchangeConfig, plan: DialPlan, rng: random.Random | None = None, late: bool = False
    ) -> None:
        self._config = config
        rng = rng or random.SystemRandom()
        relayed = config.settings.media is MediaMode.RELAY
        sockets = SocketRelay(*config.relay_ports)
        self.relay = sockets if relayed else None
        self._sockets = sockets
        self.services: LatePlayer | None = None
        if config.settings.services:
            self.services = LatePlayer(config.settings.services.values(), rng, self._service_over)
            if not late:
                self.services.load()
        self.exchange = Exchange(
            *(config.settings, plan, rng, secrets.token_bytes(32), self.relay),
            services=self.services,
            back_relay=sockets,
        )
        self.listening: tuple[Listen, ...] = ()
        self._loop = asyncio.get_running_loop()
        self._rng = rng
        self._node: SipNode | None = None
        self._locator: TrunkLocator | None = None
        self._store: ExchangeStore | None = None
        self._writer: StoreWriter | None = None

    async def start(self) -> None:
        """Open the database and the sockets.

        Raises:
            ConfigError: An address to listen on can not be meant.
            ResourceError: An address is taken, or the database can not be opened; nothing stays open.
        """
        store = await asyncio.to_thread(ExchangeStore, self._config.database)
        try:
            cut = await asyncio.to_thread(store.record_cut_calls)
            kept = await asyncio.to_thread(store.registrations)
            # The exchange has the transport side of a user agent, and that is all a node asks of it.
            agent = cast(UserAgent, self.exchange)
            self._node = SipNode(
                agent,
                lambda event: self._on_event(cast(ExchangeEvent, event)),
                on_trouble=self.exchange.trunks.distrusted,
            )
            await self._listen(self._node)
        except BaseException:
            if self._node is not None:
                await self._node.close()
            store.close()
            raise
        self._store, self._writer = store, StoreWriter(store)
        known = [binding for binding in kept if self.exchange.plan.find(binding.number) is not None]
        for number in {binding.number for binding in kept} - {binding.number for binding in known}:
            self._writer.registrations_changed(number, ())
        now = time.monotonic()
        self._node.do(lambda agent, _: self.exchange.registrations.restore(known, now))
        self._locator = TrunkLocator(self.listening, self._node, self._located, self._rng)
        self._locator.locate(self.exchange.plan.trunks)
        if cut:
            _log.warning("calls were cut off when the last exchange died", count=cut)
        _log.info("exchange ready", listen=[str(listen) for listen in self.listening], restored=len(known))

    async def _listen(self, node: SipNode) -> None:
        opened: list[Listen] = []
        for listen in self._config.listen:
            port = listen.port
            for host in local_addresses(listen.host):
                if listen.transport == "udp":
                    address = node.open_udp(host, port)
                elif listen.transport == "tcp":
                    address = await node.open_tcp(host, port)
                else:
                    address = await node.open_tls(host, port, self._tls_context())
                opened.append(Listen(listen.transport, *address))
        self.listening = tuple(opened)

    def _tls_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._config.certificate, self._config.private_key)
        except (OSError, ssl.SSLError) as error:
            files = f"{self._config.certificate!r} and {self._config.private_key!r}"
            raise ConfigError(
                f"certificate for TLS: {error.strerror or error}", f"check {files}: PEM, and of one another"
            ) from error
        return context

    def address(self, transport: str) -> tuple[str, int]:
        """Return the first address in use of a transport."""
        found = next(listen for listen in self.listening if listen.transport == transport)
        return found.host, found.port

    def line_died(self, number: str) -> None:
        """See `Exchange.line_died`."""
        if self._node is not None:
            self._node.do(lambda agent, now: self.exchange.line_died(number, now))

    async def load_services(self) -> None:
        """Load what plays the services."""
        if self.services is not None and not self.services.ready:
            await asyncio.to_thread(self.services.load)

    def replace_plan(self, plan: DialPlan) -> None:
        """Take over other extensions; see `Exchange.replace_plan`."""
        if self._node is not None:
            new = self._node.do(lambda agent, now: self.exchange.replace_plan(plan, now))
            if self._locator is not None:
                self._locator.keep([trunk.name for trunk in plan.trunks])
                self._locator.locate(new)
            _log.info("extensions read", count=len(plan))

    def status(self) -> ExchangeStatus:
        """Return the exchange as it stands: extensions, groups, trunks and calls in progress."""
        return self.exchange.status(time.monotonic())

    async def calls(self, limit: int) -> list[StoredCall]:
        """Return the newest call records, the oldest of them first.

        Raises:
            ResourceError: The exchange is not running, or its database refuses.
        """
        if self._store is None:
            raise ResourceError("the exchange is not running")
        return await asyncio.to_thread(self._store.calls, limit)

    async def search_calls(self, search: str, limit: int, before: int | None) -> list[FoundCall]:
        """Return call records, newest first; see `exchange_search.search_calls`.

        Raises:
            ResourceError: The exchange is not running, or its database refuses.
        """
        store = self._store
        if store is None:
            raise ResourceError("the exchange is not running")

        def read() -> list[FoundCall]:
            with store.reading() as session:
                return search_calls(session, search, limit, before)

        return await asyncio.to_thread(read)

    def now(self) -> float:
        """Return the present in the engine's clock."""
        return time.monotonic()

    def _located(self, name: str, ways: tuple[Flow, ...], trouble: str) -> None:
        if self._node is not None:
            self._node.do(lambda agent, now: self.exchange.trunk_located(name, ways, now, trouble))

    async def stop(self) -> None:
        """End all calls, write what waits, close everything."""
        node = self._node
        if node is None:
            return
        calls = self.exchange.calls_up
        if self._locator is not None:
            await self._locator.stop()
        node.do(lambda agent, now: self.exchange.stop(now))
        end = self._loop.time() + GOODBYE
        while (calls or self.exchange.trunks.signing_off) and self._loop.time() < end:  # noqa: ASYNC110
            # The engine has no event for the last answer to come.
            await asyncio.sleep(GOODBYE / 50)
        node.do(lambda agent, now: self.exchange.finish())
        await node.close()
        self._sockets.close_all()
        if self.services is not None:
            self.services.stop()
        if self._writer is not None:
            await self._writer.close()
        if self._store is not None:
            self._store.close()
        self._node = None
        _log.info("exchange stopped", calls_ended=calls)

    def _service_over(self, identity: int, cause: Cause) -> None:
        """Learn, in the pacer's thread, that a service is done, or its caller has vanished."""
        self._loop.call_soon_threadsafe(self._end_service, identity, cause)

    def _end_service(self, identity: int, cause: Cause) -> None:
        if self._node is not None:
            self._node.do(lambda agent, now: self.exchange.service_over(identity, cause, now))

    def _on_event(self, event: ExchangeEvent) -> None:
        writer = self._writer
        match event:
            case RegistrationsChanged(number, bindings):
                places = [f"{b.flow.transport}:{b.flow.remote[0]}:{b.flow.remote[1]}" for b in bindings]
                _log.debug("registrations", extension=number, places=places)
                if writer is not None:
                    writer.registrations_changed(number, bindings)
            case CallStarted(call):
                _log.info("call", caller=call.caller, callee=call.callee, **_through(call.trunk))
                if writer is not None:
                    writer.call_open(call)
            case CallConnected(call):
                _log.info("answered", caller=call.caller, callee=call.answered_by, **_through(call.trunk))
                if writer is not None:
                    writer.call_open(call)
            case CallOver(record):
                _log.info(
                    "call over",
                    caller=record.caller,
                    callee=record.callee,
                    cause=record.cause.value,
                    status=record.status,
                    reason=record.reason,
                    seconds=round(record.duration, 1),
                    **({"note": record.note} if record.note else {}),
                    **_through(record.trunk),
                )
                if writer is not None:
                    writer.call_over(record)
            case TrunkChanged(status):
                self._trunk_changed(status)
            case LoginRefused(method, username, flow):
                _log.warning("login refused", method=method, username=username, peer=flow.remote[0])
            case SourceBanned(address, seconds):
                _log.warning("banned: too many wrong secrets", peer=address, seconds=seconds)
            case ExtensionClosed(number, seconds):
                _log.warning(
                    "wrong secrets from many addresses: new places of this extension have to wait",
                    extension=number,
                    seconds=seconds,
                )

    def _trunk_changed(self, status: TrunkStatus) -> None:
        tell = _log.warning if status.state is TrunkState.FAILED else _log.info
        tell(f"trunk {status.state.value}", trunk=status.name, server=status.server, reason=status.detail)
        trunk = next((one for one in self.exchange.plan.trunks if one.name == status.name), None)
        if status.state is TrunkState.FAILED and trunk is not None and self._locator is not None:
            self._locator.failed(trunk)


def _through(trunk: str) -> dict[str, str]:
    return {"trunk": trunk} if trunk else {}


def local_addresses(host: str) -> list[str]:
    """Return the addresses to listen on for one that may stand for all of this machine.

    A SIP message names the address it came from, so every socket must have one.

    Raises:
        ConfigError: ``::``, whose addresses come and go.
        ResourceError: This machine has no address.
    """
    if host == "::":
        raise ConfigError("listen: [::] names no address", "name the IPv6 address itself")
    if host != "0.0.0.0":
        return [host]
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
            except OSError:
                continue  # an interface without an IPv4 address
            found.append(socket.inet_ntoa(answer[20:24]))
    if not found:
        raise ResourceError("this machine has no IPv4 address", "name an address in listen")
    return found
