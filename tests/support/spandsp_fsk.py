"""libspandsp's FSK modems by ctypes: an independent V.21 and Bell 103 (Debian libspandsp2 0.0.6)."""

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int16, c_void_p

import numpy as np

from ansam.units import Audio, Bits

LIBRARY = "libspandsp.so.2"
PRESETS = 9
ASYNC, SYNC, FRAMED_8N1 = 0, 1, 10
"""Framing modes; above 1, the number of elements of a character."""

SCALE = 32767.0


class Spec(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("freq_zero", c_int),
        ("freq_one", c_int),
        ("tx_level", c_int),
        ("min_level", c_int),
        ("baud_rate", c_int),
    )


_GET_BIT = CFUNCTYPE(c_int, c_void_p)
_PUT_BIT = CFUNCTYPE(None, c_void_p, c_int)


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY)
    library.fsk_tx_init.restype = library.fsk_rx_init.restype = c_void_p
    library.fsk_tx_init.argtypes = (c_void_p, POINTER(Spec), _GET_BIT, c_void_p)
    library.fsk_rx_init.argtypes = (c_void_p, POINTER(Spec), c_int, _PUT_BIT, c_void_p)
    library.fsk_tx.argtypes = library.fsk_rx.argtypes = (c_void_p, POINTER(c_int16), c_int)
    library.fsk_tx_free.argtypes = library.fsk_rx_free.argtypes = (c_void_p,)
    return library


def _spec(library: ctypes.CDLL, mark_hz: int) -> Spec:
    """Return the preset with this mark: versions differ in which Bell 103 channel comes first."""
    presets = (Spec * PRESETS).in_dll(library, "preset_fsk_specs")
    return next(spec for spec in presets if spec.freq_one == mark_hz and spec.baud_rate == 30000)


class FskTx:
    """A transmitter that asks `next_bit` for each bit."""

    def __init__(self, mark_hz: int, next_bit: Callable[[], int]) -> None:
        self._library = _library()
        self._callback = _GET_BIT(lambda _: next_bit())
        self._spec = _spec(self._library, mark_hz)
        self._state = self._library.fsk_tx_init(None, ctypes.byref(self._spec), self._callback, None)

    def send(self, count: int) -> Audio:
        out = np.zeros(count, np.int16)
        done = self._library.fsk_tx(self._state, out.ctypes.data_as(POINTER(c_int16)), count)
        assert done == count
        return (out / SCALE).astype(np.float32)

    def close(self) -> None:
        self._library.fsk_tx_free(self._state)


class FskRx:
    """A receiver; `got` has the bits (or, framed, characters), `status` what it said about the carrier."""

    def __init__(self, mark_hz: int, mode: int = SYNC) -> None:
        self.got: list[int] = []
        self.status: list[int] = []
        self._library = _library()
        self._callback = _PUT_BIT(self._put)
        self._spec = _spec(self._library, mark_hz)
        self._state = self._library.fsk_rx_init(None, ctypes.byref(self._spec), mode, self._callback, None)

    def _put(self, _: int, value: int) -> None:
        (self.got if value >= 0 else self.status).append(value)

    def receive(self, rx: Audio) -> None:
        pcm = np.clip(np.round(rx * SCALE), -32768, 32767).astype(np.int16)
        self._library.fsk_rx(self._state, pcm.ctypes.data_as(POINTER(c_int16)), len(pcm))

    def bits(self) -> Bits:
        return np.array(self.got, np.uint8)

    def close(self) -> None:
        self._library.fsk_rx_free(self._state)
