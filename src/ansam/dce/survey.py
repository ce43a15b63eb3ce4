"""What the far end sounds like where no modem answers: silence, the network's tones, a fax machine, a voice.

::

    rx ─► 10 ms hops ─► level, eleven tones ─► label per hop ─► runs of a label ─► verdict
       └► V.21 channel 2 ─► flags (T.30's preamble)

It only listens, and only while start-up has found no modem: its verdict is the reason a person is given
instead of "no carrier". What comes while this end speaks may be an echo and counts only where something was
heard in its silences, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np

from ansam.dsp.fsk import FskChannel, FskReceiver
from ansam.dsp.goertzel import HOP, SMOOTHING, ToneMeter
from ansam.link import hdlc
from ansam.units import SAMPLE_RATE, Audio, Samples, dbm0_from_power, samples

SILENCE_DBM0 = -60.0
"""Nothing that is meant to be heard is fainter."""

NOISE_DBM0 = -43.0
"""No modem's carrier is fainter (V.34 (10/96) §6.6.1: circuit 109): what is steady and fainter is noise."""

ECHO_TAIL: Samples = samples(1.2)
"""For so long after our own signal its echo may be heard."""

_PROGRESS = (350.0, 425.0, 480.0, 620.0)
"""E.180/Q.35 (03/98): 425 Hz and its neighbours; 350 + 440 and 480 + 620 Hz where tones are double."""
_NAMED = {
    950.0: "950 Hz",
    1100.0: "1100 Hz",
    1300.0: "1300 Hz",
    1400.0: "1400 Hz",
    1800.0: "1800 Hz",
    2100.0: "2100 Hz",
    2225.0: "2225 Hz",
}
_SIT = ("950 Hz", "1400 Hz", "1800 Hz")
_ANSWER_TONES = ("2100 Hz", "2225 Hz")
_QUIET, _LOST, _SOUND, _TONE = "silence", "lost", "sound", "a tone of the exchange"
_BEATING = slice(1, 3)
"""440 and 480 Hz at once (ringing in North America) beat: neither is coherent, but together they are all."""
_COHERENT = 0.8
_DOMINANT, _ALMOST_ALL = 0.5, 0.8
_FLAGS = 8
"""T.30 §5.3.1: the preamble is a second of flags, 37 of them; eight in a row are no accident."""
_SHORT = 4
"""Hops; a shorter run is no run."""
_RUNS = 64


