"""Calls over the network: a number of the phone book, or an address, leads to a TCP or SSH connection.

::

    place_call ── phone book ──► place on the network ── resolve, connect ──► StreamCall ──► the modem
                      └────────► the telephone line, where there is one
    a caller on a listening port ── RING ── ATA, S0 ──► StreamCall

A modem is on one call at a time, whichever way it came.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

import structlog

from ansam.call.line_url import NetworkLineUrl
from ansam.call.phonebook import PhoneBook, Place, Target
from ansam.call.statistics import CallStatistics
from ansam.dce.progress import Progress, Stream
from ansam.dte.stream_codec import Protocol, StreamCodec
from ansam.errors import AnsamError, ConfigError
from ansam.io.line import Line, LineUser, NetworkUser
from ansam.io.line_listen import Caller, CallPort, CallPorts
from ansam.io.line_telephone import TelephoneUser
from ansam.io.phonebook_file import read_book
from ansam.io.sockets import look_up
from ansam.io.ssh_call import connect_ssh
from ansam.io.stream_call import StreamCall, keep_short

CONNECT_TIMEOUT = 30.0
ADDRESS_TIMEOUT = 10.0
"""Seconds for each address of a host that has several."""

RING_TIMEOUT = 60.0
"""Seconds a caller waits for an answer."""

CLOSE_TIMEOUT = 3.0


class NetworkLine:
    """One network line, alone or beside a telephone line.

    Args:
        url: What the person wrote.
        telephone: Where numbers go that the phone book does not know; None: nobody has them.
        ports: The listening ports of this process.

    Attributes:
        name: As in the URL, with the telephone line's.
    """

    def __init__(
        self, url: NetworkLineUrl, telephone: Line | None = None, ports: CallPorts | None = None
    ) -> None:
        self.name = f"{telephone.name} and {url}" if telephone else str(url)
        self._url = url
        self._telephone = telephone
        self._ports = ports or CallPorts()
        self._open_ports: list[CallPort] = []
        self._book = PhoneBook()
        self._log: Any = structlog.get_logger("ansam.line").bind(line=self.name)
        self._user: NetworkUser | None = None
        self._beside: TelephoneUser | None = None
        self._task: asyncio.Task[None] | None = None
        self._call: StreamCall | None = None
        self._caller: Caller | None = None
        self._ring_timer: asyncio.TimerHandle | None = None

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens, with the real ports once open."""
        return [port.address for port in self._open_ports]

    async def open(self, user: LineUser) -> None:
        """Read the phone book, open the telephone line, listen; see `Line.open`.

        Raises:
            ConfigError: `user` is for audio alone.
        """
        if not isinstance(user, NetworkUser):
            raise ConfigError(f"{self.name} carries no audio", "name a telephone line")
        self._user = user
        if self._url.phonebook:
            self._book = read_book(self._url.phonebook)
        try:
            for address in self._url.listen:
                self._open_ports.append(await self._ports.join(address, self))
            if self._telephone is not None:
                self._beside = TelephoneUser(user)
                await self._telephone.open(self._beside)
        except BaseException:
            await self._leave_ports()
            raise
        user.line_ready(True)

    async def close(self) -> None:
        """See `Line.close`."""
        call = self._call
        self.end_call("shut down")
        await self._leave_ports()
        if self._telephone is not None:
            await self._telephone.close()
        if call is not None:
            await call.wait_closed()

    async def _leave_ports(self) -> None:
        while self._open_ports:
            await self._ports.leave(self._open_ports.pop(), self)

    # -- calls -----------------------------------------------------------------------------------------------

    def place_call(self, number: str) -> None:
        """Call a number or an address; see `Line.place_call`."""
        assert self._user is not None
        self._read_book_again()
        try:
            place = self._book.place(number)
        except ConfigError as error:
            self._user.call_failed(Progress.NO_SUCH_NUMBER, error.message)
            return
        if place is not None:
            self._task = asyncio.get_running_loop().create_task(self._connect(place, self._user))
        elif self._telephone is None or self._beside is None:
            self._user.call_failed(Progress.NO_SUCH_NUMBER, f"{number} is not in the phone book")
        elif not self._beside.ready:
            self._user.call_failed(Progress.UNREACHABLE, self._beside.why)
        else:
            self._telephone.place_call(self._book.telephone(number))

    def accept_call(self) -> None:
        """Answer the call that rings; see `Line.accept_call`."""
        caller, self._caller = self._caller, None
        if caller is None:
            if self._telephone is not None:
                self._telephone.accept_call()
            return
        self._stop_ring_timer()
        if self._user is not None:
            self._up(caller.call, self._user, self._stream("TELNET" if caller.codec.telnet else "TCP"))

    def end_call(self, reason: str) -> None:
        """Hang up; see `Line.end_call`."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._stop_ring_timer()
        call, self._call, self._caller = self._call, None, None
        if call is not None:
            call.close()
        if self._telephone is not None:
            self._telephone.end_call(reason)

    def statistics(self) -> CallStatistics | None:
        """Return those of the telephone line: nothing is lost on a stream."""
        return self._telephone.statistics() if self._telephone is not None else None

    def _read_book_again(self) -> None:
        """Follow the file; one that has become unreadable leaves what was read before."""
        if self._url.phonebook:
            try:
                self._book = read_book(self._url.phonebook)
            except AnsamError as error:
                self._log.warning("phone book", error=str(error))

    # -- calling ---------------------------------------------------------------------------------------------

    async def _connect(self, place: Place, user: NetworkUser) -> None:
        target = place.target
        self._log.info("connecting", to=str(target))
        codec = StreamCodec(target.protocol, petscii=place.petscii)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                call = await self._open_call(target, codec)
        except (OSError, TimeoutError, AnsamError) as error:
            progress, cause = explain(error, target)
            self._log.warning("no connection", to=str(target), cause=cause)
            user.call_failed(progress, cause)
            return
        finally:
            if self._task is asyncio.current_task():  # else it was ended, and the next may be under way
                self._task = None
        protocol = {Protocol.SSH: "SSH", Protocol.TELNET: "TELNET"}.get(target.protocol, "TCP")
        self._call = call
        self._up(call, user, self._stream(protocol, place.rate))

    async def _open_call(self, target: Target, codec: StreamCodec) -> StreamCall:
        sock = await open_socket(target)
        if target.protocol is Protocol.SSH:
            reader, writer = await connect_ssh(sock, target, verify=self._url.verify)
        else:
            reader, writer = await asyncio.open_connection(sock=sock)
        return StreamCall(reader, writer, codec)

    def _stream(self, protocol: str, rate: int = 0) -> Stream:
        return Stream(protocol, rate, self._url.pace)

    def _up(self, call: StreamCall, user: NetworkUser, stream: Stream) -> None:
        user.stream_connected(stream, call.look)
        if self._call is call:
            call.connect(user)

    # -- being called ----------------------------------------------------------------------------------------

    @property
    def url(self) -> NetworkLineUrl:
        """How callers are treated."""
        return self._url

    def rings(self, caller: Caller) -> bool:
        """Return whether the modem is free for a caller; from now on it rings."""
        if self._call is not None or self._task is not None or self._user is None:
            return False
        self._call, self._caller = caller.call, caller
        if not self._user.incoming(caller.name):
            self._call = self._caller = None
            return False
        caller.call.on_gone = self._caller_gone
        self._ring_timer = asyncio.get_running_loop().call_later(RING_TIMEOUT, self._not_answered)
        return True

    def _caller_gone(self, reason: str) -> None:
        """The caller left before he was answered."""
        self._stop_ring_timer()
        caller, self._call, self._caller = self._caller, None, None
        if caller is not None and self._user is not None:
            self._log.info("caller gone", reason=reason)
            caller.call.close()
            self._user.incoming_stopped()

    def _not_answered(self) -> None:
        if self._caller is not None:
            self._caller.call.say(b"NO ANSWER\r\n")
            self._caller_gone("not answered")

    def _stop_ring_timer(self) -> None:
        if self._ring_timer is not None:
            self._ring_timer.cancel()
            self._ring_timer = None


def _as_they_are(sock: socket.socket) -> None:
    """Leave a socket's own address to the system."""


