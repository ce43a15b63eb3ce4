"""Grades of what both kinds of examination see: packets, clocks, round trip."""

from ansam.doctor import remedies
from ansam.doctor.diagnosis import Grade, Item, graded
from ansam.doctor.media import Media
from ansam.path import Kind
from ansam.units import SAMPLE_RATE, Samples

LOSS_PERCENT = (0.1, 2.0)
"""Good up to the first, fair up to the second. At 1 % two of our modems lose a tenth of their throughput and
nothing else; a modem in hardware, which can not know, retrains every few losses."""
JITTER_MS = (10.0, 40.0)
SKEW_PPM = (50.0, 150.0)
"""Two crystals after G.711 §2 are 100 ppm apart at worst. Without slaved pacing 150 ppm slip every 133 s."""
LATE_MS = 40.0
"""Two thirds of the usual playout delay."""
SKEW_SECONDS = 20.0
"""Packets must be watched for so long, or their jitter looks like a clock of its own."""
ROUND_TRIP_MS = (300.0, 700.0)
"""V.34 at 33600 holds up to 1.2 s; modems in hardware were made for a satellite hop of 600 ms."""


def loss(down: float, up: float | None, made_up: bool = False) -> Item:
    """Grade losses.

    Args:
        down: Share lost on the way to us, late packets included.
        up: Share lost on the way there; None where not known.
        made_up: Sound stood in the place of the latter.
    """
    worst = 100 * max(down, up or 0.0)
    text = f"{100 * down:.2g} % on the way here"
    if up is not None:
        text += f", {100 * up:.2g} % on the way there"
    grade = graded(worst, *LOSS_PERCENT)
    cures = () if grade is Grade.GOOD else remedies.LOST_PACKETS
    if made_up:
        text += "; something was made up in their place (packet loss concealment)"
        cures = (*cures, *remedies.of(Kind.CONCEALMENT))
    if grade is not Grade.GOOD:
        text += "; our modems ride through it, one in hardware retrains; ;red=2 in the line URL may help"
    return Item("packet loss", worst, "%", grade, text, cures)


def packets(media: Media, seconds: float) -> list[Item]:
    """Grade what the packets told.

    Args:
        media: That.
        seconds: Length of the call.
    """
    items = []
    if media.late:
        percent = 100 * media.late
        items.append(
            Item(
                "late packets",
                percent,
                "%",
                graded(percent, *LOSS_PERCENT),
                f"came after their turn, as our playout of {media.playout_ms:.0f} ms is too short for this "
                "network; write ;playout=MS into the line URL",
                remedies.FIXED_BUFFER,
            )
        )
    if media.jitter_ms is not None:
        grade = graded(media.jitter_ms, *JITTER_MS)
        text = "buffers of 60 ms take it" if grade is Grade.GOOD else "buffers must be longer than its peaks"
        items.append(
            Item(
                "jitter",
                media.jitter_ms,
                "ms",
                grade,
                text,
                () if grade is Grade.GOOD else remedies.FIXED_BUFFER,
            )
        )
    if media.skew_ppm is not None and seconds >= SKEW_SECONDS:
        items.append(_skew(media.skew_ppm))
    asked = [text for text in media.noticed if "(refused)" in text]
    if asked:
        text = f"{asked[0]}: a gateway takes the modem for a fax"
        items.append(Item("re-INVITE", float(len(asked)), "", Grade.FAIR, text, remedies.FAX))
    if media.late_ms > LATE_MS:
        text = "late with a frame at worst: what is said about jitter, losses and delay may be its own doing"
        items.append(Item("this machine", media.late_ms, "ms", Grade.FAIR, text))
    if media.refused:
        items.append(
            Item(
                "foreign packets",
                float(media.refused),
                "",
                Grade.FAIR,
                "packets that were no audio of this call: comfort noise, digits or fax signals of a gateway",
                remedies.FAX,
            )
        )
    return items


def _skew(ppm: float) -> Item:
    grade = graded(abs(ppm), *SKEW_PPM)
    faster = "faster" if ppm > 0 else "slower"
    text = f"the far end's clock runs {faster} than ours; our pace follows it, so that no buffer slips"
    if grade is not Grade.GOOD:
        text += "; an adaptor's fixed buffer slips every "
        text += f"{20e-3 / (abs(ppm) * 1e-6):.0f} s with anybody who does not follow"
    return Item("clock skew", ppm, "ppm", grade, text)


def round_trip(delay: Samples, media: Media) -> Item:
    """Grade the round trip."""
    ms = delay * 1000 / SAMPLE_RATE
    grade = graded(ms, *ROUND_TRIP_MS)
    text = f"all buffers included, {media.playout_ms:.0f} ms of them ours"
    if media.network_ms is not None:
        text += f"; {media.network_ms:.0f} ms are the network's (RTCP)"
    if grade is not Grade.GOOD:
        text += "; modems in hardware cancel far echoes up to some 600 ms, ours up to 1.5 s"
    cures = () if grade is Grade.GOOD else remedies.SHORT_BUFFER
    return Item("round trip", ms, "ms", grade, text, cures)


def slips(jumps: tuple[Samples, ...], resyncs: int, seconds: float) -> Item:
    """Grade jumps of the delay."""
    count = len(jumps) + resyncs
    if not count:
        return Item("slips", 0.0, "", Grade.GOOD, f"the delay never moved in {seconds:.0f} s")
    sizes = ", ".join(f"{jump / 8:+.3g} ms" for jump in jumps[:4])
    grade = Grade.FAIR if count <= seconds / 60 + 1 else Grade.BAD
    text = (
        "a jitter buffer moved"
        + (f" ({sizes})" if sizes else "")
        + "; each slip costs a modem its carrier phase"
    )
    return Item(
        "slips", float(count), "", grade, text, (*remedies.of(Kind.TIME_SLIP), *remedies.FIXED_BUFFER)
    )
