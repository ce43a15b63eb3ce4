"""What the exchange reports: for the log, the database and the call records."""

from dataclasses import dataclass
from typing import TypeAlias

from ansam.pbx.records import CallRecord, OpenCall
from ansam.pbx.registrations import Binding
from ansam.pbx.trunk_lines import TrunkStatus
from ansam.sip.events import Flow
from ansam.units import Seconds


@dataclass(frozen=True, slots=True)
class RegistrationsChanged:
    """An extension registered, refreshed, moved or went.

    Attributes:
        number: The extension.
        bindings: All places it can be reached at now; empty: none.
    """

    number: str
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class CallStarted:
    """Somebody calls a number; its telephones ring next."""

    call: OpenCall


@dataclass(frozen=True, slots=True)
class CallConnected:
    """A call was answered."""

    call: OpenCall


@dataclass(frozen=True, slots=True)
class CallOver:
    """A call ended, answered or not; follows every call once."""

    record: CallRecord


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Somebody sent a wrong secret, or tried to act for another extension.

    Attributes:
        method: REGISTER or INVITE.
        username: The name claimed.
        flow: Where from.
    """

    method: str
    username: str
    flow: Flow


@dataclass(frozen=True, slots=True)
class SourceBanned:
    """A source sent too many wrong credentials; nothing from it is read for `seconds`.

    Attributes:
        address: Its IP address.
        seconds: For how long.
    """

    address: str
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class ExtensionClosed:
    """Somebody guesses an extension's secret from many addresses: it can log in only where it did lately.

    Attributes:
        number: The extension.
        seconds: For how long, at the least.
    """

    number: str
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class TrunkChanged:
    """A trunk has become ready, or failed."""

    status: TrunkStatus


ExchangeEvent: TypeAlias = (
    RegistrationsChanged
    | CallStarted
    | CallConnected
    | CallOver
    | LoginRefused
    | SourceBanned
    | ExtensionClosed
    | TrunkChanged
)
