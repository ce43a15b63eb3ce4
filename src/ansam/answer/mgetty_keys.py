"""The options of mgetty 1.2.1: what kind of value each takes, and what becomes of it here."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What may stand behind a key."""

    NUMBER = "a number"
    TEXT = "text"
    YES_NO = "y or n"
    CHAT = "a chat script: expect send expect send …"
    FLOW = "hard, soft, xon, both or none"


class Effect(Enum):
    """What becomes of an option."""

    ACTS = "acts"
    NO_FAX = "is about fax, which is not answered here"
    OURS = "is ansam's own business here"
    NOT_HERE = "has no counterpart here"


@dataclass(frozen=True, slots=True)
class Option:
    """One key.

    Attributes:
        kind: Of its value.
        effect: Whether it acts here, or why not.
        needed: Whether a value must stand there.
    """

    kind: Kind
    effect: Effect = Effect.ACTS
    needed: bool = False


_N, _T, _Y, _C, _F = Kind.NUMBER, Kind.TEXT, Kind.YES_NO, Kind.CHAT, Kind.FLOW

OPTIONS: dict[str, Option] = {
    "speed": Option(_N, needed=True),
    "switchbd": Option(_N, Effect.NO_FAX, needed=True),
    "direct": Option(_Y),
    "blocking": Option(_Y, Effect.NOT_HERE),
    "port-owner": Option(_T),
    "port-group": Option(_T),
    "port-mode": Option(_N, needed=True),
    "toggle-dtr": Option(_Y),
    "toggle-dtr-waittime": Option(_N, needed=True),
    "open-delay": Option(_N, Effect.OURS, needed=True),
    "need-dsr": Option(_Y, Effect.NOT_HERE),
    "data-only": Option(_Y),
    "fax-only": Option(_Y),
    "modem-type": Option(_T),
    "modem-quirks": Option(_N, Effect.NO_FAX, needed=True),
    "init-chat": Option(_C),
    "force-init-chat": Option(_C),
    "post-init-chat": Option(_C),
    "data-flow": Option(_F, Effect.OURS),
    "fax-send-flow": Option(_F, Effect.NO_FAX),
    "fax-rec-flow": Option(_F, Effect.NO_FAX),
    "modem-check-time": Option(_N, needed=True),
    "rings": Option(_N, needed=True),
    "msn-list": Option(_C, Effect.NOT_HERE),
    "get-cnd-chat": Option(_C, Effect.OURS),
    "cid-program": Option(_T, Effect.NOT_HERE),
    "cnd-program": Option(_T),
    "answer-chat": Option(_C),
    "answer-chat-timeout": Option(_N, needed=True),
    "autobauding": Option(_Y),
    "ringback": Option(_Y),
    "ringback-time": Option(_N, needed=True),
    "ignore-carrier": Option(_Y),
    "issue-file": Option(_T),
    "prompt-waittime": Option(_N, needed=True),
    "login-prompt": Option(_T),
    "login-time": Option(_N, needed=True),
    "fido-send-emsi": Option(_Y),
    "login-env-ttyprompt-hack": Option(_Y, Effect.NOT_HERE),
    "login-conf-file": Option(_T),
    "fax-id": Option(_T, Effect.NO_FAX),
    "fax-min-speed": Option(_N, Effect.NO_FAX, needed=True),
    "fax-max-speed": Option(_N, Effect.NO_FAX, needed=True),
    "fax-server-file": Option(_T, Effect.NO_FAX),
    "diskspace": Option(_N, Effect.NO_FAX, needed=True),
    "notify": Option(_T, Effect.NO_FAX),
    "fax-owner": Option(_T, Effect.NO_FAX),
    "fax-group": Option(_T, Effect.NO_FAX),
    "fax-mode": Option(_N, Effect.NO_FAX, needed=True),
    "fax-spool-in": Option(_T, Effect.NO_FAX),
    "debug": Option(_N, needed=True),
    "statistics-chat": Option(_C, Effect.NOT_HERE),
    "statistics-file": Option(_T, Effect.NOT_HERE),
    "gettydefs": Option(_T, Effect.NOT_HERE),
    "term": Option(_T),
}
"""As Debian's mgetty lists them with ``-x9``."""

FLOWS = frozenset({"hard", "soft", "xon", "both", "none"})
MODEM_TYPES = ("auto", "data", "cls2", "c2.0", "c2.1", "cls1", "c1.0", "cls2ok")
SPEEDS = frozenset(
    {
        *(50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200),
        *(230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000),
        *(3500000, 4000000),
    }
)
"""Port speeds of termios(3), bit/s."""
