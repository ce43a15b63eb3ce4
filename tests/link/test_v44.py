import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.payloads import payloads, prose
from tests.support.v44_reference import (
    ETM,
    FLUSH,
    REINIT,
    STEPUP,
    ReferenceDecoder,
    ReferenceEncoder,
    extension_bits,
    lsb_first,
    octets,
)

from ansam.errors import ConfigError, RemoteProtocolError
from ansam.link.v44 import Decoder, Encoder, Parameters, Proposal
from ansam.link.v44 import encoder as encoder_module

SIZES = [(256, 32, 512), (256, 255, 65535), (1024, 255, 3072), (2048, 46, 512), (65535, 255, 65535)]


def control(code, size=6):
    return "1" + lsb_first(code, size)


def ordinal(character, size=7):
    return "0" + lsb_first(character, size)


def codeword(code, size=6):
    return "1" + lsb_first(code, size)


# Worked examples of the Recommendation


TABLE_II_1 = """
10000010 10000100 10000110 10001000 10001010 10110000 00001001 00101001
01011011 00101001 11111000 00010111 01100100 01101000 00000000
"""


def test_example_of_appendix_ii_1_octet_by_octet():
    expected = bytes(int(row, 2) for row in TABLE_II_1.split())
    encoder, decoder = Encoder(), Decoder()
    assert encoder.encode(b"ABCDEXABCDEYABCDE\xffAC") + encoder.flush() == expected
    assert decoder.decode(expected) == b"ABCDEXABCDEYABCDE\xffAC"


def test_dictionaries_after_stage_11_of_appendix_ii_1():
    encoder, decoder = Encoder(), Decoder()
    decoder.decode(encoder.encode(b"ABCDEXABCDEYABCDE\xffAC") + encoder.flush())
    # Codeword 15 comes with the next character: Appendix II shows an encoder that takes it before.
    decoder.decode(encoder.encode(b"?") + encoder.flush())
    _, first, length, parent, _, _ = encoder._tables
    assert first[4:16].tolist() == [1, 2, 3, 4, 5, 6, 8, 12, 17, 18, 19, 20]
    assert length[4:16].tolist() == [1, 1, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1]
    a, b, c, d, e, x, y = b"ABCDEXY"
    branches = [p - 256 if p > 255 else p for p in parent[4:16].tolist()]
    assert branches == [a, b, c, d, e, x, 4, y, 10, 0xFF, a, c]
    _, last, length, _ = decoder._tables
    assert last[4:15].tolist() == [1, 2, 3, 4, 5, 6, 10, 12, 17, 18, 19]
    assert length[4:15].tolist() == [2, 2, 2, 2, 2, 2, 5, 2, 6, 2, 2]


def test_example_of_appendix_ii_2_codes_and_dictionaries():
    encoder, decoder = Encoder(), Decoder()
    packed = encoder.encode(b"CCCCCCCCCCX") + encoder.flush()
    codes = ordinal(ord("C")) + codeword(4) + "01" + "0" + "00" + "0" + "010" + ordinal(ord("X"))
    assert packed == octets(codes + control(FLUSH))
    assert decoder.decode(packed) == b"CCCCCCCCCCX"
    assert encoder._tables[1][4:6].tolist() == [1, 3]
    assert encoder._tables[2][4:6].tolist() == [1, 7]
    assert decoder._tables[1][4:6].tolist() == [1, 9]
    assert decoder._tables[2][4:6].tolist() == [2, 9]


