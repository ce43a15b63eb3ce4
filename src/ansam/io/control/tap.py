"""A modem of this process as control panels see it.

The pacing thread only hands samples and events over; pictures are made on the event loop, ten a second while
anybody looks.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import numpy as np

from ansam.call.statistics import CallStatistics
from ansam.dce.dce import LineState
from ansam.dce.speaker import Speaker
from ansam.errors import ConfigError
from ansam.io.control.base import Conflict, Message, PanelState, TerminalStream
from ansam.io.control.bundle import Heard, pack
from ansam.io.control.page_dte import PageDte
from ansam.io.control.viewers import Viewers, array, encode
from ansam.io.modem_host import ModemHost
from ansam.io.speaker import int16
from ansam.scope.live import SPECTRUM, CallTrace, frame, spectra
from ansam.units import SAMPLE_RATE, Audio, Samples

PERIOD = 0.1
"""Seconds between frames of a scope, and between looks at the front."""

MEDIA_EVERY = 10
"""Frames of a scope for which packets are counted once."""

KEPT = 60 * SAMPLE_RATE
"""Samples of a bundle."""

HIGH_SPEED = 2400
"""Bit/s above which HS is lit."""

_STATES = {
    LineState.PAUSING: "dialling",
    LineState.CALLING: "dialling",
    LineState.ANSWERING: "handshake",
    LineState.TRAINING: "handshake",
    LineState.DATA: "connected",
    LineState.CLEARING: "connected",
    LineState.OFF_HOOK: "dialling",
}


class Tape:
    """The last samples of a call, both directions; a sink of the modem's host.

    Attributes:
        listened: Asked whether pieces are wanted now.
        deliver: Takes each piece, on the thread that flushes.
        clock: The modem's.
        ended: When the last sample was heard.
    """

    def __init__(self) -> None:
        self._ring = np.zeros((2, KEPT), np.float32)
        self._written = 0
        self._pieces: deque[bytes] = deque(maxlen=SAMPLE_RATE // 160)
        self.listened: Callable[[], bool] = lambda: False
        self.deliver: Callable[[bytes], None] = lambda piece: None
        self.clock: Callable[[], Samples] = lambda: 0
        self.ended: Samples = 0

    def hear(self, rx: Audio, tx: Audio, speaker: Speaker) -> None:
        """See `Sink.hear`."""
        at = self._written % KEPT
        room = KEPT - at
        for row, heard in zip(self._ring, (rx, tx), strict=True):
            row[at : at + len(heard)] = heard[:room]
            if len(heard) > room:
                row[: len(heard) - room] = heard[room:]
        self._written += len(rx)
        self.ended = self.clock() + len(rx)
        if self.listened():
            self._pieces.append(int16(np.stack((rx, tx), axis=1)).tobytes())

    def flush(self) -> None:
        """See `Sink.flush`."""
        while self._pieces:
            self.deliver(self._pieces.popleft())

    def close(self) -> None:
        """See `Sink.close`."""

    def last(self, count: int) -> Audio:
        """Return the last samples, shape (2, count), oldest first; silence before there were any."""
        end = self._written % KEPT
        if end >= count:
            return self._ring[:, end - count : end].copy()
        return np.concatenate((self._ring[:, end - count :], self._ring[:, :end]), axis=1)

    def all(self) -> Audio:
        """Return all that is kept, shape (2, n), oldest first."""
        return self.last(KEPT)[:, KEPT - min(self._written, KEPT) :]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a modem is called.

    Attributes:
        name: In the configuration.
        extension: Of its line, or "".
    """

    name: str
    extension: str = ""


class Watch:
    """What is put into a modem when it is made, so that it can be watched and worked.

    Args:
        page: One of the endpoints of its `ModemHost`, for terminals of ours; None where it has none.

    Attributes:
        trace: For the `Dce`.
        tape: For the sinks of its `ModemHost`.
    """

    def __init__(self, page: PageDte | None = None) -> None:
        self.trace = CallTrace()
        self.tape = Tape()
        self._page = page

    def tap(self, identity: Identity, host: ModemHost) -> "ModemTap":
        """Return the modem as control panels see it; on the loop that runs it."""
        return ModemTap(identity, host, self.trace, self.tape, self._page)


