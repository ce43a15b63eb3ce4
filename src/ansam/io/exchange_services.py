"""What plays the numbers that the exchange answers itself: a `Call` with a simple party for each caller.

Frames run in a pacer's thread of the exchange's process, which begins with the first call.
"""

import random
from collections.abc import Callable
from threading import RLock

from ansam.call.call import Call, CallMedia
from ansam.call.party import Echo, Party, Silence, Tone
from ansam.errors import RemoteProtocolError, ResourceError
from ansam.io.clock import FramePacer
from ansam.io.rtp_socket import CallSockets, PacedCall, RtpPorts
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


class ServicePlayer:
    """A `ServiceMedia` over UDP sockets.

    Args:
        rng: Source of the sessions' random numbers.
        silent: Called in the pacer's thread with a session from which nothing has come for 30 s.
        ports: Where RTP sockets come from.
    """

    def __init__(
        self, rng: random.Random, silent: Callable[[int], None], ports: RtpPorts | None = None
    ) -> None:
        self._rng = rng
        self._silent = silent
        self._ports = ports or RtpPorts()
        self._pacer: FramePacer | None = None
        self._calls: dict[int, tuple[PacedCall, LocalMedia, RLock]] = {}
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
        paced = PacedCall(
            kind(media, PARTIES[service](), self._rng),
            CallSockets(sock),
            lock,
            _nothing,
            lambda: self._silent(identity),
        )
        self._calls[identity] = (paced, local, lock)
        if self._pacer is None:
            self._pacer = FramePacer()
            self._pacer.start()
        self._pacer.add(paced)
        return ServiceSession(identity, agreement.answer.serialise())

    def follow(self, session: ServiceSession, offer: bytes) -> bytes | None:
        """See `ServiceMedia.follow`."""
        paced, local, lock = self._calls[session.identity]
        local = local.next_version()
        agreement = _agree(offer, local)
        if agreement is None:
            return None
        self._calls[session.identity] = (paced, local, lock)
        with lock:
            paced.call.renegotiated(CallMedia.agreed(agreement.remote, answered=True))
        return agreement.answer.serialise()

    def close(self, session: ServiceSession) -> str:
        """See `ServiceMedia.close`."""
        found = self._calls.pop(session.identity, None)
        if found is not None and self._pacer is not None:
            paced, _, lock = found
            with lock:
                paced.stop()
            self._pacer.remove(paced)
        return ""

    def stop(self) -> None:
        """End the pacer and give its sockets back."""
        self._calls.clear()
        if self._pacer is not None:
            self._pacer.stop()
            self._pacer = None


def _agree(offer: bytes, local: LocalMedia) -> Agreement | None:
    if not offer:
        return None
    try:
        return negotiate(parse(offer), local, CODECS)
    except RemoteProtocolError:
        return None


def _nothing() -> None:
    """Nobody waits for a frame."""