def test_example_of_transfer_table_6():
    # The codes are abstract there, so they go straight into the functions of §6.6.
    module = encoder_module
    encoder = Encoder()
    state, out = encoder._state, np.zeros(32, np.uint8)
    state[module._C2], state[module._C3], state[module._C5] = 11, 2048, 8
    a, b, c, d, e = 0b10110011010, 0xB5, 0x1C, 0b01011100011, 0xE6
    n = module._put(state, out, 0, 0, 2)  # "..." of the octet i
    n = module._put_codeword(state, out, n, a)
    n = module._put_ordinal(state, out, n, b)
    n = module._put_ordinal(state, out, n, c)
    n = module._put_codeword(state, out, n, d)
    n = module._put_extension(state, out, n, 8)
    n = module._put_ordinal(state, out, n, e)
    n = module._put_control(state, out, n, ETM)
    n = module._align(state, out, n)

    def bits(value, *numbers):  # A1 is the least significant bit.
        return [value >> (number - 1) & 1 for number in numbers]

    table = [
        [*bits(a, 5, 4, 3, 2, 1), 1, 0, 0],
        [0, 0, *bits(a, 11, 10, 9, 8, 7, 6)],
        bits(b, 8, 7, 6, 5, 4, 3, 2, 1),
        [*bits(c, 7, 6, 5, 4, 3, 2, 1), 0],
        [*bits(d, 6, 5, 4, 3, 2, 1), 1, *bits(c, 8)],
        [0, 1, 0, *bits(d, 11, 10, 9, 8, 7)],
        [*bits(e, 1), 0, 0, 1, 1, 0, 0, 0],
        [1, *bits(e, 8, 7, 6, 5, 4, 3, 2)],
        [0] * 8,
        [0] * 8,
    ]
    assert [f"{octet:08b}" for octet in out[:n]] == ["".join(map(str, row)) for row in table]


@pytest.mark.parametrize("n7", [32, 46, 47, 78, 79, 142, 143, 255])
def test_every_string_extension_length_of_tables_3_and_4(n7):
    module = encoder_module
    for length in range(1, n7 - 1):
        encoder, out = Encoder(string_length=n7), np.zeros(8, np.uint8)
        n = module._put_extension(encoder._state, out, 0, length)
        n = module._align(encoder._state, out, n)
        assert out[:n].tobytes() == octets("01" + extension_bits(length, n7))
        # "aa" as codeword 4, then its extension.
        packed = octets(ordinal(ord("a")) + codeword(4) + "01" + extension_bits(length, n7) + control(FLUSH))
        assert Decoder(string_length=n7).decode(packed) == b"a" * (3 + length)


# Against the clauses written out slowly


ALPHABET = st.sampled_from([b"a", b"b", b"c", b"ab", b"abc", b"aaaa", b"the ", b"\x80", b"\xff\xfe"])


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(
        [(256, 32, 512), (300, 47, 700), (300, 79, 65535), (1024, 255, 3072), (4096, 143, 16384)]
    ),
)
def test_encoder_and_decoder_do_as_the_reference(seed, size):
    rng = random.Random(seed)
    vocabulary = [rng.randbytes(rng.randrange(1, 9)) for _ in range(rng.randrange(1, 12))]
    data = b"".join(rng.choice(vocabulary) * rng.choice((1, 1, 1, 7)) for _ in range(rng.randrange(1000)))
    encoder, coded = Encoder(*size), ReferenceEncoder(*size)
    packed = encoder.encode(data) + encoder.flush()
    assert encoder.compressed, "the reference knows no transparent mode"
    coded.encode(data)
    if data:
        coded._control(FLUSH)
    assert packed == octets(coded.bits)
    assert ReferenceDecoder(*size[:2]).decode(packed) == data
    assert Decoder(*size).decode(packed) == data


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", ["prose", "one octet", "two octets", "eight bits"])
def test_long_data_as_the_reference(name, size):
    data = payloads()[name][:12000]
    encoder, coded = Encoder(*size), ReferenceEncoder(*size)
    coded.encode(data)
    coded._control(FLUSH)
    packed = encoder.encode(data) + encoder.flush()
    assert encoder.compressed
    assert packed == octets(coded.bits)
    assert ReferenceDecoder(*size[:2]).decode(packed) == data


# Round trips


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


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.one_of(st.binary(max_size=60), ALPHABET), st.booleans()), max_size=60),
    st.integers(256, 600),
    st.integers(32, 255),
    st.integers(512, 1500),
    st.integers(1, 9),
)
def test_any_data_crosses_with_any_parameters(pieces, n2, n7, n8, cut):
    encoder, decoder = Encoder(n2, n7, n8), Decoder(n2, n7, n8)
    out = b""
    for data, flush in [*pieces, (b"", True)]:
        packed = encoder.encode(data) + (encoder.flush() if flush else b"")
        for k in range(0, len(packed), cut):
            out += decoder.decode(packed[k : k + cut])
    assert out == b"".join(data for data, _ in pieces)


