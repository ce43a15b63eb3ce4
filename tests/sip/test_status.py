import pytest

from ansam.sip.status import REASONS, Outcome, outcome, reason_for


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (486, Outcome.BUSY),
        (600, Outcome.BUSY),
        (603, Outcome.BUSY),
        (480, Outcome.NO_ANSWER),
        (408, Outcome.NO_ANSWER),
        (404, Outcome.UNKNOWN_NUMBER),
        (604, Outcome.UNKNOWN_NUMBER),
        (487, Outcome.CANCELLED),
        (488, Outcome.INCOMPATIBLE),
        (401, Outcome.REFUSED),
        (403, Outcome.REFUSED),
        (302, Outcome.REFUSED),
        (500, Outcome.NETWORK),
        (503, Outcome.NETWORK),
    ],
)
def test_each_failure_means_something(status: int, meaning: Outcome) -> None:
    assert outcome(status) is meaning


def test_reasons() -> None:
    assert reason_for(486) == "Busy Here"
    assert reason_for(499) == "Bad Request"
    assert reason_for(999) == "Unknown"
    assert all(text.isascii() for text in REASONS.values())
