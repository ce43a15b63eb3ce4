"""The INVITE to one place: to a telephone of an extension, or over a trunk."""

from collections.abc import Iterable

from ansam.pbx.search import Place
from ansam.pbx.trunks import Caller
from ansam.sip.auth import Credentials
from ansam.sip.events import CallId
from ansam.sip.ua import UserAgent
from ansam.sip.uri import make_uri
from ansam.units import Seconds


def invite_place(
    ua: UserAgent,
    place: Place,
    caller: Caller,
    sdp: bytes,
    now: Seconds,
    hops: int = 70,
    headers: Iterable[tuple[str, str]] = (),
) -> CallId:
    """Call a place.

    Args:
        ua: The exchange's user agent.
        place: Where to.
        caller: Who calls. From says who was authenticated, not who the caller claims to be.
        sdp: The offer.
        now: The time.
        hops: Max-Forwards.
        headers: Further fields, for our own extensions alone.
    """
    trunk, host = place.trunk, place.flow.local[0]
    if trunk is not None:
        return ua.invite(
            *(place.contact, place.flow, now),
            from_=trunk.uri(caller.shown_at(trunk)),
            sdp=trunk.offer(sdp),
            credentials=Credentials(trunk.user, trunk.secret) if trunk.secret else None,
            max_forwards=hops,
        )
    return ua.invite(
        *(place.contact, place.flow, now),
        from_=make_uri(caller.number, host),
        display=caller.name,
        to=make_uri(place.number, host),
        sdp=sdp,
        headers=headers,
        max_forwards=hops,
    )
