"""libspandsp's V.22bis through ctypes (Debian libspandsp2 0.0.6), in 16-bit linear samples."""

import ctypes
import ctypes.util

import numpy as np

from ansam.units import Audio, Bits

LIBRARY = "libspandsp.so.2"
TRAINING_SUCCEEDED = -4
"""Status words come through the put_bit call-back as negative numbers (spandsp async.h)."""
SCALE = 32768 / 1.0
"""spandsp's full scale is that of G.711 decoded to 16 bits: a sample of 1.0 here is 32256 there (A-law)."""

_GET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_PUT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)


def load() -> ctypes.CDLL:
    lib = ctypes.CDLL(LIBRARY)
    lib.v22bis_init.restype = ctypes.c_void_p
    lib.v22bis_init.argtypes = [
        ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_bool,
        _GET, ctypes.c_void_p, _PUT, ctypes.c_void_p,
    ]  # fmt: skip
    for name in ("v22bis_rx", "v22bis_tx"):
        function = getattr(lib, name)
        function.restype = ctypes.c_int
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    lib.v22bis_tx_power.argtypes = [ctypes.c_void_p, ctypes.c_float]
    lib.v22bis_tx_power.restype = None
    lib.v22bis_get_current_bit_rate.argtypes = [ctypes.c_void_p]
    lib.v22bis_get_current_bit_rate.restype = ctypes.c_int
    lib.v22bis_free.argtypes = [ctypes.c_void_p]
    return lib


class SpandspV22bis:
    """One end; it sends seeded random bits from the moment its training succeeded, ones before."""

    def __init__(self, calling: bool, bit_rate: int, seed: int, guard: int = 0, power: float = -13.0) -> None:
        self._lib = load()
        self._rng = np.random.default_rng(seed)
        self.sent: list[int] = []
        self.got: list[int] = []
        self.status: list[int] = []
        self._block: list[int] = []
        self._get = _GET(self._get_bit)
        self._put = _PUT(self._put_bit)
        self._state = self._lib.v22bis_init(None, bit_rate, guard, calling, self._get, None, self._put, None)
        assert self._state
        self._lib.v22bis_tx_power(self._state, power)

    def _get_bit(self, _: object) -> int:
        if not self._block:
            self._block = self._rng.integers(0, 2, 1024).tolist()
        bit = self._block.pop()
        self.sent.append(bit)
        return bit

    def _put_bit(self, _: object, bit: int) -> None:
        if bit < 0:
            self.status.append(bit)
        else:
            self.got.append(bit)

    @property
    def trained(self) -> bool:
        return TRAINING_SUCCEEDED in self.status

    @property
    def bit_rate(self) -> int:
        return int(self._lib.v22bis_get_current_bit_rate(self._state))

    def process(self, rx: Audio) -> Audio:
        samples = np.clip(np.round(rx * SCALE), -32768, 32767).astype(np.int16)
        self._lib.v22bis_rx(self._state, samples.ctypes.data, samples.size)
        out = np.zeros(samples.size, np.int16)
        self._lib.v22bis_tx(self._state, out.ctypes.data, out.size)
        return (out / SCALE).astype(np.float32)

    @property
    def bits_sent(self) -> Bits:
        return np.array(self.sent, np.uint8)

    @property
    def bits_received(self) -> Bits:
        return np.array(self.got, np.uint8)

    def close(self) -> None:
        self._lib.v22bis_free(self._state)
