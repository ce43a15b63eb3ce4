"""Passwords: argon2id with the library's recommended cost, verified away from the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
_DECOY = "$argon2id$v=19$m=65536,t=3,p=4$MGw/ANud43uJANO9TpU2Jg$M6QEC92zPxuZLgouTSEPMHjgh3M+dm/O/VU2aUyOEw8"
"""Verified for names that do not exist, so that the time taken does not tell which do."""

_VERIFIER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2")
"""One at a time: each takes 64 MiB and four threads, and many callers must not take that many times over."""


def hash_password(password: str) -> str:
    """Return the encoded argon2id hash to keep for a password."""
    return _HASHER.hash(password)


def verify(password_hash: str, password: bytes) -> bool:
    """Return whether a password fits a hash; an empty hash is verified against a decoy and never fits."""
    try:
        fits = _HASHER.verify(password_hash or _DECOY, password)
    except (VerificationError, InvalidHashError):
        return False
    return fits and bool(password_hash)


async def verify_in_thread(password_hash: str, password: bytes) -> bool:
    """Verify without holding up the event loop (about 50 ms of a core)."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_VERIFIER, verify, password_hash, password)
