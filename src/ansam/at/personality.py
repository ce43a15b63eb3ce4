"""What makes one make of modem differ from another, as data.

Identity texts, the ladder of rates behind &N and &U, the commands with their ranges and defaults, the
S-registers, the factory templates, the result codes. The same index of &N means different rates on different
firmware (24 is 48000 bit/s on x2 firmware and 37333 on V.90 firmware), and the same letter means different
things on different makes (&K is compression on US Robotics modems and flow control on Rockwell's), so all of
that belongs here and nowhere else. The data stands in the TOML files of `ansam.at.personalities`.

The rest of the modem asks for settings by the names US Robotics gave them (``settings["&K"]`` is compression
whoever made the modem). `Parameter.key` says under which of those names a command keeps its number, and
`Parameter.sets` which others it writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ansam.at.registers import Register


class Action(Enum):
    """What a command does that is more than holding a number; names the method that does it."""

    ANSWER = "answer"
    ONLINE = "online"
    HOOK = "hook"
    INFORMATION = "information"
    PULSE = "pulse"
    TONE = "tone"
    DIAGNOSTICS = "diagnostics"
    RESET = "reset"
    FACTORY = "factory"
    VIEW = "view"
    WRITE = "write"
    ERASE = "erase"


class Style(Enum):
    """How CONNECT is said.

    USR: &A adds error control, modulation and protocol to the rate. PLAIN: the line rate alone, as Hayes had
    it. ROCKWELL: W and S95 choose between port and line rate and add CARRIER, PROTOCOL and COMPRESSION.
    """

    USR = "usr"
    PLAIN = "plain"
    ROCKWELL = "rockwell"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A command with a number, such as E or &C.

    Attributes:
        default: Factory value.
        allowed: Values accepted; anything else is ERROR.
        kept: Those of them that are held, the others change nothing; None where all are.
        meaning: For the help screens.
        stored: Part of a profile of &W.
        acts: It has an effect on this modem; otherwise it is kept and shown, and the help says so.
        key: The name its number is kept under; "" where it holds none.
        sets: Other settings that a value writes.
        action: What it does beyond holding a number.
    """

    default: int
    allowed: range | tuple[int, ...]
    meaning: str
    kept: range | tuple[int, ...] | None = None
    stored: bool = True
    acts: bool = True
    key: str = ""
    sets: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class TextCommand:
    """A command that holds texts (passwords, accounts), such as %P0=secret.

    Attributes:
        count: How many there are: 0 to count - 1 behind the name.
        limit: Most characters.
        meaning: For the help screens.
    """

    count: int
    limit: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Results:
    """The result codes.

    Attributes:
        style: How CONNECT is said.
        shown: Words of a result -> levels of X that show it; one that is not listed is shown by all.
        blind: Levels of X that dial without waiting for dial tone.
        no_dial_tone: How this make writes it.
        rates: Line rate -> number of CONNECT, for the styles without a table of their own.
    """

    style: Style = Style.USR
    shown: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    blind: tuple[int, ...] = (0, 1, 3, 5)
    no_dial_tone: str = "NO DIAL TONE"
    rates: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Personality:
    """One make of modem.

    Attributes:
        name: As settings name it.
        description: One line for people.
        product_code: Text of ATI0.
        identification: How it names itself; ``{product}`` and ``{version}`` come from the capabilities.
        title: First words of its screens.
        product_type: As ATI7 shows it.
        rates: Data rate in bit/s by index of &N and &U; index 0 is "any".
        commands: Commands with a number, by what is typed.
        parameters: What holds a number, by the name the modem asks for it.
        texts: Commands that hold texts, by name.
        extended: Commands of V.250 that are more than a number, and what they mean.
        dial: Marks of the dial string and what they mean; digits, T and P are not among them.
        helps: Letters before ``$`` that have a help screen; "" is ``$`` itself.
        registers: The S-registers.
        information: ATIn: the lines, or the name of a screen (`ansam.at.screens`).
        diagnostics: ATYn beyond the numbers Y holds: the name of a screen.
        results: The result codes.
        resets: What Z0, Z1 ... load: ``Y``, ``W0`` (a stored profile) or ``F0`` (a factory template).
        carriers: Number of +MS -> its name, on makes that number them.
        templates: What each of &F0, &F1 ... sets differently from the defaults.
        shipping_template: The template a modem fresh from the factory runs on.
        line_limit: Most characters on a command line, spaces, AT and CR not counted.
        stored_numbers: How many numbers &Zn holds.
        profiles: How many profiles &W holds.
        register_pointer: ``Sn`` alone chooses the register that ``?`` and ``=`` are about.
        repeats: ``A>`` repeats a line again and again.
        needs_dtr: Under &D2 and &D3 commands are taken only while the terminal keeps DTR ON.
    """

    name: str
    description: str
    product_code: str
    identification: str
    title: str
    product_type: str
    rates: tuple[int, ...]
    commands: Mapping[str, Parameter]
    parameters: Mapping[str, Parameter]
    registers: Mapping[int, Register]
    texts: Mapping[str, TextCommand] = field(default_factory=dict)
    extended: Mapping[str, str] = field(default_factory=dict)
    dial: Mapping[str, str] = field(default_factory=dict)
    helps: tuple[str, ...] = ()
    information: Mapping[int, str | tuple[str, ...]] = field(default_factory=dict)
    diagnostics: Mapping[int, str] = field(default_factory=dict)
    results: Results = Results()
    resets: tuple[str, ...] = ("Y",)
    carriers: Mapping[int, str] = field(default_factory=dict)
    templates: tuple[Mapping[str, int], ...] = ({},)
    shipping_template: int = 0
    line_limit: int = 60
    stored_numbers: int = 4
    profiles: int = 2
    register_pointer: bool = False
    repeats: bool = False
    needs_dtr: bool = False


