"""The message side of a registrar: REGISTER requests that wait for their owner's verdict."""

from collections.abc import Sequence

from ansam.errors import LocalProtocolError
from ansam.sip.core import Core
from ansam.sip.events import Flow, RegisterContact, RegisterReceived, RequestId
from ansam.sip.message import Request, cseq_of, to_of
from ansam.sip.transaction import Key
from ansam.sip.uas import read_bindings
from ansam.sip.uri import NameAddr, parse_uri
from ansam.units import Seconds

MAX_REGISTERS = 1024
"""REGISTER requests that wait for `respond`."""


class Registrar:
    """Hands out REGISTER requests as events, and answers them.

    Args:
        core: The agent's.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: dict[RequestId, tuple[Key, Request]] = {}

    def idle(self) -> bool:
        """Return True if no request waits."""
        return not self._waiting

    def on_register(self, key: Key, request: Request, flow: Flow, user: str | None, now: Seconds) -> None:
        """Take a request whose sender has proved to be `user`, or need not.

        Raises:
            RemoteProtocolError: Its bindings can not be read.
        """
        if len(self._waiting) >= MAX_REGISTERS:
            self._core.respond(key, request, 503, now)
            return
        bindings = read_bindings(request)
        aor = to_of(request).uri
        address = parse_uri(aor)
        identity = RequestId(self._core.next_id())
        self._waiting[identity] = key, request
        self._core.emit(
            RegisterReceived(
                request=identity,
                aor=aor.partition(";")[0],
                user=address.user,
                contacts=bindings.contacts,
                remove_all=bindings.remove_all,
                call_id=request.headers.first("Call-ID"),
                cseq=cseq_of(request).number,
                authenticated_user=user,
                flow=flow,
                user_agent=request.headers.first("User-Agent"),
            )
        )

    def respond(
        self,
        request: RequestId,
        status: int,
        now: Seconds,
        contacts: Sequence[RegisterContact],
        reason: str,
        min_expires: int | None,
    ) -> None:
        """Answer a request; see `UserAgent.respond_register`.

        Raises:
            LocalProtocolError: It has been answered.
        """
        key, received = self._waiting.pop(request, ((), None))
        if received is None:
            raise LocalProtocolError(f"REGISTER {request} has been answered")
        headers = [("Contact", _binding(contact)) for contact in contacts]
        if min_expires is not None:
            headers.append(("Min-Expires", str(min_expires)))
        self._core.respond(key, received, status, now, reason=reason, headers=headers)


def _binding(contact: RegisterContact) -> str:
    text = str(NameAddr(contact.uri))
    if contact.expires is not None:
        text += f";expires={contact.expires}"
    return text
