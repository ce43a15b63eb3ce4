"""Finds the servers of the exchange's trunks, and looks for them again as long as one is not to be had."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Collection, Iterable, Sequence

from ansam.config.settings import Listen
from ansam.errors import ConfigError, ResourceError
from ansam.io.resolve import Resolver, SystemResolver, locate
from ansam.io.sip import SipNode
from ansam.io.sip_account import address_towards
from ansam.io.tls_client import client_context
from ansam.pbx.trunks import Trunk
from ansam.sip.events import Address, Flow

AGAIN_AFTER = 60.0
"""Seconds until the servers of a trunk that could not be located, or failed, are looked up again."""

Located = Callable[[str, tuple[Flow, ...], str], None]
"""Called with the name of a trunk, the ways to its servers, and why there are none."""


class TrunkLocator:
    """Locates trunks on the running event loop.

    Args:
        listening: Addresses of the exchange.
        node: Opens its TLS connections.
        located: Is told the ways.
        rng: Draws among servers of one priority.
        resolver: Is asked for names.
    """

    def __init__(
        self,
        listening: Sequence[Listen],
        node: SipNode,
        located: Located,
        rng: random.Random,
        resolver: Resolver | None = None,
    ) -> None:
        self._listening = list(listening)
        self._node = node
        self._located = located
        self._rng = rng
        self._resolver = resolver or SystemResolver()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def keep(self, names: Collection[str]) -> None:
        """Look no more for trunks of other names: the plan has lost them."""
        for name in self._tasks.keys() - set(names):
            self._tasks.pop(name).cancel()

    def locate(self, trunks: Iterable[Trunk], after: float = 0.0) -> None:
        """Look for these trunks' servers; one that is being looked for already is taken up anew."""
        for trunk in trunks:
            old = self._tasks.pop(trunk.name, None)
            if old is not None:
                old.cancel()
            task = asyncio.get_running_loop().create_task(self._find(trunk, after), name=trunk.name)
            self._tasks[trunk.name] = task

    def failed(self, trunk: Trunk) -> None:
        """Look a failed trunk's name up again after a while, unless that is under way: servers move."""
        task = self._tasks.get(trunk.name)
        if task is None or task.done():
            self.locate([trunk], AGAIN_AFTER)

    async def stop(self) -> None:
        """Look for nothing any more."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _find(self, trunk: Trunk, after: float) -> None:
        await asyncio.sleep(after)
        while True:
            try:
                ways = await self._ways(trunk)
            except (ConfigError, ResourceError) as error:
                self._located(trunk.name, (), error.message)
                await asyncio.sleep(AGAIN_AFTER)
            else:
                self._located(trunk.name, ways, "")
                return

    async def _ways(self, trunk: Trunk) -> tuple[Flow, ...]:
        secure = trunk.transport == "tls"
        context = None
        if secure:
            context = client_context(trunk.ca, trunk.verify, "name a PEM file as the trunk's ca")
        servers = await locate(
            *(
                trunk.host,
                trunk.port or (5061 if secure else 5060),
                trunk.transport,
                self._resolver,
                self._rng,
            ),
            srv=trunk.port is None,
            what=f"server of trunk {trunk.name}",
        )
        found = []
        for server in servers:
            if context is not None:
                self._node.trust(server, context, trunk.host)
            with contextlib.suppress(ResourceError):
                found.append(Flow(trunk.transport, self._local(trunk, server), server))
        if not found:
            raise ResourceError(f"trunk {trunk.name}: [exchange] listens on no {trunk.transport} address")
        return tuple(found)

    def _local(self, trunk: Trunk, server: Address) -> Address:
        """Return our address as the server is to see it: of those we listen on, that on the way there."""
        ours = [listen for listen in self._listening if listen.transport == trunk.transport]
        towards = address_towards(server)
        family = [listen for listen in ours if (":" in listen.host) == (":" in server[0])]
        best = next((listen for listen in family if listen.host == towards), None)
        if best is None and trunk.transport == "tls":
            # Connections that we open need no certificate of ours, nor that we listen.
            best = Listen("tls", *self._node.open_tls_client(towards))
            self._listening.append(best)
        if best is None:
            raise ResourceError(f"trunk {trunk.name}: [exchange] does not listen on {towards}")
        return best.host, best.port
