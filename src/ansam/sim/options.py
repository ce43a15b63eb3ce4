"""What can be asked of a simulated call; the same names as the options of `ansam sim`."""

import re
from dataclasses import dataclass, replace
from enum import Enum

from ansam.at.personalities import DEFAULT, load
from ansam.at.personality import Personality
from ansam.codec import Law
from ansam.errors import ConfigError
from ansam.line import CircuitParameters, Echo, End, Meddling, PathParameters
from ansam.line.parameters import MAX_SKEW_PPM

FAR_ECHO_MS = 40.0
"""An echo at least this late comes from the far hybrid and has crossed the circuit's carrier systems."""

MAX_SECONDS = 86_400.0


class Far(Enum):
    """What the answering end is."""

    ANSAM = "ansam"
    """A modem of ours: its frames follow the packets it gets."""

    ATA = "ata"
    """A modem behind a telephone adaptor whose clock and fixed jitter buffer follow nobody."""


class Direction(Enum):
    """Who sends payload."""

    BOTH = "both"
    UP = "up"
    DOWN = "down"

    def sends(self, end: End) -> bool:
        """Return whether an end sends; "up" is from the calling to the answering end."""
        return self is Direction.BOTH or (end is End.CALLING) == (self is Direction.UP)


@dataclass(frozen=True, slots=True)
class SimOptions:
    """A call.

    Attributes:
        calling: Command lines typed to the calling modem before it dials.
        answering: Command lines typed to the answering modem. Where none of them names S0, ``ATS0=1``
            follows, so that the call is answered.
        dial: The command line that dials.
        law: Coding of the circuit.
        snr: Noise, dB below the nominal level (`PathParameters.snr_db`); None for none.
        loss: Fraction of packets lost, 0 … 1.
        loss_burst: Packets lost in a row.
        jitter: Packets are late by 0 … this, milliseconds.
        playout: Fixed playout delay, milliseconds.
        skew: The answering end's 8 kHz are this fast, ppm: the quartz that paces an ansam, or an adaptor's
            converters. The modem behind an adaptor has a true clock of its own, so that signals are off by as
            much; between two ansams samples stay samples.
        far: What the answering end is.
        pbx_skew: A box in the middle takes the packets into a buffer of 60 ms and sends others by a clock of
            its own, which is this fast, ppm; None: there is no such box.
        delay: One way, milliseconds.
        echo: Level of its own signal that each modem hears, dB. The sign does not matter (12 and -12 are
            both 12 dB down); None for no echo.
        echo_delay: From sending to hearing it, milliseconds. From `FAR_ECHO_MS` on it is a far echo, which
            has the frequency offset too.
        gain: Of the circuit in each direction, dB.
        offset: Frequency offset in each direction, hertz.
        seconds: How long data is sent once both ends are connected.
        payload: ``random``, ``text`` or the path of a file, which is sent over and over.
        direction: Who sends.
        seed: Of all chance.
        personality: Make of the calling modem, a name or a file; "" is the default.
        meddle: What gateways do to the audio, in order: ``NAME[:VALUE][@up|@down]`` of `ansam.line.meddle`.
    """

    calling: tuple[str, ...] = ()
    answering: tuple[str, ...] = ("ATS0=1",)
    dial: str = "ATDT05"
    law: Law = Law.ALAW
    snr: float | None = None
    loss: float = 0.0
    loss_burst: int = 1
    jitter: float = 0.0
    playout: float = 60.0
    skew: float = 0.0
    far: Far = Far.ANSAM
    pbx_skew: float | None = None
    delay: float = 20.0
    echo: float | None = None
    echo_delay: float = 20.0
    gain: float = 0.0
    offset: float = 0.0
    seconds: float = 10.0
    payload: str = "random"
    direction: Direction = Direction.BOTH
    seed: int = 1
    personality: str = ""
    meddle: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= MAX_SECONDS:
            raise ConfigError(f"seconds of {self.seconds:g}", f"choose 0 to {MAX_SECONDS:g}")
        if not abs(self.skew) <= MAX_SKEW_PPM:
            raise ConfigError(f"skew of {self.skew:g} ppm", f"choose {-MAX_SKEW_PPM:g} to {MAX_SKEW_PPM:g}")
        if self.seed < 0:
            raise ConfigError(f"seed of {self.seed}", "choose 0 or more")
        for line in (*self.calling, *self.answering, self.dial):
            if not re.match(r"AT|at|A/|a/", line):
                raise ConfigError(f"command line {line!r}", "modems only listen to lines that begin AT or at")
            if not line.isascii() or not line.isprintable():
                raise ConfigError(f"command line {line!r}", "use printable ASCII characters")
        _ = self.circuit, self.make

    @property
    def make(self) -> Personality:
        """The make of the calling modem."""
        return load(self.personality or DEFAULT)

    @property
    def answering_lines(self) -> tuple[str, ...]:
        """What is typed to the answering modem, automatic answer included."""
        named = any(re.search(r"S0(?!\d)", line.upper()) for line in self.answering)
        return self.answering if named else (*self.answering, "ATS0=1")

    @property
    def circuit(self) -> CircuitParameters:
        """The circuit these options describe."""
        meddling = tuple(Meddling.parse(text) for text in self.meddle)
        for meddler in meddling:
            meddler.check(self.law)
        path = PathParameters(
            law=self.law,
            snr_db=self.snr,
            gain_db=self.gain,
            offset_hz=self.offset,
            delay_ms=self.delay,
            loss=self.loss,
            loss_burst=self.loss_burst,
            jitter_ms=self.jitter,
            playout_ms=self.playout,
        )
        echoes = {}
        if self.echo is not None:
            offset = self.offset if self.echo_delay >= FAR_ECHO_MS else 0.0
            echoes = dict.fromkeys(End, (Echo(-abs(self.echo), self.echo_delay, offset),))
        return CircuitParameters(
            up=replace(path, meddling=tuple(m for m in meddling if m.up)),
            down=replace(path, meddling=tuple(m for m in meddling if m.down)),
            echoes=echoes,
            skew_ppm=(1 / (1 + self.skew * 1e-6) - 1) * 1e6 if self.far is Far.ATA else 0.0,
            adaptor_skew_ppm=self.skew,
            box_skew_ppm=self.pbx_skew,
        )

    def follows(self, end: End) -> bool:
        """Return whether an end's frames follow the packets it gets."""
        return end is End.CALLING or self.far is Far.ANSAM
