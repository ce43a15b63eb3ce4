"""From what AT commands set to what the modulations take, and back: what the modulations offer to AT."""

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

from ansam.at.capabilities import Capabilities, no_report, no_response
from ansam.at.settings import Settings
from ansam.link.v14 import CharacterFormat, Parity
from ansam.link.v42.link import BreakHandling, V42Options
from ansam.link.v44 import Parameters, Proposal
from ansam.modulation.base import V34_SYMBOL_RATES, ModulationOptions, Role
from ansam.modulation.registry import MODULATIONS
from ansam.units import SAMPLE_RATE, Samples

GUARD_TONES_HZ = (0, 550, 1800)
"""&G0 to &G2."""

FORMATS = {
    **{0: (8, False, 1), 1: (8, False, 2), 2: (8, True, 1), 3: (8, False, 1)},
    **{4: (7, False, 2), 5: (7, True, 1), 6: (7, False, 1)},
}
"""+ICF, first value: data bits, whether there is parity, stop bits."""

PARITIES = (Parity.ODD, Parity.EVEN, Parity.MARK, Parity.SPACE)
"""+ICF, second value."""

BELL, B_V21 = (1, 16), 15
"""B: the values for Bell 212A and 103, and the one for V.21 at 300 bit/s."""

NO_SREJ = 64
"""S27 bit 6 (56K) and S51 bit 6 (Courier)."""

UNPROTECTED = {1: ("V.22",), 2: ("V.22bis",), 4: ("V.32", "V.32bis")}
"""S51 bits 0 to 2."""

BREAK_HANDLING = (
    BreakHandling.NON_DESTRUCTIVE_NON_EXPEDITED,
    BreakHandling.DESTRUCTIVE_EXPEDITED,
    BreakHandling.NON_DESTRUCTIVE_EXPEDITED,
    BreakHandling.NON_DESTRUCTIVE_NON_EXPEDITED,
)
"""&Y0 to &Y3. `Deviation:` &Y0, destructive and not expedited, is none of V.42's options (Table 4)."""

V21_ONLY, V32_UNCODED, NO_V32, NO_ANSWER_TONE, NO_V32BIS = 1, 2, 4, 8, 32
"""S27, 56K manual (1.024.1644-00) p. 68-69. Bit 0 leaves out Bell 103. Bit 2 takes V.32bis along, whose
start-up is that of V.32."""

V32_9600_ONLY = 255
"""S28: nothing but V.32 at 9600 bit/s; 0 leaves out AC, other values are its time in tenths of a second."""

V8_CI, V8, NO_V34, NO_V34_PLUS = 1, 2, 16, 32
"""S32 bits 0, 1, 4 and 5."""

V34_FIRST_CEILING = 28800
"""Highest rate of V.34's first edition (09/94); 31200 and 33600 are V.34+ to US Robotics."""

NO_V8_CI, NO_V8 = 64, 128
"""S54 bits 6 and 7; bits 0 to 5 leave out V.34's symbol rates."""

NO_8_STATES = 1
"""S55 bit 0; bits 1 to 3 leave out V.34's trellis codes."""

V34_TRELLIS_STATES = (16, 32, 64)

NO_NONLINEAR, NO_LEVEL_DEVIATION, NO_PREEMPHASIS, NO_PRECODING, NO_SHAPING, NO_V34_AT_ALL = 1, 2, 4, 8, 16, 64
"""S56."""

NO_FALLBACK = 2
"""S15 bit 1."""

NO_QUICK_RETRAIN = 64
"""S13 bit 6: a quick retrain is what V.32bis calls rate renegotiation."""


def modem_capabilities(
    report: Callable[[int], str | None] = no_report, response: Callable[[], str | None] = no_response
) -> Capabilities:
    """Return what the registered modulations offer, for the interpreter."""
    specs = sorted((spec for spec, _ in MODULATIONS.values()), key=lambda spec: max(spec.data_rates))
    return Capabilities(
        rates=frozenset(rate for spec in specs for rate in spec.data_rates),
        modulations={spec.ms_name: spec.data_rates for spec in specs},
        error_control=True,
        compression=True,
        version=version("ansam"),
        report=report,
        response=response,
    )


def may_fall_back(settings: Settings) -> bool:
    """Return whether the rate of a call may change while it lasts."""
    return not settings.s.usr(15) & NO_FALLBACK


def modulation_options(settings: Settings, role: Role = Role.CALLING) -> ModulationOptions:
    """Return the options the settings ask for in a role."""
    low, high = _rate_window(settings)
    calling, v8, s = role is Role.CALLING, settings.v8, settings.s
    return ModulationOptions(
        min_rate=low,
        max_rate=high,
        guard_tone_hz=GUARD_TONES_HZ[settings["&G"]],
        carrier_detect=s[9] * SAMPLE_RATE // 10,
        carrier_loss=s[10] * SAMPLE_RATE // 10,
        bell=settings["B"] in BELL,
        answer_tone=not s.usr(27) & NO_ANSWER_TONE,
        v8=bool((v8.originating if calling else v8.answering) and s.usr(32) & V8 and not s.usr(54) & NO_V8),
        v8_ci=bool((v8.indicator or s.usr(32) & V8_CI) and not s.usr(54) & NO_V8_CI),
        lapm=settings.link.wanted(calling=calling),
        fallback=may_fall_back(settings),
        renegotiation=not s.usr(13) & NO_QUICK_RETRAIN,
        ac_time=_ac_time(settings),
        trellis=not (s.usr(27) & V32_UNCODED or s.usr(55) & NO_8_STATES),
        v34_symbol_rates=_kept(V34_SYMBOL_RATES, s.usr(54)),
        v34_trellis_states=_kept(V34_TRELLIS_STATES, s.usr(55) >> 1),
        v34_nonlinear=not s.usr(56) & NO_NONLINEAR,
        v34_level_deviation=not s.usr(56) & NO_LEVEL_DEVIATION,
        v34_preemphasis=not s.usr(56) & NO_PREEMPHASIS,
        v34_precoding=not s.usr(56) & NO_PRECODING,
        v34_shaping=not s.usr(56) & NO_SHAPING,
    )


