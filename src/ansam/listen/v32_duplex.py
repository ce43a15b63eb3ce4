"""Follows V.32bis from S to data, both directions at once: AA, AC, S, rate signals, E, LAPM frames."""

import math

import numpy as np

from ansam.listen.duplex import Follower, run
from ansam.listen.timeline import Entry
from ansam.modulation.base import Role
from ansam.modulation.v32bis.constants import B1_SYMBOLS, S_BAR_SYMBOLS, SAMPLES_PER_SYMBOL, Coding
from ansam.modulation.v32bis.hearing import Pattern
from ansam.modulation.v32bis.rate_signal import RateSignal
from ansam.modulation.v32bis.receiver import TRAINING, Receiver
from ansam.units import Audio, Samples, samples

MATURE = (TRAINING + 24) * SAMPLES_PER_SYMBOL + 40
SEARCH = 60
TONE_WINDOWS = 40
"""Windows of AA or AC, 50 ms, that are worth an entry."""
S_WINDOWS = 6
ECHO_AFTER: Samples = samples(0.3)


class _End(Follower):
    """One direction of V.32bis."""

    def __init__(self, role: Role) -> None:
        super().__init__(role)
        self.receiver = Receiver(role.other)
        self.rate: RateSignal | None = None
        self.data_at: Samples | None = None
        self._tone = Pattern.AA if role is Role.CALLING else Pattern.AC
        self._tone_from: float | None = None
        self._trn_at: float | None = None
        self._trained = 0
        self._coding: Coding | None = None

    def hear(self, rest: Audio, now: Samples, early: bool) -> str | None:
        """Take samples without echo; return what just happened, where the other end must know of it.

        Args:
            rest: The samples.
            now: Instant of their end.
            early: What looks like S is an echo: the calling modem's comes after R1.
        """
        bits = self.receiver.process(rest, False)
        if self.data_at is not None:
            self.frames.feed(bits, now)
        elif self.receiver.in_data:
            self.data_at = now
        self._hear_tone(now)
        if early:
            self.receiver.hearing.reversals.clear()
            return None
        return self._hear_s(now) or self._hear_rate(now)

    def _hear_tone(self, now: Samples) -> None:
        run_ = self.receiver.hearing.runs[self._tone]
        if self.data_at is not None:
            return
        if run_.windows >= TONE_WINDOWS and self._tone_from is None:
            self._tone_from = run_.begin
        elif run_.windows == 0 and self._tone_from is not None:
            names = "AA, CC" if self.role is Role.CALLING else "AC, CA, AC"
            self.note(self._tone_from, now, names, "" if self._trained else "V.32bis")
            self._tone_from = None

    def _hear_s(self, now: Samples) -> str | None:
        hearing = self.receiver.hearing
        turned = hearing.reversals.pop() if hearing.reversals else None
        if self.data_at is None and turned is not None and hearing.runs[Pattern.S].windows >= S_WINDOWS:
            self._trn_at = turned + S_BAR_SYMBOLS * SAMPLES_PER_SYMBOL
            self.note(hearing.runs[Pattern.S].begin, self._trn_at, "S", "S, S-bar")
            self.receiver.idle()
            return "S"
        if self._trn_at is not None and now >= self._trn_at + MATURE + SEARCH:
            done = self.receiver.train(self._trn_at - SEARCH, self._trn_at + SEARCH)
            fit = self.receiver.fit
            if done and fit is not None:
                self._trained += 1
                self.rate = None
                snr = round(-10 * math.log10(fit.mse), 1)
                self.note(self._trn_at, now, "TRN", f"equalised to {snr} dB", snr_db=snr)
            self._trn_at = None
        return None

    def _hear_rate(self, now: Samples) -> str | None:
        word = self.receiver.rate_word
        if word is None or self.data_at is not None:
            return None
        signal = RateSignal.parse(word)
        if signal == self.rate:
            return None
        self.rate = signal
        name = "R2" if self.role is Role.CALLING else f"R{2 * self._trained - 1}"
        rates = "/".join(map(str, sorted(signal.rates))) or "cleardown"
        self.note(now, now, name, f"{word:016b}: {rates}", word=f"{word:016b}", rates=sorted(signal.rates))
        return "rate"

    def close(self, now: Samples) -> None:
        """There is no more."""
        if self.data_at is not None and self._coding is not None:
            rate, snr = self._coding.rate, round(self.receiver.snr_db or 0.0, 1)
            points = self.receiver.constellation()
            self.note_data(self.data_at, now, f"{rate} bit/s", points, rate=rate, snr_db=snr)

    @property
    def settled(self) -> bool:
        """Whether the last rate signal is the second of the answering modem, R3, which settles the rate."""
        return self.role is Role.ANSWERING and self._trained >= 2 and self.rate is not None

    def arm(self, signal: RateSignal) -> None:
        """Decode data after E, at the highest rate of a signal."""
        self._coding = signal.best
        if self._coding is not None:
            self.receiver.await_end(self._coding, B1_SYMBOLS)


def follow_v32bis(calling: Audio, answering: Audio, so_far: tuple[Entry, ...]) -> list[Entry]:
    """Return what the two modems of a V.32bis call said.

    Args:
        calling: What the calling modem sent.
        answering: What the answering modem sent.
        so_far: What has been heard already; with INFO sequences the call is one of V.34 or V.90.
    """
    if any(entry.what.startswith("INFO") for entry in so_far):
        return []
    ends = {role: _End(role) for role in Role}

    def step(role: Role, heard: Audio, other: Audio, now: Samples) -> None:
        end, far = ends[role], ends[role.other]
        rest = end.cancel(heard, other, now)
        happened = end.hear(rest, now, role is Role.CALLING and far.rate is None)
        if happened == "S":
            far.learn_echo(now + ECHO_AFTER)
        elif happened == "rate":
            far.stop_learning()
            if end.settled and end.rate is not None:
                for each in ends.values():
                    each.arm(end.rate)

    run(np.asarray(calling), np.asarray(answering), 0, step)
    length = min(calling.size, answering.size)
    for end in ends.values():
        end.close(length)
    return [entry for end in ends.values() for entry in end.entries]
