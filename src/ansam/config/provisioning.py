"""The sections ``[provisioning]`` and ``[[adaptor]]``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansam.adaptor.profile import Account
from ansam.adaptor.provisioning import Adaptor, Provisioner, clean_mac, parse_address
from ansam.adaptor.settings import Model
from ansam.config.schema import AdaptorSection, ProvisioningSection
from ansam.errors import ConfigError
from ansam.pbx.dialplan import Extension

if TYPE_CHECKING:
    from ansam.config.settings import ExchangeConfig


@dataclass(frozen=True, slots=True)
class ProvisioningConfig:
    """The section ``[provisioning]`` with its adaptors.

    Attributes:
        host: IP address to listen on; "" for no server.
        port: Port to listen on.
        allow: Networks that may ask.
        adaptors: Who gets what.
    """

    host: str = ""
    port: int = 0
    allow: tuple[str, ...] = ()
    adaptors: tuple[Adaptor, ...] = ()

    def provisioner(self) -> Provisioner:
        """Return what answers the requests."""
        return Provisioner(self.adaptors, self.allow)


def exchange_address(exchange: "ExchangeConfig | None", loopback: bool = False) -> str:
    """Return where adaptors find the exchange: the first UDP address it listens on that others can reach.

    Args:
        exchange: Section ``[exchange]``.
        loopback: Whether this machine's own address will do.

    Returns:
        ``HOST`` or ``HOST:PORT``; "" where the configuration does not say.
    """
    for listen in exchange.listen if exchange is not None else ():
        address = parse_address(listen.host)
        if listen.transport == "udp" and not address.is_unspecified and (loopback or not address.is_loopback):
            host = f"[{listen.host}]" if ":" in listen.host else listen.host
            return host if listen.port == 5060 else f"{host}:{listen.port}"
    return ""


def read_adaptor(section: AdaptorSection, extensions: Mapping[str, Extension], proxy: str) -> Adaptor:
    """Make an adaptor of its section.

    Args:
        section: ``[[adaptor]]``.
        extensions: Of the exchange, by number.
        proxy: Address of the exchange.

    Raises:
        ConfigError: Something in it is wrong.
    """
    accounts = []
    for line, number in ((1, section.line1), (2, section.line2)):
        if not number:
            continue
        extension = extensions.get(number)
        if extension is None:
            raise ConfigError(f"line{line} = {number!r} is no extension in this file", "add it")
        account = Account(line, proxy, number, extension.secret, display_name=extension.name)
        accounts.append(account)
    if not accounts:
        raise ConfigError("has neither line1 nor line2", 'name an extension: line1 = "05"')
    model = Model(section.model)
    return Adaptor(clean_mac(section.mac), tuple(accounts), model, section.address, section.law)


def read_provisioning(section: ProvisioningSection, adaptors: Sequence[Adaptor]) -> ProvisioningConfig:
    """Make the settings of the server.

    Raises:
        ConfigError: An address is none, or nobody is allowed.
    """
    if not section.listen:
        return ProvisioningConfig(adaptors=tuple(adaptors))
    found = re.fullmatch(r"(\[[^\]]+\]|[^:\[\]]+):(\d{1,5})", section.listen)
    if found is None or not 0 < int(found[2]) <= 65535:
        raise ConfigError(f'listen = "{section.listen}" is no address', 'write it as "192.168.1.10:8069"')
    host = found[1].strip("[]")
    parse_address(host)
    if not section.allow:
        raise ConfigError("allow names nobody", 'allow = ["192.168.1.0/24"]')
    Provisioner((), section.allow)
    return ProvisioningConfig(host, int(found[2]), tuple(section.allow), tuple(adaptors))
