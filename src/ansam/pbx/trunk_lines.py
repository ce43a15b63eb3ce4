"""Where the trunks stand: the way to each, its registration, and whose calls are whose.

::

    LOCATING ── address found ──> REGISTERING ── 200 ──> READY
        │                              └─ refused, silent ──> FAILED ── tried again ──> READY
        └── address found, nothing to register ──> READY

Names are resolved by io, which says so by `located`; where several servers stand behind one name, the next is
tried when one does not answer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from ansam.pbx.trunks import Trunk
from ansam.sip.auth import Credentials
from ansam.sip.events import Flow, Registered, RegistrationFailed, RegistrationId, Unregistered
from ansam.sip.ua import UserAgent
from ansam.units import Seconds

KEEP_ALIVE = 25.0
"""Seconds between keep-alives to a registrar: NATs forget a UDP flow after 30 s and more."""


class TrunkState(Enum):
    """Where a trunk stands; the value is for people."""

    LOCATING = "looking for its server"
    REGISTERING = "registering"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    """A trunk as it stands.

    Attributes:
        name: Of the trunk.
        state: Where it stands.
        detail: What went wrong, or "".
        calls: Calls over it at present.
        server: Address of the server in use, or "".
    """

    name: str
    state: TrunkState
    detail: str = ""
    calls: int = 0
    server: str = ""


@dataclass(slots=True)
class _Line:
    trunk: Trunk
    state: TrunkState = TrunkState.LOCATING
    detail: str = ""
    ways: tuple[Flow, ...] = ()
    used: int = 0
    registration: RegistrationId | None = None
    tried: set[int] = field(default_factory=set)
    distrust: str = ""

    @property
    def way(self) -> Flow | None:
        return self.ways[self.used % len(self.ways)] if self.ways else None


class TrunkLines:
    """All trunks of an exchange.

    Args:
        ua: Registers.
        changed: Called with the status of a trunk that got another state.
    """

    def __init__(self, ua: UserAgent, changed: Callable[[TrunkStatus], None]) -> None:
        self._ua = ua
        self._changed = changed
        self._lines: dict[str, _Line] = {}
        self._leaving: set[RegistrationId] = set()

    def replace(self, trunks: Iterable[Trunk], now: Seconds) -> list[Trunk]:
        """Take over other trunks; return those that are new, or not as before, and have to be located."""
        wanted = {trunk.name: trunk for trunk in trunks}
        for name, line in list(self._lines.items()):
            if wanted.get(name) != line.trunk:
                self._leave(line, now)
                del self._lines[name]
        new = [trunk for name, trunk in wanted.items() if name not in self._lines]
        self._lines.update({trunk.name: _Line(trunk) for trunk in new})
        return new

    def located(self, name: str, ways: tuple[Flow, ...], now: Seconds, trouble: str = "") -> None:
        """Learn the ways to a trunk's servers, the best first; none: why not."""
        line = self._lines.get(name)
        if line is None or (ways and ways == line.ways):
            return
        if not ways:
            if not line.ways:
                self._turn(line, TrunkState.FAILED, trouble)
            return
        line.ways, line.used = ways, 0
        line.tried.clear()
        trunk, way = line.trunk, ways[0]
        if not trunk.register:
            self._turn(line, TrunkState.READY)
        elif line.registration is None:
            self._turn(line, TrunkState.REGISTERING)
            line.registration = self._ua.register(
                trunk.uri(trunk.user),
                way,
                now,
                credentials=Credentials(trunk.user, trunk.secret),
                expires=trunk.expires,
                keep_alive=KEEP_ALIVE,
            )
        else:
            self._ua.move_registration(line.registration, way, now)

    def handle(self, event: Registered | RegistrationFailed, now: Seconds) -> None:
        """Take what became of a registration; others than ours are none of ours."""
        line = next((one for one in self._lines.values() if one.registration == event.registration), None)
        if line is None:
            return
        if isinstance(event, Registered):
            line.tried.clear()
            line.distrust = ""
            self._turn(line, TrunkState.READY)
            return
        self._turn(line, TrunkState.FAILED, line.distrust or f"{event.status} {event.reason}")
        line.distrust = ""
        line.tried.add(line.used)
        silent = event.status == 408 or event.status >= 500
        if silent and len(line.tried) < len(line.ways):
            line.used = (line.used + 1) % len(line.ways)
            way = line.way
            assert way is not None
            self._ua.move_registration(event.registration, way, now)
        else:
            line.tried.clear()

    def distrusted(self, flow: Flow, why: str) -> None:
        """Learn why there is no TLS connection to a server, before the registration fails for it."""
        for line in self._lines.values():
            if flow in line.ways:
                line.distrust = f"no TLS connection: {why}"

    def gone(self, event: Unregistered) -> None:
        """Learn that a registration has been removed."""
        self._leaving.discard(event.registration)

    def of(self, flow: Flow, called: str) -> Trunk | None:
        """Return the trunk whose call comes along a flow, or None: it has to prove itself.

        Args:
            flow: Where it comes from.
            called: User part of what is called: it tells accounts at the same server apart.
        """
        ours = [line.trunk for line in self._lines.values() if _from(line, flow)]
        named = (trunk for trunk in ours if trunk.user == called or trunk.reached(called) is not None)
        return next(named, ours[0] if ours else None)

    def knows(self, flow: Flow) -> bool:
        """Return whether calls along a flow are a trunk's."""
        return any(_from(line, flow) for line in self._lines.values())

    def way(self, trunk: Trunk) -> Flow | None:
        """Return the way to call over a trunk, None where it can not be called at present."""
        line = self._lines.get(trunk.name)
        return line.way if line is not None and line.state is TrunkState.READY else None

    def statuses(self, calls_of: Callable[[str], int]) -> tuple[TrunkStatus, ...]:
        """Return how all trunks stand."""
        return tuple(_status(line, calls_of(name)) for name, line in self._lines.items())

    @property
    def signing_off(self) -> bool:
        """Whether a registration is being removed."""
        return bool(self._leaving)

    def stop(self, now: Seconds) -> None:
        """Sign off everywhere."""
        for line in self._lines.values():
            self._leave(line, now)

    def _leave(self, line: _Line, now: Seconds) -> None:
        if line.registration is not None:
            self._ua.unregister(line.registration, now)
            self._leaving.add(line.registration)
            line.registration = None

    def _turn(self, line: _Line, state: TrunkState, detail: str = "") -> None:
        if (line.state, line.detail) != (state, detail):
            line.state, line.detail = state, detail
            self._changed(_status(line, 0))


def _from(line: _Line, flow: Flow) -> bool:
    if line.trunk.authenticate:
        return False
    return flow.remote[0] in line.trunk.sources or any(_along(way, flow) for way in line.ways)


def _along(way: Flow, flow: Flow) -> bool:
    """Return whether a flow comes from a server; where it has proved itself by TLS, nothing else is its."""
    return way.remote == flow.remote and ("tls" not in (way.transport, flow.transport) or way == flow)


def _status(line: _Line, calls: int) -> TrunkStatus:
    way = line.way
    server = "" if way is None else f"{way.transport}:{way.remote[0]}:{way.remote[1]}"
    return TrunkStatus(line.trunk.name, line.state, line.detail, calls, server)
