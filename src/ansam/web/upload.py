"""Files of a recording's directory, and what an upload is; no signal processing is loaded for that."""

from pathlib import Path
from typing import Literal

from ansam.web.errors import Refused

SOURCE, REPORT, PICTURE, AUDIO = "source", "report.json", "spectrogram.png", "audio.wav"

CAPTURE_MAGICS = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
"""As `listen.capture.MAGICS`, which would load numba."""

HEAD = 64
"""Octets that tell what a file is."""


BUNDLE_MAGIC = b"PK\x03\x04"
"""Of a ZIP file, as `Save bundle` makes it."""


def kind_of(path: Path) -> Literal["wav", "pcap", "bundle"]:
    """Return what a file is, by its first octets.

    Raises:
        Refused: 400: neither WAV, pcap nor bundle, or it ends before any sound.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        if path.stat().st_size <= 44:
            raise Refused(400, "the file breaks off in its header", "record it again")
        return "wav"
    if head[:4] in CAPTURE_MAGICS:
        if path.stat().st_size <= 24 + 16:
            raise Refused(400, "the file breaks off in its header", "capture it again")
        return "pcap"
    if head[:4] == BUNDLE_MAGIC:
        if path.stat().st_size <= HEAD:
            raise Refused(400, "the file breaks off in its header", "save the bundle again")
        return "bundle"
    remedy = "upload a recording, a packet capture, or a bundle of the scope"
    raise Refused(400, "the file is neither WAV, pcap nor bundle", remedy)
