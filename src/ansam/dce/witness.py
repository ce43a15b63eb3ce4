"""Sees one call from its beginning to its end, and says afterwards why it ended.

::

    what the line side observed ─┐
    audio, losses ── MediaWatch ─┤
    what was heard ── Survey ────┼──► Journal ──► chain of causes, when the call is over
    modulation's, link's events ─┘

The modem tells it everything; it decides nothing and changes nothing.
"""

from collections import deque
from dataclasses import dataclass

from ansam.dce.causes import Cause, Journal, Source
from ansam.dce.media_watch import Losses, MediaWatch
from ansam.dce.survey import Survey
from ansam.link.base import LinkStatistics, NoErrorControl
from ansam.modulation.base import (
    CarrierDetected,
    PhaseEntered,
    Ready,
    Renegotiating,
    Retraining,
    StepMissed,
)
from ansam.units import FRAME, SAMPLE_RATE, Audio, Samples, samples

PATIENCE: Samples = samples(1.5)
"""Silence or missing packets that last so long until the end are not what a procedure is made of."""

LOOK_BACK: Samples = samples(10)
"""Losses and errors of this time before the end of a connection may have ended it."""

STEPS = 64
"""Steps of the modulation that are remembered."""

LOSSES = 3
"""Steps whose losses are told apart."""

TRAINING, DATA = "start-up", "data"

_MENU_HEARD = ("JM", "CJ")
"""What is sent once the far end's CM or JM has come: it is a modem that speaks V.8."""


_V34_PHASES = {"§11.2": "phase 2", "§11.3": "phase 3", "§11.4": "phase 4", "§11.5": "phase 2"}


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    clause: str
    since: Samples

    @property
    def is_data(self) -> bool:
        """Whether data flow in it."""
        return self.name.startswith(DATA)

    def __str__(self) -> str:
        """Return it with its phase, where the Recommendation has phases."""
        recommendation, _, section = self.clause.partition(" §")
        phase = _V34_PHASES.get(f"§{section[:4]}", "") if recommendation.startswith("V.34") else ""
        return f"{phase}, {self.name}" if phase and phase not in self.name else self.name


