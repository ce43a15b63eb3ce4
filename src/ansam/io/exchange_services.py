"""What plays the numbers that the exchange answers itself: a `Call` with a simple party for each caller.

Frames run in a pacer's thread of the exchange's process, which begins with the first call.
"""

import importlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from typing import Protocol, runtime_checkable

from ansam.call.call import Call, CallMedia
from ansam.call.party import Echo, Party, Silence, Tone
from ansam.call.statistics import CallStatistics
from ansam.errors import RemoteProtocolError, ResourceError
from ansam.io.clock import FramePacer
from ansam.io.rtp_socket import CallSockets, PacedCall, RtpPorts
from ansam.pbx.records import Cause
from ansam.pbx.services import ServiceSession
from ansam.pbx.settings import Service
from ansam.sdp.description import parse
from ansam.sdp.negotiation import PCMA, PCMU, Agreement, LocalMedia, negotiate
from ansam.units import Codewords, Samples

PARTIES: dict[Service, Callable[[], Party]] = {
    Service.ECHO: Echo,
    Service.MILLIWATT: Tone,
    Service.SILENCE: Silence,
}

CODECS = (PCMA, PCMU)


class EchoCall(Call):
    """A call whose octets come back as they are: decoding would make one of µ-law's two zeros."""

    def _exchange(self, octets: Codewords, at: Samples, erased: bool) -> bytes:
        return octets.tobytes()


@runtime_checkable
class Finite(Protocol):
    """A party that says when its call is over."""

    over: bool


@runtime_checkable
class Examiner(Protocol):
    """A party that has found something out."""

    def far_end_hung_up(self) -> None:
        """The call is over."""

    def summary(self) -> str:
        """Return what was found, for the call's record."""


def prepare(services: Iterable[Service]) -> None:
    """Import what the services need: their kernels compile now and not in the middle of a handshake."""
    if any(service.is_modem for service in services):
        importlib.import_module("ansam.doctor.consultation")
        importlib.import_module("ansam.modulation.registry")


def _party(service: Service, media: CallMedia, statistics: Callable[[], CallStatistics]) -> Party:
    if not service.is_modem:
        return PARTIES[service]()
    # Imported late: an exchange without these services needs no modem.
    from ansam.call.modem_party import TimeOfDay
    from ansam.doctor.consultation import Consultation
    from ansam.doctor.media import Media

    def told() -> Media:
        counted = statistics()
        return Media.of(counted, counted.delay_ms)

    if service is Service.DOCTOR:
        return Consultation(media.law, told)
    return TimeOfDay(lambda: datetime.now().astimezone(), bell103=service is Service.TIME_BELL103)


@dataclass(slots=True)
class _Playing:
    """One call."""

    paced: PacedCall
    local: LocalMedia
    lock: RLock
    party: Party


class ServicePlayer:
    """A `ServiceMedia` over UDP sockets.

    Args:
        rng: Source of the sessions' random numbers.
        over: Called in the pacer's thread with a session that is to end, and why: from its caller nothing has
            come for 30 s, or the service is done.
        ports: Where RTP sockets come from.
    """

    def __init__(
        self, rng: random.Random, over: Callable[[int, Cause], None], ports: RtpPorts | None = None
    ) -> None:
        self._rng = rng
        self._over = over
        self._ports = ports or RtpPorts()
        self._pacer: FramePacer | None = None
        self._calls: dict[int, _Playing] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._calls)

    def open(self, service: Service, local_ip: str, offer: bytes) -> ServiceSession | None:
        """See `ServiceMedia.open`."""
        try:
            sock = self._ports.open(local_ip)
        except ResourceError:
            return None
        local = LocalMedia(local_ip, sock.getsockname()[1], self._rng.getrandbits(31))
        agreement = _agree(offer, local)
        if agreement is None:
            sock.close()
            return None
        identity, self._next = self._next, self._next + 1
        media = CallMedia.agreed(agreement.remote, answered=True)
        kind = EchoCall if service is Service.ECHO else Call
        lock = RLock()
        party = _party(service, media, lambda: call.statistics())
        call = kind(media, party, self._rng)
        paced = PacedCall(
            call,
            CallSockets(sock),
            lock,
            self._watch(identity, party),
            lambda _: self._over(identity, Cause.LOST),
        )
        self._calls[identity] = _Playing(paced, local, lock, party)
        if self._pacer is None:
            self._pacer = FramePacer()
            self._pacer.start()
        self._pacer.add(paced)
        return ServiceSession(identity, agreement.answer.serialise())

    def _watch(self, identity: int, party: Party) -> Callable[[], None]:
        """Return what looks after each frame whether a service is done; it says so once."""
        if not isinstance(party, Finite):
            return _nothing
        told = False

        def look() -> None:
            nonlocal told
            if party.over and not told:
                told = True
                self._over(identity, Cause.CALLEE_HUNG_UP)

        return look

    def follow(self, session: ServiceSession, offer: bytes) -> bytes | None:
        """See `ServiceMedia.follow`."""
        playing = self._calls[session.identity]
        local = playing.local.next_version()
        agreement = _agree(offer, local)
        if agreement is None:
            return None
        playing.local = local
        with playing.lock:
            playing.paced.call.renegotiated(CallMedia.agreed(agreement.remote, answered=True))
        return agreement.answer.serialise()

    def close(self, session: ServiceSession) -> str:
        """See `ServiceMedia.close`."""
        found = self._calls.pop(session.identity, None)
        if found is not None and self._pacer is not None:
            with found.lock:
                found.paced.stop()
            self._pacer.remove(found.paced)
            return _note(found.party)
        return ""

    def stop(self) -> None:
        """End the pacer and give its sockets back."""
        self._calls.clear()
        if self._pacer is not None:
            self._pacer.stop()
            self._pacer = None


def _note(party: Party) -> str:
    """Return what a service found; what an examination costs is a few milliseconds."""
    if not isinstance(party, Examiner):
        return ""
    party.far_end_hung_up()
    return party.summary()


def _agree(offer: bytes, local: LocalMedia) -> Agreement | None:
    if not offer:
        return None
    try:
        return negotiate(parse(offer), local, CODECS)
    except RemoteProtocolError:
        return None


def _nothing() -> None:
    """Nobody waits for a frame."""
