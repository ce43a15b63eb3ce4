"""The section ``[web]`` and the users of the page."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ansam.errors import ConfigError

if TYPE_CHECKING:
    from ansam.config.schema import UserSection, WebSection

DEFAULT_PORT = 8080
_ADDRESS = re.compile(r"(\[[^\]]+\]|[^:\[\]]+):(\d{1,5})")
_HOST = re.compile(r"[a-z0-9.-]{1,253}|\[[0-9a-f:.]+\]")


class Role(Enum):
    """What a user of the page may do, least first."""

    VIEWER = "viewer"
    """Look and listen."""
    OPERATOR = "operator"
    """Dial, type at terminals, upload recordings, run the doctor."""
    ADMIN = "admin"
    """Change extensions and adaptors."""

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Role).index(self)

    def may(self, needed: "Role") -> bool:
        """Return whether this role includes another."""
        return self.rank >= needed.rank


@dataclass(frozen=True, slots=True)
class WebUser:
    """Somebody who may log in.

    Attributes:
        name: Login name.
        role: What for.
        password_hash: argon2 in its encoded form.
    """

    name: str
    role: Role
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Where the page is served, to whom.

    Attributes:
        host: IP address to listen on; "" for no page.
        port: Port; 0 for one the system chooses.
        certificate: File with the certificate chain (PEM) for TLS; "" for plain HTTP.
        private_key: File with its key.
        users: Who may log in; without any, everybody on this machine may do everything.
        hosts: Further names the page is reached by, as behind a proxy.
        proxies: Addresses of proxies whose X-Forwarded-For and -Proto count.
        directory: Where recordings and the doctor's history are kept.
        upload_limit: Octets of one recording.
        quota: Octets of all recordings.
        metrics_token: Lets Prometheus read /metrics without a session; "" does not.
    """

    host: str = ""
    port: int = DEFAULT_PORT
    certificate: str = ""
    private_key: str = ""
    users: tuple[WebUser, ...] = ()
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    directory: str = "run/web"
    upload_limit: int = 64 << 20
    quota: int = 512 << 20
    metrics_token: str = field(default="", repr=False)

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the page."""
        return bool(self.host) and ipaddress.ip_address(self.host).is_loopback

    @property
    def open(self) -> bool:
        """Whether no login is asked."""
        return self.loopback and not self.users

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return bool(self.certificate)


def parse_address(text: str) -> tuple[str, int]:
    """Read ``ADDRESS:PORT``; IPv6 in brackets.

    Raises:
        ConfigError: It is none.
    """
    found = _ADDRESS.fullmatch(text)
    try:
        if found is None or int(found[2]) > 65535:
            raise ValueError
        host = str(ipaddress.ip_address(found[1].strip("[]")))
    except ValueError:
        raise ConfigError(f'listen = "{text}" is no address', 'write it as "127.0.0.1:8080"') from None
    return host, int(found[2])


def read_web(section: "WebSection", users: Sequence["UserSection"]) -> WebConfig:
    """Make the settings of the page.

    Args:
        section: ``[web]``.
        users: All users; those with a role may log in to the page.

    Raises:
        ConfigError: An address or a name is none, a file is missing, or others could come in without a login.
    """
    may = tuple(WebUser(user.name, Role(user.role), user.password) for user in users if user.role)
    for user in may:
        if not user.password_hash:
            raise ConfigError(
                f"user {user.name!r} has a role, but no password", "`ansam user` makes one; or remove role"
            )
    if not section.listen:
        return WebConfig(users=may)
    host, port = parse_address(section.listen)
    if bool(section.certificate) != bool(section.private_key):
        raise ConfigError("certificate and private_key go together", "set both, or neither")
    hosts = tuple(name.lower() for name in section.hosts)
    for name in hosts:
        if not _HOST.fullmatch(name):
            raise ConfigError(f"hosts: {name!r} is no name", "a name or an address, without a port")
    for address in section.proxies:
        try:
            ipaddress.ip_network(address)
        except ValueError:
            raise ConfigError(f"proxies: {address!r} is no IP address") from None
    config = WebConfig(
        *(host, port, section.certificate, section.private_key, may, hosts, tuple(section.proxies)),
        directory=section.directory,
        upload_limit=section.upload_limit,
        quota=section.quota,
        metrics_token=section.metrics_token,
    )
    check_users(config, section.listen)
    return config


def check_users(config: WebConfig, listen: str) -> None:
    """Raise where somebody beyond this machine could come in without a login.

    Raises:
        ConfigError: There are no users.
    """
    if config.users:
        return
    remedy = 'give a [[user]] role = "admin" (`ansam user add NAME --role admin`)'
    if not config.loopback:
        raise ConfigError(
            f'listen = "{listen}" can be reached by others, and no user has a role',
            f"{remedy}, or listen on 127.0.0.1",
        )
    if config.hosts or config.proxies:
        raise ConfigError("hosts or proxies let others in, and no user has a role", remedy)
