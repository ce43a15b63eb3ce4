"""The watch on one call's received path.

::

    received codewords ─┐                      ┌─► take_findings(): new ones
    what we send ───────┼─► frames of 160 ──►──┤
    facts ──────────────┘                      └─► findings: all, with their newest figures
"""

from ansam.codec import Law
from ansam.path.facts import ModemFacts, NetworkFacts
from ansam.path.finding import Finding, Kind
from ansam.units import Codewords, Samples


class PathWatch:
    """Watches the received path of one call, in constant memory.

    Feed `receive` and `send` in lock step, in pieces of any size; the findings do not depend on how the
    stream was cut. Facts are optional and sharpen the judgement: call `note_modem` and `note_network`
    about once a second, and when data mode begins or ends.

    Args:
        law: What the received octets were negotiated to be; `Law.ALAW` or `Law.ULAW`.

    Attributes:
        now: Samples received so far.
    """

    def __init__(self, law: Law) -> None:
        self.law = law
        self.now: Samples = 0
        self._found: dict[Kind, Finding] = {}
        self._new: list[Finding] = []

    def receive(self, codewords: Codewords, erased: bool = False) -> None:
        """Take received octets.

        Args:
            codewords: Shape (n,).
            erased: They never arrived; their values mean nothing.
        """
        self.now += len(codewords)

    def send(self, codewords: Codewords) -> None:
        """Take the octets we send at the same time, shape (n,)."""

    def note_modem(self, facts: ModemFacts) -> None:
        """Take what the modem knows now."""

    def note_network(self, facts: NetworkFacts) -> None:
        """Take what came beside the audio so far."""

    @property
    def findings(self) -> list[Finding]:
        """All findings so far, each once per kind with its newest figures, the worst first."""
        return list(self._found.values())

    def take_findings(self) -> list[Finding]:
        """Return what is new since the last call: a kind seen for the first time, or grown worse."""
        new, self._new = self._new, []
        return new
