r"""Golden transcripts: what a terminal types and, byte for byte, what comes back.

A line begins with the mark of what it is:

====== ==========================================================================================
``#``  a comment
``>``  a command line; CR is added
``>>`` characters without CR; ``\r``, ``\n`` and ``\xNN`` as in Python
``!``  the modem around: ``finish BUSY``, ``finish CONNECT 4800 V34 LAPM V42BIS [V34] [tx rate]``,
       ``say RING``, ``caller NUMBER MMDDHHMM [NAME]``, ``wait SECONDS``
``*``  what the interpreter asks of the modem
``<``  what the terminal gets; a line ends after each CR LF of a long answer
====== ==========================================================================================

``python tests/support/golden.py [NAME ...]`` writes the answers of the transcripts anew, keeping what they
type. They are a record, read by eye against the manuals whenever they change; they are no independent source.
"""

import sys
from dataclasses import fields
from pathlib import Path

from ansam.at.actions import AnswerCall, Dial, GoOnline, HangUp, OffHook
from ansam.at.capabilities import Capabilities
from ansam.at.interpreter import Interpreter
from ansam.at.nvram import Profile
from ansam.at.personalities import load, names
from ansam.at.results import Connect, Result

RATES = (2400, 4800, 7200, 9600, 12000, 14400, 16800, 19200, 21600, 24000, 26400, 28800, 31200, 33600)

MODEM = Capabilities(
    rates=frozenset({300, 1200, *RATES}),
    modulations={
        **{"B103": (300,), "V21": (300,), "V22": (1200,), "V22B": (1200, 2400), "V32": (4800, 9600)},
        **{"V32B": RATES[1:6], "V34": RATES},
    },
    error_control=True,
    compression=True,
    report=lambda number: {
        3: "00:02:05",
        6: "Link Diagnostics...\n\nChars sent                    7",
        11: "Link Diagnostics...\n\nSNR             ( dB )   41.5",
    }.get(number),
    response=lambda: "Freq     Level\n 150       1.5",
    product="ansam",
    version="1.2.3",
    serial="0042",
)
"""A modem of today, with diagnostics that stand still."""

SHORT = 4
"""An answer of so many lines stands on one."""


class Transcript:
    """Plays the inputs of a transcript to a modem and writes the whole anew."""

    def __init__(self, personality: str) -> None:
        self._modem = Interpreter(MODEM, Profile(load(personality)))
        self._now = 0

    def play(self, text: str) -> str:
        lines: list[str] = []
        for line in text.splitlines():
            mark = line.split(" ", 1)[0]
            if mark in ("<", "*"):
                continue
            lines.append(line)
            rest = line[len(mark) + 1 :]
            if mark == ">":
                self._modem.receive(rest.encode() + b"\r", self._now)
            elif mark == ">>":
                self._modem.receive(rest.encode().decode("unicode_escape").encode("latin-1"), self._now)
            elif mark == "!":
                self._do(rest)
            elif line and mark != "#":
                raise ValueError(f"a line can not begin with {mark!r}: {line}")
            lines += [f"* {_words(action)}" for action in self._modem.take_actions()]
            lines += _shown(self._modem.take_output())
        return "\n".join(lines) + "\n"

    def _do(self, text: str) -> None:
        verb, *words = text.split()
        match verb:
            case "wait":
                self._now += int(8000 * float(words[0]))
                self._modem.handle_timer(self._now)
            case "caller":
                self._modem.caller(words[0], " ".join(words[2:]), words[1], self._now)
            case "finish":
                self._modem.finish(_result(words), self._now)
            case "say":
                self._modem.unsolicited(_result(words), self._now)
            case _:
                raise ValueError(f"the modem can not {verb}")


def _result(words: list[str]) -> Result | Connect:
    if words[0] != "CONNECT":
        return Result[words[0]]
    rate, name, protocol, compression, carrier, tx_rate = [*words[1:], *["-"] * (7 - len(words))][:6]
    plain = ["" if word == "-" else word for word in (name, protocol, compression, carrier)]
    return Connect(int(rate), plain[0], plain[1] or "NONE", *plain[2:], int(tx_rate if tx_rate != "-" else 0))


def _words(action: object) -> str:
    name = type(action).__name__
    names = {AnswerCall: "answer", HangUp: "hang up", OffHook: "off hook"}
    if type(action) in names:
        return names[type(action)]
    if isinstance(action, GoOnline):
        return "back on line, retrain" if action.retrain else "back on line"
    if isinstance(action, Dial):
        others = [
            f"{field.name}={value}"
            for field in fields(action)[1:]
            if (value := getattr(action, field.name)) != field.default
        ]
        return " ".join(["dial", action.number, *others])
    return name.lower()


def _shown(octets: bytes) -> list[str]:
    parts = octets.decode("latin-1").split("\r\n")
    if not octets:
        return []
    if len(parts) - 1 <= SHORT:
        return ["< " + _escaped("\r\n".join(parts))]
    return [f"< {_escaped(part)}\\r\\n" for part in parts[:-1]] + (
        [f"< {_escaped(parts[-1])}"] if parts[-1] else []
    )


def _escaped(text: str) -> str:
    return text.encode("unicode_escape").decode()


def main() -> None:
    """Write the transcripts anew."""
    for name in sys.argv[1:] or names():
        path = Path(__file__).parents[1] / "at" / "golden" / f"{name}.txt"
        path.write_text(Transcript(name).play(path.read_text()))


if __name__ == "__main__":
    main()
