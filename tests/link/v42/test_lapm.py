"""LAPM's procedures one by one: set-up, busy, recovery, release, and what a confused peer may do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.lapm_pair import Feed, LapmPair
from tests.support.v42_pair import noise

from ansam.link.v42 import xid
from ansam.link.v42.events import Established, Negotiated, Signal, State
from ansam.link.v42.frames import SUPERVISORY, Frame, Kind, decode
from ansam.link.v42.lapm import N400, T403, Lapm
from ansam.link.v42.timing import RoundTrip

SELECTIVE = xid.Parameters(n401=(128, 128), k=(15, 15), srej=True)
both_roles = pytest.mark.parametrize("role", ["a", "b"])


def kinds(end):
    return [frame.kind for frame in end.frames]


def connected(role="a", offer=SELECTIVE):
    """Return a pair, the end under test and its peer, which is known to be alive from here on."""
    pair = LapmPair(offer=offer).connect()
    end = getattr(pair, role)
    assert pair.exchange(b"first", b"first")
    end.frames.clear()
    return pair, end, pair.other(end)


def give(pair, end, frame):
    """Hand a frame to `end` as its peer would have sent it; return what it sends within a second."""
    end.frames.clear()
    pair.inject(end, frame.encode(pair.other(end).originator))
    pair.run(1)
    return end.frames


class Losing:
    """Loses the first `count` frames of a kind."""

    def __init__(self, kind, count, command=None):
        self.kind, self.left, self.command = kind, count, command

    def __call__(self, frame):
        if frame.kind is self.kind and self.left and self.command in (None, frame.command):
            self.left -= 1
            return True
        return False


# -- set-up -----------------------------------------------------------------------


@both_roles
@pytest.mark.parametrize(
    "lost", [(Kind.XID, 1), (Kind.XID, 3), (Kind.SABME, 1), (Kind.SABME, 3), (Kind.UA, 1), (Kind.UA, 3)]
)
def test_set_up_survives_loss(role, lost):
    pair = LapmPair(offer=SELECTIVE)
    getattr(pair, role).faults.drop = Losing(*lost)
    pair.connect(120)
    assert pair.a.lapm.parameters == pair.b.lapm.parameters
    assert pair.exchange(noise(5000), noise(5000, 2))


def test_an_answerer_that_speaks_first_while_its_ua_is_lost():
    """§8.3.2.1: the I frame stands for the UA; a repeated SABME repeats the I frames (Note 3)."""
    for also_data in (False, True):
        pair = LapmPair(offer=SELECTIVE)
        pair.b.feed.add(noise(3000))
        lose_ua, lose_i = Losing(Kind.UA, 1), Losing(Kind.I, 15 if also_data else 0)
        pair.b.faults.drop = lambda frame, ua=lose_ua, i=lose_i: ua(frame) or i(frame)
        pair.connect(60)
        assert pair.exchange(noise(3000, 2))
        assert (kinds(pair.a).count(Kind.SABME) > 1) is also_data


def test_nobody_answers():
    pair = LapmPair(offer=SELECTIVE)
    pair.b.faults.cut = True
    pair.a.lapm.negotiate(0)
    assert pair.until(lambda: pair.a.released, 600)
    assert pair.a.released.reason == "N400: 13 transmissions of XID unanswered"
    assert pair.a.released.clause == "V.42 (03/2002) §8.10.3, §9.2.2"
    assert kinds(pair.a).count(Kind.XID) == N400 + 1


def test_sabme_refused_by_dm():
    pair = LapmPair(offer=SELECTIVE)
    pair.a.lapm.establish(0)
    pair.inject(pair.a, Frame(Kind.DM, False, False).encode(False))  # Table 9: F = 0 is ignored
    assert pair.a.released is None
    pair.inject(pair.a, Frame(Kind.DM, False, True).encode(False))
    assert "refused" in pair.a.released.reason


def test_both_ends_send_sabme():
    pair = LapmPair(offer=SELECTIVE)
    pair.b.lapm.establish(0)
    pair.a.lapm.establish(0)
    pair.run(3)
    assert pair.exchange(noise(2000), noise(2000, 2))


def test_xid_is_asked_again_while_connected():
    """§7.6: either end may; nothing changes, and the compression in force goes on undisturbed."""
    offer = replace(SELECTIVE, n401=(100, 120), v42bis=xid.Compression(1, 1024, 20))
    for role in "ab":
        pair, end, peer = connected(role, offer)
        before = end.lapm.parameters
        question = xid.encode(before if peer.originator else before.turned())
        answers = give(pair, end, Frame(Kind.XID, True, information=question))
        assert [(f.kind, f.command) for f in answers[:1]] == [(Kind.XID, False)]
        assert xid.encode(xid.decode(answers[0].information)) == question
        assert end.lapm.parameters == before
        assert sum(isinstance(event, Negotiated) for event in end.events) == 1
        assert pair.exchange(noise(3000), noise(3000, 2))


def test_a_responder_can_not_force_sizes_on_us():
    accepted = xid.accept(xid.Parameters(n401=(4000, 60), k=(127, 4)), SELECTIVE)
    assert accepted.n401 == (128, 60)
    assert accepted.k == (15, 4)


PEERS = {
    "all defaults": b"",
    "k 8, N401 128/255": "82 80 00 13 03 03 8a 89 00 05 02 07 f8 06 02 04 00 07 01 08 08 01 08",
    "unknown groups and parameters": (
        "82 41 00 02 01 00 80 00 16 03 03 8a 89 00 05 02 04 00 06 02 04 00 07 01 08 08 01 08 09 01 63"
        "f0 00 0b 00 03 56 34 32 04 01 01 7f 01 00 ff 00"
    ),
    "a group cut short": "82 80 00 40 03 03 8a 89 00 05 02",
}


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("seed", range(3))
def test_peers_as_real_modems_are(name, seed):
    """Their XID as they send it, then REJ only and their windows."""
    information = bytes.fromhex(PEERS[name]) if PEERS[name] else b""
    theirs = replace(xid.decode(information), srej=False)
    pair = LapmPair(offer=theirs, other=xid.Parameters(n401=(512, 512), k=(63, 63), srej=True), seed=seed)
    pair.inject(pair.b, Frame(Kind.XID, True, information=information).encode(True))
    pair.connect()
    ours = pair.b.lapm.parameters
    assert not ours.srej
    assert all(min(8, k) <= k <= 15 for k in ours.k)
    pair.disturb(loss=0.1)
    assert pair.exchange(noise(20_000, seed), noise(20_000, seed + 9))
    data = [f for end in pair.ends for f in end.frames if f.kind is Kind.I]
    assert max(len(f.information) for f in data) <= 255


# -- data -----------------------------------------------------------------------


@both_roles
def test_window_fills_and_no_further(role):
    pair, end, peer = connected(role, replace(SELECTIVE, k=(4, 4)))
    peer.faults.cut = True
    end.feed.add(noise(10_000))
    pair.run(3)
    assert kinds(end).count(Kind.I) == 4
    peer.faults.cut = False
    assert pair.exchange(b"")


@both_roles
def test_busy_stops_the_peer_and_ready_starts_it_again(role):
    pair, end, peer = connected(role)
    end.lapm.set_busy(True)
    peer.feed.add(noise(4000))
    pair.run(40)
    assert len(end.got) < 2000
    assert end.frames[0].kind is Kind.RNR
    assert not pair.a.released
    end.lapm.set_busy(False)
    assert pair.exchange(b"")


@both_roles
def test_the_frame_that_ends_busy_is_lost(role):
    pair, end, peer = connected(role)
    end.lapm.set_busy(True)
    pair.run(1)
    end.faults.drop = Losing(Kind.RR, 1)
    end.lapm.set_busy(False)
    peer.feed.add(noise(1000))
    assert pair.exchange(b"", seconds=10)


@pytest.mark.parametrize("srej", [True, False])
@pytest.mark.parametrize("number", range(6))
def test_one_i_frame_lost_costs_one_retransmission_where_selective(srej, number):
    pair = LapmPair(offer=replace(SELECTIVE, srej=srej), rates=(9600, 9600)).connect()
    left = [number, True]

    def drop(frame):
        if frame.kind is not Kind.I or not left[1]:
            return False
        left[0] -= 1
        left[1] = left[0] >= 0
        return not left[1]

    pair.a.faults.drop = drop
    assert pair.exchange(noise(1200))
    counters = pair.a.lapm.counters
    assert counters.blocks_resent == 1 if srej else counters.blocks_resent >= 1
    last = number >= counters.blocks_sent - 1
    assert (counters.link_naks == 1 and counters.link_timeouts == 0) or last


@both_roles
@pytest.mark.parametrize("kind", [Kind.REJ, Kind.SREJ])
def test_the_request_for_a_frame_is_lost(role, kind):
    pair, end, peer = connected(role, replace(SELECTIVE, srej=kind is Kind.SREJ))
    end.faults.drop = Losing(Kind.I, 1)
    peer.faults.drop = Losing(kind, 1)
    end.feed.add(noise(5000))
    assert pair.exchange(b"", seconds=30)
    assert kinds(peer).count(kind) >= 1


@both_roles
def test_silence_is_broken_by_an_enquiry(role):
    """T403, §8.12.3.3."""
    pair, end, peer = connected(role)
    pair.run(2 * T403 / 8000 + 2)
    polls = [f for f in end.frames + peer.frames if f.kind is Kind.RR and f.command and f.poll]
    assert polls
    assert not end.released
    assert not peer.released


@both_roles
@pytest.mark.parametrize("seconds", [0.5, 2, 5, 10, 20])
def test_a_cut_line_that_comes_back_in_time(role, seconds):
    pair, end, _peer = connected(role)
    end.feed.add(noise(20_000))
    pair.run(0.3)
    pair.disturb(cut=True)
    pair.run(seconds)
    pair.disturb(cut=False)
    assert pair.exchange(b"", b"", seconds=120)


@both_roles
def test_a_cut_line_ends_both_with_the_reason(role):
    pair, end, peer = connected(role)
    end.feed.add(noise(5000))
    pair.run(0.2)
    pair.disturb(cut=True)
    assert pair.until(lambda: end.released and peer.released, 300)
    for side in pair.ends:
        assert side.released.reason == "retransmit limit: 12 polls without an answer"
        assert not side.released.orderly
        assert side.lapm.deadline() is None
        assert sum(not isinstance(e, Established | Negotiated) for e in side.events) == 1


# -- what a peer may say -----------------------------------------------------------------------


@both_roles
def test_test_frame_is_looped_back(role):
    pair, end, peer = connected(role)
    returned = give(pair, end, Frame(Kind.TEST, True, information=b"\x00echo\xff"))[:1]
    assert returned == [Frame(Kind.TEST, True, information=b"\x00echo\xff")]
    assert pair.exchange(noise(500), noise(500, 2))
    assert kinds(peer).count(Kind.TEST) <= 1


@both_roles
@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (Frame(Kind.FRMR, False, True, information=b"\x01\x02\x03\x04\x01"), "FRMR received: 01 02 03 04 01"),
        (Frame(Kind.DM, False, False), "DM while connected"),
        (Frame(Kind.SABME, True, True), "SABME while connected"),
        (Frame(Kind.RR, False, nr=9), "invalid N(R) 9"),
        (Frame(Kind.I, True, ns=1, nr=10, information=b"x"), "invalid N(R) 10"),
        (Frame(Kind.SREJ, False, True, nr=1), "SREJ with F = 1"),
    ],
)
def test_what_ends_a_connection(role, frame, reason):
    pair, end, peer = connected(role)
    pair.disturb(cut=True)
    give(pair, end, frame)
    assert reason in end.released.reason
    assert not end.released.orderly
    assert end.lapm.state is State.RELEASED
    # What has ended stays ended; the peer is told when it asks.
    assert give(pair, end, Frame(Kind.SABME, True, True)) == [Frame(Kind.DM, False, True)]
    assert give(pair, end, Frame(Kind.DISC, True, True)) == [Frame(Kind.DM, False, True)]
    assert give(pair, end, Frame(Kind.RR, True, True)) == []
    end.lapm.release(pair.now)
    assert end.lapm.take_events() == []
    assert peer.lapm.state is State.CONNECTED


@both_roles
@pytest.mark.parametrize("octets", ["ff 00", "6d 00", "0f 55"])
def test_a_frame_that_must_be_rejected_ends_it(role, octets):
    pair, end, peer = connected(role)
    pair.inject(end, bytes((3 if peer.originator else 1,)) + bytes.fromhex(octets))
    assert "frame rejection" in end.released.reason


@both_roles
def test_a_peer_that_acknowledges_nonsense_is_given_up(role):
    """Too far off to be told from a late frame: ignored, but it is no answer to an enquiry either."""
    pair, end, _peer = connected(role)
    pair.disturb(cut=True)
    end.feed.add(b"x")
    for _ in range(300):
        pair.inject(end, Frame(Kind.RR, False, True, nr=60).encode(not end.originator))
        pair.run(1)
    assert "retransmit limit" in end.released.reason


@both_roles
@pytest.mark.parametrize(
    "frame",
    [
        Frame(Kind.UA, False, True),
        Frame(Kind.UA, False, False),
        Frame(Kind.DM, False, True),
        Frame(Kind.RR, False, True, nr=1),
        Frame(Kind.REJ, False, True, nr=1),
    ],
)
def test_unsolicited_responses_are_ignored(role, frame):
    """Table 9."""
    pair, end, _peer = connected(role)
    give(pair, end, frame)
    assert end.released is None
    assert end.lapm.counters.violations == (frame.kind is not Kind.DM)
    assert pair.exchange(noise(3000), noise(3000, 2))


@both_roles
def test_dm_answers_an_enquiry(role):
    pair, end, _peer = connected(role)
    pair.disturb(cut=True)
    end.feed.add(b"x")
    assert pair.until(lambda: any(f.poll for f in end.frames), 20)
    give(pair, end, Frame(Kind.DM, False, True))
    assert "lost the connection" in end.released.reason


@both_roles
@pytest.mark.parametrize("kind", [Kind.RR, Kind.RNR, Kind.REJ])
def test_every_poll_is_answered_at_once(role, kind):
    pair, end, _peer = connected(role)
    answer = give(pair, end, Frame(kind, True, True, nr=1))[0]
    assert (answer.kind, answer.command, answer.poll, answer.nr) == (Kind.RR, False, True, 1)
    end.lapm.set_busy(True)
    answers = give(pair, end, Frame(Kind.I, True, True, ns=1, nr=1, information=b"x"))
    assert Frame(Kind.RNR, False, True, nr=1) in answers


@both_roles
def test_acknowledgements_with_f_set_are_taken(role):
    """Deviation of some peers (libspandsp): each I frame is answered by RR with F = 1."""
    pair, end, peer = connected(role)
    plain = type(peer.lapm)._status
    peer.lapm._status = lambda *, command, poll: plain(peer.lapm, command=command, poll=poll or not command)
    pair.disturb(loss=0.03)
    end.feed.add(noise(40_000))
    assert pair.exchange(b"")


@both_roles
def test_orderly_release(role):
    pair, end, peer = connected(role)
    peer.faults.drop = Losing(Kind.UA, 1)
    end.lapm.release(pair.now)
    end.lapm.release(pair.now)
    pair.run(10)
    assert (end.released.orderly, peer.released.orderly) == (True, True)
    assert peer.released.reason == "DISC received"
    # The UA was lost; DISC came again and found nobody.
    assert end.released.reason == "DISC answered by DM"


def test_both_release_at_once():
    pair, end, peer = connected()
    end.lapm.release(pair.now)
    peer.lapm.release(pair.now)
    pair.run(5)
    assert end.released.orderly
    assert peer.released.orderly


def test_release_of_a_dead_line_ends():
    pair, end, _peer = connected()
    pair.disturb(cut=True)
    end.lapm.release(pair.now)
    assert pair.until(lambda: end.released, 200)
    assert kinds(end).count(Kind.DISC) == N400 + 1


def test_a_flood_of_polls_keeps_no_memory():
    pair, end, _peer = connected()
    for _ in range(10_000):
        end.lapm.receive_frame(Frame(Kind.RR, True, True, nr=1).encode(False), pair.now)
    assert len(end.lapm._urgent) <= 128
    assert pair.exchange(noise(500), noise(500, 2))


def test_break_frames_go_first_and_cross():
    pair, end, peer = connected()
    end.feed.add(noise(1000))
    end.lapm.signal(b"\x40\xc0\x0a", command=True)
    pair.run(2)
    assert Signal(b"\x40\xc0\x0a", True) in peer.events
    assert kinds(end).index(Kind.UI) <= 1


# -- anything at all -----------------------------------------------------------------------

frames = st.builds(
    Frame,
    st.sampled_from(list(Kind)),
    st.booleans(),
    st.booleans(),
    st.integers(0, 127),
    st.integers(0, 127),
    st.binary(max_size=12) | st.just(xid.encode(SELECTIVE)),
)
inputs = st.one_of(
    frames.map(lambda frame: frame.encode(False)),
    st.binary(max_size=12),
    st.sampled_from(["send", "timer", "release", "busy", "ready", "feed", "restart", "suspend"]),
)
STATES = ["idle", "negotiating", "establishing", "connected", "busy", "recovering", "releasing", "released"]


def entity(state):
    """Return an originator in a state, and its clock."""
    lapm = Lapm(True, Feed(noise(500)), SELECTIVE, RoundTrip(2400))
    if state == "negotiating":
        lapm.negotiate(0)
    elif state != "idle":
        lapm.establish(0)
    if state not in ("idle", "negotiating", "establishing"):
        lapm.receive_frame(Frame(Kind.UA, False, True).encode(False), 10)
        for _ in range(4):
            lapm.next_frame(20)
    if state == "busy":
        lapm.set_busy(True)
    elif state == "recovering":
        lapm.handle_timer(lapm.deadline())
    elif state in ("releasing", "released"):
        lapm.release(30)
    if state == "released":
        lapm.receive_frame(Frame(Kind.UA, False, True).encode(False), 40)
    return lapm


@pytest.mark.parametrize("state", STATES)
@given(steps=st.lists(inputs, max_size=40))
def test_nothing_a_line_brings_breaks_it(state, steps):
    lapm, now = entity(state), 8000
    for step in steps:
        now += 37
        match step:
            case bytes():
                lapm.receive_frame(step, now)
            case "send":
                octets = lapm.next_frame(now)
                assert octets is None or decode(octets, True) is not None
            case "timer":
                now = max(now, lapm.deadline() or now)
                lapm.handle_timer(now)
            case "release":
                lapm.release(now)
            case "feed":
                lapm._source.add(b"more")
            case "restart":
                lapm.restart_data(deaf=False)
            case "suspend":
                lapm.suspend(100)
            case _:
                lapm.set_busy(step == "busy")
        sent = lapm._departures
        assert sent.acknowledged <= sent.following <= sent.highest
        assert sent.highest <= sent.acknowledged + max(15, lapm.window)
        assert len(lapm._arrivals._held) < 128
        assert len(lapm._urgent) <= 128
        lapm.take_data()
    assert sum(not isinstance(event, Established | Negotiated | Signal) for event in lapm.take_events()) <= 1
    assert all(kind in Kind for kind in SUPERVISORY)
