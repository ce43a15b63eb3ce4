"""Every step that a call can have is named and explained."""

import pytest

from ansam.link.v42.link import RECOMMENDATION, STEPS
from ansam.modulation.v22bis.steps import STEPS as V22BIS_STEPS
from ansam.modulation.v32bis.steps import State as V32bis
from ansam.modulation.v34.phase2_steps import STEPS as PHASE2_STEPS
from ansam.modulation.v34.training_steps import State as V34
from ansam.scope.explain import BOTH, FAR, NEAR, explain

SILENT = {"idle", "down", "failed"}
"""Never told."""


def steps() -> list[tuple[str, str]]:
    """Every name with its clause, as the engines tell them."""
    found = [(state.value, f"V.22bis (11/88) {step.clause}") for state, step in V22BIS_STEPS.items()]
    found += [(state.value.name, f"V.32bis (02/91) {state.value.clause}") for state in V32bis]
    found += [(state.value.name, f"V.34 (10/96) {state.value.clause}") for state in V34]
    found += [(state.value, f"V.34 (10/96) {step.clause}") for state, step in PHASE2_STEPS.items()]
    found += [(name, f"{RECOMMENDATION} {clause}") for name, clause in STEPS.items()]
    found += [("binary 1", source) for source in ("V.21 (11/88)", "Bell 103")]
    return [step for step in found if step[0] not in SILENT]


@pytest.mark.parametrize(("name", "clause"), sorted(set(steps())))
def test_a_step_is_explained(name: str, clause: str) -> None:
    text, side = explain(name, clause)
    assert len(text) > 15
    assert text.endswith((".", "?"))
    assert side in (NEAR, FAR, BOTH)


@pytest.mark.parametrize(
    ("name", "clause", "side", "words"),
    [
        ("ANSam", "V.8 (11/2000) §8.1.1", FAR, "a modem with V.8"),
        ("ANSam", "V.8 (11/2000) §8.2.2", NEAR, "a modem with V.8"),
        ("ANS", "V.25 (10/96) §5", FAR, "2100 Hz"),
        ("ANS", "V.25 (10/96) §4.3", NEAR, "2100 Hz"),
        ("2225 Hz", "V.22bis (11/88) §6.3.1.2.2 Note", FAR, "Bell"),
        ("T_c", "V.32bis (02/91) §A.2.1.2", FAR, "V.32"),
        ("AA", "V.32bis (02/91) §A.2.1.3", NEAR, "during the answer tone"),
        ("offers V.22bis", "V.32bis (02/91) §A.2.2", NEAR, "No V.8"),
        ("binary 1 of V.21", "V.25 (10/96) §5", NEAR, "No V.8"),
        ("chooses V.34", "", BOTH, "agreed"),
        ("data at 2400", "V.22bis (11/88) §6.3.1.1.1 f)", BOTH, "data"),
        ("awaits R1", "V.32bis (02/91) §6.1", FAR, "Waiting: First rate signal"),
        ("L1 and L2 sent, waiting for tone A", "V.34 (10/96) §11.2.1.1.7", NEAR, "the far end measures"),
        ("L1 received", "V.34 (10/96) §11.2.1.1.5", FAR, "each frequency"),
        ("cleardown", "V.34 (10/96) §11.7", NEAR, "the call ends"),
        ("ODP", "V.42 (03/2002) §7.2.1.2", NEAR, "V.42"),
        ("waiting for ODP", "V.42 (03/2002) §7.2.1.3", FAR, "Waiting: "),
    ],
)
def test_who_does_it_and_what_for(name: str, clause: str, side: str, words: str) -> None:
    text, who = explain(name, clause)
    assert who == side
    assert words in text


def test_what_nobody_knows_is_left_unexplained() -> None:
    assert explain("waiting for Godot", "V.34 (10/96) §99") == ("", FAR)
