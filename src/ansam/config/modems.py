"""The section ``[[modem]]``: where a modem is plugged in, and what is on its terminal side."""

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ansam.answer.service_url import Service, parse_service
from ansam.config.problems import Culprit
from ansam.config.schema import ModemSection
from ansam.config.settings import ModemConfig
from ansam.dte.port_url import FORMS, parse_ports
from ansam.errors import ConfigError

if TYPE_CHECKING:
    from ansam.call.line_url import LineUrl, NetworkLineUrl

ANSWER = "answer:"
"""What the terminal side of an answering modem begins with; its service follows."""

DTE_FORMS = f"{FORMS}, {ANSWER}login, {ANSWER}bbs, {ANSWER}files:/path"


def answers(dte: str) -> bool:
    """Return whether a terminal side is a service that answers calls."""
    return dte.startswith(ANSWER)


def _service(dte: str) -> Service:
    try:
        return parse_service(dte.removeprefix(ANSWER))
    except ConfigError as error:
        raise Culprit("dte", f"dte: {error.message}", error.remedy) from None


def _line(text: str, secrets: dict[str, str]) -> "LineUrl":
    """Read a line URL; one that leaves out the secret of an extension in this file gets it from there."""
    # Imported late: it brings the signal processing with it.
    from ansam.call.line_url import parse_line

    short = re.fullmatch(r"sip:([^:@;]+)@(.*)", text)
    if short and unquote(short[1]) in secrets:
        text = f"sip:{short[1]}:{quote(secrets[unquote(short[1])], safe='')}@{short[2]}"
    try:
        return parse_line(text)
    except ConfigError as error:
        raise Culprit("line", error.message, error.remedy) from None


def _network(text: str) -> "NetworkLineUrl | None":
    from ansam.call.line_url import parse_network

    try:
        return parse_network(text)
    except ConfigError as error:
        raise Culprit("network", error.message, error.remedy) from None


def _check_ports(dte: str) -> None:
    """Raise where a terminal side is none that a modem of a configuration can have."""
    try:
        ports = parse_ports(dte)
    except ConfigError as error:
        if "is not known" in error.message and "option" not in error.message:
            raise Culprit("dte", f'dte = "{dte}" is no terminal side', f"there are {DTE_FORMS}") from None
        raise Culprit("dte", error.message, error.remedy) from None
    for port in ports:
        if port.kind == "stdio":
            raise Culprit("dte", f'dte = "{dte}" is no terminal side', f"there are {DTE_FORMS}")
        if port.address is not None and not port.address[1]:
            raise Culprit("dte", f'dte = "{dte}" has no port from 1 to 65535', "tcp:127.0.0.1:2323")


def read_modem(section: ModemSection, secrets: dict[str, str]) -> ModemConfig:
    """Return a modem; raises `ConfigError`.

    Args:
        section: As written.
        secrets: Of the extensions in the same file, by number.
    """
    if answers(section.dte):
        _service(section.dte)
    else:
        _check_ports(section.dte)
    if section.init and not section.init.isprintable():
        raise Culprit("init", "init has control characters", "write the command line alone")
    if section.init and not section.init.upper().startswith("AT"):
        raise Culprit("init", f'init = "{section.init}" does not begin with AT')
    line, network = _line(section.line, secrets), _network(section.network)
    _check_personality(section.personality)
    return ModemConfig(
        *(section.name, line, section.dte, section.init, section.personality, section.nvram, section.speaker),
        network=network,
    )


def _check_personality(choice: str) -> None:
    from ansam.at.personalities import load as load_personality

    if choice:
        try:
            load_personality(choice)
        except ConfigError as error:
            raise Culprit("personality", error.message, error.remedy) from None
