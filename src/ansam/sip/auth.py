"""Digest authentication (RFC 7616, RFC 8760, RFC 2617 for old peers), client and server side."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client proves itself with."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ha1:
    """Hashes of ``user:realm:password`` in lower-case hex, for a server that does not keep passwords.

    An algorithm left at None is not offered to that user's satisfaction.
    """

    md5: str | None = field(default=None, repr=False)
    sha256: str | None = field(default=None, repr=False)


class AuthServer:
    """Issues challenges and checks their answers; `lookup(username)` gives the password, an `Ha1` or None."""

    def __init__(
        self,
        realm: str,
        lookup: Callable[[str], str | Ha1 | None],
        key: bytes,
        *,
        algorithms: tuple[str, ...] = ("SHA-256", "MD5"),
        nonce_life: float = 300.0,
    ) -> None:
        """`key`: at least 16 random octets from the caller, which sign the nonces."""
