"""The screens of ATI, ATY, AT&V and the help commands, as lines of text.

Layouts after real US Robotics firmware (its answers under emulation, ../shared/usr-courier.md §9), Rockwell's
and Hayes' after their manuals. The texts say what this modem is: nothing is claimed that the capabilities do
not offer. Help comes from the tables that commands are parsed by.
"""

from collections.abc import Iterable, Iterator

from ansam.at.capabilities import Capabilities
from ansam.at.nvram import Nvram
from ansam.at.personality import Action, Parameter, Personality, Style
from ansam.at.settings import Settings

WITHOUT_EFFECT = "[no effect]"
"""Stands behind what is kept and shown but does nothing on a line that is a VoIP call."""

RESERVED = "Reserved"
"""Meaning of a register that has none."""

NOTE = f"{WITHOUT_EFFECT}: kept and shown, does nothing on this line"

_TITLES = {"": "Command Summary", "&": "Ampersand Commands", "D": "Dial Command", "S": "S Registers"} | {
    "%": "Percent Commands",
    "#": "Pound and Plus Commands",
}

_NUMBERS = ("&Zn=s  Store number s in place n (&Zn=L: the last one)", "&Zn?   Show it")

_PER_ROW = 15
"""Commands in a row of the settings screens."""


def settings_screen(settings: Settings, nvram: Nvram, last_dialled: str, off_hook: bool) -> list[str]:
    """Return the lines of ATI4 and AT&V."""
    if settings.personality.results.style is not Style.USR:
        return _profiles_screen(settings, nvram)
    hook = "OFF HOOK" if off_hook else "ON HOOK"
    caller = f"   CID={settings['#CID']}" if "#CID" in settings.personality.commands else ""
    return [
        f"{settings.personality.title} Settings...",
        "",
        f"   {_letters(settings, 2)}",
        f"   {_port(settings)}  DTE=RS-232",
        f"   DIAL={'PULSE' if settings.pulse else 'TONE':<7}{hook}   {_clock(settings)}{caller}",
        "",
        *_signs(settings),
        "",
        *_registers(settings, settings.s, "="),
        "",
        f"   LAST DIALED #: {last_dialled}".rstrip(),
    ]


def nvram_screen(nvram: Nvram, personality: Personality) -> list[str]:
    """Return the lines of ATI5."""
    lines = [f"{personality.title} NVRAM Settings..."]
    for index in range(personality.profiles):
        profile = nvram.profile(index)
        lines += ["", f"   Template Y{index}", f"   DIAL={'PULSE' if profile.pulse else 'TONE':<7}"]
        lines[-1] += _letters(profile, 2)
        lines += [f"   {_port(profile)}", "", *_signs(profile), ""]
        lines += _registers(profile, profile.s.stored(), "=")
    lines.append("")
    for index in range(personality.stored_numbers):
        lead = "   STORED PHONE" if index == 0 else "               "
        lines.append(f"{lead} #{index}: {nvram.number(index)}".rstrip())
    return lines


def _profiles_screen(settings: Settings, nvram: Nvram) -> list[str]:
    """Return the lines of AT&V as Hayes and Rockwell show them."""
    lines = ["ACTIVE PROFILE:", *_profile(settings)]
    for index in range(settings.personality.profiles):
        lines += ["", f"STORED PROFILE {index}:", *_profile(nvram.profile(index))]
    lines += ["", "TELEPHONE NUMBERS:"]
    count = settings.personality.stored_numbers
    return lines + [f"{index}={nvram.number(index)}" for index in range(count)]


def _profile(settings: Settings) -> list[str]:
    row = f"{_letters(settings, 1)} {'P' if settings.pulse else 'T'} {' '.join(_numbered(settings))}"
    return [row, *(line.strip() for line in _registers(settings, settings.s.stored(), ":", 10, " "))]


def configuration_screen(personality: Personality, capabilities: Capabilities) -> list[str]:
    """Return the lines of ATI7."""
    fastest = max(personality.rates)
    options = [n for n, rates in capabilities.modulations.items() if not fastest or min(rates) <= fastest]
    options += ["LAPM"] if capabilities.error_control else []
    options += ["V42BIS"] if capabilities.compression else []
    return [
        f"{personality.title} Configuration Profile...",
        "",
        f"Product type           {personality.product_type or personality.description}",
        f"Product ID             {personality.product_code}",
        f"Options                {','.join(options)}",
        "Fax Options            None",
        "Line                   VoIP, G.711",
        "",
        f"Supervisor rev         {capabilities.product} {capabilities.version}",
        f"DSP rev                {capabilities.product} {capabilities.version}",
    ]


