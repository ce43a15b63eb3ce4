"""Hears V.34's phase 2: INFO sequences, tones A and B with their reversals, INFOMARKS; V.90's as well."""

from dataclasses import asdict, dataclass

from ansam.listen.ear import Place
from ansam.listen.timeline import Entry, clock
from ansam.modulation.base import Role
from ansam.modulation.v34.constants import RATE_STEP, SYMBOL_RATES
from ansam.modulation.v34.info import (
    OFFSET_STEP_HZ,
    OFFSET_UNKNOWN,
    Info,
    Info0,
    Info0d,
    Info1a,
    Info1c,
    PcmInfo1a,
)
from ansam.modulation.v34.info_channel import Hearing, InfoReceiver
from ansam.modulation.v34.tones import BAUD, MARK_BITS
from ansam.units import SAMPLE_RATE, Audio, Samples

MIN_TONE: Samples = 400
"""50 ms, the least that is used as a tone."""
MIN_MARKS: Samples = 1200
"""INFOMARKS of less than 150 ms have not been sent to be heard."""
MARKS_STEP: Samples = 80
BEFORE_INFO: Samples = 3 * SAMPLE_RATE
"""A retrain has tones for so long before its INFO1."""
MAX_HEARD = 1000
ECHO_DB = 12.0
"""An INFO sequence so much weaker than the loudest of the same end is the echo of one."""


def _offset(value: int) -> str:
    return "" if value == OFFSET_UNKNOWN else f", offset {value * OFFSET_STEP_HZ:+.2f} Hz"


def describe(info: Info) -> str:
    """Return a sequence in words."""
    if isinstance(info, Info0):
        rates = [rate.name for rate in SYMBOL_RATES if info.can_receive(rate.index)]
        text = f"{' '.join(map(str, rates))} Bd, rates may differ by {info.rate_difference}"
        text += ", 1664 points" if info.points_1664 else ""
        text += ", can lower power" if info.reduces_power else ""
        if isinstance(info, Info0d):
            text += f", {'A' if info.a_law else 'µ'}-law, at most {-0.5 * (info.max_power + 1):g} dBm0"
        return text + (", acknowledges INFO0" if info.acknowledge else "")
    if isinstance(info, Info1c):
        usable = [
            f"{rate.name}{'H' if r.high_carrier else 'L'}/{r.pre_emphasis} {r.bit_rate}"
            for rate, r in zip(SYMBOL_RATES, info.rates, strict=True)
            if r.max_rate
        ]
        return f"{', '.join(usable)}; power -{info.power_reduction} dB{_offset(info.frequency_offset)}"
    if isinstance(info, PcmInfo1a):
        up = SYMBOL_RATES[info.rate_up].name
        return f"V.90: U_INFO {info.ucode}, up {up} Bd{_offset(info.frequency_offset)}"
    down, up = SYMBOL_RATES[info.rate_to_call].name, SYMBOL_RATES[info.rate_to_answer].name
    carrier = "high" if info.high_carrier else "low"
    return (
        f"to caller {down} Bd, to answerer {up} Bd {carrier} carrier, pre-emphasis {info.pre_emphasis}, "
        f"{info.max_rate * RATE_STEP} bit/s, power -{info.power_reduction} dB{_offset(info.frequency_offset)}"
    )


def fields(info: Info) -> dict[str, object]:
    """Return a sequence for JSON."""
    plain = info.as_dict()
    if isinstance(info, Info1c):
        plain["rates"] = {
            str(rate.name): {**asdict(r), "bit_rate": r.bit_rate}
            for rate, r in zip(SYMBOL_RATES, info.rates, strict=True)
        }
    elif isinstance(info, Info1a):
        plain["symbol_rate_to_call"] = SYMBOL_RATES[info.rate_to_call].name
        plain["symbol_rate_to_answer"] = SYMBOL_RATES[info.rate_to_answer].name
    return plain


@dataclass(frozen=True, slots=True)
class _Tone:
    start: Samples
    end: Samples
    level_dbm0: float
    offset_hz: float
    reversals: tuple[Samples, ...]


