"""One modem in the world: the `Dce` engine, the line it hangs on, and the terminal at its other end.

```
 DteEndpoint ──offer──► ModemHost ──► Dce ◄── process ── pacer thread (or the raw line)
             ◄──take───     │
                            └── take_actions ──► Line: place, accept, end
 Line ── ready, incoming, progress, hung up ──► Dce
```

Two threads meet here: the event loop's (terminal, signalling, timers) and the pacer's (audio). One lock per
modem guards the engine and its call's media. It is held for one engine call at a time, never while anything
can block; what the engine asks for is done afterwards by `_service` on the loop.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from threading import RLock
from typing import Any

import structlog

from ansam.call.media_facts import MediaFacts
from ansam.call.modem_report import facts_of
from ansam.call.statistics import CallStatistics
from ansam.dce.causes import Source
from ansam.dce.dce import Connected, Dce, DceEvent, Ended, SpeakerChanged, TerminalBreak, TerminalRate
from ansam.dce.progress import AcceptCall, EndCall, LineAction, PlaceCall, Progress, Stream
from ansam.dte.circuits import Circuits
from ansam.io.dte import DteEndpoint
from ansam.io.line import Line
from ansam.io.line_clock import LineClock
from ansam.io.modem_init import run_init
from ansam.io.speaker import Sink
from ansam.path import ModemFacts
from ansam.units import FRAME, SAMPLE_RATE, Audio, Samples

LATEST_OUTPUT = 2.0
"""Seconds the terminal gets at the end to take what the modem has said."""


def _no_listener(event: DceEvent) -> None:
    """Nobody listens."""


def _nothing() -> None:
    """There is no stream to look at."""


class ModemHost:
    """Runs one modem on the event loop it is started on.

    Args:
        dce: The modem.
        line: Its telephone line.
        dte: Its terminal's end.
        name: For logs.
        listener: Told the modem's events, on the loop.
        sinks: Where the call can be heard.

    Attributes:
        dce: The modem; touch it only while `lock` is held.
        lock: See `LineUser`.
        from_terminal: Octets taken from the terminal so far.
        to_terminal: Octets given to it.
    """

    def __init__(
        self,
        dce: Dce,
        line: Line,
        dte: DteEndpoint,
        *,
        name: str = "modem",
        listener: Callable[[DceEvent], None] = _no_listener,
        sinks: Sequence[Sink] = (),
    ) -> None:
        self.dce = dce
        self._sinks = sinks
        self.lock = RLock()
        self._line = line
        self._dte = dte
        self._listener = listener
        self._log: Any = structlog.get_logger("ansam.modem").bind(modem=name, line=line.name)
        self._clock = LineClock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._scheduled = False
        self._on_call = False
        self._media_facts = MediaFacts()
        self._call_began: Samples = 0
        self._reversed = False
        self._circuits: Circuits | None = None
        self._look: Callable[[], None] = _nothing
        self.from_terminal = self.to_terminal = 0

    def initialise(self, command: str) -> None:
        """Run an init string before the terminal is attached.

        Raises:
            ConfigError: The modem does not answer OK.
        """
        with self.lock:
            run_init(self.dce, command, self._clock)

    async def start(self) -> None:
        """Attach terminal and line.

        Raises:
            AnsamError: The endpoint or the line can not be had; nothing stays open.
        """
        self._loop = asyncio.get_running_loop()
        await self._dte.open(self)
        try:
            await self._line.open(self)
        except BaseException:
            await self._dte.close()
            raise
        self._schedule()

    async def stop(self) -> None:
        """Hang up, sign off, and give everything back."""
        await self._line.close()
        if self._on_call:
            self.media_stopped()
        with self.lock:
            self.dce.far_end_hung_up(self._clock.now())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LATEST_OUTPUT):
                self._service()
                await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()
        self._scheduled = True  # Nothing is scheduled any more.
        for sink in self._sinks:
            sink.close()
        await self._dte.close()

    # -- from a control panel --------------------------------------------------------------------------------

    @property
    def now(self) -> Samples:
        """The modem's clock."""
        return self._clock.now()

    def command(self, line: str) -> bool:
        """Carry out a command line (without AT); False where the modem takes none now."""
        with self.lock:
            if not self.dce.commandable:
                return False
            self.dce.command(line, self._clock.now())
        self._schedule()
        return True

    def hang_up(self, reason: str) -> None:
        """End the call there is."""
        with self.lock:
            self.dce.hang_up(reason, self._clock.now())
        self._schedule()

    def statistics(self) -> CallStatistics | None:
        """Return how the media of the present call (or else the last) fared."""
        return self._line.statistics()

    # -- the terminal's side (DtePort) -----------------------------------------------------------------------

    def offer(self, data: bytes) -> int:
        """See `DtePort.offer`."""
        with self.lock:
            taken = self.dce.receive_dte(data, self._clock.now())
        self.from_terminal += taken
        if taken:  # Otherwise the endpoint would offer again at once, and again.
            self._schedule()
        return taken

    def take(self, limit: int) -> bytes:
        """See `DtePort.take`."""
        with self.lock:
            data = self.dce.take_dte(limit)
        self.to_terminal += len(data)
        return data

    def set_dtr(self, on: bool) -> None:
        """See `DtePort.set_dtr`."""
        with self.lock:
            self.dce.set_dtr(on, self._clock.now())
        self._schedule()

    def set_rts(self, on: bool) -> None:
        """See `DtePort.set_rts`."""
        with self.lock:
            self.dce.set_rts(on, self._clock.now())
        self._schedule()

    def set_port_rate(self, rate: int) -> None:
        """See `DtePort.set_port_rate`."""
        with self.lock:
            self.dce.set_port_rate(rate, self._clock.now())

    def receive_break(self, milliseconds: int) -> None:
        """See `DtePort.receive_break`."""
        with self.lock:
            self.dce.receive_break(milliseconds, self._clock.now())
        self._schedule()

    def claim(self) -> bool:
        """See `DtePort.claim`; one endpoint alone needs not ask."""
        return True

    def release(self) -> None:
        """See `DtePort.release`."""

    # -- the line's side (LineUser) --------------------------------------------------------------------------

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """See `LineUser.process`."""
        tx = self.dce.process(rx, now, erased)
        for sink in self._sinks:
            sink.hear(rx, tx, self.dce.speaker)
        self._clock.advance_to(now + len(rx))
        if now // SAMPLE_RATE != (now + len(rx)) // SAMPLE_RATE:
            self._look_at_media(now)
        return tx

    def _look_at_media(self, now: Samples) -> None:
        """Tell the modem once a second what its packets have gone through. The lock is held."""
        statistics = self._line.statistics()
        if statistics is not None and self._on_call:
            for source, text, lasting in self._media_facts.update(statistics):
                self._log.warning(source.value, observed=text)
                self.dce.observed(source, text, "", now, lasting=lasting)

    @property
    def delay_may_change(self) -> bool:
        """See `call.party.Tolerant`. The lock is held."""
        return self.dce.delay_may_change

    def path_facts(self) -> ModemFacts:
        """See `call.party.Informed`. The lock is held."""
        return self.dce.path_facts()

    def call_report(self) -> dict[str, Any]:
        """See `Reporter.call_report`."""
        with self.lock:
            return facts_of(self.dce, self._line.statistics(), self._call_began, self._clock.now())

    def media_started(self) -> Samples:
        """See `LineUser.media_started`."""
        self._on_call = True
        self._media_facts = MediaFacts()
        with self.lock:
            self._call_began = self._clock.begin_call()
            return self._call_began

    def media_stopped(self) -> None:
        """See `LineUser.media_stopped`."""
        self._on_call = False
        with self.lock:
            self._clock.end_call()
        statistics = self._line.statistics()
        if statistics is not None:
            self._log.info("media", **asdict(statistics))
        self._schedule()

    def frame_done(self) -> None:
        """See `LineUser.frame_done`."""
        if self._scheduled or self._loop is None:
            return
        self._scheduled = True
        with contextlib.suppress(RuntimeError):  # The loop has ended: so has everything else.
            self._loop.call_soon_threadsafe(self._service)

    def line_ready(self, ready: bool) -> None:
        """See `LineUser.line_ready`."""
        with self.lock:
            self.dce.line_ready(ready, self._clock.now())
        self._schedule()

    def expect_reversed(self) -> None:
        """See `Reversible.expect_reversed`."""
        self._reversed = True

    def incoming(self, caller: str, name: str = "") -> bool:
        """See `LineUser.incoming`."""
        stamp = datetime.now().strftime("%m%d%H%M")
        with self.lock:
            taken = self.dce.incoming_call(caller, self._clock.now(), name, stamp, self._reversed)
            self._reversed = False
        self._log.info("incoming call", caller=caller, taken=taken)
        self._schedule()
        return taken

    def incoming_stopped(self) -> None:
        """See `LineUser.incoming_stopped`."""
        with self.lock:
            self.dce.incoming_stopped(self._clock.now())
        self._schedule()

    def progress(self, progress: Progress) -> None:
        """See `LineUser.progress`."""
        self.call_failed(progress, "")

    def observed(self, source: Source, text: str, clause: str = "") -> None:
        """See `Observer.observed`."""
        with self.lock:
            self.dce.observed(source, text, clause, self._clock.now())

    def line_not_ready(self, why: str) -> None:
        """See `Observer.line_not_ready`."""
        with self.lock:
            self.dce.line_ready(False, self._clock.now(), why)

    def far_end_hung_up(self) -> None:
        """See `LineUser.far_end_hung_up`."""
        with self.lock:
            self.dce.far_end_hung_up(self._clock.now())
        self._schedule()

    def call_failed(self, progress: Progress, cause: str) -> None:
        """See `NetworkUser.call_failed`."""
        self._log.info("call progress", progress=cause or progress.value)
        with self.lock:
            self.dce.progress(progress, self._clock.now(), cause)
        self._schedule()

    def stream_connected(self, stream: Stream, look: Callable[[], None]) -> None:
        """See `NetworkUser.stream_connected`."""
        self._look = look
        with self.lock:
            self.dce.stream_connected(stream, self._clock.now())
        self._schedule()

    def stream_offer(self, data: bytes) -> int:
        """See `NetworkUser.stream_offer`."""
        with self.lock:
            taken = self.dce.stream_offer(data, self._clock.now())
        if taken:
            self._schedule()
        return taken

    def stream_take(self, limit: int) -> bytes:
        """See `NetworkUser.stream_take`."""
        with self.lock:
            data = self.dce.stream_take(limit, self._clock.now())
        if data:
            self._schedule()
        return data

    def stream_ended(self, reason: str) -> None:
        """See `NetworkUser.stream_ended`."""
        with self.lock:
            self.dce.stream_ended(reason, self._clock.now())
        self._schedule()

    # -- what follows every input ----------------------------------------------------------------------------

    def _schedule(self) -> None:
        if not self._scheduled and self._loop is not None:
            self._scheduled = True
            self._loop.call_soon(self._service)

    def _service(self) -> None:
        """Do what the engine asks for, hand out its output, offer it what waits, arm its timer."""
        self._scheduled = False
        with self.lock:
            actions = self.dce.take_actions()
            events = self.dce.take_events()
            circuits = self.dce.circuits
        try:
            for action in actions:
                self._act(action)
            for event in events:
                self._tell(event)
            if circuits != self._circuits:
                self._circuits = circuits
                self._dte.show(circuits)
            for sink in self._sinks:
                sink.flush()
            self._dte.output_ready()
            self._dte.resume()
            self._look()
        finally:
            self._arm()

    def _act(self, action: LineAction) -> None:
        match action:
            case PlaceCall(number):
                self._log.info("dial", number=number)
                self._line.place_call(number)
            case AcceptCall():
                self._line.accept_call()
            case EndCall(reason):
                self._log.info("hang up", reason=reason)
                self._line.end_call(reason)

    def _tell(self, event: DceEvent) -> None:
        match event:
            case Connected():
                self._log.info("connected", text=event.text, modulation=event.modulation)
            case TerminalRate(rate):
                self._dte.set_rate(rate)
            case TerminalBreak(milliseconds):
                self._dte.send_break(milliseconds)
            case SpeakerChanged(on, volume):
                self._log.debug("speaker", on=on, volume=volume)
            case Ended():
                causes = [f"{(c.at - event.began) / SAMPLE_RATE:.1f} s: {c.describe()}" for c in event.causes]
                self._log.info("call over", reason=event.reason, causes=causes)
            case _:
                self._log.info(type(event).__name__, **asdict(event))
        self._listener(event)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        assert self._loop is not None
        with self.lock:
            due = self.dce.deadline()
            if due is None:
                return
            delay = max(0.0, (due - self._clock.now() + 1) / 8000)
        # During a call its frames move the engine's clock; the timer only stands in for a far end that is
        # silent.
        self._timer = self._loop.call_later(
            max(delay, FRAME / 8000) if self._on_call else delay, self._timer_due
        )

    def _timer_due(self) -> None:
        with self.lock:
            self.dce.handle_timer(self._clock.now())
        self._schedule()
