"""Doors: programs that callers run, and the drop files that tell them who it is.

DOOR.SYS is GAP's (52 lines), DORINFO1.DEF RBBS-PC's and QuickBBS's (13 lines), DOOR32.SYS of revision 1
(11 lines). Lines end with CR LF, as DOS has them. A door of ours talks on standard input and output; the drop
files therefore name no COM port (0, local), and DOOR32.SYS the type "local".
"""

from dataclasses import dataclass
from datetime import datetime

from ansam.answer.bbs.screen import Colour, Emulation
from ansam.answer.bbs.settings import Door
from ansam.answer.bbs.steps import Ending, Steps
from ansam.answer.bbs.visitor import Visitor
from ansam.answer.events import RunCommand
from ansam.units import Seconds

SYSOP_LEVEL, USER_LEVEL = 255, 10
DATE = "%m/%d/%y"


@dataclass(frozen=True, slots=True)
class DropFacts:
    """What drop files tell.

    Attributes:
        user: Login name.
        board: Name of the board.
        sysop: Its operator.
        level: Security level.
        minutes: Left.
        node: From 1.
        rate: bit/s.
        ansi: Whether colours work.
        rows: Lines of the screen.
        calls: How many the user has made.
        uploads: Files given.
        downloads: Files taken.
        previous: The call before this one.
        began: When the user logged on.
        error_control: Whether the line corrects errors.
    """

    user: str
    board: str
    sysop: str
    level: int
    minutes: int
    node: int
    rate: int
    ansi: bool
    rows: int
    calls: int
    uploads: int
    downloads: int
    previous: datetime
    began: datetime
    error_control: bool


def _file(lines: list[object]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("cp437", "replace")


def door_sys(facts: DropFacts) -> bytes:
    """Return DOOR.SYS as GAP writes it."""
    yes, no = "Y", "N"
    return _file(
        [
            *("COM0:", facts.rate, 8, facts.node, facts.rate, yes, no, yes, yes),
            *(facts.user, "", "", "", "", facts.level, facts.calls, f"{facts.previous:{DATE}}"),
            *(facts.minutes * 60, facts.minutes, "GR" if facts.ansi else "NG", facts.rows, no),
            *("", "", "12/31/99", facts.node, "Z", facts.uploads, facts.downloads, 0, 9999),
            *("01/01/80", "", "", facts.sysop, facts.user, "00:00", yes if facts.error_control else no),
            *(yes if facts.ansi else no, yes, 7, 0, f"{facts.previous:{DATE}}", f"{facts.began:%H:%M}"),
            *(f"{facts.previous:%H:%M}", 9999, facts.downloads, 0, 0, "", 0, 0),
        ]
    )


def dorinfo(facts: DropFacts) -> bytes:
    """Return DORINFO1.DEF."""
    sysop_first, _, sysop_last = facts.sysop.partition(" ")
    first, _, last = facts.user.partition("_")
    return _file(
        [
            *(facts.board, sysop_first, sysop_last, "COM0", f"{facts.rate} BAUD,N,8,1", 0),
            *(first, last, "", 1 if facts.ansi else 0, facts.level, facts.minutes, -1),
        ]
    )


def door32(facts: DropFacts) -> bytes:
    """Return DOOR32.SYS."""
    return _file(
        [
            *(0, 0, facts.rate, "ansam", 1, facts.user, facts.user, facts.level, facts.minutes),
            *(1 if facts.ansi else 0, facts.node),
        ]
    )


class Doors:
    """The doors for one caller.

    Args:
        visitor: The caller.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._talk = visitor.talk

    def run(self) -> Steps[None]:
        """Let the caller choose a door, and open it."""
        doors = self._visitor.settings.doors
        if not doors:
            self._talk.say("There are no doors.")
            return
        self._visitor.title("Doors")
        yield from self._talk.page(f"{n:>3} {door.title or door.name}" for n, door in enumerate(doors, 1))
        answer = yield from self._talk.ask("Number of the door: ", 16)
        named = next((door for door in doors if door.name.lower() == answer.lower()), None)
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(doors):
            named = doors[int(answer) - 1]
        if named is not None:
            yield from self._open(named)

    def _open(self, door: Door) -> Steps[None]:
        talk, library = self._talk, self._visitor.backing.library
        seconds = min(talk.left, door.minutes * 60.0) if door.minutes else talk.left
        facts = self._facts(seconds)
        files = {"DOOR.SYS": door_sys(facts), "DORINFO1.DEF": dorinfo(facts), "DOOR32.SYS": door32(facts)}
        run_as = door.run_as or self._visitor.settings.run_as
        node = yield from talk.work(lambda: library.node(files, run_as))
        try:
            talk.say(f"Opening {door.title or door.name} ...")
            ending: Ending = yield from talk.run(self._order(door, node, facts, run_as), seconds)
        finally:
            talk.later(lambda: library.discard(node))
        talk.raw(b"\x1b[0m" if talk.screen.ansi else b"")
        talk.say()
        if ending.trouble:
            talk.say("That door is stuck.", Colour.ALARM)
        elif not ending.in_time:
            talk.say("Time is up for that door.", Colour.ALARM)
        talk.say(f"Back at {self._visitor.settings.name}.")

    def _order(self, door: Door, node: str, facts: DropFacts, run_as: str) -> RunCommand:
        words = {"%D": node, "%N": str(facts.node), "%U": facts.user, "%T": str(facts.minutes)}
        look = self._talk.screen.look
        environment = {
            "TERM": "ansi" if self._talk.screen.ansi else "dumb",
            "COLUMNS": str(look.columns),
            "LINES": str(look.rows),
            "USER": facts.user,
            "LOGNAME": facts.user,
            "CALLER_ID": self._visitor.caller_id,
            "CONNECT": self._talk.connect,
            "SPEED": str(facts.rate),
            "NODE": str(facts.node),
            "MINUTES": str(facts.minutes),
            "DROP": node,
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
        }
        argv = tuple(words.get(word, word) for word in door.command)
        return RunCommand(argv, environment, run_as, door.directory or node)

    def _facts(self, seconds: Seconds) -> DropFacts:
        visitor, talk = self._visitor, self._talk
        moment = visitor.place.clock()
        previous = datetime.fromtimestamp(visitor.previous, moment.tzinfo) if visitor.previous else moment
        return DropFacts(
            user=visitor.name,
            board=visitor.settings.name,
            sysop=visitor.settings.sysop,
            level=SYSOP_LEVEL if visitor.sysop else USER_LEVEL,
            minutes=int(seconds // 60),
            node=visitor.node,
            rate=talk.rate,
            ansi=talk.screen.look.emulation is Emulation.ANSI,
            rows=talk.screen.look.rows,
            calls=visitor.account.calls,
            uploads=visitor.account.uploads,
            downloads=visitor.account.downloads,
            previous=previous,
            began=moment,
            error_control=talk.error_control,
        )
