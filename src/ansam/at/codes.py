"""Which result code is shown: the X and &A (or W and S95) settings applied to a result.

Numbers of CONNECT codes and the X table: US Robotics Courier V.34 manual, "Result codes" (Xn and &An tables);
the codes from 151 up to 158 and those of x2 and V.90 follow the rule base + 1 for ARQ + 2 for modulation that
the lower V.34 codes show (`Unclear:` no manual at hand prints them). Numeric codes of &A3 are those of &A2
(Courier 3453 command reference, "Controlling Result Code Displays").
"""

from dataclasses import replace

from ansam.at.personality import Results, Style
from ansam.at.results import Connect, Result
from ansam.at.settings import Settings

_PLAIN = {
    300: 1,
    **{1200: 5, 2400: 10, 4800: 18, 7200: 20, 9600: 13, 12000: 21, 14400: 25, 16800: 43},
    **{19200: 85, 21600: 91, 24000: 99, 26400: 103, 28800: 107, 31200: 151, 33600: 155},
    **{33333: 180, 37333: 184, 41333: 188, 42666: 192, 44000: 196, 45333: 200, 46666: 204, 48000: 208},
    **{49333: 212, 50666: 216, 52000: 220, 53333: 224, 54666: 228, 56000: 232, 57333: 236},
    **{28000: 256, 29333: 260, 30666: 264, 32000: 268, 34666: 272, 36000: 276, 38666: 280, 40000: 284},
}
"""CONNECT <rate>: the number with &A0."""

_ARQ = {
    **{1200: 15, 2400: 16, 4800: 19, 7200: 24, 9600: 17, 12000: 22, 14400: 26, 16800: 57},
    **{19200: 88, 21600: 94, 24000: 100, 26400: 104, 28800: 108},
}
"""CONNECT <rate>/ARQ: the number with &A1."""

_MODULATED = {
    "HST": {
        4800: (28, 29),
        7200: (30, 34),
        9600: (23, 27),
        12000: (31, 32),
        14400: (35, 36),
        16800: (53, 57),
    },
    "V32": {
        **{4800: (38, 39), 7200: (40, 44), 9600: (33, 37), 12000: (41, 42), 14400: (45, 46)},
        **{16800: (83, 84), 19200: (87, 90), 21600: (93, 96)},
    },
    "VFC": {
        **{14400: (139, 141), 16800: (143, 145), 19200: (147, 149), 21600: (97, 98)},
        **{24000: (101, 102), 26400: (105, 106), 28800: (109, 110)},
    },
    "V34": {
        **{2400: (120, 122), 4800: (124, 126), 7200: (128, 130), 9600: (132, 134), 12000: (136, 138)},
        **{14400: (140, 142), 16800: (144, 146), 19200: (148, 150), 21600: (111, 112), 24000: (113, 114)},
        **{26400: (115, 116), 28800: (117, 118)},
    },
}
"""CONNECT <rate>/<modulation> and CONNECT <rate>/ARQ/<modulation>: the numbers with &A2 and &A3."""

_FIRST_REGULAR = 151
"""From here on a code is its base, + 1 for ARQ, + 2 for the modulation."""

_CARRIER = {
    **{300: 40, 1200: 46, 2400: 47, 4800: 48, 7200: 49, 9600: 50, 12000: 51, 14400: 52, 16800: 53},
    **{19200: 54, 21600: 55, 24000: 56, 26400: 57, 28800: 58, 31200: 78, 33600: 79, 32000: 150, 34000: 151},
    **{36000: 152, 38000: 153, 40000: 154, 42000: 155, 44000: 156, 46000: 157, 48000: 158, 50000: 159},
    **{52000: 160, 54000: 161, 56000: 162},
}
"""CARRIER <rate> on Rockwell's modems (order no. 1048, "Result codes")."""

_PROTOCOLS = {"LAPM": 77, "NONE": 70, "MNP": 80}
"""PROTOCOL: <name>; 80 is ALT."""

_COMPRESSIONS = {"V42BIS": ("V.42 bis", 67), "MNP5": ("CLASS 5", 66), "": ("NONE", 69), "V44": ("V.44", 67)}
"""COMPRESSION: <name>. `Unclear:` no manual at hand has a number for V.44."""

CONNECT_OPTIONS = 95
"""The register of the bits below."""

LINE_RATE, ARQ, CARRIER, PROTOCOL, COMPRESSION = 1, 2, 4, 8, 32
"""S95 of Rockwell's modems."""

NO_BUSY = 64
"""S34 bit 6."""

SOFTWARE_COMPATIBLE = 128
"""S27 bit 7."""

Report = tuple[str, int]
"""Words and number of a result code."""


