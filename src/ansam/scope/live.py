"""A running call as a scope shows it: events as they happen, and frames of what the receiver sees.

`CallTrace` is the trace sink of a modem: it keeps the events of the call there is. `frame` makes one picture
of a modem. Both give objects for JSON, whose shapes docs/spec/web-api.md states.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ansam.call.statistics import CallStatistics
from ansam.dce.dce import Dce
from ansam.dce.progress import Progress
from ansam.link.base import LinkDown, LinkUp, NoErrorControl
from ansam.link.v42.frames import FrameError, decode
from ansam.link.v42.link import SOURCE as LAPM_SOURCE
from ansam.modulation.base import PhaseEntered, Ready, Renegotiating, Retraining, SignalReport, StepMissed
from ansam.modulation.telemetry import EchoPath, Taps
from ansam.scope.events import CallEvents, Message
from ansam.scope.explain import BOTH, FAR, NEAR, explain
from ansam.units import SAMPLE_RATE, Audio, Samples

SPECTRUM = 1024
"""Samples of a spectrum: 128 ms."""

BINS = 128
POINTS = 200
_FLOOR = np.float32(1e-6)
"""Of magnitudes: -120 dB."""

_WINDOW = (np.hanning(SPECTRUM) / (np.hanning(SPECTRUM).sum() / 2)).astype(np.float32)
"""Gives a sine at full scale 1 in its bin."""


class CallTrace:
    """Trace sink that keeps and passes on what people want to see of a call.

    Attributes:
        awake: Somebody looks: frames of error control and the receiver's taps are wanted.
        listener: Told every event.
    """

    def __init__(self) -> None:
        self.awake = False
        self.listener: Callable[[Message], None] | None = None
        self.equaliser: list[int] = []
        self.echo: list[int] = []
        self._began = 0.0
        self._events = CallEvents()

    def events(self) -> list[Message]:
        """Return the events of this call so far, but the frames of error control."""
        return list(self._events)

    def __call__(self, now: float, source: str, name: str, **values: object) -> None:
        """Take a trace event."""
        if (source, name) == ("dce", "call"):
            self._begin(now)
            return
        if name == "receiver":
            self._see(cast(Taps, values["equaliser"]), cast(Sequence[EchoPath], values["echo"]))
            return
        found = _read(source, name, values)
        if found is None:
            return
        message = {"type": "event", "t": round((now - self._began) / SAMPLE_RATE, 2), **found}
        self._take(message)

    def _see(self, equaliser: Taps, echo: Sequence[EchoPath]) -> None:
        """Keep a receiver's taps as frames have them: ten frames show the same."""
        self.equaliser = _magnitudes(equaliser)
        self.echo = [level for path in echo for level in _magnitudes(path.taps)]

    def _begin(self, now: float) -> None:
        """Forget the last call, but for the command that began this one."""
        self._began = now
        self.equaliser, self.echo = [], []
        self._take({"type": "event", "t": 0.0, **_event("call", "begins")})

    def _take(self, event: Message) -> None:
        self._events.add(event)
        if self.listener is not None:
            self.listener(event)


def _event(kind: str, name: str, text: str = "", side: str = BOTH, clause: str = "") -> Message:
    return {"kind": kind, "name": name, "text": text, "side": side, "clause": clause}


def _read(source: str, name: str, values: Mapping[str, object]) -> Message | None:
    """Return the event of a trace event, or None for one that is of no use to people."""
    if source == LAPM_SOURCE:
        return _step(str(values["step"]), str(values["clause"])) if name == "step" else _frame_event(values)
    if source == "at":
        if name == "command":
            return _event("at", "command", f"AT{values['line']}", "dte")
        return _event("at", "result", str(values["words"]), "dce") if name == "result" else None
    if source.startswith("modulation.v8.") and name in ("sent", "received"):
        if name == "received" and values.get("twice"):
            return None
        return _menu_event(name, values)
    event = values.get("event")
    if source.startswith("dce."):
        return _modulation_event(event)
    if source != "dce":
        return None
    if name == "progress":
        progress = Progress[str(values["progress"])]
        return _event("phase", progress.name.lower().replace("_", " "), _sentence(progress.value), FAR)
    if name == "ended":
        return _event("note", "over", str(values["reason"]))
    return _link_event(event)


