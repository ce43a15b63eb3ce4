"""Automode: finds out which modulation the far end has, then is that modulation.

Every modulation that is allowed listens from the beginning (a *candidate*); only one at a time is heard on
the line. As soon as a candidate is certain of its far end (`far_end_seen`), it is chosen, and everything is
its business::

    answering   silence ─ 2100 Hz ─ gap ─► unscrambled ones ─► AC ────► V.21 mark ─► Bell 103 mark ─┐
                1.8 s     2.6 s     75 ms  (V.22bis, V.22)     V.32bis  3 s          6 s            │
                                           ▲ 3 s               3 s └─────── and again ◄─────────────┘
    calling     silent until it hears one of: unscrambled ones, AC, 1650 Hz, 2225 Hz; AA after 1 s of 2100 Hz

`automode.py` is the modulation that the rest of the modem sees; `answering.py` and `calling.py` are the two
procedures, `candidates.py` and `hearing.py` what they work with.
"""

from ansam.modulation.automode.automode import Automode

__all__ = ["Automode"]