@pytest.mark.parametrize("name", payloads())
@pytest.mark.parametrize("size", [(256, 32, 512), (1024, 255, 3072)], ids=str)
def test_output_does_not_depend_on_how_the_input_was_cut(name, size):
    data, rng = payloads()[name][:9000], random.Random(5)
    whole, encoder, decoder = Encoder(*size), Encoder(*size), Decoder(*size)
    packed = whole.encode(data)
    pieces, position = [], 0
    while position < len(data):
        step = rng.choice((1, 1, 2, 7, 300))
        pieces.append(encoder.encode(data[position : position + step]))
        position += step
    assert b"".join(pieces) == packed
    packed += whole.flush()
    assert b"".join(decoder.decode(packed[k : k + 1]) for k in range(len(packed))) == data


def test_flush_after_every_character():
    data = prose(300) + b"a" * 300
    encoder, decoder = Encoder(256, 32, 512), Decoder(256, 32, 512)
    for k in range(len(data)):
        assert decoder.decode(encoder.encode(data[k : k + 1]) + encoder.flush()) == data[k : k + 1]


def test_flush_with_nothing_new_sends_nothing():
    encoder = Encoder()
    assert encoder.flush() == b""
    encoder.encode(b"x")
    assert encoder.flush() != b""
    assert encoder.flush() == b""


def test_character_after_a_flush_is_appended_to_the_codeword_before_it():
    encoder, decoder = Encoder(), Decoder()
    packed = encoder.encode(b"abab") + encoder.flush()
    # a, b, codeword 4 = "ab", FLUSH; then "x" appended to it (§6.3.2), and "abx" is codeword 6.
    assert packed == octets(ordinal(ord("a")) + ordinal(ord("b")) + codeword(4) + control(FLUSH))
    more = encoder.encode(b"xabx") + encoder.flush()
    assert more == octets(ordinal(ord("x")) + codeword(6) + control(FLUSH))
    assert decoder.decode(packed + more) == b"ababxabx"


# Modes


def test_compresses_prose_and_leaves_noise_alone():
    def ratio(data):
        encoder = Encoder()
        return len(data) / len(encoder.encode(data) + encoder.flush())

    assert ratio(payloads()["prose"]) > 4
    assert ratio(payloads()["noise"]) > 0.99


def test_expansion_of_data_made_to_provoke_it_is_bounded():
    # Ordinals cost a bit each until the mode changes; one long string in transparent mode brings it back.
    rng = random.Random(2)
    for high, low in ((60, 40), (60, 12), (110, 30), (45, 25)):
        data = b"".join(
            bytes(rng.randrange(128, 256) for _ in range(high)) + b"\xee" * low for _ in range(300)
        )
        encoder = Encoder()
        assert len(encoder.encode(data) + encoder.flush()) < 1.1 * len(data)


def test_changes_mode_both_ways():
    encoder = Encoder()
    assert encoder.compressed, "V.44 starts in compressed mode (§7.5)"
    encoder.encode(payloads()["noise"])
    assert not encoder.compressed
    assert encoder.flush() == b"", "in transparent mode everything has gone already (§7.13)"
    encoder.encode(prose(500))
    assert encoder.compressed


def test_transparent_mode_and_its_escape_sequences():
    decoder = Decoder()
    # ESCAPE is 0, then 51 after its EID, and compressed characters leave it alone (§7.14).
    packed = octets(control(ETM)) + b"ab\x00\x01c\x33\x01\x66\x00"
    packed += octets(ordinal(0x66) + codeword(4) + control(ETM)) + b"\x00\x66\x01z"
    assert decoder.decode(packed) == b"ab\x00c\x33" + b"\x66\x66\x66" + b"\x00\x66z"
    assert not decoder.compressed


