"""The four transaction state machines of RFC 3261 §17 with the Accepted state of RFC 6026, as tables.

A machine is a table (state, input) -> (actions, next state) and, for each state, the timers that run in it.
On entry to a state the timers it does not list stop, those it lists and which do not run yet start. A pair
absent from a table is a fault of ours. The tables do not know what a message is; `transaction` supplies that.
"""

from dataclasses import dataclass
from enum import Enum, auto

T1 = 0.5
"""Estimate of the round trip, s (RFC 3261 §17.1.1.1)."""

T2 = 4.0
"""Longest interval between retransmissions, s."""

T4 = 5.0
"""Longest time a message stays in the network, s."""

TIMEOUT = 64 * T1
"""Timers B, F, H, L, M and the wait for an ACK to a 2xx."""


class State(Enum):
    """States of RFC 3261 figures 5 to 8 and RFC 6026 §7."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class Timer(Enum):
    """Timers by their letters (RFC 3261 table 4; L and M: RFC 6026 §7)."""

    A = auto()
    B = auto()
    D = auto()
    E = auto()
    F = auto()
    G = auto()
    H = auto()
    I = auto()  # noqa: E741 (the RFC's letter)
    J = auto()
    K = auto()
    L = auto()
    M = auto()


class Received(Enum):
    """Inputs that are not timers."""

    PROVISIONAL = auto()
    SUCCESS = auto()
    FAILURE = auto()
    REQUEST = auto()
    ACK = auto()
    SEND_PROVISIONAL = auto()
    SEND_SUCCESS = auto()
    SEND_FAILURE = auto()
    TRANSPORT_ERROR = auto()


Input = Received | Timer


class Action(Enum):
    """What a transition asks the transaction layer to do."""

    DELIVER = auto()
    """Hand the received response to the transaction user."""
    SEND = auto()
    """Send the message given by the user, or again the one sent last."""
    ACK = auto()
    """Acknowledge the final response (INVITE client)."""
    TIMED_OUT = auto()
    UNREACHABLE = auto()


Transition = tuple[tuple[Action, ...], State]


@dataclass(frozen=True, slots=True)
class Machine:
    """One kind of transaction.

    Attributes:
        name: For traces.
        start: The first state.
        table: All transitions.
        timers: The timers that run in each state.
    """

    name: str
    start: State
    table: dict[tuple[State, Input], Transition]
    timers: dict[State, tuple[Timer, ...]]


_S, _R, _T, _A = State, Received, Timer, Action
_NONE: tuple[Action, ...] = ()

INVITE_CLIENT = Machine(
    "INVITE client",
    State.CALLING,
    {
        (_S.CALLING, _T.A): ((_A.SEND,), _S.CALLING),
        (_S.CALLING, _T.B): ((_A.TIMED_OUT,), _S.TERMINATED),
        (_S.CALLING, _R.PROVISIONAL): ((_A.DELIVER,), _S.PROCEEDING),
        (_S.CALLING, _R.SUCCESS): ((_A.DELIVER,), _S.ACCEPTED),
        (_S.CALLING, _R.FAILURE): ((_A.ACK, _A.DELIVER), _S.COMPLETED),
        (_S.CALLING, _R.TRANSPORT_ERROR): ((_A.UNREACHABLE,), _S.TERMINATED),
        (_S.PROCEEDING, _R.PROVISIONAL): ((_A.DELIVER,), _S.PROCEEDING),
        (_S.PROCEEDING, _R.SUCCESS): ((_A.DELIVER,), _S.ACCEPTED),
        (_S.PROCEEDING, _R.FAILURE): ((_A.ACK, _A.DELIVER), _S.COMPLETED),
        (_S.PROCEEDING, _R.TRANSPORT_ERROR): ((_A.UNREACHABLE,), _S.TERMINATED),
        (_S.ACCEPTED, _R.SUCCESS): ((_A.DELIVER,), _S.ACCEPTED),
        (_S.ACCEPTED, _R.PROVISIONAL): (_NONE, _S.ACCEPTED),
        (_S.ACCEPTED, _R.FAILURE): (_NONE, _S.ACCEPTED),
        (_S.ACCEPTED, _R.TRANSPORT_ERROR): (_NONE, _S.ACCEPTED),
        (_S.ACCEPTED, _T.M): (_NONE, _S.TERMINATED),
        (_S.COMPLETED, _R.FAILURE): ((_A.ACK,), _S.COMPLETED),
        (_S.COMPLETED, _R.PROVISIONAL): (_NONE, _S.COMPLETED),
        (_S.COMPLETED, _R.SUCCESS): (_NONE, _S.COMPLETED),
        (_S.COMPLETED, _R.TRANSPORT_ERROR): (_NONE, _S.TERMINATED),
        (_S.COMPLETED, _T.D): (_NONE, _S.TERMINATED),
    },
    {_S.CALLING: (_T.A, _T.B), _S.ACCEPTED: (_T.M,), _S.COMPLETED: (_T.D,)},
)
"""RFC 3261 figure 5, RFC 6026 §7.2."""

CLIENT = Machine(
    "client",
    State.TRYING,
    {
        (_S.TRYING, _T.E): ((_A.SEND,), _S.TRYING),
        (_S.TRYING, _T.F): ((_A.TIMED_OUT,), _S.TERMINATED),
        (_S.TRYING, _R.PROVISIONAL): ((_A.DELIVER,), _S.PROCEEDING),
        (_S.TRYING, _R.SUCCESS): ((_A.DELIVER,), _S.COMPLETED),
        (_S.TRYING, _R.FAILURE): ((_A.DELIVER,), _S.COMPLETED),
        (_S.TRYING, _R.TRANSPORT_ERROR): ((_A.UNREACHABLE,), _S.TERMINATED),
        (_S.PROCEEDING, _T.E): ((_A.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _T.F): ((_A.TIMED_OUT,), _S.TERMINATED),
        (_S.PROCEEDING, _R.PROVISIONAL): ((_A.DELIVER,), _S.PROCEEDING),
        (_S.PROCEEDING, _R.SUCCESS): ((_A.DELIVER,), _S.COMPLETED),
        (_S.PROCEEDING, _R.FAILURE): ((_A.DELIVER,), _S.COMPLETED),
        (_S.PROCEEDING, _R.TRANSPORT_ERROR): ((_A.UNREACHABLE,), _S.TERMINATED),
        (_S.COMPLETED, _R.PROVISIONAL): (_NONE, _S.COMPLETED),
        (_S.COMPLETED, _R.SUCCESS): (_NONE, _S.COMPLETED),
        (_S.COMPLETED, _R.FAILURE): (_NONE, _S.COMPLETED),
        (_S.COMPLETED, _R.TRANSPORT_ERROR): (_NONE, _S.TERMINATED),
        (_S.COMPLETED, _T.K): (_NONE, _S.TERMINATED),
    },
    {_S.TRYING: (_T.E, _T.F), _S.PROCEEDING: (_T.E, _T.F), _S.COMPLETED: (_T.K,)},
)
"""RFC 3261 figure 6."""

INVITE_SERVER = Machine(
    "INVITE server",
    State.PROCEEDING,
    {
        (_S.PROCEEDING, _R.REQUEST): ((_A.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _R.ACK): (_NONE, _S.PROCEEDING),
        (_S.PROCEEDING, _R.SEND_PROVISIONAL): ((_A.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _R.SEND_SUCCESS): ((_A.SEND,), _S.ACCEPTED),
        (_S.PROCEEDING, _R.SEND_FAILURE): ((_A.SEND,), _S.COMPLETED),
        (_S.PROCEEDING, _R.TRANSPORT_ERROR): (_NONE, _S.PROCEEDING),
        (_S.ACCEPTED, _R.REQUEST): (_NONE, _S.ACCEPTED),
        (_S.ACCEPTED, _R.ACK): (_NONE, _S.ACCEPTED),
        (_S.ACCEPTED, _R.SEND_SUCCESS): ((_A.SEND,), _S.ACCEPTED),
        (_S.ACCEPTED, _R.TRANSPORT_ERROR): (_NONE, _S.ACCEPTED),
        (_S.ACCEPTED, _T.L): (_NONE, _S.TERMINATED),
        (_S.COMPLETED, _R.REQUEST): ((_A.SEND,), _S.COMPLETED),
        (_S.COMPLETED, _R.ACK): (_NONE, _S.CONFIRMED),
        (_S.COMPLETED, _R.TRANSPORT_ERROR): (_NONE, _S.TERMINATED),
        (_S.COMPLETED, _T.G): ((_A.SEND,), _S.COMPLETED),
        (_S.COMPLETED, _T.H): (_NONE, _S.TERMINATED),
        (_S.CONFIRMED, _R.REQUEST): (_NONE, _S.CONFIRMED),
        (_S.CONFIRMED, _R.ACK): (_NONE, _S.CONFIRMED),
        (_S.CONFIRMED, _R.TRANSPORT_ERROR): (_NONE, _S.CONFIRMED),
        (_S.CONFIRMED, _T.I): (_NONE, _S.TERMINATED),
    },
    {_S.ACCEPTED: (_T.L,), _S.COMPLETED: (_T.G, _T.H), _S.CONFIRMED: (_T.I,)},
)
"""RFC 3261 figure 7, RFC 6026 §7.1.

