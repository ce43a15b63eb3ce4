"""What a modem asks for in its MP: data rates that its receiver can have, and the far end's coding."""

from ansam.modulation.base import ModulationOptions, Role
from ansam.modulation.v34.constants import RATE_STEP, TOP_RATE, SymbolRate, Trellis
from ansam.modulation.v34.mp import ALL_RATES, Mp
from ansam.modulation.v34.phase2_choice import SMALL_TOP
from ansam.modulation.v34.phase2_core import Phase2Result
from ansam.modulation.v34.precoder import Coefficients
from ansam.modulation.v34.probing import needed_snr_db

MARGIN_DB = -1.5
"""Against `probing.needed_snr_db`, which reckons with what data mode adds to a measurement of the line; the
error of a trained receiver is nearer to the truth."""


def receivable(snr_db: float, rate: SymbolRate, options: ModulationOptions) -> int:
    """Return the highest data rate that a receiver with this Es/N0 can have, bit/s; the lowest if none."""
    allowed = [r for r in rate.rates if options.allows(r)]
    carried = [r for r in allowed if snr_db >= needed_snr_db(r, rate) + MARGIN_DB]
    return max(carried) if carried else min(allowed, default=0)


def our_mp(
    role: Role,
    options: ModulationOptions,
    result: Phase2Result,
    snr_db: float,
    precoding: Coefficients | None,
) -> Mp:
    """Return our MP.

    Args:
        role: Of this end.
        options: Rates and what may be asked for.
        result: Of phase 2.
        snr_db: Es/N0 at our decisions.
        precoding: What would whiten our noise; None for nothing worth it.
    """
    receive = receivable(snr_db, result.receive.symbol_rate, options)
    top = options.max_rate or TOP_RATE
    send = max((r for r in result.send.symbol_rate.rates if r <= top), default=0)
    if not result.far.points_1664:
        send, receive = min(send, SMALL_TOP), min(receive, SMALL_TOP)
    up, down = (send, receive) if role is Role.CALLING else (receive, send)
    trellis = max(options.v34_trellis_states, default=16)
    return Mp(
        call_to_answer=up // RATE_STEP * RATE_STEP,
        answer_to_call=down // RATE_STEP * RATE_STEP,
        rates=tuple(r for r in ALL_RATES if options.allows(r)),
        trellis={16: Trellis.STATES_16, 32: Trellis.STATES_32, 64: Trellis.STATES_64}[trellis],
        nonlinear=options.v34_nonlinear,
        expanded=options.v34_shaping,
        asymmetric=True,
        precoding=precoding if options.v34_precoding else None,
    )
