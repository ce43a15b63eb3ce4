import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.link.base import BreakReceived, LinkUp
from ansam.link.v14 import RECEIVE_LIMIT, SEND_LIMIT, CharacterFormat, Deletion, Parity, StartStop

FORMATS = [
    CharacterFormat(data, parity, stop) for data in (5, 6, 7, 8) for parity in Parity for stop in (1, 2)
]


def carry(sender, receiver, data, chunk=37):
    receiver.receive_bits(sender.pull(3), 0)  # a line idles on marks before the first character
    sent = 0
    while sent < len(data) or sender.pending():
        sent += sender.send(data[sent:])
        receiver.receive_bits(sender.pull(chunk), 0)
    receiver.receive_bits(sender.pull(30), 0)
    return receiver.take_data()


@pytest.mark.parametrize("character", FORMATS, ids=lambda f: f"{f.data_bits}{f.parity.value}{f.stop_bits}")
def test_every_value_crosses_in_every_format(character):
    data = bytes(range(1 << character.data_bits)) * 2
    sender, receiver = StartStop(character), StartStop(character)
    assert carry(sender, receiver, data) == data
    assert receiver.counters.framing_errors == receiver.counters.parity_errors == 0
    assert receiver.counters.stop_elements_restored == 0


@given(st.binary(max_size=300), st.integers(1, 50), st.sampled_from([Deletion.BASIC, Deletion.EXTENDED]))
def test_deleted_stop_elements_are_restored(data, chunk, deletion):
    sender, receiver = StartStop(deletion=deletion), StartStop()
    assert carry(sender, receiver, data, chunk) == data


def test_overspeed_saves_the_bits_the_recommendation_allows():
    sender = StartStop(deletion=Deletion.BASIC)
    assert sender.pull(2).all()
    data = bytes(range(64, 104))
    sender.send(data)
    bits = sender.pull(400)
    # 40 characters, every eighth without its stop element, but the last one keeps it.
    receiver = StartStop()
    receiver.receive_bits(np.ones(1, np.uint8), 0)
    receiver.receive_bits(bits, 0)
    assert receiver.take_data() == data
    assert receiver.counters.stop_elements_restored == 4


def test_asynchronous_line_has_no_deleted_stop_elements():
    receiver = StartStop(start_stop=True)
    bits = [1, 1, 0, *[1, 0, 1, 0, 1, 0, 1, 0], 0, 1, 1, 1, *CharacterFormat().encode(65), 1]
    receiver.receive_bits(np.array(bits, np.uint8), 0)
    assert receiver.take_data() == b"\x55A"
    assert receiver.counters.framing_errors == 1


@pytest.mark.parametrize("start_stop", [False, True])
@pytest.mark.parametrize("milliseconds", [10, 100, 300])
def test_break(milliseconds, start_stop):
    sender, receiver = StartStop(start_stop=start_stop), StartStop(start_stop=start_stop)
    for end in (sender, receiver):
        end.set_rate(1200)
    receiver.receive_bits(sender.pull(10), 0)
    sender.send_break(milliseconds, 0)
    sender.send(b"after")
    receiver.receive_bits(sender.pull(600), 0)
    (event,) = receiver.take_events()
    assert isinstance(event, BreakReceived)
    assert abs(event.milliseconds - max(milliseconds, 23 / 1.2)) <= 1
    assert receiver.take_data() == b"after"


def test_link_contract():
    link = StartStop()
    link.start(0)
    assert link.take_events() == [LinkUp("NONE")]
    assert link.send(bytes(SEND_LIMIT + 5)) == SEND_LIMIT
    assert link.pending() == SEND_LIMIT
    assert link.deadline() is None


def test_receive_buffer_is_bounded():
    sender, receiver = StartStop(), StartStop()
    receiver._received.extend(bytes(RECEIVE_LIMIT - 2))
    receiver.receive_bits(sender.pull(3), 0)
    sender.send(b"12345")
    receiver.receive_bits(sender.pull(60), 0)
    assert receiver.counters.characters_lost == 3
    assert len(receiver.take_data()) == RECEIVE_LIMIT


def test_parity_error_is_counted_and_the_character_kept():
    even, odd = CharacterFormat(7, Parity.EVEN), CharacterFormat(7, Parity.ODD)
    sender, receiver = StartStop(even), StartStop(odd)
    assert carry(sender, receiver, b"abc") == b"abc"
    assert receiver.counters.parity_errors == 3


@given(st.lists(st.integers(0, 1), max_size=500), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_noise_never_breaks_the_receiver_and_cuts_do_not_matter(bits, cuts):
    whole, pieces = StartStop(), StartStop()
    array = np.array(bits, np.uint8)
    whole.receive_bits(array, 0)
    position = 0
    index = 0
    while position < len(array):
        step = cuts[index % len(cuts)]
        pieces.receive_bits(array[position : position + step], 0)
        position += step
        index += 1
    assert whole.take_data() == pieces.take_data()
    assert whole.counters == pieces.counters


def test_unknown_format_is_refused():
    with pytest.raises(ValueError, match="9 data"):
        CharacterFormat(9)
