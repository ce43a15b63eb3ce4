"""What a command line asks of the modem around the interpreter.

The interpreter executes commands that only touch settings by itself. Everything that concerns the line leaves
it as one of these; after one that does not answer at once (`Dial`, `AnswerCall`, `GoOnline`) the interpreter
waits until the modem calls `Interpreter.finish`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dial:
    """ATD: place a call.

    Attributes:
        number: Digits, ``*``, ``#``, ``+`` and letters of a URI, without modifiers; pauses removed.
        pause_samples: How long to wait before the call is placed (S6 and commas, S8).
        answer_mode: R at the end: dial, then go on line as the answering modem.
        stay_in_command: ``;`` at the end: dial and return to command state.
        wait_quiet_answer: ``@`` was given: no answer is reported as NO ANSWER.
        dialling_samples: How long a modem on a two-wire line takes to send the digits, after the pause: S11
            per tone and as long between tones, or the pulses of P; 0 for an address.
    """

    number: str
    pause_samples: int = 0
    answer_mode: bool = False
    stay_in_command: bool = False
    wait_quiet_answer: bool = False
    dialling_samples: int = 0


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """ATA: go off hook as the answering modem."""


@dataclass(frozen=True, slots=True)
class GoOnline:
    """ATO: back to the online state; `retrain` for ATO1."""

    retrain: bool = False


@dataclass(frozen=True, slots=True)
class HangUp:
    """ATH0 or ATZ: go on hook."""


@dataclass(frozen=True, slots=True)
class OffHook:
    """ATH1: go off hook without dialling."""


@dataclass(frozen=True, slots=True)
class Abort:
    """A key was pressed while the modem was dialling, answering or training."""


Action = Dial | AnswerCall | GoOnline | HangUp | OffHook | Abort
