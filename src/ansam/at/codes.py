"""Which result code is shown: the X and &A settings applied to a result.

Numbers of CONNECT codes and the X table: US Robotics Courier V.34 manual, "Result codes" (Xn and &An tables);
the codes from 151 up to 158 and those of x2 and V.90 follow the rule base + 1 for ARQ + 2 for modulation that
the lower V.34 codes show (`Unclear:` no manual at hand prints them). Numeric codes of &A3 are those of &A2
(Courier 3453 command reference, "Controlling Result Code Displays").
"""

from dataclasses import replace

from ansam.at.results import Connect, Result

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

_SHOWN_BY_X = {
    Result.NO_DIAL_TONE: (2, 4, 6, 7),
    Result.BUSY: (3, 4, 5, 6, 7),
    Result.NO_ANSWER: (3, 4, 5, 6, 7),
    Result.RINGING: (5, 6, 7),
    Result.VOICE: (5, 6),
}
"""X levels that show a result; one that is not listed is shown by all."""


def shown(result: Result, x: int) -> Result | None:
    """Return the result that level `x` shows in the place of `result`.

    A final result that is not shown becomes NO CARRIER; RINGING, which ends nothing, disappears.
    """
    if x in _SHOWN_BY_X.get(result, (x,)):
        return result
    return None if result is Result.RINGING else Result.NO_CARRIER


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
