"""A SIP extension as a telephone line: registration, calls, media.

Everything that arrives while a call is up and would change its medium to something that can not carry a
modem — T.38, another codec — is refused with 488, and the call goes on undisturbed (RFC 3261 §14.2).
The registration itself is `sip_account`, the session descriptions are `line_media`.
"""

import asyncio
import contextlib
import random
from typing import Any

import structlog

from ansam.call.call import Call, CallMedia
from ansam.call.line_url import SipLineUrl
from ansam.call.modem_facts import CALLING, FIELD, ROLE, encode
from ansam.call.outcome import progress_of
from ansam.call.sip_facts import call_ended, call_failed, refused_offer
from ansam.call.statistics import CallStatistics
from ansam.dce.causes import Source
from ansam.dce.progress import Progress
from ansam.errors import ResourceError
from ansam.io.clock import FramePacer
from ansam.io.line import LineUser, Observer, Reporter, Reversible, tell
from ansam.io.line_call import CallState, Phase
from ansam.io.line_media import LineMedia, is_reachable
from ansam.io.resolve import Resolver, SystemResolver
from ansam.io.rtp_socket import PacedCall, RtpPorts
from ansam.io.sip_account import SipAccount
from ansam.sdp.negotiation import RemoteMedia
from ansam.sip.events import (
    Address,
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallFailed,
    CallId,
    CallProgress,
    Cancelled,
    Event,
    IncomingCall,
    Registered,
    RegistrationFailed,
    Reinvite,
    ReinviteAnswered,
    Unregistered,
)
from ansam.sip.ua import UserAgent
from ansam.units import Seconds

CLOSE_TIMEOUT = 2.0
"""Seconds for BYE and un-registration at the end."""


