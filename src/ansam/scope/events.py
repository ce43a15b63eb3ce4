"""The events of the call there is, for those who come late."""

from collections import deque
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

KEPT = 600
"""Events of a call that a late viewer still gets."""


class CallEvents:
    """Iterate over it: the events of this call so far, but the frames of error control."""

    def __init__(self) -> None:
        self._events: deque[Message] = deque(maxlen=KEPT)

    def __iter__(self) -> Iterator[Message]:
        return iter(list(self._events))

    def add(self, event: Message) -> None:
        """Take an event; one of kind ``call`` begins anew, but for the command that began the call."""
        if event["kind"] == "call":
            command = [last | {"t": 0.0} for last in list(self._events)[-1:] if last["name"] == "command"]
            self._events.clear()
            self._events.extend(command)
        elif event["kind"] != "lapm":
            self._events.append(event)