def _modulation_event(event: object) -> Message | None:
    match event:
        case PhaseEntered(name, clause):
            return _step(name, clause)
        case Ready(modulation, tx_rate, rx_rate):
            rates = f"{rx_rate} bit/s received, {tx_rate} sent"
            return _event("phase", f"{modulation} ready", f"The modulation is ready: {rates}.")
        case StepMissed(reason, clause):
            return _event("note", "step missed", reason, NEAR, clause)
        case Retraining(by_us):
            return _event("phase", "retrain", "Both train anew.", NEAR if by_us else FAR)
        case Renegotiating(by_us):
            return _event("phase", "rate renegotiation", "The rate changes.", NEAR if by_us else FAR)
        case _:
            return None


def _link_event(event: object) -> Message | None:
    match event:
        case LinkUp(protocol, compression):
            return _event("phase", "link", _link(protocol, compression))
        case NoErrorControl(reason, clause):
            return _event("note", "no error control", reason, NEAR, clause)
        case LinkDown(reason, clause):
            return _event("note", "link over", reason, BOTH, clause)
        case _:
            return None


def _step(name: str, clause: str) -> Message:
    text, side = explain(name, clause)
    return _event("phase", name, text, side, clause)


def _menu_event(name: str, values: Mapping[str, object]) -> Message:
    """Return a menu of V.8 that was sent or received."""
    side, clause = (NEAR, "V.8 (11/2000) §5") if name == "sent" else (FAR, "V.8 (11/2000) §5")
    if values.get("kind") == "CJ":
        return _event("phase", "CJ received", explain("CJ", clause)[0], side, clause)
    whose = "This modem" if name == "sent" else "The far modem"
    return _event("phase", f"menu {name}", f"{whose} names: {values['text']}.", side, clause)


def _link(protocol: str, compression: str) -> str:
    """Return what a link that is up does with the characters."""
    if protocol == "NONE":
        return "No error control: characters cross the line as they are."
    packed = f", {compression} packs what repeats" if compression else ""
    return f"{protocol} is up: what the line damages is sent again{packed}."


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _frame_event(values: Mapping[str, object]) -> Message | None:
    octets, sent = values["octets"], bool(values["sent"])
    assert isinstance(octets, bytes)
    try:
        frame = decode(octets, bool(values["originator"]) is sent)
    except FrameError as error:
        return _event("lapm", "?", str(error), NEAR if sent else FAR)
    if frame is None:
        return None
    return _event("lapm", frame.kind.name, frame.describe(), NEAR if sent else FAR)


def spectra(audio: Audio) -> list[list[int]]:
    """Return the power of audio, shape (n, `SPECTRUM`), as n spectra of `BINS` up to 4000 Hz.

    Levels are tenths of dB against a sine at full scale. All numbers of a frame are whole ones: they are
    written and read in a fraction of the time that decimals take, ten times a second for each who looks.
    """
    magnitude = np.abs(np.fft.rfft(audio * _WINDOW)[:, :-1])
    loudest = magnitude.reshape(len(audio), BINS, -1).max(axis=2)
    return cast(list[list[int]], _whole(200 * np.log10(loudest + _FLOOR)))


def frame(dce: Dce, trace: CallTrace, now: Samples, media: CallStatistics | None, lost: float) -> Message:
    """Return the picture of a modem at an instant, but its spectra.

    Args:
        dce: The modem, its lock held.
        trace: Of this modem.
        now: The instant.
        media: What is known of its packets.
        lost: Packets lost of those of the last second, percent.
    """
    report = dce.report() or SignalReport()
    call = dce.call
    rates = report.rates or (call.rx_rate, call.tx_rate)
    points = np.array(report.constellation[-POINTS:], np.complex128)
    return {
        "type": "frame",
        "t": round((now - dce.call_began) / SAMPLE_RATE, 2),
        "constellation": _whole(1e3 * points.view(np.float64)),
        "equaliser": trace.equaliser,
        "echo": trace.echo,
        "snr": _round(report.snr_db),
        "ppm": _round(report.timing_offset_ppm),
        "carrier": _round(report.carrier_offset_hz, 2),
        "level": _round(report.rx_level_dbm0),
        "rate": rates[0],
        "tx_rate": rates[1],
        "symbol_rate": _round(report.symbol_rate, 0),
        "rtp": {
            "loss": round(lost, 2),
            "jitter": _round(media.jitter_ms if media else None),
            "skew": _round(media.skew_ppm if media else None),
        },
    }


def _magnitudes(taps: Taps) -> list[int]:
    return cast(list[int], _whole(1e5 * np.abs(taps)))


def _whole(values: NDArray[np.float32] | NDArray[np.float64]) -> Any:
    return np.rint(values).astype(np.int64).tolist()


def _round(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(float(value), digits)
