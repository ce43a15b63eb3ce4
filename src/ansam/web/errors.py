"""Refusals of requests."""

from ansam.errors import AnsamError, ConfigError, ResourceError
from ansam.io.control import Conflict

_STATUSES = ((Conflict, 409), (ConfigError, 400), (ResourceError, 503))


class Refused(AnsamError):
    """A request that is not carried out.

    Args:
        status: HTTP status.
        message: One line that names the culprit.
        remedy: What helps, or "".
        headers: Further headers of the answer.
    """

    def __init__(
        self, status: int, message: str, remedy: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message, remedy)
        self.status = status
        self.headers = headers or {}


def refusal_of(error: AnsamError) -> Refused:
    """Return what an error of ours means to the one who asked."""
    if isinstance(error, Refused):
        return error
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return Refused(status, error.message, error.remedy)
    return Refused(500, error.message, error.remedy)
