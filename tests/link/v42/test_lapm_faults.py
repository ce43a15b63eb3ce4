"""No byte wrong, lost, repeated or out of order, whatever happens to the frames."""

import pytest
from tests.support.lapm_pair import LapmPair
from tests.support.sweep import sweep
from tests.support.v42_pair import noise

from ansam.link.v42 import xid

SELECTIVE = xid.Parameters(n401=(256, 256), k=(63, 63), srej=True)
PLAIN = xid.Parameters(srej=False)
UNEVEN = xid.Parameters(n401=(255, 64), k=(8, 30), srej=False)

# With sequence numbers modulo 128, frames may come 127 - 2k numbers late; a line never reorders at all.
FAULTS = {
    "loss 1 %": {"loss": 0.01},
    "loss 15 %": {"loss": 0.15},
    "duplicates": {"duplicate": 0.1, "depth": 1},
    "reordered": {"reorder": 0.05, "depth": 1},
    "delayed": {"jitter": 0.02},
    "all of it": {"loss": 0.05, "duplicate": 0.05, "reorder": 0.05, "jitter": 0.01, "depth": 1},
}


@pytest.mark.parametrize("offer", [SELECTIVE, PLAIN, UNEVEN], ids=["SREJ k=63", "REJ k=15", "REJ uneven"])
@pytest.mark.parametrize("faults", FAULTS)
@pytest.mark.parametrize("seed", range(4))
def test_every_byte_arrives_once_and_in_order(faults, offer, seed):
    pair = LapmPair(offer=offer, delay=(0.01, 0.05, 0.2, 0.75)[seed], seed=seed).connect()
    pair.disturb(**FAULTS[faults])
    assert pair.exchange(noise(40_000, seed), noise(40_000, seed + 100)), (pair.a.released, pair.b.released)


@pytest.mark.parametrize("seed", sweep(range(3), {0}))
def test_a_megabyte_each_way(seed):
    pair = LapmPair(offer=SELECTIVE, delay=0.15, seed=seed).connect()
    pair.disturb(**FAULTS["all of it"])
    assert pair.exchange(noise(1_000_000, seed), noise(1_000_000, seed + 100))
    assert pair.a.lapm.counters.blocks_resent > 0


@pytest.mark.parametrize("seed", range(5))
def test_frames_that_come_ninety_places_late(seed):
    pair = LapmPair(offer=xid.Parameters(srej=seed % 2 == 0), seed=seed).connect()
    pair.disturb(loss=0.02, reorder=0.05, duplicate=0.05, depth=90)
    assert pair.exchange(noise(60_000, seed), noise(60_000, seed + 100))


@pytest.mark.parametrize("rates", [(300, 33600), (33600, 1200), (2400, 75)])
@pytest.mark.parametrize("loss", [0.0, 0.05])
def test_asymmetrical_rates(rates, loss):
    pair = LapmPair(rates=rates, delay=0.2).connect(120)
    pair.disturb(loss=loss)
    assert pair.exchange(noise(rates[0] * 10), noise(rates[1] * 10, 2))


@pytest.mark.parametrize("delay", [0.0, 0.5, 1.5])
@pytest.mark.parametrize("rate", [300, 1200, 2400, 33600])
@pytest.mark.parametrize("size", ["one way", "both ways", "one frame at a time"])
def test_a_clean_line_sees_no_timeout_and_no_retransmission(rate, delay, size):
    pair = LapmPair(
        rates=(rate, rate), delay=delay, offer=xid.Parameters(n401=(512, 512), k=(63, 63), srej=True)
    )
    pair.connect(60)
    for end in pair.ends:
        end.lapm.counters.link_timeouts = 0  # XID may have been too early for a round trip of 3 s.
    if size == "one frame at a time":
        for number in range(20):
            assert pair.exchange(noise(1 + 20 * number, number), b"")
            pair.run(number / 10)
    else:
        assert pair.exchange(noise(rate * 20), noise(rate * 20, 2) if size == "both ways" else b"")
    for end in pair.ends:
        counters = end.lapm.counters
        assert (counters.blocks_resent, counters.naks_sent) == (0, 0)
        # The first guess of the round trip is 1.5 s; what it costs to learn better is one enquiry.
        assert counters.link_timeouts <= (delay >= 0.5)


def test_sequence_numbers_wrap_many_times():
    pair = LapmPair(offer=xid.Parameters(n401=(40, 40), k=(63, 63), srej=True), seed=3).connect()
    pair.disturb(loss=0.05)
    assert pair.exchange(noise(40 * 128 * 5), noise(40 * 128 * 5, 2))
    assert pair.a.lapm.counters.blocks_sent > 5 * 128
