"""Call records: what `ansam calls` lists, one for every call that was tried, answered or not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ansam.units import Seconds


class Cause(Enum):
    """Why a call ended."""

    CALLER_HUNG_UP = "caller hung up"
    CALLEE_HUNG_UP = "callee hung up"
    CANCELLED = "cancelled"
    NO_ANSWER = "no answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNKNOWN_NUMBER = "unknown number"
    NOT_REGISTERED = "not registered"
    UNREACHABLE = "unreachable"
    CONGESTION = "congestion"
    LOST = "connection lost"
    SHUTDOWN = "exchange stopped"
    EXCHANGE_DIED = "exchange died"


@dataclass(frozen=True, slots=True)
class Carried:
    """What one end of a relayed call sent.

    Attributes:
        packets: RTP packets that came.
        lost: Those that are missing, by their sequence numbers.
    """

    packets: int
    lost: int


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call in progress.

    Attributes:
        identity: Names it, as long as this exchange runs.
        caller: Number of the caller.
        callee: Number dialled.
        started: When it came in, in the clock of the engine.
        answered: When it was answered, or None.
        answered_by: Number that answered, or "".
        trunk: Name of the trunk it came or goes through, or "".
    """

    identity: int
    caller: str
    callee: str
    started: Seconds
    answered: Seconds | None = None
    answered_by: str = ""
    trunk: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call.

    Attributes:
        caller: Number of the calling extension (as authenticated, not as claimed).
        callee: Number dialled.
        started: When the call came in, in the clock of the engine.
        answered: When it was answered, or None.
        ended: When it was over.
        cause: Why it ended.
        status: SIP status the caller saw: 200 for an answered call.
        reason: What the end that hung up, or refused, said about it: "" where it said nothing.
        answered_by: Number of the extension that answered: another than `callee` for groups and forwarding.
        from_caller: What the caller sent, where the exchange relayed it.
        from_callee: What the callee sent.
        identity: That of its `OpenCall`; None for a call that never was in progress.
        trunk: Name of the trunk it came or went through, or "".
        caller_modem: What the caller's modem said of the call; see `call.modem_facts`. Empty: nothing.
        callee_modem: The same of the callee's.
        note: What a service of the exchange found, such as the line doctor's grade.
    """

    caller: str
    callee: str
    started: Seconds
    answered: Seconds | None
    ended: Seconds
    cause: Cause
    status: int
    reason: str = ""
    answered_by: str = ""
    from_caller: Carried | None = None
    from_callee: Carried | None = None
    identity: int | None = None
    trunk: str = ""
    caller_modem: Mapping[str, Any] = field(default_factory=dict)
    callee_modem: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def duration(self) -> Seconds:
        """Seconds of talk: 0 for a call that was not answered."""
        return 0.0 if self.answered is None else self.ended - self.answered
