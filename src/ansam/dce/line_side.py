"""The line's half of the modem: a call from dialling or RING through start-up and data to on hook again.

It moves by what the call's line tells and by its own timers; what the terminal wants comes through `Dce`.
"""

from dataclasses import replace

import numpy as np

from ansam.at.actions import Dial, GoOnline
from ansam.at.codes import connect_words
from ansam.at.interpreter import Interpreter, State
from ansam.at.results import Result
from ansam.dce.causes import Cause, Source
from ansam.dce.data_path import DataPath
from ansam.dce.diagnostics import CallRecord
from ansam.dce.options import (
    allowed_modulations,
    error_control,
    line_characters,
    may_fall_back,
    modulation_options,
    unprotected,
)
from ansam.dce.progress import AcceptCall, EndCall, LineAction, PlaceCall, Progress, Stream
from ansam.dce.record import Record
from ansam.dce.ringing import Ringing
from ansam.dce.session import Disconnected, Session
from ansam.dce.state import Connected, DceEvent, LineState, TerminalBreak, TerminalRate
from ansam.dce.stream import StreamSession, paced, stream_rate
from ansam.dce.terminal import Connection, TerminalSide
from ansam.link.base import BreakReceived, CharacterLink, LinkDown, LinkUp
from ansam.modulation.base import Ready, Renegotiating, Retraining, Role, SignalReport
from ansam.path import ModemFacts
from ansam.trace import Sink
from ansam.units import SAMPLE_RATE, Audio, Samples

CLEARING_TIME = 2 * SAMPLE_RATE
"""How long a hang-up waits for the far end to acknowledge the end of the link."""

_RESULT_OF = {
    Progress.BUSY: Result.BUSY,
    Progress.NO_ANSWER: Result.NO_ANSWER,
    Progress.NO_SUCH_NUMBER: Result.NO_CARRIER,
    Progress.REFUSED: Result.NO_CARRIER,
    Progress.UNREACHABLE: Result.NO_DIAL_TONE,
}


