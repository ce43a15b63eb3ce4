"""Two ends of V.34's phase 2 over the simulated circuit."""

from collections.abc import Callable

import numpy as np

from ansam.line.circuit import Circuit
from ansam.line.parameters import CircuitParameters, End
from ansam.modulation.base import ModulationOptions, Role
from ansam.modulation.v34.info_channel import Hearing, InfoReceiver
from ansam.modulation.v34.phase2 import Entry, Phase2
from ansam.trace import Recorder
from ansam.units import FRAME, Audio, Samples, samples

ROLES = {End.CALLING: Role.CALLING, End.ANSWERING: Role.ANSWERING}
Spoil = Callable[[End, int, Audio, bool], tuple[Audio, bool]]
"""(end that hears, its frame number, audio, erased) -> (audio, erased)."""


class Phase3:
    """What the answering modem does after INFO1a, as far as phase 2 is concerned (V.34 (10/96) §11.3.2.2.1).

    Silence here stands for S, PP, TRN and J: if the calling modem does not answer in time, INFOMARKSa.
    """

    WAIT = samples(1.4)

    def __init__(self, now: Samples) -> None:
        self.until = now + self.WAIT


class Pair:
    """Both ends, each in its own clock."""

    def __init__(
        self,
        parameters: CircuitParameters | None = None,
        seed: int = 0,
        options: dict[End, ModulationOptions] | None = None,
        spoil: Spoil | None = None,
        offset: Samples = 0,
    ) -> None:
        self.circuit = Circuit(parameters or CircuitParameters(), seed)
        self.trace = {end: Recorder() for end in End}
        chosen = options or {}
        self.ends = {
            end: Phase2(ROLES[end], chosen.get(end, ModulationOptions()), self.trace[end]) for end in End
        }
        self.now = dict.fromkeys(End, 0)
        self.sent: dict[End, list[Audio]] = {end: [] for end in End}
        self.heard: dict[End, list[Audio]] = {end: [] for end in End}
        self.spoil = spoil
        self.repairs = 0
        self._training: Phase3 | None = None
        self._ear = InfoReceiver(Role.ANSWERING)
        self._start = {End.CALLING: 0, End.ANSWERING: offset}
        self._began: set[End] = set()

    def step(self) -> None:
        """Move the end whose turn it is by a frame."""
        end = min(End, key=lambda e: self.circuit.instant(e, self.now[e]))
        modem, now = self.ends[end], self.now[end]
        if end not in self._began and now >= self._start[end]:
            self._began.add(end)
            modem.start(now)
        out = []
        heard = []
        at = now
        for run, lost in self.circuit.pull(end, now):
            audio, erased = run, lost
            if self.spoil is not None:
                audio, erased = self.spoil(end, now // FRAME, audio, erased)
            out.append(modem.process(audio, at, erased))
            heard.append(audio)
            at += len(audio)
        self._train(end, at)
        tx = np.concatenate(out)
        self.sent[end].append(tx)
        self.heard[end].append(np.concatenate(heard))
        self.circuit.push(end, tx, now)
        self.now[end] += FRAME

    def _train(self, end: End, now: Samples) -> None:
        """Stand in for phase 3 at the answering end."""
        modem = self.ends[end]
        if end is End.CALLING or modem.result is None:
            return
        caller = self.ends[End.CALLING]
        if self._training is None:
            self._training = Phase3(now)
        if caller.result is None and now >= self._training.until:
            self._training = None
            self.repairs += 1
            modem.start(now, Entry.MARKS)

    def forget_training(self) -> None:
        """Phase 3 is over."""
        self._training = None

    def run(self, seconds: float) -> bool:
        """Run until both are over (True) or the time is."""
        while max(self.now.values()) < seconds * 8000:
            self.step()
            if all(modem.over for modem in self.ends.values()) and not self._pending():
                return True
        return False

    def _pending(self) -> bool:
        return self._training is not None and self.ends[End.CALLING].result is None

    @property
    def agreed(self) -> bool:
        """Whether both have a result and mean the same."""
        calling, answering = self.ends[End.CALLING].result, self.ends[End.ANSWERING].result
        if calling is None or answering is None:
            return False
        return (
            calling.send == answering.receive
            and calling.receive == answering.send
            and calling.info1a == answering.info1a
            and calling.info1c == answering.info1c
        )

    def phases(self, end: End) -> list[tuple[float, str]]:
        """Return (ms, phase) in order."""
        return [(e.now / 8, str(e.values["phase"])) for e in self.trace[end].events if e.name == "phase"]


__all__ = ["Entry", "Hearing", "Pair", "Phase3", "Spoil"]
