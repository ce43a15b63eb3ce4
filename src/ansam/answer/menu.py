"""The built-in menu: who, time, files to read, chat, log off.

A pure text engine below `Session`: octets in, octets out, pulled as the line takes them.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from enum import Enum

from ansam.answer.house import House, Seat
from ansam.answer.lines import EndOfInput, Interrupt, Line, LineEditor
from ansam.answer.paper import Paper
from ansam.answer.shelf import Shelf
from ansam.units import Seconds

PROMPT = b"\r\nCommand: "
MORE = b"-- more: Enter, or q --"
PAGE = 22
"""Lines of a page on a screen of 24."""

AHEAD_LIMIT = 1024
"""Octets typed ahead while a file is sent."""

HELP = (
    "  who          who is logged in",
    "  time         the time here, and how long you are on",
    "  files        what there is to read",
    "  read NAME    read a file (Ctrl-C stops it)",
    "  paging off   read without stopping at every screenful (on: stop)",
    "  chat         talk with the others (a line with only . leaves)",
    "  bye          log off",
)


class MenuState(Enum):
    """What the next key means."""

    COMMAND = "a command is being typed"
    READING = "a file is being sent"
    MORE = "a page is full"
    CHAT = "in the chat room"
    OVER = "logged off"


def printable(data: bytes) -> str:
    """Return typed octets as text that can not steer anybody's terminal."""
    return "".join(char if char.isprintable() else "?" for char in data.decode("utf-8", "replace"))


