"""What the page is about: everything it shows or changes, handed in when the application is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ansam.pbx.dialplan import DialPlan

if TYPE_CHECKING:
    from ansam.io.control import ControlHub
    from ansam.web.adaptors import AdaptorBook
    from ansam.web.doctor import DoctorDesk
    from ansam.web.extensions import ExtensionBook
    from ansam.web.models import CallInfo, LiveCallInfo, RegistrationInfo, TrunkInfo
    from ansam.web.recordings import RecordingShelf


class ExchangeView(Protocol):
    """The exchange as the page sees it."""

    @property
    def plan(self) -> DialPlan:
        """Extensions and groups as they are now."""

    def registrations(self) -> "Sequence[RegistrationInfo]":
        """Return where extensions are reached."""

    def trunks(self) -> "Sequence[TrunkInfo]":
        """Return the ways to other exchanges."""

    def live_calls(self) -> "Sequence[LiveCallInfo]":
        """Return the calls that are up."""

    async def calls(self, search: str, limit: int, before: int | None) -> "Sequence[CallInfo]":
        """Return call records, newest first.

        Args:
            search: Part of a number, a cause or a reason.
            limit: At most so many.
            before: Only those with a smaller id.

        Raises:
            ResourceError: The database refuses.
        """


@dataclass(frozen=True, slots=True)
class Sources:
    """What there is; None: the page has no such thing.

    Attributes:
        modems: The running modems.
        exchange: The exchange.
        extensions: Its extensions in the configuration.
        adaptors: Settings of adaptors.
        recordings: Uploaded recordings.
        doctor: Examinations of lines.
    """

    modems: "ControlHub | None" = None
    exchange: ExchangeView | None = None
    extensions: "ExtensionBook | None" = None
    adaptors: "AdaptorBook | None" = None
    recordings: "RecordingShelf | None" = None
    doctor: "DoctorDesk | None" = None

    @property
    def features(self) -> list[str]:
        """Names of what there is."""
        return [name for name in self.__slots__ if getattr(self, name) is not None]