def security_screen(nvram: Nvram, personality: Personality) -> list[str]:
    """Return the lines of ATI10; the passwords themselves are not shown."""

    def state(name: str) -> str:
        return "SET" if nvram.text(name) else "NO PSW"

    lines = [
        personality.title,
        "",
        "                            DIAL SECURITY STATUS",
        "",
        "    SECURITY/AUTOPASS ENABLED:[N]              LOCAL SECURITY ENABLED:[N]",
        "",
        "    FALLBACK PROMPTING:[N]                     FORCED PROMPTING:[N]",
        "",
        f"    LOCAL ACCESS PASSWORD:[{state('%L0')}]             AUTOPASS PASSWORD:[{state('%V0')}]",
        "",
        "    ACCOUNT PASSWORD                           SEND PROMPT FOR PHONE_#",
    ]
    numbers = [n for n in range(10) if nvram.text(f"%A{n}")]
    accounts = [f"      {n} [SET]                                          [N]" for n in numbers]
    return lines + (accounts or ["        [NO PSW]                                         [N]"])


def switches_screen(settings: Settings) -> list[str]:
    """Return the lines of ATY15: the switches of a Courier as the settings in force amount to them."""
    on = (
        settings["&D"] == 0,
        not settings.verbose,
        settings["Q"] != 1,
        not settings.echo,
        settings.s[0] == 0,
        settings["&C"] == 0,
        settings["Q"] == 2,
        True,
        True,
        settings["Y"] >= settings.personality.profiles,
    )
    rows = (f"DIPSWITCH #{n:<3} {'ON' if state else 'OFF'}" for n, state in enumerate(on, 1))
    return ["CURRENT DIPSWITCH SETTINGS", *rows]


def writes_screen(nvram: Nvram) -> list[str]:
    """Return the line of ATY16."""
    return [f"# of NOVRAM writes = {nvram.writes % 10000:04}"]


def words_screen() -> list[str]:
    """Return the lines of ATY12. `Unclear:` what its 16 pairs of words are; without them it is this line."""
    return ["Recv     Xmit"]


def list_screen() -> list[str]:
    """Return the line of ATY14. `Unclear:` what its six numbers are; without a line they are left out."""
    return [",,,,,"]


def grid_screen() -> list[str]:
    """Return the lines of ATY17. `Unclear:` what is measured there; a modem without a line shows zeros."""
    return ["  ".join(["0000"] * 8)] * 8


def identification(personality: Personality, capabilities: Capabilities) -> str:
    """Return how the modem names itself."""
    return personality.identification.format(product=capabilities.product, version=capabilities.version)


def filled(lines: Iterable[str], personality: Personality, capabilities: Capabilities) -> list[str]:
    """Return lines of a personality file with their placeholders replaced."""
    words = {
        "{title}": personality.title,
        "{product_code}": personality.product_code,
        "{identification}": identification(personality, capabilities),
        "{product}": capabilities.product,
        "{version}": capabilities.version,
    }
    shown = []
    for line in lines:
        for placeholder, text in words.items():
            line = line.replace(placeholder, text)
        shown.append(line)
    return shown


def checksum(personality: Personality, capabilities: Capabilities) -> str:
    """Return the text of ATI1: four hex digits that change with the version, as a ROM's sum does."""
    return f"{sum(identification(personality, capabilities).encode()) & 0xFFFF:04X}"


def help_screen(topic: str, personality: Personality) -> list[str]:
    """Return the lines of ``$``, ``&$``, ``D$`` ...; `topic` is what stands before the dollar sign."""
    lines = [f"HELP, {_TITLES[topic]}", ""]
    match topic:
        case "D":
            lines += ["0-9*#+ Digits", "T P    Tone, pulse"]
            lines += [f"{mark:<6} {meaning}" for mark, meaning in personality.dial.items()]
        case "S":
            lines += _register_help(personality)
            lines += ["", "Sr?  Show   Sr=n  Set   Sr.b?  Show bit b   Sr.b=n  Set bit b"]
        case _:
            rows = {**_command_help(topic, personality), **_text_help(topic, personality)}
            if topic == "#":
                rows |= {name: f"{name:<6} {meaning}" for name, meaning in personality.extended.items()}
            lines += [rows[name] for name in sorted(rows, key=str.lower)]
            lines += _basics(personality) if topic == "" else []
            lines += ["&Zn=s  Store number s in place n (&Zn=L: the last one)", "&Zn?   Show it"] * (
                topic == "&"
            )
    shown = [line for line in lines if WITHOUT_EFFECT in line]
    return [*lines, "", NOTE] if shown else lines


