"""Who asks: sessions, roles, and how often a password may be tried.

A session is a random token in a cookie; the server keeps its hash alone, in memory: a restart logs everybody
out. Whether the user still exists, with that password and which role, is looked at with every request.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ansam.config.web import Role, WebConfig, WebUser
from ansam.io.answer_passwords import verify_in_thread
from ansam.web.errors import Refused

SESSION_SECONDS = 12 * 3600
IDLE_SECONDS = 2 * 3600
MAX_SESSIONS = 1000
COOKIE = "ansam_session"

TRIES = 5
"""Wrong passwords of one address within `WINDOW_SECONDS`; then it has to wait."""
NAME_TRIES = 30
"""Wrong passwords for one name from all addresses; then only addresses it was right from may go on."""
WINDOW_SECONDS = 300.0
MAX_COUNTED = 4096
WAITING = 8
"""Passwords that wait to be verified; each takes 64 MiB and 50 ms of a core."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who may do something.

    Attributes:
        user: Name, "" where none is asked.
        role: What for.
        csrf: Token that state-changing requests carry.
    """

    user: str
    role: Role
    csrf: str = field(repr=False)


@dataclass(slots=True)
class _Session:
    user: str
    password_hash: str = field(repr=False)
    csrf: str = field(repr=False)
    began: float
    seen: float


class _Counter:
    """Counts failures by key over a sliding window."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Return the seconds until another try is allowed, 0 for now."""
        times = [at for at in self._failed.get(key, ()) if now - at < WINDOW_SECONDS]
        return times[-self._limit] + WINDOW_SECONDS - now if len(times) >= self._limit else 0.0

    def count(self, key: str, now: float) -> None:
        times = self._failed.setdefault(key, [])
        times[:] = [*(at for at in times if now - at < WINDOW_SECONDS), now][-self._limit :]
        self._failed.move_to_end(key)
        while len(self._failed) > MAX_COUNTED:
            self._failed.popitem(last=False)

    def forget(self, key: str) -> None:
        self._failed.pop(key, None)


class Doorkeeper:
    """Lets users in.

    Args:
        config: Who may; replaced by `replace_users` when the configuration is read again.
        clock: Monotonic seconds.
    """

    def __init__(self, config: WebConfig, clock: Clock = time.monotonic) -> None:
        self._open = Identity("", Role.ADMIN, secrets.token_urlsafe(24)) if config.open else None
        self._users: Mapping[str, WebUser] = {user.name: user for user in config.users}
        self._token = config.metrics_token
        self._clock = clock
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._addresses, self._names = _Counter(TRIES), _Counter(NAME_TRIES)
        self._proved: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._verifying = 0

    def replace_users(self, users: tuple[WebUser, ...]) -> None:
        """Take over other users; whether a login is asked at all stays as it was at the start."""
        self._users = {user.name: user for user in users}

    @property
    def open(self) -> bool:
        """Whether no login is asked."""
        return self._open is not None

    @property
    def sessions(self) -> int:
        """How many are logged in."""
        return len(self._sessions)

    def identify(self, token: str, *, busy: bool = True) -> Identity | None:
        """Return who a session's token belongs to; only who is busy stays logged in."""
        if self._open is not None:
            return self._open
        session = self._sessions.get(_digest(token)) if token else None
        if session is None:
            return None
        now = self._clock()
        user = self._users.get(session.user)
        expired = now - session.began > SESSION_SECONDS or now - session.seen > IDLE_SECONDS
        if user is None or user.password_hash != session.password_hash or expired:
            self._sessions.pop(_digest(token), None)
            return None
        if busy:
            session.seen = now
        return Identity(user.name, user.role, session.csrf)

    def reads_metrics(self, authorization: str) -> bool:
        """Return whether a header proves that Prometheus asks."""
        scheme, _, token = authorization.partition(" ")
        if not self._token or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(token.strip().encode("utf-8", "replace"), self._token.encode())

    async def login(self, name: str, password: str, address: str) -> tuple[str, Identity]:
        """Return the token of a new session.

        Raises:
            Refused: 401 for a wrong name or password, 429 for too many of them.
        """
        if self._open is not None:
            raise Refused(409, "no login is asked here")
        self._check_tries(name, address)
        user = self._users.get(name)
        self._verifying += 1
        try:
            fits = await verify_in_thread(user.password_hash if user else "", password.encode())
        finally:
            self._verifying -= 1
        now = self._clock()
        if user is None or not fits:
            self._addresses.count(address, now)
            self._names.count(name, now)
            raise Refused(401, "wrong user or password")
        self._addresses.forget(address)
        self._proved[name, address] = None
        while len(self._proved) > MAX_COUNTED:
            self._proved.popitem(last=False)
        return self._begin(user, now)

    def _check_tries(self, name: str, address: str) -> None:
        now = self._clock()
        wait = self._addresses.wait(address, now)
        if (name, address) not in self._proved:
            wait = max(wait, self._names.wait(name, now))
        if self._verifying >= WAITING:
            wait = max(wait, 1.0)
        if wait > 0:
            raise Refused(
                429, "too many tries", f"wait {wait:.0f} s", {"Retry-After": str(max(1, round(wait)))}
            )

    def _begin(self, user: WebUser, now: float) -> tuple[str, Identity]:
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        self._sessions[_digest(token)] = _Session(user.name, user.password_hash, csrf, now, now)
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return token, Identity(user.name, user.role, csrf)

    def logout(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(token), None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
