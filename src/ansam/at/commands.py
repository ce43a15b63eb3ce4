"""Execution of one command after another: what each does to the settings, shows, or asks of the modem.

Commands that only hold a number are rows of the personality's table; those with more to them have a method
here, found by name in `_SPECIAL`. A command that has to wait for the line (A, D, O) ends the run; the
interpreter takes it up again when the modem has finished.
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
    next_command,
)
from ansam.at.link_settings import M_OF_BACKSLASH_N
from ansam.at.nvram import PROFILES, Nvram
from ansam.at.settings import Settings

FREQUENCY_RESPONSE = 11
"""ATY11."""


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
        self.texts: list[list[str]] = []
        self.actions: list[Action] = []
        self.off_hook = False

    def execute_next(self, line: str, position: int) -> int | Wait:
        """Execute the command at `position`; return where the next one begins, or what to wait for.

        Raises:
            CommandRefused: The command is unknown or can not be obeyed.
        """
        command, after = next_command(line, position)
        if isinstance(command, DialString):
            wait = self._dial(command, after if after < len(line) else None)
            return after if wait is None else wait
        self._execute(command)
        if isinstance(command, Basic) and command.name in ("A", "O"):
            # V.250 (07/2003) §6.3.5 and §6.3.7: what follows on the line is ignored.
            return Wait(AnswerCall() if command.name == "A" else GoOnline(retrain=command.value == 1))
        return after

    def _execute(self, command: Command) -> None:
        match command:
            case Help(topic):
                self.texts.append(screens.help_screen(topic, self._settings.personality))
            case SRegister():
                self._register(command)
            case StoredNumber():
                self._stored_number(command)
            case Extended():
                text = execute_extended(command, self._settings, self._capabilities)
                if text is not None:
                    self.texts.append([text])
            case Basic():
                special = _SPECIAL.get(command.name)
                if special is not None:
                    special(self, command)
                else:
                    self._parameter(command)

    def _parameter(self, command: Basic) -> None:
        parameter = self._settings.personality.parameters.get(command.name)
        if parameter is None or command.value not in parameter.allowed:
            raise CommandRefused(f"{command.name}{command.value} is not known")
        if command.name in ("&N", "&U"):
            self._check_rate(command)
        if command.name == "&M" and command.value == 5 and not self._capabilities.error_control:
            raise CommandRefused("&M5: there is no error control")
        self._settings[command.name] = command.value

    def _backslash_n(self, command: Basic) -> None:
        """Rockwell's form of &M."""
        if command.value not in M_OF_BACKSLASH_N:
            raise CommandRefused(f"{command.name}{command.value} is not known")
        self._parameter(Basic("&M", M_OF_BACKSLASH_N[command.value]))

    def _percent_c(self, command: Basic) -> None:
        """Rockwell's form of &K: 0 off, 1 MNP 5, 2 V.42bis, 3 both."""
        if command.value > 3:
            raise CommandRefused(f"{command.name}{command.value} is not known")
        self._parameter(Basic("&K", 1 if command.value else 0))

    def _check_rate(self, command: Basic) -> None:
        """Refuse a rate that no modulation has, and a floor above the ceiling."""
        rate = self._settings.rate_of(command.value)
        if command.value and rate not in self._capabilities.rates:
            raise CommandRefused(f"{command.name}{command.value}: no modulation offers {rate} bit/s")
        other = self._settings.rate_of(self._settings["&U" if command.name == "&N" else "&N"])
        ceiling, floor = (rate, other) if command.name == "&N" else (other, rate)
        if ceiling and floor > ceiling:
            raise CommandRefused(f"&U ({floor} bit/s) may not exceed &N ({ceiling} bit/s)")

    def _dial(self, command: DialString, rest: int | None) -> Wait | None:
        if command.text.upper() == "L?":
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
        s, number, bit = self._settings.s, command.register, command.bit
        if number not in s:
            raise CommandRefused(f"there is no S{number}")
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
            if command.text is not None:
                raise CommandRefused("&ZL can not be set")
            self.texts.append([self._last_dialled])
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

    def _answer_or_online(self, command: Basic) -> None:
        if command.value > (0 if command.name == "A" else 1):
            raise CommandRefused(f"{command.name}{command.value} is not known")

    def _hook(self, command: Basic) -> None:
        if command.value > 1:
            raise CommandRefused(f"H{command.value} is not known")
        self.off_hook = command.value == 1
        self.actions.append(OffHook() if self.off_hook else HangUp())

    def _information(self, command: Basic) -> None:
        personality, capabilities = self._settings.personality, self._capabilities
        screen: list[str]
        match command.value:
            case 0:
                screen = [personality.product_code]
            case 1:
                screen = [screens.checksum(personality, capabilities)]
            case 2:
                return
            case 3:
                screen = [screens.identification(personality, capabilities)]
            case 4:
                screen = screens.settings_screen(self._settings, self._last_dialled, self.off_hook)
            case 5:
                screen = screens.nvram_screen(self._nvram, personality)
            case 7:
                screen = screens.configuration_screen(personality, capabilities)
            case number:
                text = capabilities.report(number)
                if text is None:
                    raise CommandRefused(f"I{number} has nothing to show")
                screen = text.splitlines()
        self.texts.append(screen)

    def _default_or_response(self, command: Basic) -> None:
        """Y0 to Y4 choose what Z loads; Y11 is a screen (US Robotics keeps its diagnostics under Y)."""
        if command.value != FREQUENCY_RESPONSE:
            self._parameter(command)
            return
        text = self._capabilities.response()
        if text is None:
            raise CommandRefused("Y11: no response of a line is known")
        self.texts.append(text.splitlines())

    def _view(self, command: Basic) -> None:
        if command.value:
            raise CommandRefused(f"&V{command.value} is not known")
        self.texts.append(screens.settings_screen(self._settings, self._last_dialled, self.off_hook))

    def _tone_or_pulse(self, command: Basic) -> None:
        if command.value:
            raise CommandRefused(f"{command.name}{command.value} is not known")
        self._settings.pulse = command.name == "P"

    def restore(self, choice: int | None = None) -> None:
        """Load the settings of a reset.

        Args:
            choice: As Y counts: 0 and 1 are the stored profiles, 2 and above the factory templates; None is
                what Y says.
        """
        choice = self._settings["Y"] if choice is None else choice
        if choice < PROFILES:
            self._settings.assign(self._nvram.profile(choice))
        else:
            self._settings.assign(Settings(self._settings.personality, choice - PROFILES))
        self.off_hook = False

    def _reset(self, command: Basic) -> None:
        """ATZ: hang up and take the profile that Y (Z0, Z!) or the number names."""
        if command.value > PROFILES + len(self._settings.personality.templates):
            raise CommandRefused(f"Z{command.value} is not known")
        self.restore(command.value - 1 if command.value else None)
        self.actions.append(HangUp())

    def _factory(self, command: Basic) -> None:
        if command.value >= len(self._settings.personality.templates):
            raise CommandRefused(f"&F{command.value} is not known")
        self._settings.assign(Settings(self._settings.personality, command.value))

    def _write(self, command: Basic) -> None:
        if command.value >= PROFILES:
            raise CommandRefused(f"&W{command.value} is not known")
        self._nvram.write_profile(command.value, self._settings)


_SPECIAL = {
    "A": Executor._answer_or_online,
    "O": Executor._answer_or_online,
    "H": Executor._hook,
    "I": Executor._information,
    "P": Executor._tone_or_pulse,
    "T": Executor._tone_or_pulse,
    "Y": Executor._default_or_response,
    "Z": Executor._reset,
    "Z!": Executor._reset,
    "\\N": Executor._backslash_n,
    "%C": Executor._percent_c,
    "&F": Executor._factory,
    "&V": Executor._view,
    "&W": Executor._write,
}