class LineSide:
    """Of one modem.

    Args:
        at: Gives the results and holds the settings.
        terminal: What they are for.
        trace: Sink for what happens; times are samples.

    Attributes:
        state: Where the line is.
        connection: The connection there is or was last.
        peer: Who called or was called last.
        ready: Whether a call could be placed ...
        why_not_ready: ... and why not.
        error_control: The connection there is or was last has it.
        record: What is known of this call or the last.
        ringing: The call that rings.
        data_path: Between terminal and link.
    """

    def __init__(self, at: Interpreter, terminal: TerminalSide, trace: Sink) -> None:
        self.state = LineState.ON_HOOK
        self.connection: Connected | None = None
        self.peer = ""
        self.ready = True
        self.why_not_ready = ""
        self.error_control = False
        self.record = Record()
        self.ringing = Ringing(at, terminal)
        self.data_path = DataPath(at.settings, terminal)
        self._at = at
        self._settings = at.settings
        self._terminal = terminal
        self._trace = trace
        self._session: Session | StreamSession | None = None
        self._actions: list[LineAction] = []
        self._events: list[DceEvent] = []
        self._number = ""
        self._role = Role.CALLING
        self._answers_as = Role.ANSWERING
        self._stay_in_command = False
        self._due: Samples | None = None
        self._hang_up_at: Samples | None = None

    # -- what is known ---------------------------------------------------------------------------------------

    @property
    def online(self) -> bool:
        """Whether the terminal's octets are data."""
        return self.state is LineState.DATA and not self.data_path.escaped

    @property
    def link(self) -> CharacterLink | None:
        """What carries the octets, once the modems are ready."""
        return self._session.link if self._session else None

    @property
    def pending(self) -> int:
        """Octets that have not reached the far end yet (0 off line)."""
        return self.link.pending() if self.link else 0

    def delay_may_change(self, now: Samples) -> bool:
        """Whether a jump of what is heard does no harm now; see `call.party.Tolerant`."""
        session = self._session
        return not isinstance(session, Session) or session.delay_may_change(now)

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
            retrains=self.record.retrains,
        )

    def report(self) -> SignalReport | None:
        """Return what the receiver knows about the line, or None off line."""
        return self._session.report() if self._session else None

    def counted(self) -> Record:
        """Return the record of this call or the last, its counters brought up to date."""
        if self._session is not None:
            self.record.count(self._session)
        return self.record

    # -- a call from the line --------------------------------------------------------------------------------

    def incoming(self, caller: str, name: str, stamp: str, calling: bool, now: Samples) -> bool:
        """A call rings; see `Dce.incoming_call`."""
        if self.state is not LineState.ON_HOOK or self.ringing.active:
            return False
        self.record.begin(now)
        self._trace(now, "dce", "call", caller=caller)
        self.peer = caller
        self._answers_as = Role.CALLING if calling else Role.ANSWERING
        self.ringing.begin(caller, name, stamp, now)
        self._rings(now)
        return True

    def incoming_stopped(self, now: Samples) -> None:
        """The caller gave up (or was answered elsewhere) before we answered."""
        self.ringing.stop()
        if self.state is LineState.ANSWERING:
            self.end("caller gave up", now, source=Source.SIGNALLING)

    def _rings(self, now: Samples) -> None:
        if self.ringing.ring(now):
            self.answer(now)

    def answer(self, now: Samples) -> None:
        """Take the call that rings."""
        ringing = self.ringing.active
        if not ringing and self.state not in (LineState.ON_HOOK, LineState.OFF_HOOK, LineState.CLEARING):
            self._at.finish(Result.ERROR, now)
            return
        self.ringing.stop()
        self._role = self._answers_as
        self._due = now + self._settings.s[7] * SAMPLE_RATE
        if ringing:
            self._enter(LineState.ANSWERING, now)
            if self._at.state is not State.WAITING:
                self._at.begin_answer(now)
            self._actions.append(AcceptCall())
        else:
            # A real modem would send its answer tone into the void until S7; here is no line to send it on.
            self.record.begin(now)
            self.end("ATA without a call", now)

    # -- a call of ours --------------------------------------------------------------------------------------

    def off_hook(self) -> None:
        """Go off hook without a call."""
        if self.state is LineState.ON_HOOK:
            self.state = LineState.OFF_HOOK

    def dial(self, dial: Dial, now: Samples) -> None:
        """Begin a call; a timer that may be due at once places it."""
        if self.state is LineState.CLEARING:
            self._release(self.record.disconnect_reason, now, hang_up=True)
        if self.state not in (LineState.ON_HOOK, LineState.OFF_HOOK):
            self._at.finish(Result.ERROR, now)
            return
        if self.ringing.active:
            # A real modem would meet the caller when it goes off hook; this caller hears busy.
            self._actions.append(EndCall("dialled while it rang"))
            self.ringing.stop()
        self._number = self.peer = dial.number
        self._role = Role.ANSWERING if dial.answer_mode else Role.CALLING
        self._stay_in_command = dial.stay_in_command
        self.state = LineState.PAUSING
        self.record.begin(now)
        self._trace(now, "dce", "call", number=dial.number)
        self._due = now + dial.pause_samples + dial.dialling_samples

    def _place_call(self, now: Samples) -> None:
        if not self.ready:
            if self.why_not_ready:
                self.record.observed(Source.SIGNALLING, self.why_not_ready, "", now)
            self.end("the line is not registered", now, Result.NO_DIAL_TONE, source=Source.SIGNALLING)
            return
        self.state = LineState.CALLING
        self._due = now + self._settings.s[7] * SAMPLE_RATE
        self._actions.append(PlaceCall(self._number))
        if self._stay_in_command:
            self._at.finish(Result.OK, now)

    # -- the call goes on ------------------------------------------------------------------------------------

    def progress(self, progress: Progress, now: Samples, cause: str) -> None:
        """Take news of the call we placed or accepted; see `Dce.progress`."""
        self._trace(now, "dce", "progress", progress=progress.name)
        if progress is Progress.RINGING:
            if self.state is LineState.CALLING:
                self.record.ringing(now)
                self._at.unsolicited(Result.RINGING, now)
                self._say()
        elif progress is Progress.CONNECTED:
            if self.state in (LineState.CALLING, LineState.ANSWERING):
                self._start_training(now)
        elif self.state in (LineState.CALLING, LineState.ANSWERING):
            reason = cause or progress.value
            self.end(reason, now, _RESULT_OF[progress], hang_up=False, source=Source.SIGNALLING)

    def far_end_hung_up(self, now: Samples) -> None:
        """The exchange ended the call."""
        if self.state is LineState.CLEARING:
            self._release(self.record.disconnect_reason, now, hang_up=False)
        elif self.state not in (LineState.OFF_HOOK, LineState.ON_HOOK):
            self.end("far end hung up", now, hang_up=False, source=Source.SIGNALLING)

    def observed(self, source: Source, text: str, clause: str, now: Samples, *, lasting: bool) -> None:
        """Take what the line noticed in a call, for its chain of causes (see `Witness.observed`)."""
        if self.state is not LineState.ON_HOOK or self.ringing.active:
            self.record.observed(source, text, clause, now, lasting=lasting)

    def _start_training(self, now: Samples) -> None:
        settings = self._settings
        self._enter(LineState.TRAINING, now)
        # S7 covers dialling to carrier; the answer starts it anew so that slow callees leave time to train.
        self._due = now + settings.s[7] * SAMPLE_RATE
        self._session = Session(
            self._role,
            modulation_options(settings, self._role),
            allowed_modulations(settings),
            error_control(settings, self._role),
            line_characters(settings),
            self._trace,
            unprotected(settings),
        )
        self.record.talking(now)
        self._session.start(now)

    def process(self, rx: Audio, now: Samples, erased: bool) -> Audio:
        """Run one stretch of the call's audio; see `Dce.process`."""
        session = self._session
        if not isinstance(session, Session):
            return np.zeros(len(rx), np.float32)
        tx = session.process(rx, now, erased)
        self.record.audio(session, rx, tx, now, erased)
        self._drain_session(session, now + len(rx))
        self.deliver()
        return tx

    # -- network stream --------------------------------------------------------------------------------------

    def stream_connected(self, stream: Stream, now: Samples) -> None:
        """The call has no audio; see `Dce.stream_connected`."""
        if self.state not in (LineState.CALLING, LineState.ANSWERING):
            return
        rate = stream_rate(self._settings, stream)
        if not rate:
            self.end("no speed that both ends allow", now)
            return
        self._session = StreamSession(stream, rate if paced(self._settings, stream) else 0)
        self._session.start(now)
        self._drain_session(self._session, now)

    def stream_offer(self, data: bytes) -> int:
        """Take octets of the far end; return how many."""
        if not isinstance(self._session, StreamSession):
            return 0
        taken = self._session.link.offer_stream(data)
        self.deliver()
        return taken

    def stream_take(self, limit: int) -> bytes:
        """Return octets for the far end that are due, at most `limit`."""
        return self._session.link.take_stream(limit) if isinstance(self._session, StreamSession) else b""

    def stream_ended(self, reason: str) -> None:
        """The far end has closed: the call ends when the terminal has got everything."""
        if isinstance(self._session, StreamSession):
            self._session.link.end_stream(reason)

    # -- the connection --------------------------------------------------------------------------------------

    def _drain_session(self, session: Session | StreamSession, now: Samples) -> None:
        for event in session.take_events():
            self._trace(now, "dce", type(event).__name__, event=event)
            self.record.event(event, now, connected=self.state is LineState.DATA)
            match event:
                case LinkUp():
                    self._connected(session, event, now)
                case Ready() | Retraining() | Renegotiating():
                    self._events.append(event)
                case BreakReceived(milliseconds):
                    self._break_came(milliseconds)
                case Disconnected(reason, clause) | LinkDown(reason, clause):
                    if self.state is LineState.CLEARING:
                        self._release(self.record.disconnect_reason, now, hang_up=True)
                        return
                    source = Source.LINK if isinstance(event, LinkDown) else Source.MODULATION
                    self.end(reason, now, source=source, clause=clause)
                    return
                case _:
                    pass

    def _connected(self, session: Session | StreamSession, link: LinkUp, now: Samples) -> None:
        connect = session.connect(link)
        rx_rate, tx_rate, modulation = connect.rate, connect.tx_rate, session.modulation
        self.error_control = link.protocol != "NONE"
        self._enter(LineState.DATA, now)
        self._due = None
        fallback = may_fall_back(self._settings)
        self.record.connected(
            CallRecord(modulation=modulation, tx_rate=tx_rate, rx_rate=rx_rate, fallback=fallback, began=now)
        )
        if self._at.state is State.WAITING:
            self._at.finish(connect, now)
        else:
            self._at.unsolicited(connect, now)
        self._say()
        self.connection = Connected(connect, connect_words(connect, 7, 3), modulation)
        self._events.append(self.connection)
        if self._terminal.follow_line(rx_rate, answering=self._role is Role.ANSWERING):
            self._events.append(TerminalRate(rx_rate))
        self._enter_data(now)

    def go_online(self, action: GoOnline, now: Samples) -> None:
        """Let the terminal's octets be data again."""
        if self.state is not LineState.DATA or self.connection is None:
            self._at.finish(Result.NO_CARRIER, now)
            return
        if action.retrain and self._session is not None:
            self._session.retrain(now)
        call, connect = self.record.call, self.connection.connect
        self._at.finish(replace(connect, rate=call.rx_rate, tx_rate=call.tx_rate), now)
        self._enter_data(now)

    def _enter_data(self, now: Samples) -> None:
        self.data_path.go_online(now)
        self._say()

    def _break_came(self, milliseconds: int) -> None:
        """Hand a break of the far terminal on; under error control S21 says how long it is here."""
        length = self._settings.s.usr(21) * 10 if self.error_control else milliseconds
        if length:
            self._events.append(TerminalBreak(length))

    def deliver(self) -> None:
        """Move received octets to the terminal while it has room; commands come first after an escape."""
        if self.link is not None and self.online:
            self.record.call.characters_received += self.data_path.deliver(self.link)

    # -- the end ---------------------------------------------------------------------------------------------

    def abort(self, now: Samples) -> None:
        """A key was pressed: give up a call that is no connection yet."""
        if self.state not in (LineState.ON_HOOK, LineState.DATA):
            self.end("keypress abort", now)

    def drop(self, now: Samples, reason: str) -> None:
        """End the connection and say so, though no command asked for it."""
        self._hang_up_at = None
        self.hang_up(reason, now)
        self._at.unsolicited(Result.NO_CARRIER, now)
        self._say()

    def dtr_dropped(self, now: Samples) -> None:
        """End whatever is under way; S38: data under way gets so many seconds to be acknowledged."""
        if self.state is LineState.DATA:
            wait = self._settings.s.usr(38) if self.error_control else 0
            self._hang_up_at = now + wait * SAMPLE_RATE
            self._drop_when_sent(now)
        elif self.state not in (LineState.ON_HOOK, LineState.CLEARING):
            self.end("DTR dropped", now)

    def _drop_when_sent(self, now: Samples) -> None:
        if self._hang_up_at is not None and (now >= self._hang_up_at or not self.pending):
            self.drop(now, "DTR dropped")

    def hang_up(self, reason: str, now: Samples) -> None:
        """Go on hook without a result of our own; a link that can say goodbye does so first."""
        if self.state in (LineState.ON_HOOK, LineState.CLEARING):
            return
        link = self.link
        if self.state is not LineState.DATA or link is None:
            self._release(reason, now, hang_up=True)
            return
        self._hang_up_at = None
        self._enter(LineState.CLEARING, now)
        self.record.disconnect_reason = reason
        self.data_path.stop_watching()
        self._due = now + CLEARING_TIME
        link.disconnect(now)
        if any(isinstance(event, LinkDown) for event in link.take_events()):
            self._release(reason, now, hang_up=True)  # no one to say goodbye to

    def end(
        self,
        reason: str,
        now: Samples,
        result: Result = Result.NO_CARRIER,
        *,
        hang_up: bool = True,
        source: Source = Source.DTE,
        clause: str = "",
    ) -> None:
        """End whatever is under way and report it.

        Args:
            reason: Why.
            now: When.
            result: What the terminal is told.
            hang_up: The line is to be told.
            source: Who noticed the reason.
            clause: Where it stands.
        """
        self._release(reason, now, hang_up=hang_up, source=source, clause=clause)
        if self._at.state is State.WAITING:
            self._at.finish(result, now)
        else:
            self._at.unsolicited(result, now)
        self._say()

    def _release(
        self,
        reason: str,
        now: Samples,
        *,
        hang_up: bool,
        source: Source = Source.DTE,
        clause: str = "",
    ) -> None:
        """Go on hook; see `end`."""
        statistics = None
        if self._session is not None:
            link = self._session.link
            if link is not None and not self.data_path.escaped:
                self.record.call.characters_received += self.data_path.deliver(link)
            self.record.count(self._session)
            statistics = self.record.call.link if link is not None else None
            self._session.clear_down(now)
        if hang_up and self.state not in (LineState.PAUSING, LineState.OFF_HOOK):
            self._actions.append(EndCall(reason))
        self._session = None
        self.data_path.leave_line()
        self._due = self._hang_up_at = None
        self._enter(LineState.ON_HOOK, now)
        if self._terminal.leave_line():
            self._events.append(TerminalRate(self._terminal.rate))
        self._events.append(self.record.end(Cause(now, source, reason, clause), statistics))
        self._trace(now, "dce", "ended", reason=reason)

    def _enter(self, state: LineState, now: Samples) -> None:
        """Go to another state of the line and let the terminal's circuits follow."""
        self.state = state
        training, carrier = state is LineState.TRAINING, state is LineState.DATA
        self._terminal.connect(Connection(carrier, training, self.error_control and carrier), now)
        self.data_path.reset()

    def _say(self) -> None:
        self._terminal.say(self._at.take_output())

    # -- timers and outputs ----------------------------------------------------------------------------------

    def deadline(self, now: Samples) -> Samples | None:
        """Return the next instant at which `handle_timer` has something to do, or None."""
        candidates = [self._due, self._hang_up_at, self._idle_due(now), self.ringing.due()]
        if isinstance(self._session, StreamSession):
            candidates.append(self._session.link.deadline())
        return min((due for due in candidates if due is not None), default=None)

    def handle_timer(self, now: Samples) -> None:
        """Let timers act; calling early is harmless."""
        if isinstance(self._session, StreamSession):
            self._session.link.handle_timer(now)
            self._drain_session(self._session, now)
            self.deliver()
        idle = self._idle_due(now)
        if idle is not None and now >= idle:
            self.drop(now, "inactivity timeout (S19)")
        self._drop_when_sent(now)
        if self._due is not None and now >= self._due:
            self._due = None
            self._timed_out(now)
        ring = self.ringing.due()
        if ring is not None and now >= ring:
            self._rings(now)

    def _idle_due(self, now: Samples) -> Samples | None:
        """Return when the connection will have been without data for too long, or None."""
        return self.record.idle_due(self._settings, now) if self.state is LineState.DATA else None

    def _timed_out(self, now: Samples) -> None:
        match self.state:
            case LineState.PAUSING:
                self._place_call(now)
            case LineState.CLEARING:
                self._release(self.record.disconnect_reason, now, hang_up=True)
            case LineState.CALLING:
                self.end("no answer within S7", now, Result.NO_ANSWER, source=Source.SIGNALLING)
            case LineState.ANSWERING:
                missing = "the call was accepted but no talking path came within S7"
                self.end(missing, now, source=Source.MODULATION)
            case _:
                self.end("no carrier within S7", now, source=Source.MODULATION)

    def take_actions(self) -> list[LineAction]:
        """Return what the line is asked to do, in order."""
        actions, self._actions = self._actions, []
        return actions

    def take_events(self) -> list[DceEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events
