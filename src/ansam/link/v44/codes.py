"""The numbers of V.44 (11/2000): control codes, commands, fixed parameters (§7.2, §8)."""

from typing import Any, TypeAlias

import numba as nb

ETM, FLUSH, STEPUP, REINIT = 0, 1, 2, 3
"""Control codes of the compressed mode, Table 8."""
ECM, EID, EPM = 0, 1, 2
"""Commands of the transparent mode, Table 9."""

N4 = 256
N5 = 4
"""Control codes, and the first codeword for a string; Table 11."""

ORDINAL_SIZE, WIDE_ORDINAL_SIZE = 7, 8
CODEWORD_SIZE = 6
"""C5 and C2 of an empty dictionary, §7.5.1."""

ESCAPE_STEP = 51
"""What ESCAPE moves by whenever it is met in transparent data, §7.14."""

# Arrays inside the kernels: compiled, their elements are plain integers, which NumPy's types can not say.
State: TypeAlias = Any
Ints: TypeAlias = Any
Octets: TypeAlias = Any

# The same for numba's signatures.
S = nb.int64[::1]
I32 = nb.int32[::1]
U8 = nb.uint8[::1]
