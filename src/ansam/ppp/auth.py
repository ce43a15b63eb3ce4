"""Who calls: the authenticator's end of PAP (RFC 1334 §2) and of CHAP with MD5 (RFC 1994).

CHAP needs the password itself at both ends, so it knows only users with a `secret`. PAP sends the password
over the line; it is held against the user's `secret`, or where there is none against the hash that logins
use.
"""

import hashlib
import hmac
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol as Interface

from ansam.ppp.packet import Packet
from ansam.units import Seconds

CHALLENGE_EVERY: Seconds = 3.0
CHALLENGES = 10
PATIENCE: Seconds = 30.0
"""Seconds for a peer to say its name by PAP."""

PENALTY: Seconds = 2.0
"""Seconds that the answer to a wrong password is held back."""

_REQUEST, _GOOD, _BAD = 1, 2, 3
_CHALLENGE, _RESPONSE, _SUCCESS, _FAILURE = 1, 2, 3, 4
_WELCOME, _WRONG = b"Welcome", b"Login incorrect"


@dataclass(frozen=True, slots=True)
class Verify:
    """Hold a password against a hash and say `password_checked`; "" is the hash of nobody, and never fits."""

    user: str
    password_hash: str = field(repr=False)
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PppUser:
    """Who may call.

    Attributes:
        name: As the peer gives it.
        password_hash: argon2 in its encoded form, or "".
        secret: The password itself, or "": no CHAP.
    """

    name: str
    password_hash: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


class Outcome(Interface):
    """Takes what came of it: the user, or None with the name that was given."""

    def __call__(self, user: PppUser | None, name: str, now: Seconds) -> None:
        """Take it."""


def _shown(name: bytes) -> str:
    return "".join(char if char.isprintable() else "?" for char in name.decode("utf-8", "replace"))[:64]


class Authenticator(ABC):
    """What PAP and CHAP share: one answer, held back where it is no, said again where it got lost.

    Args:
        send: Takes packets for the peer.
        users: By name.
        outcome: Told once.
    """

    def __init__(
        self, send: Callable[[Packet], None], users: Mapping[str, PppUser], outcome: Outcome, now: Seconds
    ) -> None:
        self._send = send
        self._users = users
        self._outcome = outcome
        self._answer: Packet | None = None
        self._refusal: tuple[Packet, str] | None = None
        self._due: Seconds | None = now + PATIENCE
        self.orders: list[Verify] = []

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` wants to be called, or None."""
        return self._due

    def handle_timer(self, now: Seconds) -> None:
        """Let timers act; calling early is harmless."""
        if self._due is None or now < self._due:
            return
        self._due = None
        if self._refusal is not None:
            (self._answer, name), self._refusal = self._refusal, None
            self._send(self._answer)
            self._outcome(None, name, now)
        else:
            self.late(now)

    def late(self, now: Seconds) -> None:
        """Nothing has come."""
        self._outcome(None, "", now)

    @abstractmethod
    def receive(self, packet: Packet, now: Seconds) -> None:
        """Take a packet from the peer."""

    @abstractmethod
    def password_checked(self, order: Verify, fits: bool, now: Seconds) -> None:
        """Take the answer to `Verify`."""

    def _accept(self, user: PppUser, answer: Packet, now: Seconds) -> None:
        self._answer, self._due = answer, None
        self._send(answer)
        self._outcome(user, user.name, now)

    def _refuse(self, name: str, answer: Packet, now: Seconds) -> None:
        self._refusal, self._due = (answer, name), now + PENALTY

    def _repeat(self, identifier: int) -> bool:
        """Say again what was said; return whether anything is settled."""
        if self._answer is not None:
            self._send(Packet(self._answer.code, identifier, self._answer.data))
        return self._answer is not None or self._refusal is not None


class PapServer(Authenticator):
    """PAP: the peer sends name and password until it is answered."""

    _asked: tuple[int, str, PppUser | None] | None = None
    _order: Verify | None = None

    def receive(self, packet: Packet, now: Seconds) -> None:
        """Take an Authenticate-Request."""
        if packet.code != _REQUEST or self._repeat(packet.identifier) or self._asked is not None:
            return
        data = packet.data
        length = data[0] if data else 255
        name, rest = data[1 : 1 + length], data[1 + length :]
        if len(name) != length or not rest or len(rest) < 1 + rest[0]:
            return
        password = rest[1 : 1 + rest[0]]
        user = self._users.get(name.decode("utf-8", "replace"))
        self._asked = packet.identifier, _shown(name), user
        self._due = None
        if user is not None and user.secret:
            self._judge(hmac.compare_digest(user.secret.encode(), password), now)
        else:
            self._order = Verify(_shown(name), user.password_hash if user else "", password)
            self.orders.append(self._order)

    def password_checked(self, order: Verify, fits: bool, now: Seconds) -> None:
        """Take the answer to `Verify`; one of before the link was negotiated anew does not count."""
        if order is self._order:
            self._order = None
            self._judge(fits, now)

    def _judge(self, fits: bool, now: Seconds) -> None:
        assert self._asked is not None
        identifier, name, user = self._asked
        text = _WELCOME if fits and user else _WRONG
        answer = Packet(_GOOD if fits and user else _BAD, identifier, bytes([len(text)]) + text)
        if fits and user:
            self._accept(user, answer, now)
        else:
            self._refuse(name, answer, now)


class ChapServer(Authenticator):
    """CHAP: we send challenges until one is answered.

    Args:
        send: Takes packets for the peer.
        users: By name.
        outcome: Told once.
        now: Monotonic seconds.
        rng: Gives challenges.
        own: Our name.
    """

    def __init__(
        self,
        send: Callable[[Packet], None],
        users: Mapping[str, PppUser],
        outcome: Outcome,
        now: Seconds,
        rng: Random,
        own: str = "ansam",
    ) -> None:
        super().__init__(send, users, outcome, now)
        self._challenge = rng.randbytes(16)
        self._own = own.encode()
        self._identifier = rng.randrange(256)
        self._left = CHALLENGES
        self.late(now)

    def late(self, now: Seconds) -> None:
        """Send the challenge again, or give up."""
        if not self._left:
            self._outcome(None, "", now)
            return
        self._left -= 1
        value = bytes([len(self._challenge)]) + self._challenge + self._own
        self._send(Packet(_CHALLENGE, self._identifier, value))
        self._due = now + CHALLENGE_EVERY

    def password_checked(self, order: Verify, fits: bool, now: Seconds) -> None:
        """Nothing is asked for here: a challenge's answer is judged at once."""

    def receive(self, packet: Packet, now: Seconds) -> None:
        """Take a Response."""
        if (
            packet.code != _RESPONSE
            or packet.identifier != self._identifier
            or self._repeat(packet.identifier)
        ):
            return
        size = packet.data[0] if packet.data else 255
        value, name = packet.data[1 : 1 + size], packet.data[1 + size :]
        if len(value) != size:
            return
        user = self._users.get(name.decode("utf-8", "replace"))
        secret = user.secret.encode() if user is not None else b""
        # RFC 1994 §4.1: MD5 over identifier, secret and challenge.
        wanted = hashlib.md5(bytes([packet.identifier]) + secret + self._challenge, usedforsecurity=False)
        if user is not None and secret and hmac.compare_digest(wanted.digest(), value):
            self._accept(user, Packet(_SUCCESS, packet.identifier, _WELCOME), now)
        else:
            self._refuse(_shown(name), Packet(_FAILURE, packet.identifier, _WRONG), now)