def test_dictionary_starts_anew_on_ecm_and_on_reinit():
    for leave in (control(REINIT), None):
        decoder = Decoder()
        filled = ordinal(ord("a")) + codeword(4)
        if leave:
            packed = octets(filled + leave + ordinal(ord("b")) + codeword(5))
        else:
            packed = octets(filled + control(ETM)) + b"\x00\x00" + octets(ordinal(ord("b")) + codeword(5))
        with pytest.raises(RemoteProtocolError, match="codeword not created yet"):
            decoder.decode(packed)


def test_parameter_mode_carries_proposals():
    encoder, decoder = Encoder(), Decoder()
    wanted = Proposal(Parameters(4096, 200, 20000), Parameters(512, 100, 2048))
    piece = encoder.encode(b"before") + encoder.propose(wanted) + encoder.encode(b"after")
    assert decoder.take_proposal() is None
    assert b"".join(decoder.decode(piece[k : k + 1]) for k in range(len(piece))) == b"beforeafter"
    assert decoder.take_proposal() == wanted
    assert decoder.take_proposal() is None
    assert decoder.decode(encoder.propose(wanted)) == b"", "from transparent mode too"
    assert decoder.take_proposal() == wanted


# Bad input


@pytest.mark.parametrize(
    ("bits", "match"),
    [
        (codeword(4), "codeword not created yet"),
        (ordinal(65) + codeword(5), "codeword not created yet"),
        (ordinal(65) + codeword(4) + "01" + "1" + codeword(6), "codeword not created yet"),
        (ordinal(65) + control(STEPUP) + ordinal(200, 8) + control(STEPUP) + "0", "beyond 8"),
        (
            "".join(control(STEPUP, size) for size in (6, 7, 8)) + "1",
            "beyond N1",
        ),
    ],
)
def test_procedural_errors(bits, match):
    decoder = Decoder(256, 32, 512)
    with pytest.raises(RemoteProtocolError, match=match):
        decoder.decode(octets(bits) + b"\x00")


def test_codeword_that_a_string_of_n7_can_not_have_created():
    # "a", codeword 4 extended by 30 to 32 characters as codeword 5; then codewords 5 and 6.
    bits = ordinal(97) + codeword(4) + "01" + extension_bits(30, 32) + codeword(5) + codeword(6)
    with pytest.raises(RemoteProtocolError, match="codeword not created yet"):
        Decoder(256, 32, 512).decode(octets(bits))


def test_more_characters_than_the_history_holds():
    with pytest.raises(RemoteProtocolError, match="history"):
        Decoder(256, 32, 512).decode(octets(ordinal(65) * 513))
    with pytest.raises(RemoteProtocolError, match="history"):
        Decoder(256, 32, 512).decode(octets(ordinal(65) * 511 + codeword(4)))
    assert Decoder(256, 32, 512).decode(octets(ordinal(65) * 512)) == b"A" * 512


def test_string_collection_that_is_full_stays_as_it_is():
    # 300 different pairs, 252 of which find a codeword.
    data = bytes(random.Random(1).randrange(128) for _ in range(300))
    packed = octets("".join(map(ordinal, data)))
    assert Decoder(256, 32, 512).decode(packed) == data


def test_errors_of_transparent_and_parameter_mode():
    with pytest.raises(RemoteProtocolError, match="reserved command"):
        Decoder().decode(octets(control(ETM)) + b"\x00\x03")
    with pytest.raises(RemoteProtocolError, match="without an end"):
        Decoder().decode(octets(control(ETM)) + b"\x00\x02" + b"\x90\x05aaaaa" * 60)
    with pytest.raises(RemoteProtocolError, match="codewords of 100 proposed"):
        Decoder().decode(octets(control(ETM)) + b"\x00\x02\x43\x02\x00\x64\xff")


