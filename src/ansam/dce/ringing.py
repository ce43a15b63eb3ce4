"""A call that rings: RING and who calls, circuit 125, and when S0 answers it."""

from ansam.at.interpreter import Interpreter
from ansam.at.results import Result
from ansam.dce.terminal import RING_PERIOD, TerminalSide
from ansam.units import Samples


class Ringing:
    """Of one modem.

    Args:
        at: Writes the results and holds the settings.
        terminal: What they are for.

    Attributes:
        caller: Who rings or rang last.
    """

    def __init__(self, at: Interpreter, terminal: TerminalSide) -> None:
        self.caller = ""
        self._facts = ("", "")
        self._at = at
        self._terminal = terminal

    @property
    def active(self) -> bool:
        """Whether a call rings."""
        return self._terminal.ringing_since is not None

    def due(self) -> Samples | None:
        """Return when the next RING is due, or None."""
        return self._terminal.next_ring if self.active else None

    def begin(self, caller: str, name: str, stamp: str, now: Samples) -> None:
        """A call rings from now on; `ring` for the first RING. See `Dce.incoming_call`."""
        self._at.settings.s[1] = 0
        self.caller, self._facts = caller, (name, stamp)
        self._terminal.begin_ringing(now)

    def ring(self, now: Samples) -> bool:
        """Give a RING, and after the first one who calls; return whether the modem is to answer (S0)."""
        s = self._at.settings.s
        s[1] += 1
        self._terminal.next_ring += RING_PERIOD
        self._at.unsolicited(Result.RING, now)
        if s[1] == 1:
            self._at.caller(self.caller, *self._facts, now)
        self._terminal.say(self._at.take_output())
        return bool(s[0] and s[1] >= s[0] and self._terminal.may_answer)

    def stop(self) -> None:
        """It rings no more."""
        self._terminal.stop_ringing()
        self._at.settings.s[1] = 0