def _kept(values: tuple[int, ...], mask: int) -> tuple[int, ...]:
    """Return the values whose bit in the mask is 0."""
    return tuple(value for bit, value in enumerate(values) if not mask >> bit & 1)


def _rate_window(settings: Settings) -> tuple[int, int]:
    """Return the window of &N, &U and +MS, as far as S28 and S32 leave it."""
    low, high = settings.rate_window
    if settings.s.usr(32) & NO_V34_PLUS:
        high = min(high or V34_FIRST_CEILING, V34_FIRST_CEILING)
    if settings.s.usr(28) == V32_9600_ONLY:
        low, high = max(low, 9600), min(high or 9600, 9600)
    return low, high


def _ac_time(settings: Settings) -> Samples:
    """Return how long AC is offered: S28, but not less than V.32bis (02/91) Annex A has it."""
    tenths, least = settings.s.usr(28), ModulationOptions().ac_time
    if tenths == V32_9600_ONLY:
        return least
    return max(tenths * SAMPLE_RATE // 10, least) if tenths else 0


def _ruled_out(settings: Settings, options: ModulationOptions) -> set[str]:
    """Return the names that S27, S28, S32, S54, S55 and S56 forbid."""
    s, v32 = settings.s, {"V.32", "V.32bis"}
    v21_only = s.usr(27) & V21_ONLY or settings["B"] == B_V21
    out: set[str] = {"Bell 103"} if v21_only else set()
    if s.usr(27) & NO_V32:
        out |= v32
    if s.usr(27) & NO_V32BIS or not options.trellis:
        out.add("V.32bis")
    possible = options.v34_symbol_rates and options.v34_trellis_states
    if s.usr(32) & NO_V34 or s.usr(56) & NO_V34_AT_ALL or not possible:
        out.add("V.34")
    if s.usr(28) == V32_9600_ONLY:
        out |= set(MODULATIONS) - v32
    return out


def line_characters(settings: Settings) -> CharacterFormat:
    """Return how +ICF wants characters on a line without error control: V.250 (07/2003) §6.2.11.

    Format 0 (automatic) is 8 bits without parity: no port of ours shows anything else.
    """
    form, parity = settings.character_format
    data_bits, has_parity, stop_bits = FORMATS[form]
    return CharacterFormat(data_bits, PARITIES[parity] if has_parity else Parity.NONE, stop_bits)


def error_control(settings: Settings, role: Role) -> V42Options | None:
    """Return what &M (+ES), &K (+DS), &Y and S51 ask of V.42; None for no error control."""
    calling, link = role is Role.CALLING, settings.link
    if not link.wanted(calling=calling):
        return None
    sent, received = (1, 2) if calling else (2, 1)
    directions = sent * (link.ds[0] & 1) | received * (link.ds[0] >> 1)
    if settings["&K"] == 1 and settings["&B"] == 0:
        # 3Com 56K user's guide p. B-7: no gain where the port is no faster than the line.
        directions, link = 0, replace(link, ds44=(0, *link.ds44[1:]))
    return V42Options(
        required=link.required(calling=calling),
        detection=link.detection or not calling,
        v42bis=directions,
        v44=_v44(link.ds44),
        codewords=link.ds[2],
        string_length=link.ds[3],
        srej=not (settings.s.usr(27) | settings.s.usr(51)) & NO_SREJ,
        character=line_characters(settings),
        break_handling=BREAK_HANDLING[settings["&Y"]],
    )


def unprotected(settings: Settings) -> frozenset[str]:
    """Return the modulations that S51 leaves without error control."""
    s51 = settings.s.usr(51)
    return frozenset(name for bit, names in UNPROTECTED.items() if s51 & bit for name in names)


def _v44(ds44: tuple[int, ...]) -> Proposal | None:
    """Return what +DS44 says as a proposal."""
    direction, _, _, p1t, p1r, p2t, p2r, p3t, p3r = ds44
    if not direction:
        return None
    return Proposal(
        Parameters(p1t, p2t, p3t) if direction & 1 else None,
        Parameters(p1r, p2r, p3r) if direction & 2 else None,
    )


def allowed_modulations(settings: Settings) -> tuple[str, ...]:
    """Return the names in the registry that +MS, the registers and the rate window leave, best first."""
    options = modulation_options(settings)
    ruled_out = _ruled_out(settings, options)
    names = {spec.ms_name: name for name, (spec, _) in MODULATIONS.items()}
    chosen = [names[carrier] for carrier in reversed(settings.carriers(modem_capabilities()))]
    return tuple(n for n in chosen if n not in ruled_out and MODULATIONS[n][0].suits(options))
