"""Message areas and private mail: reading, scanning, writing."""

from ansam.answer.bbs.board import Count, Message
from ansam.answer.bbs.editor import Editor
from ansam.answer.bbs.screen import Colour, wrap
from ansam.answer.bbs.settings import MAIL, MessageArea
from ansam.answer.bbs.steps import Steps
from ansam.answer.bbs.visitor import Visitor

SUBJECT_MAX = 50
MENU = {
    "A": "Change area",
    "R": "Read new",
    "S": "Scan titles",
    "N": "New in all areas",
    "P": "Post",
    "G": "Go to number",
    "Q": "Main menu",
}
MAIL_AREA = "private mail"


class Messages:
    """The message section for one caller.

    Args:
        visitor: The caller.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._talk = visitor.talk
        self._board = visitor.backing.board
        self._areas = visitor.settings.messages
        self._area = self._areas[0].name if self._areas else MAIL

    def run(self) -> Steps[None]:
        """Serve the caller until it goes back."""
        if not self._areas:
            self._talk.say("There are no message areas.")
            return
        if self._area == MAIL:
            self._area = self._areas[0].name
        help_wanted = False
        while True:
            self._visitor.title(f"Messages: {self._title(self._area)}")
            self._visitor.menu(MENU, help_wanted)
            key = yield from self._visitor.prompt("Messages", "".join(MENU))
            help_wanted = key == "?"
            if key == "Q":
                return
            if key == "A":
                yield from self._change_area()
            elif key == "R":
                yield from self._read(self._area)
            elif key == "S":
                yield from self._scan(self._area)
            elif key == "N":
                yield from self.read_new()
            elif key == "P":
                yield from self._post(self._area)
            elif key == "G":
                yield from self._go()

    def mail(self) -> Steps[None]:
        """Serve the caller in private mail."""
        self._area = MAIL
        menu = {"R": "Read new", "S": "Scan titles", "W": "Write", "G": "Go to number", "Q": "Main menu"}
        help_wanted = False
        while True:
            self._visitor.title("Private mail")
            self._visitor.menu(menu, help_wanted)
            key = yield from self._visitor.prompt("Mail", "".join(menu))
            help_wanted = key == "?"
            if key == "Q":
                return
            if key == "R":
                yield from self._read(MAIL)
            elif key == "S":
                yield from self._scan(MAIL)
            elif key == "W":
                yield from self._write_to((yield from self._talk.ask("To whom? ", 32)))
            elif key == "G":
                yield from self._go()

    def counts(self) -> Steps[dict[str, Count]]:
        """Return what there is in each area, and in mail."""
        names = [area.name for area in self._areas] + [MAIL]
        return (yield from self._talk.work(lambda: self._board.counts(names, self._visitor.name)))

    def read_new(self) -> Steps[None]:
        """Read what is new, area by area."""
        counts = yield from self.counts()
        news = [name for name, count in counts.items() if count.new]
        if not news:
            self._talk.say("There are no new messages.")
        for name in news:
            self._visitor.title(f"{self._title(name)}: {counts[name].new} new")
            if not (yield from self._read(name)):
                return

    # -- areas -----------------------------------------------------------------------------------------------

    def _title(self, name: str) -> str:
        area = self._find(name)
        return (area.title or area.name) if area else MAIL_AREA

    def _find(self, name: str) -> MessageArea | None:
        return next((area for area in self._areas if area.name == name), None)

    def _change_area(self) -> Steps[None]:
        counts = yield from self.counts()
        yield from self._talk.page(
            f"{number:>3} {area.title or area.name}: {counts[area.name].total}, {counts[area.name].new} new"
            for number, area in enumerate(self._areas, 1)
        )
        answer = yield from self._talk.ask("Number of the area: ", 16)
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(self._areas):
            self._area = self._areas[int(answer) - 1].name

    def _scan(self, area: str) -> Steps[None]:
        name = self._visitor.name
        first = yield from self._talk.ask("From number (Enter: new ones): ", 9)
        if first.isascii() and first.isdigit():
            after = int(first) - 1
        else:
            after = (yield from self.counts())[area].mark
        headers = yield from self._talk.work(lambda: self._board.headers(area, name, after))
        if not headers:
            self._talk.say("There are none.")
        yield from self._talk.page(self._header_line(header) for header in headers)

    def _header_line(self, message: Message) -> str:
        columns = self._talk.screen.look.columns - 1
        if self._visitor.narrow:
            return f"{message.number:>5} {message.author[:10]:<10} {message.subject}"[:columns]
        to = message.recipient or "all"
        when = self._visitor.moment(message.posted, short=True)
        return f"{message.number:>6} {when} {message.author[:16]:<16} {to[:16]:<16} {message.subject}"[
            :columns
        ]

    # -- reading ---------------------------------------------------------------------------------------------

    def _go(self) -> Steps[None]:
        answer = yield from self._talk.ask("Number of the message: ", 9)
        if answer.isascii() and answer.isdigit():
            yield from self._read(self._area, int(answer) - 1)

    def _read(self, area: str, after: int | None = None) -> Steps[bool]:
        """Read on behind a number, or behind the caller's mark; return False to stop."""
        if after is None:
            after = (yield from self.counts())[area].mark
        message = yield from self._next(area, after, forward=True)
        if message is None:
            self._talk.say("There are no more messages.")
        while message is not None:
            yield from self._show(message)
            number = message.number
            self._talk.later(lambda number=number: self._board.mark(area, self._visitor.name, number))  # type: ignore[misc]
            message = yield from self._after(area, message)
            if message is not None and message.number == 0:
                return False
        return True

    def _after(self, area: str, message: Message) -> Steps[Message | None]:
        """Ask what to do with a message; return the next to show, None behind the last, number 0 to stop."""
        mine = message.author.lower() == self._visitor.name.lower()
        removable = mine or self._visitor.sysop or area == MAIL
        keys = "NPRAQ" + ("D" if removable else "")
        text = "Next, Prev, Reply, Again, Quit" + (", Del" if removable else "")
        while True:
            key = yield from self._talk.choose(f"{text} (N): ", keys + "?", "N")
            if key == "N":
                following = yield from self._next(area, message.number, forward=True)
                if following is None:
                    self._talk.say("That was the last one.")
                return following
            if key == "P":
                before = yield from self._next(area, message.number, forward=False)
                if before is not None:
                    return before
                self._talk.say("There is none before it.")
            elif key == "A":
                return message
            elif key == "Q":
                return Message(area, "", "", "", "")
            elif key == "R":
                yield from self._reply(message)
            elif key == "D" and (yield from self._talk.confirm("Delete it?", default=False)):
                yield from self._talk.work(lambda: self._board.delete(area, message.number))
                return (yield from self._next(area, message.number, forward=True))

    def _next(self, area: str, number: int, forward: bool) -> Steps[Message | None]:
        name = self._visitor.name
        return (yield from self._talk.work(lambda: self._board.neighbour(area, name, number, forward)))

    def _show(self, message: Message) -> Steps[bool]:
        talk, columns = self._talk, self._talk.screen.look.columns - 1
        talk.say()
        answers = f" (answers {message.reply_to})" if message.reply_to else ""
        for label, text in (
            ("No.", f"{message.number}{answers}  {self._visitor.moment(message.posted)}"),
            ("From", message.author),
            ("To", message.recipient or "all"),
            ("Subj", message.subject),
        ):
            talk.put(f"{label:<5}", Colour.KEY)
            talk.say(text[: columns - 5])
        talk.say()
        lines = (part for line in message.body.split("\n") for part in wrap(line, columns))
        return (yield from talk.page(lines))

    # -- writing ---------------------------------------------------------------------------------------------

    def _post(self, area: str) -> Steps[None]:
        found = self._find(area)
        if found is not None and found.sysop_only and not self._visitor.sysop:
            self._talk.say("Only the sysop posts here.")
            return
        recipient = yield from self._talk.ask("To (Enter: all): ", 32)
        subject = yield from self._talk.ask("Subject: ", SUBJECT_MAX)
        if subject:
            yield from self._compose(Message(area, self._visitor.name, recipient, subject, ""))

    def _write_to(self, name: str) -> Steps[None]:
        """Write private mail to somebody who exists."""
        name = "_".join(name.split())
        if not name:
            return
        known = self._visitor.place.users.find_any_case(name)
        account = yield from self._talk.work(lambda: self._board.account(name))
        if known is None and account is None:
            self._talk.say(f"{name} is not known here.")
            return
        subject = yield from self._talk.ask("Subject: ", SUBJECT_MAX)
        if subject:
            to = known.name if known else account.name if account else name
            yield from self._compose(Message(MAIL, self._visitor.name, to, subject, ""))

    def _reply(self, message: Message) -> Steps[None]:
        found = self._find(message.area)
        area = message.area
        if found is not None and found.sysop_only and not self._visitor.sysop:
            area = MAIL
        mine = message.author.lower() == self._visitor.name.lower()
        to = message.recipient if mine and area == MAIL else message.author
        subject = message.subject if message.subject.startswith("Re: ") else f"Re: {message.subject}"
        draft = Message(area, self._visitor.name, to, subject[:SUBJECT_MAX], "", reply_to=message.number)
        yield from self._compose(draft, tuple(message.body.split("\n")))

    def _compose(self, draft: Message, quoted: tuple[str, ...] = ()) -> Steps[None]:
        body = yield from Editor(self._talk, quoted).write()
        if body is None:
            self._talk.say("Nothing was saved.")
            return
        now = self._visitor.now()
        message = Message(
            *(draft.area, draft.author, draft.recipient, draft.subject, body),
            posted=now,
            reply_to=draft.reply_to,
        )
        number = yield from self._talk.work(lambda: self._board.post(message))
        self._talk.say(f"Saved as number {number}.")
