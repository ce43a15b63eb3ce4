"""A terminal at an interpreter: types a line, sees what comes back."""

from collections.abc import Mapping
from typing import Any

from ansam.at.actions import Action
from ansam.at.capabilities import Capabilities
from ansam.at.interpreter import Interpreter
from ansam.at.nvram import Profile
from ansam.trace import Recorder

LOW_SPEED = Capabilities(
    rates=frozenset({300, 1200, 2400}),
    modulations={"B103": (300,), "V21": (300,), "V22": (1200,), "V22B": (1200, 2400)},
    report=lambda number: {6: "Line 1\nLine 2", 11: "Levels"}.get(number),
    product="ansam",
    version="1.2.3",
    serial="0042",
)
"""The modem of today: no error control."""

HIGH_SPEED = Capabilities(
    rates=frozenset({300, 1200, 2400, 4800, 9600, 14400, 28800, 33600, 37333}),
    modulations={"V22B": (1200, 2400), "V34": (2400, 4800, 9600, 14400, 28800, 33600), "V90": (37333,)},
    error_control=True,
    compression=True,
)


class Terminal:
    """An interpreter with a store that remembers, and its trace."""

    def __init__(
        self,
        capabilities: Capabilities = LOW_SPEED,
        nvram: Mapping[str, Any] | None = None,
        echo: bool = False,
    ) -> None:
        self.stored: list[Mapping[str, Any]] = []
        self.trace = Recorder()
        profile = Profile(nvram=nvram or {}, store=self.stored.append)
        self.modem = Interpreter(capabilities, profile, self.trace)
        self.now = 0
        if not echo:
            self.type("ATE0")

    def send(self, octets: bytes) -> bytes:
        self.modem.receive(octets, self.now)
        return self.modem.take_output()

    def type(self, line: str) -> str:
        """Send a line and CR; return the answer with its framing taken off, blank lines dropped."""
        return plain(self.send(line.encode() + b"\r"))

    def actions(self) -> list[Action]:
        return self.modem.take_actions()

    def reasons(self) -> list[object]:
        return [event.values["reason"] for event in self.trace.events if event.name == "refused"]


def plain(octets: bytes) -> str:
    return " | ".join(line for line in octets.decode().split("\r\n") if line)
