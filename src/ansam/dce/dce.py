"""The modem: everything between the terminal's circuits and the line's samples.

```
            receive_dte                    ┌────────── Session ──────────┐   process
 terminal ─────────────► command state: at │ link ── modulation (automode)│ ◄─────────► line
          ◄───────────── online state:  ───┴──────────────────────────────┘
             take_dte                            take_actions / progress / incoming_call
```

Two independent questions describe it: where the line is (`LineState`, kept by `LineSide`) and whether the
terminal's bytes are commands (`escaped` or not in data). All times are samples of the modem's own clock,
which runs on hook too: it is moved by `handle_timer` at `deadline()`, and during a call by `process`.
"""

from ansam.at.actions import Abort, Action, AnswerCall, Dial, GoOnline, HangUp, OffHook
from ansam.at.interpreter import Interpreter, State
from ansam.at.nvram import Profile
from ansam.at.results import Result
from ansam.at.settings import Settings
from ansam.dce.causes import Cause, Source
from ansam.dce.diagnostics import CallRecord
from ansam.dce.line_side import LineSide
from ansam.dce.options import modem_capabilities
from ansam.dce.progress import LineAction, Progress, Stream
from ansam.dce.speaker import Speaker, speaker
from ansam.dce.state import (
    Connected,
    DceEvent,
    Ended,
    LineState,
    SpeakerChanged,
    TerminalBreak,
    TerminalRate,
)
from ansam.dce.terminal import TerminalSide
from ansam.dte.circuits import Circuits
from ansam.modulation.base import SignalReport
from ansam.path import ModemFacts
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Samples

S13_RESET, S13_DIAL_ON_DTR, S13_DIAL_AT_POWER_ON, S13_ESCAPE_ENDS = 1, 8, 16, 128

__all__ = [
    "Connected",
    "Dce",
    "DceEvent",
    "Ended",
    "LineState",
    "SpeakerChanged",
    "TerminalBreak",
    "TerminalRate",
]