def test_limit_stops_a_flood():
    encoder = Encoder(2048, 255, 65535)
    packed = encoder.encode(b"a" * 60000) + encoder.flush()
    assert len(packed) < 800
    with pytest.raises(RemoteProtocolError, match="expand to more than 5000"):
        Decoder(2048, 255, 65535).decode(packed, limit=5000)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=400),
    st.lists(st.integers(1, 30), min_size=1, max_size=10),
    st.sampled_from([b"", prose(30), octets(control(ETM)), octets(control(ETM)) + b"\x00\x02"]),
    st.sampled_from(SIZES),
)
def test_garbage_is_refused_or_decoded_but_never_breaks_the_decoder(data, cuts, start, size):
    decoder = Decoder(*size)
    position, index = 0, 0
    data = start + data
    try:
        while position < len(data):
            step = cuts[index % len(cuts)]
            assert len(decoder.decode(data[position : position + step])) <= (step + 3) * 300
            position, index = position + step, index + 1
    except RemoteProtocolError:
        decoder.initialise()
        encoder = Encoder(*size)
        assert decoder.decode(encoder.encode(b"again") + encoder.flush()) == b"again"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(SIZES))
def test_broken_streams_never_break_the_decoder(seed, size):
    rng = random.Random(seed)
    encoder, decoder = Encoder(*size), Decoder(*size)
    packed = bytearray(encoder.encode(prose(200, seed) + rng.randbytes(200) + prose(200)) + encoder.flush())
    for _ in range(rng.randrange(1, 5)):
        packed[rng.randrange(len(packed))] ^= 1 << rng.randrange(8)
    try:
        assert len(decoder.decode(bytes(packed))) < 300 * len(packed)
    except RemoteProtocolError:
        decoder.initialise()
        encoder.initialise()
        assert decoder.decode(encoder.encode(prose(50)) + encoder.flush()) == prose(50)


# Parameters


@pytest.mark.parametrize(
    "parameters", [(255, 255, 3072), (65536, 255, 3072), (256, 31, 512), (256, 256, 512), (256, 32, 511)]
)
def test_parameters_out_of_range_are_refused(parameters):
    for side in (Encoder, Decoder):
        with pytest.raises(ConfigError, match=r"V\.44"):
            side(*parameters)


def test_default_parameters():
    assert Encoder().parameters == Decoder().parameters == Parameters(1024, 255, 3072)
    assert Parameters(65535).history == 65535, "two octets say no more"
    assert [Parameters(n).codeword_size for n in (256, 257, 1024, 65535)] == [8, 9, 10, 16]


def test_proposals_stand_as_in_table_a_1():
    proposal = Proposal(Parameters(2048, 255, 8192), Parameters(1024, 128, 3072))
    expected = "420103 43020800 4501ff 47022000 44020400 460180 48020c00"
    assert proposal.octets() == bytes.fromhex(expected)
    assert Proposal.from_octets(proposal.octets()) == proposal
    assert Proposal.from_octets(b"") == Proposal(Parameters(), Parameters())
    assert Proposal.from_octets(b"\x42\x01\x01") == Proposal(Parameters(), None)
    assert Proposal.from_octets(b"\x90\x02zz\x43\x02\x08\x00\x42").transmit == Parameters(2048)


def test_each_value_agreed_is_the_lesser_of_transmit_and_receive():
    ours = Proposal(Parameters(2048, 255, 8192), Parameters(1024, 128, 3072))
    theirs = Proposal(Parameters(4096, 64, 60000), Parameters(512, 200, 60000))
    agreed = ours.agree(theirs)
    assert agreed == Proposal(Parameters(512, 200, 8192), Parameters(1024, 64, 3072))
    assert theirs.agree(ours) == Proposal(agreed.receive, agreed.transmit)


def test_directions_are_complementary():
    # §7.4: 01 against 10 agrees on one direction, 01 against 01 on none.
    ours, inverse = Proposal(receive=None), Proposal(transmit=None)
    assert ours.agree(inverse) == ours
    assert ours.agree(ours) == Proposal(None, None)


def test_values_below_the_minimum_are_a_procedural_error():
    for octets_ in (b"\x43\x02\x00\xff", b"\x46\x01\x1f", b"\x47\x02\x01\xff", b"\x47\x02\x00\x00"):
        with pytest.raises(RemoteProtocolError, match="proposed"):
            Proposal.from_octets(octets_)
