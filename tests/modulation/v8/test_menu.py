import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.modulation.v8 import menu
from ansam.modulation.v8.menu import Access, CallFunction, Menu, Mode, Pcm

# What real modems say (../shared/recordings/README.md), and how it reads.
RECORDED = {
    "C1 65 13 90 27 0D": "data, V.34 V.32bis/V.32 V.22bis/V.22 V.21, PCM analogue, analogue",
    "C1 65 17 94 2A 0D 27": (
        "data, V.34 V.32bis/V.32 V.22bis/V.22 V.17 V.23 V.21, PCM analogue, LAPM, analogue"
    ),
    "C1 65 13 94 47 8D": "data, V.34 V.32bis/V.32 V.22bis/V.22 V.23 V.21, PCM digital, digital",
    "C1 45": "data, V.34",
    "C1 45 13 94 0D": "data, V.34 V.32bis/V.32 V.22bis/V.22 V.23 V.21, analogue",
    "C1 65 D7 90 27 2A 0D": (
        "data, V.34 V.32bis/V.32 V.22bis/V.22 V.17 V.29 half duplex V.27ter V.21, "
        "PCM analogue, LAPM, analogue"
    ),
}

menus = st.builds(
    Menu,
    st.sampled_from(CallFunction),
    st.none() | st.frozensets(st.sampled_from(Mode)),
    st.none() | st.frozensets(st.sampled_from(Pcm)),
    st.booleans(),
    st.none() | st.frozensets(st.sampled_from(Access)),
)


@pytest.mark.parametrize("octets", RECORDED)
def test_reads_what_real_modems_say(octets):
    assert menu.decode(bytes.fromhex(octets)).describe() == RECORDED[octets]


@given(menus)
def test_round_trip(offer):
    back = menu.decode(offer.encode())
    assert back.encode() == offer.encode()
    assert (back.call_function, back.modes, back.pcm, back.lapm, back.access) == (
        offer.call_function,
        offer.modes,
        offer.pcm,
        offer.lapm,
        offer.access,
    )


@given(st.binary(max_size=40))
def test_unknown_octets_are_kept_and_ignored(octets):
    assert menu.decode(octets).octets == octets


def test_reserved_categories_and_extensions_are_ignored():
    known = bytes.fromhex("C1 45 13 94")
    strange = known + bytes.fromhex("10 0E 10 F3 2A")
    assert menu.decode(strange).modes == menu.decode(known).modes
    assert menu.decode(strange).lapm


@given(menus)
def test_no_flag_can_appear(offer):
    """§5: a receiver of T.30 must never see 01111110 in a JM."""
    bits = "".join(map(str, menu.sequence(offer.encode()).tolist() * 2))
    assert "01111110" not in bits


def test_jm_shows_what_both_have():
    ours = Menu(modes=frozenset({Mode.V34, Mode.V22BIS, Mode.V21}), lapm=True)
    cm = menu.decode(bytes.fromhex("C1 65 13 94 2A 0D 27"))
    jm = menu.joint(cm, ours)
    assert jm.modes == {Mode.V34, Mode.V22BIS, Mode.V21}
    assert jm.lapm
    assert jm.pcm is None
    assert jm.best is Mode.V34
    assert jm.encode() == bytes.fromhex("C1 45 12 90 2A")


def test_jm_without_anything_in_common_has_zeros_in_as_many_octets():
    ours = Menu(modes=frozenset({Mode.V22BIS}))
    jm = menu.joint(menu.decode(bytes.fromhex("C1 45 11 10")), ours)
    assert jm.encode() == bytes.fromhex("C1 05 10 10")
    assert jm.best is None
    fax = menu.joint(menu.decode(bytes.fromhex("81 45 13 94")), ours)
    assert fax.encode() == bytes.fromhex("C1 05 10 10")


def test_pcm_needs_v34_and_brings_access():
    ours = Menu(modes=frozenset({Mode.V34}), pcm=frozenset({Pcm.ANALOGUE}), access=None)
    jm = menu.joint(menu.decode(bytes.fromhex("C1 65 27 0D")), ours)
    assert jm.pcm == {Pcm.ANALOGUE}
    assert jm.access == frozenset()


def test_sequence_bits():
    bits = "".join(map(str, menu.sequence(b"\xc1").tolist()))
    assert bits == "1111111111" + "0000001111" + "0100000111"[:10]
    assert "".join(map(str, menu.CJ.tolist())) == "0000000001" * 3
