"""Octets between the terminal and the link of a connection: how many may go, and which are flow control."""

from ansam.at.settings import Settings
from ansam.dce.terminal import TerminalSide, link_flow
from ansam.dte.escape import EscapeDetector
from ansam.link.base import CharacterLink
from ansam.units import Samples

SMALL_BUFFER, LINK_FLOW_BUFFER = 128, 64
"""Octets queued for a line without error control with S13 bit 1 or S15 bit 3, and under &I5."""

S13_SMALL_BUFFER, S15_SMALL_BUFFER = 2, 8


class DataPath:
    """Moves octets both ways.

    Args:
        settings: The modem's.
        terminal: Its terminal's side.
    """

    def __init__(self, settings: Settings, terminal: TerminalSide) -> None:
        self._settings = settings
        self._terminal = terminal
        self._far_stopped = False

    def reset(self) -> None:
        """The line is in another state: whatever the far end said of flow control is past."""
        self._far_stopped = False

    def room(self, link: CharacterLink) -> int:
        """Return how many octets the link may be given now."""
        room, s = link.room(), self._settings.s
        if self._terminal.link_flow:
            # What is queued can not be held back any more, so not much is.
            return 0 if self._far_stopped else min(room, max(0, LINK_FLOW_BUFFER - link.pending()))
        small = s.usr(13) & S13_SMALL_BUFFER or s.usr(15) & S15_SMALL_BUFFER
        if small and not self._terminal.connection.error_control:
            return min(room, max(0, SMALL_BUFFER - link.pending()))
        return room

    def follow(self, link: CharacterLink | None) -> None:
        """Let flow control of sent data know how much room there is; commands (no link) always find some."""
        if link is None:
            self._terminal.gate.reset()
        else:
            self._terminal.gate.follow(self.room(link))

    def send(
        self, link: CharacterLink, data: bytes, escape: EscapeDetector | None, now: Samples
    ) -> tuple[int, int]:
        """Give the link what it takes of the terminal's data.

        Returns:
            How much of `data` is done with, and how many octets the link got.
        """
        kept, removed = self._terminal.data(data)
        count = link.send(kept[: self.room(link)])
        if self._settings["F"] == 0:
            self._terminal.put(kept[: min(count, self._terminal.room)])
        if escape is not None:
            escape.receive(kept[:count], now)
        return self._terminal.taken(data, removed, count), count

    def deliver(self, link: CharacterLink) -> int:
        """Move received octets to the terminal, as far as it has room; return how many."""
        data = link.take_data(self._terminal.room)
        if self._terminal.link_flow:
            data, self._far_stopped = link_flow(data, self._settings.s, self._far_stopped)
        self._terminal.put(data)
        return len(data)
