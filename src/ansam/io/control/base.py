"""What can be seen of a running modem and done to it, wherever it runs.

A modem in this process (`ansam demo`) and one in a worker process behind a socket (`ansam serve`) look the
same. Shapes of the messages: docs/spec/web-api.md.

Every stream is bounded: a viewer that does not keep up misses frames, never holds the modem up. While nobody
iterates over a stream, nothing is computed for it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from ansam.errors import AnsamError


class Conflict(AnsamError):
    """The modem is not in the state for what is asked, or somebody else has its terminal."""


Message = dict[str, Any]
"""One JSON object."""

LIGHTS = ("HS", "AA", "CD", "OH", "RD", "SD", "TR", "MR", "RS", "CS", "SYN", "ARQ")
"""Of a US Robotics front, from left to right."""


@dataclass(frozen=True, slots=True)
class PanelState:
    """The front of a modem.

    Attributes:
        id: Its name in the configuration.
        name: The same, for people.
        extension: On the exchange; "" where the line is no telephone line.
        personality: Make of modem.
        state: offline, idle, dialling, ringing, handshake or connected.
        number: Dialled or calling; "" on hook.
        rate: Received, bit/s; 0 without a connection.
        connect: The CONNECT line of this connection, or "".
        seconds: Length of this call.
        terminal: It has a DTE that `ModemControl.terminal` opens while nobody else uses one.
        lights: By name, see `LIGHTS`.
        terminal_in_use: Somebody has it now, at a page or at another port of the modem.
    """

    id: str
    name: str
    extension: str = ""
    personality: str = ""
    state: str = "idle"
    number: str = ""
    rate: int = 0
    connect: str = ""
    seconds: float = 0.0
    terminal: bool = False
    lights: Mapping[str, bool] | None = None
    terminal_in_use: bool = False

    def message(self) -> Message:
        """Return it as JSON has it."""
        return asdict(self) | {"lights": {name: bool((self.lights or {}).get(name)) for name in LIGHTS}}


class TerminalStream(Protocol):
    """Octets of a modem's DTE."""

    async def read(self) -> bytes:
        """Return what the modem says next; b"" when the stream has ended."""

    async def write(self, data: bytes) -> None:
        """Type something; waits while the modem takes nothing (circuit 106 OFF)."""

    async def close(self) -> None:
        """Give the DTE back: DTR goes OFF."""


class ModemControl(Protocol):
    """One running modem.

    Everything raises `Conflict` where the modem is not in the state for it, and `ResourceError` where it can
    not be reached.
    """

    @property
    def id(self) -> str:
        """Name in the configuration."""

    async def state(self) -> PanelState:
        """Return its front as it is now."""

    def panel(self) -> AsyncIterator[PanelState]:
        """Yield its front now and at every change, at most 10 times a second."""

    async def dial(self, string: str) -> None:
        """Dial, as ``ATD`` with this string would; ``;`` is refused."""

    async def answer(self) -> None:
        """Answer the call that rings."""

    async def hang_up(self) -> None:
        """End the call, whatever it has come to."""

    async def volume(self, level: int) -> None:
        """Turn the speaker: 0 is ATM0, 1 to 3 are ATL."""

    def scope(self) -> AsyncIterator[str]:
        """Yield scope messages, arrays of JSON: 10 frames a second during a call, and the events between."""

    def audio(self) -> AsyncIterator[bytes]:
        """Yield int16 little endian, stereo interleaved, 8000 Hz: received left, sent right."""

    async def terminal(self) -> TerminalStream:
        """Open the DTE; one at a time."""

    async def bundle(self) -> bytes:
        """Return the last 60 s as a file that `ansam listen` opens; b"" where nothing was heard yet."""


class ControlHub(Protocol):
    """All modems of this machine."""

    def modems(self) -> Sequence[ModemControl]:
        """Return those that can be reached now, in the order of the configuration."""

    def find(self, name: str) -> ModemControl | None:
        """Return one by its id."""

    def panel(self) -> AsyncIterator[PanelState]:
        """Yield the front of every modem, then of each that has changed."""
