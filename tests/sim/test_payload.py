"""Payload and the account of what arrived."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import ConfigError
from ansam.sim.payload import Account, compare, open_payload

DATA = np.random.default_rng(1).bytes(20_000)


def test_all_arrived():
    assert compare(DATA, DATA) == Account(20_000, 0, 0)
    assert compare(b"", b"") == Account(0, 0, 0)


def test_nothing_arrived():
    assert compare(DATA, b"") == Account(0, 0, 20_000)
    assert compare(b"", b"abc") == Account(0, 3, 0)


def test_changed_bytes_are_wrong():
    bad = bytearray(DATA)
    bad[100] ^= 1
    bad[5000:5003] = b"xyz"
    bad[-1] ^= 0x80
    assert compare(DATA, bytes(bad)) == Account(20_000 - 5, 5, 0)


def test_missing_bytes_are_lost():
    assert compare(DATA, DATA[:777] + DATA[800:]) == Account(20_000 - 23, 0, 23)
    assert compare(DATA, DATA[:-40]) == Account(20_000 - 40, 0, 40)
    assert compare(DATA, DATA[40:]) == Account(20_000 - 40, 0, 40)


def test_invented_bytes_are_wrong():
    assert compare(DATA, DATA[:777] + b"noise" + DATA[777:]) == Account(20_000, 5, 0)
    assert compare(DATA, DATA + b"NO") == Account(20_000, 2, 0)


def test_a_gap_longer_than_the_window():
    account = compare(DATA, DATA[:1000] + DATA[9000:])
    assert account.lost + account.wrong >= 8000
    assert account.right + account.wrong == 12_000


@given(
    st.binary(max_size=300),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 12), st.binary(max_size=12)), max_size=6),
)
def test_the_account_balances(sent, edits):
    received = bytearray(sent)
    for at, drop, put in edits:
        received[at : at + drop] = put
    account = compare(sent, bytes(received))
    assert account.right + account.wrong == len(received)
    assert min(account.right, account.wrong, account.lost) >= 0
    assert account.right + account.lost <= len(sent)


@pytest.mark.parametrize("name", ["random", "text"])
def test_streams_do_not_depend_on_how_they_are_read(name):
    one, two = (open_payload(name, np.random.default_rng(9)) for _ in range(2))
    whole = one.read(400)
    pieces = b"".join(two.read(40) for _ in range(10))
    assert len(whole) == 400
    if name == "text":
        assert whole == pieces
        assert whole.isascii()


def test_a_file_is_sent_over_and_over(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    payload = open_payload(str(file), np.random.default_rng(0))
    assert payload.read(2) + payload.read(5) == b"abcabca"


@pytest.mark.parametrize(("content", "named"), [(None, "No such file"), (b"", "empty")])
def test_files_that_cannot_be_sent(tmp_path, content, named):
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=named):
        open_payload(str(file), np.random.default_rng(0))
