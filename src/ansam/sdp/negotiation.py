"""Offer and answer (RFC 3264) for a line that carries a modem.

A modem survives only G.711, unprocessed. So an offer names A-law (and µ-law where configured) and nothing
else: no telephone events, no comfort noise, ``silenceSupp:off`` and ``ecan:b off`` (RFC 3108 §5.6.3: what
adaptors look at before they turn voice activity detection and echo cancelling on). Two further formats of
the same law may be agreed on, see `Features`: voice-band data (V.152), which tells a gateway outright that a
modem speaks, and redundancy (RFC 2198). Whatever else the peer offers — T.38, a compressed codec — is not
accepted: `negotiate` returns None, the caller of this module says 488, and the call goes on as it was.
"""

from dataclasses import dataclass, replace

from ansam.errors import LocalProtocolError
from ansam.sdp.audio import Formats, describe, usable, write_audio
from ansam.sdp.description import SessionDescription
from ansam.sdp.media import (
    MAX_REDUNDANCY,
    PCMA,
    PCMU,
    PLAIN,
    PTIME_MS,
    RED_TYPE,
    Codec,
    Direction,
    Features,
    LocalMedia,
    RemoteMedia,
    Secure,
)

__all__ = [
    "MAX_REDUNDANCY",
    "PCMA",
    "PCMU",
    "PLAIN",
    "PTIME_MS",
    "RED_TYPE",
    "Agreement",
    "Codec",
    "Direction",
    "Features",
    "LocalMedia",
    "RemoteMedia",
    "Secure",
    "accept",
    "negotiate",
    "offer",
]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The outcome of `negotiate`: our answer and what the offer means."""

    answer: SessionDescription
    remote: RemoteMedia


def offer(
    local: LocalMedia, codecs: tuple[Codec, ...] = (PCMA,), features: Features = PLAIN
) -> SessionDescription:
    """Return our offer.

    Args:
        local: Our side.
        codecs: In order of preference, at least one.
        features: What to offer beside them.

    Returns:
        A description with one audio line, ptime 20, sendrecv, silence suppression off.
    """
    if not codecs:
        raise LocalProtocolError("an offer needs a codec")
    formats = [
        Formats(
            codec,
            codec.payload_type,
            codec.vbd_type if features.vbd else None,
            RED_TYPE if features.redundancy and index == 0 else None,
            features.redundancy,
        )
        for index, codec in enumerate(codecs)
    ]
    lines = local.cryptos() if features.secure is Secure.REQUIRE else []
    return describe(local, (write_audio(local.port, formats, Direction.SENDRECV, lines),))


def negotiate(
    offered: SessionDescription,
    local: LocalMedia,
    codecs: tuple[Codec, ...] = (PCMA,),
    features: Features = PLAIN,
) -> Agreement | None:
    """Answer an offer, or find that nothing in it can carry a modem.

    The first usable audio line is taken with *our* most preferred codec in it; every other line is refused
    with port 0, in its position (RFC 3264 §6).

    Args:
        offered: The peer's offer.
        local: Our side.
        codecs: What we accept, in order of preference.
        features: What we accept beside them.

    Returns:
        The agreement, or None: answer 488 (RFC 3261 §13.3.1.3).
    """
    chosen: tuple[int, RemoteMedia] | None = None
    for index, medium in enumerate(offered.media):
        remote = usable(offered, medium, codecs, features)
        if remote is not None and remote.crypto is not None:
            # RFC 4568 §5.1.2: the answer repeats the tag and gives the key of our own packets.
            ours = next(one for one in local.cryptos() if one.suite == remote.crypto.suite)
            remote = replace(remote, our_crypto=replace(ours, tag=remote.crypto.tag))
        if remote is not None:
            chosen = index, remote
            break
    if chosen is None:
        return None
    position, remote = chosen
    direction = remote.direction.mirrored() if remote.address else Direction.SENDRECV
    media = tuple(
        write_audio(
            local.port,
            [Formats.of(remote)],
            direction,
            [] if remote.our_crypto is None else [remote.our_crypto],
            mux=remote.mux,
        )
        if index == position
        else replace(medium, port=0, port_count=1, connection=None, attributes=(), other=())
        for index, medium in enumerate(offered.media)
    )
    answer = replace(describe(local, media), times=offered.times)
    return Agreement(answer, remote)


def accept(
    answer: SessionDescription,
    codecs: tuple[Codec, ...] = (PCMA,),
    features: Features = PLAIN,
    local: LocalMedia | None = None,
) -> RemoteMedia | None:
    """Read the answer to our `offer`.

    Args:
        answer: The peer's answer; its first line answers ours.
        codecs: What we offered.
        features: Likewise.
        local: Our side, where encryption was offered.

    Returns:
        The peer's side, or None if it refused or answered with something we did not offer: end the call.
    """
    remote = usable(answer, answer.media[0], codecs, features) if answer.media else None
    if remote is not None and remote.mux:
        # We never offer to share the port, so nobody can have accepted it (RFC 5761 §5.1.1).
        remote = replace(remote, mux=False)
    if remote is None or remote.crypto is None:
        return remote
    # Where our offer had no keys an answer cannot have taken one.
    offered = local.cryptos() if local is not None and features.secure is Secure.REQUIRE else []
    taken = remote.crypto
    ours = [one for one in offered if (one.tag, one.suite) == (taken.tag, taken.suite)]
    return replace(remote, our_crypto=ours[0]) if ours else None
