"""What may not have arrived when a line breaks."""

from ansam.answer.line_time import MODEM_BUFFER, NOTICED_WITHIN, LineTime


def test_what_a_slow_line_still_holds_is_under_way() -> None:
    line = LineTime(0.0)
    line.connected(300, 0.0)
    for _ in range(3):
        line.count(bytes(2048), 0.0)
    assert line.under_way(0.0) == 3 * 2048 == MODEM_BUFFER
    carried = 2048 * 10 / 300
    assert line.under_way(carried + NOTICED_WITHIN - 0.1) == 3 * 2048
    assert line.under_way(carried + NOTICED_WITHIN + 0.1) == 2 * 2048
    assert line.under_way(3 * carried + NOTICED_WITHIN + 0.1) == 0


def test_what_is_said_faster_than_the_line_carries_it_is_compressed_and_counts_by_its_age() -> None:
    line = LineTime(0.0)
    line.connected(33600, 0.0)
    for second in range(100):
        line.count(bytes(20_000), float(second))
    # All of the last seconds, however much it is.
    assert line.under_way(99.0) == 20_000 * 10
    line.connected(33600, 100.0)
    assert line.under_way(100.0) == 0
