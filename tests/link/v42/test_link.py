"""The whole of V.42 between two of our ends, in virtual time, over pipes that lose and delay."""

import numpy as np
import pytest
from tests.support.v42_pair import Pair, noise

from ansam.link.base import BreakReceived, LinkUp, NoErrorControl
from ansam.link.hdlc import FLAG
from ansam.link.v14 import StartStop
from ansam.link.v42.link import BreakHandling, V42Link, V42Options
from ansam.link.v44 import Parameters, Proposal

PLAIN = V42Options(v42bis=0)


def test_connects_with_what_both_offer():
    pair = Pair().connect()
    assert pair.up(pair.a) == pair.up(pair.b) == LinkUp("LAPM", "V42BIS")
    assert pair.a.parameters == pair.b.parameters
    assert pair.a.parameters.srej
    # ODP, ADP, flags, XID, SABME at 2400 bit/s and 0.2 s round trip.
    assert pair.now / 8000 < 1.5


def test_detection_outlives_the_packet_with_the_first_ten_adps():
    """At 14400 bit/s ten ADPs last 25 ms: a lost packet once left one end in V.14 and the other in LAPM."""
    pair = Pair(14400, 0.05)
    pair.pipes[1].cut = True
    pair.run(0.15)
    pair.pipes[1].cut = False
    pair.connect()
    assert pair.up(pair.a) == pair.up(pair.b) == LinkUp("LAPM", "V42BIS")


@pytest.mark.parametrize("rate", [1200, 14400, 33600])
def test_what_answers_the_first_frame_stands_between_flags(rate):
    """It follows the last ADP at once; without a flag before it, it was lost and asked for again."""
    pair = Pair(rate, 0.05).connect()
    assert pair.a.counters.link_timeouts == pair.b.counters.link_timeouts == 0


def test_answerer_leaves_detection_though_its_adps_are_never_heard():
    """Its own T400 bounds the patterns; the caller has settled for no error control by then."""
    pair = Pair(14400, 0.05)
    pair.pipes[1].cut = True
    assert pair.until(lambda: pair.up(pair.a), 5)
    assert pair.up(pair.a) == LinkUp("NONE")
    pair.run(1)
    assert sum(pair.b.pull(3 * len(FLAG))) == 18  # three flags, wherever they are cut


def test_the_first_frame_follows_sixteen_flags_at_once():
    """However the bits are pulled: counting pulls instead of flags once cost a third of a second."""
    link = V42Link(True, V42Options(detection=False), 2400)
    link.start(0)
    bits = np.concatenate([link.pull(48) for _ in range(20)])
    assert (bits[: 16 * 8] == np.tile(FLAG, 16)).all()
    assert not (bits[16 * 8 : 17 * 8] == FLAG).all()


@pytest.mark.parametrize("only", ["a", "b"])
def test_compression_needs_both_ends(only):
    options = {"a": V42Options(), "b": PLAIN} if only == "a" else {"a": PLAIN, "b": V42Options()}
    pair = Pair(**options).connect()
    assert pair.up(pair.a) == pair.up(pair.b) == LinkUp("LAPM", "")


def test_v44_where_both_ask_for_it():
    options = V42Options(v44=Proposal(Parameters(4096), Parameters(2048)))
    pair = Pair(a=options).connect()
    assert pair.up(pair.a) == pair.up(pair.b) == LinkUp("LAPM", "V44")
    assert pair.exchange(b"to be or not to be " * 300, noise(2000))
    pair = Pair(a=options, b=V42Options()).connect()
    assert pair.up(pair.a) == pair.up(pair.b) == LinkUp("LAPM", "V42BIS")


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.75])
@pytest.mark.parametrize("rate", [1200, 33600])
def test_carries_both_ways(rate, delay):
    pair = Pair(rate, delay).connect()
    assert pair.exchange(noise(10000), noise(10000, seed=2))
    assert pair.a.counters.blocks_resent == pair.b.counters.blocks_resent == 0


@pytest.mark.parametrize("srej", [True, False])
@pytest.mark.parametrize(
    ("rate", "ber", "count"), [(2400, 1e-5, 4000), (2400, 1e-4, 4000), (9600, 1e-3, 3000)]
)
@pytest.mark.parametrize("seed", range(3))
def test_bit_errors_cost_time_but_no_byte(rate, ber, count, srej, seed):
    options = V42Options(srej=srej)
    pair = Pair(rate, ber=ber, a=options, seed=seed).connect(120)
    assert pair.exchange(noise(count, seed), noise(count, seed + 50), seconds=2000)


@pytest.mark.parametrize("seed", range(3))
def test_lost_packets(seed):
    pair = Pair(33600, 0.2, burst=0.01, seed=seed).connect()
    assert pair.exchange(noise(60000, seed), noise(60000, seed + 9))
    assert pair.a.counters.blocks_resent > 0


@pytest.mark.parametrize("seed", range(4))
def test_a_cut_line_that_comes_back_loses_nothing(seed):
    pair = Pair(9600, seed=seed).connect()
    data = noise(20000, seed)
    sent = pair.send(pair.a, data)
    pair.run(0.5 + seed / 10)
    for pipe in pair.pipes:
        pipe.cut = True
    pair.run(8)
    for pipe in pair.pipes:
        pipe.cut = False
    assert pair.exchange(data[sent:], noise(3000))