class Kind(Enum):
    """What it was."""

    SILENCE = "silence"
    NOISE = "noise"
    ECHO = "echo"
    BUSY = "busy tone"
    RINGING = "ringing tone"
    DIAL = "dial tone"
    ANNOUNCEMENT = "special information tone"
    FAX = "fax machine"
    FAX_CALLER = "calling fax machine"
    ANSWER_TONE = "answer tone and nothing that follows"
    TONE = "some tone"
    VOICE = "voice"
    SIGNAL = "unknown signal"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was heard, in words.

    Attributes:
        kind: For tests.
        at: When that began.
        text: For people.
        clause: Where such a signal stands, or "".
    """

    kind: Kind
    at: Samples
    text: str
    clause: str = ""


@dataclass(slots=True)
class _Run:
    label: str
    at: Samples
    hops: int = 1

    @property
    def seconds(self) -> float:
        return self.hops * HOP / SAMPLE_RATE


def _regular(lengths: Sequence[float]) -> bool:
    """Return whether most are about as long as their median."""
    middle = float(np.median(lengths))
    return float(np.median(np.abs(np.array(lengths) - middle))) <= 0.25 * middle


class Survey:
    """Listens to one call's start-up; constant memory."""

    def __init__(self) -> None:
        self._meter = ToneMeter((*_PROGRESS, *_NAMED))
        self._names = tuple(_NAMED.values())
        self._fsk = FskReceiver(FskChannel(mark_hz=1650, space_hz=1850, bit_rate=300))
        self._hdlc = hdlc.Receiver()
        self._flags_at: Samples | None = None
        self._hop: list[Audio] = []
        self._power = 0.0
        self._began: Samples | None = None
        self._runs: list[_Run] = []
        self._hops: dict[str, int] = {}
        self._levels = np.zeros(80, np.int64)
        """Hops of sound per decibel from -70 dBm0 on."""
        self._spoke: Samples | None = None
        self._loud_in_silence = self._quiet_in_silence = self._loud = 0
        self._erased = False

    def hear(self, rx: Audio, now: Samples, erased: bool, speaking: bool) -> None:
        """Take received samples.

        Args:
            rx: Shape (n,).
            now: Instant of the first.
            erased: They never arrived.
            speaking: This end sends a signal meanwhile.
        """
        if self._began is None:
            self._began = now
        if speaking:
            self._spoke = now + len(rx)
        at = 0
        while at < len(rx):
            piece = rx[at : at + self._meter.room()]
            at += len(piece)
            self._hop.append(piece)
            self._erased |= erased
            if self._meter.feed(piece, erased):
                self._judge(np.concatenate(self._hop), now + at - HOP)
                self._hop.clear()
                self._erased = False
        self._look_for_flags(rx, now, erased)

    def _look_for_flags(self, rx: Audio, now: Samples, erased: bool) -> None:
        if self._flags_at is not None:
            return
        bits = self._fsk.receive(np.ascontiguousarray(rx, np.float32), erased)
        for _ in self._hdlc.receive(bits):
            pass
        if self._hdlc.flags >= _FLAGS:
            self._flags_at = now

    def _judge(self, hop: Audio, at: Samples) -> None:
        power = float(np.mean(hop.astype(np.float64) ** 2))
        self._power += SMOOTHING * (power - self._power)
        label = self._label(power)
        self._hops[label] = self._hops.get(label, 0) + 1
        if label != _LOST:
            self._compare(label, at)
        if label == _SOUND:
            level = int(dbm0_from_power(power)) + 70
            self._levels[min(max(level, 0), len(self._levels) - 1)] += 1
        self._extend(label, at)

    def _label(self, power: float) -> str:
        meter = self._meter
        if self._erased or meter.frozen:
            return _LOST
        if dbm0_from_power(power) < SILENCE_DBM0:
            return _QUIET
        pure = meter.coherence >= _COHERENT
        share = meter.power / max(self._power, 1e-14)
        count = len(_PROGRESS)
        beating = float(np.sum(share[_BEATING]))
        if float(np.sum(share[:count][pure[:count]])) >= _DOMINANT or beating >= _ALMOST_ALL:
            return _TONE
        best = int(np.argmax(share[count:] * pure[count:])) + count
        return self._names[best - count] if pure[best] and share[best] >= _DOMINANT else _SOUND

    def _compare(self, label: str, at: Samples) -> None:
        """Count what was heard while this end was silent, its echo's time included."""
        silent = self._spoke is None or at - self._spoke > ECHO_TAIL
        loud = label != _QUIET
        self._loud += loud
        self._loud_in_silence += loud and silent
        self._quiet_in_silence += silent and not loud

    def _extend(self, label: str, at: Samples) -> None:
        runs = self._runs
        if runs and runs[-1].label == label:
            runs[-1].hops += 1
            return
        # What was too short to be anything belongs to what it interrupted.
        if len(runs) > 1 and runs[-1].hops < _SHORT and runs[-2].label == label:
            runs[-2].hops += runs.pop().hops + 1
            return
        runs.append(_Run(label, at))
        del runs[:-_RUNS]

    # -- verdict ---------------------------------------------------------------------------------------------

    def _seconds(self, label: str) -> float:
        return self._hops.get(label, 0) * HOP / SAMPLE_RATE

    def _long(self, *labels: str, least: float) -> list[_Run]:
        return [run for run in self._runs if run.label in labels and run.seconds >= least]

    def verdict(self) -> Verdict | None:
        """Return what was heard, or None where nothing has arrived at all."""
        heard = sum(hops for label, hops in self._hops.items() if label != _LOST)
        if self._began is None or not heard:
            return None
        if self._flags_at is not None:
            text = "a fax machine: V.21 flags were heard, with which it announces itself"
            return Verdict(Kind.FAX, self._flags_at, text, "T.30 §5.3.1")
        if self._loud and not self._loud_in_silence and self._quiet_in_silence:
            text = "what was heard came only while we sent: an echo of our own signal, and no far end"
            return Verdict(Kind.ECHO, self._began, text)
        for judge in (self._network_tones, self._answer_tone, self._sound):
            found = judge()
            if found is not None:
                return found
        return self._silence(heard)

    def _silence(self, heard: int) -> Verdict:
        assert self._began is not None
        frames = heard * HOP // (SAMPLE_RATE // 50)
        text = f"{frames} frames heard, all below {SILENCE_DBM0:.0f} dBm0"
        return Verdict(
            Kind.SILENCE, self._began, f"{text}: the far end is silent, or the audio path is one way"
        )

    def _network_tones(self) -> Verdict | None:
        sit = self._long(*_SIT, least=0.2)
        for first in range(len(sit) - 2):
            if tuple(run.label for run in sit[first : first + 3]) == _SIT:
                text = "special information tone (950, 1400, 1800 Hz): an announcement, and no modem"
                return Verdict(Kind.ANNOUNCEMENT, sit[first].at, text, "E.180/Q.35 (03/98)")
        bursts = self._long(_TONE, least=0.1)
        if not bursts:
            return None
        longest = max(run.seconds for run in bursts)
        at = bursts[0].at
        if longest >= 3.0:
            text = f"dial tone for {longest:.1f} s: a line that waits to be dialled, and no modem"
            return Verdict(Kind.DIAL, at, text, "E.180/Q.35 (03/98)")
        gaps = [b.at - a.at - a.hops * HOP for a, b in pairwise(bursts)]
        if len(bursts) < 2:
            return None
        lengths = [burst.seconds for burst in bursts]
        if not _regular(lengths) or not _regular(gaps):
            return None  # a voice has tones as well
        on, off = float(np.median(lengths)), float(np.median(gaps)) / SAMPLE_RATE
        cadence = f"{on:.2f} s on, {off:.2f} s off, {len(bursts)} times"
        if off >= 1.5:
            text = f"ringing tone ({cadence}): the call was answered in signalling before anybody did"
            return Verdict(Kind.RINGING, at, text, "E.180/Q.35 (03/98)")
        text = f"busy or congestion tone ({cadence}): the far line is in use, or its exchange has no way"
        return Verdict(Kind.BUSY, at, text, "E.180/Q.35 (03/98)")

    def _answer_tone(self) -> Verdict | None:
        bursts = self._long("1100 Hz", least=0.35)
        if len(bursts) > 1:
            text = f"1100 Hz in {len(bursts)} bursts: a calling fax machine"
            return Verdict(Kind.FAX_CALLER, bursts[0].at, text, "T.30, CNG")
        tones = self._long(*_ANSWER_TONES, least=0.3)
        if not tones:
            return None
        last = tones[-1]
        end = last.at + last.hops * HOP
        after = [run for run in self._runs if run.at >= end and run.label != _LOST]
        total: dict[str, int] = {}
        for run in after:
            total[run.label] = total.get(run.label, 0) + run.hops
        follows = max(total, key=lambda label: total[label]) if total else "nothing"
        length = sum(run.seconds for run in tones)
        text = (
            f"{last.label} answer tone for {length:.1f} s, then {follows}: nothing of a known modem followed"
        )
        return Verdict(Kind.ANSWER_TONE, end, text, "V.25 (10/96) §4.3")

    def _sound(self) -> Verdict | None:
        for label in self._names:
            runs = self._long(label, least=0.5)
            if runs:
                text = f"{label} for {self._seconds(label):.1f} s, and no modem's signal"
                return Verdict(Kind.TONE, runs[0].at, text)
        if self._seconds(_SOUND) < 0.5:
            return None
        at = next(run.at for run in self._runs if run.label == _SOUND)
        low, middle, high = self._percentiles()
        if high - low >= 9:
            text = "voice, music or an announcement, and no modem"
            return Verdict(Kind.VOICE, at, f"{text} ({self._seconds(_SOUND):.1f} s, up to {high:.0f} dBm0)")
        if middle < NOISE_DBM0:
            text = f"only noise of {middle:.0f} dBm0 was heard: the far end is silent"
            return Verdict(Kind.NOISE, at, text)
        text = f"a steady signal of {middle:.0f} dBm0 that is no known modem's: noise, or another modulation"
        return Verdict(Kind.SIGNAL, at, text)

    def _percentiles(self) -> tuple[float, float, float]:
        share = np.cumsum(self._levels) / max(int(np.sum(self._levels)), 1)
        low, middle, high = (float(np.searchsorted(share, p)) - 70 for p in (0.1, 0.5, 0.9))
        return low, middle, high
