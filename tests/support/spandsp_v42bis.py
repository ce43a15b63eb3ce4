"""libspandsp's V.42bis (Debian libspandsp2), by ctypes: the codec that checks ours."""

import ctypes

_Handler = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_int)
_BOTH_DIRECTIONS = 3


class Codec:
    """One encoder and one decoder."""

    def __init__(self, codewords=2048, string_length=32):
        self._lib = ctypes.CDLL("libspandsp.so.2")
        self._lib.v42bis_init.restype = ctypes.c_void_p
        self._encoded, self._decoded = bytearray(), bytearray()
        self._handlers = (
            _Handler(lambda _, data, n: self._encoded.extend(data[:n])),
            _Handler(lambda _, data, n: self._decoded.extend(data[:n])),
        )
        state = self._lib.v42bis_init(
            *(None, _BOTH_DIRECTIONS, codewords, string_length),
            *(self._handlers[0], None, 1024, self._handlers[1], None, 1024),
        )
        assert state, "v42bis_init refused the parameters"
        self._state = ctypes.c_void_p(state)

    def close(self):
        self._lib.v42bis_free(self._state)

    def encode(self, data):
        self._encoded.clear()
        assert self._lib.v42bis_compress(self._state, data, len(data)) == 0
        return bytes(self._encoded)

    def flush(self):
        self._encoded.clear()
        self._lib.v42bis_compress_flush(self._state)
        return bytes(self._encoded)

    def decode(self, data):
        self._decoded.clear()
        status = self._lib.v42bis_decompress(self._state, data, len(data))
        self._lib.v42bis_decompress_flush(self._state)
        return bytes(self._decoded), status