def _basics(personality: Personality) -> list[str]:
    repeat = ["A>     Repeat again and again, until a key"] if personality.repeats else []
    helps = " ".join(f"{topic}$" for topic in personality.helps)
    return [
        "A/     Repeat the last line",
        *repeat,
        "D      Dial (D$)",
        "Sr=n   Set register r (S$)",
        "+++    Back to commands, on line",
        f"Help:  {helps}",
    ]


def _belongs(name: str, topic: str) -> bool:
    sign = name[0]
    if topic == "":
        return sign.isalpha() or sign in "\\*"
    return sign in {"&": "&", "%": "%", "#": "#+-"}[topic]


def _command_help(topic: str, personality: Personality) -> dict[str, str]:
    return {
        name: f"{name:<6} {command.meaning}{'' if command.acts else ' ' + WITHOUT_EFFECT}"
        for name, command in personality.commands.items()
        if _belongs(name, topic)
    }


def _text_help(topic: str, personality: Personality) -> dict[str, str]:
    return {
        name: f"{name + ('n=' if text.count > 1 else '='):<6} {text.meaning}"
        for name, text in personality.texts.items()
        if _belongs(name, topic)
    }


def _register_help(personality: Personality) -> list[str]:
    """Return a line for each register; reserved ones in a row share one."""
    lines: list[str] = []
    reserved: list[int] = []
    for number, register in personality.registers.items():
        if register.meaning == RESERVED:
            reserved.append(number)
            continue
        lines += _reserved(reserved)
        reserved.clear()
        tail = "" if register.acts else f" {WITHOUT_EFFECT}"
        tail = f" [effect: {register.part}]" if register.part else tail
        lines.append(f"S{number:<3} {register.meaning} ({register.default}){tail}")
    return lines + _reserved(reserved)


def _reserved(numbers: list[int]) -> list[str]:
    if not numbers:
        return []
    name = f"S{numbers[0]}" + (f"-{numbers[-1]}" if len(numbers) > 1 else "")
    return [f"{name:<4} {RESERVED} {WITHOUT_EFFECT}"]


def _letters(settings: Settings, gap: int) -> str:
    names = [
        n for n, c in settings.personality.commands.items() if len(n) == 1 and _held(c) and n not in "KY"
    ]
    return (" " * gap).join(f"{name}{settings[settings.personality.commands[name].key]}" for name in names)


def _held(command: Parameter) -> bool:
    return bool(command.key) and command.stored and command.action is not Action.DIAGNOSTICS


def _port(settings: Settings) -> str:
    """Return rate, parity and word length as ATI4 shows them: the port's own, or else what +ICF says."""
    form, parity = settings.character_format
    bits = 8 if form in (0, 1, 2, 3) else 7
    letter = "OEMS"[parity] if form in (2, 5) else "N"
    if settings.port is not None and settings.port.parity != "N":
        bits, letter = settings.port.data_bits, settings.port.parity
    return f"BAUD={settings.port_rate or 'AUTO':<7}PARITY={letter}  WORDLEN={bits}"


def _clock(settings: Settings) -> str:
    return "CLOCK" if settings["K"] else "TIMER"


def _numbered(settings: Settings) -> list[str]:
    r"""Return the commands of &, % and \ that hold a number, with it."""
    commands = settings.personality.commands.items()
    held = [(n, c.key) for n, c in commands if not n[0].isalpha() and n[0] not in "+#-" and _held(c)]
    return [f"{name}{settings[key]}" for name, key in held]


def _signs(settings: Settings) -> Iterator[str]:
    return _rows(_numbered(settings), _PER_ROW, "  ")


def _registers(
    settings: Settings,
    values: Iterable[int],
    sign: str,
    per_row: int = 8,
    gap: str = "  ",
) -> Iterator[str]:
    return _rows((f"S{number:02}{sign}{settings.s[number]:03}" for number in values), per_row, gap)


def _rows(cells: Iterable[str], width: int, gap: str) -> Iterator[str]:
    row = list(cells)
    for start in range(0, len(row), width):
        yield "   " + gap.join(row[start : start + width])
