"""What makes one make of modem differ from another, as data.

Identity texts, the ladder of rates behind &N and &U, the commands with a numeric parameter, their ranges and
defaults, the factory templates of &F. The same index of &N means different rates on different firmware
(24 is 48000 bit/s on x2 firmware and 37333 on V.90 firmware), so the ladder belongs here and nowhere else.

Sources: US Robotics TechMemo 01-0011B (26 Aug 2004) p. 20 for the ladder; 56K Voice Faxmodem user's guide
(1.024.1644-00) and Courier 56K command reference (3453B) for commands and ranges.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansam.at.registers import USR_REGISTERS, Register


@dataclass(frozen=True, slots=True)
class Parameter:
    """A command that holds a number, such as E or &C.

    Attributes:
        default: Factory value.
        allowed: Values accepted; anything else is ERROR.
        meaning: For the help screens.
        stored: Part of a profile of &W.
    """

    default: int
    allowed: range | tuple[int, ...]
    meaning: str
    stored: bool = True


@dataclass(frozen=True, slots=True)
class Personality:
    """One make of modem.

    Attributes:
        name: As settings name it.
        product_code: Text of ATI0.
        identification: Text of ATI3; ``{product}`` and ``{version}`` are filled in from the capabilities.
        title: First words of the ATI4 and ATI5 screens.
        product_type: As ATI7 shows it.
        rates: Data rate in bit/s by index of &N and &U; index 0 is "any".
        parameters: Commands with a number, by name.
        registers: The S-registers.
        templates: What each of &F0, &F1 ... sets differently from the defaults of `parameters`.
        shipping_template: The template a modem fresh from the factory runs on.
        line_limit: Most characters on a command line, spaces, AT and CR not counted.
        stored_numbers: How many numbers &Zn holds.
    """

    name: str
    product_code: str
    identification: str
    title: str
    product_type: str
    rates: tuple[int, ...]
    parameters: Mapping[str, Parameter]
    registers: Mapping[int, Register] = field(default_factory=lambda: USR_REGISTERS)
    templates: tuple[Mapping[str, int], ...] = ({},)
    shipping_template: int = 0
    line_limit: int = 60
    stored_numbers: int = 4


V90_LADDER: tuple[int, ...] = (
    *(0, 300, 1200, 2400, 4800, 7200, 9600, 12000, 14400, 16800, 19200),
    *(21600, 24000, 26400, 28800, 31200, 33600),
    *(28000 + step * 4000 // 3 for step in range(23)),
)
"""&N0 to &N39 of V.90 firmware: from 17 on, 28000 bit/s and steps of 8000/6, cut to whole bits."""

DTE_RATES = (0, 300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400)

USR_PARAMETERS: Mapping[str, Parameter] = {
    "B": Parameter(0, range(2), "0 ITU answer sequence and V.22, 1 Bell answer tone, 103 and 212A"),
    "C": Parameter(1, range(2), "0 transmitter off, 1 transmitter on"),
    "E": Parameter(1, range(2), "0 no command echo, 1 echo"),
    "F": Parameter(1, range(2), "0 local echo on line, 1 no local echo"),
    "K": Parameter(0, range(2), "0 call timer, 1 real-time clock in ATI6"),
    "L": Parameter(2, range(4), "Speaker volume"),
    "M": Parameter(1, range(4), "Speaker 0 off, 1 until carrier, 2 on, 3 after dialling"),
    "Q": Parameter(0, range(3), "0 result codes, 1 none, 2 none when answering"),
    "V": Parameter(1, range(2), "0 numbers, 1 words"),
    "X": Parameter(4, range(8), "Which result codes are shown, and whether dial tone is awaited"),
    "Y": Parameter(0, range(5), "Reset uses: 0-1 stored profile, 2-4 factory template 0-2", stored=False),
    "&A": Parameter(3, range(4), "CONNECT shows: 0 rate, 1 and /ARQ, 2 and modulation, 3 and protocol"),
    "&B": Parameter(1, range(3), "Port rate: 0 follows the line, 1 fixed, 2 fixed with error control"),
    "&C": Parameter(1, range(2), "Carrier detect: 0 always on, 1 follows carrier"),
    "&D": Parameter(2, range(4), "DTR: 0 ignored, 1 drop escapes, 2 drop hangs up, 3 drop resets"),
    "&G": Parameter(0, range(3), "Guard tone: 0 none, 1 550 Hz, 2 1800 Hz"),
    "&H": Parameter(1, range(4), "Flow control of sent data: 0 none, 1 CTS, 2 XON/XOFF, 3 both"),
    "&I": Parameter(0, range(6), "Software flow control of received data"),
    "&K": Parameter(1, range(4), "Compression: 0 off, 1 auto, 2 on, 3 V.42bis and V.44 only"),
    "&L": Parameter(0, range(1), "Line: 0 switched"),
    "&M": Parameter(4, (0, 4, 5), "Error control: 0 off, 4 if the far end has it, 5 or hang up"),
    "&N": Parameter(0, range(40), "Highest (with &U0: only) line rate"),
    "&P": Parameter(0, range(2), "Pulse ratio: 0 US, 1 UK"),
    "&R": Parameter(2, range(3), "Received data: 1 RTS ignored, 2 only while RTS is on"),
    "&S": Parameter(0, range(6), "DSR: 0 always on, 1 follows the connection"),
    "&T": Parameter(5, (0, 5), "Tests: 0 end, 5 refuse remote loop-back"),
    "&U": Parameter(0, range(40), "Lowest line rate"),
    "&X": Parameter(0, range(1), "Synchronous clock: 0 modem"),
    "&Y": Parameter(1, range(4), "Break: 0-1 destructive, 2-3 not; 1-2 expedited"),
    "#CID": Parameter(0, range(3), "Caller identification: 0 off, 1 formatted, 2 raw"),
    "+DR": Parameter(0, range(2), "Report compression before CONNECT"),
    "+ER": Parameter(0, range(2), "Report error control before CONNECT"),
    "+FCLASS": Parameter(0, range(1), "Service class: 0 data", stored=False),
    "+IPR": Parameter(0, DTE_RATES, "Port rate: 0 automatic"),
    "+MR": Parameter(0, range(2), "Report modulation and rate before CONNECT"),
}

USR_56K = Personality(
    name="usr-56k",
    product_code="5607",
    identification="USR 56K compatible, {product} V{version}",
    title="USR 56K compatible",
    product_type="External, software",
    rates=V90_LADDER,
    parameters=USR_PARAMETERS,
    templates=(
        {"&H": 0, "&I": 0, "&R": 1},
        {"&H": 1, "&I": 0, "&R": 2},
        {"&H": 2, "&I": 2, "&R": 1},
    ),
    shipping_template=1,
)
"""A consumer US Robotics 56K modem with V.90 firmware, the one of the original session."""
