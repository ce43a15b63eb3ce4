"""What a SIP response means to a modem: the one place where signalling becomes call progress.

| responses | progress | result code |
|---|---|---|
| 180, 182, 183 | RINGING | RINGING |
| 486, 600, 603 | BUSY | BUSY |
| 408, 480, 487, 504 | NO_ANSWER | NO ANSWER |
| 404, 410, 416, 484, 485, 604 | NO_SUCH_NUMBER | NO CARRIER |
| 5xx, a dead transport (503) | UNREACHABLE | NO DIAL TONE |
| 401, 403, 488 and all others | REFUSED | NO CARRIER |

`ansam.sip.status.outcome` says what a status means; this says what a modem makes of it.
"""

from ansam.dce.progress import Progress
from ansam.sip.status import Outcome, outcome

_RINGING = frozenset({180, 182, 183})

_PROGRESS = {
    Outcome.BUSY: Progress.BUSY,
    Outcome.NO_ANSWER: Progress.NO_ANSWER,
    Outcome.CANCELLED: Progress.NO_ANSWER,
    Outcome.UNKNOWN_NUMBER: Progress.NO_SUCH_NUMBER,
    Outcome.INCOMPATIBLE: Progress.REFUSED,
    Outcome.REFUSED: Progress.REFUSED,
    Outcome.NETWORK: Progress.UNREACHABLE,
}


def progress_of(status: int) -> Progress | None:
    """Return what a response to our INVITE means.

    Args:
        status: 101 to 699.

    Returns:
        The progress, or None for a provisional response that says nothing (181, 199).
    """
    if status < 200:
        return Progress.RINGING if status in _RINGING else None
    return Progress.CONNECTED if status < 300 else _PROGRESS[outcome(status)]
