"""The doctor over the simulated circuit, in virtual time: an echo test or an answering modem at its end."""

import numpy as np

from ansam.call.party import Echo, Party
from ansam.dce.dce import Dce
from ansam.dce.progress import AcceptCall
from ansam.doctor import Examination, Media
from ansam.errors import LocalProtocolError
from ansam.line import Circuit, End
from ansam.line.packets import PacketCounters
from ansam.sim.options import SimOptions
from ansam.units import FRAME, Audio, Samples, samples

LIMIT: Samples = samples(240)
INIT_LIMIT: Samples = samples(30)


def answering_modem(commands: tuple[str, ...]) -> Party:
    """Return a modem of ours that has just accepted a call.

    Args:
        commands: Typed to it before.
    """
    dce = Dce()
    now: Samples = 0
    for command in commands:
        dce.receive_dte(command.encode("ascii") + b"\r", now)
        now += FRAME
        dce.handle_timer(now)
    dce.take_dte()
    dce.incoming_call("07", now)
    while not any(isinstance(action, AcceptCall) for action in dce.take_actions()):
        now += FRAME
        dce.handle_timer(now)
        if now > INIT_LIMIT:
            raise LocalProtocolError("the answering modem does not answer: S0 is 0")
    return _Answering(dce, now)


class _Answering:
    """A `Dce` on a clock that begins with the call."""

    def __init__(self, dce: Dce, start: Samples) -> None:
        from ansam.dce.progress import Progress

        self._dce, self._start = dce, start
        dce.progress(Progress.CONNECTED, start)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """See `Party.process`."""
        tx = self._dce.process(rx, self._start + now, erased)
        self._dce.take_dte()
        self._dce.take_events()
        self._dce.take_actions()
        return tx


def examine(options: SimOptions, examination: Examination, far: Party | None = None) -> Media:
    """Let an examination take place.

    Args:
        options: The circuit; what is said about modems and data is not looked at.
        examination: The doctor; it is done afterwards.
        far: Who answers; an echo test by default.

    Returns:
        What the packets towards the doctor told.
    """
    circuit = Circuit(options.circuit, int(np.random.SeedSequence(options.seed).generate_state(1)[0]))
    parties: dict[End, Party] = {End.CALLING: examination, End.ANSWERING: far or Echo()}
    now: dict[End, Samples] = dict.fromkeys(End, 0)
    while not examination.done and now[End.CALLING] < LIMIT:
        first = circuit.instant(End.CALLING, now[End.CALLING]) <= circuit.instant(
            End.ANSWERING, now[End.ANSWERING]
        )
        end = End.CALLING if first else End.ANSWERING
        sent, at = [], now[end]
        for audio, erased in circuit.pull(end, now[end]):
            sent.append(parties[end].process(audio, at, erased))
            at += len(audio)
        circuit.push(end, np.concatenate(sent), now[end])
        now[end] += FRAME
    return _media(circuit.counters(End.ANSWERING), options.playout)


def _media(counters: PacketCounters, playout: float) -> Media:
    sent = max(counters.sent, 1)
    return Media(counters.lost / sent, counters.late / sent, counters.slips, playout_ms=playout)
