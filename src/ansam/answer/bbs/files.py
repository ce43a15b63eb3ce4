"""File areas: lists, downloads, uploads. The file server is this section alone."""

import fnmatch
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ansam.answer.bbs.board import FileEntry
from ansam.answer.bbs.screen import Colour, clean, wrap
from ansam.answer.bbs.settings import FileArea
from ansam.answer.bbs.steps import Steps, Unavailable
from ansam.answer.bbs.transfer import Protocol, estimate, offered, receiving, sending
from ansam.answer.bbs.visitor import Visitor
from ansam.answer.events import RunCommand
from ansam.units import Seconds

MENU = {
    "A": "Change area",
    "L": "List files",
    "N": "New files",
    "S": "Search",
    "D": "Download",
    "U": "Upload",
    "Q": "Main menu",
}
NAME_MAX = 64
BATCH_MAX = 50
DESCRIPTION_LINES = 4
GRACE: Seconds = 600.0
"""That a transfer may take longer than the caller has time, before it is cut off."""

HELD, AT_ONCE = "held", "yes"


@dataclass(slots=True)
class Files:
    """The file section for one caller.

    Attributes:
        visitor: The caller.
        menu: Keys and what they do.
        name: In prompts.
    """

    visitor: Visitor
    menu: dict[str, str] = field(default_factory=lambda: dict(MENU))
    name: str = "Files"
    _area: int = 0

    def run(self) -> Steps[None]:
        """Serve the caller until it goes back."""
        talk, visitor = self.visitor.talk, self.visitor
        if not self._areas:
            talk.say("There are no file areas.")
            return
        menu = {
            key: text
            for key, text in self.menu.items()
            if (key != "A" or len(self._areas) > 1)
            and (key != "U" or any(a.uploads != "no" for a in self._areas))
        }
        help_wanted = False
        while True:
            visitor.title(f"{self.name}: {self._title(self._area)}")
            visitor.menu(menu, help_wanted)
            key = yield from visitor.prompt(self.name, "".join(menu))
            help_wanted = key == "?"
            if key == "Q":
                return
            if key == "A":
                yield from self._change_area()
            elif key == "L":
                yield from self.list_files()
            elif key == "N":
                yield from self.new_files()
            elif key == "S":
                yield from self._search()
            elif key == "D":
                yield from self._download()
            elif key == "U":
                yield from self._upload()

    # -- lists -----------------------------------------------------------------------------------------------

    @property
    def _areas(self) -> tuple[FileArea, ...]:
        return self.visitor.settings.files

    def _title(self, area: int) -> str:
        return self._areas[area].title or self._areas[area].name

    def _entries(self, area: int) -> Steps[list[FileEntry]]:
        return (yield from self.visitor.talk.work(lambda: self.visitor.backing.library.entries(area)))

    def _change_area(self) -> Steps[None]:
        yield from self.visitor.talk.page(
            f"{number:>3} {area.title or area.name}{'' if area.uploads == 'no' else ' (uploads)'}"
            for number, area in enumerate(self._areas, 1)
        )
        answer = yield from self.visitor.talk.ask("Number of the area: ", 3)
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(self._areas):
            self._area = int(answer) - 1

    def list_files(self) -> Steps[bool]:
        """List the area."""
        entries = yield from self._entries(self._area)
        if not entries:
            self.visitor.talk.say("It is empty.")
        return (yield from self.visitor.talk.page(self._lines(entries)))

    def new_files(self) -> Steps[None]:
        """List what has come since the call before this one, in all areas."""
        since = self.visitor.previous or 0.0
        self.visitor.talk.say(f"New since {self.visitor.moment(self.visitor.previous)}:")
        yield from self._matching(lambda entry: entry.changed >= since)

    def _search(self) -> Steps[None]:
        text = (yield from self.visitor.talk.ask("Text in names and descriptions: ", 32)).lower()
        if text:
            yield from self._matching(
                lambda entry: text in entry.name.lower() or text in "\n".join(entry.description).lower()
            )

    def _matching(self, wanted: Callable[[FileEntry], bool]) -> Steps[None]:
        found = 0
        for area in range(len(self._areas)):
            entries = [entry for entry in (yield from self._entries(area)) if wanted(entry)]
            found += len(entries)
            if entries:
                self.visitor.title(self._title(area))
                if not (yield from self.visitor.talk.page(self._lines(entries))):
                    return
        if not found:
            self.visitor.talk.say("There are none.")

    def _lines(self, entries: Sequence[FileEntry]) -> Iterator[str]:
        """Yield a list as BBSes have it: name, size, date, description; two lines each on a narrow screen."""
        columns = self.visitor.talk.screen.look.columns - 1
        for entry in entries:
            name, day = clean(entry.name), self.visitor.moment(entry.changed, short=True)
            if self.visitor.narrow:
                yield f"{name} {_size(entry.size)}"[:columns]
                indent = 2
                texts = [part for line in entry.description for part in wrap(clean(line), columns - indent)]
            else:
                head = f"{name:<13} {_size(entry.size):>7} {day}  "
                indent = len(head) if len(head) <= 40 else 34
                texts = [part for line in entry.description for part in wrap(clean(line), columns - indent)]
                if len(head) <= indent and texts:
                    head += texts.pop(0)
                yield head.rstrip()
            for text in texts:
                yield " " * indent + text

    # -- downloads -------------------------------------------------------------------------------------------

    def _protocol(self, *, upload: bool) -> Steps[Protocol | None]:
        talk = self.visitor.talk
        choices = [one for one in offered(talk.error_control) if not (upload and one.needs_error_control)]
        kept = next((one for one in choices if one.key == self.visitor.account.protocol), None)
        if kept is not None:
            return kept
        for one in choices:
            talk.put(f" {one.key}", Colour.KEY)
            talk.put(f" {one.title} ")
        talk.say()
        keys = "".join(one.key for one in choices)
        key = yield from talk.choose("Protocol (Z, Q quits): ", keys + "Q", "Z")
        return next((one for one in choices if one.key == key), None)

    def _download(self) -> Steps[None]:
        talk, visitor = self.visitor.talk, self.visitor
        entries = yield from self._entries(self._area)
        wanted = yield from self._choose_files(entries)
        if not wanted:
            return
        protocol = yield from self._protocol(upload=False)
        if protocol is None:
            return
        if not protocol.batch and len(wanted) > 1:
            talk.say(f"{protocol.title} sends one file at a time; this is the first.")
            wanted = wanted[:1]
        octets = sum(entry.size for entry in wanted)
        seconds = estimate(octets, talk.rate)
        talk.say(f"{len(wanted)} file{'s' * (len(wanted) > 1)}, {_size(octets)}, about {_time(seconds)}.")
        if seconds > talk.left:
            talk.say("You have not that much time left.")
            return
        area = self._area
        names = [entry.name for entry in wanted]
        paths = yield from talk.work(lambda: [visitor.backing.library.path(area, name) for name in names])
        here = [path for path in paths if path is not None]
        if not here:
            talk.say("It is not there any more.")
            return
        talk.say(f"Start your {protocol.title} download now (^X several times stops it).")
        order = sending(protocol, here, talk.rate, visitor.settings.run_as)
        if (yield from self._transfer(order)):
            visitor.change(downloads=visitor.account.downloads + len(here))

    def _choose_files(self, entries: list[FileEntry]) -> Steps[list[FileEntry]]:
        """Ask for names until an empty line; ``*`` and ``?`` stand for several, capitals do not count."""
        talk = self.visitor.talk
        chosen: list[FileEntry] = []
        while len(chosen) < BATCH_MAX:
            which = "Name of the file: " if not chosen else f"Another ({len(chosen)} chosen, Enter starts): "
            name = yield from talk.ask(which, NAME_MAX)
            if not name:
                break
            pattern = name.lower()
            found = [
                entry
                for entry in entries
                if fnmatch.fnmatchcase(entry.name.lower(), pattern) or entry.name.lower() == pattern
            ]
            if not found:
                talk.say(f"There is no {name}.")
            chosen += [entry for entry in found if entry not in chosen]
        return chosen[:BATCH_MAX]

    def _transfer(self, order: RunCommand) -> Steps[bool]:
        talk = self.visitor.talk
        ending = yield from talk.run(order, talk.left + GRACE)
        yield from talk.pause(1.0)
        talk.say()
        if ending.trouble:
            talk.say(f"That does not work here: {ending.trouble}.", Colour.ALARM)
            return False
        good = ending.status == 0 and ending.in_time
        talk.say("The transfer is complete." if good else "The transfer was not completed.")
        return good

    # -- uploads ---------------------------------------------------------------------------------------------

    def _upload(self) -> Steps[None]:
        talk, settings, library = self.visitor.talk, self.visitor.settings, self.visitor.backing.library
        if self._areas[self._area].uploads == "no":
            where = [index for index, area in enumerate(self._areas) if area.uploads != "no"]
            self._area = where[0]
            talk.say(f"Uploads go to {self._title(self._area)}.")
        protocol = yield from self._protocol(upload=True)
        if protocol is None:
            return
        name = ""
        if not protocol.batch:
            name = clean_name((yield from talk.ask("Name of the file: ", NAME_MAX)))
            if not name:
                return
        inbox = yield from talk.work(library.inbox)
        try:
            talk.say(f"Up to {_size(settings.upload_limit)}. Start your {protocol.title} upload now.")
            order = receiving(protocol, name, inbox, settings.upload_limit, settings.run_as)
            yield from self._transfer(order)
            received = yield from talk.work(lambda: library.received(inbox))
            for entry in received:
                yield from self._take_in(inbox, entry)
        finally:
            talk.later(lambda: library.discard(inbox))

    def _take_in(self, inbox: str, entry: FileEntry) -> Steps[None]:
        talk, visitor, area = self.visitor.talk, self.visitor, self._area
        talk.say(f"{clean(entry.name)}, {_size(entry.size)}. Describe it, up to {DESCRIPTION_LINES} lines:")
        lines: list[str] = []
        while len(lines) < DESCRIPTION_LINES:
            line = yield from talk.ask(": ", 45)
            if not line:
                break
            lines.append(line)
        lines = lines or [clean(line) for line in entry.description] or ["No description"]
        if visitor.name:
            lines.append(f"Uploaded by {visitor.name}")
        held = self._areas[area].uploads == HELD and not visitor.sysop
        library = visitor.backing.library
        try:
            name = yield from talk.work(lambda: library.accept(inbox, entry.name, area, lines, held))
        except Unavailable as error:
            talk.say(f"{error}.", Colour.ALARM)
            return
        visitor.change(uploads=visitor.account.uploads + 1)
        talk.say(f"Thank you for {name}." + (" The sysop will look at it." if held else ""))


def clean_name(name: str) -> str:
    """Return a plain file name: letters, digits and ``._-+``, no directory, no dot in front; "" for none."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(char if (char.isascii() and char.isalnum()) or char in "._-+" else "_" for char in last)
    return kept.lstrip("._-")[:NAME_MAX]


def _size(octets: int) -> str:
    if octets < 10_000:
        return f"{octets}"
    if octets < 10_000_000:
        return f"{octets / 1024:.0f}K"
    return f"{octets / 1024 / 1024:.0f}M"


def _time(seconds: Seconds) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
