"""A call's spectrogram as a PNG file: one band per channel, with what was heard written above it.

Drawn with Pillow and numpy alone. matplotlib would do it in fewer lines, but brings ten times the download
and a second of import for one picture; Pillow is there already for the constellations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ansam.errors import ResourceError
from ansam.units import SAMPLE_RATE, Audio, Samples

HEIGHT = 256
"""Pixels per channel: 0 to 4000 Hz."""
WINDOW: Samples = 512
PER_SECOND = 100
"""Pixels, unless the picture would be wider than `WIDEST`."""
WIDEST = 8000
NARROWEST = 640
RANGE_DB = 70.0
LANE = 13
MOST_LANES = 12
AXIS = 18
MARGIN = 8

_BACKGROUND = (16, 20, 28)
_TEXT = (220, 225, 235)
_GRID = (60, 70, 84)
_COLOURS = np.array([(8, 10, 20), (40, 30, 110), (170, 50, 110), (250, 150, 60), (255, 250, 190)], float)
_BARS = ((70, 110, 190), (60, 140, 110), (150, 100, 60), (130, 80, 150))


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a channel with a name.

    Attributes:
        channel: Which.
        start: Begin.
        end: End.
        label: Its name, short.
    """

    channel: int
    start: Samples
    end: Samples
    label: str


def _levels(audio: Audio, width: int) -> NDArray[np.float64]:
    """Return the spectrum per column in dB, shape (HEIGHT, width), 0 Hz at the bottom."""
    step = len(audio) / width
    padded = np.concatenate([audio, np.zeros(WINDOW, np.float32)])
    starts = np.clip((np.arange(width) * step - WINDOW / 2).astype(int), 0, len(audio))
    window = np.hanning(WINDOW).astype(np.float32)
    out = np.zeros((HEIGHT, width))
    for begin in range(0, width, 500):
        frames = np.stack([padded[at : at + WINDOW] for at in starts[begin : begin + 500]]) * window
        power = np.abs(np.fft.rfft(frames, axis=1)[:, :HEIGHT]) ** 2
        out[:, begin : begin + 500] = 10 * np.log10(power.T[::-1] + 1e-12)
    return out


def _paint(levels: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return colours, shape (h, w, 3); the loudest percent is brightest."""
    top = float(np.percentile(levels, 99.5))
    share = np.clip((levels - top) / RANGE_DB + 1, 0, 1) * (len(_COLOURS) - 1)
    low = np.minimum(share.astype(int), len(_COLOURS) - 2)
    rest = (share - low)[..., None]
    return np.asarray(np.rint(_COLOURS[low] * (1 - rest) + _COLOURS[low + 1] * rest), np.uint8)


def _lanes(marks: Sequence[Mark], scale: float, text_width: Sequence[int]) -> list[int]:
    """Return a lane for each mark, so that neither bars nor names lie on each other."""
    free: list[float] = []
    chosen = []
    for mark, wide in zip(marks, text_width, strict=True):
        begin, end = mark.start * scale, max(mark.end * scale, mark.start * scale + wide) + 4
        lane = next((k for k, until in enumerate(free) if until <= begin), len(free))
        if lane == len(free):
            free.append(0.0)
        free[lane] = end
        chosen.append(min(lane, MOST_LANES - 1))
    return chosen


def spectrogram_png(
    channels: Sequence[Audio], marks: Sequence[Mark], path: Path, names: Sequence[str]
) -> None:
    """Draw the channels one below the other.

    Args:
        channels: Shape (n,) each, all of one length, 8000 Hz.
        marks: What to write above them.
        path: Where the PNG goes.
        names: One per channel.

    Raises:
        ResourceError: The file cannot be written.
    """
    count = len(channels[0])
    width = int(np.clip(count / SAMPLE_RATE * PER_SECOND, NARROWEST, WIDEST))
    scale = width / max(count, 1)
    font = ImageFont.load_default()
    ordered = [
        sorted((m for m in marks if m.channel == k), key=lambda m: m.start) for k in range(len(channels))
    ]
    lanes = [_lanes(part, scale, [int(font.getlength(m.label)) + 4 for m in part]) for part in ordered]
    heads = [LANE * (max(lane, default=-1) + 2) for lane in lanes]
    height = sum(heads) + len(channels) * (HEIGHT + AXIS) + MARGIN
    image = Image.new("RGB", (width, height), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    top = 0
    for audio, part, lane, head, name in zip(channels, ordered, lanes, heads, names, strict=True):
        draw.text((2, top), name, fill=_TEXT, font=font)
        image.paste(Image.fromarray(_paint(_levels(audio, width))), (0, top + head))
        for k, (mark, row) in enumerate(zip(part, lane, strict=True)):
            _draw_mark(draw, mark, top + LANE * (row + 1), top + head, scale, _BARS[k % len(_BARS)], font)
        _draw_axis(draw, top + head, width, count, font)
        top += head + HEIGHT + AXIS
    _save(image, path)


def spectra_png(channels: Sequence[Audio], path: Path) -> None:
    """Draw the spectra alone, channel below channel: 4000 Hz at the top of each, the whole time across.

    Args:
        channels: Shape (n,) each, all of one length, 8000 Hz.
        path: Where the PNG goes.

    Raises:
        ResourceError: The file cannot be written.
    """
    width = int(np.clip(len(channels[0]) / SAMPLE_RATE * PER_SECOND, NARROWEST, WIDEST))
    image = Image.fromarray(np.concatenate([_paint(_levels(audio, width)) for audio in channels]))
    _save(image, path)


def _save(image: Image.Image, path: Path) -> None:
    try:
        image.save(path, "PNG")
    except OSError as error:
        raise ResourceError(
            f"picture {str(path)!r}: {error.strerror}", "choose a place to write to"
        ) from error


_Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


def _draw_mark(
    draw: ImageDraw.ImageDraw,
    mark: Mark,
    y: int,
    bottom: int,
    scale: float,
    colour: tuple[int, int, int],
    font: _Font,
) -> None:
    """A bar with its name, and thin lines down to the spectrum."""
    left, right = round(mark.start * scale), max(round(mark.end * scale), round(mark.start * scale) + 1)
    draw.rectangle((left, y, right, y + LANE - 2), fill=colour)
    draw.text((left + 2, y), mark.label, fill=_TEXT, font=font)
    draw.line((left, y + LANE - 2, left, bottom + 6), fill=colour)
    draw.line((right, y + LANE - 2, right, bottom + 6), fill=colour)


def _draw_axis(draw: ImageDraw.ImageDraw, top: int, width: int, count: int, font: _Font) -> None:
    """Seconds below, kilohertz at the left."""
    seconds = count / SAMPLE_RATE
    step = next(s for s in (1, 2, 5, 10, 30, 60, 300, 600, 1800) if s * width / max(seconds, 1) >= 40)
    for second in range(0, int(seconds) + 1, step):
        x = round(second * width / max(seconds, 1e-3))
        draw.line((x, top + HEIGHT, x, top + HEIGHT + 4), fill=_TEXT)
        draw.text((x + 2, top + HEIGHT + 4), f"{second} s", fill=_TEXT, font=font)
    for kilohertz in (1, 2, 3):
        y = top + HEIGHT - kilohertz * HEIGHT // 4
        draw.line((0, y, 6, y), fill=_TEXT)
        draw.text((8, y - 6), f"{kilohertz} kHz", fill=_TEXT, font=font)
