"""The init string of a modem, run before its terminal is attached."""

from ansam.dce.dce import Dce
from ansam.errors import ConfigError
from ansam.io.line_clock import LineClock

INIT_STEPS = 100
"""Timers an init string may need before its answer counts as missing."""


def run_init(dce: Dce, command: str, clock: LineClock) -> None:
    """Run an init string; every timer on the way is due at once.

    Raises:
        ConfigError: The modem does not answer OK.
    """
    dce.receive_dte(command.encode("latin-1", "replace") + b"\r", clock.now())
    answer = b""
    for _ in range(INIT_STEPS):
        answer += dce.take_dte()
        due = dce.deadline()
        if due is None:
            break
        dce.handle_timer(due)
        clock.advance_to(due)
    words = answer.split()
    if not words or words[-1] not in (b"OK", b"0"):
        said = words[-1].decode("latin-1") if words else "nothing"
        raise ConfigError(f"init string {command!r}: the modem answers {said}", "correct the command")
