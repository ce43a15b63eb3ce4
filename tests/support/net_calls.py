"""Calls across a bad network: starts both ends, lets them talk for a while, gathers what they saw."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.net_relay import Impairment, network

END = Path(__file__).with_name("net_end.py")

REST = 0.5
"""Seconds for octets that were acknowledged to come out of the modem."""

IN_TIME = 25.0
"""Lateness of a frame, ms, that the playout delay still covers."""


@dataclass
class Call:
    """One call: the caller's and the answerer's report."""

    name: str
    caller: dict[str, Any]
    callee: dict[str, Any]

    @property
    def ways(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Sender and receiver of both directions."""
        return [(self.caller, self.callee), (self.callee, self.caller)]

    @property
    def latest_ms(self) -> float:
        """How late the latest frame ran at either end."""
        return max(self.caller["latest_ms"], self.callee["latest_ms"])

    def faults(self) -> list[str]:
        """Return what went wrong, in words.

        Slips and retrains only count where the machine ran the frames in time.
        """
        found = []
        in_time = self.latest_ms < IN_TIME
        for end, at in ((self.caller, "caller"), (self.callee, "callee")):
            if not end["connect"].startswith("CONNECT") or not end["record"]:
                found.append(f"{self.name} {at}: {end['connect'] or 'no CONNECT'}")
                continue
            if end["record"]["ended"] or (in_time and end["record"]["retrains"]):
                found.append(f"{self.name} {at}: {end['record']}")
            if end["wrong"] or not end["received"]:
                found.append(f"{self.name} {at}: {end['wrong']} octets of {end['received']} wrong")
            if in_time and end["media"]["resyncs"]:
                found.append(f"{self.name} {at}: {end['media']['resyncs']} slips")
        if not found:
            found += [
                f"{self.name}: {sender['sent']} octets sent, {receiver['received']} came"
                for sender, receiver in self.ways
                if sender["sent"] != receiver["received"]
            ]
        return found

    def line(self) -> str:
        """Return the figures in one line."""
        cells = []
        for sender, receiver in self.ways:
            rate = sender["record"]["rates"][1]
            share = receiver["received"] * 8 / max(receiver["seconds"], 0.1) / rate
            cells.append(
                f"{rate:5} bit/s {receiver['received']:8} octets {share:5.1%}, "
                f"packets lost {receiver['media']['lost']:3}, frames resent {sender['record']['resent']:3}, "
                f"retrains {receiver['record']['retrains']}"
            )
        return (
            f"{self.name:8} {self.caller['connect']:44} {self.caller['connect_seconds']:4.1f} s  "
            + "  ".join(cells)
            + f"  latest frame {self.latest_ms:.0f} ms"
        )


def make_calls(
    modems: dict[str, str],
    seconds: float,
    impairment: Impairment,
    log: Path,
    url: str = "",
    number: int = 0,
) -> tuple[list[Call], dict[str, int]]:
    """Make calls at the same time, each with its own pair of modems.

    Args:
        modems: Init string by name of the call.
        seconds: Of traffic, from the moment all are dialled.
        impairment: Of the network between the ends.
        log: Directory for logs.
        url: Further parameters of the line URLs.
        number: Tells networks of one process apart.

    Returns:
        The calls, and what the relay did.
    """
    lines = [(str(20 + k), str(40 + k), init) for k, init in enumerate(modems.values())]
    with ExitStack() as stack:
        net = stack.enter_context(network(impairment, number))
        ends = []
        for side in (0, 1):
            config = {
                "address": net.addresses[side],
                "exchange": net.addresses[0],
                "lines": [(line[side], line[2], "" if side else line[1]) for line in lines],
                "extensions": [one for line in lines for one in line[:2]],
                "url": url,
                "log": str(log / f"end-{number}-{side}.log"),
            }
            end = subprocess.Popen(
                net.command(side, sys.executable, str(END), json.dumps(config)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            ends.append(stack.enter_context(_ending(end)))
        assert ends[0].stdout is not None
        assert ends[0].stdout.readline() == "exchange\n"
        for word in ("register", "go"):
            for end in ends:
                _tell(end, word)
            if word == "register":
                assert [end.stdout.readline() for end in ends if end.stdout] == ["ready\n"] * 2
        time.sleep(seconds)
        for end in ends:
            _tell(end, "stop")
        assert [end.stdout.readline() for end in ends if end.stdout] == ["idle\n"] * 2
        time.sleep(REST)
        for end in ends:
            _tell(end, "report")
        reports = [json.loads(end.stdout.readline()) for end in ends if end.stdout]
        for end in ends:
            _tell(end, "close")
            end.wait(20)
    calls = [Call(name, *pair) for name, *pair in zip(modems, *reports, strict=True)]
    return calls, net.result


def _tell(end: "subprocess.Popen[str]", word: str) -> None:
    assert end.stdin is not None
    end.stdin.write(word + "\n")
    end.stdin.flush()


class _ending:
    """Kills a process that is still there."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __enter__(self) -> "subprocess.Popen[str]":
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
