"""Structured trace events: what an engine did, when, with which values.

An engine takes a `Sink` and calls it; the default sink drops everything, so a trace costs one call where it
is not wanted. Times are those of the engine that speaks (samples or seconds, as its contract says).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class Sink(Protocol):
    """Anything that accepts trace events."""

    def __call__(self, now: float, source: str, name: str, **values: object) -> None:
        """Take one event.

        Args:
            now: When, in the clock of the source.
            source: Dotted name of the engine, such as ``modulation.v22bis``.
            name: What happened, such as ``phase``.
            values: Details; plain numbers, strings or arrays.
        """


def null_sink(now: float, source: str, name: str, **values: object) -> None:
    """Drop the event."""


def awake(sink: Sink) -> bool:
    """Return whether somebody looks, so that what costs time to tell is worth telling.

    A sink that looks at times has an attribute `awake`.
    """
    return sink is not null_sink and bool(getattr(sink, "awake", True))


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One recorded event."""

    now: float
    source: str
    name: str
    values: Mapping[str, object]


class Recorder:
    """A sink that keeps events in order, at most `limit` of them (the oldest go first)."""

    def __init__(self, limit: int = 100_000) -> None:
        self.limit = limit
        self.events: list[TraceEvent] = []

    def __call__(self, now: float, source: str, name: str, **values: object) -> None:
        """Keep the event."""
        self.events.append(TraceEvent(now, source, name, values))
        if len(self.events) > self.limit:
            del self.events[: self.limit // 10]
