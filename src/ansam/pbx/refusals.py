"""What a caller is told where no place answered."""

from collections.abc import Sequence

from ansam.pbx.records import Cause
from ansam.pbx.search import Refusal
from ansam.sip.events import CallFailed


def refusal_of(failures: Sequence[CallFailed]) -> Refusal:
    """Choose what the caller is told where no place answered.

    A 6xx speaks for the callee as a whole; then busy and declined say more than a place that could not be
    reached.

    Spec: RFC 3261 §16.7 step 6. A 401 or 407 challenges the exchange and not the caller, a 3xx names places
    the exchange does not follow, and a 503 would turn the caller away from the exchange: they become 480.
    """
    best = min(failures, key=_rank)
    status = best.status
    if status < 400 or status in (401, 407, 503):
        return Refusal(480, "Temporarily Unavailable", Cause.UNREACHABLE)
    if status in (486, 600):
        return Refusal(status, best.reason, Cause.BUSY)
    if status == 408:
        return Refusal(status, best.reason, Cause.UNREACHABLE)
    return Refusal(status, best.reason, Cause.REJECTED)


def _rank(failure: CallFailed) -> int:
    status = failure.status
    if status >= 600:
        return 0
    if status == 486:
        return 1
    if status in (401, 407, 408, 480, 487, 503) or status < 400:
        return 3
    return 2
