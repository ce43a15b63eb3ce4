"""The challenging side of digest authentication.

A nonce is a time stamp signed with the server's key for one client address (RFC 7616 §5.4), so that nothing
is stored for someone who merely knocks. Only a nonce that was answered with the right password is remembered,
with a window over its counter, to refuse replays (RFC 7616 §5.5). That memory is bounded: when a nonce must
be forgotten, all nonces as old are declared stale, so forgetting never opens a replay.
"""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.sip.digest import ALGORITHMS, Credentials, answer_digest, digest, parse_digest
from ansam.sip.headers import quote
from ansam.sip.message import Request
from ansam.sip.uri import parse_uri
from ansam.units import Seconds

__all__ = ["AuthServer", "Check", "Credentials", "Ha1", "Verdict"]

MAX_NONCES = 4096
"""Answered nonces remembered."""

_WINDOW = 64
"""Counters that may come out of order (parallel requests over UDP)."""

_STAMP = 8
_SERIAL = 4
_MAC = 16


@dataclass(frozen=True, slots=True)
class Ha1:
    """Hashes of ``user:realm:password`` in lower-case hex, for a server that keeps no passwords.

    An algorithm left at None cannot be used by that user.
    """

    md5: str | None = field(default=None, repr=False)
    sha256: str | None = field(default=None, repr=False)


class Verdict(Enum):
    """What became of the credentials of a request."""

    ACCEPTED = "accepted"
    MISSING = "missing"
    STALE = "stale"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """A verdict and the user name it concerns ("" if none was given)."""

    verdict: Verdict
    username: str = ""


