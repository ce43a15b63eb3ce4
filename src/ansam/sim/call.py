"""One call, from the init strings to both modems on hook, in virtual time.

Each end ticks every 160 samples of its own clock, which an end of ansam slaves to the packets it gets; the
end whose next tick is earlier in virtual time goes first. A tick is: news from the exchange, 160 samples
through the modem (or its timers, on hook), the terminal, what the modem asks of the line. Nothing waits for a
real clock, and the same options give the same call to the last bit.
"""

from collections.abc import Callable

import numpy as np

from ansam.at.nvram import Profile
from ansam.codec import Law
from ansam.dce.causes import Source
from ansam.dce.dce import Dce, LineState
from ansam.errors import ConfigError
from ansam.line import Circuit, End
from ansam.path import Severity
from ansam.path.watch import PathWatch
from ansam.sim.exchange import Exchange
from ansam.sim.options import SimOptions
from ansam.sim.pace import Pace
from ansam.sim.payload import compare, open_payload
from ansam.sim.recording import Recording
from ansam.sim.result import BothWays, Signal, SimResult
from ansam.sim.terminal import Terminal
from ansam.trace import null_sink
from ansam.units import FRAME, SAMPLE_RATE, Audio, Samples, samples

COMMAND_LIMIT = samples(5)
"""How long a modem may take to answer an init string."""

CONNECT_LIMIT = samples(600)
"""A call that neither connects nor fails by then is given up: S7 goes to 255 s, twice."""

DRAIN_LIMIT = samples(60)

INFORMED = 50
"""Frames between two times that the watches on the path are told what the modems know."""

QUIET = samples(1)
"""Without a byte for this long (and the circuit's delay) a circuit has drained."""

SETTLE = samples(3)
"""A circuit that invents bytes is never quiet: this long after the modems' queues emptied it counts as so."""

HANG_UP_LIMIT = samples(12)

Clock = Callable[[], float]


