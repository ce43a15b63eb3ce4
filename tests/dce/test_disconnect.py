"""The names of the end of a call."""

import pytest

from ansam.dce.disconnect import usr_reason


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("ATH", "Escape code"),
        ("escape code", "Escape code"),
        ("DTR dropped", "DTR dropped"),
        ("keypress abort", "Keypress Abort"),
        ("inactivity timeout: no data for 1 min (S19)", "Inactivity Timeout"),
        ("DISC received", "DISC Received"),
        ("DM while connected: the far end has lost the connection", "DISC Received"),
        ("retransmit limit: 12 polls without an answer", "Retransmit limit"),
        ("N400: 12 transmissions of SABME unanswered", "Retransmit limit"),
        ("V.21, data: no signal for 700 ms (S10)", "Loss of Carrier"),
        ("far end hung up", "Loss of Carrier"),
        ("no carrier for as long as S10 allows", "Loss of Carrier"),
        ("phase 2: nothing of INFO0a was heard, after 3 retrains", "Unable to Retrain"),
        ("no speed that both ends allow", "no speed that both ends allow"),
    ],
)
def test_names(reason: str, name: str) -> None:
    assert usr_reason(reason) == name
