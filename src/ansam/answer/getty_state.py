"""The states of an answering line, and its times."""

from enum import Enum

from ansam.answer.chat import ChatStep
from ansam.units import Seconds

CHAT_TIMEOUT: Seconds = 10.0
CHAT_PAUSE: Seconds = 0.5
RING_TIMEOUT: Seconds = 10.0
"""No RING for this long: the caller has given up."""

QUIET: Seconds = 0.3
SETTLE_MAX: Seconds = 10.0
"""Even a line that never falls quiet is served after this long."""

RECALL_GUARD: Seconds = 1.2
"""Silence around ``+++``: S12's 1 s and a little."""

RECALL = (ChatStep(((RECALL_GUARD, b"+++"), (RECALL_GUARD, b"ATH0\r"), (2.0, b"")), b""),)
"""After DTR: what to say to a modem that does not answer, and when."""

ATA = (ChatStep(((0.0, b"ATA\r"),), b""),)
GARBLED = 3
"""So many octets that are no text, in answer to a command: the port runs at another speed."""


class GettyState(Enum):
    """Where the line is."""

    INIT = "setting up the modem"
    WAITING = "waiting for a call"
    CHECKING = "waiting for a call; the modem is asked whether it is there"
    RINGING = "counting RINGs"
    ANSWERING = "ATA was sent"
    SETTLING = "connected, waiting for quiet"
    PAUSE = "quiet; what the caller types now is kept"
    SESSION = "a caller is served"
    LINGERING = "the last words are on their way"
    HANGING_UP = "DTR is OFF"
    RECALLING = "the modem does not answer: it may still be on line"


IN_CALL = frozenset({GettyState.SETTLING, GettyState.PAUSE, GettyState.SESSION, GettyState.LINGERING})
"""Where circuit 109 going OFF ends a call."""
