"""Execution of one command after another: what each does to the settings, shows, or asks of the modem.

Commands are rows of the personality's table. One that only holds a number is done with when the number is
taken; one with more to it has an `Action`, whose method is found in `_METHODS`. A command that has to wait
for the line (A, D, O) ends the run; the interpreter takes it up again when the modem has finished.
"""

from dataclasses import dataclass

from ansam.at import screens
from ansam.at.actions import Action, AnswerCall, GoOnline, HangUp, OffHook
from ansam.at.capabilities import Capabilities
from ansam.at.dial import parse_dial
from ansam.at.extended import execute_extended
from ansam.at.grammar import (
    Basic,
    Command,
    CommandRefused,
    DialString,
    Extended,
    Help,
    SRegister,
    StoredNumber,
    Text,
    next_command,
)
from ansam.at.nvram import Nvram
from ansam.at.personality import Action as Kind
from ansam.at.personality import Parameter
from ansam.at.settings import Settings

DURATION, LINK, SIGNAL = 3, 6, 11
"""What the modem around is asked for: `Capabilities.report`."""

ACCOUNTS = 10
"""Accounts of dial security (%An=)."""

ERASED = {
    1: ("%L0",),
    2: ("%V0",),
    **{choice: tuple(f"%A{n}" for n in range(ACCOUNTS)) for choice in (3, 4, 5)},
}
"""What %E=n erases. `Deviation:` a real one erases single fields of the accounts with 3 to 5."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The line waits for the modem.

    Attributes:
        action: What the modem does.
        rest: Where the line goes on after it, or None where it ends with the action.
        repeat_on_busy: ``>`` stood in the dial string.
    """

    action: Action
    rest: int | None = None
    repeat_on_busy: bool = False


