"""A-law and µ-law against V.90 Table 1, G.711's own tables, Python's audioop and libspandsp."""

import ctypes
import ctypes.util
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.codec import Law, decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from ansam.errors import LocalProtocolError
from ansam.units import FULL_SCALE_DBM0, dbm0_from_power

LAWS = [Law.ALAW, Law.ULAW]
OCTETS = np.arange(256, dtype=np.uint8)


def audioop():
    """Python's own G.711 (deprecated in 3.11, gone in 3.13): from Sun's g711.c, independent of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return pytest.importorskip("audioop")


def as_audio(linear16):
    return (np.asarray(linear16) / 32768).astype(np.float32)


@pytest.mark.parametrize("law", LAWS)
def test_every_octet_survives_decoding_and_encoding(law):
    expected = OCTETS.copy()
    if law is Law.ULAW:
        expected[0x7F] = 0xFF  # negative zero
    np.testing.assert_array_equal(law.encode(law.decode(OCTETS)), expected)


def test_ulaw_has_two_zeros():
    assert decode_ulaw(OCTETS[[0x7F, 0xFF]]).tolist() == [0, 0]
    assert encode_ulaw(np.array([0, -1e-5], np.float32)).tolist() == [0xFF, 0x7F]


@pytest.mark.parametrize(("law", "name"), [(Law.ALAW, "alaw2lin"), (Law.ULAW, "ulaw2lin")])
def test_decoder_equals_audioop(law, name):
    theirs = np.frombuffer(getattr(audioop(), name)(bytes(range(256)), 2), "<i2")
    np.testing.assert_array_equal(law.linear_pcm, theirs)
    np.testing.assert_array_equal(law.decode(OCTETS), as_audio(theirs))


def test_alaw_encoder_equals_audioop_on_all_16_bit_samples():
    samples = np.arange(-32768, 32768).astype("<i2")
    theirs = np.frombuffer(audioop().lin2alaw(samples.tobytes(), 2), np.uint8)
    np.testing.assert_array_equal(encode_alaw(as_audio(samples)), theirs)


def test_ulaw_encoder_equals_audioop_between_decision_values():
    # Odd 14-bit values are decision values, where audioop goes away from zero on both sides.
    samples = np.arange(-32768, 32768, 8).astype("<i2")
    theirs = np.frombuffer(audioop().lin2ulaw(samples.tobytes(), 2), np.uint8)
    np.testing.assert_array_equal(encode_ulaw(as_audio(samples)), theirs)


@pytest.mark.peer("libspandsp2")
@pytest.mark.parametrize(("law", "mode"), [(Law.ALAW, 0), (Law.ULAW, 1)])
def test_equals_libspandsp(law, mode):
    lib = ctypes.CDLL(ctypes.util.find_library("spandsp"))
    lib.g711_init.restype = ctypes.c_void_p
    lib.g711_init.argtypes = [ctypes.c_void_p, ctypes.c_int]
    for name in ("g711_decode", "g711_encode"):
        getattr(lib, name).argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    state = lib.g711_init(None, mode)
    linear = np.zeros(256, np.int16)
    lib.g711_decode(state, linear.ctypes.data, OCTETS.ctypes.data, 256)
    np.testing.assert_array_equal(law.linear_pcm, linear)
    samples = np.arange(-32760, 32768, 8).astype(np.int16)
    octets = np.zeros(len(samples), np.uint8)
    lib.g711_encode(state, octets.ctypes.data, samples.ctypes.data, len(samples))
    ours = law.encode(as_audio(samples))
    # Decision values, which are free, are where the two may differ.
    free = law.linear_pcm[ours].astype(int) + law.linear_pcm[octets] == 2 * samples.astype(int)
    np.testing.assert_array_equal(ours[~free], octets[~free])
    assert np.count_nonzero(~free) > 3 * len(samples) // 4


def test_equals_v90_table_1():
    text = Path("/work/shared/itu/text/V.90-199809.txt")
    if not text.exists():
        pytest.skip("the Recommendation's text is not on this machine")
    row = re.compile(r"\b(\d{1,3})[^\S\n]+([0-9A-F]{2})[^\S\n]+(\d+)[^\S\n]+([0-9A-F]{2})[^\S\n]+(\d+)\b")
    rows = {int(m[1]): m.groups() for m in row.finditer(text.read_text())}
    for ucode, (_, ulaw, ulaw_linear, alaw, alaw_linear) in rows.items():
        assert Law.ULAW.linear_pcm[int(ulaw, 16)] == int(ulaw_linear), ucode
        assert Law.ALAW.linear_pcm[int(alaw, 16)] == int(alaw_linear), ucode
    assert sorted(rows) == list(range(128))


@pytest.mark.parametrize("law", LAWS)
@given(x=st.floats(-0.96875, 0.96875, width=32))
def test_no_sample_moves_by_more_than_half_a_step(law, x):
    sent = int(law.encode(np.array([x], np.float32))[0])
    if law is Law.ALAW:
        chord = ((sent ^ 0x55) >> 4) & 7
        half_step = 8 << max(chord - 1, 0)
    else:
        half_step = 4 << ((0xFF - sent) >> 4 & 7)
    assert abs(int(law.linear_pcm[sent]) - 32768 * x) <= half_step


@given(x=st.floats(-1, 1, width=32), y=st.floats(-1, 1, width=32))
@pytest.mark.parametrize("law", LAWS)
def test_louder_never_becomes_quieter(law, x, y):
    a, b = law.through(np.array(sorted([x, y]), np.float32))
    assert a <= b


@pytest.mark.parametrize(
    ("law", "octets", "t_max"),
    [
        (Law.ALAW, [0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4], 3.14),
        (Law.ULAW, [0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E], 3.17),
    ],
)
def test_the_milliwatt_of_tables_5_and_6_has_0_dbm0(law, octets, t_max):
    power = float(np.mean(law.decode(np.array(octets, np.uint8)).astype(float) ** 2))
    # µ-law's full scale is 8159 of 14 bits and +3.17 dBm0; the scale of units is 8192 and +3.14.
    assert dbm0_from_power(power) == pytest.approx(FULL_SCALE_DBM0 - t_max, abs=0.06)


def test_clipping():
    loud = np.array([-np.inf, -2.0, 2.0, np.inf], np.float32)
    assert encode_alaw(loud).tolist() == [0x2A, 0x2A, 0xAA, 0xAA]
    assert encode_ulaw(loud).tolist() == [0x00, 0x00, 0x80, 0x80]
    assert decode_alaw(np.array([0xAA], np.uint8))[0] == np.float32(4032 / 4096)


def test_signalling_names():
    assert [(law.payload_type, law.sdp_name, law.silence) for law in LAWS] == [
        (8, "PCMA", 0xD5),
        (0, "PCMU", 0xFF),
    ]
    for law in LAWS:
        assert abs(law.decode(np.array([law.silence], np.uint8))[0]) < 3e-4


def test_linear_has_no_octets():
    x = np.linspace(-1, 1, 9, dtype=np.float32)
    assert Law.LINEAR.through(x) is x
    with pytest.raises(LocalProtocolError):
        Law.LINEAR.encode(x)
    with pytest.raises(LocalProtocolError):
        Law.LINEAR.silence  # noqa: B018


@pytest.mark.parametrize("law", LAWS)
def test_signal_to_distortion_of_a_sine(law):
    x = (0.3 * np.sin(2 * np.pi * 1004 / 8000 * np.arange(8000))).astype(np.float32)
    error = law.through(x) - x
    assert 10 * np.log10(np.mean(x**2) / np.mean(error**2)) > 36
