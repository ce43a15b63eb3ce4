"""A SIP extension as a telephone line: registration, calls, media.

Everything that arrives while a call is up and would change its medium to something that can not carry a
modem — T.38, another codec — is refused with 488, and the call goes on undisturbed (RFC 3261 §14.2).
"""

import asyncio
import contextlib
import ipaddress
import random
import socket
import ssl
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote

import structlog

from ansam.call.call import Call, CallMedia, CallStatistics
from ansam.call.line_url import SipLineUrl
from ansam.call.outcome import progress_of
from ansam.codec.g711 import Law
from ansam.dce.progress import Progress
from ansam.errors import AnsamError, ConfigError, RemoteProtocolError, ResourceError
from ansam.io.clock import FramePacer
from ansam.io.line import LineUser
from ansam.io.resolve import Resolver, SystemResolver, locate
from ansam.io.rtp_socket import PacedCall, RtpPorts
from ansam.io.sip import SipNode
from ansam.sdp.crypto import KEY_OCTETS, SUITES
from ansam.sdp.description import SessionDescription, parse
from ansam.sdp.negotiation import (
    PCMA,
    PCMU,
    Codec,
    Features,
    LocalMedia,
    RemoteMedia,
    Secure,
    accept,
    negotiate,
    offer,
)
from ansam.sip.auth import Credentials
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
    RegistrationId,
    Reinvite,
    ReinviteAnswered,
    Unregistered,
)
from ansam.sip.ua import UserAgent, UserAgentConfig
from ansam.units import Seconds

REGISTER_TIMEOUT = 5.0
"""Seconds the first registration may take before the registrar counts as dead."""

CLOSE_TIMEOUT = 2.0
"""Seconds for BYE and un-registration at the end."""

CODEC = {Law.ALAW: PCMA, Law.ULAW: PCMU}


class Phase(Enum):
    """Where the line's call is."""

    IDLE = "no call"
    CALLING = "INVITE sent"
    RINGING = "INVITE received"
    ACCEPTED = "200 sent without a known far end: its description comes with the ACK"
    UP = "talking path"


@dataclass(slots=True)
class _CallState:
    """The one call of the line."""

    identity: CallId
    phase: Phase
    sock: socket.socket
    local: LocalMedia
    remote: RemoteMedia | None = None
    answer: SessionDescription | None = None
    offering: bool = False
    """A re-INVITE without a description was answered with our offer: the peer's answer comes in its ACK."""


