from hypothesis import given
from hypothesis import strategies as st

from ansam.dte.flow import ByteQueue


@given(st.lists(st.one_of(st.binary(max_size=40), st.integers(0, 40)), max_size=60))
def test_order_and_limit(steps):
    queue, kept, out = ByteQueue(64), bytearray(), bytearray()
    for step in steps:
        if isinstance(step, bytes):
            taken = queue.write(step)
            assert taken == min(len(step), 64 - (len(kept) - len(out)))
            kept += step[:taken]
        else:
            out += queue.read(step)
        assert len(queue) == len(kept) - len(out) <= 64
    out += queue.read()
    assert out == kept
