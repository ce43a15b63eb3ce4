"""What a modem asks for in its MP: data rates that its receiver can have, and the far end's coding."""

from ansam.modulation.base import ModulationOptions, Role
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import RATE_STEP, TOP_RATE, SymbolRate, Trellis
from ansam.modulation.v34.course import Course
from ansam.modulation.v34.mp import ALL_RATES, Mp
from ansam.modulation.v34.parameters import Parameters
from ansam.modulation.v34.phase2_choice import SMALL_TOP
from ansam.modulation.v34.precoder import NO_PRECODING
from ansam.modulation.v34.receiver import Whitening

MARGIN_DB = 0.3
"""Es/N0 in training beyond what a coding needs for 1 wrong bit in 100,000. Training, whose loops move fast,
measures 1.3 dB too little at high rates: that leaves 1.6 dB.
Noise of G.711 under a loud echo is not Gaussian: with 0.9 dB 1 bit in 3000 was wrong."""
HOPELESS_DB = -3.0
"""Margin below which a rate carries nothing."""
_TRELLISES = {16: Trellis.STATES_16, 32: Trellis.STATES_32, 64: Trellis.STATES_64}


def _trellis(options: ModulationOptions) -> Trellis:
    return _TRELLISES[max(options.v34_trellis_states, default=16)]


def wanted_coding(
    rate: int, symbols: SymbolRate, sender: Role, options: ModulationOptions, whitening: Whitening | None
) -> Coding:
    """Return the coding that our receiver asks for at a data rate."""
    precoding = whitening.coefficients if whitening is not None else NO_PRECODING
    return Coding(
        Parameters(symbols, rate, False, options.v34_shaping),
        sender,
        _trellis(options),
        options.v34_nonlinear,
        precoding,
    )


def receivable(
    snr_db: float,
    symbols: SymbolRate,
    sender: Role,
    options: ModulationOptions,
    whitening: Whitening | None = None,
    margin_db: float = MARGIN_DB,
) -> int:
    """Return the highest data rate allowed that a receiver with this Es/N0 can have, bit/s.

    Args:
        snr_db: Es/N0 in training, the noise as it is.
        symbols: Symbol rate.
        sender: Role of the far end.
        options: Rates, and what coding may be asked for.
        whitening: The precoding to be asked for, or None.
        margin_db: Beyond what the coding needs.

    Returns:
        The lowest rate allowed where none is carried for certain; 0 where none is allowed, or the lowest
        one allowed is hopeless, which ends the call (§11.7) where others would only fail to carry data.
    """
    allowed = [rate for rate in symbols.rates if options.allows(rate)]
    snr_db += whitening.gain_db if whitening is not None else 0.0
    lowest, margin = 0, 0.0
    for rate in sorted(allowed, reverse=True):
        coding = wanted_coding(rate, symbols, sender, options, whitening)
        lowest, margin = rate, snr_db - coding.needed_es_n0_db()
        if margin >= margin_db:
            return rate
    return 0 if lowest > symbols.bottom_rate and margin < HOPELESS_DB else lowest


def our_mp(course: Course, snr_db: float) -> Mp:
    """Return our MP.

    Args:
        course: What is known of the call.
        snr_db: Es/N0 at our decisions of four points.
    """
    options, result, role = course.options, course.result, course.role
    whitening = course.whitening
    top = options.max_rate or TOP_RATE
    receive = receivable(snr_db, result.receive.symbol_rate, role.other, options, whitening)
    if course.limit is not None:
        receive = min(receive, course.limit)
    send = max((r for r in result.send.symbol_rate.rates if r <= top), default=0)
    if not result.far.points_1664:
        send, receive = min(send, SMALL_TOP), min(receive, SMALL_TOP)
    rates = tuple(rate for rate in ALL_RATES if options.allows(rate))
    if course.ever_ready and not options.fallback and course.agreement is not None:
        # S15 bit 1: the rates stay what they were.
        send, receive = course.tx_rate, course.rx_rate
    up, down = (send, receive) if role is Role.CALLING else (receive, send)
    return Mp(
        call_to_answer=up // RATE_STEP * RATE_STEP,
        answer_to_call=down // RATE_STEP * RATE_STEP,
        rates=rates,
        trellis=_trellis(options),
        nonlinear=options.v34_nonlinear,
        expanded=options.v34_shaping,
        asymmetric=True,
        precoding=None if whitening is None else whitening.coefficients,
    )


def clearing_mp() -> Mp:
    """Return the MP that asks for the end of the connection (§11.7.1.1)."""
    return Mp(0, 0, asymmetric=True)
