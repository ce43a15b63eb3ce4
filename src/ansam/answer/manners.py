"""How an answering line handles its modem, beyond its settings: what an `mgetty.config` can ask for."""

from dataclasses import dataclass

from ansam.answer.chat import ChatStep
from ansam.units import Seconds

NO_CALLER = "none"
"""What stands for the number of a caller who sends none, as mgetty has it."""

_SEPARATORS = str.maketrans(",\t", "  ")


@dataclass(frozen=True, slots=True)
class CallerRules:
    """Who may call, `dialin.config`: the first rule that fits decides, and everyone else may.

    Attributes:
        rules: Beginnings of numbers; ``!`` in front keeps the caller out, ``all`` fits everyone.
    """

    rules: tuple[str, ...] = ()

    def allow(self, caller: str) -> bool:
        """Return whether a caller is let in.

        Args:
            caller: Number, or ``none``.
        """
        for rule in self.rules:
            number = rule.removeprefix("!")
            if number == "all" or caller.startswith(number):
                return not rule.startswith("!")
        return True


def parse_dialin(text: str) -> CallerRules:
    """Return the rules of a `dialin.config`: words between blanks and commas; ``#`` comments a line."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return CallerRules(tuple(word for line in lines for word in line.translate(_SEPARATORS).split()))


@dataclass(frozen=True, slots=True)
class Manners:
    """How the modem is handled.

    Attributes:
        toggle_dtr: Turn DTR OFF and ON before setting the modem up.
        dtr_low: Seconds DTR stays OFF, there and after each call.
        init: Script that sets the modem up instead of the settings' `init`.
        force_init: Script that brings a modem back which does not answer, instead of ``+++`` and ``ATH0``.
        answer: What is said and heard before CONNECT may come, instead of ``ATA``.
        check_time: Ask a modem that waits ``AT`` every so many seconds (0: never).
        ringback: Leave the first call alone and answer one that comes soon after it.
        ringback_time: Seconds between the two.
        ignore_carrier: Circuit 109 says nothing here.
        autobaud: The port takes the rate of the connection.
        callers: Who may call.
        caller_program: Program that says who may call by its exit status, or "".
    """

    toggle_dtr: bool = False
    dtr_low: Seconds = 1.0
    init: tuple[ChatStep, ...] = ()
    force_init: tuple[ChatStep, ...] = ()
    answer: tuple[ChatStep, ...] = ()
    check_time: Seconds = 0.0
    ringback: bool = False
    ringback_time: Seconds = 30.0
    ignore_carrier: bool = False
    autobaud: bool = False
    callers: CallerRules = CallerRules()
    caller_program: str = ""


class Doorbell:
    """Counts RINGs and decides whether to answer.

    Args:
        manners: Of the line.
        rings: RINGs before answering.
    """

    def __init__(self, manners: Manners, rings: int) -> None:
        self.caller = NO_CALLER
        self.refused = False
        self._manners = manners
        self._needed = rings
        self._rings = 0
        self._first_call: Seconds | None = None
        self._expected = True

    def ring(self, now: Seconds) -> bool:
        """Count a RING; return whether the call is to be answered now."""
        self._rings += 1
        if self._rings == 1:
            self._expected = not self._manners.ringback or self._called_before(now)
        if not self._expected or self.refused or self._rings < self._needed:
            return False
        self.refused = not self._manners.callers.allow(self.caller)
        return not self.refused

    def _called_before(self, now: Seconds) -> bool:
        return self._first_call is not None and now - self._first_call <= self._manners.ringback_time

    def silent(self, since: Seconds) -> None:
        """The caller has given up.

        Args:
            since: When the last RING came, monotonic seconds.
        """
        if not self._expected:
            self._first_call = since
        self.clear()

    def answered(self) -> None:
        """The call was taken: the next one is a first one again."""
        self._first_call = None

    def clear(self) -> None:
        """Forget the call, not that there was one."""
        self.caller = NO_CALLER
        self.refused = False
        self._rings = 0
