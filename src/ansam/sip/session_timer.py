"""Session timers (RFC 4028): a call whose other end vanished without a BYE is noticed and ended.

::

    asks:     INVITE  Session-Expires: 1800[;refresher=…]     too short: 422 with Min-SE, asked again
    grants:   2xx     Session-Expires: 1800;refresher=uac|uas
    refresher ── half the interval ──> UPDATE or re-INVITE ──> granted anew
    other     ── no refresh until shortly before the end ──> BYE

The roles ``uac`` and ``uas`` are those of the transaction that granted, not of the call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ansam.errors import RemoteProtocolError
from ansam.sip.core import Alarm, Core
from ansam.sip.fields import parse_number
from ansam.sip.message import Message, Request, Response
from ansam.sip.uri import find_parameter, parse_parameters
from ansam.units import Seconds

MIN_SE = 90
"""No smaller interval is granted or needs to be (RFC 4028 §4)."""

MAX_INTERVAL = 86_400
"""A longer interval is granted as this one; it would end no call in time."""

GRACE = 32.0
"""The BYE of the side that waits comes at most so long before the end (RFC 4028 §10)."""

Refresher = Literal["uac", "uas"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Value of Session-Expires.

    Attributes:
        seconds: From one refresh to the end.
        refresher: Who refreshes; None where it is left open.
    """

    seconds: int
    refresher: Refresher | None = None

    def __str__(self) -> str:
        return str(self.seconds) + (f";refresher={self.refresher}" if self.refresher else "")


def session_expires(message: Message) -> Interval | None:
    """Read Session-Expires, None where there is none.

    Raises:
        RemoteProtocolError: Not a number of seconds.
    """
    value = message.headers.first("Session-Expires")
    if not value:
        return None
    number, _, rest = value.partition(";")
    seconds = min(parse_number(number, "Session-Expires", (1 << 31) - 1), MAX_INTERVAL)
    who = (find_parameter(parse_parameters(rest), "refresher") or "").lower()
    return Interval(seconds, "uac" if who == "uac" else "uas" if who == "uas" else None)


def min_se(message: Message) -> int:
    """Return Min-SE, `MIN_SE` where there is none that can be read."""
    try:
        number = parse_number(message.headers.first("Min-SE").partition(";")[0], "Min-SE", MAX_INTERVAL)
    except RemoteProtocolError:
        return MIN_SE
    return max(number, MIN_SE)


def too_short(request: Request) -> bool:
    """Return True if the interval asked for must be refused with 422.

    Spec: RFC 4028 §9: only a client that knows session timers can make sense of the refusal.
    """
    asked = session_expires(request)
    return asked is not None and asked.seconds < MIN_SE and "timer" in request.headers.tokens("Supported")


def grant(request: Request, wanted: int | None = None) -> Interval | None:
    """Return what a 2xx to the request says, None for a session without an end.

    Args:
        request: INVITE or UPDATE.
        wanted: Interval of our own where the client asks for none, s; we refresh then. None: no timer.

    Spec: RFC 4028 §9, table 2. Where the client leaves it open, it refreshes if it can: it is the one that
    wants the timer.
    """
    asked = session_expires(request)
    if asked is None:
        return None if wanted is None else Interval(max(wanted, MIN_SE), "uas")
    knows = "timer" in request.headers.tokens("Supported")
    return Interval(max(asked.seconds, MIN_SE), (asked.refresher or "uac") if knows else "uas")


def granting_fields(granted: Interval | None) -> tuple[tuple[str, str], ...]:
    """Return the fields of a 2xx that grants."""
    if granted is None:
        return ()
    required = (("Require", "timer"),) if granted.refresher == "uac" else ()
    return (*required, ("Session-Expires", str(granted)))


def granted_by(response: Response) -> Interval | None:
    """Return what a 2xx grants; one that cannot be read grants nothing."""
    try:
        found = session_expires(response)
    except RemoteProtocolError:
        return None
    return None if found is None else Interval(max(found.seconds, MIN_SE), found.refresher or "uac")


def asking_fields(wanted: Interval | None, minimum: int) -> tuple[tuple[str, str], ...]:
    """Return the fields of a request that asks for an interval; `minimum` is what a 422 has taught."""
    if wanted is None:
        return ()
    least = (("Min-SE", str(minimum)),) if minimum > MIN_SE else ()
    return (("Session-Expires", str(wanted)), *least)


class SessionTimer:
    """The timer of one call.

    Args:
        core: The user agent's services.
        refresh: Called at half the interval where the refresh is ours.
        expire: Called when the session must be ended.

    Attributes:
        interval: Seconds granted, None: no end.
        ours: We refresh.
        minimum: Largest Min-SE a 422 has named.
    """

    def __init__(
        self, core: Core, refresh: Callable[[Seconds], None], expire: Callable[[Seconds], None]
    ) -> None:
        self._core = core
        self._refresh = refresh
        self._expire = expire
        self._alarms: list[Alarm] = []
        self.interval: int | None = None
        self.ours = False
        self.minimum = MIN_SE

    def start(self, granted: Interval | None, role: Refresher, now: Seconds) -> None:
        """Run anew after a 2xx.

        Args:
            granted: What it said.
            role: Ours in its transaction.
            now: The time.
        """
        self.stop()
        self.interval = None if granted is None else granted.seconds
        if granted is None:
            return
        self.ours = granted.refresher == role
        if self.ours:
            self._alarms.append(self._core.alarm(now + granted.seconds / 2, self._refresh))
            end = now + granted.seconds
        else:
            # §10: a third of the interval early where that is less.
            end = now + granted.seconds - min(GRACE, granted.seconds / 3)
        self._alarms.append(self._core.alarm(end, self._expire))

    def again(self, now: Seconds, seconds: Seconds) -> None:
        """Refresh once more after a refusal; the end stays where it is."""
        self._alarms.append(self._core.alarm(now + seconds, self._refresh))

    def stop(self) -> None:
        """Forget all alarms."""
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()

    def wanted(self) -> Interval | None:
        """Return what a request of ours within the call asks for: the roles stay as they are (§7.4)."""
        if self.interval is None:
            return None
        return Interval(max(self.interval, self.minimum), "uac" if self.ours else "uas")
