"""From what AT commands set to what the modulations take, and back: what the modulations offer to AT."""

from collections.abc import Callable
from importlib.metadata import version

from ansam.at.capabilities import Capabilities, no_report
from ansam.at.settings import Settings
from ansam.link.v14 import CharacterFormat, Parity
from ansam.link.v42.link import BreakHandling, V42Options
from ansam.link.v44 import Parameters, Proposal
from ansam.modulation.base import ModulationOptions, Role
from ansam.modulation.registry import MODULATIONS
from ansam.units import SAMPLE_RATE

GUARD_TONES_HZ = (0, 550, 1800)
"""&G0 to &G2."""

FORMATS = {
    **{0: (8, False, 1), 1: (8, False, 2), 2: (8, True, 1), 3: (8, False, 1)},
    **{4: (7, False, 2), 5: (7, True, 1), 6: (7, False, 1)},
}
"""+ICF, first value: data bits, whether there is parity, stop bits."""

PARITIES = (Parity.ODD, Parity.EVEN, Parity.MARK, Parity.SPACE)
"""+ICF, second value."""

NO_SREJ = 64
"""S51 bit 6."""

BREAK_HANDLING = (
    BreakHandling.NON_DESTRUCTIVE_NON_EXPEDITED,
    BreakHandling.DESTRUCTIVE_EXPEDITED,
    BreakHandling.NON_DESTRUCTIVE_EXPEDITED,
    BreakHandling.NON_DESTRUCTIVE_NON_EXPEDITED,
)
"""&Y0 to &Y3. `Deviation:` &Y0, destructive and not expedited, is none of V.42's options (Table 4)."""

NO_ANSWER_TONE = 8
"""S27 bit 3: leave out the 2100 Hz tone."""

V8_CI, V8 = 1, 2
"""S32 bits 0 and 1."""

NO_V8_CI, NO_V8 = 64, 128
"""S54 bits 6 and 7."""


def modem_capabilities(report: Callable[[int], str | None] = no_report) -> Capabilities:
    """Return what the registered modulations offer, for the interpreter."""
    specs = sorted((spec for spec, _ in MODULATIONS.values()), key=lambda spec: max(spec.data_rates))
    return Capabilities(
        rates=frozenset(rate for spec in specs for rate in spec.data_rates),
        modulations={spec.ms_name: spec.data_rates for spec in specs},
        error_control=True,
        compression=True,
        version=version("ansam"),
        report=report,
    )


def modulation_options(settings: Settings, role: Role = Role.CALLING) -> ModulationOptions:
    """Return the options the settings ask for in a role."""
    low, high = settings.rate_window
    calling, v8 = role is Role.CALLING, settings.v8
    return ModulationOptions(
        min_rate=low,
        max_rate=high,
        guard_tone_hz=GUARD_TONES_HZ[settings["&G"]],
        carrier_detect=settings.s[9] * SAMPLE_RATE // 10,
        carrier_loss=settings.s[10] * SAMPLE_RATE // 10,
        bell=settings["B"] == 1,
        answer_tone=not settings.s[27] & NO_ANSWER_TONE,
        v8=bool(
            (v8.originating if calling else v8.answering)
            and settings.s[32] & V8
            and not settings.s[54] & NO_V8
        ),
        v8_ci=bool((v8.indicator or settings.s[32] & V8_CI) and not settings.s[54] & NO_V8_CI),
        lapm=settings.link.wanted(calling=calling),
    )


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
    return V42Options(
        required=link.required(calling=calling),
        detection=link.detection or not calling,
        v42bis=directions,
        v44=_v44(link.ds44),
        codewords=link.ds[2],
        string_length=link.ds[3],
        srej=not settings.s[51] & NO_SREJ,
        character=line_characters(settings),
        break_handling=BREAK_HANDLING[settings["&Y"]],
    )


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
    """Return the names in the registry that +MS and the rate window leave, best first."""
    options = modulation_options(settings)
    names = {spec.ms_name: name for name, (spec, _) in MODULATIONS.items()}
    chosen = [names[carrier] for carrier in reversed(settings.carriers(modem_capabilities()))]
    return tuple(n for n in chosen if any(map(options.allows, MODULATIONS[n][0].data_rates)))
