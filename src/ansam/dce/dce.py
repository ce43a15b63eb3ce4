"""The modem: everything between the terminal's circuits and the line's samples.

```
            receive_dte                    ┌────────── Session ──────────┐   process
 terminal ─────────────► command state: at │ link ── modulation (automode)│ ◄─────────► line
          ◄───────────── online state:  ───┴──────────────────────────────┘
             take_dte                            take_actions / progress / incoming_call
```

Two independent questions describe it: where the line is (`LineState`) and whether the terminal's bytes are
commands (`escaped` or not in data). All times are samples of the modem's own clock, which runs on hook too:
it is moved by `handle_timer` at `deadline()`, and during a call by `process`.
"""

from dataclasses import replace

import numpy as np

from ansam.at.actions import Abort, Action, AnswerCall, Dial, GoOnline, HangUp, OffHook
from ansam.at.codes import connect_words
from ansam.at.interpreter import Interpreter, State
from ansam.at.nvram import Profile
from ansam.at.results import Result
from ansam.at.settings import Settings
from ansam.dce.causes import Cause, Source
from ansam.dce.data_path import DataPath
from ansam.dce.diagnostics import CallRecord
from ansam.dce.options import (
    allowed_modulations,
    error_control,
    line_characters,
    may_fall_back,
    modem_capabilities,
    modulation_options,
    unprotected,
)
from ansam.dce.progress import AcceptCall, EndCall, LineAction, PlaceCall, Progress, Stream
from ansam.dce.record import Record
from ansam.dce.ringing import Ringing
from ansam.dce.session import Disconnected, Session
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
from ansam.dce.stream import StreamSession, paced, stream_rate
from ansam.dce.terminal import Connection, TerminalSide
from ansam.dte.circuits import Circuits
from ansam.link.base import BreakReceived, LinkDown, LinkUp
from ansam.modulation.base import Ready, Renegotiating, Retraining, Role, SignalReport
from ansam.path import ModemFacts
from ansam.trace import Sink, null_sink
from ansam.units import SAMPLE_RATE, Audio, Samples

CLEARING_TIME = 2 * SAMPLE_RATE
"""How long a hang-up waits for the far end to acknowledge the end of the link."""

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

_RESULT_OF = {
    Progress.BUSY: Result.BUSY,
    Progress.NO_ANSWER: Result.NO_ANSWER,
    Progress.NO_SUCH_NUMBER: Result.NO_CARRIER,
    Progress.REFUSED: Result.NO_CARRIER,
    Progress.UNREACHABLE: Result.NO_DIAL_TONE,
}


