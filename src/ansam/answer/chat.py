r"""Chat scripts as mgetty.config writes them: expect, send, expect, send, and so on.

A word may stand in double quotes (``""`` is "expect nothing"), ``\n``, ``\r``, ``\"`` and ``\\`` are what
they are in C; in what is sent ``\d`` waits half a second and ``\c`` at any place leaves the final CR out. Any
other escape stands for its own letter. What is expected may come anywhere in what the modem says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ansam.units import Seconds

DELAY: Seconds = 0.5
r"""What one ``\d`` waits."""

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"?|(\S+)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r"}


@dataclass(frozen=True, slots=True)
class ChatStep:
    """One exchange.

    Attributes:
        send: Octets, each run after a wait in seconds.
        expect: What must come after that; empty for nothing.
        shown: What is sent, for a person.
    """

    send: tuple[tuple[Seconds, bytes], ...]
    expect: bytes
    shown: str = ""


def parse_chat(text: str) -> tuple[ChatStep, ...]:
    """Return the steps of a chat script.

    Args:
        text: As it stands in the file, beginning with what is expected.

    Returns:
        Steps; one that only expects, or only sends, has the other half empty.
    """
    words = [match[1] if match[2] is None else match[2] for match in _WORD.finditer(text)]
    steps = []
    if words and words[0]:
        steps.append(ChatStep((), _expected(words[0])))
    for at in range(1, len(words), 2):
        expect = _expected(words[at + 1]) if at + 1 < len(words) else b""
        steps.append(ChatStep(_sent(words[at]), expect, words[at]))
    return tuple(steps)


def command_steps(commands: Sequence[str]) -> tuple[ChatStep, ...]:
    """Return the script that sends commands one by one and wants OK for each."""
    return tuple(ChatStep(((0.0, command.encode() + b"\r"),), b"OK", command) for command in commands)


def _expected(word: str) -> bytes:
    return _ESCAPE.sub(lambda escape: _PLAIN.get(escape[1], escape[1]), word).encode()


def _sent(word: str) -> tuple[tuple[Seconds, bytes], ...]:
    pieces: list[tuple[Seconds, bytes]] = []
    wait, run, end = 0.0, "", "\r"
    for match in re.finditer(r"\\(.)|(.)", word, re.DOTALL):
        if match[1] == "d":
            if run:
                pieces.append((wait, run.encode()))
                wait, run = 0.0, ""
            wait += DELAY
        elif match[1] == "c":
            end = ""
        else:
            run += _PLAIN.get(match[1], match[1]) if match[1] else match[2]
    if run + end or wait:
        pieces.append((wait, (run + end).encode()))
    return tuple(pieces)


class ChatState(Enum):
    """How far a script has come."""

    RUNNING = "running"
    DONE = "everything was said and answered"
    LATE = "the answer did not come in time"


class Chat:
    """Runs one script.

    Args:
        steps: What to say and to hear.
        timeout: Seconds to wait for each answer.
        now: Monotonic seconds.
    """

    def __init__(self, steps: Sequence[ChatStep], timeout: Seconds, now: Seconds) -> None:
        self.state = ChatState.RUNNING
        self._steps = tuple(steps)
        self._timeout = timeout
        self._at = -1
        self._pieces: list[tuple[Seconds, bytes]] = []
        self._heard = bytearray()
        self._out = bytearray()
        self._due: Seconds | None = None
        self._next_step(now)

    @property
    def shown(self) -> str:
        """What was said last, for a person."""
        return self._steps[min(self._at, len(self._steps) - 1)].shown if self._steps else ""

    def take_output(self) -> bytes:
        """Return octets for the modem."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` wants to be called, or None."""
        return self._due

    def feed(self, octet: int, now: Seconds) -> None:
        """Take one octet from the modem; one that comes while something is being said is not an answer."""
        if self.state is not ChatState.RUNNING or self._pieces:
            return
        self._heard.append(octet)
        expect = self._steps[self._at].expect
        if self._heard.endswith(expect):
            self._next_step(now)
        elif len(self._heard) > len(expect):
            del self._heard[0]

    def handle_timer(self, now: Seconds) -> None:
        """Say what is due, or find that the answer is late; calling early is harmless."""
        if self._due is None or now < self._due:
            return
        self._due = None
        if self._pieces:
            self._out += self._pieces.pop(0)[1]
            self._go_on(now)
        else:
            self.state = ChatState.LATE

    def _next_step(self, now: Seconds) -> None:
        self._at += 1
        self._heard.clear()
        if self._at >= len(self._steps):
            self.state = ChatState.DONE
            self._due = None
            return
        self._pieces = list(self._steps[self._at].send)
        self._go_on(now)

    def _go_on(self, now: Seconds) -> None:
        while self._pieces and not self._pieces[0][0]:
            self._out += self._pieces.pop(0)[1]
        if self._pieces:
            self._due = now + self._pieces[0][0]
        elif self._steps[self._at].expect:
            self._due = now + self._timeout
        else:
            self._next_step(now)
