"""Where the judges write down what they find."""

from collections.abc import Mapping

from ansam.path.finding import Finding, Kind, Severity
from ansam.units import Samples

_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.FAULT: 2}


class Ledger:
    """Keeps one finding per kind: the newest figures, the worst severity, first and last time.

    Where the wrong law is read, that is all there is to say.
    """

    def __init__(self) -> None:
        self._found: dict[Kind, Finding] = {}
        self._new: list[Finding] = []

    def __contains__(self, kind: Kind) -> bool:
        return kind in self._found

    def add(
        self,
        kind: Kind,
        severity: Severity,
        text: str,
        evidence: Mapping[str, float],
        first: Samples,
        last: Samples,
    ) -> None:
        """Write down that something was seen between two instants."""
        if Kind.WRONG_LAW in self._found and kind is not Kind.WRONG_LAW:
            return
        if kind is Kind.WRONG_LAW and kind not in self._found:
            # What was made of a signal read wrongly means nothing.
            self._found.clear()
            self._new.clear()
        old = self._found.get(kind)
        if old is not None:
            first = min(first, old.first)
        worse = old is None or _RANK[severity] > _RANK[old.severity]
        if old is not None and not worse:
            severity = old.severity
        rounded = {name: round(float(value), 2) for name, value in evidence.items()}
        finding = Finding(kind, severity, text, rounded, first, last)
        self._found[kind] = finding
        if worse:
            self._new.append(finding)

    @property
    def findings(self) -> list[Finding]:
        """All, the worst first."""
        return sorted(self._found.values(), key=lambda f: (-_RANK[f.severity], f.first))

    def take(self) -> list[Finding]:
        """Return those that are new or worse since the last call."""
        new, self._new = self._new, []
        return new
