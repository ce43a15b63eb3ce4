"""Bell 103: 300 bit/s duplex as V.21, with North America's tones.

No Recommendation describes it; the frequencies are common knowledge. The answering modem's answer tone of
2225 Hz *is* its mark (V.150.1 (01/2003) lists the tone), so it connects without a gap.
"""

from ansam.dsp.fsk import FskChannel
from ansam.modulation.base import BitSource, ModulationOptions, ModulationSpec, Role
from ansam.modulation.v21 import FskModem, FskPlan
from ansam.trace import Sink, null_sink

BELL103_PLAN = FskPlan(
    spec=ModulationSpec(
        name="Bell 103",
        recommendation="Bell 103",
        ms_name="B103",
        data_rates=(300,),
        symbol_rates=(300.0,),
        carriers_hz={Role.CALLING: 1170.0, Role.ANSWERING: 2125.0},
        start_stop=True,
    ),
    channels={
        Role.CALLING: FskChannel(mark_hz=1270, space_hz=1070, bit_rate=300),
        Role.ANSWERING: FskChannel(mark_hz=2225, space_hz=2025, bit_rate=300),
    },
    # Unscrambled ones of V.22 put a line at 2250 Hz: half way to it less the meter's error.
    mark_tolerance_hz=12,
    source="Bell 103",
)

BELL103_SPEC = BELL103_PLAN.spec


class Bell103(FskModem):
    """Bell 103 in one role for one call; arguments as `ModulationFactory`."""

    def __init__(
        self, role: Role, options: ModulationOptions, bits: BitSource, trace: Sink = null_sink
    ) -> None:
        super().__init__(BELL103_PLAN, role, options, bits, trace)