DTE_RATES = (0, 110, 300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400)

SEMANTIC: Mapping[str, Parameter] = {
    "B": Parameter(0, range(17), "Answer sequence"),
    "E": Parameter(1, range(2), "Echo"),
    "F": Parameter(1, range(2), "On-line echo"),
    "K": Parameter(0, range(2), "Clock"),
    "L": Parameter(2, range(4), "Speaker volume"),
    "M": Parameter(1, range(4), "Speaker"),
    "Q": Parameter(0, range(3), "Quiet"),
    "V": Parameter(1, range(2), "Verbose"),
    "X": Parameter(4, range(8), "Results shown"),
    "Y": Parameter(0, range(16), "What Z loads", stored=False),
    "W": Parameter(2, range(3), "Rates shown"),
    "&A": Parameter(0, range(4), "CONNECT shows"),
    "&B": Parameter(1, range(3), "Port rate"),
    "&C": Parameter(1, range(2), "Carrier detect"),
    "&D": Parameter(2, range(4), "DTR"),
    "&G": Parameter(0, range(3), "Guard tone"),
    "&H": Parameter(1, range(4), "Flow control of sent data"),
    "&I": Parameter(0, range(6), "Flow control of received data"),
    "&K": Parameter(1, range(4), "Compression"),
    "&L": Parameter(0, range(2), "Line"),
    "&M": Parameter(4, (0, 4, 5), "Error control"),
    "&N": Parameter(0, range(40), "Highest line rate"),
    "&P": Parameter(0, range(2), "Pulse ratio"),
    "&R": Parameter(2, range(3), "Received data and RTS"),
    "&S": Parameter(0, range(6), "DSR"),
    "&U": Parameter(0, range(40), "Lowest line rate"),
    "&Y": Parameter(1, range(4), "Break"),
    "#CID": Parameter(0, range(3), "Caller identification"),
    "+DR": Parameter(0, range(2), "Report compression"),
    "+ER": Parameter(0, range(2), "Report error control"),
    "+MR": Parameter(0, range(2), "Report modulation"),
    "+IPR": Parameter(0, DTE_RATES, "Port rate"),
}
"""What the modem asks for, whatever the make; commands and the table ``fixed`` change the defaults."""
