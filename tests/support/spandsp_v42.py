"""libspandsp 0.0.6's V.42 (Debian libspandsp2), by ctypes: detection, XID and LAPM of another hand."""

import ctypes

import numpy as np

_Get = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_int)
_Put = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_int)
_Status = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)

LINK_CONNECTED, LINK_DISCONNECTED, LINK_ERROR = -14, -15, -16
"""SIG_STATUS_… of async.h."""


class V42:
    """One end.

    Args:
        calling: True for the originator.
        detect: Whether ODP and ADP come first.
    """

    def __init__(self, calling, detect=True):
        self._lib = ctypes.CDLL("libspandsp.so.2")
        self._lib.v42_init.restype = ctypes.c_void_p
        self.to_send, self.got, self.status = bytearray(), bytearray(), []
        self._handlers = (
            _Get(self._get),
            _Put(self._put),
            _Status(lambda _, value: self.status.append(value)),
        )
        state = self._lib.v42_init(
            None, int(calling), int(detect), self._handlers[0], self._handlers[1], None
        )
        assert state
        self._state = ctypes.c_void_p(state)
        self._lib.v42_set_status_callback(self._state, self._handlers[2], None)
        self._lib.v42_restart(self._state)

    def _get(self, _, buffer, limit):
        data = bytes(self.to_send[:limit])
        del self.to_send[:limit]
        ctypes.memmove(buffer, data, len(data))
        return len(data)

    def _put(self, _, data, count):
        if count > 0:
            self.got += bytes(data[:count])

    def pull(self, count):
        send, state = self._lib.v42_tx_bit, self._state
        return np.array([send(state) for _ in range(count)], np.uint8)

    def receive_bits(self, bits):
        take, state = self._lib.v42_rx_bit, self._state
        for bit in bits.tolist():
            take(state, bit)

    def set_busy(self, busy):
        self._lib.v42_set_local_busy_status(self._state, int(busy))

    def stop(self):
        self._lib.v42_stop(self._state)

    def close(self):
        self._lib.v42_free(self._state)