class ModemTap:
    """See `ModemControl`.

    Args:
        identity: Names.
        host: The modem, made with `trace` and with `tape` among its sinks.
        trace: Trace sink of the modem.
        tape: What is heard.
        dte: Its port for a terminal of ours; None where something else has the DTE for good.
    """

    def __init__(
        self, identity: Identity, host: ModemHost, trace: CallTrace, tape: Tape, dte: PageDte | None = None
    ) -> None:
        self._identity = identity
        self._host = host
        self._trace = trace
        self._tape = tape
        self._dte = dte
        self._scopes = Viewers()
        self._listeners = Viewers()
        self._ticking: asyncio.Task[None] | None = None
        self._events: deque[Message] = deque()
        self._lost: deque[tuple[int, int]] = deque(maxlen=2)
        self._media: CallStatistics | None = None
        self._loss = 0.0
        self._loop = asyncio.get_running_loop()
        trace.listener = self._heard
        tape.listened = lambda: bool(self._listeners)
        tape.deliver = self._listeners.frame
        tape.clock = lambda: host.now

    @property
    def id(self) -> str:
        """See `ModemControl.id`."""
        return self._identity.name

    async def state(self) -> PanelState:
        """See `ModemControl.state`."""
        return self._state()

    async def panel(self) -> AsyncIterator[PanelState]:
        """See `ModemControl.panel`."""
        last: PanelState | None = None
        sent, received = self._host.from_terminal, self._host.to_terminal
        while True:
            sends, receives = self._host.from_terminal != sent, self._host.to_terminal != received
            sent, received = self._host.from_terminal, self._host.to_terminal
            state = self._state(sends, receives)
            if last is None or replace(state, seconds=last.seconds) != last:
                last = state
                yield state
            await asyncio.sleep(PERIOD)

    def _state(self, sends: bool = False, receives: bool = False) -> PanelState:
        host, dce = self._host, self._host.dce
        with host.lock:
            state, ringing, call = dce.state, dce.ringing, dce.call
            circuits, (dtr, rts), ready = dce.circuits, dce.dtr_rts, dce.ready
            protected, settings = dce.protected, dce.settings
            connection = dce.connection if state is LineState.DATA else None
            on_hook = state is LineState.ON_HOOK and not ringing
            number = "" if on_hook else dce.peer
            seconds = 0.0 if on_hook else (host.now - dce.call_began) / SAMPLE_RATE
            answers, personality = settings.s[0] > 0, settings.personality.name
        rate = call.rx_rate if connection else 0
        lights = {
            "HS": rate > HIGH_SPEED,
            "AA": answers or ringing,
            "CD": circuits.circuit_109,
            "OH": state is not LineState.ON_HOOK,
            "RD": receives,
            "SD": sends,
            "TR": dtr,
            "MR": True,
            "RS": rts,
            "CS": circuits.circuit_106,
            "SYN": False,
            "ARQ": protected,
        }
        name = "ringing" if ringing else _STATES.get(state, "idle" if ready else "offline")
        return PanelState(
            self.id,
            self._identity.name,
            self._identity.extension,
            personality,
            name,
            number,
            rate,
            connection.text if connection else "",
            round(max(0.0, seconds), 1),
            self._dte is not None,
            lights,
            self._dte is not None and self._dte.in_use,
        )

    # -- doing -----------------------------------------------------------------------------------------------

    async def dial(self, string: str) -> None:
        """See `ModemControl.dial`; a string with ``;`` would leave a call without a modem on it."""
        if ";" in string:
            raise ConfigError("';' is nothing to dial with here", "type ATD at the terminal")
        if self._host.dce.state is not LineState.ON_HOOK:
            raise Conflict("the modem is in a call")
        self._command(f"D{string}")

    async def answer(self) -> None:
        """See `ModemControl.answer`."""
        if not self._host.dce.ringing:
            raise Conflict("no call rings")
        self._command("A")

    async def hang_up(self) -> None:
        """See `ModemControl.hang_up`."""
        if self._host.dce.state is LineState.ON_HOOK:
            raise Conflict("the modem is on hook")
        self._host.hang_up("hung up at the front panel")

    async def volume(self, level: int) -> None:
        """See `ModemControl.volume`; it turns during a call, too."""
        with self._host.lock:
            settings = self._host.dce.settings
            settings["M"] = 1 if level else 0
            if level:
                settings["L"] = level

    def _command(self, line: str) -> None:
        if not self._host.command(line):
            raise Conflict("the modem is carrying out another command")

    # -- seeing ----------------------------------------------------------------------------------------------

    async def scope(self) -> AsyncIterator[str]:
        """See `ModemControl.scope`."""
        self._tell()
        with self._scopes.viewer() as viewer:
            for event in self._trace.events():
                viewer.event(encode(event))
            self._trace.awake = True
            if self._ticking is None:
                self._lost.clear()
                self._ticking = asyncio.create_task(self._tick())
            try:
                async for texts in viewer:
                    yield array(texts)
            finally:
                self._trace.awake = len(self._scopes) > 1

    async def _tick(self) -> None:
        """Make frames while somebody looks; what is made is encoded once, and is one message to a viewer."""
        due, frames = self._loop.time(), 0
        try:
            while self._scopes:
                if frames % MEDIA_EVERY == 0:
                    self._look_at_media()
                frames += 1
                due = max(due + PERIOD, self._loop.time())
                await asyncio.sleep(due - self._loop.time())
                self._tell()
                if (made := self._frame()) is not None:
                    self._scopes.frame(encode(made))
        finally:
            self._ticking = None

    def _tell(self) -> None:
        """Give those who look the events since the last time."""
        while self._events:
            text = encode(self._events.popleft())
            self._scopes.event(text)

    def _frame(self) -> Message | None:
        host = self._host
        with host.lock:
            if host.dce.state is LineState.ON_HOOK:
                return None
            made = frame(host.dce, self._trace, host.now, self._media, self._loss)
            sound = self._tape.last(SPECTRUM)
        made["spectrum"], made["spectrum_tx"] = spectra(sound)
        return made

    def _look_at_media(self) -> None:
        """Take what is known of the packets; the loss is that since the last time."""
        self._media = media = self._host.statistics()
        self._loss = 0.0
        if media is None:
            return
        self._lost.append((media.lost, media.frames))
        before = self._lost[0]
        due = media.frames - before[1]
        if due > 0:
            self._loss = 100 * max(0, media.lost - before[0]) / due

    def _heard(self, event: Message) -> None:
        """Take an event; called from any thread, whose loop is not woken: the next frame takes it along."""
        if self._scopes:
            self._events.append(event)

    async def audio(self) -> AsyncIterator[bytes]:
        """See `ModemControl.audio`."""
        with self._listeners.viewer() as viewer:
            async for pieces in viewer:
                yield b"".join(piece for piece in pieces if isinstance(piece, bytes))

    async def terminal(self) -> TerminalStream:
        """See `ModemControl.terminal`."""
        if self._dte is None:
            raise Conflict("the terminal of this modem is no terminal: it answers calls by itself")
        return self._dte.attach()

    async def bundle(self) -> bytes:
        """See `ModemControl.bundle`."""
        return await asyncio.to_thread(self._bundle)

    def _bundle(self) -> bytes:
        with self._host.lock:
            heard = Heard(self._tape.all(), self._tape.ended, self._host.dce.call_began)
        return pack(heard, self._trace.events(), self._state().message()) if heard.sound.size else b""
