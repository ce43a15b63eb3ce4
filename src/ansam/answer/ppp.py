"""Callers by PPP: a program has the line, from the first octet on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansam.answer.command_visit import CommandVisit
from ansam.answer.errand import errand
from ansam.answer.users import Command, User
from ansam.answer.visit import Visit
from ansam.units import Seconds

if TYPE_CHECKING:
    from ansam.answer.place import Place

LOGIN = "/AutoPPP/"
"""The program's USER, as mgetty's login.config names such a caller."""


@dataclass(frozen=True, slots=True)
class PppPrograms:
    """What serves callers by PPP.

    Attributes:
        calling: Finds out who calls.
        logged_in: For those who have logged in.
    """

    calling: Command
    logged_in: Command

    def __call__(
        self, place: "Place", connect: str, caller_id: str, now: Seconds, user: User | None = None
    ) -> Visit:
        """Begin the visit of a caller on a line that has nothing but PPP."""
        return PppVisit(self.calling, place, connect, caller_id)


class PppVisit(CommandVisit):
    """One caller, who has a program from CONNECT to the end.

    Args:
        command: The program.
        place: The line called.
        connect: Connect string without the word CONNECT and the blank.
        caller_id: Caller's number, or ``none``.
    """

    def __init__(self, command: Command, place: "Place", connect: str, caller_id: str) -> None:
        super().__init__(errand(command, LOGIN, connect, caller_id, place.settings, raw=True))