Deviation: an undeliverable provisional response does not end the transaction (RFC 6026 §8.7), a later one may
arrive.
"""

SERVER = Machine(
    "server",
    State.TRYING,
    {
        (_S.TRYING, _R.REQUEST): (_NONE, _S.TRYING),
        (_S.TRYING, _R.SEND_PROVISIONAL): ((_A.SEND,), _S.PROCEEDING),
        (_S.TRYING, _R.SEND_SUCCESS): ((_A.SEND,), _S.COMPLETED),
        (_S.TRYING, _R.SEND_FAILURE): ((_A.SEND,), _S.COMPLETED),
        (_S.TRYING, _R.TRANSPORT_ERROR): (_NONE, _S.TRYING),
        (_S.PROCEEDING, _R.REQUEST): ((_A.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _R.SEND_PROVISIONAL): ((_A.SEND,), _S.PROCEEDING),
        (_S.PROCEEDING, _R.SEND_SUCCESS): ((_A.SEND,), _S.COMPLETED),
        (_S.PROCEEDING, _R.SEND_FAILURE): ((_A.SEND,), _S.COMPLETED),
        (_S.PROCEEDING, _R.TRANSPORT_ERROR): (_NONE, _S.TERMINATED),
        (_S.COMPLETED, _R.REQUEST): ((_A.SEND,), _S.COMPLETED),
        (_S.COMPLETED, _R.TRANSPORT_ERROR): (_NONE, _S.TERMINATED),
        (_S.COMPLETED, _T.J): (_NONE, _S.TERMINATED),
    },
    {_S.COMPLETED: (_T.J,)},
)
"""RFC 3261 figure 8."""

_FIXED = {_T.B: TIMEOUT, _T.F: TIMEOUT, _T.H: TIMEOUT, _T.L: TIMEOUT, _T.M: TIMEOUT}
_UNRELIABLE_ONLY = {_T.D: 32.0, _T.I: T4, _T.J: TIMEOUT, _T.K: T4}
RETRANSMISSION = frozenset({_T.A, _T.E, _T.G})


def first_interval(timer: Timer, reliable: bool) -> float | None:
    """Return how long a timer runs when it is started, s; None: it does not run on this transport.

    Spec: RFC 3261 table 4.
    """
    if timer in RETRANSMISSION:
        return None if reliable else T1
    if timer in _UNRELIABLE_ONLY:
        return 0.0 if reliable else _UNRELIABLE_ONLY[timer]
    return _FIXED[timer]


def next_interval(timer: Timer, interval: float, state: State) -> float:
    """Return the interval after one of `interval` s for a retransmission timer.

    A doubles without bound, E and G up to T2; E is T2 at once in Proceeding (RFC 3261 §17.1.1.2, §17.1.2.2,
    §17.2.1).
    """
    if timer is Timer.A:
        return 2 * interval
    if timer is Timer.E and state is State.PROCEEDING:
        return T2
    return min(2 * interval, T2)