class SipLine:
    """One registered extension.

    Args:
        url: What the person wrote.
        pacer: Runs the frames of all lines of this process.
        ports: Where RTP sockets come from.
        must_register: `open` raises when the first registration fails; False keeps trying in the background.
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
        rng: random.Random | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self.name = str(url)
        self._url = url
        self._pacer = pacer
        self._ports = ports or RtpPorts()
        self._must_register = must_register
        self._rng = rng or random.SystemRandom()
        self._codecs: tuple[Codec, ...] = (CODEC[url.law],)
        self._features = Features(url.vbd, url.red, url.srtp)
        self._log: Any = structlog.get_logger("ansam.line").bind(line=self.name)
        self._node: SipNode | None = None
        self._user: LineUser | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._resolver = resolver or SystemResolver()
        self._servers: list[Address] = []
        self._failures = 0
        self._remote: Address = ("", 0)
        self._local_ip = ""
        self._registration: RegistrationId | None = None
        self._signed_off = asyncio.Event()
        self._call: _CallState | None = None
        self._paced: PacedCall | None = None
        self._last: CallStatistics | None = None
        self._ending: set[CallId] = set()

    # -- Line ------------------------------------------------------------------------------------------------

    async def open(self, user: LineUser) -> None:
        """Register; see `Line.open`."""
        self._user = user
        self._loop = asyncio.get_running_loop()
        self._servers = await self._resolve()
        self._remote = self._servers[0]
        self._local_ip = self._url.bind or _address_towards(self._remote)
        config = UserAgentConfig(user=self._url.user, max_calls=8)
        context = self._tls_context() if self._url.transport == "tls" else None
        node = SipNode(UserAgent(config, self._rng), self._on_event, tls=context, tls_name=self._url.host)
        self._node = node
        try:
            if self._url.transport == "tcp":
                await node.open_tcp(self._local_ip)
            elif self._url.transport == "tls":
                node.open_tls_client(self._local_ip)
            else:
                node.open_udp(self._local_ip)
            user.line_ready(False)
            await self._register(node)
        except BaseException:
            self._node = None
            await node.close()
            raise

    def place_call(self, number: str) -> None:
        """Call; see `Line.place_call`."""
        assert self._node is not None
        assert self._user is not None
        if self._call is not None:
            self._user.progress(Progress.REFUSED)
            return
        try:
            sock, local = self._open_media()
        except ResourceError as error:
            self._log.error("no call", error=str(error))
            self._user.progress(Progress.UNREACHABLE)
            return
        flow = self._node.flow(self._url.transport, self._remote)
        target = f"sip:{quote(number, safe='*+')}@{self._authority}"
        sdp = offer(local, self._codecs, self._features).serialise()

        def invite(agent: UserAgent, now: Seconds) -> None:
            identity = agent.invite(
                target, flow, now, from_=self._aor, sdp=sdp, credentials=self._credentials
            )
            self._call = _CallState(identity, Phase.CALLING, sock, local)

        self._node.do(invite)

    def accept_call(self) -> None:
        """Answer; see `Line.accept_call`."""
        assert self._node is not None
        call = self._call
        if call is None or call.phase is not Phase.RINGING:
            return
        description = call.answer or offer(call.local, self._codecs, self._features)
        call.phase = Phase.UP if call.remote else Phase.ACCEPTED
        self._node.do(lambda agent, now: agent.answer(call.identity, description.serialise(), now))
        if self._call is call and call.remote is not None:
            self._start_media(call, call.remote, answered=True)

    def end_call(self, reason: str) -> None:
        """Hang up; see `Line.end_call`."""
        call = self._call
        if call is None or self._node is None:
            return
        self._forget(call)
        self._ending.add(call.identity)
        self._node.do(lambda agent, now: agent.hang_up(call.identity, now))

    def statistics(self) -> CallStatistics | None:
        """See `Line.statistics`."""
        if self._paced is not None and self._user is not None:
            with self._user.lock:
                return self._paced.call.statistics()
        return self._last

    async def close(self) -> None:
        """Hang up and un-register; see `Line.close`."""
        node = self._node
        if node is None:
            return
        self.end_call("shut down")
        registration = self._registration
        if registration is not None:
            self._signed_off.clear()
            node.do(lambda agent, now: agent.unregister(registration, now))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while self._ending or self._registration is not None:
                    self._signed_off.clear()
                    await self._signed_off.wait()
        self._node = None
        await node.close()

    @property
    def signalling(self) -> Address:
        """Our SIP address; the line must be open."""
        assert self._node is not None
        return self._node.flow(self._url.transport, self._remote).local

    # -- opening ---------------------------------------------------------------------------------------------

    @property
    def _authority(self) -> str:
        host = f"[{self._url.host}]" if ":" in self._url.host else self._url.host
        return host if self._url.port == self._url.default_port else f"{host}:{self._url.port}"

    @property
    def _aor(self) -> str:
        return f"sip:{quote(self._url.user, safe='*+')}@{self._authority}"

    @property
    def _credentials(self) -> Credentials:
        return Credentials(self._url.user, self._url.secret)

    async def _resolve(self) -> list[Address]:
        host, port = self._url.proxy or (self._url.host, self._url.port)
        return await locate(
            host,
            port,
            self._url.transport,
            self._resolver,
            self._rng,
            srv=self._url.srv,
            what="registrar" if self._url.proxy is None else "proxy",
        )

    def _tls_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._url.ca or None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"certificates {self._url.ca}: {error.strerror or error}", "give a PEM file as ;ca="
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self._url.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def _register(self, node: SipNode) -> None:
        first: asyncio.Future[Registered | RegistrationFailed] = asyncio.get_running_loop().create_future()
        self._first = first
        flow = node.flow(self._url.transport, self._remote)

        def register(agent: UserAgent, now: Seconds) -> None:
            self._registration = agent.register(
                self._aor,
                flow,
                now,
                credentials=self._credentials,
                expires=self._url.expires,
                keep_alive=float(self._url.keepalive) or None,
            )

        node.do(register)
        if not self._must_register:
            return
        try:
            async with asyncio.timeout(REGISTER_TIMEOUT):
                outcome = await first
        except TimeoutError:
            outcome = None
        if not isinstance(outcome, Registered):
            raise self._refusal(outcome)

    def _refusal(self, outcome: RegistrationFailed | None) -> AnsamError:
        where = f"registrar {self._url.host}:{self._url.port}"
        if outcome is None or outcome.status in (408, 503):
            return ResourceError(f"{where} does not respond", "check the address and that the exchange runs")
        if outcome.status in (401, 403, 404, 407):
            return ConfigError(
                f"{where} refuses extension {self._url.user}: {outcome.status} {outcome.reason}",
                "check USER and SECRET of the line URL",
            )
        return ResourceError(f"{where} refuses to register: {outcome.status} {outcome.reason}")

    def _open_media(self) -> tuple[socket.socket, LocalMedia]:
        sock = self._ports.open(self._local_ip)
        keys = self._rng.randbytes(KEY_OCTETS * len(SUITES)) if self._url.srtp is not Secure.NO else b""
        port = sock.getsockname()[1]
        return sock, LocalMedia(self._local_ip, port, self._rng.getrandbits(31), keys=keys)

    # -- events ----------------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        assert self._user is not None
        match event:
            case Registered():
                self._failures = 0
                self._log.info("registered", expires=event.expires)
                self._tell_first(event)
                self._user.line_ready(True)
            case RegistrationFailed():
                self._log.warning(
                    "not registered", error=str(self._refusal(event)), retry_in=round(event.retry_in)
                )
                if not self._next_server(event):
                    self._tell_first(event)
                    self._user.line_ready(False)
            case Unregistered():
                self._registration = None
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

    def _next_server(self, failed: RegistrationFailed) -> bool:
        """Turn to the next server where this one is out of order (RFC 3263 §4.3); False after a round."""
        self._failures += 1
        if failed.status not in (408, 502, 503, 504) or self._failures % len(self._servers) == 0:
            return False
        assert self._node is not None
        at = self._servers.index(self._remote)
        self._remote = self._servers[(at + 1) % len(self._servers)]
        flow = self._node.flow(self._url.transport, self._remote)
        identity = failed.registration
        self._node.do(lambda agent, now: agent.move_registration(identity, flow, now))
        return True

    def _tell_first(self, outcome: Registered | RegistrationFailed) -> None:
        if not self._first.done():
            self._first.set_result(outcome)

    def _on_call_event(self, event: Event, call: _CallState, user: LineUser) -> None:
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
                self._forget(call)
                user.progress(progress_of(event.status) or Progress.REFUSED)
            case CallEnded():
                self._log.info("call ended", reason=event.reason, status=event.status)
                self._forget(call)
                user.far_end_hung_up()
            case Cancelled():
                self._forget(call)
                user.incoming_stopped()
            case Reinvite():
                self._renegotiate(event, call, user)
            case _:
                pass

    def _answered(self, sdp: bytes, call: _CallState, user: LineUser) -> None:
        """The far end's answer to our offer is here: a talking path, or none that a modem can use."""
        try:
            remote = accept(parse(sdp), self._codecs, self._features, call.local)
        except RemoteProtocolError as error:
            self._log.warning("answer not understood", error=str(error))
            remote = None
        if remote is None or not _is_address(remote.address):
            self._log.warning("the far end answered without a codec that carries a modem")
            self.end_call("no usable codec")
            user.progress(Progress.REFUSED)
            return
        self._start_media(call, remote, answered=False)

    def _incoming(self, event: IncomingCall, user: LineUser) -> None:
        assert self._node is not None
        status, call = 486, None
        known = [server[0] for server in self._servers]
        if self._url.callers == "registrar" and event.flow.remote[0] not in known:
            self._log.warning("call from elsewhere than the registrar refused", peer=event.flow.remote[0])
            status = 403
        elif self._call is None:
            status, call = self._consider(event)
        if call is not None:
            self._call = call
            caller = event.from_.removeprefix("sip:").partition("@")[0]
            if not user.incoming(caller):
                self._forget(call)
                status, call = 486, None
        identity = event.call
        if call is None:
            self._node.do(lambda agent, now: agent.reject(identity, status, now))
        elif call.phase is Phase.RINGING:
            self._node.do(lambda agent, now: agent.ringing(identity, now))

    def _consider(self, event: IncomingCall) -> tuple[int, _CallState | None]:
        """Return the call that an INVITE would be, or the status that refuses it."""
        try:
            sock, local = self._open_media()
        except ResourceError as error:
            self._log.error("call refused", error=str(error))
            return 500, None
        call = _CallState(event.call, Phase.RINGING, sock, local)
        if not event.sdp:
            return 180, call
        try:
            agreement = negotiate(parse(event.sdp), local, self._codecs, self._features)
        except RemoteProtocolError as error:
            self._log.warning("offer not understood", error=str(error))
            agreement = None
        if agreement is None or not _is_address(agreement.remote.address):
            sock.close()
            return 488, None
        call.remote, call.answer = agreement.remote, agreement.answer
        return 180, call

    def _renegotiate(self, event: Reinvite, call: _CallState, user: LineUser) -> None:
        assert self._node is not None
        local = call.local.next_version()
        if not event.sdp:
            description = offer(local, self._codecs, self._features)
            call.local, call.offering = local, True
            self._node.do(lambda agent, now: agent.accept_reinvite(event.call, description.serialise(), now))
            return
        try:
            agreement = negotiate(parse(event.sdp), local, self._codecs, self._features)
        except RemoteProtocolError:
            agreement = None
        if agreement is None or not (agreement.remote.on_hold or _is_address(agreement.remote.address)):
            self._log.info("re-INVITE refused: it would end the modem's audio")
            self._node.do(lambda agent, now: agent.reject_reinvite(event.call, now, 488))
            return
        call.local, call.remote = local, agreement.remote
        answer = agreement.answer.serialise()
        self._node.do(lambda agent, now: agent.accept_reinvite(event.call, answer, now))
        self._follow(CallMedia.agreed(agreement.remote, answered=True), user)

    def _reoffer_answered(self, sdp: bytes, call: _CallState, user: LineUser) -> None:
        """The far end's answer to our offer within the call; one that is of no use changes nothing."""
        call.offering = False
        try:
            remote = accept(parse(sdp), self._codecs, self._features, call.local)
        except RemoteProtocolError:
            remote = None
        if remote is None or not (remote.on_hold or _is_address(remote.address)):
            self._log.warning("answer within the call not understood: the audio goes on as it was")
            return
        call.remote = remote
        self._follow(CallMedia.agreed(remote, answered=False), user)

    def _follow(self, media: CallMedia, user: LineUser) -> None:
        if self._paced is not None:
            with user.lock:
                self._paced.call.renegotiated(media)

    # -- media -----------------------------------------------------------------------------------------------

    def _start_media(self, call: _CallState, remote: RemoteMedia, *, answered: bool) -> None:
        assert self._user is not None
        assert self._loop is not None
        user, loop = self._user, self._loop
        call.phase, call.remote = Phase.UP, remote
        user.progress(Progress.CONNECTED)
        if self._call is not call:
            return
        media = CallMedia.agreed(remote, answered=answered)
        audio = Call(media, user, self._rng, self._url.playout, user.media_started())

        def went_silent() -> None:
            loop.call_soon_threadsafe(self._went_silent, call)

        self._paced = PacedCall(audio, call.sock, user.lock, user.frame_done, went_silent)
        self._pacer.add(self._paced)

    def _went_silent(self, call: _CallState) -> None:
        if self._call is call and self._user is not None:
            self._log.warning("no packet of the far end for 30 s: hanging up")
            self.end_call("no RTP")
            self._user.far_end_hung_up()

    def _forget(self, call: _CallState) -> None:
        """End the media of a call and make the line free."""
        assert self._user is not None
        self._call = None
        paced, self._paced = self._paced, None
        if paced is None:
            call.sock.close()
            return
        with self._user.lock:
            paced.stop()
            self._last = paced.call.statistics()
        self._pacer.remove(paced)
        self._user.media_stopped()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _address_towards(remote: Address) -> str:
    """Return our IP address on the way to a peer (no packet is sent)."""
    family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(remote)
        except OSError as error:
            raise ResourceError(f"no way to {remote[0]}", "check the network, or give ;bind=IP") from error
        return str(probe.getsockname()[0])