class SipLine:
    """One registered extension.

    Args:
        url: What the person wrote.
        pacer: Runs the frames of all lines of this process.
        ports: Where RTP sockets come from.
        must_register: `open` raises when the first registration fails; False keeps trying in the background.
        register: False only places calls, each of which proves itself, and never rings.
        rng: Source of tags, SSRCs and the like; the system's by default.
        resolver: Finds the registrar; the system's by default.

    Attributes:
        name: Extension and exchange, without the secret.
    """

    def __init__(
        self,
        url: SipLineUrl,
        pacer: FramePacer,
        ports: RtpPorts | None = None,
        *,
        must_register: bool = False,
        register: bool = True,
        rng: random.Random | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self.name = str(url)
        self._url = url
        self._pacer = pacer
        self._must_register = must_register
        self._register = register
        self._rng = rng or random.SystemRandom()
        self._log: Any = structlog.get_logger("ansam.line").bind(line=self.name)
        self._account = SipAccount(url, self._rng, resolver or SystemResolver(), self._log)
        self._media = LineMedia(url, ports or RtpPorts(), self._rng, self._log)
        self._user: LineUser | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signed_off = asyncio.Event()
        self._call: CallState | None = None
        self._paced: PacedCall | None = None
        self._last: CallStatistics | None = None
        self._ending: set[CallId] = set()

    # -- Line ------------------------------------------------------------------------------------------------

    async def open(self, user: LineUser) -> None:
        """Register; see `Line.open`."""
        self._user = user
        self._loop = asyncio.get_running_loop()
        await self._account.open(self._on_event, self._parting)
        if not self._register:
            user.line_ready(True)
            return
        try:
            user.line_ready(False)
            await self._account.register(must=self._must_register)
        except BaseException:
            await self._account.close()
            raise

    def place_call(self, number: str) -> None:
        """Call; see `Line.place_call`."""
        assert self._user is not None
        if self._call is not None:
            tell(self._user, Source.SIGNALLING, "the line has a call already")
            self._user.progress(Progress.REFUSED)
            return
        try:
            sockets, local = self._media.open(self._account.local_ip)
        except ResourceError as error:
            self._log.error("no call", error=str(error))
            tell(self._user, Source.SIGNALLING, str(error))
            self._user.progress(Progress.UNREACHABLE)
            return
        account, sdp = self._account, self._media.offer(local)

        def invite(agent: UserAgent, now: Seconds) -> None:
            identity = agent.invite(
                account.uri_of(number),
                account.flow,
                now,
                from_=account.aor,
                sdp=sdp,
                credentials=account.credentials,
            )
            self._call = CallState(identity, Phase.CALLING, sockets, local)

        account.node.do(invite)

    def accept_call(self) -> None:
        """Answer; see `Line.accept_call`."""
        call = self._call
        if call is None or call.phase is not Phase.RINGING:
            return
        description = call.answer or self._media.offer(call.local)
        call.phase = Phase.UP if call.remote else Phase.ACCEPTED
        self._account.node.do(lambda agent, now: agent.answer(call.identity, description, now))
        if self._call is call and call.remote is not None:
            self._start_media(call, call.remote, answered=True)

    def end_call(self, reason: str) -> None:
        """Hang up; see `Line.end_call`."""
        call = self._call
        if call is None or not self._account.is_open:
            return
        self._forget(call)
        if call.phase is not Phase.RINGING:
            # A call that is refused while it rings is forgotten at once: no event follows.
            self._ending.add(call.identity)
        self._account.node.do(lambda agent, now: agent.hang_up(call.identity, now, reason))

    def statistics(self) -> CallStatistics | None:
        """See `Line.statistics`."""
        if self._paced is not None and self._user is not None:
            with self._user.lock:
                return self._paced.call.statistics()
        return self._last

    async def close(self) -> None:
        """Hang up and un-register; see `Line.close`."""
        if not self._account.is_open:
            return
        self.end_call("shut down")
        self._account.unregister()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while self._ending or self._account.registered_as is not None:
                    self._signed_off.clear()
                    await self._signed_off.wait()
        await self._account.close()

    @property
    def signalling(self) -> Address:
        """Our SIP address; the line must be open."""
        return self._account.flow.local

    # -- events ----------------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        assert self._user is not None
        match event:
            case Registered():
                self._account.registered(event)
                self._user.line_ready(True)
            case RegistrationFailed():
                if self._account.refused(event):
                    self._not_ready(event, self._user)
            case Unregistered():
                self._account.registered_as = None
                self._signed_off.set()
            case IncomingCall():
                self._incoming(event, self._user)
            case CallEnded() | CallFailed() if event.call in self._ending:
                self._ending.discard(event.call)
                self._signed_off.set()
            case CallProgress() | CallAnswered() | CallFailed() | CallEnded() | CallConfirmed():
                if self._call is not None and self._call.identity == event.call:
                    self._on_call_event(event, self._call, self._user)
            case Cancelled() | Reinvite() | ReinviteAnswered():
                if self._call is not None and self._call.identity == event.call:
                    self._on_call_event(event, self._call, self._user)
                elif isinstance(event, Cancelled):
                    self._ending.discard(event.call)
                    self._signed_off.set()
            case _:
                self._log.debug("ignored", sip_event=type(event).__name__)

    def _parting(self, call: CallId) -> list[tuple[str, str]]:
        """Return what the modem tells the exchange of a call that ends."""
        ours = call in self._ending or (self._call is not None and self._call.identity == call)
        facts = self._user.call_report() if ours and isinstance(self._user, Reporter) else {}
        return [(FIELD, encode(facts))] if facts else []

    def _not_ready(self, event: RegistrationFailed, user: LineUser) -> None:
        """The registrar refuses us, or is dead: no call can be placed."""
        if isinstance(user, Observer):
            user.line_not_ready(str(self._account.refusal(event)))
        else:
            user.line_ready(False)

    def _on_call_event(self, event: Event, call: CallState, user: LineUser) -> None:
        match event:
            case CallProgress():
                progress = progress_of(event.status)
                if progress is not None:
                    user.progress(progress)
            case CallAnswered():
                self._answered(event.sdp, call, user)
            case CallConfirmed() if call.phase is Phase.ACCEPTED:
                self._answered(event.sdp, call, user)
            case ReinviteAnswered():
                # A session refresh of ours that was answered with something else than before.
                self._reoffer_answered(event.sdp, call, user)
            case CallConfirmed() if call.offering:
                self._reoffer_answered(event.sdp, call, user)
            case CallFailed():
                self._log.info("call failed", status=event.status, reason=event.reason)
                tell(user, Source.SIGNALLING, *call_failed(event.status, event.reason))
                self._forget(call)
                user.progress(progress_of(event.status) or Progress.REFUSED)
            case CallEnded():
                self._log.info("call ended", reason=event.reason, status=event.status)
                tell(user, Source.SIGNALLING, *call_ended(event.reason, event.status, by_us=event.by_us))
                self._forget(call)
                user.far_end_hung_up()
            case Cancelled():
                tell(user, Source.SIGNALLING, "the caller cancelled the call", "RFC 3261 §9")
                self._forget(call)
                user.incoming_stopped()
            case Reinvite():
                self._renegotiate(event, call, user)
            case _:
                pass

    def _answered(self, sdp: bytes, call: CallState, user: LineUser) -> None:
        """The far end's answer to our offer is here: a talking path, or none that a modem can use."""
        remote = self._media.accept(sdp, call.local)
        if remote is None or not is_reachable(remote):
            text = "the far end answered without a codec that carries a modem"
            self._log.warning(text)
            tell(user, Source.SIGNALLING, text, "RFC 3264 §6")
            self.end_call("no usable codec")
            user.progress(Progress.REFUSED)
            return
        self._start_media(call, remote, answered=False)

    def _incoming(self, event: IncomingCall, user: LineUser) -> None:
        status, call = 486, None
        known = [server[0] for server in self._account.servers]
        if self._url.callers == "registrar" and event.flow.remote[0] not in known:
            self._log.warning("call from elsewhere than the registrar refused", peer=event.flow.remote[0])
            status = 403
        elif self._call is None:
            status, call = self._consider(event)
        if call is not None:
            self._call = call
            caller = event.from_.removeprefix("sip:").partition("@")[0]
            if event.headers.first(ROLE) == CALLING and isinstance(user, Reversible):
                user.expect_reversed()
            if not user.incoming("P" if caller.lower() == "anonymous" else caller, event.display):
                self._forget(call)
                status, call = 486, None
        identity = event.call
        if call is None:
            self._account.node.do(lambda agent, now: agent.reject(identity, status, now))
        elif call.phase is Phase.RINGING:
            self._account.node.do(lambda agent, now: agent.ringing(identity, now))

    def _consider(self, event: IncomingCall) -> tuple[int, CallState | None]:
        """Return the call that an INVITE would be, or the status that refuses it."""
        try:
            sockets, local = self._media.open(self._account.local_ip)
        except ResourceError as error:
            self._log.error("call refused", error=str(error))
            return 500, None
        call = CallState(event.call, Phase.RINGING, sockets, local)
        if not event.sdp:
            return 180, call
        agreement = self._media.negotiate(event.sdp, local)
        if agreement is None or not is_reachable(agreement.remote):
            sockets.close()
            return 488, None
        call.remote, call.answer = agreement.remote, agreement.answer.serialise()
        return 180, call

    def _renegotiate(self, event: Reinvite, call: CallState, user: LineUser) -> None:
        local, node = call.local.next_version(), self._account.node
        if not event.sdp:
            description = self._media.offer(local)
            call.local, call.offering = local, True
            node.do(lambda agent, now: agent.accept_reinvite(event.call, description, now))
            return
        agreement = self._media.negotiate(event.sdp, local)
        if agreement is None or not (agreement.remote.on_hold or is_reachable(agreement.remote)):
            self._log.info("re-INVITE refused: it would end the modem's audio")
            tell(user, Source.SIGNALLING, *refused_offer(event.sdp))
            node.do(lambda agent, now: agent.reject_reinvite(event.call, now, 488))
            return
        call.local, call.remote = local, agreement.remote
        answer = agreement.answer.serialise()
        node.do(lambda agent, now: agent.accept_reinvite(event.call, answer, now))
        self._follow(CallMedia.agreed(agreement.remote, answered=True), user)

    def _reoffer_answered(self, sdp: bytes, call: CallState, user: LineUser) -> None:
        """The far end's answer to our offer within the call; one that is of no use changes nothing."""
        call.offering = False
        remote = self._media.accept(sdp, call.local)
        if remote is None or not (remote.on_hold or is_reachable(remote)):
            self._log.warning("answer within the call not understood: the audio goes on as it was")
            return
        call.remote = remote
        self._follow(CallMedia.agreed(remote, answered=False), user)

    def _follow(self, media: CallMedia, user: LineUser) -> None:
        if self._paced is not None:
            with user.lock:
                self._paced.call.renegotiated(media)

    # -- media -----------------------------------------------------------------------------------------------

    def _start_media(self, call: CallState, remote: RemoteMedia, *, answered: bool) -> None:
        assert self._user is not None
        assert self._loop is not None
        user, loop = self._user, self._loop
        call.phase, call.remote = Phase.UP, remote
        user.progress(Progress.CONNECTED)
        if self._call is not call:
            return
        media = CallMedia.agreed(remote, answered=answered)
        audio = Call(media, user, self._rng, self._url.playout, user.media_started())

        def gave_up(why: str) -> None:
            loop.call_soon_threadsafe(self._media_over, call, why)

        self._paced = PacedCall(audio, call.sockets, user.lock, user.frame_done, gave_up)
        self._pacer.add(self._paced)

    def _media_over(self, call: CallState, why: str) -> None:
        if self._call is call and self._user is not None:
            text = f"{why}: hanging up"
            self._log.warning(text)
            tell(self._user, Source.MEDIA, text)
            self.end_call("no RTP")
            self._user.far_end_hung_up()

    def _forget(self, call: CallState) -> None:
        """End the media of a call and make the line free."""
        assert self._user is not None
        self._call = None
        paced, self._paced = self._paced, None
        if paced is None:
            call.sockets.close()
            return
        with self._user.lock:
            paced.stop()
            self._last = paced.call.statistics()
        self._pacer.remove(paced)
        self._user.media_stopped()
