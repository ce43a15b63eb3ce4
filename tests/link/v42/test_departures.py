"""The transmitter's sequence."""

from hypothesis import given
from hypothesis import strategies as st

from ansam.link.v42.departures import Departures
from ansam.link.v42.events import Counters
from ansam.link.v42.timing import RoundTrip

ROUND_TRIP = RoundTrip(2400)


def sent(departures: Departures, *informations: bytes) -> None:
    for information in informations:
        departures.send(departures.add(information), 0, ROUND_TRIP)


def test_an_acknowledgement_frees_what_it_covers_and_opens_the_window():
    departures = Departures(2, Counters())
    sent(departures, b"a", b"b")
    assert not departures.open
    assert [frame.information for frame in departures.acknowledge(1)] == [b"a"]
    assert departures.open
    assert departures.unacknowledged() == [b"b"]


def test_a_frame_asked_for_goes_again_once_and_not_when_it_has_arrived():
    counters = Counters()
    departures = Departures(15, counters)
    sent(departures, b"a", b"b", b"c")
    departures.ask(0)
    departures.ask(1)
    departures.ask(1)
    departures.ask(7)
    departures.acknowledge(1)
    assert departures.due() == 1
    departures.send(1, 0, ROUND_TRIP)
    assert departures.due() is None
    assert (counters.blocks_sent, counters.blocks_resent) == (3, 1)


def test_going_back_repeats_everything_in_order():
    departures = Departures(15, Counters())
    sent(departures, b"a", b"b", b"c")
    departures.acknowledge(1)
    departures.ask(2)
    departures.go_back()
    assert [departures.due(), departures.due(), departures.due()] == [1, 2, None]


def test_the_oldest_and_the_newest_show_the_gaps():
    departures = Departures(15, Counters())
    sent(departures, *(b"abcd"[n : n + 1] for n in range(4)))
    departures.acknowledge(1)
    departures.show_gaps()
    assert [departures.due(), departures.due(), departures.due()] == [1, 3, None]


def test_what_a_connection_sent_in_vain_is_sent_again_by_the_next():
    departures = Departures(15, Counters())
    departures.renumber([b"a", b"b"])
    assert [departures.due(), departures.due(), departures.due()] == [0, 1, None]
    assert departures.add(b"c") == 2


@given(st.integers(0, 500), st.integers(0, 127))
def test_numbers_count_on_beyond_their_modulus(before: int, ahead: int):
    departures = Departures(127, Counters())
    for _ in range(before):
        departures.add(b"")
        departures.acknowledge(departures.following)
    assert departures.count((before + ahead) % 128) == before + ahead
