"""Digest authentication (RFC 7616, RFC 8760; RFC 2617 for old peers): what both sides share, and the client.

`auth` holds the other side. MD5 stays because the adaptors modems hang on speak nothing else; where
the server offers SHA-256 too, it is taken.
"""

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from ansam.errors import RemoteProtocolError
from ansam.sip.headers import quote, split_outside, unquote
from ansam.sip.message import Request

ALGORITHMS = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
"""Known algorithms, the strongest first."""

MAX_REALMS = 8
"""Realms a client remembers a challenge of."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client proves itself with."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate or Proxy-Authenticate value of scheme Digest.

    Attributes:
        realm: Text shown to users; selects the password.
        nonce: The server's one-time text.
        algorithm: As written; "" stands for MD5.
        qop: The offered qualities of protection.
        opaque: To be returned as it is; None if absent.
        stale: The old nonce was too old, the password was right.
        proxy: From Proxy-Authenticate (407).
    """

    realm: str
    nonce: str
    algorithm: str = ""
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False
    proxy: bool = False

    def usable(self) -> bool:
        """Return True if we know the algorithm and can satisfy qop."""
        return (self.algorithm or "MD5").upper() in ALGORITHMS and (not self.qop or "auth" in self.qop)


def parse_digest(text: str) -> dict[str, str]:
    """Read the parameters of a Digest challenge or of Digest credentials.

    Args:
        text: The header value, which must not hold two challenges.

    Returns:
        Parameter names in lower case and their unquoted values.

    Raises:
        RemoteProtocolError: Another scheme, a parameter without a value or one that stands twice.
    """
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest":
        raise RemoteProtocolError(f"authentication scheme {scheme[:20]!r}", "RFC 3261 §22.4")
    found: dict[str, str] = {}
    for part in split_outside(rest, ","):
        if not part:
            continue
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not equals or name in found:
            raise RemoteProtocolError(f"digest parameter {part[:40]!r}", "RFC 7616 §3.3")
        found[name] = unquote(value.strip())
    return found


def parse_challenges(values: Iterable[str], proxy: bool) -> list[Challenge]:
    """Read challenges; those of other schemes and unreadable ones are left out."""
    out = []
    for value in values:
        try:
            found = parse_digest(value)
        except RemoteProtocolError:
            continue
        if "realm" in found and "nonce" in found:
            qop = tuple(part.strip().lower() for part in found.get("qop", "").split(",") if part.strip())
            out.append(
                Challenge(
                    found["realm"],
                    found["nonce"],
                    found.get("algorithm", ""),
                    qop,
                    found.get("opaque"),
                    found.get("stale", "").lower() == "true",
                    proxy,
                )
            )
    return out


def digest(algorithm: str, *parts: str) -> str:
    """Return the lower-case hex hash of the parts joined by colons."""
    joined = ":".join(parts).encode("utf-8", "surrogateescape")
    return ALGORITHMS[algorithm](joined).hexdigest()


def answer_digest(
    algorithm: str, ha1: str, method: str, uri: str, nonce: str, qop: tuple[str, str, str] | None
) -> str:
    """Return the `response` value.

    Args:
        algorithm: Key of `ALGORITHMS`.
        ha1: Hash of user, realm and password.
        method: Of the request.
        uri: The digest-uri.
        nonce: The server's.
        qop: (nc, cnonce, qop) as they stand in the header; None for RFC 2069 style.

    Spec: RFC 7616 §3.4.1; without qop RFC 2617 §3.2.2.1.
    """
    ha2 = digest(algorithm, method, uri)
    return digest(algorithm, ha1, nonce, *(qop or ()), ha2)


class DigestClient:
    """Answers challenges for one set of credentials and signs later requests unasked.

    Args:
        credentials: User name and password.
        rng: For the client nonce.
    """

    def __init__(self, credentials: Credentials, rng: random.Random) -> None:
        self._credentials = credentials
        self._rng = rng
        self._known: dict[tuple[bool, str], Challenge] = {}
        self._count: dict[str, int] = {}

    def learn(self, challenges: list[Challenge]) -> bool:
        """Take the challenges of a 401 or 407.

        Per realm the strongest algorithm we know is chosen (RFC 8760 §2.4: the topmost is preferred; servers
        list the strongest first, and an order that puts MD5 first would be a downgrade).

        Returns:
            True if a repeated request can succeed: a new realm, or a nonce declared stale. False if the
            credentials have been refused or nothing is usable.
        """
        progress = False
        for algorithm in ALGORITHMS:
            for challenge in challenges:
                if (challenge.algorithm or "MD5").upper() != algorithm or not challenge.usable():
                    continue
                key = (challenge.proxy, challenge.realm)
                before = self._known.get(key)
                if before is not None and before.nonce == challenge.nonce:
                    continue
                if before is not None and self._fresh(before, challenges):
                    continue
                if before is None or challenge.stale:
                    progress = True
                self._known.pop(key, None)
                self._known[key] = challenge
                self._count = {c.nonce: self._count.get(c.nonce, 0) for c in self._known.values()}
                while len(self._known) > MAX_REALMS:
                    del self._known[next(iter(self._known))]
        return progress

    @staticmethod
    def _fresh(before: Challenge, challenges: list[Challenge]) -> bool:
        """Return True if the remembered challenge is one of those just received."""
        return before in challenges

    def forget(self) -> None:
        """Drop remembered challenges, so that the next one counts as new."""
        self._known.clear()
        self._count.clear()

    def sign(self, request: Request) -> Request:
        """Return the request with an Authorization field for every known realm, replacing older ones."""
        headers = request.headers.without("Authorization", "Proxy-Authorization")
        for challenge in self._known.values():
            name = "Proxy-Authorization" if challenge.proxy else "Authorization"
            headers = headers.plus((name, self._value(challenge, request)))
        return Request(request.method, request.uri, headers, request.body)

    def _value(self, challenge: Challenge, request: Request) -> str:
        algorithm = (challenge.algorithm or "MD5").upper()
        user = self._credentials.username
        ha1 = digest(algorithm, user, challenge.realm, self._credentials.password)
        parts = [
            f"username={quote(user)}",
            f"realm={quote(challenge.realm)}",
            f"nonce={quote(challenge.nonce)}",
            f"uri={quote(request.uri)}",
        ]
        qop = None
        if challenge.qop:
            count = self._count[challenge.nonce] = self._count.get(challenge.nonce, 0) + 1
            qop = (f"{count:08x}", f"{self._rng.getrandbits(64):016x}", "auth")
        answer = answer_digest(algorithm, ha1, request.method, request.uri, challenge.nonce, qop)
        parts.append(f'response="{answer}"')
        if challenge.algorithm:
            parts.append(f"algorithm={challenge.algorithm}")
        if qop:
            parts += [f'cnonce="{qop[1]}"', "qop=auth", f"nc={qop[0]}"]
        if challenge.opaque is not None:
            parts.append(f"opaque={quote(challenge.opaque)}")
        return "Digest " + ", ".join(parts)
