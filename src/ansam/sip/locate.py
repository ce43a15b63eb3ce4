"""Which servers stand for a domain, and in what order they are tried (RFC 3263, RFC 2782).

Only the choosing: the records come from whoever can ask the name service. NAPTR is left out, because the
owner names the transport.
"""

import ipaddress
import random
from collections.abc import Sequence
from dataclasses import dataclass

from ansam.sip.events import Transport

_SERVICES = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}

MAX_SERVERS = 16
"""Servers of one domain that are tried; more are ignored."""


@dataclass(frozen=True, slots=True)
class SrvRecord:
    """One SRV record.

    Attributes:
        priority: 0–65535, the lowest is tried first.
        weight: 0–65535, share among those of one priority.
        port: Of the service.
        target: Name of the host; "." or "" says that there is no such service.
    """

    priority: int
    weight: int
    port: int
    target: str


def srv_name(domain: str, transport: Transport) -> str:
    """Return the name whose SRV records list the servers of a domain (RFC 3263 §4.1)."""
    return f"{_SERVICES[transport]}.{domain.rstrip('.')}."


def is_address(host: str) -> bool:
    """Return True for an IP address: it is where it says, no records are asked for (RFC 3263 §4.2)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def in_order(records: Sequence[SrvRecord], rng: random.Random) -> list[SrvRecord]:
    """Return records in the order they are to be tried.

    Within one priority they are drawn by weight; a weight of 0 comes first only by the smallest chance.

    Args:
        records: Of one name.
        rng: Draws.

    Spec: RFC 2782, "Usage rules".
    """
    usable = [record for record in records if record.target.rstrip(".")]
    out: list[SrvRecord] = []
    for priority in sorted({record.priority for record in usable}):
        left = sorted(
            (r for r in usable if r.priority == priority), key=lambda r: (r.weight, r.target, r.port)
        )
        while left:
            mark = rng.randint(0, sum(record.weight for record in left))
            for record in left:
                mark -= record.weight
                if mark <= 0:
                    break
            left.remove(record)
            out.append(record)
    return out[:MAX_SERVERS]
