"""What the page saves of a call: a ZIP file of its sound, and of what its modem told about it meanwhile.

::

    call.wav      the last minute
    events.json   {"began": seconds of the sound at which the call began, "events": [{"t": …, "name": …}, …]}

Whatever is in a file that somebody else made is checked here; what is not understood is left out, and said.
"""

import io
import json
import lzma
import math
import zipfile
import zlib
from dataclasses import dataclass

from ansam.errors import ConfigError

SOUND, EVENTS = "call.wav", "events.json"

MAX_SOUND, MAX_EVENTS = 1 << 24, 1 << 20
"""Most octets of each, unpacked: a bundle has a minute of sound and 600 events."""

LONGEST_TEXT = 500

KINDS = ("phase", "note", "at")


@dataclass(frozen=True, slots=True)
class Told:
    """An event that the modem itself told while it was heard.

    Attributes:
        at: Seconds of the recording; negative for what came before its sound.
        kind: One of `KINDS`.
        name: Of the step, or ``command``, ``result``.
        text: What it is there for, or what was said.
        side: Who did it: near, far, both, dte or dce.
        clause: Where it stands, or "".
    """

    at: float
    kind: str
    name: str
    text: str
    side: str
    clause: str


def is_bundle(data: bytes) -> bool:
    """Return whether a file begins as a ZIP file does."""
    return data[:4] == b"PK\x03\x04"


def unpack(data: bytes, name: str) -> tuple[bytes, tuple[Told, ...], tuple[str, ...]]:
    """Return the sound of a bundle, what its modem told, and remarks for people.

    Args:
        data: The file.
        name: Of the file, for errors.

    Raises:
        ConfigError: It is no bundle.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            sound = _member(bundle, SOUND, MAX_SOUND, name)
            events = _member(bundle, EVENTS, MAX_EVENTS, name) if EVENTS in bundle.namelist() else b""
    except _BAD_ZIP:
        raise ConfigError(f"{name!r} is no bundle with a {SOUND} in it", "save it anew") from None
    return sound, *_read_events(events)


_BAD_ZIP = (
    *(KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError),
    *(ValueError, EOFError, zlib.error, lzma.LZMAError),
)
"""What reading a ZIP file that is none, or a broken one, may raise."""


def _member(bundle: zipfile.ZipFile, member: str, most: int, name: str) -> bytes:
    if bundle.getinfo(member).file_size > most:
        raise ConfigError(f"{name!r}: {member} in it is too long", "a bundle has a minute")
    return bundle.read(member)


def _read_events(data: bytes) -> tuple[tuple[Told, ...], tuple[str, ...]]:
    if not data:
        return (), ()
    try:
        read = json.loads(data)
        began, events = read["began"], read["events"]
        if began is None:
            return (), ("the modem's last call had no sound: what was heard is of an earlier one",)
        return tuple(_told(float(began), event) for event in events if event["kind"] in KINDS), ()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return (), (f"{EVENTS} is not as a page saves it: it was not read",)


def _told(began: float, event: dict[str, object]) -> Told:
    at = began + float(event["t"])  # type: ignore[arg-type]
    if not math.isfinite(at):
        raise ValueError("no time")
    kind, name, text, side, clause = (
        _printable(event[key]) for key in ("kind", "name", "text", "side", "clause")
    )
    return Told(round(at, 2), kind, name, text, side, clause)


def _printable(value: object) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(value)[:LONGEST_TEXT])
