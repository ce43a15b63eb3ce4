"""Lets every ear hear a recording and puts together what they heard.

Who is who: the answering modem is the one that sends the answer tone. In V.90 the digital modem, mostly the
answering one, has the calling modem's part in phase 2 (V.90 (09/98) §9.2); what is heard there tells.
A recording with one channel has both directions in it: every ear hears all of it, for either role.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias, cast

import numpy as np

from ansam.listen.bundle import Told
from ansam.listen.ear import EarFactory, Place
from ansam.listen.phase2_ear import Phase2Ear
from ansam.listen.probe_ear import ProbeEar
from ansam.listen.sound import Sound
from ansam.listen.timeline import Entry
from ansam.listen.v8_ear import V8Ear
from ansam.listen.v32_duplex import follow_v32bis
from ansam.listen.v34_duplex import follow_v34
from ansam.modulation.base import Role
from ansam.modulation.v34.info_channel import Hearing, InfoReceiver
from ansam.tones.v25 import ANSWER_TONE_HZ
from ansam.units import FRAME, SAMPLE_RATE, Audio, Samples, samples

BLOCK = samples(1)
EARS: tuple[EarFactory, ...] = (ProbeEar, Phase2Ear, V8Ear)
"""In their order; a later one sees what the earlier ones have heard."""

FollowerOfBoth: TypeAlias = Callable[[Audio, Audio, tuple[Entry, ...]], list[Entry]]
"""Called with what the calling and the answering modem sent, and what has been heard so far."""
FOLLOWERS: tuple[FollowerOfBoth, ...] = (follow_v32bis, follow_v34)
"""What needs both directions at once."""

ECHO_DB = 12.0
ECHO_DELAY = samples(1.5)
"""A probing signal so much weaker than the other end's, and up to so much later, is its echo."""
_PURE = 0.5
_LEAST_TONE = 1e-6


@dataclass(frozen=True, slots=True)
class Report:
    """What a recording says.

    Attributes:
        entries: In order of time.
        channels: Which channel each end's signals are in.
        seconds: Length.
        rate: Sample rate of the file.
        remarks: What is wrong with it.
        told: What the modem itself told, where the recording has it.
    """

    entries: tuple[Entry, ...]
    channels: dict[Role, int]
    seconds: float
    rate: int
    remarks: tuple[str, ...]
    told: tuple[Told, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "seconds": round(self.seconds, 3),
            "rate": self.rate,
            "channels": {role.value: channel for role, channel in self.channels.items()},
            "remarks": list(self.remarks),
            "entries": [entry.as_dict(self.channels[entry.role]) for entry in self.entries],
            "told": [asdict(one) for one in self.told],
        }

    def of(self, role: Role, *names: str) -> list[Entry]:
        """Return the entries of an end that have one of these names."""
        return [entry for entry in self.entries if entry.role is role and entry.what in names]


def _tone_strength(audio: Audio) -> float:
    """Return how much of the answer tone is in a channel: its amplitude, summed over pure 20 ms."""
    blocks = audio[: len(audio) // FRAME * FRAME].reshape(-1, FRAME)
    angle = 2 * np.pi * ANSWER_TONE_HZ / SAMPLE_RATE * np.arange(FRAME)
    tone = 2 * np.abs(blocks @ np.exp(-1j * angle).astype(np.complex64)) ** 2 / FRAME**2
    power = np.mean(blocks**2, axis=1)
    pure = (tone > _PURE * power) & (tone > _LEAST_TONE)
    return float(np.sum(np.sqrt(tone[pure])))


def find_roles(sound: Sound) -> dict[Role, int]:
    """Return which channel is whose; without an answer tone the second is the answering modem's."""
    if len(sound.channels) == 1:
        return dict.fromkeys(Role, 0)
    first, second = (_tone_strength(audio) for audio in sound.channels)
    return {Role.CALLING: 1, Role.ANSWERING: 0} if first > second else {Role.CALLING: 0, Role.ANSWERING: 1}


def _first_frame(audio: Audio, part: Role) -> Samples:
    """Return when the first INFO sequence of one part ended in a channel; its length where there is none."""
    receiver = InfoReceiver(part)
    done = 0
    while done < len(audio):
        taken, heard = receiver.process(audio[done:])
        done += taken
        if Hearing.FRAME in heard:
            return round(receiver.frame_end)
    return len(audio)


def find_parts(sound: Sound, channels: dict[Role, int]) -> dict[Role, Role]:
    """Return each end's part in phase 2: what the far end sent comes back later, as an echo."""
    same = {role: role for role in Role}
    if len(sound.channels) == 1:
        return same
    sender = {}
    for part in Role:
        first = {role: _first_frame(sound.channels[channels[role]], part) for role in Role}
        if first[Role.CALLING] != first[Role.ANSWERING]:
            sender[part] = min(Role, key=lambda role: first[role])
    if sender.get(Role.CALLING) is Role.ANSWERING and sender.get(Role.ANSWERING) is not Role.ANSWERING:
        return {role: role.other for role in Role}
    if sender.get(Role.ANSWERING) is Role.CALLING and sender.get(Role.CALLING) is not Role.CALLING:
        return {role: role.other for role in Role}
    return same


def _in_order(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda e: (e.start, e.end, e.role.value, e.what))


def _level(entry: Entry) -> float:
    return cast(float, entry.details.get("level_dbm0", 0.0))


def _is_echo(entry: Entry, entries: Sequence[Entry]) -> bool:
    """Return whether a probing signal is the other end's, come back."""
    return entry.what in ("L1", "L2") and any(
        other.role is not entry.role
        and other.what == entry.what
        and 0 <= entry.start - other.start < ECHO_DELAY
        and _level(entry) < _level(other) - ECHO_DB
        for other in entries
    )


def listen(
    sound: Sound, ears: Sequence[EarFactory] = EARS, followers: Sequence[FollowerOfBoth] = FOLLOWERS
) -> Report:
    """Let the ears hear a recording.

    Args:
        sound: One channel with both directions, or one per direction.
        ears: Who listens to one direction.
        followers: Who needs both at once.
    """
    channels = find_roles(sound)
    parts = find_parts(sound, channels)
    found: list[Entry] = []
    for make in ears:
        so_far = tuple(_in_order(found))
        for role in Role:
            ear = make(Place(role, parts[role], so_far))
            if ear is None:
                continue
            audio = sound.channels[channels[role]]
            for begin in range(0, len(audio), BLOCK):
                ear.feed(audio[begin : begin + BLOCK])
            found += ear.close()
        found = [entry for entry in found if not _is_echo(entry, found)]
    if len(sound.channels) > 1:
        calling, answering = (sound.channels[channels[role]] for role in (Role.CALLING, Role.ANSWERING))
        so_far = tuple(_in_order(found))
        for follow in followers:
            found += follow(calling, answering, so_far)
    return Report(tuple(_in_order(found)), channels, sound.seconds, sound.rate, sound.remarks, sound.told)