class Simulation:
    """One call; `run` does it.

    Args:
        options: What call.
        recording: Where sound and trace go, or None.
        circuit: What lies between the modems; by default the one that the options describe.
    """

    def __init__(
        self, options: SimOptions, recording: Recording | None = None, circuit: Circuit | None = None
    ) -> None:
        seeds = np.random.SeedSequence(options.seed).spawn(3)
        self._options = options
        self._recording = recording
        self._circuit = circuit or Circuit(options.circuit, int(seeds[0].generate_state(1)[0]))
        self._terminals = {}
        for end, seed in zip(End, seeds[1:], strict=True):
            payload = open_payload(options.payload, np.random.default_rng(seed))
            sink = recording.sink(end) if recording else null_sink
            profile = Profile(options.make) if end is End.CALLING else None
            self._terminals[end] = Terminal(end, Dce(profile, sink), payload)
        self._modems = {end: terminal.dce for end, terminal in self._terminals.items()}
        self._paces = {end: Pace(self._circuit, end, follows=options.follows(end)) for end in End}
        self._now: dict[End, Samples] = dict.fromkeys(End, 0)
        self._exchange = Exchange(self._modems, options.delay * SAMPLE_RATE / 1000)
        self._last_data: dict[End, float] = dict.fromkeys(End, 0.0)
        self._data_until: dict[End, float] = dict.fromkeys(End, 0.0)
        self._sent: dict[End, bytes] = dict.fromkeys(End, b"")
        self._received: dict[End, bytes] = dict.fromkeys(End, b"")
        self._waited_until = 0.0
        self._connected_at: dict[End, float] = {}
        self._ended_first: End | None = None
        self._signal = BothWays(Signal(), Signal())
        law = options.law
        self._watches = {} if law is Law.LINEAR else {end: PathWatch(law) for end in End}

    def run(self, cpu_clock: Clock | None = None) -> SimResult:
        """Do the call.

        Args:
            cpu_clock: Process CPU time in seconds, for `SimResult.cpu_seconds`; None leaves that 0.

        Raises:
            ConfigError: A modem refused a command line.
        """
        self._initialise(End.CALLING, self._options.calling)
        self._initialise(End.ANSWERING, self._options.answering_lines)
        started = cpu_clock() if cpu_clock else 0.0
        begin = self._t
        calling = self._terminals[End.CALLING]
        calling.type(self._options.dial, self._now[End.CALLING])
        if calling.refused(self._options.dial):
            raise ConfigError(
                f"dial: the modem answers ERROR to {self._options.dial!r}", "correct the command"
            )
        self._act(End.CALLING)
        self._until(self._decided, CONNECT_LIMIT)
        connected = len(self._connected_at) == len(End)
        data_from = self._t
        if connected:
            self._send_data()
        dropped_by = self._ended_first
        reports = {end: self._modems[end].report() for end in End}
        self._signal = BothWays(*(Signal.of(reports[end.other]) for end in End))
        if self._recording:
            for end, report in reports.items():
                self._recording.constellation(end, report)
        self._hang_up()
        cpu = cpu_clock() - started if cpu_clock else 0.0
        return self._result(begin, data_from, cpu, dropped_by or End.CALLING)

    def modem(self, end: End) -> Dce:
        """Return the modem of an end."""
        return self._modems[end]

    # -- time ------------------------------------------------------------------------------------------------

    def _instant(self, end: End) -> float:
        return self._circuit.instant(end, self._now[end])

    @property
    def _t(self) -> float:
        """Virtual time of the next tick."""
        return min(self._instant(end) for end in End)

    def _until(self, done: Callable[[], bool], limit: float) -> bool:
        """Let time pass until `done` or for `limit` samples; return whether it was done."""
        give_up = self._t + limit
        while not done():
            if self._t >= give_up:
                return False
            first = self._instant(End.CALLING) <= self._instant(End.ANSWERING)
            self._tick(End.CALLING if first else End.ANSWERING)
        return True

    def _tick(self, end: End) -> None:
        t, now = self._instant(end), self._now[end]
        modem, terminal = self._modems[end], self._terminals[end]
        self._exchange.deliver(end, t, now)
        if self._exchange.talking[end]:
            self._talk(end, now)
        else:
            modem.handle_timer(now)
        self._now[end] = now + FRAME
        if terminal.read():
            self._last_data[end] = self._instant(end)
        terminal.send(self._now[end])
        self._act(end)
        if terminal.connection and end not in self._connected_at:
            self._connected_at[end] = self._instant(end)
        if terminal.ended is not None and self._ended_first is None:
            self._ended_first = end

    def _talk(self, end: End, now: Samples) -> None:
        self._paces[end].frame(now)
        heard: list[Audio] = []
        sent: list[Audio] = []
        at = now
        for audio, erased in self._circuit.pull(end, now):
            sent.append(self._modems[end].process(audio, at, erased))
            heard.append(audio)
            at += len(audio)
            if end in self._watches:
                self._watches[end].receive(self._options.law.encode(audio), erased)
        tx = sent[0] if len(sent) == 1 else np.concatenate(sent)
        self._circuit.push(end, tx, now)
        self._watch(end, tx, now)
        if self._recording:
            self._recording.audio(end, tx, np.concatenate(heard))

    def _watch(self, end: End, tx: Audio, now: Samples) -> None:
        """Let an end's watch on the path know what is sent and what the modem knows."""
        watch = self._watches.get(end)
        if watch is None:
            return
        watch.send(self._options.law.encode(tx))
        if now // FRAME % INFORMED == 0:
            watch.note_modem(self._modems[end].path_facts())
            for finding in watch.take_findings():
                if finding.severity is not Severity.INFO:
                    text = f"{finding.kind.value}: {finding.text}"
                    self._modems[end].observed(Source.PATH, text, "", now)

    def _findings(self) -> list[dict[str, object]]:
        """Return what each end found out about its received path; "up" is what the answering end hears."""
        ways = {End.ANSWERING: "up", End.CALLING: "down"}
        return [
            {"direction": ways[end], **finding.as_dict()}
            for end, watch in self._watches.items()
            for finding in watch.findings
        ]

    def _act(self, end: End) -> None:
        for action in self._modems[end].take_actions():
            self._exchange.act(end, action, self._instant(end), self._now[end])

    # -- the call --------------------------------------------------------------------------------------------

    def _initialise(self, end: End, lines: tuple[str, ...]) -> None:
        terminal = self._terminals[end]
        for line in lines:
            terminal.type(line, self._now[end])
            answered = self._until(lambda: terminal.last_line in ("OK", "0", "ERROR", "4"), COMMAND_LIMIT)
            if terminal.refused(line):
                raise ConfigError(f"{end.value}: the modem answers ERROR to {line!r}", "correct the command")
            if not answered and not terminal.settings["Q"]:
                raise ConfigError(f"{end.value}: the modem has no answer to {line!r}", "correct the command")

    def _decided(self) -> bool:
        """Both are connected, or one has given up, or the dial command led to no call."""
        if len(self._connected_at) == len(End) or self._ended_first is not None:
            return True
        if self._exchange.placed:
            return False
        idle = self._modems[End.CALLING].state in (LineState.ON_HOOK, LineState.OFF_HOOK)
        return idle and self._terminals[End.CALLING].last_line in ("OK", "0", "NO CARRIER", "3")

    def _send_data(self) -> None:
        for end, terminal in self._terminals.items():
            terminal.sending = self._options.direction.sends(end)
            self._last_data[end] = self._t
            terminal.send(self._now[end])
        self._until(self._over, self._options.seconds * SAMPLE_RATE)
        for terminal in self._terminals.values():
            terminal.sending = False
        self._waited_until = self._t
        self._until(lambda: self._over() or self._drained(), DRAIN_LIMIT)
        self._data_until = dict(self._last_data)
        # What is typed to hang up may be data to a modem that ignores circuit 108.
        self._received = {end: bytes(terminal.received) for end, terminal in self._terminals.items()}
        self._sent = {end: bytes(terminal.sent) for end, terminal in self._terminals.items()}

    def _over(self) -> bool:
        return self._ended_first is not None

    def _drained(self) -> bool:
        """Nothing waits in a modem, and nothing has come for longer than the circuit could hold it."""
        if any(modem.pending for modem in self._modems.values()):
            self._waited_until = self._t
            return False
        options = self._options
        held = (options.delay + options.playout + options.jitter) * SAMPLE_RATE / 1000
        quiet = self._t - max(self._waited_until, *self._last_data.values())
        return quiet > QUIET + held or self._t - self._waited_until > SETTLE + held

    def _hang_up(self) -> None:
        """Let the calling terminal drop circuit 108/2; where the modem ignores it, escape and type ATH."""
        end = End.CALLING
        self._modems[end].set_dtr(False, self._now[end])
        if not self._until(self._on_hook, samples(2)):
            self._modems[end].set_dtr(True, self._now[end])
            self._modems[end].receive_dte(b"+++", self._now[end])
            self._until(self._on_hook, samples(3))
            self._modems[end].receive_dte(b"ATH\r", self._now[end])
            self._until(self._on_hook, HANG_UP_LIMIT)

    def _on_hook(self) -> bool:
        return all(modem.state is LineState.ON_HOOK for modem in self._modems.values())

    # -- the account -----------------------------------------------------------------------------------------

    def _result(self, begin: float, data_from: float, cpu: float, ended_by: End) -> SimResult:
        calling, answering = self._terminals[End.CALLING], self._terminals[End.ANSWERING]
        connected = len(self._connected_at) == len(End)
        off_hook = self._exchange.off_hook
        connect_at = self._connected_at.get(End.CALLING)
        link = calling.connection.connect if calling.connection else None
        accounts = [compare(self._sent[end], self._received[end.other]) for end in End]
        counters = [self._circuit.counters(end) for end in End]
        times = [max(self._data_until[end.other] - data_from, 1.0) / SAMPLE_RATE for end in End]
        ended = self._terminals[ended_by]
        return SimResult(
            connected=connected,
            connect=calling.connect or calling.last_line,
            connect_answering=answering.connect or (answering.last_line if off_hook is not None else ""),
            connect_seconds=None
            if connect_at is None or off_hook is None
            else _seconds(connect_at - off_hook),
            rate_tx=calling.ready.tx_rate if calling.ready and connected else 0,
            rate_rx=calling.ready.rx_rate if calling.ready and connected else 0,
            modulation=calling.connection.modulation if calling.connection else "",
            error_control=link.protocol if link else "NONE",
            compression=(link.compression if link else "") or "NONE",
            bytes_sent=BothWays(*(len(self._sent[end]) for end in End)),
            bytes_received=BothWays(*(len(self._received[end.other]) for end in End)),
            bytes_wrong=BothWays(*(account.wrong for account in accounts)),
            bytes_lost=BothWays(*(account.lost for account in accounts)),
            throughput_bps=BothWays(
                *(round(a.right * 8 / s, 1) for a, s in zip(accounts, times, strict=True))
            ),
            retrains=calling.retrains + answering.retrains,
            renegotiations=calling.renegotiations + answering.renegotiations,
            frames_resent=calling.frames_resent + answering.frames_resent,
            slips=sum(c.slips for c in counters),
            findings=self._findings(),
            disconnect_reason=ended.ended.reason if ended.ended else ended.dce.disconnect_reason,
            causes=self._causes(ended_by, begin),
            line_seconds=_seconds(self._t - begin),
            talk_seconds=0.0 if off_hook is None else _seconds(self._t - off_hook),
            cpu_seconds=round(cpu, 6),
            packets_lost=BothWays(*(round(c.lost / max(c.sent, 1), 6) for c in counters)),
            packets_late=BothWays(*(round(c.late / max(c.sent, 1), 6) for c in counters)),
            signal=self._signal,
            seed=self._options.seed,
        )

    def _causes(self, end: End, begin: float) -> list[dict[str, object]]:
        """Return why an end's call was over, as JSON objects; times count from `begin`."""
        ended = self._terminals[end].ended
        if ended is None:
            return []
        offset = self._now[end] - round(self._instant(end) - begin)
        return [cause.as_dict(offset) for cause in ended.causes]


def _seconds(count: float) -> float:
    return round(count / SAMPLE_RATE, 4)


def run(
    options: SimOptions, *, recording: Recording | None = None, cpu_clock: Clock | None = None
) -> SimResult:
    """Do a call and return its outcome.

    Args:
        options: What call.
        recording: Where sound, trace and result go; the caller closes it.
        cpu_clock: ``time.process_time`` for `SimResult.cpu_seconds`; engines read no clock themselves.

    Raises:
        ConfigError: A modem refused a command line, or the payload cannot be read.
    """
    result = Simulation(options, recording).run(cpu_clock)
    if recording:
        recording.result(result)
    return result
