"""Asking the name service where a registrar or proxy is."""

import random
import socket
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.rdatatype
from dns.rdtypes.IN.SRV import SRV

from ansam.errors import ResourceError
from ansam.io.sockets import look_up
from ansam.sip.events import Address, Transport
from ansam.sip.locate import MAX_SERVERS, SrvRecord, in_order, is_address, srv_name

LOOKUP_TIMEOUT = 5.0
"""Seconds an SRV look-up may take."""


class Resolver(Protocol):
    """What is asked of the name service."""

    async def addresses(self, host: str, port: int, transport: Transport) -> list[Address]:
        """Return the addresses of a host, the preferred one first.

        Raises:
            OSError: There are none.
        """

    async def services(self, name: str) -> list[SrvRecord]:
        """Return the SRV records of a name; none where there are none or nobody answers."""


class SystemResolver:
    """The resolver of this machine."""

    async def addresses(self, host: str, port: int, transport: Transport) -> list[Address]:
        """See `Resolver.addresses`."""
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        return [(str(entry[4][0]), port) for entry in await look_up(host, port, kind)]

    async def services(self, name: str) -> list[SrvRecord]:
        """See `Resolver.services`."""
        try:
            answer = await dns.asyncresolver.resolve(name, dns.rdatatype.SRV, lifetime=LOOKUP_TIMEOUT)
        except (dns.exception.DNSException, OSError):
            return []
        records = [record for record in answer if isinstance(record, SRV)]
        return [SrvRecord(r.priority, r.weight, r.port, r.target.to_text()) for r in records]


async def locate(
    host: str,
    port: int,
    transport: Transport,
    resolver: Resolver,
    rng: random.Random,
    *,
    srv: bool,
    what: str,
) -> list[Address]:
    """Return the servers to try, in order; all of one version of IP.

    Args:
        host: Name or IP address.
        port: Where there are no SRV records.
        transport: How they are reached.
        resolver: Is asked.
        rng: Draws among servers of one priority.
        srv: Look for SRV records. False: the first address of the host alone.
        what: How an error names it.

    Raises:
        ResourceError: The name is not found.
    """
    servers: list[Address] = []
    if srv and not is_address(host):
        for record in in_order(await resolver.services(srv_name(host, transport)), rng):
            try:
                servers += await resolver.addresses(record.target.rstrip("."), record.port, transport)
            except OSError:
                continue  # RFC 2782: the next one may be there.
    if not servers:
        try:
            servers = (await resolver.addresses(host, port, transport))[: None if srv else 1]
        except OSError as error:
            raise ResourceError(
                f"{what} {host}: name not found", f"check the {what} of the line URL"
            ) from error
    first = servers[0]
    alike = [server for server in dict.fromkeys(servers) if (":" in server[0]) == (":" in first[0])]
    return alike[:MAX_SERVERS]