def result_report(result: Result, settings: Settings) -> Report | None:
    """Return how a result that is no CONNECT is said, None where it is not."""
    results = settings.personality.results
    if result is Result.BUSY and settings.s.usr(34) & NO_BUSY:
        result = Result.NO_CARRIER
    visible = shown(result, settings["X"], results)
    if visible is None:
        return None
    number, words = visible.value
    return (results.no_dial_tone if visible is Result.NO_DIAL_TONE else words), number


def shown(result: Result, x: int, results: Results) -> Result | None:
    """Return the result that level `x` shows in the place of `result`.

    A final result that is not shown becomes NO CARRIER; RINGING, which ends nothing, disappears.
    """
    words = results.no_dial_tone if result is Result.NO_DIAL_TONE else result.value[1]
    if x in results.shown.get(words, (x,)):
        return result
    return None if result is Result.RINGING else Result.NO_CARRIER


def connect_reports(connect: Connect, settings: Settings, port_rate: int) -> list[Report]:
    """Return how a connection is said, CONNECT last.

    Args:
        connect: The connection.
        settings: X, &A, W and S95 in force.
        port_rate: Bit/s between modem and terminal.
    """
    x, results = settings["X"], settings.personality.results
    if results.style is Style.USR:
        detail = settings["&A"]
        return [(connect_words(connect, x, detail), connect_number(connect, x, detail))]
    if x == 0:
        return [("CONNECT", 1)]
    if results.style is Style.PLAIN:
        return [_plain(connect.rate, results)]
    return _rockwell(connect, settings, port_rate)


def _plain(rate: int, results: Results, tail: str = "") -> Report:
    # Hayes: code 1 is CONNECT at 300 bit/s, without a rate.
    return ("CONNECT" if rate <= 300 else f"CONNECT {rate}") + tail, results.rates.get(rate, 1)


def _rockwell(connect: Connect, settings: Settings, port_rate: int) -> list[Report]:
    """W0: the port's rate; W1: that and what the line is; W2: the line's rate. S95 asks for single parts."""
    bits = settings.s[CONNECT_OPTIONS]
    w = settings["W"]
    reports: list[Report] = []
    if w == 1 or bits & CARRIER:
        reports.append((f"CARRIER {connect.rate}", _CARRIER.get(connect.rate, 40)))
    if w == 1 or bits & PROTOCOL:
        name = connect.protocol if connect.protocol in _PROTOCOLS else "NONE"
        reports.append((f"PROTOCOL: {'ALT' if name == 'MNP' else name}", _PROTOCOLS[name]))
    if w == 1 or bits & COMPRESSION:
        text, number = _COMPRESSIONS.get(connect.compression, _COMPRESSIONS[""])
        reports.append((f"COMPRESSION: {text}", number))
    rate = connect.rate if w == 2 or bits & LINE_RATE else port_rate
    tail = "/ARQ" if connect.arq and bits & ARQ else ""
    return [*reports, _plain(rate, settings.personality.results, tail)]


def compatible(connect: Connect) -> Connect:
    """Return a connection as S27 bit 7 shows it: to old software everything above 4800 is 9600 bit/s.

    Source: 56K manual (1.024.1644-00) p. 69. ATI6 has the true rate.
    """
    return replace(connect, rate=9600, tx_rate=0) if connect.rate > 4800 else connect


def connect_words(connect: Connect, x: int, detail: int) -> str:
    """Return the CONNECT text.

    Args:
        connect: The connection.
        x: Level of X, 0 to 7.
        detail: Level of &A, 0 to 3.

    Returns:
        ``CONNECT 4800/ARQ/V34/LAPM/V42BIS`` in &A3 and X1 or more. `Unclear:` at 300 bit/s, code 1, the
        manuals show no rate; &A3 gives ``CONNECT/NONE`` here.
    """
    arq = "/ARQ" if connect.arq and detail >= 1 else ""
    if x == 0:
        return f"CONNECT{arq}"
    text = "CONNECT" if connect.rate <= 300 else f"CONNECT {connect.rate}"
    text += arq
    if detail >= 2 and connect.modulation:
        text += f"/{connect.modulation}"
    if detail >= 3:
        text += f"/{connect.protocol}"
        if connect.compression:
            text += f"/{connect.compression}"
    return text


def connect_number(connect: Connect, x: int, detail: int) -> int:
    """Return the CONNECT number; where no code fits in full, that of the next coarser description."""
    arq = connect.arq and detail >= 1
    if x == 0:
        return 14 if arq else 1
    plain = _PLAIN.get(connect.rate, 1)
    modulation = connect.modulation if detail >= 2 else ""
    pair = _MODULATED.get(modulation, {}).get(connect.rate)
    if pair is not None:
        return pair[arq]
    if plain >= _FIRST_REGULAR:
        return plain + (1 if arq else 0) + (2 if modulation else 0)
    return _ARQ.get(connect.rate, 14) if arq else plain
