import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import ConfigError
from ansam.rtp.playout import AHEAD_LIMIT, Playout
from ansam.rtp.sequence import Order, SequenceTracker

SILENCE = 0xD5


class Feed:
    """A playout driven by packets of a counting source and by frames."""

    def __init__(
        self, delay: int = 480, size: int = 160, sequence: int = 65530, timestamp: int = 0xFFFFFF00
    ) -> None:
        self.playout = Playout(SILENCE, delay)
        self.tracker = SequenceTracker()
        self.size = size
        self.sequence = sequence
        self.timestamp = timestamp
        self.now = 0

    def payload(self, k: int) -> bytes:
        return bytes((k * self.size + i) % 199 for i in range(self.size))

    def packet(self, k: int, at: float | None = None, shift: int = 0) -> None:
        number, order = self.tracker.update((self.sequence + k) & 0xFFFF)
        if order in (Order.DUPLICATE, Order.OUTSIDE):
            return
        timestamp = (self.timestamp + k * self.size + shift) & 0xFFFFFFFF
        self.playout.receive(number, order, timestamp, self.payload(k), self.now if at is None else at)

    def frame(self) -> tuple[bytes, bool]:
        octets, erased = self.playout.pull(self.now)
        self.now += 160
        return octets.tobytes(), erased


def test_every_packet_is_played_once_after_the_delay() -> None:
    feed = Feed()
    out = []
    for k in range(20):
        feed.packet(k)
        out.append(feed.frame())
    assert [erased for _, erased in out] == [True] * 3 + [False] * 17
    assert [octets for octets, _ in out[3:]] == [feed.payload(k) for k in range(17)]
    assert feed.playout.counters.erased_samples == 0
    assert feed.playout.margin == 480


def test_a_lost_packet_is_one_erased_frame_of_silence() -> None:
    feed = Feed()
    out = []
    for k in range(12):
        if k != 5:
            feed.packet(k)
        out.append(feed.frame())
    assert [k for k, (_, erased) in enumerate(out) if erased] == [0, 1, 2, 8]
    assert out[8][0] == bytes([SILENCE]) * 160
    assert feed.playout.counters.erased_samples == 160
    assert feed.playout.counters.erased_frames == 1


def test_reordering_within_the_delay_is_put_right() -> None:
    feed = Feed()
    out = []
    for k in (0, 2, 1, 4, 3, 6, 5, 7, 8, 9):
        feed.packet(k)
        out.append(feed.frame())
    assert [octets for octets, _ in out[3:]] == [feed.payload(k) for k in range(7)]


def test_late_packets_are_counted_and_not_played() -> None:
    feed = Feed()
    for k in range(10):
        if k != 3:
            feed.packet(k)
        feed.frame()
    feed.packet(3)
    assert feed.playout.counters.late == 1
    assert feed.frame() == (feed.payload(7), False)


@pytest.mark.parametrize("size", [80, 160, 240, 320])
def test_any_ptime_is_sliced_by_timestamp(size: int) -> None:
    feed = Feed(size=size)
    sent = 0
    out = b""
    while len(out) < 6400:
        while sent * size <= feed.now:
            feed.packet(sent, at=sent * size)
            sent += 1
        octets, erased = feed.frame()
        out += b"" if erased else octets
    stream = b"".join(feed.payload(k) for k in range(sent))
    assert out == stream[: len(out)]


def test_erasure_covers_exactly_the_lost_samples_of_a_30_ms_packet() -> None:
    feed = Feed(size=240)
    for k in (0, 1, 3, 4):
        feed.packet(k)
    runs = []
    for _ in range(8):
        runs += [(len(o), e) for o, e in feed.playout.pull_runs(feed.now)]
        feed.now += 160
    assert sum(n for n, erased in runs[3:] if erased) == 240
    assert (80, True) in runs[3:]


def test_gap_in_time_without_gap_in_numbers_is_silence_not_loss() -> None:
    feed = Feed()
    for k in range(4):
        feed.packet(k)
        feed.frame()
    feed.packet(4, shift=320)
    out = [feed.frame() for _ in range(5)]
    assert out[2] == (feed.payload(3), False)
    assert out[3] == out[4] == (bytes([SILENCE]) * 160, False)
    assert feed.frame() == (feed.payload(4), False)


def test_long_hold_with_running_timestamps_resumes_in_place() -> None:
    feed = Feed()
    for k in range(5):
        feed.packet(k)
        feed.frame()
    for _ in range(500):
        feed.frame()
    feed.packet(5, shift=500 * 160)
    out = [feed.frame() for _ in range(4)]
    assert out == [(bytes([SILENCE]) * 160, False)] * 3 + [(feed.payload(5), False)]
    assert feed.playout.counters.resyncs == 0


