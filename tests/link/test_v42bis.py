import random
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import spandsp_v42bis
from tests.support.payloads import payloads, prose

from ansam.errors import ConfigError, RemoteProtocolError
from ansam.link.v42bis import MAX_STRING, Decoder, Encoder

SIZES = [(512, 6), (1024, 250), (2048, 32), (65535, 250)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", payloads())
def test_round_trip_with_flushes_at_random(name, size):
    data, rng = payloads()[name], random.Random(3)
    encoder, decoder = Encoder(*size), Decoder(*size)
    out, position = b"", 0
    while position < len(data):
        step = rng.choice((1, 2, 3, 10, 100, 1000))
        piece = encoder.encode(data[position : position + step])
        position += step
        if rng.random() < 0.1:
            piece += encoder.flush()
            out += decoder.decode(piece)
            assert out == data[:position], "a flush brings everything to the far end"
        else:
            out += decoder.decode(piece)
    assert out + decoder.decode(encoder.flush()) == data


def test_compresses_prose_and_leaves_noise_alone():
    def ratio(data):
        encoder = Encoder()
        return len(data) / len(encoder.encode(data) + encoder.flush())

    assert ratio(payloads()["prose"]) > 3
    assert ratio(payloads()["noise"]) > 0.99


def test_changes_mode_both_ways():
    encoder = Encoder()
    assert not encoder.compressed
    encoder.encode(prose(500))
    assert encoder.compressed
    encoder.encode(payloads()["noise"])
    assert not encoder.compressed
    encoder.encode(prose(500))
    assert encoder.compressed


@given(st.lists(st.tuples(st.binary(max_size=60), st.booleans()), max_size=30), st.sampled_from(SIZES))
def test_any_data_crosses(pieces, size):
    encoder, decoder = Encoder(*size), Decoder(*size)
    out = b""
    for data, flush in pieces:
        out += decoder.decode(encoder.encode(data) + (encoder.flush() if flush else b""))
    out += decoder.decode(encoder.flush())
    assert out == b"".join(data for data, _ in pieces)


@settings(max_examples=300)
@given(st.binary(max_size=400), st.lists(st.integers(1, 30), min_size=1, max_size=10))
def test_garbage_is_refused_or_decoded_but_never_breaks_the_decoder(data, cuts):
    decoder = Decoder(512, 6)
    position, index = 0, 0
    try:
        decoder.decode(b"\x00\x00")  # into compressed mode
        while position < len(data):
            step = cuts[index % len(cuts)]
            decoder.decode(data[position : position + step], limit=step * MAX_STRING)
            position, index = position + step, index + 1
    except RemoteProtocolError:
        decoder.initialise()
        encoder = Encoder(512, 6)
        assert decoder.decode(encoder.encode(b"again") + encoder.flush()) == b"again"


def test_errors_say_what_was_wrong():
    with pytest.raises(RemoteProtocolError, match="reserved command code"):
        Decoder().decode(b"\x00\x07")
    with pytest.raises(RemoteProtocolError, match="empty dictionary entry"):
        Decoder().decode(b"\x00\x00" + (400).to_bytes(2, "little"))
    with pytest.raises(RemoteProtocolError, match="beyond N1"):
        Decoder(512, 6).decode(b"\x00\x00\x02\x00")


def test_limit_stops_a_flood():
    encoder = Encoder(2048, 250)
    packed = encoder.encode(b"a" * 100000) + encoder.flush()
    with pytest.raises(RemoteProtocolError, match="expand to more than 5000"):
        Decoder(2048, 250).decode(packed, limit=5000)


def test_reset_command_empties_the_dictionary():
    decoder = Decoder()
    # "ab" twice, RESET with the escape character 0, then "ab" again: all in transparent mode.
    assert decoder.decode(b"abab\x00\x02ab") == b"ababab"
    assert not decoder.compressed


@pytest.mark.parametrize("parameters", [(511, 6), (65536, 6), (512, 5), (512, 251)])
def test_parameters_out_of_range_are_refused(parameters):
    with pytest.raises(ConfigError, match=r"V\.42bis"):
        Encoder(*parameters)


@pytest.mark.peer("libspandsp2")
@pytest.mark.parametrize("size", [(512, 6), (2048, 32), (4096, 250)], ids=str)
@pytest.mark.parametrize("name", payloads())
def test_spandsp_reads_us_and_we_read_spandsp(name, size):
    data = payloads()[name]
    encoder, decoder = Encoder(*size), Decoder(*size)
    with closing(spandsp_v42bis.Codec(*size)) as peer:
        decoded, status = peer.decode(encoder.encode(data) + encoder.flush())
        assert (decoded, status) == (data, 0)
        assert decoder.decode(peer.encode(data) + peer.flush()) == data
