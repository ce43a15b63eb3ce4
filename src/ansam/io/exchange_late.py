"""The player of services, loaded after the exchange is there: it needs numba, the exchange does not."""

import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ansam.pbx.records import Cause
from ansam.pbx.services import ServiceSession
from ansam.pbx.settings import Service

if TYPE_CHECKING:
    from ansam.io.exchange_services import ServicePlayer


class LatePlayer:
    """A `ServiceMedia` that plays nothing until `load` is done.

    Args:
        services: Those that can be called.
        rng: See `ServicePlayer`.
        over: See `ServicePlayer`.

    Attributes:
        ready: Services can be played.
    """

    def __init__(
        self, services: Iterable[Service], rng: random.Random, over: Callable[[int, Cause], None]
    ) -> None:
        self.ready = False
        self._services = tuple(services)
        self._rng = rng
        self._over = over
        self._player: ServicePlayer | None = None

    def load(self) -> None:
        """Load everything; may run in a thread of its own."""
        from ansam.io.exchange_services import ServicePlayer, prepare

        prepare(self._services)
        self._player = ServicePlayer(self._rng, self._over)
        self.ready = True

    def __len__(self) -> int:
        return 0 if self._player is None else len(self._player)

    def open(self, service: Service, local_ip: str, offer: bytes) -> ServiceSession | None:
        """See `ServiceMedia.open`."""
        return None if self._player is None else self._player.open(service, local_ip, offer)

    def follow(self, session: ServiceSession, offer: bytes) -> bytes | None:
        """See `ServiceMedia.follow`."""
        return None if self._player is None else self._player.follow(session, offer)

    def close(self, session: ServiceSession) -> str:
        """See `ServiceMedia.close`."""
        return "" if self._player is None else self._player.close(session)

    def stop(self) -> None:
        """Stop playing."""
        if self._player is not None:
            self._player.stop()
