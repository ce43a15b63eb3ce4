"""The sections of the exchange: ``[exchange]``, ``[[group]]``, ``[[rule]]`` and ``[[trunk]]``."""

import ipaddress
import re

from ansam.config.problems import Culprit
from ansam.config.schema import (
    CallbackSection,
    DidSection,
    ExchangeSection,
    GroupSection,
    RuleSection,
    TrunkSection,
)
from ansam.config.settings import ExchangeConfig, Listen, Transport
from ansam.errors import ConfigError
from ansam.pbx.callbacks import CallBack
from ansam.pbx.groups import Group, Strategy
from ansam.pbx.patterns import Rule
from ansam.pbx.settings import ExchangeSettings, MediaMode, Service
from ansam.pbx.trunks import Trunk

_TRANSPORTS: dict[str, Transport] = {"udp": "udp", "tcp": "tcp", "tls": "tls"}


def parse_listen(text: str) -> Listen:
    """Read ``udp:ADDRESS:PORT``, ``tcp:…`` or ``tls:…``; IPv6 in brackets.

    Raises:
        ConfigError: It is none.
    """
    found = re.fullmatch(r"(udp|tcp|tls):(\[[^\]]*\]|[^:\[\]]*):(\d{1,5})", text)
    if found is None:
        raise Culprit(
            "listen", f'listen: "{text}" is no address', 'write it as "udp:127.0.0.1:5060" or "tcp:…"'
        )
    host = found[2].strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise Culprit(
            "listen", f'listen: "{host}" is no IP address', "127.0.0.1 is this machine alone"
        ) from None
    port = int(found[3])
    if port > 65535:
        raise Culprit("listen", f"listen: port {port} is above 65535", "5060 is the usual one")
    return Listen(_TRANSPORTS[found[1]], host, port)


def read_exchange(section: ExchangeSection | None, services: dict[str, Service]) -> ExchangeConfig:
    """Make the exchange's settings of ``[exchange]`` and the numbers of ``[services]``."""
    section = section or ExchangeSection()
    first, last = section.relay_ports
    if last < first + 3:
        raise Culprit("relay_ports", "relay_ports must be a first port and a last one at least 3 above it")
    listen = tuple(parse_listen(text) for text in section.listen)
    if len(set(listen)) < len(listen):
        raise Culprit("listen", "listen names an address twice", "remove one")
    if any(one.transport == "tls" for one in listen) and not (section.certificate and section.private_key):
        raise Culprit(
            "listen", "listen names tls, but there is no certificate", "set certificate and private_key"
        )
    return ExchangeConfig(
        settings=ExchangeSettings(
            realm=section.realm,
            algorithms=tuple(section.digest),
            ring_seconds=section.ring_seconds,
            media=MediaMode(section.media),
            min_expires=section.min_expires,
            max_expires=section.max_expires,
            contacts_limit=section.contacts_limit,
            calls_limit=section.calls_limit,
            session_seconds=section.session_seconds,
            failures_limit=section.failures_limit,
            ban_seconds=section.ban_seconds,
            messages_per_second=section.messages_per_second,
            trusted=tuple(section.trusted),
            services=services,
        ),
        listen=listen,
        database=section.database,
        relay_ports=(first, last),
        certificate=section.certificate,
        private_key=section.private_key,
    )


def read_group(section: GroupSection) -> Group:
    """Make a hunt group of its section."""
    return Group(
        *(section.number, tuple(section.members), Strategy(section.strategy)),
        *(section.ring_seconds, section.limit, section.name),
        *(section.forward_busy, section.forward_no_answer, section.forward_unreachable),
    )


def read_rule(section: RuleSection) -> Rule:
    """Make a rule of its section."""
    return Rule(
        *(section.pattern, section.number, section.strip, section.prefix),
        *(tuple(section.trunks), tuple(section.callers)),
    )


def _did(section: DidSection) -> Rule:
    try:
        return Rule(section.pattern, section.number, section.strip, section.prefix, unchanged=True)
    except ConfigError as error:
        raise Culprit("did", error.message.replace("rule", "did"), error.remedy) from None


def read_trunk(section: TrunkSection) -> Trunk:
    """Make a trunk of its section."""
    host, port = _server(section.server)
    for address in section.sources:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise Culprit(
                "sources", f"sources: {address!r} is no IP address", "name addresses alone"
            ) from None
    return Trunk(
        *(section.name, host, port, section.transport, section.user, section.secret),
        register=section.registration,
        expires=section.expires,
        authenticate=section.authenticate,
        sources=tuple(section.sources),
        caller_id=section.caller_id,
        caller_prefix=section.caller_prefix,
        dids=tuple(map(_did, section.did)),
        codecs=tuple(section.codecs),
        calls_limit=section.calls_limit,
        ca=section.ca,
        verify=section.verify,
    )


def read_callback(section: CallbackSection) -> CallBack:
    """Make a number that calls back of its section."""
    return CallBack(section.number, section.target, tuple(section.callers), section.delay)


def _server(text: str) -> tuple[str, int | None]:
    """Read ``HOST`` or ``HOST:PORT``; IPv6 in brackets.

    Raises:
        ConfigError: It is neither.
    """
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?", text)
    if found is None or int(found[2] or 1) not in range(1, 65536):
        raise Culprit(
            "server", f"server: {text!r} is none", 'write it as "sip.example.net" or "192.0.2.1:5060"'
        )
    return found[1].strip("[]"), int(found[2]) if found[2] else None