async def open_socket(
    target: Target, prepare: Callable[[socket.socket], None] = _as_they_are
) -> socket.socket:
    """Return a connected socket, from the first address of the host that answers.

    Args:
        target: The host.
        prepare: Called with each socket before it is connected.

    Raises:
        OSError: None does; the error is the last one's.
    """
    loop = asyncio.get_running_loop()
    found = await look_up(target.host, target.port, socket.SOCK_STREAM)
    failure: OSError = OSError(errno.EADDRNOTAVAIL, "the host has no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            keep_short(sock)
            prepare(sock)
            async with asyncio.timeout(ADDRESS_TIMEOUT):
                await loop.sock_connect(sock, address)
        except TimeoutError:
            sock.close()
            failure = OSError(errno.ETIMEDOUT, "no answer")
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def explain(error: Exception, target: Target) -> tuple[Progress, str]:
    """Return what a failed connection is to a modem, and to a person."""
    where = f"{target.host}:{target.port}"
    if isinstance(error, socket.gaierror):
        return Progress.NO_SUCH_NUMBER, f"{target.host} has no address: {(error.strerror or '').lower()}"
    if isinstance(error, AnsamError):
        return Progress.REFUSED, str(error)
    number = getattr(error, "errno", None)
    if isinstance(error, TimeoutError) or number in (errno.ETIMEDOUT, errno.EHOSTUNREACH):
        return Progress.NO_ANSWER, f"{where} does not answer"
    if number == errno.ECONNREFUSED:
        return Progress.BUSY, f"{where} refuses connections"
    if number in (errno.ENETUNREACH, errno.ENETDOWN):
        return Progress.UNREACHABLE, "there is no way to the network"
    return Progress.REFUSED, f"{where}: {(getattr(error, 'strerror', None) or str(error)).lower()}"
