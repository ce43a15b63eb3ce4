from ansam.rtp.sequence import Order, SequenceTracker


def feed(tracker: SequenceTracker, *numbers: int) -> list[Order]:
    return [tracker.update(n & 0xFFFF)[1] for n in numbers]


def test_wrap_continues() -> None:
    tracker = SequenceTracker()
    first, _ = tracker.update(65534)
    assert [tracker.update(n)[0] - first for n in (65535, 0, 1)] == [1, 2, 3]
    assert tracker.lost == 0


def test_loss_and_late_arrival() -> None:
    tracker = SequenceTracker()
    assert feed(tracker, 10, 13, 11) == [Order.RESTART, Order.AHEAD, Order.BEHIND]
    assert tracker.lost == 1


def test_duplicates_of_the_newest_and_of_older() -> None:
    tracker = SequenceTracker()
    assert feed(tracker, 5, 6, 6, 5) == [Order.RESTART, Order.NEXT, Order.DUPLICATE, Order.DUPLICATE]
    assert tracker.duplicates == 2
    assert tracker.received == 2


def test_overtaken_first_packet_is_not_a_loss() -> None:
    tracker = SequenceTracker()
    assert feed(tracker, 1, 0) == [Order.RESTART, Order.BEHIND]
    assert tracker.expected == 2
    assert tracker.lost == 0


def test_one_stray_is_dropped_and_two_in_a_row_restart() -> None:
    tracker = SequenceTracker()
    assert feed(tracker, 100, 102, 30000, 103) == [Order.RESTART, Order.AHEAD, Order.OUTSIDE, Order.NEXT]
    assert feed(tracker, 30000, 30001, 30002) == [Order.OUTSIDE, Order.RESTART, Order.NEXT]
    assert tracker.lost == 1