class MenuEngine:
    """One caller at the menu.

    Args:
        seat: The caller's place in the house; the caller has entered it already.
        house: Everyone.
        shelf: Files to read.
        clock: Gives the local time.
        after_cr: Whether the last octet before the menu was a CR.
    """

    def __init__(
        self, seat: Seat, house: House, shelf: Shelf, clock: Callable[[], datetime], after_cr: bool = False
    ) -> None:
        self.state = MenuState.COMMAND
        self._seat = seat
        self._house = house
        self._shelf = shelf
        self._clock = clock
        self._editor = LineEditor(after_cr=after_cr)
        self._after_cr = after_cr
        self._paging = True
        self._paper: Paper | None = None
        self._ahead: deque[int] = deque()
        self._out = bytearray()
        self._commands: dict[str, Callable[[str, Seconds], None]] = {
            "who": self._who,
            "time": self._time,
            "files": self._files,
            "read": self._read,
            "paging": self._set_paging,
            "chat": self._chat,
            "help": self._help,
            "?": self._help,
            "bye": self._bye,
            "logoff": self._bye,
            "quit": self._bye,
            "exit": self._bye,
        }
        self._say(f"Welcome, {seat.user}. Type help for what you can do here.")
        self._out += PROMPT

    def receive(self, octet: int, now: Seconds) -> None:
        """Take one octet from the caller."""
        after_cr, self._after_cr = self._after_cr, octet == 0x0D
        if octet == 0x0A and after_cr and self.state in (MenuState.READING, MenuState.MORE):
            return
        if self.state is MenuState.READING:
            self._typed_ahead(octet)
        elif self.state is MenuState.MORE:
            self._after_page(octet)
        elif self.state is not MenuState.OVER:
            echo, done = self._editor.feed(octet)
            self._out += echo
            if isinstance(done, Line):
                self._line(done.data, now)
            elif isinstance(done, Interrupt | EndOfInput):
                self._break(isinstance(done, EndOfInput), now)

    def pull(self, now: Seconds) -> bytes:
        """Return what can be sent now, of a file the next piece; b"" when there is nothing."""
        self._show_messages()
        if not self._out and self._paper is not None and self.state is MenuState.READING:
            self._continue_reading(now)
        return self.take_replies()

    def take_replies(self) -> bytes:
        """Return what keys have caused, without going on with a file."""
        out = bytes(self._out)
        self._out.clear()
        return out

    # -- lines -----------------------------------------------------------------------------------------------

    def _line(self, data: bytes, now: Seconds) -> None:
        text = printable(data).strip()
        if self.state is MenuState.CHAT:
            self._chat_line(text)
            return
        word, _, rest = text.partition(" ")
        if word:
            command = self._commands.get(word.lower())
            if command is None:
                self._say(f"{word}: no such command; type help")
            else:
                command(rest.strip(), now)
        if self.state is MenuState.COMMAND:
            self._out += PROMPT

    def _break(self, end: bool, now: Seconds) -> None:
        if self.state is MenuState.CHAT:
            self._leave_chat()
        elif end:
            self._bye("", now)
        else:
            self._out += PROMPT

    def _say(self, text: str) -> None:
        self._out += text.encode() + b"\r\n"

    # -- commands --------------------------------------------------------------------------------------------

    def _help(self, rest: str, now: Seconds) -> None:
        for line in HELP:
            self._say(line)

    def _who(self, rest: str, now: Seconds) -> None:
        for seat in self._house:
            minutes = int(now - seat.since) // 60
            where = "  (chat)" if seat.chatting else ""
            self._say(f"{seat.user:<16} {seat.port:<10} {minutes:>4} min  {seat.connect}{where}")

    def _time(self, rest: str, now: Seconds) -> None:
        on = int(now - self._seat.since)
        self._say(f"{self._clock():%Y-%m-%d %H:%M:%S}, {on // 60}:{on % 60:02d} on line")

    def _files(self, rest: str, now: Seconds) -> None:
        entries = self._shelf.entries()
        for entry in entries:
            self._say(f"{entry.size:>9}  {entry.name}")
        if not entries:
            self._say("There is nothing to read.")

    def _read(self, rest: str, now: Seconds) -> None:
        if not rest:
            self._say("read what? `files` lists the names.")
            return
        # Only names that were listed are ever handed to the shelf, so no path can be spelled.
        if rest not in {entry.name for entry in self._shelf.entries()}:
            self._say(f"{rest}: no such file; `files` lists the names.")
            return
        self._paper = Paper(self._shelf, rest, PAGE if self._paging else 0)
        self.state = MenuState.READING

    def _set_paging(self, rest: str, now: Seconds) -> None:
        if rest.lower() in ("on", "off"):
            self._paging = rest.lower() == "on"
        self._say(f"Paging is {'on' if self._paging else 'off'}.")

    def _chat(self, rest: str, now: Seconds) -> None:
        self.state = MenuState.CHAT
        others = self._house.start_chatting(self._seat)
        names = ", ".join(f"{other.user} ({other.port})" for other in others) or "nobody else yet"
        self._say(f"Chat: {names}. A line with only . leaves.")

    def _bye(self, rest: str, now: Seconds) -> None:
        on = int(now - self._seat.since)
        self._say(f"Goodbye, {self._seat.user}. {on // 60}:{on % 60:02d} on line.")
        self.state = MenuState.OVER

    # -- reading ---------------------------------------------------------------------------------------------

    def _continue_reading(self, now: Seconds) -> None:
        assert self._paper is not None
        self._out += self._paper.pull()
        if self._paper.page_full:
            self.state = MenuState.MORE
            self._out += MORE
        elif self._paper.at_end:
            self._stop_reading(now)

    def _after_page(self, octet: int) -> None:
        assert self._paper is not None
        self._out += b"\r" + b" " * len(MORE) + b"\r"
        self.state = MenuState.READING
        if octet in b"qQ\x03":
            self._paper.at_end = True
        self._paper.next_page()

    def _typed_ahead(self, octet: int) -> None:
        if octet == 0x03 and self._paper is not None:
            self._ahead.clear()
            self._paper.at_end = True
            self._out += b"^C\r\n"
        elif len(self._ahead) < AHEAD_LIMIT:
            self._ahead.append(octet)
        else:
            self._out += b"\a"

    def _stop_reading(self, now: Seconds) -> None:
        self._paper = None
        self.state = MenuState.COMMAND
        self._out += PROMPT
        while self._ahead and self.state is not MenuState.READING:
            self.receive(self._ahead.popleft(), now)

    # -- chat ------------------------------------------------------------------------------------------------

    def _chat_line(self, text: str) -> None:
        if text == ".":
            self._leave_chat()
        elif text and not self._house.say(self._seat, text):
            self._say("(nobody is here to hear you)")

    def _leave_chat(self) -> None:
        self._house.stop_chatting(self._seat)
        self.state = MenuState.COMMAND
        self._out += PROMPT

    def _show_messages(self) -> None:
        if self.state is not MenuState.CHAT:
            self._seat.take_messages()
            return
        for message in self._seat.take_messages():
            # The line being typed is wiped, the message shown above it, and the line shown again.
            typed = self._editor.text
            self._out += b"\r" + b" " * len(typed) + b"\r" + message.encode() + b"\r\n" + typed
