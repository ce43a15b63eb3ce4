"""libspandsp's V.8 by ctypes: an independent implementation of both ends (Debian libspandsp2 0.0.6)."""

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_int, c_int16, c_uint, c_void_p
from typing import Any

import numpy as np

from ansam.units import Audio

LIBRARY = "libspandsp.so.2"
SCALE = 32767.0

ANSAM_PR = 5
DATA = 6
LAPM = 1
V21, V22, V34 = 1 << 1, 1 << 2, 1 << 11
IN_PROGRESS, OFFERED, CALL, NON_V8, FAILED = range(5)
"""Status."""


class Parameters(Structure):
    _fields_ = (
        ("status", c_int),
        ("modem_connect_tone", c_int),
        ("send_ci", c_int),
        ("v92", c_int),
        ("call_function", c_int),
        ("modulations", c_uint),
        ("protocol", c_int),
        ("pstn_access", c_int),
        ("pcm_modem_availability", c_int),
        ("nsf", c_int),
        ("t66", c_int),
    )


_RESULT = CFUNCTYPE(None, c_void_p, POINTER(Parameters))


class SpandspV8:
    """One end.

    Attributes:
        results: (status, modulations, protocol) of each report.
    """

    def __init__(self, calling: bool, modulations: int, protocol: int = LAPM, send_ci: bool = False) -> None:
        self._library: Any = ctypes.CDLL(LIBRARY)
        self._library.v8_init.restype = c_void_p
        self._library.v8_init.argtypes = (c_void_p, c_int, POINTER(Parameters), _RESULT, c_void_p)
        self._library.v8_tx.argtypes = self._library.v8_rx.argtypes = (c_void_p, POINTER(c_int16), c_int)
        self._library.v8_free.argtypes = (c_void_p,)
        self.results: list[tuple[int, int, int]] = []
        self._callback = _RESULT(self._report)
        self._parameters = Parameters(
            modem_connect_tone=ANSAM_PR,
            send_ci=int(send_ci),
            v92=-1,
            call_function=DATA,
            modulations=modulations,
            protocol=protocol,
            nsf=-1,
            t66=-1,
        )
        self._state = self._library.v8_init(
            None, int(calling), ctypes.byref(self._parameters), self._callback, None
        )

    def _report(self, _: object, parameters: Any) -> None:
        said = parameters.contents
        self.results.append((said.status, said.modulations, said.protocol))

    def process(self, rx: Audio) -> Audio:
        """Take received samples and return as many to send."""
        heard = np.ascontiguousarray(np.clip(np.rint(rx * SCALE), -32768, 32767), np.int16)
        self._library.v8_rx(self._state, heard.ctypes.data_as(POINTER(c_int16)), len(heard))
        out = np.zeros(len(rx), np.int16)
        self._library.v8_tx(self._state, out.ctypes.data_as(POINTER(c_int16)), len(out))
        return (out / SCALE).astype(np.float32)

    def close(self) -> None:
        self._library.v8_free(self._state)
