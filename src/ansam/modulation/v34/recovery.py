"""Data mode after a jump of the signal: what is tried before anybody is asked to train anew.

::

    guesses ─► the signal, some samples away? ─ found ─► the superframe? ─ found ─► data
       │            (every 20 ms)                           (every 60 ms)
       └────── 0.2 s ────► a matter of the rate ◄─────── 1.2 s ──┘
"""

from ansam.modulation.v34.course import Course
from ansam.units import Samples, samples

HOPE: Samples = samples(0.2)
"""So long the signal is looked for; then the line is bad, and has not jumped."""
ENOUGH: Samples = samples(0.2)
"""Until the superframe is looked for: in much less than a whole one (0.28 s) a wrong place may look right."""
SEARCH: Samples = samples(0.06)
PATIENCE: Samples = samples(1.2)
"""So long the superframe is looked for: four of them, or the signal may have jumped again."""


class Recovery:
    """Watches one receiver.

    Args:
        course: What all steps share.
    """

    def __init__(self, course: Course) -> None:
        self._course = course
        self._since: Samples | None = None
        self._search_at: Samples = 0

    def begin(self) -> None:
        """Data mode begins."""
        self._since = None

    def pursue(self, t: Samples) -> bool:
        """Do what can be done now; return whether that may help, so that nothing else need be done."""
        rx = self._course.rx
        if rx.searching:
            return self._search(t)
        rx.look_back()
        if not rx.guesses:
            self._since = None
            return False
        if self._since is None:
            self._since = t
        if t - self._since > HOPE:
            return False
        if rx.follow_slip():
            self._course.note(t, "signal jumped", after=t - self._since)
            self._since = t
            self._search_at = t + ENOUGH
        return True

    def _search(self, t: Samples) -> bool:
        assert self._since is not None
        if self._course.rx.guesses and self._course.rx.follow_slip():
            self._course.note(t, "signal jumped again", after=t - self._since)
            self._search_at = t + ENOUGH
        if t >= self._search_at:
            self._search_at = t + SEARCH
            if self._course.rx.resynchronise():
                self._course.note(t, "superframe found", after=t - self._since)
                self._since = None
                return True
        if t - self._since > PATIENCE:
            self._course.rx.stop_searching()
            # What comes now is no jump any more.
            self._since = t - HOPE
            return False
        return True
