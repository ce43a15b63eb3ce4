r"""Reads mgetty's `login.config`: which program serves which login name.

::

    # name     account  utmp   program    arguments
    U*         uucp     @      /usr/sbin/uucico -l -u @
    /AutoPPP/  -        a_ppp  /usr/sbin/pppd auth +pap login
    *          -        -      /bin/login @

The first line whose name fits counts. A name may begin or end with ``*``. ``/AutoPPP/`` is the caller whose
computer begins with PPP, ``/FIDO/`` one whose mailer greets as FidoNet's do. As an argument of its own ``@``
is the login name, ``\I`` the connect string, ``\Y`` the caller's number, ``\P`` the port, ``\S`` its speed.

An account of ``-`` leaves the program with root's rights, as in mgetty. The utmp entry is what the menu's
`who` shows; nothing is written to the system's utmp.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansam.answer.config_file import ConfigFaults, Fault, logical_lines, shown
from ansam.answer.users import Command

AUTO_PPP = "/AutoPPP/"
FIDO = "/FIDO/"
LOGIN = "/bin/login"
_SPECIAL = {name.lower(): name for name in (AUTO_PPP, FIDO)}
_COLUMNS = ("an account", "a utmp entry", "a program")


@dataclass(frozen=True, slots=True)
class LoginRule:
    """One line of the file.

    Attributes:
        name: Login name, with ``*`` at its beginning or end for anything.
        account: Of the system; "root" where the file says ``-``.
        utmp: What `who` shows: ``@`` is the login name, "" nothing.
        argv: Program and arguments.
        where: ``FILE:LINE``.
    """

    name: str
    account: str
    utmp: str
    argv: tuple[str, ...]
    where: str = ""

    def fits(self, name: str) -> bool:
        """Return whether a login name is meant. The special callers are only ever meant by their names."""
        if self.name in (AUTO_PPP, FIDO) or name in (AUTO_PPP, FIDO):
            return self.name == name
        if self.name.endswith("*"):
            return name.startswith(self.name[:-1])
        if self.name.startswith("*"):
            return name.endswith(self.name[1:])
        return self.name == name

    @property
    def command(self) -> Command:
        """What is to be run."""
        return Command(self.argv, run_as=self.account)

    @property
    def is_login(self) -> bool:
        """Whether this is ``/bin/login``, which asks for the password itself."""
        return self.argv[0] == LOGIN


class LoginRules:
    """The rules of a line, in order.

    Args:
        rules: As they stand in the file.
    """

    def __init__(self, rules: Iterable[LoginRule] = ()) -> None:
        self._rules = tuple(rules)

    def __iter__(self) -> Iterator[LoginRule]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def find(self, name: str) -> LoginRule | None:
        """Return the first rule for a login name, or None."""
        return next((rule for rule in self._rules if rule.fits(name)), None)


def parse_login_config(text: str, file: str) -> LoginRules:
    """Return the rules of a `login.config`.

    Args:
        text: The file.
        file: Its name, for faults.

    Raises:
        ConfigFaults: A line is incomplete, or can never fit.
    """
    faults: list[Fault] = []
    rules: list[LoginRule] = []
    for number, line in logical_lines(text):
        where = f"{file}:{number}"
        words = line.split(" ")
        fault = _fault(words, where)
        if fault is not None:
            faults.append(fault)
            continue
        name, account, utmp, *argv = words
        rules.append(
            LoginRule(
                name, "root" if account == "-" else account, "" if utmp == "-" else utmp, tuple(argv), where
            )
        )
    if faults:
        raise ConfigFaults(faults)
    return LoginRules(rules)


def _fault(words: list[str], where: str) -> Fault | None:
    name = words[0]
    if len(words) < 4:
        remedy = "name, account, utmp entry, program: such as * - - /bin/login @"
        return Fault(where, f"{shown(name)!r}: {_COLUMNS[len(words) - 1]} is missing", remedy)
    special = _SPECIAL.get(name.lower())
    if special is not None and special != name:
        return Fault(where, f"unknown special name {name!r}", f"did you mean {special!r}?")
    if "*" in name[1:-1] or (len(name) > 1 and name[0] == name[-1] == "*"):
        return Fault(where, f"name {shown(name)!r}", "one * may stand at the beginning or at the end")
    if not words[3].startswith("/"):
        return Fault(where, f"program {shown(words[3])!r}", "give its whole path, such as /bin/login")
    return None
