"""What a dialogue can do with its caller: ask for keys and lines, show listings, have things done by io."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ansam.answer.bbs.engine import CR, Engine, nothing_heard
from ansam.answer.bbs.screen import Colour
from ansam.answer.bbs.steps import Ending, Steps, Want
from ansam.answer.events import CheckPassword, DoWork, RunCommand
from ansam.answer.visit import SessionState
from ansam.units import Seconds

_T = TypeVar("_T")

BS, DEL = 0x08, 0x7F
ERASE_KEYS = b"\x15\x18"
_MORE = dict.fromkeys(b"\r yY", "Y") | dict.fromkeys(b"nNqQ\x03", "N") | dict.fromkeys(b"cC=", "C")


class Talk(Engine):
    """One caller in a dialogue.

    Args:
        dialogue: Makes the dialogue.
        connect: Connect string without the word CONNECT.
        now: Monotonic seconds.
        idle: Seconds without a key before the call is ended (0: no limit).
    """

    def __init__(
        self, dialogue: Callable[["Talk"], Steps[str]], connect: str, now: Seconds, idle: Seconds = 0.0
    ) -> None:
        super().__init__(connect, now, idle)
        self._steps = dialogue(self)

    # -- keys and lines --------------------------------------------------------------------------------------

    def key(self, seconds: Seconds | None = None) -> Steps[int | None]:
        """Wait for a key; None when none came within some seconds."""
        self._wait_until = None if seconds is None else self.now + seconds
        self._rows = 0
        got: int | None = yield Want.KEY
        self._wait_until = None
        return got

    def listen(self, heard: Callable[[], bool], seconds: Seconds) -> Steps[None]:
        """Wait until something is heard, a key comes (which stays) or time is over."""
        self.listener = heard
        key = yield from self.key(seconds)
        self.listener = nothing_heard
        if key is not None:
            self._keys.appendleft(key)

    @property
    def has_keys(self) -> bool:
        """Whether keys wait."""
        return bool(self._keys)

    def pause(self, seconds: Seconds) -> Steps[None]:
        """Wait; keys are thrown away."""
        until = self.now + seconds
        while self.now < until:
            yield from self.key(until - self.now)

    def choose(self, prompt: str, keys: str, enter: str = "") -> Steps[str]:
        """Ask for one of some keys (capital letters, digits, signs); Enter is `enter`."""
        self.put(prompt, Colour.KEY)
        while True:
            got = yield from self.key()
            char = enter if got == CR else chr(got or 0).upper()
            if char and char in keys:
                self.say(char if char.isprintable() else "")
                return char

    def confirm(self, question: str, default: bool = True) -> Steps[bool]:
        """Ask yes or no."""
        got = yield from self.choose(
            f"{question} ({'Y/n' if default else 'y/N'}) ", "YN", "Y" if default else "N"
        )
        return got == "Y"

    def ask(self, prompt: str, limit: int = 60, hidden: bool = False) -> Steps[str]:
        """Ask for a line; ^C makes it empty."""
        self.put(prompt, Colour.KEY)
        text, _ = yield from self.entry(limit, hidden=hidden)
        return text.strip()

    def entry(
        self, limit: int, hidden: bool = False, given: str = "", wraps: bool = False
    ) -> Steps[tuple[str, str]]:
        """Take a line.

        Args:
            limit: Most characters.
            hidden: Echo dots.
            given: What stands on the line already.
            wraps: A word too long for the line ends it and goes on to the next.

        Returns:
            The line, and what the next one begins with.
        """
        typed = self.screen.encode(given)
        self._out += typed
        line = bytearray(given.encode(self._charset, "replace"))
        while True:
            key = yield from self.key()
            if key is None or key == CR:
                break
            if key == 0x03:
                line.clear()
                break
            if key in (BS, DEL):
                self._rub_out(line)
            elif key in ERASE_KEYS:
                while line:
                    self._rub_out(line)
            elif key >= 0x20 and len(line) < limit:
                line.append(key)
                self._out += b"." if hidden else self._echo(key)
            elif key >= 0x20 and wraps:
                return self._broken(line, key)
            elif key >= 0x20:
                self._out += b"\a"
        self.raw(b"\r\n")
        return self.screen.decode(bytes(line)), ""

    @property
    def _charset(self) -> str:
        return "ascii" if self.screen.petscii else self.screen.look.charset

    def _echo(self, key: int) -> bytes:
        return self.screen.encode(chr(key)) if self.screen.petscii else bytes([key])

    def _rub_out(self, line: bytearray) -> None:
        if not line:
            return
        if self.screen.look.charset == "utf-8":
            while len(line) > 1 and 0x80 <= line[-1] < 0xC0:
                line.pop()
        line.pop()
        self._out += self.screen.wipe(1)

    def _broken(self, line: bytearray, key: int) -> tuple[str, str]:
        """Break a full line at its last blank."""
        line.append(key)
        at = line.rfind(b" ")
        if key == 0x20 or at <= 0:
            at = len(line) - 1 if key != 0x20 else len(line)
            rest = bytes(line[at:])
        else:
            rest = bytes(line[at + 1 :])
            self._out += self.screen.wipe(len(rest) - 1)
        self.raw(b"\r\n")
        return self.screen.decode(bytes(line[:at])).rstrip(), self.screen.decode(rest)

    # -- listings --------------------------------------------------------------------------------------------

    def page(self, lines: Iterable[str | bytes], *, stops: bool = True) -> Steps[bool]:
        """Show lines, a screenful at a time; a key stops it.

        Args:
            lines: Text, or octets shown as they are; made as the line takes them.
            stops: Whether to stop at a full screen.

        Returns:
            Whether it came to its end.
        """
        return (yield from self._page(iter(lines), stops))

    def _page(self, lines: Iterator[str | bytes], stops: bool) -> Steps[bool]:
        self._listing, self._stopped = True, False
        for line in lines:
            yield Want.ROOM
            if self._stopped:
                return False
            if isinstance(line, bytes):
                self._out += line
            else:
                self.say(line)
            self._rows += 1
            if isinstance(line, str):
                self._rows += max(0, len(line) - 1) // self.screen.look.columns
            if stops and self._rows >= self.screen.look.rows - 1:
                self._listing = False
                answer = yield from self._more()
                if answer == "N":
                    return False
                stops = answer != "C"
                self._listing = True
        yield Want.QUIET
        self._listing = False
        return not self._stopped

    def _more(self) -> Steps[str]:
        text = "More? (Y/n/c) " if self.screen.look.columns >= 40 else "More? "
        self.put(text, Colour.KEY)
        while True:
            key = yield from self.key()
            answer = _MORE.get(key or 0, "")
            if answer:
                self._out += self.screen.wipe(len(text))
                return answer

    # -- io --------------------------------------------------------------------------------------------------

    def work(self, work: Callable[[], _T]) -> Steps[_T]:
        """Have something looked up; raises `Unavailable`."""
        self._events.append(DoWork(work))
        result: _T = yield Want.ANSWER
        return result

    def check(self, user: str, password_hash: str, password: str) -> Steps[bool]:
        """Verify a password."""
        self._events.append(CheckPassword(user, password_hash, password.encode()))
        fits: bool = yield Want.ANSWER
        return fits

    def run(self, order: RunCommand, seconds: Seconds) -> Steps[Ending]:
        """Let a command have the line for at most some seconds."""
        yield Want.QUIET
        self._events.append(order)
        self.state = SessionState.COMMAND
        self._command_until = self.now + seconds
        self._keys.clear()
        ending: Ending = yield Want.ANSWER
        return ending