class Witness:
    """Of one modem; `begin` makes it forget the last call.

    Attributes:
        began: When the call began: dialled, or first rung.
    """

    def __init__(self) -> None:
        self.began: Samples = 0
        self.begin(0)

    def begin(self, now: Samples) -> None:
        """A call begins."""
        self.began = now
        self._journal = Journal()
        self._media = MediaWatch()
        self._survey: Survey | None = None
        self._steps: deque[_Step] = deque(maxlen=STEPS)
        self._losses: dict[str, Losses] = {}
        self._seen = self._ready = self._menu_heard = False
        self._rings_since: Samples | None = None
        self._counted: deque[tuple[Samples, LinkStatistics]] = deque(maxlen=3)

    def ringing(self, now: Samples) -> None:
        """The far end rings."""
        if self._rings_since is None:
            self._rings_since = now

    def talking(self, now: Samples) -> None:
        """There is a talking path, and start-up begins."""
        self._survey = Survey()
        self._steps.append(_Step(TRAINING, "", now))

    # -- what happens ----------------------------------------------------------------------------------------

    def observed(self, source: Source, text: str, clause: str, now: Samples, *, lasting: bool = True) -> None:
        """Take what somebody else noticed.

        Args:
            source: Who, or where.
            text: What, as a sentence without a full stop.
            clause: Where it stands, or "".
            now: When.
            lasting: It may explain the end of the call, however much later that is.
        """
        self._journal.note(Cause(now, source, text, clause), lasting=lasting)

    def audio(self, rx: Audio, tx: Audio, now: Samples, erased: bool) -> None:
        """Take what was received and sent from `now` on, both of shape (n,)."""
        self._media.hear(rx, now, erased)
        if self._survey is not None and not self._ready:
            self._survey.hear(rx, now, erased, speaking=bool(tx.any()))

    def event(self, event: object, now: Samples) -> None:
        """Take an event of the connection."""
        match event:
            case PhaseEntered(name, clause):
                self._steps.append(_Step(name, clause, now))
                self._menu_heard |= clause.startswith("V.8 ") and name in _MENU_HEARD
            case CarrierDetected():
                self._seen = True
            case StepMissed(reason, clause):
                self._lost_in(self._step, now)
                took = (now - self._step.since) / SAMPLE_RATE
                awaited = f" ({took:.1f} s)" if took >= 0.1 and not self._ready else ""
                self._journal.note(Cause(now, Source.MODULATION, f"{reason}{awaited}", clause), key=reason)
            case Retraining(by_us) if not by_us:
                self.observed(Source.MODULATION, "the far end began a retrain", "", now, lasting=False)
            case Renegotiating(by_us) if not by_us:
                text = "the far end began a rate renegotiation"
                self.observed(Source.MODULATION, text, "", now, lasting=False)
            case Ready():
                self._seen = self._ready = True
                self._survey = None
                self._steps.append(_Step(DATA, "", now))
            case NoErrorControl(reason, clause):
                self.observed(Source.LINK, f"no error control: {reason}", clause, now, lasting=False)
            case _:
                pass

    def link(self, statistics: LinkStatistics, now: Samples) -> None:
        """Take the link's counters, now and then: what they grew by may explain its end."""
        if not self._counted or now - self._counted[-1][0] >= LOOK_BACK // 2:
            self._counted.append((now, statistics))

    def wants_link(self, now: Samples) -> bool:
        """Whether it is time for `link`."""
        return self._ready and (not self._counted or now - self._counted[-1][0] >= LOOK_BACK // 2)

    # -- the end ---------------------------------------------------------------------------------------------

    def end(self, symptom: Cause, statistics: LinkStatistics | None = None) -> tuple[Cause, ...]:
        """Return why the call ended.

        Args:
            symptom: The reason it ended for.
            statistics: The link's counters at the end, where there is one.
        """
        if symptom.source is Source.DTE and self._ready:
            # The terminal wanted it: nothing needs an explanation, except what it may have grown tired of.
            return (*self._absence(symptom.at), symptom)
        return self._journal.chain(symptom, self._evidence(symptom, statistics))

    def _evidence(self, symptom: Cause, statistics: LinkStatistics | None) -> list[Cause]:
        """Return what only the end makes a cause of."""
        now = symptom.at
        if self._media.began is None:
            if self._rings_since is None:
                return []
            length = (now - self._rings_since) / SAMPLE_RATE
            return [Cause(self._rings_since, Source.SIGNALLING, f"the far end rang for {length:.1f} s")]
        if self._media.nothing:
            return [self._one_way(now)]
        causes = self._absence(now)
        if self._ready:
            self._lost_in(_Step(DATA, "", max(self._step.since, now - LOOK_BACK)), now)
            causes += self._link_errors(now, statistics)
        else:
            self._lost_in(self._step, now)
            causes += self._start_up(symptom) + self._other_losses(now)
        return causes + self._told_losses()

    def _one_way(self, now: Samples) -> Cause:
        began = self._media.began or 0
        length = f"{(now - began) / SAMPLE_RATE:.1f} s"
        text = f"not one packet of the far end arrived in {length}: the audio is one way (NAT, firewall)"
        return Cause(began, Source.MEDIA, text)

    def _absence(self, now: Samples) -> list[Cause]:
        """Return since when nothing arrives, or nothing but silence."""
        missing = self._media.missing_since
        if missing is not None and now - missing >= PATIENCE // 3:
            packets = (now - missing) // FRAME
            text = f"no packet has arrived since, {packets} are missing; {self._awaited(missing)}"
            return [Cause(missing, Source.MEDIA, text)]
        sound = self._media.last_sound
        patience = PATIENCE // 3 if self._ready else PATIENCE
        if sound is not None and (self._seen or self._ready) and now - sound >= patience:
            length = f"{(now - sound) / SAMPLE_RATE:.1f} s"
            text = f"the far end fell silent: nothing above -60 dBm0 for {length}; {self._awaited(sound)}"
            return [Cause(sound, Source.MEDIA, text)]
        return []

    def _awaited(self, at: Samples) -> str:
        step = self._step_at(at)
        if step.is_data:
            return "data flowed until then"
        clause = f" ({step.clause})" if step.clause else ""
        return f"the step then: {step}{clause}"

    def _start_up(self, symptom: Cause) -> list[Cause]:
        """Return what was heard where no modem was, or else the step that the end found start-up in."""
        causes = []
        unknown = self._survey is not None and not self._seen and not self._menu_heard
        verdict = self._survey.verdict() if self._survey is not None and unknown else None
        if verdict is not None:
            causes.append(Cause(verdict.at, Source.MEDIA, verdict.text, verdict.clause))
        step = self._step
        if self._seen and not symptom.clause and step.name != TRAINING:
            length = (symptom.at - step.since) / SAMPLE_RATE
            text = f"start-up had come to: {step}, for {length:.1f} s"
            causes.append(Cause(step.since, Source.MODULATION, text, step.clause))
        return causes

    def _link_errors(self, now: Samples, statistics: LinkStatistics | None) -> list[Cause]:
        if statistics is None or not self._counted:
            return []
        at, before = self._counted[0]
        counts = (
            (statistics.blers - before.blers, "frames or characters received in error"),
            (statistics.blocks_resent - before.blocks_resent, "frames sent again"),
            (statistics.link_timeouts - before.link_timeouts, "expiries of T401"),
        )
        said = ", ".join(f"{count} {what}" for count, what in counts if count > 0)
        text = f"{said} in the last {(now - at) / SAMPLE_RATE:.0f} s"
        return [Cause(now, Source.LINK, text)] if said else []

    # -- losses ----------------------------------------------------------------------------------------------

    @property
    def _step(self) -> _Step:
        return self._steps[-1] if self._steps else _Step(TRAINING, "", self.began)

    def _step_at(self, at: Samples) -> _Step:
        """Return the step that was under way at an instant."""
        return next((step for step in reversed(self._steps) if step.since <= at), self._step)

    def _lost_in(self, step: _Step, now: Samples) -> None:
        """Keep what was lost in a step that got not what it waits for."""
        found = self._media.losses(step.since, now)
        if found is None or (len(self._losses) >= LOSSES and str(step) not in self._losses):
            return
        name = str(step)
        known = self._losses.get(name)
        if known is not None and known.last < found.first:
            found = Losses(known.packets + found.packets, known.of + found.of, known.first, found.last)
        self._losses[name] = found

    def _other_losses(self, now: Samples) -> list[Cause]:
        """Return what was lost since the answer, where that is more than what the steps tell."""
        end = self._media.missing_since
        end = now if end is None else end
        found = self._media.losses(self._media.began or 0, end)
        if found is None or found.packets <= sum(lost.packets for lost in self._losses.values()):
            return []
        text = f"{found.packets} of {found.of} packets lost since the call was answered"
        return [Cause(found.first, Source.MEDIA, text)]

    def _told_losses(self) -> list[Cause]:
        missing = self._media.missing_since
        causes = []
        for name, lost in self._losses.items():
            if missing is not None and lost.first >= missing:
                continue  # told as what is missing since
            first, last = ((t - self.began) / SAMPLE_RATE for t in (lost.first, lost.last))
            when = f"between {first:.1f} s and {last:.1f} s"
            doing = "of data" if name == DATA else f"while in step {name}"
            text = f"{lost.packets} of {lost.of} packets lost {when}, {doing}"
            causes.append(Cause(lost.first, Source.MEDIA, text))
        return causes