class Executor:
    """Settings, memory and the commands on them.

    Args:
        settings: The modem's; changed in place.
        capabilities: What the modem offers.
        nvram: Profiles and numbers.

    Attributes:
        texts: Information texts to show, each a list of lines; drained by the interpreter.
        actions: What the modem has to do at once (hang up); drained by the interpreter.
        off_hook: H1 was given last, not H0 (for the settings screen).
    """

    def __init__(self, settings: Settings, capabilities: Capabilities, nvram: Nvram) -> None:
        self._settings = settings
        self._capabilities = capabilities
        self._nvram = nvram
        self._last_dialled = ""
        self._pointer = 0
        self.texts: list[list[str]] = []
        self.actions: list[Action] = []
        self.off_hook = False

    def execute_next(self, line: str, position: int) -> int | Wait:
        """Execute the command at `position`; return where the next one begins, or what to wait for.

        Raises:
            CommandRefused: The command is unknown or can not be obeyed.
        """
        command, after = next_command(line, position, self._settings.personality)
        if isinstance(command, DialString):
            wait = self._dial(command, after if after < len(line) else None)
            return after if wait is None else wait
        self._execute(command)
        if isinstance(command, Basic):
            # V.250 (07/2003) §6.3.5 and §6.3.7: what follows on the line is ignored.
            kind = self._settings.personality.commands[command.name].action
            if kind is Kind.ANSWER:
                return Wait(AnswerCall())
            if kind is Kind.ONLINE:
                return Wait(GoOnline(retrain=command.value == 1))
        return after

    def _execute(self, command: Command) -> None:
        match command:
            case Help(topic):
                self._help(topic)
            case SRegister():
                self._register(command)
            case StoredNumber():
                self._stored_number(command)
            case Text():
                self._text(command)
            case Extended():
                text = execute_extended(command, self._settings, self._capabilities)
                if text is not None:
                    self.texts.append([text])
            case Basic():
                row = self._row(command)
                if row.action is not None:
                    _METHODS[row.action](self, command)
                else:
                    self._parameter(command, row)

    def _row(self, command: Basic) -> Parameter:
        """Return the row of a command; one with a key that means something else takes only its values."""
        row = self._settings.personality.commands.get(command.name)
        special = row is not None and row.action is Kind.DIAGNOSTICS
        if row is None or (command.value not in row.allowed and not special):
            raise CommandRefused(f"{command.name}{command.value} is not known")
        return row

    def _help(self, topic: str) -> None:
        if topic not in self._settings.personality.helps:
            raise CommandRefused(f"{topic}$ is not known")
        self.texts.append(screens.help_screen(topic, self._settings.personality))

    def _parameter(self, command: Basic, row: Parameter) -> None:
        if row.key in ("&N", "&U"):
            self._check_rate(row.key, command.value)
        if row.key == "&M" and command.value == 5 and not self._capabilities.error_control:
            raise CommandRefused("&M5: there is no error control")
        if row.sets.get(command.value, {}).get("&M") == 5 and not self._capabilities.error_control:
            raise CommandRefused(f"{command.name}{command.value}: there is no error control")
        if row.kept is None or command.value in row.kept:
            self._settings[row.key] = command.value
        for key, value in row.sets.get(command.value, {}).items():
            self._settings[key] = value

    def _check_rate(self, key: str, value: int) -> None:
        """Refuse a rate that no modulation has, and a floor above the ceiling."""
        rate = self._settings.rate_of(value)
        if value and rate not in self._capabilities.rates:
            raise CommandRefused(f"{key}{value}: no modulation offers {rate} bit/s")
        other = self._settings.rate_of(self._settings["&U" if key == "&N" else "&N"])
        ceiling, floor = (rate, other) if key == "&N" else (other, rate)
        if ceiling and floor > ceiling:
            raise CommandRefused(f"&U ({floor} bit/s) may not exceed &N ({ceiling} bit/s)")

    def _dial(self, command: DialString, rest: int | None) -> Wait | None:
        if command.text.upper() == "L?" and "L" in self._settings.personality.dial:
            self.texts.append([self._last_dialled])
            return None
        last, number = self._last_dialled, self._nvram.number
        request = parse_dial(command.text, command.semicolon, self._settings, last, number)
        if request.pulse is not None:
            self._settings.pulse = request.pulse
        self._last_dialled = request.entry
        self.off_hook = False
        return Wait(request.action, rest, request.repeat)

    def _register(self, command: SRegister) -> None:
        s, bit = self._settings.s, command.bit
        number = self._pointer if command.register is None else command.register
        if number not in s:
            raise CommandRefused(f"there is no S{number}")
        self._pointer = number
        if command.choose:
            return
        if bit is not None and bit > 7:
            raise CommandRefused(f"S{number}.{bit}: bits are 0 to 7")
        if command.value is None:
            self.texts.append([f"{s[number]:03}" if bit is None else str(s[number] >> bit & 1)])
            return
        value = command.value
        if bit is not None:
            if value > 1:
                raise CommandRefused(f"S{number}.{bit}={value}: a bit is 0 or 1")
            value = (s[number] & ~(1 << bit)) | value << bit
        if not s.accepts(number, value):
            raise CommandRefused(f"S{number}={value} is out of range")
        s[number] = value

    def _stored_number(self, command: StoredNumber) -> None:
        if command.index is None:
            if command.text is None:
                self.texts.append([self._last_dialled])
            else:
                parse_dial(command.text, False, self._settings, "", self._nvram.number)
                self._last_dialled = command.text
            return
        if command.index >= self._settings.personality.stored_numbers:
            raise CommandRefused(f"&Z{command.index}: there is no such place")
        if command.text is None:
            self.texts.append([self._nvram.number(command.index)])
            return
        text = self._last_dialled if command.text.upper() == "L" else command.text
        if text.upper().startswith(("L", "S")):
            raise CommandRefused(f"&Z{command.index}: {text} refers to another number")
        parse_dial(text, False, self._settings, "", self._nvram.number)
        self._nvram.write_number(command.index, text)

    def _text(self, command: Text) -> None:
        row = self._settings.personality.texts[command.name]
        if command.index >= row.count:
            raise CommandRefused(f"{command.name}{command.index}: there is no such place")
        name = f"{command.name}{command.index}"
        if command.name == "%S":
            if command.text is None or command.text != self._nvram.text("%L0"):
                raise CommandRefused("%S: that is not the local password")
        elif command.text is None:
            self.texts.append([self._nvram.text(name)])
        elif len(command.text) > row.limit:
            raise CommandRefused(f"{name}: more than {row.limit} characters")
        else:
            self._nvram.write_texts({name: command.text})

    def _erase(self, command: Basic) -> None:
        self._nvram.write_texts(dict.fromkeys(ERASED[command.value], ""))

    def _nothing(self, command: Basic) -> None:
        """A and O wait; see `execute_next`."""

    def _hook(self, command: Basic) -> None:
        self.off_hook = command.value == 1
        self.actions.append(OffHook() if self.off_hook else HangUp())

    def _information(self, command: Basic) -> None:
        entry = self._settings.personality.information.get(command.value)
        if entry is None:
            raise CommandRefused(f"I{command.value} has nothing to show")
        if isinstance(entry, str):
            self.texts.append(self._screen(entry))
        else:
            self.texts.append(screens.filled(entry, self._settings.personality, self._capabilities))

    def _screen(self, name: str) -> list[str]:
        """Return the lines of a screen that personality files name."""
        personality, capabilities = self._settings.personality, self._capabilities
        match name:
            case "checksum":
                return [screens.checksum(personality, capabilities)]
            case "settings":
                return screens.settings_screen(self._settings, self._nvram, self._last_dialled, self.off_hook)
            case "nvram":
                return screens.nvram_screen(self._nvram, personality)
            case "configuration":
                return screens.configuration_screen(personality, capabilities)
            case "security":
                return screens.security_screen(self._nvram, personality)
            case "switches":
                return screens.switches_screen(self._settings)
            case "writes":
                return screens.writes_screen(self._nvram)
            case _:
                return _PLAIN_SCREENS[name]() if name in _PLAIN_SCREENS else self._report(name)

    def _report(self, name: str) -> list[str]:
        """Return a screen that the modem around makes; its title names the make."""
        if name == "response":
            text = self._capabilities.response()
        else:
            text = self._capabilities.report({"duration": DURATION, "link": LINK, "signal": SIGNAL}[name])
        if text is None:
            raise CommandRefused(f"the {name} of a line is not known")
        lines = text.splitlines()
        if lines and lines[0].startswith("Link Diagnostics"):
            lines[0] = f"{self._settings.personality.title} {lines[0]}"
        return lines

    def _diagnostics(self, command: Basic) -> None:
        """Y0 to Y4 choose what Z loads; above them are screens (US Robotics keeps its diagnostics there)."""
        personality = self._settings.personality
        row = personality.commands[command.name]
        if command.value in row.allowed:
            self._parameter(command, row)
        elif command.value in personality.diagnostics:
            self.texts.append(self._screen(personality.diagnostics[command.value]))
        else:
            raise CommandRefused(f"{command.name}{command.value} is not known")

    def _view(self, command: Basic) -> None:
        self.texts.append(self._screen("settings"))

    def _tone(self, command: Basic) -> None:
        self._settings.pulse = False

    def _pulse(self, command: Basic) -> None:
        self._settings.pulse = True

    def restore(self, choice: int | None = None) -> None:
        """Load the settings of a reset.

        Args:
            choice: As Y counts: the stored profiles first, then the factory templates; None is what Y says.
        """
        choice = self._settings["Y"] if choice is None else choice
        profiles = self._settings.personality.profiles
        if choice < profiles:
            self._settings.assign(self._nvram.profile(choice))
        else:
            self._settings.assign(Settings(self._settings.personality, choice - profiles))
        self.off_hook = False

    def _reset(self, command: Basic) -> None:
        """ATZ: hang up and load what the personality's table says."""
        what = self._settings.personality.resets[command.value]
        profiles = self._settings.personality.profiles
        self.restore(None if what == "Y" else int(what[1:]) + (profiles if what[0] == "F" else 0))
        self.actions.append(HangUp())

    def _factory(self, command: Basic) -> None:
        templates = self._settings.personality.templates
        self._settings.assign(Settings(self._settings.personality, min(command.value, len(templates) - 1)))

    def _write(self, command: Basic) -> None:
        self._nvram.write_profile(command.value, self._settings)


_PLAIN_SCREENS = {
    "words": screens.words_screen,
    "list": screens.list_screen,
    "grid": screens.grid_screen,
}

_METHODS = {
    Kind.ANSWER: Executor._nothing,
    Kind.ONLINE: Executor._nothing,
    Kind.HOOK: Executor._hook,
    Kind.INFORMATION: Executor._information,
    Kind.PULSE: Executor._pulse,
    Kind.TONE: Executor._tone,
    Kind.DIAGNOSTICS: Executor._diagnostics,
    Kind.RESET: Executor._reset,
    Kind.FACTORY: Executor._factory,
    Kind.VIEW: Executor._view,
    Kind.WRITE: Executor._write,
    Kind.ERASE: Executor._erase,
}
