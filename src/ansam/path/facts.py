"""What others know that a watch on a path can not see in the audio."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModemFacts:
    """What the modem at this end knows.

    Attributes:
        data_mode: Data flow: the far modem sends without a pause.
        modulation: Name in the registry, or "".
        symbol_rate: Of what is received, baud; None where there is none or it is not known.
        carrier_hz: Of what is received.
        snr_db: As the receiver measures it.
        retrains: Retrains by either end so far.
    """

    data_mode: bool = False
    modulation: str = ""
    symbol_rate: float | None = None
    carrier_hz: float | None = None
    snr_db: float | None = None
    retrains: int = 0


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What came beside the audio; counts since the call began.

    Attributes:
        comfort_noise: Comfort noise packets (RFC 3389).
        events: Telephone events (RFC 4733).
    """

    comfort_noise: int = 0
    events: int = 0
