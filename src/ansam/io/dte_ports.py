"""From a port's name to its endpoint, and several ports of one modem."""

from ansam.dte.circuits import Circuits
from ansam.dte.port_url import PortUrl, parse_ports
from ansam.io.dte import DteEndpoint, DtePort
from ansam.io.dte_pty import PtyDte
from ansam.io.dte_serial import SerialDte
from ansam.io.dte_socket import SocketDte
from ansam.io.dte_stdio import StdioDte


def make_dte(text: str) -> DteEndpoint:
    """Return the endpoint a name stands for (see `ansam.dte.port_url`), not yet open.

    Raises:
        ConfigError: The name can not be understood.
    """
    endpoints = [_make(url) for url in parse_ports(text)]
    return endpoints[0] if len(endpoints) == 1 else SeveralDte(endpoints)


def _make(url: PortUrl) -> DteEndpoint:
    match url.kind:
        case "pty":
            return PtyDte(url.path, hang_up=url.options.get("carrier") == "hangup")
        case "serial":
            return SerialDte(url)
        case "stdio":
            return StdioDte()
        case _:
            return SocketDte(url)


class _Share:
    """The modem as one of several endpoints sees it."""

    def __init__(self, owner: "SeveralDte", modem: DtePort) -> None:
        self._owner = owner
        self._modem = modem

    @property
    def _mine(self) -> bool:
        return self._owner.user is self

    def claim(self) -> bool:
        if self._owner.user is None:
            self._owner.user = self
        return self._mine

    def release(self) -> None:
        if self._mine:
            self._owner.user = None

    def offer(self, data: bytes) -> int:
        return self._modem.offer(data) if self._mine else len(data)

    def take(self, limit: int) -> bytes:
        # With no user at all, whoever asks throws it away.
        return self._modem.take(limit) if self._mine or self._owner.user is None else b""

    def set_dtr(self, on: bool) -> None:
        if self._mine or self._owner.user is None:
            self._modem.set_dtr(on)

    def set_rts(self, on: bool) -> None:
        if self._mine:
            self._modem.set_rts(on)

    def set_port_rate(self, rate: int) -> None:
        if self._mine:
            self._modem.set_port_rate(rate)

    def receive_break(self, milliseconds: int) -> None:
        if self._mine:
            self._modem.receive_break(milliseconds)


class SeveralDte:
    """Several endpoints of one modem: who comes first has it until he leaves, others find it busy.

    Args:
        endpoints: At least two.

    Attributes:
        name: Their names.
        user: Who has the modem.
    """

    def __init__(self, endpoints: list[DteEndpoint]) -> None:
        self.user: _Share | None = None
        self._endpoints = endpoints

    @property
    def name(self) -> str:
        """Names of the endpoints, with the real ports once open."""
        return ", ".join(endpoint.name for endpoint in self._endpoints)

    async def open(self, port: DtePort) -> None:
        """See `DteEndpoint.open`; nothing stays open where one of them fails."""
        for index, endpoint in enumerate(self._endpoints):
            try:
                await endpoint.open(_Share(self, port))
            except BaseException:
                for opened in self._endpoints[:index]:
                    await opened.close()
                raise

    def resume(self) -> None:
        """See `DteEndpoint.resume`."""
        for endpoint in self._endpoints:
            endpoint.resume()

    def output_ready(self) -> None:
        """See `DteEndpoint.output_ready`."""
        for endpoint in self._endpoints:
            endpoint.output_ready()

    def show(self, circuits: Circuits) -> None:
        """See `DteEndpoint.show`."""
        for endpoint in self._endpoints:
            endpoint.show(circuits)

    def set_rate(self, rate: int) -> None:
        """See `DteEndpoint.set_rate`."""
        for endpoint in self._endpoints:
            endpoint.set_rate(rate)

    def send_break(self, milliseconds: int) -> None:
        """See `DteEndpoint.send_break`."""
        for endpoint in self._endpoints:
            endpoint.send_break(milliseconds)

    async def close(self) -> None:
        """See `DteEndpoint.close`."""
        for endpoint in self._endpoints:
            await endpoint.close()
