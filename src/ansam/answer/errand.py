"""What a caller's command is told about the call: its arguments and its environment."""

from ansam.answer.events import RunCommand
from ansam.answer.settings import AnswerSettings
from ansam.answer.users import Command


def errand(
    command: Command, login: str, connect: str, caller: str, settings: AnswerSettings, *, raw: bool = False
) -> RunCommand:
    r"""Return the order to run a command.

    Args:
        command: Whose ``@ \I \Y \P \L \S``, where they are words of their own, are filled in.
        login: Login name.
        connect: Connect string without the word CONNECT.
        caller: Number, or ``none``.
        settings: Of the line.
        raw: For a program at the other end.
    """
    speed = str(settings.speed)
    words = {"@": login, "\\I": connect or "??", "\\Y": caller}
    words |= {"\\P": settings.port, "\\L": settings.port, "\\S": speed}
    environment = surroundings(login, connect, caller, settings)
    argv = tuple(words.get(word, word) for word in command.argv)
    return RunCommand(argv, environment, command.run_as, command.directory, raw)


def surroundings(login: str, connect: str, caller: str, settings: AnswerSettings) -> dict[str, str]:
    """Return the environment of a command, and what a host may learn of a caller; see `errand`."""
    return {
        "TERM": settings.term,
        "USER": login,
        "LOGNAME": login,
        "CALLER_ID": caller,
        "CONNECT": connect,
        "SPEED": str(settings.speed),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
