"""What is saved of a call: a ZIP file whose parts `ansam.listen.bundle` reads again."""

import io
import json
import wave
import zipfile
from collections.abc import Sequence
from typing import NamedTuple

from ansam.io.control.base import Message
from ansam.io.speaker import int16
from ansam.units import SAMPLE_RATE, Audio, Samples

SOUND, EVENTS, STATE = "call.wav", "events.json", "state.json"
"""Its parts; `ansam.listen`, which reads them, would load all its ears."""


class Heard(NamedTuple):
    """What a tape has, and where a call is on it.

    Attributes:
        sound: Shape (2, n), received first.
        ended: When its last sample was heard.
        call: When the modem's last call began.
    """

    sound: Audio
    ended: Samples
    call: Samples


def of_last_call(heard: Heard) -> tuple[Audio, float | None]:
    """Return the sound of the last call alone, and the instant at which it began, seconds of that sound.

    A call without sound, such as one to a busy number, leaves the sound of the one before, and no instant.
    """
    if heard.call >= heard.ended:
        return heard.sound, None
    began = heard.sound.shape[1] - (heard.ended - heard.call)
    return heard.sound[:, max(0, began) :], min(0, began) / SAMPLE_RATE


def pack(heard: Heard, events: Sequence[Message], state: Message) -> bytes:
    """Return the file; it takes some tenths of a second."""
    sound, began = of_last_call(heard)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(SOUND, _wav(sound))
        bundle.writestr(EVENTS, json.dumps({"began": began, "events": list(events)}, indent=1))
        bundle.writestr(STATE, json.dumps(state, indent=1))
    return file.getvalue()


def _wav(sound: Audio) -> bytes:
    """Return sound as a WAV file, received left."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
        wav.writeframes(int16(sound.T).tobytes())
    return file.getvalue()
