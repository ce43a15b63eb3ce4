"""A frame's measurements by name, and what is known beside them."""

from dataclasses import dataclass, field

from ansam.path.facts import ModemFacts
from ansam.units import Samples


@dataclass(slots=True)
class View:
    """One received frame of 160 samples, as the judges see it.

    Attributes:
        end: Instant after its last sample.
        erased: Some of it never arrived; nothing else here means anything then.
        power: Mean square.
        blocks: The same of its four blocks of 5 ms.
        same: Samples whose octet is the first one's (160: digital silence).
        hush: Longest run of samples of (almost) zero.
        purity_db: Tone by noise, if it is a tone.
        tone_hz: Frequency of the tone that fits best.
        alternative_db: How much better the other law's reading can be predicted.
        mismatch_db: The same of a reading that undoes decoding by the other law on the way.
        error: Mean square of the prediction error.
        spike: Its loudest 8 samples by its mean.
        likeness: Correlation with the frame before, -1 … 1.
        random: A modem's scrambled data.
        steady: Random frames of one level in a row, this one included.
        edges: Sum over 5 ms blocks of the product of the band's edges; None where they are not known.
        edge_power: Sum of its moduli.
        copies: Runs of octets that were there shortly before: distance, length, end.
        tx_power: Mean square of what we sent in the frame before.
        tx_steady: Samples since we began or stopped to send.
        facts: What the modem said last.
    """

    end: Samples = 0
    erased: bool = False
    power: float = 0.0
    blocks: tuple[float, ...] = ()
    same: int = 0
    hush: int = 0
    purity_db: float = 0.0
    tone_hz: float = 0.0
    alternative_db: float = 0.0
    mismatch_db: float = 0.0
    error: float = 0.0
    spike: float = 0.0
    likeness: float = 0.0
    random: bool = False
    steady: int = 0
    edges: complex | None = None
    edge_power: float = 0.0
    copies: tuple[tuple[int, int, int], ...] = ()
    tx_power: float = 0.0
    tx_steady: Samples = 0
    facts: ModemFacts = field(default_factory=ModemFacts)

    @property
    def data(self) -> bool:
        """Data flow: the modem says so, or the signal has been steady for longer than any training is."""
        return self.steady >= (25 if self.facts.data_mode else 300)
