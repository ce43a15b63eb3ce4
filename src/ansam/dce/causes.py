"""Why a call ended: a short chain of causes, the root first and the symptom last.

Whoever knows something notes it in the call's `Journal`: the line side what signalling said, the modem's
`Witness` what was heard, missed and lost. What repeats is one entry that counts. At the end of the call the
journal gives the chain: what is recent or lasting, in the order in which it began, at most `CHAIN` long.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ansam.units import SAMPLE_RATE, Samples, samples

CHAIN = 8
"""Entries of a chain at most, the symptom included."""

NOTES = 48
"""Notes kept; the oldest that is not lasting goes first."""

RECENT: Samples = samples(60)
"""Older notes explain no end of a connection, unless they are lasting."""

WIDTH = 79
"""Columns of a terminal's screen."""


class Source(Enum):
    """Who noticed it; the value is its name on screens and in JSON."""

    SIGNALLING = "signalling"
    """SIP: what the exchange or the far end said."""
    MEDIA = "media"
    """Packets, and whether there was sound in them."""
    MODULATION = "modulation"
    LINK = "link"
    """Error control and compression."""
    DTE = "terminal"
    PATH = "path"
    """What a gateway on the way did to the audio."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One link of the chain.

    Attributes:
        at: When it began, on the modem's clock.
        source: Who noticed it.
        text: What happened.
        clause: Of a Recommendation or RFC, or "".
        times: How often.
    """

    at: Samples
    source: Source
    text: str
    clause: str = ""
    times: int = 1

    def describe(self) -> str:
        """Return text, number and clause."""
        times = f", {self.times} times" if self.times > 1 else ""
        return f"{self.text}{times}" + (f" ({self.clause})" if self.clause else "")

    def as_dict(self, began: Samples) -> dict[str, object]:
        """Return the JSON object; times count from `began`."""
        return {
            "at_seconds": round((self.at - began) / SAMPLE_RATE, 2),
            "source": self.source.value,
            "text": self.text + (f", {self.times} times" if self.times > 1 else ""),
            "clause": self.clause,
        }


@dataclass(slots=True)
class _Note:
    cause: Cause
    key: str
    last: Samples
    lasting: bool


class Journal:
    """What was noticed during one call; bounded."""

    def __init__(self) -> None:
        self._notes: list[_Note] = []

    def note(self, cause: Cause, *, lasting: bool = False, key: str = "") -> None:
        """Keep a cause; one that says the same as an earlier one is counted there.

        Args:
            cause: What was noticed.
            lasting: It matters until the end of the call, however long that is.
            key: What makes it the same as an earlier one; its text by default.
        """
        key = key or cause.text
        for note in self._notes:
            known = note.cause
            if (known.source, note.key) == (cause.source, key):
                note.cause = replace(known, times=known.times + cause.times)
                note.last = max(note.last, cause.at)
                note.lasting |= lasting
                return
        self._notes.append(_Note(cause, key, cause.at, lasting))
        if len(self._notes) > NOTES:
            oldest = next((i for i, note in enumerate(self._notes) if not note.lasting), 0)
            del self._notes[oldest]

    def chain(self, symptom: Cause, extra: Sequence[Cause] = ()) -> tuple[Cause, ...]:
        """Return the chain that ends with a symptom.

        Args:
            symptom: What ended the call.
            extra: Causes that are known only now.
        """
        notes = [n for n in self._notes if n.lasting or n.last >= symptom.at - RECENT]
        causes = [note.cause for note in notes] + list(extra)
        causes = sorted((c for c in causes if c.text != symptom.text), key=lambda cause: cause.at)
        room = CHAIN - 1
        if len(causes) > room:
            # The beginning has the root, the end what it led to.
            causes = causes[: room - 3] + causes[-3:]
        return (*causes, symptom)


def screen(causes: Sequence[Cause], began: Samples) -> list[str]:
    """Return a chain as the lines of a screen; nothing for a chain that only repeats the reason.

    Args:
        causes: The chain.
        began: When the call began.
    """
    lines = []
    for cause in causes:
        head = f"{(cause.at - began) / SAMPLE_RATE:>7.1f} s  {cause.source.value:<11}"
        lines += textwrap.wrap(
            cause.describe(), WIDTH, initial_indent=head, subsequent_indent=" " * len(head)
        )
    return lines
