"""The section ``[ppp]``: callers whose computers speak PPP."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address

from ansam.answer.users import User
from ansam.config.problems import Culprit
from ansam.config.schema import PppSection
from ansam.ppp.auth import PppUser
from ansam.ppp.reach import NAMES, Reach, parse_networks
from ansam.ppp.settings import PppSettings


@dataclass(frozen=True, slots=True)
class PppConfig:
    """PPP of a configuration.

    Attributes:
        settings: For the engine.
        users: Who may call; none: every user who has a password.
        name_server: What 10.0.2.3 leads to; None: the machine's own.
        slirp: Program that connects callers.
        command: A program to serve callers instead, such as pppd; () for ours.
    """

    settings: PppSettings = field(default_factory=PppSettings)
    users: tuple[str, ...] = ()
    name_server: IPv4Address | None = None
    slirp: str = "slirp-fullbolt"
    command: tuple[str, ...] = ()

    def callers(self, users: Iterable[User]) -> dict[str, PppUser]:
        """Return who may call, of all users, by name; never one without a password."""
        return {
            user.name: PppUser(user.name, user.password_hash, user.ppp_secret)
            for user in users
            if (user.password_hash or user.ppp_secret) and (not self.users or user.name in self.users)
        }


def read_ppp(section: PppSection, users: Iterable[User]) -> PppConfig:
    """Return PPP.

    Args:
        section: ``[ppp]``.
        users: All users.

    Raises:
        ConfigError: A value is none, or nobody could call.
    """
    reach = Reach(parse_networks(section.deny), section.host)
    settings = PppSettings(tuple(section.auth), (NAMES,), reach, section.idle_seconds)
    server = _address(section.dns) if section.dns else None
    config = PppConfig(settings, tuple(section.users), server, section.slirp, tuple(section.command))
    known = {user.name: user for user in users}
    for name in section.users:
        if name not in known:
            raise Culprit("users", f"users: there is no user {name!r}", "add [[user]], or leave it out")
    if section.auth == ["chap"] and not any(
        caller.secret for caller in config.callers(known.values()).values()
    ):
        raise Culprit(
            "auth", "auth: CHAP needs the password itself, and no user has a ppp_secret", 'auth = ["pap"]'
        )
    return config


def _address(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise Culprit("dns", f"dns: {text!r} is no IPv4 address", 'dns = "9.9.9.9"') from None
