"""What +A8E says of V.8.

V.250's table, as modem manuals quote it: ``+A8E=<v8o>,<v8a>,<v8cf>,<v8b>``. What is accepted is what has an
effect here: V.8 off (0) or led by the modem (1) as caller and as answerer, CI with the call function of data
(C1) or none (00), V.8bis off. Leaving it to the terminal, reporting each signal to it (+A8x) and V.8bis are
refused. S32 and S54 say the same in the terms of US Robotics; whichever forbids something wins.
"""

from dataclasses import dataclass, replace

from ansam.at.grammar import CommandRefused, Extended

_ALLOWED = (("0", "1"), ("0", "1"), ("00", "C1"), ("0",))


@dataclass(frozen=True, slots=True)
class V8Settings:
    """V.8 as wanted.

    Attributes:
        originating: As caller.
        answering: As answerer.
        indicator: CI is sent while a caller waits for an answer.
    """

    originating: bool = True
    answering: bool = True
    indicator: bool = False


def execute(command: Extended, settings: V8Settings) -> tuple[V8Settings, str | None]:
    """Execute +A8E; values left out stay as they are.

    Returns:
        The new settings, and the information text to show, if any.

    Raises:
        CommandRefused: A value is not supported.
    """
    if command.operation == "?":
        o, a, ci = settings.originating, settings.answering, settings.indicator
        return settings, f"+A8E: {o:d},{a:d},{'C1' if ci else '00'},0"
    if command.operation == "=?":
        return settings, "+A8E: " + ",".join(f"({','.join(values)})" for values in _ALLOWED)
    if command.operation == "" or len(command.values) > len(_ALLOWED):
        raise CommandRefused(f"+A8E takes up to {len(_ALLOWED)} values")
    for index, text in enumerate(command.values):
        value = text.upper()
        if value and value not in _ALLOWED[index]:
            raise CommandRefused(f"+A8E: {text!r} is not supported as value {index + 1}")
        if value and index == 0:
            settings = replace(settings, originating=value == "1")
        elif value and index == 1:
            settings = replace(settings, answering=value == "1")
        elif value and index == 2:
            settings = replace(settings, indicator=value == "C1")
    return settings, None


def to_values(settings: V8Settings) -> list[int]:
    """Return the settings as plain JSON values."""
    return [int(settings.originating), int(settings.answering), int(settings.indicator)]


def from_values(values: list[int]) -> V8Settings:
    """Return the settings that `to_values` wrote.

    Raises:
        ValueError: Not three values.
    """
    originating, answering, indicator = values
    return V8Settings(bool(originating), bool(answering), bool(indicator))