def test_timestamps_that_stood_still_are_anchored_anew() -> None:
    feed = Feed()
    for k in range(5):
        feed.packet(k)
        feed.frame()
    for _ in range(500):
        feed.frame()
    out = []
    for k in range(5, 60):
        feed.packet(k)
        out.append(feed.frame())
    assert feed.playout.counters.resyncs == 1
    assert not any(erased for _, erased in out[-20:])


def test_a_timestamp_that_contradicts_the_sequence_is_not_believed() -> None:
    feed = Feed()
    out = []
    for k in range(30):
        feed.packet(k, shift=-1_000_000 if k >= 10 else 0)
        out.append(feed.frame())
    assert feed.playout.counters.timestamp_jumps == 1
    assert [octets for octets, _ in out[3:]] == [feed.payload(k) for k in range(27)]


def test_restart_of_the_source_is_anchored_anew() -> None:
    feed = Feed()
    for k in range(10):
        feed.packet(k)
        feed.frame()
    feed.sequence += 20000
    feed.timestamp += 7777
    out = []
    for k in range(20):
        feed.packet(k)
        out.append(feed.frame())
    assert out[-1] == (feed.payload(16), False)
    assert feed.playout.counters.resyncs == 1


def test_announced_restart() -> None:
    feed = Feed()
    for k in range(5):
        feed.packet(k)
        feed.frame()
    feed.playout.restart()
    assert feed.frame()[1]
    assert feed.playout.counters.resyncs == 0


def test_packets_beyond_the_buffer_are_early() -> None:
    feed = Feed()
    feed.packet(0)
    for k in range(1, 120):
        feed.packet(k)
    assert feed.playout.counters.early > 0
    for _ in range(200):
        feed.frame()


@pytest.mark.parametrize("delay", [0, 159, AHEAD_LIMIT])
def test_delay_out_of_range(delay: int) -> None:
    with pytest.raises(ConfigError, match="playout delay"):
        Playout(SILENCE, delay)


@given(
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, 479), st.booleans(), st.booleans()), min_size=10, max_size=80),
)
def test_played_is_what_was_sent_or_marked(
    sequence: int, timestamp: int, life: list[tuple[int, bool, bool]]
) -> None:
    """Jitter below the delay, loss and duplicates: each frame is the right one or an erasure."""
    feed = Feed(sequence=sequence, timestamp=timestamp)
    arrivals = [(0.0, 0)]
    for k, (jitter, lost, twice) in enumerate(life, 1):
        if not lost:
            arrivals += [(k * 160 + jitter, k)] * (2 if twice else 1)
    arrivals.sort()
    out: dict[int, tuple[bytes, bool]] = {}
    for frame in range(len(life) + 4):
        while arrivals and arrivals[0][0] <= feed.now:
            at, k = arrivals.pop(0)
            feed.packet(k, at=at)
        out[frame - 3] = feed.frame()
    for k, (_, lost, _) in enumerate(life, 1):
        assert out[k] == ((bytes([SILENCE]) * 160, True) if lost else (feed.payload(k), False))
    assert feed.playout.counters.late == 0


def test_codewords_are_octets() -> None:
    octets, _ = Playout(SILENCE).pull(0)
    assert octets.dtype == np.uint8
    assert octets.shape == (160,)


@pytest.mark.parametrize(("delay", "moved"), [(800, 320), (320, -160), (500, 0), (10**6, 7520), (0, -320)])
def test_the_delay_may_be_changed(delay: int, moved: int) -> None:
    feed = Feed()
    out = []
    for k in range(100):
        if k == 20:
            assert feed.playout.change_delay(delay) == moved
            assert feed.playout.delay == 480 + moved
        feed.packet(k)
        out.append(feed.frame())
    frames = moved // 160
    assert [octets for octets, _ in out[3:20]] == [feed.payload(k) for k in range(17)]
    heard = out[20:]
    assert all(erased for _, erased in heard[: max(0, frames)])
    for k, (octets, erased) in enumerate(heard[max(0, frames) :]):
        assert not erased
        assert octets == feed.payload(17 + max(0, -frames) + k)
    assert feed.playout.margin == 480 + moved
    assert feed.playout.counters.delay_changes == bool(moved)
    assert feed.playout.counters.late == feed.playout.counters.resyncs == 0


def test_a_longer_delay_lets_late_packets_in() -> None:
    feed = Feed()
    out = []
    for k in range(60):
        if k == 20:
            feed.playout.change_delay(640)
        # Every other packet is 70 ms late.
        if k % 2 == 0:
            feed.packet(k)
        if k >= 4 and k % 2 == 1:
            feed.packet(k - 4, at=feed.now - 80)
        out.append(feed.frame())
    assert sum(erased for _, erased in out[6:20]) == 7
    assert not any(erased for _, erased in out[24:])


def test_a_delay_before_the_first_packet() -> None:
    feed = Feed()
    assert feed.playout.change_delay(160) == -320
    feed.packet(0)
    assert [feed.frame()[1] for _ in range(2)] == [True, False]
