import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.answer.paper import PIECE, Paper
from ansam.answer.shelf import MemoryShelf


def whole(data: bytes, page: int = 0) -> bytes:
    paper = Paper(MemoryShelf({"f": data}), "f", page)
    out = bytearray()
    while not paper.at_end:
        out += paper.pull()
        if paper.page_full:
            paper.next_page()
    return bytes(out)


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"text" * 50])), st.sampled_from([0, 1, 3]))
def test_line_ends_become_cr_lf_wherever_pieces_are_cut(parts: list[bytes], page: int) -> None:
    data = b"".join(parts)
    assert whole(data, page) == data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.mark.parametrize("before", [PIECE - 1, PIECE])
def test_cr_lf_across_a_cut(before: int) -> None:
    data = b"x" * before + b"\r\ny"
    assert whole(data) == data
