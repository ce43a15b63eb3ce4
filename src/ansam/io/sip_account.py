"""A line's account at its registrar: servers, TLS, the registration, and where to turn when one is dead."""

import asyncio
import random
import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import structlog

from ansam.call.line_url import SipLineUrl
from ansam.errors import AnsamError, ConfigError, ResourceError
from ansam.io.resolve import Resolver, locate
from ansam.io.sip import SipNode
from ansam.io.tls_client import client_context
from ansam.sip.auth import Credentials
from ansam.sip.events import Address, CallId, Event, Flow, Registered, RegistrationFailed, RegistrationId
from ansam.sip.ua import UserAgent, UserAgentConfig
from ansam.units import Seconds

Parting = Callable[[CallId], Iterable[tuple[str, str]]]

REGISTER_TIMEOUT = 5.0
"""Seconds the first registration may take before the registrar counts as dead."""


class SipAccount:
    """One extension at its registrar, on a user agent of its own.

    Args:
        url: What the person wrote.
        rng: Source of tags and the like.
        resolver: Finds the registrar.
        log: The line's.

    Attributes:
        servers: Where the registrar may be; the calls of lines that trust only it come from there.
        local_ip: Our address on the way to it.
        registered_as: The registration while there is one, also an attempt.
    """

    def __init__(self, url: SipLineUrl, rng: random.Random, resolver: Resolver, log: Any = None) -> None:
        self._url = url
        self._rng = rng
        self._resolver = resolver
        self._log = log or structlog.get_logger("ansam.line")
        self.servers: list[Address] = []
        self.local_ip = ""
        self.registered_as: RegistrationId | None = None
        self._remote: Address = ("", 0)
        self._node: SipNode | None = None
        self._failures = 0
        self._first: asyncio.Future[Registered | RegistrationFailed] | None = None

    @property
    def node(self) -> SipNode:
        """The user agent; the account must be open."""
        assert self._node is not None
        return self._node

    @property
    def is_open(self) -> bool:
        """Whether there is a user agent."""
        return self._node is not None

    @property
    def flow(self) -> Flow:
        """The way to the server that is asked at present."""
        return self.node.flow(self._url.transport, self._remote)

    @property
    def aor(self) -> str:
        """Our address of record."""
        return self.uri_of(self._url.user)

    @property
    def credentials(self) -> Credentials:
        """What challenges are answered with."""
        return Credentials(self._url.user, self._url.secret)

    def uri_of(self, number: str) -> str:
        """Return the URI of a number at this registrar."""
        host = f"[{self._url.host}]" if ":" in self._url.host else self._url.host
        port = "" if self._url.port == self._url.default_port else f":{self._url.port}"
        return f"sip:{quote(number, safe='*+')}@{host}{port}"

    # -- opening and closing ---------------------------------------------------------------------------------

    async def open(self, on_event: Callable[[Event], None], parting: Parting | None = None) -> None:
        """Find the registrar and open our sockets.

        Args:
            on_event: Takes the user agent's events.
            parting: See `UserAgentConfig.parting`.

        Raises:
            ConfigError: No such host, or certificates that can not be read.
            ResourceError: No way to it, or no socket.
        """
        self.servers = await self._resolve()
        self._remote = self.servers[0]
        self.local_ip = self._url.bind or address_towards(self._remote)
        config = UserAgentConfig(user=self._url.user, max_calls=8, parting=parting)
        context = None
        if self._url.transport == "tls":
            context = client_context(self._url.ca, self._url.verify, "give a PEM file as ;ca=")
        node = SipNode(UserAgent(config, self._rng), on_event, tls=context, tls_name=self._url.host)
        try:
            if self._url.transport == "tcp":
                await node.open_tcp(self.local_ip)
            elif self._url.transport == "tls":
                node.open_tls_client(self.local_ip)
            else:
                node.open_udp(self.local_ip)
        except BaseException:
            await node.close()
            raise
        self._node = node

    async def close(self) -> None:
        """Close our sockets."""
        node, self._node = self._node, None
        if node is not None:
            await node.close()

    async def _resolve(self) -> list[Address]:
        host, port = self._url.proxy or (self._url.host, self._url.port)
        return await locate(
            host,
            port,
            self._url.transport,
            self._resolver,
            self._rng,
            srv=self._url.srv,
            what="registrar" if self._url.proxy is None else "proxy",
        )

    # -- the registration ------------------------------------------------------------------------------------

    async def register(self, *, must: bool) -> None:
        """Register, and stay registered.

        Args:
            must: Wait for the outcome of the first attempt.

        Raises:
            AnsamError: It failed, and it must not.
        """
        self._first = first = asyncio.get_running_loop().create_future()
        flow = self.flow

        def register(agent: UserAgent, now: Seconds) -> None:
            self.registered_as = agent.register(
                self.aor,
                flow,
                now,
                credentials=self.credentials,
                expires=self._url.expires,
                keep_alive=float(self._url.keepalive) or None,
            )

        self.node.do(register)
        if not must:
            return
        try:
            async with asyncio.timeout(REGISTER_TIMEOUT):
                outcome = await first
        except TimeoutError:
            outcome = None
        if not isinstance(outcome, Registered):
            raise self.refusal(outcome)

    def unregister(self) -> None:
        """Ask the registrar to forget us; `Unregistered` follows."""
        registration = self.registered_as
        if registration is not None:
            self.node.do(lambda agent, now: agent.unregister(registration, now))

    def registered(self, event: Registered) -> None:
        """Learn that the registration stands."""
        self._failures = 0
        self.node.trouble = ""
        self._log.info("registered", expires=event.expires)
        self._tell_first(event)

    def refused(self, event: RegistrationFailed) -> bool:
        """Learn that an attempt failed; return False while another server is being asked."""
        self._log.warning("not registered", error=str(self.refusal(event)), retry_in=round(event.retry_in))
        if self._next_server(event):
            return False
        self._tell_first(event)
        return True

    def _tell_first(self, outcome: Registered | RegistrationFailed) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_result(outcome)

    def _next_server(self, failed: RegistrationFailed) -> bool:
        """Turn to the next server where this one is out of order (RFC 3263 §4.3); False after a round."""
        self._failures += 1
        if failed.status not in (408, 502, 503, 504) or self._failures % len(self.servers) == 0:
            return False
        at = self.servers.index(self._remote)
        self._remote = self.servers[(at + 1) % len(self.servers)]
        flow, identity = self.flow, failed.registration
        self.node.do(lambda agent, now: agent.move_registration(identity, flow, now))
        return True

    def refusal(self, outcome: RegistrationFailed | None) -> AnsamError:
        """Return what an attempt that failed means, and the remedy; None: nothing came in time."""
        where = f"registrar {self._url.host}:{self._url.port}"
        trouble = self._node.trouble if self._node is not None else ""
        if trouble and (outcome is None or outcome.status in (408, 503)):
            return ResourceError(
                f"{where}: no TLS connection: {trouble}",
                "name the authority of its certificate with ;ca=FILE, or check it not: ;verify=off"
                if trouble.startswith("certificate")
                else "check that its port speaks TLS",
            )
        if outcome is None or outcome.status in (408, 503):
            return ResourceError(f"{where} does not respond", "check the address and that the exchange runs")
        if outcome.status in (401, 403, 404, 407):
            return ConfigError(
                f"{where} refuses extension {self._url.user}: {outcome.status} {outcome.reason}",
                "check USER and SECRET of the line URL",
            )
        return ResourceError(f"{where} refuses to register: {outcome.status} {outcome.reason}")


def address_towards(remote: Address) -> str:
    """Return our IP address on the way to a peer (no packet is sent).

    Raises:
        ResourceError: There is no way.
    """
    family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(remote)
        except OSError as error:
            raise ResourceError(f"no way to {remote[0]}", "check the network, or give ;bind=IP") from error
        return str(probe.getsockname()[0])
