"""The telephone line beside a network line: its view of the modem that both share."""

from threading import RLock

from ansam.call.party import Tolerant
from ansam.dce.causes import Source
from ansam.dce.progress import Progress
from ansam.io.line import LineUser, tell
from ansam.units import Audio, Samples


class TelephoneUser:
    """Passes everything on to the modem, except whether it is ready: network calls can always be placed.

    Args:
        user: The modem.

    Attributes:
        ready: Calls can be placed on the telephone line now.
        why: Why they can not.
    """

    def __init__(self, user: LineUser) -> None:
        self.ready, self.why = False, "the telephone line is not registered"
        self._user = user

    @property
    def lock(self) -> RLock:
        """See `LineUser`."""
        return self._user.lock

    @lock.setter
    def lock(self, lock: RLock) -> None:
        self._user.lock = lock

    def line_ready(self, ready: bool) -> None:
        """See `LineUser.line_ready`."""
        self.ready = ready

    def line_not_ready(self, why: str) -> None:
        """See `Observer.line_not_ready`."""
        self.ready, self.why = False, why

    def observed(self, source: Source, text: str, clause: str = "") -> None:
        """See `Observer.observed`."""
        tell(self._user, source, text, clause)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """See `LineUser.process`."""
        return self._user.process(rx, now, erased)

    @property
    def delay_may_change(self) -> bool:
        """See `call.party.Tolerant`."""
        return isinstance(self._user, Tolerant) and self._user.delay_may_change

    def media_started(self) -> Samples:
        """See `LineUser.media_started`."""
        return self._user.media_started()

    def media_stopped(self) -> None:
        """See `LineUser.media_stopped`."""
        self._user.media_stopped()

    def frame_done(self) -> None:
        """See `LineUser.frame_done`."""
        self._user.frame_done()

    def incoming(self, caller: str, name: str = "") -> bool:
        """See `LineUser.incoming`."""
        return self._user.incoming(caller, name)

    def incoming_stopped(self) -> None:
        """See `LineUser.incoming_stopped`."""
        self._user.incoming_stopped()

    def progress(self, progress: Progress) -> None:
        """See `LineUser.progress`."""
        self._user.progress(progress)

    def far_end_hung_up(self) -> None:
        """See `LineUser.far_end_hung_up`."""
        self._user.far_end_hung_up()
