"""A circuit of two directions between a calling and an answering modem.

Each end has its own sample clock and calls `pull` and then `push` once per 160 samples *of that clock*, with
its own count of samples; whoever runs the two ends calls them in the order of `instant`. Virtual time is the
calling end's quartz. An end without an adaptor that follows the other's packets (`arrived`) tells its pace
from frame to frame by `set_pace`.
"""

import numpy as np

from ansam.line.direction import Direction, Run
from ansam.line.echo import EchoPath
from ansam.line.packets import PacketCounters
from ansam.line.parameters import CircuitParameters, End
from ansam.units import Audio, Samples

__all__ = ["Circuit", "Run"]


class Circuit:
    """The circuit.

    Args:
        parameters: What it does.
        seed: Of noise, loss and jitter.
    """

    def __init__(self, parameters: CircuitParameters, seed: int) -> None:
        self.parameters = parameters
        adaptor = 1 + parameters.adaptor_skew_ppm * 1e-6
        modem = adaptor * (1 + parameters.skew_ppm * 1e-6)
        self._rate = {End.CALLING: 1.0, End.ANSWERING: modem}
        self._pace = dict(self._rate)
        self._since: dict[End, tuple[Samples, float]] = dict.fromkeys(End, (0, 0.0))
        box = None if parameters.box_skew_ppm is None else 1 + parameters.box_skew_ppm * 1e-6
        near, far = (1.0, 1.0), (modem, adaptor)
        rngs = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)]
        self._from = {
            End.CALLING: Direction(parameters.up, (rngs[0], rngs[1], rngs[4]), near, far, box),
            End.ANSWERING: Direction(parameters.down, (rngs[2], rngs[3], rngs[5]), far, near, box),
        }
        for end in End:
            self._from[end].opposite = self._from[end.other]
        self._echoes = {end: [EchoPath(echo) for echo in parameters.echoes.get(end, ())] for end in End}
        self._law = {End.CALLING: parameters.down.law, End.ANSWERING: parameters.up.law}

    def instant(self, end: End, now: Samples) -> float:
        """Return the virtual time at which an end's clock shows `now`."""
        then, t = self._since[end]
        return t + (now - then) / self._pace[end]

    def set_pace(self, end: End, now: Samples, pace: float) -> None:
        """From `now` on let an end's clock run at `pace` times what its quartz says."""
        self._since[end] = (now, self.instant(end, now))
        self._pace[end] = self._rate[end] * pace

    def arrived(self, end: End, now: Samples) -> list[tuple[float, int]]:
        """Return the packets that came for an end since its last `pull`.

        Returns:
            For each its arrival on the end's sample clock and its place among the far end's samples.
        """
        then, t = self._since[end]
        packets = self._from[end.other].arrived(self.instant(end, now))
        return [(then + (arrival - t) * self._pace[end], place) for arrival, place in packets]

    def pull(self, end: End, now: Samples) -> list[Run]:
        """Return what an end hears in the 160 samples from `now` on, cut where erasures begin and end.

        Before the far end's first packet everything is an erasure.
        """
        runs = self._from[end.other].pull(self.instant(end, now))
        for echo in self._echoes[end]:
            runs = [(audio + echo.pull(len(audio)), erased) for audio, erased in runs]
        if self._echoes[end]:
            # The hybrid stands before the last coder, so the sum is quantised and not its parts.
            runs = [(self._law[end].through(audio), erased) for audio, erased in runs]
        return runs

    def push(self, end: End, tx: Audio, now: Samples) -> None:
        """Take what an end sends in the 160 samples from `now` on; shape (160,) float32."""
        tx = np.asarray(tx, np.float32)
        self._from[end].push(tx, self.instant(end, now))
        for echo in self._echoes[end]:
            echo.push(tx)

    def counters(self, source: End) -> PacketCounters:
        """Return what became of the packets an end sent."""
        return self._from[source].packets.counters
