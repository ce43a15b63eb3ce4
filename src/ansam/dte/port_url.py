"""The name of a modem's terminal port, as ``--dte`` and ``dte =`` have it.

====================================  ==================================================================
``pty:PATH``                          a pty under this name
``tcp:HOST:PORT``                     octets as they are; the connection is DTR
``telnet:HOST:PORT``                  the same with telnet's options
``rfc2217:HOST:PORT``                 a serial port over telnet, with all circuits
``ip232:HOST:PORT``                   DTR, DCD and RI between the octets: VICE, openMSX
``unix:PATH``                         octets as they are on a Unix socket
``serial:DEVICE[;speed=N|auto][;…]``  a serial port and a null-modem cable
``stdio``                             standard input and output
====================================  ==================================================================

Options stand behind, each after a semicolon. Several ports of one modem are separated by commas.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansam.errors import ConfigError

FORMS = "pty:PATH, tcp:, telnet:, rfc2217: or ip232:HOST:PORT, unix:PATH, serial:DEVICE"

_SOCKET_OPTIONS = {"dtr": "follow|on", "carrier": "keep|close"}
_CIRCUITS = "dcd|dsr|ri|on"
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "pty": {"carrier": "keep|hangup"},
    "tcp": _SOCKET_OPTIONS,
    "telnet": _SOCKET_OPTIONS,
    "rfc2217": _SOCKET_OPTIONS,
    "ip232": _SOCKET_OPTIONS,
    "unix": _SOCKET_OPTIONS,
    "serial": {"speed": "auto|[1-9][0-9]{1,6}", "dtr": _CIRCUITS, "rts": "cts|" + _CIRCUITS, "wires": "3|7"},
    "stdio": {},
}

_NETWORK = ("tcp", "telnet", "rfc2217", "ip232")


@dataclass(frozen=True, slots=True)
class PortUrl:
    """One terminal port.

    Attributes:
        kind: As it begins.
        path: Of a pty, a Unix socket or a device; else "".
        address: Host and port where it listens, else None.
        options: By name.
    """

    kind: str
    path: str = ""
    address: tuple[str, int] | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name without options."""
        if self.address is not None:
            host, port = self.address
            return f"{self.kind}:[{host}]:{port}" if ":" in host else f"{self.kind}:{host}:{port}"
        return f"{self.kind}:{self.path}" if self.path else self.kind


def parse_ports(text: str) -> list[PortUrl]:
    """Return the ports that a comma separates.

    Raises:
        ConfigError: One can not be understood.
    """
    return [parse_port(part.strip()) for part in text.split(",")]


def parse_port(text: str) -> PortUrl:
    """Return the port that `text` names.

    Raises:
        ConfigError: It can not be understood.
    """
    body, *parameters = text.split(";")
    kind, _, rest = body.partition(":")
    if kind not in _OPTIONS or (kind == "stdio") == bool(rest):
        raise ConfigError(f"dte {text!r} is not known", f"write {FORMS} or stdio")
    options = _options(text, kind, parameters)
    if kind in _NETWORK:
        return PortUrl(kind, address=_address(text, rest), options=options)
    return PortUrl(kind, rest, options=options)


def _address(text: str, rest: str) -> tuple[str, int]:
    host, _, port = rest.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise ConfigError(f"dte {text}: {rest!r} is not HOST:PORT", "for example 127.0.0.1:2323")
    return host, int(port)


def _options(text: str, kind: str, parameters: list[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    known = _OPTIONS[kind]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name not in known:
            there_are = "there are " + ", ".join(f";{n}" for n in known) if known else "leave it out"
            raise ConfigError(f"dte {text}: option ;{name} is not known", there_are)
        if name in options:
            raise ConfigError(f"dte {text}: option ;{name} stands twice", "keep one of them")
        if not re.fullmatch(known[name], value):
            may_be = "a number or auto" if name == "speed" else known[name].replace("|", ", ")
            raise ConfigError(f"dte {text}: ;{name}={value} is out of range", f"it may be {may_be}")
        options[name] = value
    return options
