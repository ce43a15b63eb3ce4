"""Reliable provisional responses (RFC 3262), both sides, for peers that require them.

We never ask for them ourselves: an INVITE of ours names ``100rel`` only after a 421 has demanded it.
"""

from collections import deque
from collections.abc import Callable

from ansam.errors import RemoteProtocolError
from ansam.sip.core import Alarm, Core
from ansam.sip.fields import parse_number
from ansam.sip.machines import T1, TIMEOUT
from ansam.sip.message import Request, Response, cseq_of
from ansam.sip.transaction import Key
from ansam.units import Seconds

EXTENSION = "100rel"

MAX_RSEQ = (1 << 31) - 1

MAX_WAITING = 8
"""Provisional responses that wait for the PRACK of the one before; further ones are dropped."""


def rseq(response: Response) -> int | None:
    """Return RSeq of a provisional response that must be acknowledged, None for any other.

    Raises:
        RemoteProtocolError: It must be, but RSeq cannot be read.
    """
    if not 101 <= response.status <= 199 or EXTENSION not in response.headers.tokens("Require"):
        return None
    return parse_number(response.headers.one("RSeq"), "RSeq", (1 << 32) - 1)


class ReliableProvisionals:
    """Our provisional responses to one INVITE that requires ``100rel``, one at a time.

    Args:
        core: The user agent's services.
        key: The INVITE's server transaction.
        request: The INVITE.
        on_silence: Called when no PRACK came for 32 s.
    """

    def __init__(self, core: Core, key: Key, request: Request, on_silence: Callable[[Seconds], None]) -> None:
        self._core = core
        self._key = key
        self._cseq = cseq_of(request).number
        self._on_silence = on_silence
        # §3: between 1 and 2**31 - 1, so that it cannot wrap.
        self._next = core.rng.randrange(1, 1 << 30)
        self._sent: tuple[int, Response] | None = None
        self._waiting: deque[Callable[[tuple[tuple[str, str], ...]], Response]] = deque()
        self._alarms: list[Alarm] = []
        self._interval = T1

    def send(self, respond: Callable[[tuple[tuple[str, str], ...]], Response], now: Seconds) -> None:
        """Send a response, or keep it until the one before has its PRACK (§3).

        Args:
            respond: Sends it with these further fields and returns it.
            now: The time.
        """
        if self._sent is not None:
            if len(self._waiting) < MAX_WAITING:
                self._waiting.append(respond)
            return
        number, self._next = self._next, self._next + 1
        self._sent = number, respond((("Require", EXTENSION), ("RSeq", str(number))))
        self._interval = T1
        self._alarms = [
            self._core.alarm(now + T1, self._resend),
            self._core.alarm(now + TIMEOUT, self._on_silence),
        ]

    def _resend(self, now: Seconds) -> None:
        if self._sent is not None:
            self._core.layer.respond(self._key, self._sent[1], now)
            self._interval *= 2
            self._alarms.append(self._core.alarm(now + self._interval, self._resend))

    def acknowledge(self, prack: Request, now: Seconds) -> bool:
        """Take a PRACK; False if it acknowledges nothing that is open (answer 481).

        Raises:
            RemoteProtocolError: RAck cannot be read.
        """
        parts = prack.headers.one("RAck").split()
        if len(parts) != 3:
            raise RemoteProtocolError("unreadable RAck", "RFC 3262 §7.2")
        number = parse_number(parts[0], "RAck", (1 << 32) - 1)
        cseq = parse_number(parts[1], "RAck", MAX_RSEQ)
        if self._sent is None or (number, cseq, parts[2]) != (self._sent[0], self._cseq, "INVITE"):
            return False
        self._settle()
        if self._waiting:
            self.send(self._waiting.popleft(), now)
        return True

    def _settle(self) -> None:
        self._sent = None
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()

    def stop(self) -> None:
        """A final response is on its way: resend nothing any more."""
        self._settle()
        self._waiting.clear()
