"""What a call's statistics say beside lost packets, in words: for the chain of causes (`dce.causes`)."""

from typing import NamedTuple

from ansam.call.statistics import CallStatistics
from ansam.dce.causes import Source
from ansam.path import Severity

TEXTS = {
    "resyncs": "the stream of packets jumped and was taken up anew",
    "refused": "packets were refused: another source, SSRC or payload type than agreed on",
    "late": "packets came too late for the playout delay (;playout=MS makes it longer)",
}
"""By attribute of `CallStatistics`: a count that grows."""


class Noticed(NamedTuple):
    """Something that may explain the end of a call; see `Dce.observed`."""

    source: Source
    text: str
    lasting: bool


class MediaFacts:
    """Compares statistics of one call with those before."""

    def __init__(self) -> None:
        self._before = dict.fromkeys(TEXTS, 0)
        self._found: set[object] = set()

    def update(self, statistics: CallStatistics) -> list[Noticed]:
        """Return what has happened since the last call, in sentences that are the same each time."""
        said = []
        for name, text in TEXTS.items():
            count = int(getattr(statistics, name))
            if count > self._before[name]:
                said.append(Noticed(Source.MEDIA, text, lasting=False))
            self._before[name] = count
        for finding in statistics.findings:
            if finding["kind"] not in self._found:
                self._found.add(finding["kind"])
                if finding["severity"] != Severity.INFO.value:
                    said.append(Noticed(Source.PATH, f"{finding['kind']}: {finding['text']}", lasting=True))
        return said