class Phase2Ear:
    """Hears one end's phase 2.

    Args:
        place: Where.
    """

    def __init__(self, place: Place) -> None:
        self._part = place.part
        self._role = place.role
        self._digital = False
        self._receiver = InfoReceiver(place.part)
        self._now: Samples = 0
        self._found: list[Entry] = []
        self._levels: dict[Samples, float] = {}
        self._tones: list[_Tone] = []
        self._tone: Samples | None = None
        self._reversals: list[Samples] = []
        self._marks: Samples | None = None
        self._watch()

    def _watch(self) -> None:
        watch = Hearing.FRAME | Hearing.TONE_GONE | Hearing.REVERSAL
        if self._tone is None:
            watch |= Hearing.TONE
        if self._marks is None:
            watch |= Hearing.MARKS
        self._receiver.watch(watch, MIN_TONE)

    def feed(self, audio: Audio) -> None:
        """Take the next samples."""
        done = 0
        while done < len(audio):
            # While INFOMARKS last, step by step: their end is no event.
            end = len(audio) if self._marks is None else done + MARKS_STEP - self._now % MARKS_STEP
            taken, heard = self._receiver.process(audio[done:end])
            done += taken
            self._now += taken
            if self._marks is not None and self._now % MARKS_STEP == 0 and not self._receiver.marking:
                self._end_marks()
                self._watch()
            if heard and len(self._found) < MAX_HEARD:
                self._take(heard)
                self._watch()

    def _take(self, heard: Hearing) -> None:
        if Hearing.MARKS in heard:
            self._marks = self._now - MARK_BITS * SAMPLE_RATE // BAUD
        if Hearing.FRAME in heard and self._receiver.frame is not None:
            self._take_frame(self._receiver.frame)
        if Hearing.TONE in heard:
            self._tone = self._now - self._receiver.tone_for - self._receiver.DELAY
            self._reversals = []
        if Hearing.REVERSAL in heard and self._tone is not None:
            self._reversals.append(round(self._receiver.reversal_at))
        if Hearing.TONE_GONE in heard:
            self._end_tone()

    def _take_frame(self, frame: Info) -> None:
        end = round(self._receiver.frame_end)
        start = end - (frame.span() + 4) * SAMPLE_RATE // BAUD
        self._digital |= isinstance(frame, Info0d)
        letter = "a" if self._part is Role.ANSWERING else "d" if self._digital else "c"
        name = frame.NAME[:5] + letter
        self._levels[start] = self._receiver.level_dbm0
        self._found.append(Entry(start, end, self._role, name, describe(frame), fields(frame)))

    def _end_marks(self) -> None:
        if self._marks is not None:
            begin, self._marks = self._marks, None
            if self._now - begin >= MIN_MARKS:
                name = "INFOMARKSc" if self._part is Role.CALLING else "INFOMARKSa"
                self._found.append(Entry(begin, self._now, self._role, name))

    def _end_tone(self) -> None:
        if self._tone is not None:
            # The tone is over some 30 ms before that is certain.
            end = max(self._now - 240, self._reversals[-1] if self._reversals else 0)
            receiver = self._receiver
            tone = _Tone(self._tone, end, receiver.tone_dbm0, receiver.offset_hz, tuple(self._reversals))
            self._tones.append(tone)
            self._tone = None

    def _tone_entry(self, tone: "_Tone", start: Samples, end: Samples) -> Entry:
        calling = self._part is Role.CALLING
        reversals = [at for at in tone.reversals if start <= at <= end]
        text = f"{1200 if calling else 2400} Hz, {tone.level_dbm0:.0f} dBm0"
        if reversals:
            text += f", reversed at {' '.join(clock(at) for at in reversals)}"
        details = {
            "level_dbm0": round(tone.level_dbm0, 1),
            "reversals": [round(at / SAMPLE_RATE, 4) for at in reversals],
            "offset_hz": round(tone.offset_hz, 2),
        }
        return Entry(start, end, self._role, "tone B" if calling else "tone A", text, details)

    def _begin_of_phase2(self, frames: list[Entry]) -> Samples:
        """Return before which instant tones are something else, such as V.21's space in CM."""
        if not frames:
            return self._now
        first = min(frames, key=lambda frame: frame.start)
        # A recording may begin in a retrain, which has tones before any INFO.
        return first.start if first.what.startswith("INFO0") else first.start - BEFORE_INFO

    def close(self) -> list[Entry]:
        """Return what was heard; zeros of an INFO1 are no tone, and an echo is nothing new."""
        self._end_tone()
        self._end_marks()
        loudest = max((level for level in self._levels.values()), default=0.0)
        self._found = [e for e in self._found if self._levels.get(e.start, loudest) > loudest - ECHO_DB]
        frames = [entry for entry in self._found if not entry.what.startswith("INFOMARKS")]
        begin = self._begin_of_phase2(frames)
        for tone in self._tones:
            if tone.end < begin:
                continue
            start = max([tone.start, *(f.end for f in frames if f.start <= tone.start < f.end)])
            end = min([tone.end, *(f.start for f in frames if start < f.start < tone.end)])
            if end - start >= MIN_TONE // 2:
                self._found.append(self._tone_entry(tone, start, end))
        return self._found
