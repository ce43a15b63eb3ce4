"""A line editor for messages: works on every terminal and at every rate."""

from dataclasses import dataclass, field

from ansam.answer.bbs.screen import Colour, wrap
from ansam.answer.bbs.steps import Steps
from ansam.answer.bbs.talk import Talk

LINES_MAX = 150
WIDTH_MAX = 76
QUOTE = "> "
HELP = (
    "/S  save            /A  abandon",
    "/L  list            /Q  quote what you answer",
    "/E 3  line 3 anew   /D 3  delete line 3",
    "/I 3  insert before line 3",
)


@dataclass(slots=True)
class Editor:
    """One message being written.

    Attributes:
        talk: The dialogue.
        quoted: What it answers, in lines.
        lines: What stands there.
    """

    talk: Talk
    quoted: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)

    def write(self) -> Steps[str | None]:
        """Let the caller write; return the text, or None where it was abandoned."""
        self.talk.say(f"Write your text, up to {LINES_MAX} lines. A line /S saves, /A abandons, /? helps.")
        given = ""
        while True:
            line, given = yield from self._line(given)
            if line[:1] != "/" or given:
                self._add(line)
                continue
            word, _, rest = line[1:].partition(" ")
            word = word.upper()
            if word == "S" and any(self.lines):
                return "\n".join(self.lines)
            if word == "A" and (not self.lines or (yield from self.talk.confirm("Abandon it?", False))):
                return None
            yield from self._command(word, rest)

    def _line(self, given: str) -> Steps[tuple[str, str]]:
        self.talk.put(f"{len(self.lines) + 1:>3}: ", Colour.KEY)
        return (yield from self.talk.entry(self._width, given=given, wraps=True))

    @property
    def _width(self) -> int:
        return min(WIDTH_MAX, self.talk.screen.look.columns - 6)

    def _add(self, line: str) -> None:
        if len(self.lines) >= LINES_MAX:
            self.talk.say("There is no room for more: /S saves.")
        else:
            self.lines.append(line)

    def _command(self, word: str, rest: str) -> Steps[None]:
        if word == "L":
            yield from self.talk.page(f"{n:>3}: {line}" for n, line in enumerate(self.lines, 1))
        elif word == "Q":
            for line in self.quoted:
                for part in wrap(line, self._width - len(QUOTE)):
                    self._add(QUOTE + part)
            yield from self.talk.page(f"{n:>3}: {line}" for n, line in enumerate(self.lines, 1))
        elif word in ("E", "D", "I"):
            yield from self._change(word, rest)
        elif word == "S":
            self.talk.say("There is nothing to save yet.")
        elif word != "A":
            for line in HELP:
                self.talk.say(line)

    def _change(self, word: str, rest: str) -> Steps[None]:
        number = int(rest) if rest.isascii() and rest.isdigit() else 0
        if not 1 <= number <= len(self.lines):
            self.talk.say(f"Which line? 1 to {len(self.lines)}.")
            return
        if word == "D":
            del self.lines[number - 1]
            return
        if word == "I":
            if len(self.lines) >= LINES_MAX:
                return
            self.lines.insert(number - 1, "")
        self.talk.put(f"{number:>3}: ", Colour.KEY)
        self.lines[number - 1], _ = yield from self.talk.entry(self._width, given=self.lines[number - 1])
