"""What all callers of a line find: its texts, its users, its services."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ansam.answer.house import House, nobody_to_wake
from ansam.answer.login_config import LoginRules
from ansam.answer.manners import Manners
from ansam.answer.ppp import PppPrograms
from ansam.answer.service_url import BridgeTarget
from ansam.answer.settings import AnswerSettings, Machine
from ansam.answer.shelf import MemoryShelf, Shelf
from ansam.answer.users import UserBook
from ansam.answer.visit import Opener

_EMPTY_SHELF = MemoryShelf({})
_ANY_MACHINE = Machine()
_PLAIN_MANNERS = Manners()
_NO_RULES = LoginRules()


@dataclass(frozen=True, slots=True)
class Place:
    """Everything of a line that its sessions share.

    Attributes:
        settings: Of the line.
        users: Who may log in.
        house: Everyone on any line.
        shelf: Files to read.
        machine: What uname says.
        clock: Gives the local time.
        wake: Called when another caller has something for this line.
        manners: How the modem is handled.
        logins: Which program serves which login name, before the users are asked.
        service: Answers instead of the login prompt, or None.
        bbs: What users find whose entry is the BBS, or None where there is none.
        bridge: Makes what puts users through whose entry says where to; None: they find the menu.
        ppp: What serves callers by PPP, or None where nothing does; `logins` come first.
    """

    settings: AnswerSettings
    users: UserBook
    house: House
    clock: Callable[[], datetime]
    shelf: Shelf = _EMPTY_SHELF
    machine: Machine = _ANY_MACHINE
    wake: Callable[[], None] = nobody_to_wake
    manners: Manners = _PLAIN_MANNERS
    logins: LoginRules = _NO_RULES
    service: Opener | None = None
    bbs: Opener | None = None
    bridge: Callable[[BridgeTarget], Opener] | None = None
    ppp: PppPrograms | None = None
