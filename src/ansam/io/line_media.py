"""What a SIP line's session descriptions say: sockets for a call, offers, answers, the peer's meaning."""

import ipaddress
import random
from typing import Any

import structlog

from ansam.call.line_url import SipLineUrl
from ansam.codec.g711 import Law
from ansam.errors import RemoteProtocolError
from ansam.io.rtp_socket import CallSockets, RtpPorts
from ansam.sdp.crypto import KEY_OCTETS, SUITES
from ansam.sdp.description import parse
from ansam.sdp.negotiation import (
    PCMA,
    PCMU,
    Agreement,
    Features,
    LocalMedia,
    RemoteMedia,
    Secure,
    accept,
    negotiate,
    offer,
)

CODEC = {Law.ALAW: PCMA, Law.ULAW: PCMU}


class LineMedia:
    """The media a line offers and accepts: one law, and what its URL allows beside it.

    Args:
        url: What the person wrote.
        ports: Where RTP sockets come from.
        rng: Source of keys and session numbers.
        log: The line's.
    """

    def __init__(self, url: SipLineUrl, ports: RtpPorts, rng: random.Random, log: Any = None) -> None:
        self._ports = ports
        self._rng = rng
        self._codecs = (CODEC[url.law],)
        self._features = Features(url.vbd, url.red, url.srtp, url.rtcp)
        self._log = log or structlog.get_logger("ansam.line")

    def open(self, local_ip: str) -> tuple[CallSockets, LocalMedia]:
        """Return the sockets for a call, and our side of its session.

        Raises:
            ResourceError: There is no port left.
        """
        rtcp = self._features.rtcp
        sockets = self._ports.open_pair(local_ip) if rtcp else CallSockets(self._ports.open(local_ip))
        port = sockets.rtp.getsockname()[1]
        keys = (
            self._rng.randbytes(KEY_OCTETS * len(SUITES)) if self._features.secure is not Secure.NO else b""
        )
        return sockets, LocalMedia(local_ip, port, self._rng.getrandbits(31), keys=keys)

    def offer(self, local: LocalMedia) -> bytes:
        """Return our offer."""
        return offer(local, self._codecs, self._features).serialise()

    def negotiate(self, sdp: bytes, local: LocalMedia) -> Agreement | None:
        """Answer an offer; None: nothing in it carries a modem."""
        try:
            return negotiate(parse(sdp), local, self._codecs, self._features)
        except RemoteProtocolError as error:
            self._log.warning("offer not understood", error=str(error))
            return None

    def accept(self, sdp: bytes, local: LocalMedia) -> RemoteMedia | None:
        """Read the answer to our offer; None: it is of no use to a modem."""
        try:
            return accept(parse(sdp), self._codecs, self._features, local)
        except RemoteProtocolError as error:
            self._log.warning("answer not understood", error=str(error))
            return None


def is_reachable(remote: RemoteMedia) -> bool:
    """Return whether packets can be sent there: the description names an IP address."""
    try:
        ipaddress.ip_address(remote.address)
    except ValueError:
        return False
    return True
