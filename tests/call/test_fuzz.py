"""What nobody meant, into every engine of a call: nothing but its own errors. More in `make bench`."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.voip_fuzz import CUT, TARGETS, WORDS, corpus, generate

RUNS = {"message": 400, "line": 150, "exchange": 150, "sdp": 400, "call": 200, "redundancy": 400}


@pytest.mark.parametrize("target", TARGETS)
def test_bent_messages(target: str) -> None:
    rng = random.Random(f"{target} 1")
    for _ in range(RUNS[target]):
        data = generate(target, rng)
        try:
            TARGETS[target](data)
        except Exception as error:
            raise AssertionError(f"{target}: {data!r}") from error


pieces = st.one_of(st.sampled_from(corpus()), st.sampled_from(WORDS), st.binary(max_size=40), st.just(CUT))


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.lists(pieces, max_size=6).map(b"".join))
def test_whatever_hypothesis_finds(target: str, data: bytes) -> None:
    TARGETS[target](data)
