"""The transfer protocols, all of them Debian's lrzsz.

The programs run between pipes, not on a terminal: `sz` flushes what its terminal has not sent yet, and the
last two characters of a ZMODEM session would go with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ansam.answer.events import RunCommand
from ansam.units import Seconds

WINDOW_MIN, WINDOW_MAX = 1024, 16384
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
EFFICIENCY = 0.85
"""Share of the line that the files get, for estimates."""

START_STOP_BITS = 10
SLOW = 2400
"""Below this rate, bit/s, a full buffer takes longer than lrzsz's usual patience of ten seconds."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One transfer protocol.

    Attributes:
        key: What callers press.
        title: What they read.
        send: Program and options that send; files follow.
        receive: Program and options that receive.
        batch: Carries names, and several files.
        needs_error_control: Only for lines that correct errors.
    """

    key: str
    title: str
    send: tuple[str, ...]
    receive: tuple[str, ...]
    batch: bool = True
    needs_error_control: bool = False


# -b: octets as they are; -q: nothing on standard error; -E: a name that is there gets another number. The
# programs' restricted mode, their default, keeps names within the directory, made for one upload alone.
PROTOCOLS = (
    Protocol("Z", "ZMODEM", ("sz", "-b", "-q"), ("rz", "-b", "-q", "-E")),
    Protocol("Y", "YMODEM", ("sb", "-b", "-q", "-k"), ("rb", "-b", "-q", "-E")),
    Protocol("G", "YMODEM-g", ("sb", "-b", "-q", "-k"), ("rb", "-b", "-q", "-E"), needs_error_control=True),
    Protocol("1", "XMODEM-1K", ("sx", "-b", "-q", "-k"), ("rx", "-b", "-q", "-c"), batch=False),
    Protocol("X", "XMODEM", ("sx", "-b", "-q"), ("rx", "-b", "-q", "-c"), batch=False),
)


def offered(error_control: bool) -> tuple[Protocol, ...]:
    """Return the protocols for a line."""
    return tuple(one for one in PROTOCOLS if error_control or not one.needs_error_control)


def estimate(octets: int, rate: int) -> Seconds:
    """Return how long octets take at a rate in bit/s."""
    return octets * START_STOP_BITS / (rate * EFFICIENCY)


def sending(protocol: Protocol, paths: Sequence[str], rate: int, run_as: str) -> RunCommand:
    """Return the order to send files.

    Args:
        protocol: How.
        paths: Full paths.
        rate: Of the line, bit/s.
        run_as: Account, or "".
    """
    options = protocol.send
    if protocol.key == "Z":
        # Ten seconds of the line: what is on its way when the caller gives up must not take minutes.
        options = (*options, "-w", str(max(WINDOW_MIN, min(rate, WINDOW_MAX))))
    return RunCommand((*options, *_patience(rate), "--", *paths), ENVIRONMENT, run_as, raw=True, pipes=True)


def _patience(rate: int) -> tuple[str, ...]:
    """Return longer time-outs for lines whose buffers take long to empty."""
    return ("-t", "600") if rate < SLOW else ()


def receiving(protocol: Protocol, name: str, directory: str, limit: int, run_as: str) -> RunCommand:
    """Return the order to receive files.

    Args:
        protocol: How.
        name: Of the file where the protocol carries none.
        directory: Where they go.
        limit: Octets.
        run_as: Account, or "".
    """
    argv = protocol.receive if protocol.batch else (*protocol.receive, "--", name)
    return RunCommand(argv, ENVIRONMENT, run_as, directory, raw=True, pipes=True, limit=limit)
