"""Our 2xx to an INVITE until its ACK."""

from collections.abc import Callable

from ansam.sip.core import Core
from ansam.sip.machines import T1, T2, TIMEOUT
from ansam.sip.message import Response
from ansam.sip.transaction import Key
from ansam.units import Seconds


class AckWait:
    """A 2xx to INVITE, sent again from T1 to T2 until its ACK comes (RFC 3261 §13.3.1.4).

    Also over TCP: what is reliable here may be UDP behind the next proxy.

    Args:
        core: The agent's.
        key: Of the INVITE's transaction.
        response: What is sent again.
        number: CSeq of the INVITE, and so of its ACK.
        on_silence: Called when no ACK has come for 32 s.
        now: The time.
    """

    def __init__(
        self,
        core: Core,
        key: Key,
        response: Response,
        number: int,
        on_silence: Callable[[Seconds], None],
        now: Seconds,
    ) -> None:
        self._core, self._key, self._response = core, key, response
        self.number = number
        self._interval = T1
        self._again = core.alarm(now + T1, self._resend)
        self._limit = core.alarm(now + TIMEOUT, on_silence)

    def _resend(self, now: Seconds) -> None:
        self._core.layer.respond(self._key, self._response, now)
        self._interval = min(2 * self._interval, T2)
        self._again = self._core.alarm(now + self._interval, self._resend)

    def stop(self) -> None:
        """Stop resending."""
        self._again.cancel()
        self._limit.cancel()
