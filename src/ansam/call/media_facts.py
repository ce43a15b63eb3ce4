"""What a call's statistics say beside lost packets, in words: for the chain of causes (`dce.causes`)."""

from ansam.call.call import CallStatistics

TEXTS = {
    "resyncs": "the stream of packets jumped and was taken up anew",
    "refused": "packets were refused: another source, SSRC or payload type than agreed on",
    "late": "packets came too late for the playout delay (;playout=MS makes it longer)",
}
"""By attribute of `CallStatistics`: a count that grows."""


class MediaFacts:
    """Compares statistics of one call with those before."""

    def __init__(self) -> None:
        self._before = dict.fromkeys(TEXTS, 0)
        self._found: set[object] = set()

    def update(self, statistics: CallStatistics) -> list[str]:
        """Return what has happened since the last call, as sentences that are the same each time."""
        said = []
        for name, text in TEXTS.items():
            count = int(getattr(statistics, name))
            if count > self._before[name]:
                said.append(text)
            self._before[name] = count
        for finding in statistics.findings:
            if finding["kind"] not in self._found:
                self._found.add(finding["kind"])
                said.append(f"{finding['kind']}: {finding['text']}")
        return said
