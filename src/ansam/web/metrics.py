"""What Prometheus reads: gauges of the moment, and how many requests were answered."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.responses import Response

from ansam.io.control import PanelState
from ansam.web.modems import states_of
from ansam.web.operations import Call, Operation
from ansam.web.sources import Sources

MODEM_STATES = ("offline", "idle", "dialling", "ringing", "handshake", "connected")


class _Now(Collector):
    """Gauges, computed when they are asked for."""

    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()


class Metrics:
    """The route, and what is counted.

    Args:
        sources: What there is.
        sockets: Returns how many WebSockets are open.
        sessions: Returns how many are logged in.
    """

    def __init__(self, sources: Sources, sockets: Callable[[], int], sessions: Callable[[], int]) -> None:
        self._sources = sources
        self._sockets = sockets
        self._sessions = sessions
        self._fronts: list[PanelState] = []
        self._registry = CollectorRegistry()
        self._registry.register(_Now(self._families))
        self._requests = Counter(
            "ansam_web_requests", "Requests answered", ["method", "status"], registry=self._registry
        )

    def operation(self) -> Operation:
        """Return the route."""
        return Operation("GET", "/metrics", self._metrics, "Figures for Prometheus", media="text/plain")

    def answered(self, method: str, status: int) -> None:
        """Count a request."""
        known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
        self._requests.labels(known, str(status)).inc()

    async def _metrics(self, call: Call[None, None]) -> Response:
        hub = self._sources.modems
        self._fronts = await states_of(hub) if hub is not None else []
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def _families(self) -> Iterable[Metric]:
        yield _gauge("ansam_web_sockets", "Open WebSockets", self._sockets())
        yield _gauge("ansam_web_sessions", "Users logged in", self._sessions())
        states = GaugeMetricFamily("ansam_modems", "Modems by state", labels=["state"])
        for state in MODEM_STATES:
            states.add_metric([state], sum(front.state == state for front in self._fronts))
        yield states
        rates = GaugeMetricFamily("ansam_modem_rate", "Received, bit/s; 0: not connected", labels=["modem"])
        for front in self._fronts:
            rates.add_metric([front.id], front.rate)
        yield rates
        exchange = self._sources.exchange
        if exchange is not None:
            live = exchange.live_calls()
            calls = GaugeMetricFamily("ansam_exchange_calls", "Calls that are up", labels=["state"])
            for state in ("ringing", "talking"):
                calls.add_metric([state], sum(one.state == state for one in live))
            yield calls
            yield _gauge("ansam_exchange_extensions", "Extensions", len(exchange.plan))
            registered = len({one.number for one in exchange.registrations()})
            yield _gauge("ansam_exchange_registered", "Extensions that are registered", registered)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
