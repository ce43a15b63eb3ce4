"""The screens of ATI, AT&V and the help commands, as lines of text.

Layouts after real US Robotics firmware (ATI4, ATI5: a Courier's screens as users posted them; ATI7: the
"Configuration Profile" of the 56K family). The texts say what this modem is: nothing is claimed that the
capabilities do not offer.
"""

from collections.abc import Iterable, Iterator, Mapping

from ansam.at.capabilities import Capabilities
from ansam.at.nvram import PROFILES, Nvram
from ansam.at.personality import Personality
from ansam.at.settings import Settings

_BASIC_ROW = ("B", "C", "E", "F", "L", "M", "Q", "V", "X", "Y")

BASIC_HELP = (
    "A     Answer                    A/    Repeat last command",
    "A>    Repeat until a key        D$    Help on dialling",
    "H     0 hang up, 1 off hook     I     0-7 information, 6 and 11 last call",
    "O     0 return, 1 and retrain   P, T  Pulse, tone",
    "Sr=n  Set register r (S$)       Sr?   Show register r",
    "Y11   Frequency response",
    "Z     Reset: 0 as Y says, 1-2 stored profile 0-1, 3-5 &F0-2",
    "&$    Help on & commands        +MS   Modulation, rates",
)

AMPERSAND_HELP = (
    "&F    Factory settings: 0 no flow control, 1 CTS and RTS, 2 XON/XOFF",
    "&V    Show settings             &W    Store settings in profile 0 or 1",
    "&Zn=s Store number s in place n &Zn?  Show it",
)

DIAL_HELP = (
    "0-9 * # +  Digits              T P   Tone, pulse",
    ",    Pause of S8 seconds       /     Pause of 125 ms",
    ";    Stay in command state     >     Repeat while busy",
    "@    Wait for quiet answer     W     Wait for dial tone",
    "R    Answer after dialling     !     Hook flash",
    "L    Last number               Sn    Number stored with &Zn=",
    '"x"  Letters, or an address: ATD"05@host"',
)


def settings_screen(settings: Settings, last_dialled: str, off_hook: bool) -> list[str]:
    """Return the lines of ATI4 and AT&V."""
    rate = settings["+IPR"] or (settings.port.rate if settings.port else 0)
    hook = "OFF HOOK" if off_hook else "ON HOOK"
    return [
        f"{settings.personality.title} Settings...",
        "",
        "   " + "  ".join(f"{name}{settings[name]}" for name in _BASIC_ROW),
        f"   BAUD={rate or 'AUTO'}  {_format(settings)}",
        f"   DIAL={'PULSE' if settings.pulse else 'TONE'}  {hook}  CID={settings['#CID']}",
        "",
        *_ampersands(settings),
        "",
        *_registers(settings, settings.s),
        "",
        f"   LAST DIALED #: {last_dialled}",
    ]


def nvram_screen(nvram: Nvram, personality: Personality) -> list[str]:
    """Return the lines of ATI5."""
    lines = [f"{personality.title} NVRAM Settings..."]
    for index in range(PROFILES):
        profile = nvram.profile(index)
        row = "  ".join(f"{name}{profile[name]}" for name in _BASIC_ROW if name != "Y")
        lines += ["", f"   Template Y{index}", f"   {row}", *_ampersands(profile)]
        lines += _registers(profile, profile.s.stored())
    lines.append("")
    for index in range(personality.stored_numbers):
        lead = "   STORED PHONE" if index == 0 else "               "
        lines.append(f"{lead} #{index}: {nvram.number(index)}".rstrip())
    return lines


def configuration_screen(personality: Personality, capabilities: Capabilities) -> list[str]:
    """Return the lines of ATI7."""
    options = [*capabilities.modulations]
    options += ["LAPM"] if capabilities.error_control else []
    options += ["V42BIS"] if capabilities.compression else []
    return [
        "Configuration Profile...",
        "",
        f"Product type           {personality.product_type}",
        f"Product ID             {personality.product_code}",
        f"Options                {','.join(options)}",
        "Fax Options            None",
        f"Supervisor rev         {capabilities.product} {capabilities.version}",
    ]


def identification(personality: Personality, capabilities: Capabilities) -> str:
    """Return the text of ATI3."""
    return personality.identification.format(product=capabilities.product, version=capabilities.version)


def checksum(personality: Personality, capabilities: Capabilities) -> str:
    """Return the text of ATI1: four hex digits that change with the version, as a ROM's sum does."""
    return f"{sum(identification(personality, capabilities).encode()) & 0xFFFF:04X}"


def help_screen(topic: str, personality: Personality) -> list[str]:
    """Return the lines of ``$``, ``&$``, ``S$`` or ``D$``; `topic` is what stands before the dollar sign."""
    if topic == "D":
        return ["HELP, Dial Command", "", *DIAL_HELP]
    if topic == "S":
        table = personality.registers
        rows = (f"S{n:<3} {r.meaning} ({r.default})" for n, r in table.items() if r.meaning != "Reserved")
        return ["HELP, S Registers (default)", "", *rows]
    names = [n for n in personality.parameters if n.startswith("&") == (topic == "&") and n[0] not in "+#"]
    rows = (f"{name:<5} {personality.parameters[name].meaning}" for name in names)
    if topic == "&":
        return ["HELP, Ampersand Commands", "", *rows, *AMPERSAND_HELP]
    return ["HELP, Command Summary", "", *rows, *BASIC_HELP]


def _format(settings: Settings) -> str:
    """Return parity and word length as ATI4 shows them: the port's own, or else what +ICF says."""
    if settings.port is not None and settings.port.parity != "N":
        return f"PARITY={settings.port.parity}  WORDLEN={settings.port.data_bits}"
    form, parity = settings.character_format
    bits = 8 if form in (0, 1, 2, 3) else 7
    letter = "OEMS"[parity] if form in (2, 5) else "N"
    return f"PARITY={letter}  WORDLEN={bits}"


def _ampersands(settings: Settings) -> Iterator[str]:
    names = sorted(name for name in settings.personality.parameters if name.startswith("&"))
    return _rows((f"{name}{settings[name]}" for name in names), 8)


def _registers(settings: Settings, values: Mapping[int, int] | Iterable[int]) -> Iterator[str]:
    return _rows((f"S{number:02}={settings.s[number]:03}" for number in values), 8)


def _rows(cells: Iterable[str], width: int) -> Iterator[str]:
    row = list(cells)
    for start in range(0, len(row), width):
        yield "   " + "  ".join(row[start : start + width])
