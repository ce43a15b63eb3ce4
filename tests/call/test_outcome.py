import pytest

from ansam.call.outcome import progress_of
from ansam.dce.progress import Progress


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        (180, Progress.RINGING),
        (183, Progress.RINGING),
        (181, None),
        (200, Progress.CONNECTED),
        (486, Progress.BUSY),
        (600, Progress.BUSY),
        (603, Progress.BUSY),
        (480, Progress.NO_ANSWER),
        (408, Progress.NO_ANSWER),
        (487, Progress.NO_ANSWER),
        (404, Progress.NO_SUCH_NUMBER),
        (484, Progress.NO_SUCH_NUMBER),
        (503, Progress.UNREACHABLE),
        (401, Progress.REFUSED),
        (403, Progress.REFUSED),
        (488, Progress.REFUSED),
    ],
)
def test_table(status: int, progress: Progress | None) -> None:
    assert progress_of(status) is progress