class Dce:
    """One modem.

    Args:
        trace: Sink for what happens; times are samples.
        profile: Make of modem and stored settings; None for a USR 56K fresh from the factory.

    Attributes:
        state: Where the line is.
        connection: The connection there is or was last.
        peer: Who called or was called last.
    """

    def __init__(self, profile: Profile | None = None, trace: Sink = null_sink) -> None:
        self.state = LineState.ON_HOOK
        self.connection: Connected | None = None
        self._record = Record()
        self._why_not_ready = ""
        self._speaker = Speaker(False, 0)
        self._trace = trace
        self._at = Interpreter(modem_capabilities(self._screen, self._response), profile, trace)
        self._now: Samples = 0
        self._session: Session | StreamSession | None = None
        self._terminal = TerminalSide(self._at.settings)
        self._ringing = Ringing(self._at, self._terminal)
        self._data_path = DataPath(self._at.settings, self._terminal)
        self._actions: list[LineAction] = []
        self._events: list[DceEvent] = []
        self._line_ready = self._fresh = True
        self._awaits_dtr = False
        self._number = self.peer = ""
        self._role = Role.CALLING
        self._answers_as = Role.ANSWERING
        self._stay_in_command = False
        self._due: Samples | None = None
        self._error_control = False
        self._hang_up_at: Samples | None = None

    # -- the call --------------------------------------------------------------------------------------------

    @property
    def call(self) -> CallRecord:
        """Counters of this connection or the last."""
        return self._record.call

    @property
    def retrains(self) -> int:
        """Retrains of this connection or the last."""
        return self._record.retrains

    @property
    def disconnect_reason(self) -> str:
        """How the last call ended, or is ending."""
        return self._record.disconnect_reason

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Why the last call ended: the root first, the reason last."""
        return self._record.causes

    @property
    def caller(self) -> str:
        """Who rings or rang last."""
        return self._ringing.caller

    @property
    def call_began(self) -> Samples:
        """When the call there is, or the last, was dialled or first rang."""
        return self._record.began

    @property
    def ringing(self) -> bool:
        """Whether a call rings that is not answered."""
        return self._ringing.active

    @property
    def protected(self) -> bool:
        """Whether error control carries the data (the ARQ light)."""
        return self.state is LineState.DATA and self._error_control

    @property
    def dtr_rts(self) -> tuple[bool, bool]:
        """Circuits 108/2 and 105 as the terminal has set them."""
        return self._terminal.dtr, self._terminal.rts

    @property
    def ready(self) -> bool:
        """Whether a call could be placed."""
        return self._line_ready

    @property
    def commandable(self) -> bool:
        """Whether a command line would be carried out now."""
        return self._at.state is State.COMMAND and not self._online

    def command(self, line: str, now: Samples) -> None:
        """Carry out a command line (without AT) that somebody other than the terminal gives."""
        self._advance(now)
        self._at.execute(line, now)
        self._after_at(now)

    def hang_up(self, reason: str, now: Samples) -> None:
        """End the call, whatever it has come to, as somebody other than the terminal wants."""
        self._advance(now)
        if self.state is LineState.DATA:
            self._drop_call(now, reason)
        elif self.state not in (LineState.ON_HOOK, LineState.CLEARING):
            self._end(reason, Result.NO_CARRIER, now)

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

    @property
    def delay_may_change(self) -> bool:
        """Whether a jump of what is heard does no harm now; see `call.party.Tolerant`."""
        session = self._session
        return not isinstance(session, Session) or session.delay_may_change(self._now)

    def path_facts(self) -> ModemFacts:
        """Return what helps to judge the audio path; see `call.party.Informed`."""
        report = self.report() or SignalReport()
        session = self._session if isinstance(self._session, Session) else None
        ready = session.ready if session else None
        return ModemFacts(
            # The signals of a retrain repeat themselves as no data do.
            data_mode=self.state is LineState.DATA and session is not None and session.carries_data,
            modulation=ready.modulation if ready else "",
            symbol_rate=report.symbol_rate,
            carrier_hz=report.carriers_hz[0] if report.carriers_hz else None,
            snr_db=report.snr_db,
            retrains=self.retrains,
        )

    @property
    def frames_resent(self) -> int:
        """I frames sent again in this connection or the last."""
        return self.call.link.blocks_resent

    @property
    def pending(self) -> int:
        """Octets that have not reached the far end yet (0 off line)."""
        return self._session.link.pending() if self._session and self._session.link else 0

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
            if self._online:
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
        assert self._session is not None
        link = self._session.link
        assert link is not None
        taken, count = self._data_path.send(link, data, now)
        self.call.characters_sent += count
        return taken

    def _follow_room(self) -> None:
        self._data_path.follow(self._session.link if self._online and self._session else None)

    def take_dte(self, limit: int | None = None) -> bytes:
        """Return bytes for the terminal, at most `limit`."""
        self._drain_link()
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
        if self._online and self._session is not None and self._session.link is not None:
            self._session.link.send_break(milliseconds, now)

    # -- line ------------------------------------------------------------------------------------------------

    def line_ready(self, ready: bool, now: Samples, why: str = "") -> None:
        """Tell whether a call could be placed (registered), and why not; without it there is no dial tone."""
        self._advance(now)
        self._line_ready, self._why_not_ready = ready, why
        if ready and self._fresh:
            self._fresh = False
            self._awaits_dtr = not self._terminal.may_answer
            if not self._awaits_dtr:
                self._dial_stored(S13_DIAL_AT_POWER_ON, self._now)

    def observed(self, source: Source, text: str, clause: str, now: Samples, *, lasting: bool = True) -> None:
        """Take what the line side noticed in a call, for its chain of causes (see `Witness.observed`)."""
        if self.state is not LineState.ON_HOOK or self._ringing.active:
            self._record.observed(source, text, clause, max(now, self._now), lasting=lasting)

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
        if self.state is not LineState.ON_HOOK or self._ringing.active:
            return False
        self._record.begin(now)
        self._trace(now, "dce", "call", caller=caller)
        self.peer = caller
        self._answers_as = Role.CALLING if calling else Role.ANSWERING
        self._ringing.begin(caller, name, stamp, now)
        self._rings(now)
        return True

    def incoming_stopped(self, now: Samples) -> None:
        """The caller gave up (or was answered elsewhere) before we answered."""
        self._advance(now)
        self._ringing.stop()
        if self.state is LineState.ANSWERING:
            self._end("caller gave up", Result.NO_CARRIER, now, source=Source.SIGNALLING)

    def progress(self, progress: Progress, now: Samples, cause: str = "") -> None:
        """Take news of the call we placed or accepted; `cause` is what the line knows beyond them."""
        self._advance(now)
        self._trace(now, "dce", "progress", progress=progress.name)
        if progress is Progress.RINGING:
            if self.state is LineState.CALLING:
                self._record.ringing(now)
                self._at.unsolicited(Result.RINGING, now)
                self._flush_at()
        elif progress is Progress.CONNECTED:
            if self.state in (LineState.CALLING, LineState.ANSWERING):
                self._start_training(now)
        elif self.state in (LineState.CALLING, LineState.ANSWERING):
            reason = cause or progress.value
            self._end(reason, _RESULT_OF[progress], now, hang_up=False, source=Source.SIGNALLING)

    def far_end_hung_up(self, now: Samples) -> None:
        """The exchange ended the call."""
        self._advance(now)
        if self.state in (LineState.OFF_HOOK, LineState.ON_HOOK):
            return
        if self.state is LineState.CLEARING:
            self._release(self.disconnect_reason, now, hang_up=False)
            return
        self._end("far end hung up", Result.NO_CARRIER, now, hang_up=False, source=Source.SIGNALLING)

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
        session = self._session
        if not isinstance(session, Session):
            tx: Audio = np.zeros(len(rx), np.float32)
        else:
            tx = session.process(rx, now, erased)
            self._record.audio(session, rx, tx, now, erased)
            self._drain_session(session, now + len(rx))
            self._drain_link()
        self._advance(now + len(rx))
        return tx

    # -- network stream --------------------------------------------------------------------------------------

    def stream_connected(self, stream: Stream, now: Samples) -> None:
        """The call has no audio: from now on characters flow through the methods below."""
        self._advance(now)
        if self.state not in (LineState.CALLING, LineState.ANSWERING):
            return
        rate = stream_rate(self.settings, stream)
        if not rate:
            self._end("no speed that both ends allow", Result.NO_CARRIER, now)
            return
        self._session = StreamSession(stream, rate if paced(self.settings, stream) else 0)
        self._session.start(now)
        self._drain_session(self._session, now)

    def stream_offer(self, data: bytes, now: Samples) -> int:
        """Take octets of the far end; return how many."""
        self._advance(now)
        if not isinstance(self._session, StreamSession):
            return 0
        taken = self._session.link.offer_stream(data)
        self._drain_link()
        return taken

    def stream_take(self, limit: int, now: Samples) -> bytes:
        """Return octets for the far end that are due, at most `limit`."""
        self._advance(now)
        if not isinstance(self._session, StreamSession):
            return b""
        data = self._session.link.take_stream(limit)
        self._advance(now)
        return data

    def stream_ended(self, reason: str, now: Samples) -> None:
        """The far end has closed: the call ends when the terminal has got everything."""
        self._advance(now)
        if isinstance(self._session, StreamSession):
            self._session.link.end_stream(reason)
            self._advance(now)

    # -- outputs ---------------------------------------------------------------------------------------------

    def take_actions(self) -> list[LineAction]:
        """Return what the line is asked to do, in order."""
        actions, self._actions = self._actions, []
        return actions

    def take_events(self) -> list[DceEvent]:
        """Return the events since the last call, in order."""
        self._follow_speaker()
        events, self._events = self._events, []
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

    def _follow_speaker(self) -> None:
        before, self._speaker = self._speaker, self.speaker
        if self._speaker != before and (before.on or self._speaker.on):
            self._events.append(SpeakerChanged(self._speaker.on, self._speaker.volume))

    def report(self) -> SignalReport | None:
        """Return what the receiver knows about the line, or None off line."""
        return self._session.report() if self._session else None

    def counted(self) -> CallRecord:
        """Return the counters of this connection or the last, brought up to date."""
        if self._session is not None:
            self._record.count(self._session)
        return self.call

    def deadline(self) -> Samples | None:
        """Return the next instant at which `handle_timer` has something to do, or None."""
        candidates = [self._due, self._at.deadline(), self._terminal.dtr_due(), self._hang_up_at]
        candidates += [self._terminal.next_edge(self._now), self._idle_due()]
        candidates += [self._ringing.due(), self._data_path.escape_due()]
        if isinstance(self._session, StreamSession):
            candidates.append(self._session.link.deadline())
        due = [c for c in candidates if c is not None]
        return min(due) if due else None

    def handle_timer(self, now: Samples) -> None:
        """Let timers act; calling early is harmless."""
        self._advance(now)

    # -- inside ----------------------------------------------------------------------------------------------

    @property
    def _online(self) -> bool:
        return self.state is LineState.DATA and not self._data_path.escaped

    def _advance(self, now: Samples) -> None:
        """Move the clock to `now` and run every timer that is due.

        A terminal may speak at an instant that `process` has already passed (it runs a frame ahead): the
        clock never goes back.
        """
        now = self._now = max(now, self._now)
        self._at.handle_timer(now)
        self._after_at(now)
        if isinstance(self._session, StreamSession):
            self._session.link.handle_timer(now)
            self._drain_session(self._session, now)
            self._drain_link()
        if self._online and self._data_path.escape_came(now):
            self._escape_came(now)
        if self._terminal.dtr_dropped(now):
            self._dtr_dropped(now)
        idle = self._idle_due()
        if idle is not None and now >= idle:
            self._drop_call(now, "inactivity timeout (S19)")
        if self._hang_up_at is not None and (now >= self._hang_up_at or not self.pending):
            self._drop_call(now)
        if self._due is not None and now >= self._due:
            self._due = None
            self._timed_out(now)
        ring = self._ringing.due()
        if ring is not None and now >= ring:
            self._rings(now)

    def _timed_out(self, now: Samples) -> None:
        if self.state is LineState.PAUSING:
            self._place_call(now)
        elif self.state is LineState.CLEARING:
            self._release(self.disconnect_reason, now, hang_up=True)
        elif self.state is LineState.CALLING:
            self._end("no answer within S7", Result.NO_ANSWER, now, source=Source.SIGNALLING)
        else:
            self._end(self._what_was_missing(), Result.NO_CARRIER, now, source=Source.MODULATION)

    def _what_was_missing(self) -> str:
        if self.state is LineState.ANSWERING:
            return "the call was accepted but no talking path came within S7"
        return "no carrier within S7"

    def _escape_came(self, now: Samples) -> None:
        if self.settings.s.usr(13) & S13_ESCAPE_ENDS:
            self._hang_up("escape code", now)
            self._at.unsolicited(Result.NO_CARRIER, now)
        else:
            self._data_path.escaped = True
            self._at.unsolicited(Result.OK, now)
        self._flush_at()

    # -- ringing ---------------------------------------------------------------------------------------------

    def _rings(self, now: Samples) -> None:
        if self._ringing.ring(now):
            self._answer(now)

    def _answer(self, now: Samples) -> None:
        ringing = self._ringing.active
        self._ringing.stop()
        self._role = self._answers_as
        self._due = now + self.settings.s[7] * SAMPLE_RATE
        if ringing:
            self._enter(LineState.ANSWERING, now)
            if self._at.state is not State.WAITING:
                self._at.begin_answer(now)
            self._actions.append(AcceptCall())
        else:
            # A real modem would send its answer tone into the void until S7; here is no line to send it on.
            self._record.begin(now)
            self._end("ATA without a call", Result.NO_CARRIER, now)

    # -- commands --------------------------------------------------------------------------------------------

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
                self._dial(action, now)
            case AnswerCall():
                self._answer(now)
            case GoOnline():
                self._go_online(action, now)
            case HangUp():
                self._hang_up("ATH", now)
            case OffHook():
                if self.state is LineState.ON_HOOK:
                    self.state = LineState.OFF_HOOK
            case Abort():
                if self.state not in (LineState.ON_HOOK, LineState.DATA):
                    self._end("keypress abort", Result.NO_CARRIER, now)

    def _dial(self, dial: Dial, now: Samples) -> None:
        if self.state is LineState.CLEARING:
            self._release(self.disconnect_reason, now, hang_up=True)
        if self.state not in (LineState.ON_HOOK, LineState.OFF_HOOK):
            self._at.finish(Result.ERROR, now)
            return
        self._ringing.stop()
        self._number = self.peer = dial.number
        self._role = Role.ANSWERING if dial.answer_mode else Role.CALLING
        self._stay_in_command = dial.stay_in_command
        self.state = LineState.PAUSING
        self._record.begin(now)
        self._trace(now, "dce", "call", number=dial.number)
        self._due = now + dial.pause_samples + dial.dialling_samples
        self._advance(now)

    def _place_call(self, now: Samples) -> None:
        if not self._line_ready:
            if self._why_not_ready:
                self._record.observed(Source.SIGNALLING, self._why_not_ready, "", now)
            self._end("the line is not registered", Result.NO_DIAL_TONE, now, source=Source.SIGNALLING)
            return
        self.state = LineState.CALLING
        self._due = now + self.settings.s[7] * SAMPLE_RATE
        self._actions.append(PlaceCall(self._number))
        if self._stay_in_command:
            self._at.finish(Result.OK, now)
            self._after_at(now)

    def _go_online(self, action: GoOnline, now: Samples) -> None:
        if self.state is not LineState.DATA or self.connection is None:
            self._at.finish(Result.NO_CARRIER, now)
            return
        if action.retrain and self._session is not None:
            self._session.retrain(now)
        call, connect = self.call, self.connection.connect
        self._at.finish(replace(connect, rate=call.rx_rate, tx_rate=call.tx_rate), now)
        self._enter_data(now)

    # -- the connection --------------------------------------------------------------------------------------

    def _start_training(self, now: Samples) -> None:
        settings = self.settings
        self._enter(LineState.TRAINING, now)
        # S7 covers dialling to carrier; the answer starts it anew so that slow callees leave time to train.
        self._due = now + settings.s[7] * SAMPLE_RATE
        options = modulation_options(settings, self._role)
        self._session = Session(
            self._role,
            options,
            allowed_modulations(settings),
            error_control(settings, self._role),
            line_characters(settings),
            self._trace,
            unprotected(settings),
        )
        self._record.talking(now)
        self._session.start(now)

    def _drain_session(self, session: Session | StreamSession, now: Samples) -> None:
        for event in session.take_events():
            self._trace(now, "dce", type(event).__name__, event=event)
            self._record.event(event, now, connected=self.state is LineState.DATA)
            match event:
                case LinkUp():
                    self._connected(session, event, now)
                case Ready() | Retraining() | Renegotiating():
                    self._events.append(event)
                case BreakReceived(milliseconds):
                    self._break_came(milliseconds)
                case Disconnected(reason, clause) | LinkDown(reason, clause):
                    if self.state is LineState.CLEARING:
                        self._release(self.disconnect_reason, now, hang_up=True)
                        return
                    source = Source.LINK if isinstance(event, LinkDown) else Source.MODULATION
                    self._end(reason, Result.NO_CARRIER, now, source=source, clause=clause)
                    return
                case _:
                    pass

    def _connected(self, session: Session | StreamSession, link: LinkUp, now: Samples) -> None:
        connect = session.connect(link)
        rx_rate, tx_rate, modulation = connect.rate, connect.tx_rate, session.modulation
        self._error_control = link.protocol != "NONE"
        self._enter(LineState.DATA, now)
        self._due = None
        fallback = may_fall_back(self.settings)
        self._record.connected(
            CallRecord(modulation=modulation, tx_rate=tx_rate, rx_rate=rx_rate, fallback=fallback, began=now)
        )
        if self._at.state is State.WAITING:
            self._at.finish(connect, now)
        else:
            self._at.unsolicited(connect, now)
        self._flush_at()
        self.connection = Connected(connect, connect_words(connect, 7, 3), modulation)
        self._events.append(self.connection)
        if self._terminal.follow_line(rx_rate, answering=self._role is Role.ANSWERING):
            self._events.append(TerminalRate(rx_rate))
        self._enter_data(now)

    def _enter(self, state: LineState, now: Samples) -> None:
        """Go to another state of the line and let the terminal's circuits follow."""
        self.state = state
        training, carrier = state is LineState.TRAINING, state is LineState.DATA
        self._terminal.connect(Connection(carrier, training, self._error_control and carrier), now)
        self._data_path.reset()

    def _break_came(self, milliseconds: int) -> None:
        """Hand a break of the far terminal on; under error control S21 says how long it is here."""
        length = self.settings.s.usr(21) * 10 if self._error_control else milliseconds
        if length:
            self._events.append(TerminalBreak(length))

    def _screen(self, number: int) -> str | None:
        """Return the text of ATIn where it is about the line."""
        if self._session is not None:
            self._record.count(self._session)
        return self._record.screen(number, self._now)

    def _response(self) -> str | None:
        """Return the text of ATY11."""
        if self._session is not None:
            self._record.count(self._session)
        return self._record.response()

    def _enter_data(self, now: Samples) -> None:
        self._data_path.go_online(now)
        self._flush_at()

    def _drain_link(self) -> None:
        """Move received bytes to the terminal while it has room; commands come first after an escape."""
        link = self._session.link if self._session else None
        if link is None or not self._online:
            return
        self.call.characters_received += self._data_path.deliver(link)

    def _flush_at(self) -> None:
        self._terminal.say(self._at.take_output())

    def _dtr_dropped(self, now: Samples) -> None:
        mode = self.settings["&D"]
        if mode == 1 and self._online:
            self._data_path.escaped = True
            self._at.unsolicited(Result.OK, now)
        elif mode >= 2 and self.state is LineState.DATA:
            # S38: data under way gets so many seconds to be acknowledged.
            wait = self.settings.s.usr(38) if self._error_control else 0
            self._hang_up_at = now + wait * SAMPLE_RATE
            if not wait:
                self._drop_call(now)
        elif mode >= 2 and self.state not in (LineState.ON_HOOK, LineState.CLEARING):
            self._end("DTR dropped", Result.NO_CARRIER, now)
        if mode == 3 or self.settings.s.usr(13) & S13_RESET:
            self._at.reset(now)
        self._flush_at()

    def _idle_due(self) -> Samples | None:
        """Return when the connection will have been without data for too long, or None."""
        if self.state is not LineState.DATA:
            return None
        return self._record.idle_due(self.settings, self._now)

    def _drop_call(self, now: Samples, reason: str = "DTR dropped") -> None:
        """Hang up for want of DTR, or of data."""
        self._hang_up_at = None
        self._hang_up(reason, now)
        self._at.unsolicited(Result.NO_CARRIER, now)
        self._flush_at()

    def _hang_up(self, reason: str, now: Samples) -> None:
        """Go on hook without a result of our own; a link that can say goodbye does so first."""
        if self.state in (LineState.ON_HOOK, LineState.CLEARING):
            return
        link = self._session.link if self._session else None
        if self.state is not LineState.DATA or link is None:
            self._release(reason, now, hang_up=True)
            return
        self._enter(LineState.CLEARING, now)
        self._record.disconnect_reason = reason
        self._data_path.stop_watching()
        self._due = now + CLEARING_TIME
        link.disconnect(now)
        if any(isinstance(event, LinkDown) for event in link.take_events()):
            self._release(reason, now, hang_up=True)  # no one to say goodbye to

    def _end(
        self,
        reason: str,
        result: Result,
        now: Samples,
        *,
        hang_up: bool = True,
        source: Source = Source.DTE,
        clause: str = "",
    ) -> None:
        """End whatever is under way and report `result`."""
        self._release(reason, now, hang_up=hang_up, source=source, clause=clause)
        if self._at.state is State.WAITING:
            self._at.finish(result, now)
        else:
            self._at.unsolicited(result, now)
        self._flush_at()

    def _release(
        self,
        reason: str,
        now: Samples,
        *,
        hang_up: bool,
        source: Source = Source.DTE,
        clause: str = "",
    ) -> None:
        """Go on hook.

        Args:
            reason: Why.
            now: When.
            hang_up: The line is to be told.
            source: Who noticed the reason.
            clause: Where it stands.
        """
        statistics = None
        if self._session is not None:
            link = self._session.link
            if link is not None and not self._data_path.escaped:
                self.call.characters_received += self._data_path.deliver(link)
            self._record.count(self._session)
            statistics = self.call.link if link is not None else None
            self._session.clear_down(now)
        if hang_up and self.state not in (LineState.PAUSING, LineState.OFF_HOOK):
            self._actions.append(EndCall(reason))
        self._session = None
        self._data_path.leave_line()
        self._due = self._hang_up_at = None
        self._enter(LineState.ON_HOOK, now)
        if self._terminal.leave_line():
            self._events.append(TerminalRate(self._terminal.rate))
        self._events.append(self._record.end(Cause(now, source, reason, clause), statistics))
        self._trace(now, "dce", "ended", reason=reason)