def test_a_line_cut_for_good_ends_the_link_with_the_reason():
    pair = Pair(9600).connect()
    pair.send(pair.a, noise(1000))
    pair.run(0.2)
    for pipe in pair.pipes:
        pipe.cut = True
    assert pair.until(lambda: pair.down(pair.a) and pair.down(pair.b), 200)
    assert "retransmit limit" in pair.down(pair.a).reason


def test_far_end_without_v42_falls_back_and_loses_no_character():
    """The far end prompts at once, as a login does; the caller is still looking for ADP."""
    far = StartStop()
    far.set_rate(2400)
    pair = Pair(far=far)
    pair.run(0.1)
    pair.send(far, b"\r\nlogin: ")
    pair.connect()
    assert pair.up(pair.a) == LinkUp("NONE")
    pair.run(1)
    assert bytes(pair.got[pair.a]) == b"\r\nlogin: "
    pair.got[far].clear()  # it saw the detection pattern, as real ones do
    assert pair.exchange(b"guest\r", b"Password: ")


def test_answering_a_caller_without_v42_keeps_the_first_characters():
    caller, answerer = StartStop(), V42Link(False, V42Options(), 2400)
    answerer.start(0)
    caller.set_rate(2400)
    caller.receive_bits(caller.pull(100), 0)
    answerer.receive_bits(caller.pull(20), 0)
    caller.send(b"hello")
    now = 0
    for _ in range(300):
        answerer.receive_bits(caller.pull(48), now)
        answerer.handle_timer(now)
        caller.receive_bits(answerer.pull(48), now)
        now += 160
    assert LinkUp("NONE") in answerer.take_events()
    assert answerer.take_data() == b"hello"
    assert caller.take_data() == b""


def test_m5_hangs_up_without_v42():
    pair = Pair(far=StartStop(), a=V42Options(required=True))
    assert pair.until(lambda: pair.down(pair.a), 10)
    assert "&M5" in pair.down(pair.a).reason


def test_far_end_that_refuses():
    """ADP with NUL: no error control wanted (Table 3)."""
    link = V42Link(True, V42Options(), 2400)
    link.start(0)
    link.pull(10)
    refuse = [0, 1, 0, 1, 0, 0, 0, 1, 0, 1, *[1] * 8, *[0] * 9, 1, *[1] * 8]
    link.receive_bits(np.array([1] * 20 + refuse * 3, np.uint8), 160)
    why = NoErrorControl("the far end wants no error control", "V.42 (03/2002) §7.2.1.3, Table 3")
    assert link.take_events() == [why, LinkUp("NONE")]


def test_disconnect_tells_the_far_end():
    pair = Pair().connect()
    pair.a.disconnect(pair.now)
    assert pair.until(lambda: pair.down(pair.a) and pair.down(pair.b), 5)
    assert pair.down(pair.b).reason == "DISC received"


@pytest.mark.parametrize("handling", BreakHandling)
def test_break_crosses_once(handling):
    pair = Pair(a=V42Options(break_handling=handling), ber=2e-4, seed=4).connect(60)
    pair.send(pair.a, b"before")
    pair.run(3)
    pair.a.send_break(300, pair.now)
    pair.run(6)
    breaks = [e for e in pair.events[pair.b] if isinstance(e, BreakReceived)]
    assert breaks == [BreakReceived(300)]
    assert pair.exchange(b"after", b"and back")


def test_destructive_break_drops_what_is_under_way():
    pair = Pair(a=PLAIN).connect()
    pair.send(pair.a, noise(3000))
    pair.run(2)
    pair.a.send_break(100, pair.now)
    pair.run(3)
    received = len(pair.got[pair.b])
    assert received < 1500
    pair.sent[pair.a] = pair.got[pair.b].copy()
    assert pair.exchange(b"anew", b"here too")


def test_a_terminal_that_does_not_read_stops_the_far_end():
    pair = Pair(33600).connect()
    pair.reading[pair.b] = False
    data = noise(100000)
    position = 0
    for _ in range(3000):
        position += pair.send(pair.a, data[position : position + 4096])
        pair.step()
    assert position < 60000
    assert len(pair.b._received) < 40000
    pair.reading[pair.b] = True
    assert pair.exchange(data[position:])


def test_thirty_two_bit_fcs():
    pair = Pair(a=V42Options(fcs32=True), b=V42Options(), ber=1e-4).connect(60)
    assert pair.a.parameters.fcs32
    assert pair.b.parameters.fcs32
    assert pair.exchange(noise(2000), noise(2000))


def test_full_pipe_at_33600_and_300_ms():
    pair = Pair(33600, 0.15, a=PLAIN).connect()
    start = pair.now
    count = 100_000
    assert pair.exchange(noise(count), noise(count, 2))
    efficiency = count * 8 / ((pair.now - start) / 8000) / 33600
    assert efficiency > 0.95


def test_a_retrain_of_ten_seconds_is_not_a_timeout():
    pair = Pair(9600).connect()
    pair.send(pair.a, b"x" * 500)
    pair.run(0.1)
    for _ in range(500):
        pair.now += 160
    for end in pair.ends:
        end.suspend(500 * 160)
    assert pair.exchange(b"later", b"later too")
    assert pair.a.counters.link_timeouts == pair.b.counters.link_timeouts == 0