class Dce:
    """One modem.

    Args:
        trace: Sink for what happens; times are samples.
        profile: Make of modem and stored settings; None for a USR 56K fresh from the factory.
    """

    def __init__(self, profile: Profile | None = None, trace: Sink = null_sink) -> None:
        self._speaker = Speaker(False, 0)
        self._trace = trace
        self._at = Interpreter(modem_capabilities(self._screen, self._response), profile, trace)
        self._now: Samples = 0
        self._terminal = TerminalSide(self._at.settings)
        self._line = LineSide(self._at, self._terminal, trace)
        self._fresh = True
        self._awaits_dtr = False

    # -- the call --------------------------------------------------------------------------------------------

    @property
    def state(self) -> LineState:
        """Where the line is."""
        return self._line.state

    @property
    def connection(self) -> Connected | None:
        """The connection there is or was last."""
        return self._line.connection

    @property
    def peer(self) -> str:
        """Who called or was called last."""
        return self._line.peer

    @property
    def call(self) -> CallRecord:
        """Counters of this connection or the last."""
        return self._line.record.call

    @property
    def retrains(self) -> int:
        """Retrains of this connection or the last."""
        return self._line.record.retrains

    @property
    def disconnect_reason(self) -> str:
        """How the last call ended, or is ending."""
        return self._line.record.disconnect_reason

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Why the last call ended: the root first, the reason last."""
        return self._line.record.causes

    @property
    def caller(self) -> str:
        """Who rings or rang last."""
        return self._line.ringing.caller

    @property
    def call_began(self) -> Samples:
        """When the call there is, or the last, was dialled or first rang."""
        return self._line.record.began

    @property
    def ringing(self) -> bool:
        """Whether a call rings that is not answered."""
        return self._line.ringing.active

    @property
    def protected(self) -> bool:
        """Whether error control carries the data (the ARQ light)."""
        return self.state is LineState.DATA and self._line.error_control

    @property
    def dtr_rts(self) -> tuple[bool, bool]:
        """Circuits 108/2 and 105 as the terminal has set them."""
        return self._terminal.dtr, self._terminal.rts

    @property
    def ready(self) -> bool:
        """Whether a call could be placed."""
        return self._line.ready

    @property
    def commandable(self) -> bool:
        """Whether a command line would be carried out now."""
        return self._at.state is State.COMMAND and not self._line.online

    @property
    def delay_may_change(self) -> bool:
        """Whether a jump of what is heard does no harm now; see `call.party.Tolerant`."""
        return self._line.delay_may_change(self._now)

    def path_facts(self) -> ModemFacts:
        """Return what helps to judge the audio path; see `call.party.Informed`."""
        return self._line.path_facts()

    @property
    def frames_resent(self) -> int:
        """I frames sent again in this connection or the last."""
        return self.call.link.blocks_resent

    @property
    def pending(self) -> int:
        """Octets that have not reached the far end yet (0 off line)."""
        return self._line.pending

    def report(self) -> SignalReport | None:
        """Return what the receiver knows about the line, or None off line."""
        return self._line.report()

    def counted(self) -> CallRecord:
        """Return the counters of this connection or the last, brought up to date."""
        return self._line.counted().call

    # -- terminal --------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings AT commands change."""
        return self._at.settings

    @property
    def circuits(self) -> Circuits:
        """The control circuits towards the terminal."""
        self._follow_room()
        return self._terminal.circuits(self._now)

    def command(self, line: str, now: Samples) -> None:
        """Carry out a command line (without AT) that somebody other than the terminal gives."""
        self._advance(now)
        self._at.execute(line, now)
        self._after_at(now)

    def hang_up(self, reason: str, now: Samples) -> None:
        """End the call, whatever it has come to, as somebody other than the terminal wants."""
        self._advance(now)
        self._at.stop_repeating()
        if self.state is LineState.DATA:
            self._line.drop(now, reason)
        elif self.state not in (LineState.ON_HOOK, LineState.CLEARING):
            self._line.end(reason, now)

    def receive_dte(self, data: bytes, now: Samples) -> int:
        """Take bytes from the terminal.

        Args:
            data: What the terminal sent, cut anywhere.
            now: When.

        Returns:
            How many were taken; offer the rest again when circuit 106 is ON.
        """
        self._advance(now)
        taken = 0
        while taken < len(data):
            if self._line.online:
                count = self._send(data[taken:], now)
                taken += count
                if count == 0 or taken == len(data):
                    break
            elif self._terminal.deaf:
                self._trace(now, "dce", "ignored", octets=len(data) - taken, why="DTR is OFF")
                taken = len(data)
            else:
                # One command line at a time: what follows it may already be data.
                end = self._line_end(data, taken)
                waiting = self._at.state is not State.COMMAND
                self._at.receive(self._terminal.commands(data[taken:end], waiting=waiting), now)
                taken = end
                self._after_at(now)
        return taken

    def _line_end(self, data: bytes, start: int) -> int:
        """Return where the command line that begins at `start` ends; its CR (S3) may have a parity bit."""
        cr = self.settings.s[3]
        ends = [data.find(bytes([octet]), start) for octet in (cr, cr | 0x80)]
        return min((end + 1 for end in ends if end >= 0), default=len(data))

    def _send(self, data: bytes, now: Samples) -> int:
        link = self._line.link
        assert link is not None
        taken, count = self._line.data_path.send(link, data, now)
        self.call.characters_sent += count
        return taken

    def _follow_room(self) -> None:
        self._line.data_path.follow(self._line.link if self._line.online else None)

    def take_dte(self, limit: int | None = None) -> bytes:
        """Return bytes for the terminal, at most `limit`."""
        self._line.deliver()
        self._follow_room()
        return self._terminal.read(limit)

    def set_dtr(self, on: bool, now: Samples) -> None:
        """Follow circuit 108/2 (DTR); what a drop does is set by &D, after S25 hundredths of a second."""
        self._advance(now)
        if self._terminal.set_dtr(on, now) and on:
            late = S13_DIAL_AT_POWER_ON if self._awaits_dtr else 0
            self._awaits_dtr = False
            self._dial_stored(S13_DIAL_ON_DTR | late, now)

    def _dial_stored(self, when: int, now: Samples) -> None:
        """Dial stored number 0 if that bit of S13 asks for it and nothing is under way."""
        idle = self.state is LineState.ON_HOOK and self._at.state is State.COMMAND
        if idle and self.settings.s.usr(13) & when:
            self._at.execute("DS0", now)
            self._after_at(now)

    def set_rts(self, on: bool, now: Samples) -> None:
        """Follow circuit 105 (RTS); what it does is set by &R."""
        self._advance(now)
        self._terminal.set_rts(on, now)

    def set_port_rate(self, rate: int, now: Samples) -> None:
        """Tell what the terminal's port runs at, in bit/s; 0 where it has no speed."""
        self._advance(now)
        self._terminal.rate = rate

    def receive_break(self, milliseconds: int, now: Samples) -> None:
        """The terminal sends a break: it goes to the far end as &Y says; in command state it is nothing."""
        self._advance(now)
        if self._line.online and self._line.link is not None:
            self._line.link.send_break(milliseconds, now)

    # -- line ------------------------------------------------------------------------------------------------

    def line_ready(self, ready: bool, now: Samples, why: str = "") -> None:
        """Tell whether a call could be placed (registered), and why not; without it there is no dial tone."""
        self._advance(now)
        self._line.ready, self._line.why_not_ready = ready, why
        if ready and self._fresh:
            self._fresh = False
            self._awaits_dtr = not self._terminal.may_answer
            if not self._awaits_dtr:
                self._dial_stored(S13_DIAL_AT_POWER_ON, self._now)

    def observed(self, source: Source, text: str, clause: str, now: Samples, *, lasting: bool = True) -> None:
        """Take what the line side noticed in a call, for its chain of causes (see `Witness.observed`)."""
        self._line.observed(source, text, clause, max(now, self._now), lasting=lasting)

    def incoming_call(
        self, caller: str, now: Samples, name: str = "", stamp: str = "", calling: bool = False
    ) -> bool:
        """A call rings.

        Args:
            caller: Number or address; "P" is one that is kept secret, "" one that is not known.
            now: When.
            name: Of the caller, "" where none is known.
            stamp: Month, day, hour and minute, two digits each, "" where it is not known.
            calling: Whoever answers it behaves as the calling modem: the far end was called back.

        Returns:
            False when the modem is not on hook: the caller hears busy.
        """
        self._advance(now)
        return self._line.incoming(caller, name, stamp, calling, now)

    def incoming_stopped(self, now: Samples) -> None:
        """The caller gave up (or was answered elsewhere) before we answered."""
        self._advance(now)
        self._line.incoming_stopped(now)

    def progress(self, progress: Progress, now: Samples, cause: str = "") -> None:
        """Take news of the call we placed or accepted; `cause` is what the line knows beyond them."""
        self._advance(now)
        self._line.progress(progress, now, cause)

    def far_end_hung_up(self, now: Samples) -> None:
        """The exchange ended the call."""
        self._advance(now)
        self._line.far_end_hung_up(now)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Run one stretch of the call's audio; see `Modulation.process`.

        Args:
            rx: Shape (n,) float32 at full scale ±1.
            now: Instant of the first sample.
            erased: The samples never arrived.

        Returns:
            Shape (n,) float32 to send.
        """
        self._now = max(self._now, now)
        tx = self._line.process(rx, now, erased)
        self._advance(now + len(rx))
        return tx

    # -- network stream --------------------------------------------------------------------------------------

    def stream_connected(self, stream: Stream, now: Samples) -> None:
        """The call has no audio: from now on characters flow through the methods below."""
        self._advance(now)
        self._line.stream_connected(stream, now)

    def stream_offer(self, data: bytes, now: Samples) -> int:
        """Take octets of the far end; return how many."""
        self._advance(now)
        return self._line.stream_offer(data)

    def stream_take(self, limit: int, now: Samples) -> bytes:
        """Return octets for the far end that are due, at most `limit`."""
        self._advance(now)
        data = self._line.stream_take(limit)
        self._advance(now)
        return data

    def stream_ended(self, reason: str, now: Samples) -> None:
        """The far end has closed: the call ends when the terminal has got everything."""
        self._advance(now)
        self._line.stream_ended(reason)
        self._advance(now)

    # -- outputs ---------------------------------------------------------------------------------------------

    def take_actions(self) -> list[LineAction]:
        """Return what the line is asked to do, in order."""
        return self._line.take_actions()

    def take_events(self) -> list[DceEvent]:
        """Return the events since the last call, in order."""
        events = self._line.take_events()
        before, self._speaker = self._speaker, self.speaker
        if self._speaker != before and (before.on or self._speaker.on):
            events.append(SpeakerChanged(self._speaker.on, self._speaker.volume))
        return events

    @property
    def speaker(self) -> Speaker:
        """Whether the speaker plays what is on the line, and how loud."""
        return speaker(
            self.settings["M"],
            self.settings["L"],
            off_hook=self.state is not LineState.ON_HOOK,
            dialling=self.state is LineState.PAUSING,
            carrier=self.state in (LineState.DATA, LineState.CLEARING),
        )

    def _screen(self, number: int) -> str | None:
        """Return the text of ATIn where it is about the line."""
        return self._line.counted().screen(number, self._now)

    def _response(self) -> str | None:
        """Return the text of ATY11."""
        return self._line.counted().response()

    def deadline(self) -> Samples | None:
        """Return the next instant at which `handle_timer` has something to do, or None."""
        candidates = [self._at.deadline(), self._terminal.dtr_due(), self._terminal.next_edge(self._now)]
        candidates += [self._line.deadline(self._now), self._line.data_path.escape_due()]
        return min((due for due in candidates if due is not None), default=None)

    def handle_timer(self, now: Samples) -> None:
        """Let timers act; calling early is harmless."""
        self._advance(now)

    # -- inside ----------------------------------------------------------------------------------------------

    def _advance(self, now: Samples) -> None:
        """Move the clock to `now` and run every timer that is due.

        A terminal may speak at an instant that `process` has already passed (it runs a frame ahead): the
        clock never goes back.
        """
        now = self._now = max(now, self._now)
        self._at.handle_timer(now)
        self._after_at(now)
        if self._line.online and self._line.data_path.escape_came(now):
            self._escape_came(now)
        if self._terminal.dtr_dropped(now):
            self._dtr_dropped(now)
        self._line.handle_timer(now)
        # A call placed by "ATD...;" lets the rest of its command line run.
        self._after_at(now)

    def _escape_came(self, now: Samples) -> None:
        if self.settings.s.usr(13) & S13_ESCAPE_ENDS:
            self._line.drop(now, "escape code")
        else:
            self._to_command_state(now)

    def _to_command_state(self, now: Samples) -> None:
        """Take the terminal's octets for commands, though the connection goes on."""
        self._line.data_path.escaped = True
        self._at.unsolicited(Result.OK, now)
        self._flush_at()

    def _dtr_dropped(self, now: Samples) -> None:
        mode = self.settings["&D"]
        if mode == 1 and self._line.online:
            self._to_command_state(now)
        elif mode >= 2:
            self._at.stop_repeating()
            self._line.dtr_dropped(now)
        if mode == 3 or self.settings.s.usr(13) & S13_RESET:
            self._at.reset(now)
        self._flush_at()

    def _after_at(self, now: Samples) -> None:
        """Run what the commands ask; one may let the rest of its line run and so ask for more."""
        self._flush_at()
        while actions := self._at.take_actions():
            for action in actions:
                self._run(action, now)
                self._flush_at()

    def _run(self, action: Action, now: Samples) -> None:
        match action:
            case Dial():
                self._line.dial(action, now)
                self._advance(now)
            case AnswerCall():
                self._line.answer(now)
            case GoOnline():
                self._line.go_online(action, now)
            case HangUp():
                self._line.hang_up("ATH", now)
            case OffHook():
                self._line.off_hook()
            case Abort():
                self._line.abort(now)

    def _flush_at(self) -> None:
        self._terminal.say(self._at.take_output())
