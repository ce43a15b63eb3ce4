"""Octets between the terminal and the link: how many may go, which are flow control, and the escape."""

from ansam.at.settings import Settings
from ansam.dce.terminal import TerminalSide, link_flow
from ansam.dte.escape import EscapeDetector
from ansam.dte.parity import with_parity
from ansam.link.base import CharacterLink
from ansam.units import SAMPLE_RATE, Samples

SMALL_BUFFER, LINK_FLOW_BUFFER = 128, 64
"""Octets queued for a line without error control with S13 bit 1 or S15 bit 3, and under &I5."""

S13_SMALL_BUFFER, S15_SMALL_BUFFER = 2, 8


class DataPath:
    """Moves octets both ways, and watches for `+++`.

    Args:
        settings: The modem's.
        terminal: Its terminal's side.

    Attributes:
        escaped: There is a connection, but the terminal's octets are commands.
    """

    def __init__(self, settings: Settings, terminal: TerminalSide) -> None:
        self._settings = settings
        self._terminal = terminal
        self._far_stopped = False
        self.escaped = False
        self._escape: EscapeDetector | None = None

    # -- data or commands ------------------------------------------------------------------------------------

    def go_online(self, now: Samples) -> None:
        """The terminal's octets are data from now on; S2 and S12 hold as they are now."""
        s = self._settings.s
        self.escaped = False
        # The terminal's parity is on its escape characters, too.
        character = with_parity(bytes([s[2]]), self._terminal.parity)[0] if s[2] <= 127 else None
        self._escape = EscapeDetector(character, s[12] * SAMPLE_RATE // 50)
        self._escape.start(now)

    def stop_watching(self) -> None:
        """Nothing is an escape any more: the connection is being ended."""
        self._escape = None

    def leave_line(self) -> None:
        """The connection is over."""
        self._escape = None
        self.escaped = False

    def escape_due(self) -> Samples | None:
        """Return when the escape completes if nothing more is typed, or None."""
        return self._escape.deadline() if self._escape is not None else None

    def escape_came(self, now: Samples) -> bool:
        """Return True once, when the escape is complete at `now`."""
        return self._escape is not None and self._escape.escaped(now)

    # -- octets ----------------------------------------------------------------------------------------------

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

    def send(self, link: CharacterLink, data: bytes, now: Samples) -> tuple[int, int]:
        """Give the link what it takes of the terminal's data.

        Returns:
            How much of `data` is done with, and how many octets the link got.
        """
        kept, removed = self._terminal.data(data)
        count = link.send(kept[: self.room(link)])
        if self._settings["F"] == 0:
            self._terminal.put(kept[: min(count, self._terminal.room)])
        if self._escape is not None:
            self._escape.receive(kept[:count], now)
        return self._terminal.taken(data, removed, count), count

    def deliver(self, link: CharacterLink) -> int:
        """Move received octets to the terminal, as far as it has room; return how many."""
        data = link.take_data(self._terminal.room)
        if self._terminal.link_flow:
            data, self._far_stopped = link_flow(data, self._settings.s, self._far_stopped)
        self._terminal.put(data)
        return len(data)
