"""What an end says of itself in INFO0, and how it fills in and reads INFO1 (V.34 (10/96) §10.1.2.3)."""

from dataclasses import dataclass
from itertools import product

from ansam.modulation.base import ModulationOptions, Role
from ansam.modulation.v34.constants import MD_STEP_SECONDS, RATE_STEP, SYMBOL_RATES, TOP_RATE, SymbolRate
from ansam.modulation.v34.info import OFFSET_STEP_HZ, OFFSET_UNKNOWN, Info0, Info1a, Info1c, RateResult
from ansam.modulation.v34.probing import PRECODER_TAPS, Choice, LineProbe, choose
from ansam.units import SAMPLE_RATE, Samples

SMALL_TOP = 28800
"""Above it a modem needs constellations of up to 1664 points (Table 15, Note)."""
MAX_OFFSET_HZ = 7.0
"""Of a telephone channel, one way."""


def our_info0(options: ModulationOptions) -> Info0:
    """Return what we can do; 2400, 3000 and 3200 are mandatory (§5.2)."""
    ours = [rate.name in options.v34_symbol_rates for rate in SYMBOL_RATES]
    return Info0(
        supports_2743=ours[1],
        supports_2800=ours[2],
        supports_3429=ours[5],
        may_send_3429=ours[5],
        reduces_power=options.v34_level_deviation,
    )


@dataclass(frozen=True, slots=True)
class Direction:
    """How one direction is to be sent from phase 3 on.

    Attributes:
        symbol_rate: Symbol rate.
        high_carrier: On the high carrier.
        pre_emphasis: Index of the filter, 0 … 10.
        power_reduction: Decibels below the nominal power.
        max_rate: What the receiver projects, bit/s.
        md: Length of the sender's MD, samples; 0: there is none.
    """

    symbol_rate: SymbolRate
    high_carrier: bool
    pre_emphasis: int
    power_reduction: int
    max_rate: int
    md: Samples = 0

    @property
    def carrier_hz(self) -> float:
        """Carrier frequency."""
        return self.symbol_rate.carrier_hz(self.high_carrier)


class Chooser:
    """Takes the decisions of one end.

    Args:
        role: Of this end.
        options: Rates, symbol rates and what the receiver may ask for.
    """

    def __init__(self, role: Role, options: ModulationOptions) -> None:
        self._role = role
        self._options = options
        self.ours = our_info0(options)
        self._lowest = max(options.min_rate, 1)
        self._allowed_rates = frozenset(
            k.index for k in SYMBOL_RATES if k.name in options.v34_symbol_rates or k.name == 2400
        )

    def heard(self, probe: LineProbe, far: Info0) -> Choice:
        """Decide how the far end shall send."""

        def allowed(rate: int, high: bool) -> bool:
            return rate in self._allowed_rates and self.ours.can_receive(rate) and far.can_send(rate, high)

        top = self._options.max_rate or TOP_RATE
        return choose(
            probe,
            allowed,
            top if far.points_1664 else min(top, SMALL_TOP),
            may_reduce=far.reduces_power and self._options.v34_level_deviation,
            taps=PRECODER_TAPS if self._options.v34_precoding else 0,
            pre_emphasis=self._options.v34_preemphasis,
        )

    def info1c(self, probe: LineProbe, far: Info0) -> Info1c:
        """Return what the calling modem answers to L2."""
        choice = self.heard(probe, far)
        return Info1c(choice.power_reduction, rates=choice.results, frequency_offset=probe.offset_field)

    def info1a(self, probe: LineProbe, far: Info0, info1c: Info1c) -> Info1a | None:
        """Return what the answering modem selects; None where no pair of symbol rates can do anything.

        Of all pairs that both ends can use and that lie no further apart than both allow, the one with the
        highest sum of data rates; then that with the higher symbol rates.
        """
        choice = self.heard(probe, far)
        steps = min(self.ours.rate_difference, far.rate_difference)
        pairs = [
            (down, up)
            for down, up in product(range(len(SYMBOL_RATES)), repeat=2)
            if abs(down - up) <= steps
            and choice.results[up].bit_rate >= self._lowest
            and self._can_send(down, info1c.rates[down])
            and far.can_receive(down)
        ]
        if not pairs:
            return None
        down, up = max(
            pairs, key=lambda p: (info1c.rates[p[0]].max_rate + choice.results[p[1]].max_rate, p[0] + p[1])
        )
        result = choice.results[up]
        return Info1a(
            power_reduction=choice.power_reduction,
            high_carrier=result.high_carrier,
            pre_emphasis=result.pre_emphasis,
            max_rate=result.max_rate,
            rate_to_call=down,
            rate_to_answer=up,
            frequency_offset=probe.offset_field,
        )

    def _can_send(self, rate: int, result: RateResult) -> bool:
        return (
            result.bit_rate >= self._lowest
            and rate in self._allowed_rates
            and self.ours.can_send(rate, result.high_carrier)
        )

    def directions(self, info1c: Info1c, info1a: Info1a) -> tuple[Direction, Direction]:
        """Return (how we send, how the far end sends) as the two INFO1 say."""
        down = info1c.rates[info1a.rate_to_call]
        to_call = Direction(
            SYMBOL_RATES[info1a.rate_to_call],
            down.high_carrier,
            down.pre_emphasis,
            info1c.power_reduction,
            down.bit_rate,
            _md(info1a.md_length),
        )
        to_answer = Direction(
            SYMBOL_RATES[info1a.rate_to_answer],
            info1a.high_carrier,
            info1a.pre_emphasis,
            info1a.power_reduction,
            info1a.max_rate * RATE_STEP,
            _md(info1c.md_length),
        )
        return (to_answer, to_call) if self._role is Role.CALLING else (to_call, to_answer)

    def agrees(self, info: Info1a | Info1c, probe: LineProbe | None, asked: Info1c | None) -> bool:
        """Return whether an INFO1 that was pieced together can be true.

        Args:
            info: The far end's.
            probe: What we measured: the frequency offsets of both directions are much the same.
            asked: The INFO1c that an INFO1a answers.
        """
        known = info.frequency_offset != OFFSET_UNKNOWN
        if known and abs(info.frequency_offset * OFFSET_STEP_HZ - _offset(probe)) > 2 * MAX_OFFSET_HZ:
            return False
        if isinstance(info, Info1c):
            tops = [k.top_rate for k in SYMBOL_RATES]
            return any(r.max_rate for r in info.rates) and all(
                r.bit_rate <= top for r, top in zip(info.rates, tops, strict=True)
            )
        return (
            asked is not None
            and asked.rates[info.rate_to_call].max_rate > 0
            and info.rate_to_answer in self._allowed_rates
            and self.ours.can_send(info.rate_to_answer, info.high_carrier)
            and 0 < info.max_rate * RATE_STEP <= SYMBOL_RATES[info.rate_to_answer].top_rate
        )


def _offset(probe: LineProbe | None) -> float:
    return 0.0 if probe is None or probe.offset_hz is None else probe.offset_hz


def _md(steps: int) -> Samples:
    return round(steps * MD_STEP_SECONDS * SAMPLE_RATE)
