import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import RemoteProtocolError
from ansam.link import v44
from ansam.link.v42 import xid
from ansam.link.v42.xid import Compression, Parameters
from ansam.link.v44 import Proposal

directions = st.integers(1, 3)
sides = st.none() | st.builds(
    v44.Parameters, st.integers(256, 65535), st.integers(32, 255), st.integers(512, 65535)
)
parameters = st.builds(
    Parameters,
    n401=st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
    k=st.tuples(st.integers(1, 127), st.integers(1, 127)),
    srej=st.booleans(),
    test=st.booleans(),
    fcs32=st.booleans(),
    v42bis=st.none()
    | st.builds(
        Compression,
        directions,
        st.integers(512, 65535),
        st.integers(6, 250),
    ),
    v44=st.none() | st.builds(Proposal, sides, sides).filter(lambda p: p.transmit or p.receive),
)


@given(parameters, st.booleans())
def test_round_trip(values, response):
    assert xid.decode(xid.encode(values, response=response)) == values


@given(st.binary(max_size=80))
def test_garbage_never_breaks(octets):
    for information in (octets, b"\x82" + octets):
        with contextlib.suppress(RemoteProtocolError):
            xid.decode(information)


def test_unknown_groups_and_parameters_are_ignored():
    values = Parameters(v42bis=Compression(3, 2048, 32))
    octets = xid.encode(values)
    strange = b"\x82\x85\x00\x03\x09\x01\x07" + octets[1:]
    assert xid.decode(strange) == values


def test_octets_of_a_real_modem():
    """A caller as recorded (Banksia MyModem 14.4): P0=3, P1=2048, P2=32, N401 255/128, k 8."""
    octets = bytes.fromhex("82 80 00 13 03 03 8a 89 00 05 02 07 f8 06 02 04 00 07 01 08 08 01 08")
    octets += bytes.fromhex("f0 00 0f 00 03 56 34 32 01 01 03 02 02 08 00 03 01 20")
    values = xid.decode(octets)
    assert values.n401 == (255, 128)
    assert values.k == (8, 8)
    assert values.v42bis == Compression(3, 2048, 32)
    assert not values.srej


def test_responder_chooses_between_offer_and_default():
    wanted = Parameters(n401=(512, 512), k=(63, 63), srej=True)
    chosen = xid.respond(Parameters(n401=(255, 64), k=(8, 127)), wanted)
    assert chosen.n401 == (255, 128)
    assert chosen.k == (15, 63)
    assert not chosen.srej


def test_compression_takes_the_smaller_values_and_common_directions():
    ours = Parameters(v42bis=Compression(3, 2048, 32))
    theirs = Parameters(v42bis=Compression(1, 1024, 250))
    assert xid.respond(theirs, ours).v42bis == Compression(1, 1024, 32)
    assert xid.respond(Parameters(), ours).v42bis is None
    nothing = Parameters(v42bis=Compression(2, 512, 6))
    assert xid.respond(nothing, Parameters(v42bis=Compression(1))).v42bis is None


@given(parameters, parameters)
def test_both_ends_agree(offer, wanted):
    chosen = xid.respond(offer, wanted)
    received = xid.accept(xid.decode(xid.encode(chosen, response=True)), offer)
    assert replace(received, v44=None) == replace(chosen, v44=None)
    if chosen.v44 is None:
        assert received.v44 is None
    else:
        assert (received.v44.transmit, received.v44.receive) == (chosen.v44.receive, chosen.v44.transmit)


@given(parameters)
def test_a_response_can_not_bring_what_was_not_offered(response):
    plain = Parameters()
    accepted = xid.accept(response, plain)
    n401 = tuple(min(128, value) for value in response.n401)
    k = tuple(min(15, value) for value in response.k)
    assert accepted == replace(plain, n401=n401, k=k)


@given(parameters)
def test_turned_twice_is_as_before(values):
    assert values.turned().turned() == values
    if values.v42bis is not None and values.v42bis.directions == 1:
        assert values.turned().v42bis.directions == 2


@pytest.mark.parametrize("item", ["02 02 01 ff", "03 01 05", "03 01 fb"])
def test_parameters_below_their_minimum_end_the_connection(item):
    private = bytes.fromhex("00 03 56 34 32 01 01 03" + item)
    with pytest.raises(RemoteProtocolError, match=r"V\.42bis"):
        xid.decode(b"\x82\xf0\x00" + bytes((len(private),)) + private)
