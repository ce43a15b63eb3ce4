"""Settings of the exchange that its engine needs; addresses and files are io's business."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ansam.errors import ConfigError
from ansam.units import Seconds


class MediaMode(Enum):
    """The way speech takes between two extensions."""

    DIRECT = "direct"
    """Straight between the two: their session descriptions pass unchanged."""
    RELAY = "relay"
    """Through sockets of the exchange, octet for octet: for ends that cannot reach each other."""


class Service(Enum):
    """What is played; the value is its key in ``[services]``."""

    ECHO = "echo"
    """What is sent comes back, octet for octet, after the playout delay of any line."""
    MILLIWATT = "milliwatt"
    """1020 Hz at 0 dBm0 (O.6 (10/92) §1)."""
    SILENCE = "silence"
    """Digital silence."""
    TIME = "time"
    """Date and time once a second, at 300 bit/s after V.21, without error control."""
    TIME_BELL103 = "time_bell103"
    """The same after Bell 103."""
    DOCTOR = "doctor"
    """A modem that examines the line and says what it found, to the caller and for the call's record."""
    CAMP_ON = "camp_on"
    """Nothing: who has just found a number busy is called back once it is free, and connected."""
    BUSY = "busy"
    """Nothing: whoever calls is told that the line is busy (486)."""
    CONGESTION = "congestion"
    """Nothing: whoever calls is told that no line is free (503)."""

    @property
    def is_modem(self) -> bool:
        """Whether it answers with a modem, and so needs the whole signal processing."""
        return self in (Service.TIME, Service.TIME_BELL103, Service.DOCTOR)


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """Settings of the engine.

    Attributes:
        realm: Realm of digest authentication; a change makes every telephone log in anew.
        algorithms: Of digest authentication, in the order of the challenges: MD5, SHA-256 or both.
            Deviation: RFC 8760 §2.4 offers SHA-256 first and MD5 behind it. baresip 1.0 gives up when SHA-256
            stands anywhere among the challenges, sipp 3.6 when it stands first, so MD5 alone is the default.
        ring_seconds: How long the called extension rings before the call is given up.
        media: The way of speech.
        min_expires: Shortest registration granted, seconds (RFC 3261 §10.3: a shorter one gets 423).
        max_expires: Longest registration granted, seconds; a longer one is shortened.
        contacts_limit: Registrations of one extension at the same time.
        calls_limit: Calls at the same time; the next gets 503.
        failures_limit: Wrong credentials within a minute that ban their source; 0: none do.
        ban_seconds: How long nothing from a banned source is read.
        messages_per_second: From one source, on average; more are not read. 0: any number.
        session_seconds: Ends calls whose telephones vanished: each leg is refreshed twice in that time, one
            that does not answer ends the call (RFC 4028). 0: only where a telephone asks for it.
        trusted: IP addresses that are never banned or limited: proxies that speak for many.
        services: Numbers that the exchange answers itself.
    """

    realm: str = "ansam"
    algorithms: tuple[str, ...] = ("MD5",)
    ring_seconds: Seconds = 60.0
    media: MediaMode = MediaMode.DIRECT
    min_expires: int = 60
    max_expires: int = 3600
    contacts_limit: int = 8
    calls_limit: int = 500
    failures_limit: int = 20
    ban_seconds: Seconds = 300.0
    messages_per_second: int = 500
    session_seconds: int = 0
    trusted: tuple[str, ...] = ()
    services: Mapping[str, Service] = field(default_factory=dict)

    @property
    def answers_with_modems(self) -> bool:
        """Whether a service needs the whole signal processing."""
        return any(service.is_modem for service in self.services.values())

    def __post_init__(self) -> None:
        if not self.realm or '"' in self.realm or not self.realm.isprintable():
            raise ConfigError(f"realm {self.realm!r}", 'use printable characters other than "')
        if self.ring_seconds <= 0:
            raise ConfigError(f"ring_seconds = {self.ring_seconds:g}", "set a time above 0")
        if self.session_seconds and not 90 <= self.session_seconds <= 86_400:
            raise ConfigError(f"session_seconds = {self.session_seconds}", "set it to 90 to 86400, or 0")
        for address in self.trusted:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise ConfigError(f"trusted: {address!r} is no IP address", "name addresses alone") from None
        if not 0 < self.min_expires <= self.max_expires:
            raise ConfigError(
                f"min_expires = {self.min_expires}, max_expires = {self.max_expires}",
                "min_expires must lie between 1 and max_expires",
            )
