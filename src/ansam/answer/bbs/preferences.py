"""What a user may set: the screen, the protocol, the password."""

from dataclasses import replace

from ansam.answer.bbs.screen import COLUMNS_MAX, COLUMNS_MIN, COMMODORE, ROWS_MAX, ROWS_MIN, Emulation, Look
from ansam.answer.bbs.steps import Steps
from ansam.answer.bbs.transfer import PROTOCOLS
from ansam.answer.bbs.visitor import Visitor
from ansam.answer.users import Bbs, User

MENU = {
    "T": "Terminal",
    "C": "Columns",
    "R": "Rows",
    "H": "Characters",
    "P": "Protocol",
    "W": "Password",
    "Q": "Main menu",
}
CHARSETS = {"4": "cp437", "U": "utf-8", "7": "ascii"}
EMULATIONS = {"A": Emulation.ANSI, "T": Emulation.ASCII, "C": Emulation.PETSCII}


class Preferences:
    """The settings of one caller.

    Args:
        visitor: The caller.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._talk = visitor.talk

    def run(self) -> Steps[None]:
        """Serve the caller until it goes back."""
        talk, visitor = self._talk, self._visitor
        while True:
            look, account = talk.screen.look, visitor.account
            visitor.title("Your settings")
            automatic = " (found by itself)" if account.automatic else ""
            talk.say(
                f"Terminal {look.emulation.value}{automatic}, {look.columns} x {look.rows}, {look.charset}"
            )
            protocol = next((one.title for one in PROTOCOLS if one.key == account.protocol), "asked for")
            talk.say(f"Protocol {protocol}; menus {'off' if account.expert else 'on'}")
            visitor.menu(MENU, help_wanted=True)
            key = yield from visitor.prompt("Settings", "".join(MENU))
            if key == "Q":
                return
            if key == "T":
                yield from self._terminal()
            elif key == "C":
                columns = yield from self._number("Columns", COLUMNS_MIN, COLUMNS_MAX, look.columns)
                self._use(replace(look, columns=columns))
            elif key == "R":
                rows = yield from self._number("Rows", ROWS_MIN, ROWS_MAX, look.rows)
                self._use(replace(look, rows=rows))
            elif key == "H":
                chosen = yield from talk.choose("4 = code page 437, U = UTF-8, 7 = ASCII: ", "4U7")
                self._use(replace(look, charset=CHARSETS[chosen]))
            elif key == "P":
                yield from self._protocol()
            elif key == "W":
                yield from self._password()

    def _use(self, look: Look) -> None:
        self._visitor.settle(look)
        self._visitor.change(look=look)

    def _terminal(self) -> Steps[None]:
        chosen = yield from self._talk.choose(
            "A = ANSI, T = plain text, C = Commodore, F = find out: ", "ATCF"
        )
        self._visitor.change(automatic=chosen == "F")
        if chosen in EMULATIONS:
            emulation = EMULATIONS[chosen]
            look = replace(self._talk.screen.look, emulation=emulation)
            self._use(COMMODORE if emulation is Emulation.PETSCII else look)

    def _number(self, what: str, least: int, most: int, now: int) -> Steps[int]:
        answer = yield from self._talk.ask(f"{what}, {least} to {most} ({now}): ", 3)
        if answer.isascii() and answer.isdigit() and least <= int(answer) <= most:
            return int(answer)
        return now

    def _protocol(self) -> Steps[None]:
        for one in PROTOCOLS:
            self._talk.say(f" {one.key} {one.title}")
        keys = "".join(one.key for one in PROTOCOLS)
        chosen = yield from self._talk.choose("Which (Enter: ask each time): ", keys + "-", "-")
        self._visitor.change(protocol="" if chosen == "-" else chosen)

    def _password(self) -> Steps[None]:
        talk, visitor = self._talk, self._visitor
        if not visitor.account.own:
            talk.say("Your password is the sysop's to change.")
            return
        old = yield from talk.ask("Password now: ", 64, hidden=True)
        if not (yield from talk.check(visitor.name, visitor.account.password_hash, old)):
            yield from talk.pause(visitor.place.house.password_failed(visitor.name))
            talk.say("That is not right.")
            return
        new = yield from talk.ask("New password: ", 64, hidden=True)
        if len(new) < 4 or (yield from talk.ask("Once more: ", 64, hidden=True)) != new:
            talk.say("It was not changed.")
            return
        hashed = yield from talk.work(lambda: visitor.backing.board.hash(new))
        visitor.change(password_hash=hashed)
        visitor.place.users.join(User(visitor.name, hashed, Bbs()))
        talk.say("It is changed.")
