"""One request of ours that is repeated with credentials when it is challenged."""

from collections.abc import Callable

from ansam.sip.core import Core
from ansam.sip.digest import DigestClient, parse_challenges
from ansam.sip.events import Flow
from ansam.sip.fields import CSeq
from ansam.sip.message import Request, Response
from ansam.sip.transaction import Key
from ansam.units import Seconds

MAX_ATTEMPTS = 4
"""A proxy's challenge, a server's, and one stale nonce."""


class Requester:
    """Sends a request; a 401 or 407 is answered here, everything else goes to the owner.

    Args:
        core: The user agent's services.
        flow: Where to.
        digest: Signs; None: a challenge is an ordinary failure.
        next_cseq: Gives the number of a repetition (RFC 3261 §22.2: one higher).
        on_response: Takes other responses.
        on_failure: Learns of 408 (silence) or 503 (transport).

    Attributes:
        key: The running transaction.
        request: The request last sent, without Via.
        may_repeat: False forbids answering challenges (a cancelled INVITE).
    """

    def __init__(
        self,
        core: Core,
        flow: Flow,
        digest: DigestClient | None,
        next_cseq: Callable[[], int],
        on_response: Callable[[Response, Seconds], None],
        on_failure: Callable[[int, Seconds], None],
    ) -> None:
        self._core = core
        self._flow = flow
        self._digest = digest
        self._next_cseq = next_cseq
        self._on_response = on_response
        self._on_failure = on_failure
        self._attempts = 0
        self.key: Key = ()
        self.request: Request | None = None
        self.may_repeat = True

    def send(self, request: Request, now: Seconds) -> None:
        """Send the request, signed where a challenge is remembered."""
        self._attempts += 1
        self.request = self._digest.sign(request) if self._digest else request
        self.key = self._core.send_request(self.request, self._flow, self, now)

    def on_response(self, response: Response, now: Seconds) -> None:
        """Answer a challenge, or pass the response on."""
        if response.status in (401, 407) and self._repeat(response, now):
            return
        self._on_response(response, now)

    def on_failure(self, status: int, now: Seconds) -> None:
        """Pass the failure on."""
        self._on_failure(status, now)

    def _repeat(self, response: Response, now: Seconds) -> bool:
        if self._digest is None or self.request is None or not self.may_repeat:
            return False
        if self._attempts >= MAX_ATTEMPTS:
            return False
        if self._attempts == 1:
            # What was remembered from an earlier request may simply be too old: its refusal proves nothing.
            self._digest.forget()
        proxy = response.status == 407
        name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
        if not self._digest.learn(parse_challenges(response.headers.all(name), proxy)):
            return False
        cseq = CSeq(self._next_cseq(), self.request.method)
        headers = self.request.headers.replaced("CSeq", str(cseq))
        self.send(Request(self.request.method, self.request.uri, headers, self.request.body), now)
        return True