class AuthServer:
    """Issues challenges and checks their answers.

    Args:
        realm: The protection domain, part of every hash.
        lookup: Gives the password, an `Ha1`, or None for an unknown user. An unknown user takes as long to
            refuse as a wrong password.
        key: At least 16 random octets that sign the nonces.
        algorithms: Offered, the preferred first (RFC 8760 §2.3); ("MD5",) for peers that stumble over two
            challenges.
        nonce_life: How long a nonce is good for, s.
        closed: Tells whether a user's credentials are refused from an address, whatever they are; given the
            user, the address and the time.
    """

    def __init__(
        self,
        realm: str,
        lookup: Callable[[str], str | Ha1 | None],
        key: bytes,
        *,
        algorithms: tuple[str, ...] = ("SHA-256", "MD5"),
        nonce_life: Seconds = 300.0,
        closed: Callable[[str, str, Seconds], bool] = lambda user, source, now: False,
    ) -> None:
        if len(key) < 16:
            raise LocalProtocolError("the key that signs nonces needs 16 octets or more")
        if not algorithms or not set(algorithms) <= set(ALGORITHMS):
            raise LocalProtocolError(f"digest algorithms must be among {', '.join(ALGORITHMS)}: {algorithms}")
        self.realm = realm
        self._lookup = lookup
        self._key = key
        self._algorithms = algorithms
        self._life = nonce_life
        self._closed = closed
        self._serial = 0
        self._used: dict[str, tuple[int, int]] = {}
        self._floor = -1

    def challenges(self, now: Seconds, stale: bool = False, source: str = "") -> list[str]:
        """Return the values of WWW-Authenticate, one per algorithm, for one fresh nonce.

        Args:
            now: The time.
            stale: Tell the client that its password was right and its nonce too old.
            source: IP address of the client; from elsewhere the nonce is worth nothing.
        """
        nonce = self._nonce(now, source)
        tail = ", stale=true" if stale else ""
        return [
            f'Digest realm={quote(self.realm)}, nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}'
            for algorithm in self._algorithms
        ]

    def check(self, request: Request, now: Seconds, source: str = "") -> Check:
        """Judge the credentials of a request for our realm.

        WRONG covers an unknown user, a wrong password, a counter that is none, and a digest-uri that is not
        the Request-URI, always under a nonce that was sent to `source`; STALE covers all other nonces and
        replayed counters.
        """
        for value in request.headers.all("Authorization"):
            try:
                found = parse_digest(value)
            except RemoteProtocolError:
                continue
            if found.get("realm") == self.realm:
                username = found.get("username", "")
                return Check(self._judge(found, request, now, source), username)
        return Check(Verdict.MISSING)

    def _judge(self, found: dict[str, str], request: Request, now: Seconds, source: str) -> Verdict:
        algorithm = found.get("algorithm", "MD5").upper()
        qop = None
        if "qop" in found:
            qop = (found.get("nc", ""), found.get("cnonce", ""), found["qop"])
        username = found.get("username", "")
        ha1 = self._ha1(username, algorithm)
        if self._closed(username, source, now):
            ha1 = None
        nonce = found.get("nonce", "")
        if algorithm not in self._algorithms or (qop is not None and qop[2].lower() != "auth"):
            return Verdict.WRONG
        # An unknown user is measured against a hash nobody can hit.
        expected = answer_digest(
            algorithm,
            ha1 or digest(algorithm, self._key.hex()),
            request.method,
            found.get("uri", ""),
            nonce,
            qop,
        )
        given = found.get("response", "").lower()
        right = hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
        issued = self._issued(nonce, source)
        if issued is None or not -1.0 <= now - issued / 1000 <= self._life or issued <= self._floor:
            # RFC 7616 §3.3: stale only if the digest was right; otherwise the user should be asked again.
            return Verdict.STALE if right and ha1 else Verdict.WRONG if issued is not None else Verdict.STALE
        if not right or ha1 is None or not _same_target(found.get("uri", ""), request.uri):
            return Verdict.WRONG
        return self._count(nonce, issued, qop[0] if qop else None)

    def _ha1(self, username: str, algorithm: str) -> str | None:
        secret = self._lookup(username)
        if isinstance(secret, Ha1):
            return {"MD5": secret.md5, "SHA-256": secret.sha256}.get(algorithm)
        if algorithm not in ALGORITHMS:
            return None
        hashed = digest(algorithm, username, self.realm, secret or "")
        return None if secret is None else hashed

    def _count(self, nonce: str, issued: int, nc: str | None) -> Verdict:
        """Check and note the nonce count; a nonce used without qop is good for one request only."""
        top, seen = self._used.get(nonce, (0, 0))
        if nc is None:
            if nonce in self._used:
                return Verdict.STALE
            top, seen = 1 << 32, 0
        else:
            try:
                number = int(nc, 16) if len(nc) == 8 else 0
            except ValueError:
                number = 0
            if number < 1:
                return Verdict.WRONG
            if number > top:
                seen = ((seen << (number - top)) | 1) & ((1 << _WINDOW) - 1) if number - top < _WINDOW else 1
                top = number
            else:
                bit = 1 << (top - number) if top - number < _WINDOW else 0
                if not bit or seen & bit:
                    return Verdict.STALE
                seen |= bit
        if nonce not in self._used and len(self._used) >= MAX_NONCES:
            self._forget_oldest()
            if issued <= self._floor:
                return Verdict.STALE
        self._used[nonce] = (top, seen)
        return Verdict.ACCEPTED

    def _forget_oldest(self) -> None:
        ages = sorted((_stamp_of(nonce), nonce) for nonce in self._used)
        for issued, nonce in ages[: MAX_NONCES // 4]:
            del self._used[nonce]
            self._floor = max(self._floor, issued)

    def _nonce(self, now: Seconds, source: str) -> str:
        self._serial = (self._serial + 1) & 0xFFFFFFFF
        stamp = max(0, round(now * 1000)).to_bytes(_STAMP, "big") + self._serial.to_bytes(_SERIAL, "big")
        return base64.urlsafe_b64encode(stamp + self._sign(stamp, source)).decode("ascii")

    def _issued(self, nonce: str, source: str) -> int | None:
        """Return when a nonce was issued, ms; None if it is not ours or was sent to another address."""
        try:
            raw = base64.urlsafe_b64decode(nonce.encode("ascii"))
        except (ValueError, UnicodeEncodeError):
            return None
        stamp, mac = raw[: _STAMP + _SERIAL], raw[_STAMP + _SERIAL :]
        if len(raw) != _STAMP + _SERIAL + _MAC or not hmac.compare_digest(mac, self._sign(stamp, source)):
            return None
        return int.from_bytes(stamp[:_STAMP], "big")

    def _sign(self, stamp: bytes, source: str) -> bytes:
        about = f"{self.realm}\0{source}".encode("utf-8", "surrogateescape")
        return hmac.digest(self._key, stamp + about, "sha256")[:_MAC]


def _stamp_of(nonce: str) -> int:
    """Return when a nonce of ours was issued, ms."""
    return int.from_bytes(base64.urlsafe_b64decode(nonce)[:_STAMP], "big")


def _same_target(digest_uri: str, request_uri: str) -> bool:
    """Return True if the digest covers this Request-URI (RFC 7616 §3.4.6); its parameters may differ.

    Deviation: a digest-uri without a user part is good for every user of the host; sipp and several adaptors
    sign the exchange's address whatever they ask of it.
    """
    if digest_uri == request_uri:
        return True
    try:
        mine, theirs = parse_uri(digest_uri), parse_uri(request_uri)
    except RemoteProtocolError:
        return False
    return mine.user in ("", theirs.user) and mine.host.lower() == theirs.host.lower()
